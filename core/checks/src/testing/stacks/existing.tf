# Policies for a cluster that another configuration makes.

resource "aws_security_group" "orders" {
  name   = "orders"
  vpc_id = data.aws_eks_cluster.this.vpc_config[0].vpc_id
}

resource "aws_vpc_security_group_egress_rule" "orders_dns" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_security_group.orders.id
  referenced_security_group_id = data.aws_security_group.node.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "node_dns" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = data.aws_security_group.node.id
  referenced_security_group_id = aws_security_group.orders.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "sgp_security_group_policy" "orders" {
  cluster_name         = data.aws_eks_cluster.this.name
  name                 = "orders"
  namespace            = "orders"
  security_group_ids   = [aws_security_group.orders.id, "sg-0123456789abcdef0"]

  pod_selector {
    match_labels = { app = "orders" }
  }
}

resource "sgp_security_group_policy" "payments" {
  cluster_name         = data.aws_eks_cluster.this.name
  name                 = "payments"
  namespace            = "payments"
  security_group_names = ["payments"]

  pod_selector {
    match_labels = { app = "payments" }
  }
}
