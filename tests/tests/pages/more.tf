# Beside the example: an output and text that is markup, if anybody forgets to escape it.
resource "aws_security_group" "markup" {
  name        = "markup"
  description = "a group whose tags are markup"
  vpc_id      = var.vpc_id
  tags        = { Name = "<img src=x onerror=alert(1)>", Secret = sensitive("hunter2") }
}

output "markup" {
  value = "</title><script>alert(1)</script>${aws_security_group.markup.name}"
}

output "hidden" {
  value     = "hunter2"
  sensitive = true
}
