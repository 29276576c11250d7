# A cluster as the public modules make it: groups of its own for control plane and nodes, add-ons before nodes, node groups of
# different types, an IRSA role, and one workload with groups for its pods.

locals {
  tags = { Environment = "production" }
}

resource "aws_vpc" "this" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "public" {
  for_each                = toset(["10.20.0.0/22", "10.20.4.0/22"])
  vpc_id                  = aws_vpc.this.id
  cidr_block              = each.key
  map_public_ip_on_launch = true
}

resource "aws_subnet" "private" {
  for_each   = toset(["10.20.32.0/19", "10.20.64.0/19"])
  vpc_id     = aws_vpc.this.id
  cidr_block = each.key
}

resource "aws_nat_gateway" "this" {
  subnet_id         = aws_subnet.public["10.20.0.0/22"].id
  connectivity_type = "public"
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id

  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.this.id
  }
}

resource "aws_iam_role" "cluster" {
  name_prefix = "production-cluster-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EKSClusterAssumeRole"
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "eks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_policy" "cluster_encryption" {
  name_prefix = "production-cluster-encryption-"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Action = ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"], Effect = "Allow", Resource = "*" }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = toset(["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"])
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.key}"
  role       = aws_iam_role.cluster.name
}

resource "aws_iam_role_policy_attachment" "cluster_encryption" {
  policy_arn = aws_iam_policy.cluster_encryption.arn
  role       = aws_iam_role.cluster.name
}

resource "aws_security_group" "cluster" {
  name_prefix = "production-cluster-"
  description = "EKS cluster security group"
  vpc_id      = aws_vpc.this.id
  tags        = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "cluster_from_nodes" {
  security_group_id            = aws_security_group.cluster.id
  referenced_security_group_id = aws_security_group.node.id
  description                  = "Node groups to cluster API"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_eks_cluster" "this" {
  name     = "production"
  version  = "1.34"
  role_arn = aws_iam_role.cluster.arn

  access_config {
    authentication_mode                         = "API_AND_CONFIG_MAP"
    bootstrap_cluster_creator_admin_permissions = true
  }

  vpc_config {
    security_group_ids      = [aws_security_group.cluster.id]
    subnet_ids              = [aws_subnet.private["10.20.32.0/19"].id, aws_subnet.private["10.20.64.0/19"].id]
    endpoint_private_access = true
    endpoint_public_access  = true
    public_access_cidrs     = ["203.0.113.0/24"]
  }

  kubernetes_network_config {
    ip_family         = "ipv4"
    service_ipv4_cidr = "172.20.0.0/16"
  }

  depends_on = [aws_iam_role_policy_attachment.this]
}

resource "aws_iam_openid_connect_provider" "oidc_provider" {
  client_id_list = ["sts.amazonaws.com"]
  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
}

resource "aws_eks_addon" "before_compute" {
  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = "vpc-cni"
  addon_version               = "v1.20.4-eksbuild.1"
  resolve_conflicts_on_create = "NONE"
  resolve_conflicts_on_update = "OVERWRITE"
  service_account_role_arn    = aws_iam_role.vpc_cni.arn

  configuration_values = jsonencode({
    env = {
      ENABLE_POD_ENI                    = "true"
      ENABLE_PREFIX_DELEGATION          = "true"
      WARM_PREFIX_TARGET                = "1"
      POD_SECURITY_GROUP_ENFORCING_MODE = "strict"
    }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
  })
}

resource "aws_eks_addon" "coredns" {
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = "coredns"
  configuration_values = jsonencode({ replicaCount = 2, resources = { limits = { cpu = "0.25", memory = "256M" } } })

  depends_on = [aws_eks_node_group.this]
}

resource "aws_eks_addon" "kube_proxy" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "kube-proxy"
}

resource "aws_iam_role" "vpc_cni" {
  name_prefix = "production-vpc-cni-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.oidc_provider.arn }
      Condition = {
        StringEquals = {
          "${aws_iam_openid_connect_provider.oidc_provider.url}:sub" = "system:serviceaccount:kube-system:aws-node"
          "${aws_iam_openid_connect_provider.oidc_provider.url}:aud" = "sts.amazonaws.com"
        }
      }
    }]
  })
}

resource "aws_iam_role" "node" {
  name_prefix = "production-node-"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "EKSNodeAssumeRole", Action = "sts:AssumeRole", Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each   = toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly"])
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.key}"
  role       = aws_iam_role.node.name
}

resource "aws_security_group" "node" {
  name_prefix = "production-node-"
  description = "EKS node shared security group"
  vpc_id      = aws_vpc.this.id
  tags        = { "kubernetes.io/cluster/production" = "owned" }
}

