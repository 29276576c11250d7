# Pods labelled app=backend get their own security group, and nothing else may reach the database.
#
# From an existing VPC to that point in one apply: a cluster with pod ENI on, a node group, an IRSA role, two security
# groups whose rules refer to each other, and the SecurityGroupPolicy that gives the pods their group.

locals {
  tags = merge({ project = var.cluster_name }, var.tags)

  cluster_policies = toset(["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"])
  node_policies    = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"])
}

data "aws_partition" "current" {}

# --- the cluster ---------------------------------------------------------------------------------------------------

resource "aws_iam_role" "cluster" {
  name = "${var.cluster_name}-cluster"
  tags = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "eks.amazonaws.com" }
    }]
  })
}

# AmazonEKSVPCResourceController lets EKS make the branch interfaces of the pods. It belongs on the cluster's role: on the
# nodes' role it has no effect.
resource "aws_iam_role_policy_attachment" "cluster" {
  for_each = local.cluster_policies

  role       = aws_iam_role.cluster.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.key}"
}

resource "aws_eks_cluster" "this" {
  name     = var.cluster_name
  version  = var.kubernetes_version
  role_arn = aws_iam_role.cluster.arn
  tags     = local.tags

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = true
  }

  depends_on = [aws_iam_role_policy_attachment.cluster]
}

resource "aws_iam_openid_connect_provider" "this" {
  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
  tags           = local.tags
}

# Pod ENI on the VPC CNI add-on. In strict mode kubelet's TCP probes need early demultiplexing switched off.
resource "sgp_pod_eni" "this" {
  cluster_name            = aws_eks_cluster.this.name
  via                     = "addon"
  enforcing_mode          = "strict"
  disable_tcp_early_demux = true
}

# --- the nodes -----------------------------------------------------------------------------------------------------

resource "aws_iam_role" "node" {
  name = "${var.cluster_name}-node"
  tags = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = local.node_policies

  role       = aws_iam_role.node.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.key}"
}

# m5.large carries a trunk interface with 9 branch interfaces; no type of the t family carries any.
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  instance_types  = ["m5.large"]
  tags            = local.tags

  scaling_config {
    min_size     = var.nodes.min
    desired_size = var.nodes.desired
    max_size     = var.nodes.max
  }

  # Nodes that join before pod ENI is on may have no slot left for the trunk.
  depends_on = [aws_iam_role_policy_attachment.node, sgp_pod_eni.this]
}

# --- the groups ----------------------------------------------------------------------------------------------------

resource "aws_security_group" "backend" {
  name        = "${var.cluster_name}-backend"
  description = "Pods of the backend"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${var.cluster_name}-backend" })
}

resource "aws_security_group" "database" {
  name        = "${var.cluster_name}-database"
  description = "The orders database"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${var.cluster_name}-database" })
}

locals {
  # Nodes, and with them kubelet and CoreDNS, carry the group that EKS makes for the cluster.
  cluster_group = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

resource "aws_vpc_security_group_egress_rule" "backend_to_database" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_security_group.database.id
  description                  = "To the database"
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}

resource "aws_vpc_security_group_ingress_rule" "database_from_backend" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.backend.id
  description                  = "From the backend"
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}

resource "aws_vpc_security_group_egress_rule" "backend_dns" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = local.cluster_group
  description                  = "To CoreDNS"
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "dns_from_backend" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = local.cluster_group
  referenced_security_group_id = aws_security_group.backend.id
  description                  = "DNS from the backend"
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

# Credentials of the service account's role come from STS, and what they are for is AWS, too.
resource "aws_vpc_security_group_egress_rule" "backend_to_aws" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "To the AWS APIs"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "backend_probes" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = local.cluster_group
  description                  = "Probes of kubelet"
  ip_protocol                  = "tcp"
  from_port                    = var.probe_port
  to_port                      = var.probe_port
}

# --- in the cluster ------------------------------------------------------------------------------------------------

resource "kubernetes_namespace_v1" "app" {
  cluster_name = aws_eks_cluster.this.name

  metadata {
    name = var.namespace
  }
}

module "backend_role" {
  source = "sgp//irsa-role"

  name              = "${var.cluster_name}-backend"
  oidc_provider_arn = aws_iam_openid_connect_provider.this.arn
  oidc_provider_url = aws_eks_cluster.this.identity[0].oidc[0].issuer
  namespace         = var.namespace
  service_account   = "backend"
  tags              = local.tags
}

resource "kubernetes_service_account_v1" "backend" {
  cluster_name = aws_eks_cluster.this.name

  metadata {
    name        = "backend"
    namespace   = kubernetes_namespace_v1.app.metadata[0].name
    annotations = module.backend_role.service_account_annotations
  }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = kubernetes_namespace_v1.app.metadata[0].name
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }

  depends_on = [sgp_pod_eni.this]
}
