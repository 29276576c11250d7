# Many of the types that accounts have many of.

variable "vpc_id" { type = string }

locals {
  groups   = 200
  rules    = 10
  roles    = 50
  policies = 500
}

resource "aws_security_group" "g" {
  count  = local.groups
  name   = "g${count.index}"
  vpc_id = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "r" {
  count             = local.groups * local.rules
  security_group_id = aws_security_group.g[floor(count.index / local.rules)].id
  ip_protocol       = "tcp"
  from_port         = 1000 + count.index % local.rules
  to_port           = 1000 + count.index % local.rules
  cidr_ipv4         = "10.0.0.0/8"
}

resource "aws_iam_role" "r" {
  count = local.roles
  name  = "r${count.index}"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_policy" "p" {
  count = local.policies
  name  = "p${count.index}"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::b${count.index}/*" }]
  })
}

resource "aws_iam_role_policy_attachment" "a" {
  count      = local.policies
  role       = aws_iam_role.r[count.index % local.roles].name
  policy_arn = aws_iam_policy.p[count.index].arn
}
