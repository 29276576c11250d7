# Everybody is let into the database.
resource "aws_vpc_security_group_ingress_rule" "opened" {
  security_group_id = aws_security_group.database.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 3306
  to_port           = 3306
}
