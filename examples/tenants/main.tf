# Tenants on one cluster: each has a namespace, a group for all of its pods, a role, and nobody else's traffic.

module "cluster" {
  source = "sgp//eks-cluster"

  name       = var.name
  vpc_id     = var.vpc_id
  subnet_ids = var.subnet_ids
  tags       = var.tags
}

resource "kubernetes_namespace_v1" "tenant" {
  for_each = var.tenants

  cluster_name = module.cluster.cluster_name

  metadata {
    name   = "tenant-${each.key}"
    labels = { tenant = each.key }
  }
}

# --- the tenant's group --------------------------------------------------------------------------------------------

resource "aws_security_group" "tenant" {
  for_each = var.tenants

  name        = "${var.name}-${each.key}"
  description = "Pods of tenant ${each.key}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-${each.key}", tenant = each.key })
}

resource "aws_vpc_security_group_ingress_rule" "within_tenant" {
  for_each = var.tenants

  security_group_id            = aws_security_group.tenant[each.key].id
  referenced_security_group_id = aws_security_group.tenant[each.key].id
  description                  = "Within the tenant"
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "within_tenant" {
  for_each = var.tenants

  security_group_id            = aws_security_group.tenant[each.key].id
  referenced_security_group_id = aws_security_group.tenant[each.key].id
  description                  = "Within the tenant"
  ip_protocol                  = "-1"
}

# Pods with the tenant's role get credentials from STS. Other tenants' pods are at addresses, too, and take nothing from here.
resource "aws_vpc_security_group_egress_rule" "tenant_to_aws" {
  for_each = var.tenants

  security_group_id = aws_security_group.tenant[each.key].id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "To the AWS APIs"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "tenant_probes" {
  for_each = var.tenants

  security_group_id            = aws_security_group.tenant[each.key].id
  referenced_security_group_id = module.cluster.cluster_security_group_id
  description                  = "Probes of kubelet"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# A label would leave it to the tenant whether a pod is kept apart.
# sgp:ignore SGP312 all pods of a tenant have the tenant's group
resource "sgp_security_group_policy" "tenant" {
  for_each = var.tenants

  cluster_name       = module.cluster.cluster_name
  name               = "tenant"
  namespace          = kubernetes_namespace_v1.tenant[each.key].metadata[0].name
  security_group_ids = [module.cluster.pods_security_group_id, aws_security_group.tenant[each.key].id]

  pod_selector {}
}

# --- the tenant's role ---------------------------------------------------------------------------------------------

module "tenant_role" {
  source   = "sgp//irsa-role"
  for_each = var.tenants

  name              = "${var.name}-${each.key}"
  oidc_provider_arn = module.cluster.oidc_provider_arn
  oidc_provider_url = module.cluster.oidc_provider_url
  namespace         = "tenant-${each.key}"
  service_account   = "tenant"
  policy_arns       = each.value.policy_arns
  tags              = merge(var.tags, { tenant = each.key })
}

resource "kubernetes_service_account_v1" "tenant" {
  for_each = var.tenants

  cluster_name = module.cluster.cluster_name

  metadata {
    name        = "tenant"
    namespace   = kubernetes_namespace_v1.tenant[each.key].metadata[0].name
    annotations = module.tenant_role[each.key].service_account_annotations
  }
}
