# A repository of manifests, as GitOps people keep them: YAML files, and groups that are filled into them.

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

module "cluster" {
  source = "sgp//eks-cluster"

  name           = "fleet"
  vpc_id         = var.vpc_id
  subnet_ids     = var.subnet_ids
  network_policy = true

  node_groups = {
    general = { instance_types = ["m6i.xlarge"], min_size = 2, desired_size = 2 }
  }
}

locals {
  groups = {
    ledger   = { description = "Pods of the ledger" }
    postgres = { description = "Database of the ledger" }
  }

  # Filled into the files, so that nobody copies ids into them.
  groups_by_name = {
    pods_group   = module.cluster.pods_security_group_id
    ledger_group = aws_security_group.this["ledger"].id
  }
}

resource "aws_security_group" "this" {
  for_each = local.groups

  name        = "fleet-${each.key}"
  description = each.value.description
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "ledger_to_postgres" {
  security_group_id            = aws_security_group.this["ledger"].id
  referenced_security_group_id = aws_security_group.this["postgres"].id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "postgres_from_ledger" {
  security_group_id            = aws_security_group.this["postgres"].id
  referenced_security_group_id = aws_security_group.this["ledger"].id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "ledger_from_nodes" {
  security_group_id            = aws_security_group.this["ledger"].id
  referenced_security_group_id = module.cluster.cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8081
}

# One object a file. The folders are the order in which they are made.
resource "kubernetes_manifest" "namespaces" {
  for_each = fileset("${path.module}/manifests/namespaces", "*.yaml")

  cluster_name = module.cluster.cluster_name
  manifest     = yamldecode(file("${path.module}/manifests/namespaces/${each.key}"))
}

resource "kubernetes_manifest" "access" {
  for_each = fileset("${path.module}/manifests/access", "**/*.yaml")

  cluster_name = module.cluster.cluster_name
  manifest     = yamldecode(templatefile("${path.module}/manifests/access/${each.key}", local.groups_by_name))

  depends_on = [kubernetes_manifest.namespaces]
}

resource "kubernetes_manifest" "workloads" {
  for_each = { for file in fileset("${path.module}/manifests/workloads", "**/*.yaml") : trimsuffix(file, ".yaml") => yamldecode(file("${path.module}/manifests/workloads/${file}")) }

  cluster_name = module.cluster.cluster_name
  manifest     = each.value

  wait {
    rollout = each.value.kind == "Deployment"
  }

  depends_on = [module.cluster, kubernetes_manifest.access]
}
