# Pods labelled app=orders reach a database in a peered VPC, and no other pod does. The groups of both sides name each other over the
# peering connection: no address is in any rule.

locals {
  # In the same account a group of a peered VPC is named by its id; of another account by ACCOUNT/ID.
  peer = var.database_account_id == null ? "" : "${var.database_account_id}/"

  # Nodes, and with them CoreDNS, carry the group that EKS makes.
  cluster_group = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

resource "aws_security_group" "orders" {
  name        = "${var.name}-orders"
  description = "Pods that may reach the database"
  vpc_id      = aws_vpc.cluster.id
  tags        = merge(var.tags, { Name = "${var.name}-orders" })
}

# Groups are of one VPC. The connection must work before a rule can name a group on its other side.
resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "The orders database"
  vpc_id      = aws_vpc.database.id
  tags        = merge(var.tags, { Name = "${var.name}-database" })
}

resource "aws_vpc_security_group_egress_rule" "orders_to_database" {
  security_group_id            = aws_security_group.orders.id
  referenced_security_group_id = "${local.peer}${aws_security_group.database.id}"
  description                  = "To the database"
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port

  depends_on = [aws_vpc_peering_connection.database]
}

resource "aws_vpc_security_group_ingress_rule" "database_from_orders" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.orders.id
  description                  = "From pods of the orders service"
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port

  depends_on = [aws_vpc_peering_connection.database]
}

# Names: the pods ask CoreDNS, which runs on nodes.
resource "aws_vpc_security_group_egress_rule" "orders_dns" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = aws_security_group.orders.id
  referenced_security_group_id = local.cluster_group
  description                  = "To CoreDNS"
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "dns_from_orders" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = local.cluster_group
  referenced_security_group_id = aws_security_group.orders.id
  description                  = "DNS from pods of the orders service"
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "kubernetes_namespace_v1" "app" {
  cluster_name = aws_eks_cluster.this.name

  metadata {
    name = "app"
  }
}

resource "sgp_security_group_policy" "orders" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "orders"
  namespace          = kubernetes_namespace_v1.app.metadata[0].name
  security_group_ids = [aws_security_group.orders.id]

  pod_selector {
    match_labels = { app = "orders" }
  }
}
