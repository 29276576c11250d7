# An EKS cluster whose pods can have security groups of their own: roles, control plane, OIDC provider, pod ENI on the VPC CNI, nodes
# that can carry trunk interfaces, and a group with which pods ask for names.

data "aws_partition" "current" {}

locals {
  policies = "arn:${data.aws_partition.current.partition}:iam::aws:policy"

  # AmazonEKSVPCResourceController lets EKS make the branch interfaces of pods. It belongs on the cluster's role: on the nodes' role it
  # has no effect.
  cluster_policies = merge(
    { for name in ["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"] : name => "${local.policies}/${name}" },
    var.cluster_role_policy_arns,
  )
  node_policies = merge(
    { for name in ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"] :
    name => "${local.policies}/${name}" },
    var.node_role_policy_arns,
  )

  cluster_role_arn = var.cluster_role_arn != null ? var.cluster_role_arn : aws_iam_role.cluster[0].arn
  node_role_arn    = var.node_role_arn != null ? var.node_role_arn : aws_iam_role.node[0].arn

  # Nodes, and with them kubelet and CoreDNS, carry the group that EKS makes for the cluster.
  cluster_group = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

# --- the control plane ---------------------------------------------------------------------------------------------

resource "aws_iam_role" "cluster" {
  count = var.cluster_role_arn == null ? 1 : 0

  name                 = "${var.name}-cluster"
  description          = "Control plane of ${var.name}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "eks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each = { for name, arn in local.cluster_policies : name => arn if var.cluster_role_arn == null }

  role       = aws_iam_role.cluster[0].name
  policy_arn = each.value
}

resource "aws_eks_cluster" "this" {
  name                      = var.name
  version                   = var.kubernetes_version
  role_arn                  = local.cluster_role_arn
  enabled_cluster_log_types = var.log_types
  deletion_protection       = var.deletion_protection
  tags                      = var.tags

  vpc_config {
    subnet_ids              = var.subnet_ids
    security_group_ids      = var.security_group_ids
    endpoint_private_access = var.endpoint_private_access
    endpoint_public_access  = var.endpoint_public_access
    public_access_cidrs     = var.endpoint_public_access ? var.public_access_cidrs : null
  }

  dynamic "encryption_config" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      resources = ["secrets"]

      provider {
        key_arn = encryption_config.value
      }
    }
  }

  # EKS deletes interfaces with this role: its policies go after the cluster.
  depends_on = [aws_iam_role_policy_attachment.cluster]
}

# What roles for service accounts stand on.
resource "aws_iam_openid_connect_provider" "this" {
  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
  tags           = var.tags
}

resource "sgp_pod_eni" "this" {
  cluster_name        = aws_eks_cluster.this.name
  enforcing_mode      = var.enforcing_mode
  external_snat       = var.external_snat
  network_policy      = var.network_policy
  branch_eni_cooldown = var.branch_eni_cooldown
  env                 = var.vpc_cni_env
}

# --- the nodes -----------------------------------------------------------------------------------------------------

resource "aws_iam_role" "node" {
  count = var.node_role_arn == null ? 1 : 0

  name                 = "${var.name}-node"
  description          = "Nodes of ${var.name}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

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
  for_each = { for name, arn in local.node_policies : name => arn if var.node_role_arn == null }

  role       = aws_iam_role.node[0].name
  policy_arn = each.value
}

resource "aws_eks_node_group" "this" {
  for_each = var.node_groups

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = each.key
  node_role_arn   = local.node_role_arn
  subnet_ids      = each.value.subnet_ids != null ? each.value.subnet_ids : var.subnet_ids
  instance_types  = each.value.instance_types
  capacity_type   = each.value.capacity_type
  ami_type        = each.value.ami_type
  disk_size       = each.value.disk_size
  labels          = each.value.labels
  tags            = var.tags

  scaling_config {
    min_size     = each.value.min_size
    desired_size = each.value.desired_size
    max_size     = each.value.max_size
  }

  dynamic "taint" {
    for_each = each.value.taints

    content {
      key    = taint.value.key
      value  = taint.value.value
      effect = taint.value.effect
    }
  }

  dynamic "launch_template" {
    for_each = each.value.launch_template == null ? [] : [each.value.launch_template]

    content {
      id      = launch_template.value.id
      version = launch_template.value.version
    }
  }

  # Nodes that join before pod ENI is on may have no slot left for the trunk.
  depends_on = [aws_iam_role_policy_attachment.node, sgp_pod_eni.this]
}

resource "aws_eks_addon" "this" {
  for_each = var.addons

  cluster_name             = aws_eks_cluster.this.name
  addon_name               = each.key
  addon_version            = each.value.version
  configuration_values     = each.value.configuration_values
  service_account_role_arn = each.value.service_account_role_arn
  tags                     = var.tags

  # CoreDNS is healthy only where its pods run.
  depends_on = [aws_eks_node_group.this]
}

# --- what pods with groups of their own share ----------------------------------------------------------------------

# One group for DNS: the cluster's group takes 60 rules for what comes in, and two for each application would use them up.
resource "aws_security_group" "pods" {
  name        = "${var.name}-pods"
  description = "Pods with groups of their own: DNS"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-pods" })
}

resource "aws_vpc_security_group_egress_rule" "pods_dns" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = aws_security_group.pods.id
  referenced_security_group_id = local.cluster_group
  description                  = "To CoreDNS"
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "dns_from_pods" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = local.cluster_group
  referenced_security_group_id = aws_security_group.pods.id
  description                  = "DNS from pods with groups of their own"
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}
