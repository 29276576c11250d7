data "aws_partition" "current" {}

locals {
  create            = var.create
  policy_arn_prefix = "arn:${data.aws_partition.current.partition}:iam::aws:policy"
}

resource "aws_eks_cluster" "this" {
  count = local.create ? 1 : 0

  name     = var.cluster_name
  role_arn = try(aws_iam_role.this[0].arn, null)
  version  = var.cluster_version

  access_config {
    authentication_mode                         = "API_AND_CONFIG_MAP"
    bootstrap_cluster_creator_admin_permissions = true
  }

  vpc_config {
    security_group_ids      = compact(distinct(concat([aws_security_group.cluster[0].id])))
    subnet_ids              = coalescelist(var.control_plane_subnet_ids, var.subnet_ids)
    endpoint_private_access = true
    endpoint_public_access  = var.cluster_endpoint_public_access
    public_access_cidrs     = var.cluster_endpoint_public_access_cidrs
  }

  tags = merge({ terraform-aws-modules = "eks" }, var.tags)

  depends_on = [
    aws_iam_role_policy_attachment.this,
    aws_vpc_security_group_ingress_rule.cluster,
  ]
}

resource "aws_iam_openid_connect_provider" "oidc_provider" {
  count = local.create ? 1 : 0

  client_id_list = distinct(compact(concat(["sts.amazonaws.com"])))
  url            = aws_eks_cluster.this[0].identity[0].oidc[0].issuer
  tags           = merge({ Name = "${var.cluster_name}-eks-irsa" }, var.tags)
}

# --- cluster security group

locals {
  cluster_security_group_rules = {
    ingress_nodes_443 = {
      description                = "Node groups to cluster API"
      protocol                   = "tcp"
      from_port                  = 443
      to_port                    = 443
      type                       = "ingress"
      source_node_security_group = true
    }
  }
}

resource "aws_security_group" "cluster" {
  count = local.create ? 1 : 0

  name_prefix = "${var.cluster_name}-cluster-"
  description = "EKS cluster security group"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.cluster_name}-cluster" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "cluster" {
  for_each = {
    for k, v in merge(local.cluster_security_group_rules, var.cluster_security_group_additional_rules) :
    k => v if local.create && v.type == "ingress"
  }

  security_group_id            = aws_security_group.cluster[0].id
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.from_port
  to_port                      = each.value.to_port
  description                  = lookup(each.value, "description", null)
  cidr_ipv4                    = lookup(each.value, "cidr_block", null)
  referenced_security_group_id = try(each.value.source_node_security_group, false) ? aws_security_group.node[0].id : lookup(each.value, "source_security_group_id", null)
}

# --- node security group

locals {
  node_security_group_rules = merge(
    {
      for port in [443, 4443, 6443, 8443, 9443, 10250] : "ingress_cluster_${port}" => {
        description                   = "Cluster API to node ${port}/tcp"
        protocol                      = "tcp"
        from_port                     = port
        to_port                       = port
        type                          = "ingress"
        source_cluster_security_group = true
      }
    },
    {
      ingress_nodes_ephemeral = {
        description = "Node to node ingress on ephemeral ports"
        protocol    = "tcp"
        from_port   = 1025
        to_port     = 65535
        type        = "ingress"
        self        = true
      }
      egress_all = {
        description = "Allow all egress"
        protocol    = "-1"
        from_port   = null
        to_port     = null
        type        = "egress"
        cidr_block  = "0.0.0.0/0"
      }
    },
    {
      for protocol in ["tcp", "udp"] : "ingress_self_coredns_${protocol}" => {
        description = "Node to node CoreDNS"
        protocol    = protocol
        from_port   = 53
        to_port     = 53
        type        = "ingress"
        self        = true
      }
    },
  )

  node_rules = { for k, v in merge(local.node_security_group_rules, var.node_security_group_additional_rules) : k => v if local.create }
}

