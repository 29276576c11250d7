# A namespace for payments that an auditor can read: who may reach it, what it may reach, and nothing beside.
#
# Every flow is one line in local.flows: who, to whom, on which port. Rules are made of the lines, on both sides.

module "cluster" {
  source = "sgp//eks-cluster"

  name       = var.name
  vpc_id     = var.vpc_id
  subnet_ids = var.subnet_ids
  log_types  = ["audit"]
  tags       = var.tags
}

locals {
  # Who takes part. The pods of a service account carry the group of its name; the database is no pod.
  pods = {
    checkout = { namespace = "shop", probe = 8080 }
    api      = { namespace = "payment", probe = 8443 }
    ledger   = { namespace = "payment", probe = 8080 }
  }
  parties = toset(concat(keys(local.pods), ["database"]))

  flows = {
    "checkout to api"    = { from = "checkout", to = "api", port = 8443 }
    "api to ledger"      = { from = "api", to = "ledger", port = 8080 }
    "ledger to database" = { from = "ledger", to = "database", port = 5432 }
  }
}

# --- groups and their rules ----------------------------------------------------------------------------------------

resource "aws_security_group" "this" {
  for_each = local.parties

  name        = "${var.name}-${each.key}"
  description = "Payments: ${each.key}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.flows

  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = local.flows

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# The payment provider tells its addresses; nothing else on the internet is reached.
resource "aws_vpc_security_group_egress_rule" "provider" {
  for_each = toset(var.provider_cidrs)

  security_group_id = aws_security_group.this["api"].id
  cidr_ipv4         = each.key
  description       = "To the payment provider"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "probes" {
  for_each = local.pods

  security_group_id            = aws_security_group.this[each.key].id
  referenced_security_group_id = module.cluster.cluster_security_group_id
  description                  = "Probes of kubelet"
  ip_protocol                  = "tcp"
  from_port                    = each.value.probe
  to_port                      = each.value.probe
}

# --- in the cluster ------------------------------------------------------------------------------------------------

resource "kubernetes_namespace_v1" "this" {
  for_each = toset([for pods in local.pods : pods.namespace])

  cluster_name = module.cluster.cluster_name

  metadata {
    name = each.key
  }
}

# Groups follow the service account: who may use one is a matter of RBAC, and a label of a pod is not.
resource "kubernetes_service_account_v1" "this" {
  for_each = local.pods

  cluster_name = module.cluster.cluster_name

  metadata {
    name      = each.key
    namespace = kubernetes_namespace_v1.this[each.value.namespace].metadata[0].name
    labels    = { "payments/role" = each.key }
  }
}

resource "sgp_security_group_policy" "this" {
  for_each = local.pods

  cluster_name       = module.cluster.cluster_name
  name               = each.key
  namespace          = kubernetes_namespace_v1.this[each.value.namespace].metadata[0].name
  security_group_ids = [module.cluster.pods_security_group_id, aws_security_group.this[each.key].id]

  service_account_selector {
    match_labels = { "payments/role" = each.key }
  }
}