resource "aws_vpc_security_group_ingress_rule" "node_from_cluster" {
  for_each                     = toset(["443", "4443", "6443", "8443", "9443", "10250"])
  security_group_id            = aws_security_group.node.id
  referenced_security_group_id = aws_security_group.cluster.id
  ip_protocol                  = "tcp"
  from_port                    = each.key
  to_port                      = each.key
}

resource "aws_vpc_security_group_ingress_rule" "node_dns" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_security_group.node.id
  referenced_security_group_id = aws_security_group.node.id
  description                  = "Node to node CoreDNS"
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "node_ephemeral" {
  security_group_id            = aws_security_group.node.id
  referenced_security_group_id = aws_security_group.node.id
  description                  = "Node to node ingress on ephemeral ports"
  ip_protocol                  = "tcp"
  from_port                    = 1025
  to_port                      = 65535
}

resource "aws_vpc_security_group_egress_rule" "node_all" {
  security_group_id = aws_security_group.node.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "node_dns_from_pods" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_security_group.node.id
  referenced_security_group_id = aws_security_group.orders.id
  description                  = "CoreDNS from pods with groups of their own"
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_launch_template" "this" {
  name_prefix            = "production-"
  vpc_security_group_ids = [aws_security_group.node.id]

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
}

resource "aws_eks_node_group" "system" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "system"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = [aws_subnet.private["10.20.32.0/19"].id, aws_subnet.private["10.20.64.0/19"].id]
  instance_types  = ["t3.large"]
  ami_type        = "AL2023_x86_64_STANDARD"

  launch_template {
    id      = aws_launch_template.this.id
    version = "1"
  }

  scaling_config {
    min_size     = 2
    desired_size = 2
    max_size     = 3
  }

  depends_on = [aws_eks_addon.before_compute]
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "apps"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = [aws_subnet.private["10.20.32.0/19"].id, aws_subnet.private["10.20.64.0/19"].id]
  instance_types  = ["m6i.large", "m5.large", "m5a.large"]
  capacity_type   = "SPOT"
  labels          = { workload = "apps" }

  launch_template {
    id      = aws_launch_template.this.id
    version = "1"
  }

  scaling_config {
    min_size     = 1
    desired_size = 2
    max_size     = 6
  }

  depends_on = [aws_eks_addon.before_compute]
}

resource "aws_security_group" "orders" {
  name_prefix = "production-orders-"
  description = "Pods of orders"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "orders_all" {
  security_group_id = aws_security_group.orders.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "orders_from_nodes" {
  security_group_id            = aws_security_group.orders.id
  referenced_security_group_id = aws_security_group.node.id
  description                  = "Probes and pods without groups of their own"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_security_group" "rds" {
  name_prefix = "production-rds-"
  vpc_id      = aws_vpc.this.id

  ingress {
    description     = "PostgreSQL"
    protocol        = "tcp"
    from_port       = 5432
    to_port         = 5432
    security_groups = [aws_security_group.orders.id]
  }
}

resource "aws_iam_role" "orders" {
  name = "production-orders"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.oidc_provider.arn }
      Condition = {
        StringEquals = {
          "${aws_iam_openid_connect_provider.oidc_provider.url}:sub" = "system:serviceaccount:orders:orders"
          "${aws_iam_openid_connect_provider.oidc_provider.url}:aud" = "sts.amazonaws.com"
        }
      }
    }]
  })
}

resource "kubernetes_namespace_v1" "orders" {
  metadata {
    name = "orders"
  }
}

resource "kubernetes_service_account_v1" "orders" {
  metadata {
    name        = "orders"
    namespace   = kubernetes_namespace_v1.orders.metadata[0].name
    labels      = { app = "orders" }
    annotations = { "eks.amazonaws.com/role-arn" = aws_iam_role.orders.arn }
  }
}

resource "sgp_security_group_policy" "orders" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "orders"
  namespace          = kubernetes_namespace_v1.orders.metadata[0].name
  security_group_ids = [aws_security_group.orders.id]

  service_account_selector {
    match_labels = { app = "orders" }
  }
}

resource "kubernetes_manifest" "orders" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "orders", namespace = kubernetes_namespace_v1.orders.metadata[0].name, labels = { app = "orders" } }
    spec = {
      replicas = 6
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

  depends_on = [sgp_security_group_policy.orders, aws_eks_node_group.this]
}

resource "kubernetes_manifest" "orders_service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "orders", namespace = "orders" }
    spec       = { selector = { app = "orders" }, ports = [{ name = "http", port = 80, targetPort = "http" }] }
  }
}