resource "aws_security_group" "node" {
  count = local.create ? 1 : 0

  name_prefix = "${var.cluster_name}-node-"
  description = "EKS node shared security group"
  vpc_id      = var.vpc_id
  tags = merge(var.tags, {
    Name                                        = "${var.cluster_name}-node"
    "kubernetes.io/cluster/${var.cluster_name}" = "owned"
  })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "node" {
  for_each = { for k, v in local.node_rules : k => v if v.type == "ingress" }

  security_group_id = aws_security_group.node[0].id
  ip_protocol       = each.value.protocol
  from_port         = each.value.from_port
  to_port           = each.value.to_port
  description       = try(each.value.description, null)
  cidr_ipv4         = try(each.value.cidr_block, null)
  referenced_security_group_id = (
    try(each.value.self, false) ? aws_security_group.node[0].id :
    try(each.value.source_cluster_security_group, false) ? aws_security_group.cluster[0].id :
    try(each.value.source_security_group_id, null)
  )
}

resource "aws_vpc_security_group_egress_rule" "node" {
  for_each = { for k, v in local.node_rules : k => v if v.type == "egress" }

  security_group_id = aws_security_group.node[0].id
  ip_protocol       = each.value.protocol
  from_port         = each.value.from_port
  to_port           = each.value.to_port
  description       = try(each.value.description, null)
  cidr_ipv4         = try(each.value.cidr_block, null)
}

# --- role of the control plane

data "aws_iam_policy_document" "assume_role_policy" {
  count = local.create ? 1 : 0

  statement {
    sid     = "EKSClusterAssumeRole"
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  count = local.create ? 1 : 0

  name_prefix           = "${var.cluster_name}-cluster-"
  assume_role_policy    = data.aws_iam_policy_document.assume_role_policy[0].json
  force_detach_policies = true
  tags                  = var.tags
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = { for k, v in merge({
    AmazonEKSClusterPolicy = "${local.policy_arn_prefix}/AmazonEKSClusterPolicy"
  }, var.iam_role_additional_policies) : k => v if local.create }

  policy_arn = each.value
  role       = aws_iam_role.this[0].name
}

# --- add-ons

resource "aws_eks_addon" "this" {
  for_each = { for k, v in var.cluster_addons : k => v if !try(v.before_compute, false) && local.create }

  cluster_name                = aws_eks_cluster.this[0].id
  addon_name                  = try(each.value.name, each.key)
  addon_version               = try(each.value.addon_version, null)
  configuration_values        = try(each.value.configuration_values, null)
  resolve_conflicts_on_create = try(each.value.resolve_conflicts_on_create, "OVERWRITE")
  resolve_conflicts_on_update = try(each.value.resolve_conflicts_on_update, "OVERWRITE")
  tags                        = merge(var.tags, try(each.value.tags, {}))

  depends_on = [module.eks_managed_node_group]
}

resource "aws_eks_addon" "before_compute" {
  for_each = { for k, v in var.cluster_addons : k => v if try(v.before_compute, false) && local.create }

  cluster_name                = aws_eks_cluster.this[0].id
  addon_name                  = try(each.value.name, each.key)
  addon_version               = try(each.value.addon_version, null)
  configuration_values        = try(each.value.configuration_values, null)
  resolve_conflicts_on_create = try(each.value.resolve_conflicts_on_create, "OVERWRITE")
  resolve_conflicts_on_update = try(each.value.resolve_conflicts_on_update, "OVERWRITE")
  tags                        = merge(var.tags, try(each.value.tags, {}))
}

# --- node groups

# What depends on it waits until the settings of the VPC CNI are in force.
resource "terraform_data" "before_nodes" {
  count = local.create ? 1 : 0

  input      = aws_eks_cluster.this[0].name
  depends_on = [aws_eks_addon.before_compute]
}

module "eks_managed_node_group" {
  source = "./node-group"

  for_each = { for k, v in var.eks_managed_node_groups : k => v if local.create }

  name         = try(each.value.name, each.key)
  cluster_name = terraform_data.before_nodes[0].output
  subnet_ids   = try(each.value.subnet_ids, var.eks_managed_node_group_defaults.subnet_ids, var.subnet_ids)

  min_size     = try(each.value.min_size, var.eks_managed_node_group_defaults.min_size, 1)
  max_size     = try(each.value.max_size, var.eks_managed_node_group_defaults.max_size, 3)
  desired_size = try(each.value.desired_size, var.eks_managed_node_group_defaults.desired_size, 1)

  instance_types = try(each.value.instance_types, var.eks_managed_node_group_defaults.instance_types, null)
  capacity_type  = try(each.value.capacity_type, var.eks_managed_node_group_defaults.capacity_type, null)
  labels         = try(each.value.labels, var.eks_managed_node_group_defaults.labels, null)
  taints         = try(each.value.taints, var.eks_managed_node_group_defaults.taints, {})

  vpc_security_group_ids = compact(concat([aws_security_group.node[0].id], try(each.value.vpc_security_group_ids, [])))

  tags = merge(var.tags, try(each.value.tags, {}))
}
