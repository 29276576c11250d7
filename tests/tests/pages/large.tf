# A thousand objects: groups of teams, each of which reaches the next one.
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }

locals {
  teams = 333
}

resource "aws_security_group" "team" {
  count       = local.teams
  name        = "team-${count.index}"
  description = "pods of a team"
  vpc_id      = var.vpc_id
  tags        = { team = "team-${count.index}" }
}

resource "aws_vpc_security_group_ingress_rule" "team" {
  count                        = local.teams
  security_group_id            = aws_security_group.team[count.index].id
  referenced_security_group_id = aws_security_group.team[(count.index + 1) % local.teams].id
  ip_protocol                  = "tcp"
  from_port                    = 1000 + count.index
  to_port                      = 1000 + count.index
}

resource "aws_vpc_security_group_egress_rule" "team" {
  count                        = local.teams
  security_group_id            = aws_security_group.team[(count.index + 1) % local.teams].id
  referenced_security_group_id = aws_security_group.team[count.index].id
  ip_protocol                  = "tcp"
  from_port                    = 1000 + count.index
  to_port                      = 1000 + count.index
}

resource "aws_vpc_security_group_ingress_rule" "opened" {
  security_group_id = aws_security_group.team[0].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
