# An Application Load Balancer in front of pods with a group of their own: the internet reaches the load balancer, only the load
# balancer reaches the pods, and only on their port.
#
# The load balancer is made by the AWS Load Balancer Controller, which is installed by other means. Its groups are made here, and it is
# told to leave rules alone, so that the whole way is in this configuration and a plan shows each change of it.

module "cluster" {
  source = "sgp//eks-cluster"

  name       = var.name
  vpc_id     = var.vpc_id
  subnet_ids = var.subnet_ids
  tags       = var.tags
}

locals {
  # With a certificate the controller makes a listener for HTTPS, without one for HTTP.
  listener_port = var.certificate_arn == null ? 80 : 443
}

# --- the load balancer's group -------------------------------------------------------------------------------------

resource "aws_security_group" "alb" {
  name        = "${var.name}-alb"
  description = "The load balancer"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-alb" })
}

resource "aws_vpc_security_group_ingress_rule" "alb" {
  for_each = toset(var.client_cidrs)

  security_group_id = aws_security_group.alb.id
  cidr_ipv4         = each.key
  description       = "Clients"
  ip_protocol       = "tcp"
  from_port         = local.listener_port
  to_port           = local.listener_port
}

resource "aws_vpc_security_group_egress_rule" "alb_to_web" {
  security_group_id            = aws_security_group.alb.id
  referenced_security_group_id = aws_security_group.web.id
  description                  = "To the pods, health checks too"
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

# --- the pods' group -----------------------------------------------------------------------------------------------

resource "aws_security_group" "web" {
  name        = "${var.name}-web"
  description = "Pods behind the load balancer"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-web" })
}

# With targets of type ip the load balancer speaks to the pods' own interfaces, on their port and not on the Service's.
resource "aws_vpc_security_group_ingress_rule" "web_from_alb" {
  security_group_id            = aws_security_group.web.id
  referenced_security_group_id = aws_security_group.alb.id
  description                  = "From the load balancer, health checks too"
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

resource "aws_vpc_security_group_ingress_rule" "web_probes" {
  security_group_id            = aws_security_group.web.id
  referenced_security_group_id = module.cluster.cluster_security_group_id
  description                  = "Probes of kubelet"
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

# --- in the cluster ------------------------------------------------------------------------------------------------

resource "kubernetes_namespace_v1" "shop" {
  cluster_name = module.cluster.cluster_name

  metadata {
    name = "shop"
  }
}

resource "sgp_security_group_policy" "web" {
  cluster_name       = module.cluster.cluster_name
  name               = "web"
  namespace          = kubernetes_namespace_v1.shop.metadata[0].name
  security_group_ids = [module.cluster.pods_security_group_id, aws_security_group.web.id]

  pod_selector {
    match_labels = { app = "web" }
  }
}

resource "kubernetes_manifest" "service" {
  cluster_name = module.cluster.cluster_name

  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "web", namespace = kubernetes_namespace_v1.shop.metadata[0].name }
    spec = {
      selector = { app = "web" }
      ports    = [{ name = "http", port = 80, targetPort = var.port }]
    }
  }
}

resource "kubernetes_manifest" "ingress" {
  cluster_name = module.cluster.cluster_name

  manifest = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "Ingress"
    metadata = {
      name      = "web"
      namespace = kubernetes_namespace_v1.shop.metadata[0].name
      annotations = merge({
        "alb.ingress.kubernetes.io/scheme"           = "internet-facing"
        "alb.ingress.kubernetes.io/target-type"      = "ip"
        "alb.ingress.kubernetes.io/healthcheck-path" = "/healthz"
        "alb.ingress.kubernetes.io/security-groups"  = aws_security_group.alb.id
        # The rules are ours. It is the default with groups of one's own; said, so that nobody has to know that.
        "alb.ingress.kubernetes.io/manage-backend-security-group-rules" = "false"
        }, var.certificate_arn == null ? {} : {
        "alb.ingress.kubernetes.io/certificate-arn" = var.certificate_arn
      })
    }
    spec = {
      ingressClassName = "alb"
      defaultBackend   = { service = { name = "web", port = { name = "http" } } }
    }
  }

  depends_on = [kubernetes_manifest.service]
}
