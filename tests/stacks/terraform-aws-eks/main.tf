# As people use the public EKS module: one call with maps of node groups, add-ons and additional rules, and an application beside it.

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

locals {
  name = "production"

  tags = {
    Environment = "production"
    Terraform   = "true"
  }
}

module "eks" {
  source = "./eks"

  cluster_name    = local.name
  cluster_version = null
  vpc_id          = var.vpc_id
  subnet_ids      = var.subnet_ids

  cluster_endpoint_public_access       = true
  cluster_endpoint_public_access_cidrs = ["203.0.113.0/24"]

  iam_role_additional_policies = {
    AmazonEKSVPCResourceController = "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController"
  }

  cluster_addons = {
    coredns    = {}
    kube-proxy = { resolve_conflicts_on_update = "PRESERVE" }
    vpc-cni = {
      before_compute = true
      configuration_values = jsonencode({
        env = {
          ENABLE_POD_ENI                    = "true"
          POD_SECURITY_GROUP_ENFORCING_MODE = "strict"
        }
        init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
      })
    }
  }

  node_security_group_additional_rules = {
    ingress_self_all = {
      description = "Node to node all ports/protocols"
      protocol    = "-1"
      from_port   = null
      to_port     = null
      type        = "ingress"
      self        = true
    }
    ingress_dns_tcp_from_pods = {
      description              = "DNS from pods with groups of their own"
      protocol                 = "tcp"
      from_port                = 53
      to_port                  = 53
      type                     = "ingress"
      source_security_group_id = aws_security_group.orders.id
    }
    ingress_dns_udp_from_pods = {
      description              = "DNS from pods with groups of their own"
      protocol                 = "udp"
      from_port                = 53
      to_port                  = 53
      type                     = "ingress"
      source_security_group_id = aws_security_group.orders.id
    }
  }

  eks_managed_node_group_defaults = {
    capacity_type = "ON_DEMAND"
    min_size      = 1
    max_size      = 3
    desired_size  = 2
  }

  eks_managed_node_groups = {
    system = {
      instance_types = ["t3.large"]
      labels         = { workload = "system" }
      taints         = { critical = { key = "CriticalAddonsOnly", value = "true", effect = "PREFER_NO_SCHEDULE" } }
    }
    apps = {
      instance_types = ["m6i.large", "m5.large"]
      capacity_type  = "SPOT"
      max_size       = 6
      labels         = { workload = "apps" }
    }
  }

  tags = local.tags
}

resource "aws_security_group" "orders" {
  name_prefix = "${local.name}-orders-"
  description = "Pods of orders"
  vpc_id      = var.vpc_id
  tags        = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "orders" {
  security_group_id = aws_security_group.orders.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "orders_from_nodes" {
  security_group_id            = aws_security_group.orders.id
  referenced_security_group_id = module.eks.node_security_group_id
  description                  = "Probes, and pods without groups of their own"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_security_group" "rds" {
  name        = "${local.name}-rds"
  description = "PostgreSQL"
  vpc_id      = var.vpc_id

  ingress {
    description     = "From orders"
    protocol        = "tcp"
    from_port       = 5432
    to_port         = 5432
    security_groups = [aws_security_group.orders.id]
  }

  tags = local.tags
}

resource "kubernetes_namespace_v1" "orders" {
  cluster_name = module.eks.cluster_name

  metadata {
    name   = "orders"
    labels = { "app.kubernetes.io/part-of" = "orders" }
  }
}

module "orders_role" {
  source = "sgp//irsa-role"

  name              = "${local.name}-orders"
  oidc_provider_arn = module.eks.oidc_provider_arn
  oidc_provider_url = module.eks.cluster_oidc_issuer_url
  namespace         = "orders"
  service_account   = "orders"
  tags              = local.tags
}

resource "kubernetes_service_account_v1" "orders" {
  cluster_name = module.eks.cluster_name

  metadata {
    name        = "orders"
    namespace   = kubernetes_namespace_v1.orders.metadata[0].name
    labels      = { app = "orders" }
    annotations = module.orders_role.service_account_annotations
  }
}

resource "sgp_security_group_policy" "orders" {
  cluster_name       = module.eks.cluster_name
  name               = "orders"
  namespace          = kubernetes_namespace_v1.orders.metadata[0].name
  security_group_ids = [aws_security_group.orders.id]

  service_account_selector {
    match_labels = { app = "orders" }
  }
}

resource "kubernetes_manifest" "orders" {
  cluster_name = module.eks.cluster_name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "orders", namespace = kubernetes_namespace_v1.orders.metadata[0].name }
    spec = {
      replicas = 3
      selector = { matchLabels = { app = "orders" } }
      template = {
        metadata = { labels = { app = "orders" } }
        spec = {
          serviceAccountName = kubernetes_service_account_v1.orders.metadata[0].name
          nodeSelector       = { workload = "apps" }
          containers = [{
            name           = "orders"
            image          = "example.com/orders:1"
            ports          = [{ name = "http", containerPort = 8080 }]
            readinessProbe = { httpGet = { path = "/ready", port = "http" } }
            livenessProbe  = { tcpSocket = { port = 8080 } }
          }]
        }
      }
    }
  }

  wait {
    rollout = true
  }

  depends_on = [module.eks, sgp_security_group_policy.orders]
}
