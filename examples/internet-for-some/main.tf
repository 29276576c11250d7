# Pods labelled internet=allowed may use the internet; the other pods of these namespaces may not.
#
# Groups add up, and a pod without any has its node's, which is open to the outside. So every pod gets a group that lets it ask for
# names and no more, and chosen pods get one more that lets them out.

module "cluster" {
  source = "sgp//eks-cluster"

  name           = var.name
  vpc_id         = var.vpc_id
  subnet_ids     = var.subnet_ids
  enforcing_mode = var.enforcing_mode
  tags           = var.tags
}

resource "aws_security_group" "internet" {
  name        = "${var.name}-internet"
  description = "Pods that may use the internet"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-internet" })
}

# Any address is in the VPC, too: there the receivers' groups decide.
resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each = toset([for port in var.internet_ports : tostring(port)])

  security_group_id = aws_security_group.internet.id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "To the internet"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

resource "kubernetes_namespace_v1" "this" {
  for_each = var.namespaces

  cluster_name = module.cluster.cluster_name

  metadata {
    name = each.key
  }
}

# sgp:ignore SGP312 whoever has no group has the nodes', and with it the internet
resource "sgp_security_group_policy" "everybody" {
  for_each = var.namespaces

  cluster_name       = module.cluster.cluster_name
  name               = "everybody"
  namespace          = kubernetes_namespace_v1.this[each.key].metadata[0].name
  security_group_ids = [module.cluster.pods_security_group_id]

  pod_selector {}
}

resource "sgp_security_group_policy" "internet" {
  for_each = var.namespaces

  cluster_name       = module.cluster.cluster_name
  name               = "internet"
  namespace          = kubernetes_namespace_v1.this[each.key].metadata[0].name
  security_group_ids = [aws_security_group.internet.id]

  pod_selector {
    match_labels = { internet = "allowed" }
  }
}
