# What all tenants use: a registry in a namespace of its own. It reaches nobody.

resource "kubernetes_namespace_v1" "shared" {
  cluster_name = module.cluster.cluster_name

  metadata {
    name = "shared"
  }
}

resource "aws_security_group" "registry" {
  name        = "${var.name}-registry"
  description = "Pods of the registry that tenants share"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-registry" })
}

# The group that all pods carry is the client of what all pods use: two rules, however many tenants there are.
resource "aws_vpc_security_group_egress_rule" "pods_to_registry" {
  security_group_id            = module.cluster.pods_security_group_id
  referenced_security_group_id = aws_security_group.registry.id
  description                  = "To the registry"
  ip_protocol                  = "tcp"
  from_port                    = var.registry_port
  to_port                      = var.registry_port
}

resource "aws_vpc_security_group_ingress_rule" "registry_from_pods" {
  security_group_id            = aws_security_group.registry.id
  referenced_security_group_id = module.cluster.pods_security_group_id
  description                  = "From pods of all tenants"
  ip_protocol                  = "tcp"
  from_port                    = var.registry_port
  to_port                      = var.registry_port
}

resource "aws_vpc_security_group_ingress_rule" "registry_probes" {
  security_group_id            = aws_security_group.registry.id
  referenced_security_group_id = module.cluster.cluster_security_group_id
  description                  = "Probes of kubelet"
  ip_protocol                  = "tcp"
  from_port                    = var.registry_port
  to_port                      = var.registry_port
}

resource "sgp_security_group_policy" "registry" {
  cluster_name       = module.cluster.cluster_name
  name               = "registry"
  namespace          = kubernetes_namespace_v1.shared.metadata[0].name
  security_group_ids = [module.cluster.pods_security_group_id, aws_security_group.registry.id]

  pod_selector {
    match_labels = { app = "registry" }
  }
}

# kube-proxy turns the Service's port into the pods' before a packet leaves its node: groups see the pods' port.
resource "kubernetes_manifest" "registry_service" {
  cluster_name = module.cluster.cluster_name

  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "registry", namespace = kubernetes_namespace_v1.shared.metadata[0].name }
    spec = {
      selector = { app = "registry" }
      ports    = [{ name = "http", port = 80, targetPort = var.registry_port }]
    }
  }
}
