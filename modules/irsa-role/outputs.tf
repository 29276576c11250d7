output "arn" {
  description = "The role's ARN."
  value       = aws_iam_role.this.arn
}

output "name" {
  description = "The role's name."
  value       = aws_iam_role.this.name
}

output "service_account_annotations" {
  description = "Annotations that make the service account use the role."
  value       = { "eks.amazonaws.com/role-arn" = aws_iam_role.this.arn }
}
