# What eksctl makes of a cluster.yaml, written down: a shared group of nodes beside the cluster's, self-made launch templates, the VPC CNI
# with a role of its own.

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

locals {
  cluster = "shop"
  prefix  = "eksctl-${local.cluster}-cluster"
  tags    = { "alpha.eksctl.io/cluster-name" = local.cluster }
}

data "aws_partition" "current" {}

resource "aws_iam_role" "service_role" {
  name                = "${local.prefix}-ServiceRole"
  managed_policy_arns = [for name in ["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"] : "arn:${data.aws_partition.current.partition}:iam::aws:policy/${name}"]
  tags                = local.tags

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sts:AssumeRole", "sts:TagSession"], Principal = { Service = ["eks.amazonaws.com"] } }]
  })
}

resource "aws_security_group" "control_plane" {
  name        = "${local.prefix}-ControlPlaneSecurityGroup"
  description = "Communication between the control plane and worker nodegroups"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}/ControlPlaneSecurityGroup" })
}

resource "aws_security_group" "shared_node" {
  name        = "${local.prefix}-ClusterSharedNodeSecurityGroup"
  description = "Communication between all nodes in the cluster"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}/ClusterSharedNodeSecurityGroup" })
}

resource "aws_vpc_security_group_egress_rule" "open" {
  for_each = {
    control_plane = aws_security_group.control_plane.id
    shared_node   = aws_security_group.shared_node.id
  }

  security_group_id = each.value
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "inter_node" {
  security_group_id            = aws_security_group.shared_node.id
  referenced_security_group_id = aws_security_group.shared_node.id
  description                  = "Allow nodes to communicate with each other (all ports)"
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "cluster_to_node" {
  security_group_id            = aws_security_group.shared_node.id
  referenced_security_group_id = aws_eks_cluster.control_plane.vpc_config[0].cluster_security_group_id
  description                  = "Allow managed and unmanaged nodes to communicate with each other (all ports)"
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "node_to_cluster" {
  security_group_id            = aws_eks_cluster.control_plane.vpc_config[0].cluster_security_group_id
  referenced_security_group_id = aws_security_group.shared_node.id
  description                  = "Allow unmanaged nodes to communicate with control plane (all ports)"
  ip_protocol                  = "-1"
}

resource "aws_eks_cluster" "control_plane" {
  name     = local.cluster
  role_arn = aws_iam_role.service_role.arn
  tags     = local.tags

  access_config {
    authentication_mode                         = "API_AND_CONFIG_MAP"
    bootstrap_cluster_creator_admin_permissions = true
  }

  vpc_config {
    security_group_ids      = [aws_security_group.control_plane.id]
    subnet_ids              = var.subnet_ids
    endpoint_public_access  = true
    endpoint_private_access = false
  }
}

resource "aws_iam_openid_connect_provider" "this" {
  url            = aws_eks_cluster.control_plane.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
  tags           = local.tags
}

module "aws_node_role" {
  source = "sgp//irsa-role"

  name              = "eksctl-${local.cluster}-addon-vpc-cni"
  oidc_provider_arn = aws_iam_openid_connect_provider.this.arn
  oidc_provider_url = aws_eks_cluster.control_plane.identity[0].oidc[0].issuer
  namespace         = "kube-system"
  service_account   = "aws-node"
  policy_arns       = { cni = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKS_CNI_Policy" }
  tags              = local.tags
}

resource "sgp_pod_eni" "this" {
  cluster_name             = aws_eks_cluster.control_plane.name
  service_account_role_arn = module.aws_node_role.arn
  env                      = { WARM_ENI_TARGET = "1" }
}

resource "aws_iam_role" "node" {
  name                = "eksctl-${local.cluster}-nodegroup-NodeInstanceRole"
  managed_policy_arns = [for name in ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore"] : "arn:${data.aws_partition.current.partition}:iam::aws:policy/${name}"]
  tags                = local.tags

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sts:AssumeRole"], Principal = { Service = ["ec2.amazonaws.com"] } }]
  })
}

resource "aws_launch_template" "ng" {
  name = "eksctl-${local.cluster}-nodegroup-ng-1"

  # As eksctl does with managed node groups: the cluster's group, and that of all nodes.
  vpc_security_group_ids = [
    aws_eks_cluster.control_plane.vpc_config[0].cluster_security_group_id,
    aws_security_group.shared_node.id,
  ]

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size = 80
      volume_type = "gp3"
      iops        = 3000
      throughput  = 125
    }
  }

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
}

resource "aws_eks_node_group" "ng" {
  cluster_name    = aws_eks_cluster.control_plane.name
  node_group_name = "ng-1"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  instance_types  = ["m5.large"]
  ami_type        = "AL2023_x86_64_STANDARD"
  labels          = { "alpha.eksctl.io/cluster-name" = local.cluster, "alpha.eksctl.io/nodegroup-name" = "ng-1" }
  tags            = merge(local.tags, { "alpha.eksctl.io/nodegroup-name" = "ng-1" })

  launch_template {
    id      = aws_launch_template.ng.id
    version = aws_launch_template.ng.latest_version
  }

  scaling_config {
    min_size     = 2
    desired_size = 2
    max_size     = 4
  }

  depends_on = [sgp_pod_eni.this]
}

# --- an application -------------------------------------------------------------------------------------------------

resource "aws_security_group" "cart" {
  name        = "${local.cluster}-cart"
  description = "Pods of the cart"
  vpc_id      = var.vpc_id

  egress {
    description = "DNS"
    protocol    = "udp"
    from_port   = 53
    to_port     = 53
    cidr_blocks = [data.aws_vpc.this.cidr_block]
  }

  egress {
    description = "DNS"
    protocol    = "tcp"
    from_port   = 53
    to_port     = 53
    cidr_blocks = [data.aws_vpc.this.cidr_block]
  }

  egress {
    description     = "Sessions"
    protocol        = "tcp"
    from_port       = 6379
    to_port         = 6379
    security_groups = [aws_security_group.cache.id]
  }

  ingress {
    description     = "Ingress controller and probes"
    protocol        = "tcp"
    from_port       = 8080
    to_port         = 8080
    security_groups = [aws_security_group.shared_node.id]
  }
}

data "aws_vpc" "this" {
  id = var.vpc_id
}

resource "aws_security_group" "cache" {
  name        = "${local.cluster}-cache"
  description = "Redis"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "cache_from_cart" {
  security_group_id            = aws_security_group.cache.id
  referenced_security_group_id = aws_security_group.cart.id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

resource "aws_vpc_security_group_ingress_rule" "dns_from_cart" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = aws_security_group.shared_node.id
  referenced_security_group_id = aws_security_group.cart.id
  ip_protocol                  = each.value
  from_port                    = 53
  to_port                      = 53
}

resource "kubernetes_namespace_v1" "cart" {
  cluster_name = aws_eks_cluster.control_plane.name

  metadata {
    name = "cart"
  }
}

resource "sgp_security_group_policy" "cart" {
  cluster_name       = aws_eks_cluster.control_plane.name
  name               = "cart"
  namespace          = kubernetes_namespace_v1.cart.metadata[0].name
  security_group_ids = [aws_security_group.cart.id]

  pod_selector {
    match_expressions {
      key      = "app"
      operator = "In"
      values   = ["cart", "cart-canary"]
    }
  }

  depends_on = [sgp_pod_eni.this]
}

resource "kubernetes_manifest" "cart" {
  for_each = { cart = 2, cart-canary = 1 }

  cluster_name = aws_eks_cluster.control_plane.name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = each.key, namespace = kubernetes_namespace_v1.cart.metadata[0].name }
    spec = {
      replicas = each.value
      selector = { matchLabels = { app = each.key } }
      template = {
        metadata = { labels = { app = each.key } }
        spec = {
          containers = [{
            name           = "cart"
            image          = "example.com/cart:1"
            ports          = [{ containerPort = 8080 }]
            readinessProbe = { httpGet = { path = "/", port = 8080 } }
          }]
        }
      }
    }
  }

  wait {
    rollout = true
  }

  depends_on = [aws_eks_node_group.ng, sgp_security_group_policy.cart]
}
