# Pods of one namespace run on Fargate, with a security group of their own; everything else runs on nodes.
#
# Fargate needs no pod ENI and no trunk: a pod has an interface to itself. Without a policy it carries the cluster's group. A policy
# replaces that group, and with it everything that the cluster's group lets through: what the pod needs of it is said below.

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  policies = "arn:${data.aws_partition.current.partition}:iam::aws:policy"

  # Control plane, nodes and CoreDNS carry the group that EKS makes.
  cluster_group = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

# --- the profile ---------------------------------------------------------------------------------------------------

# With this role Fargate fetches images and joins the cluster. It is not the pods' role, and nodes have another one.
resource "aws_iam_role" "fargate" {
  name = "${var.name}-fargate"
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "eks-fargate-pods.amazonaws.com" }
      # Only for profiles of this cluster: nobody else's Fargate may use it.
      Condition = {
        ArnLike = {
          "aws:SourceArn" = join(":", [
            "arn", data.aws_partition.current.partition, "eks", data.aws_region.current.region,
            data.aws_caller_identity.current.account_id, "fargateprofile/${var.name}/*",
          ])
        }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "fargate" {
  role       = aws_iam_role.fargate.name
  policy_arn = "${local.policies}/AmazonEKSFargatePodExecutionRolePolicy"
}

resource "aws_eks_fargate_profile" "payments" {
  cluster_name           = aws_eks_cluster.this.name
  fargate_profile_name   = "payments"
  pod_execution_role_arn = aws_iam_role.fargate.arn
  subnet_ids             = var.subnet_ids
  tags                   = var.tags

  selector {
    namespace = "payments"
  }

  depends_on = [aws_iam_role_policy_attachment.fargate]
}

# --- the pods' group -----------------------------------------------------------------------------------------------

resource "aws_security_group" "payments" {
  name        = "${var.name}-pods"
  description = "Pods of payments on Fargate"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-pods" })
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "The payments database"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-database" })
}

locals {
  # What a pod needs of the cluster's group, which it does not carry: names, and the API server for the kubelet beside it.
  to_cluster = {
    dns-tcp    = { protocol = "tcp", port = 53, what = "CoreDNS" }
    dns-udp    = { protocol = "udp", port = 53, what = "CoreDNS" }
    api-server = { protocol = "tcp", port = 443, what = "API server" }
  }
}

resource "aws_vpc_security_group_egress_rule" "to_cluster" {
  for_each = local.to_cluster

  security_group_id            = aws_security_group.payments.id
  referenced_security_group_id = local.cluster_group
  description                  = "To ${each.value.what}"
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "cluster_from_payments" {
  for_each = local.to_cluster

  security_group_id            = local.cluster_group
  referenced_security_group_id = aws_security_group.payments.id
  description                  = "${each.value.what} for payments"
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# Logs, exec and metrics: the control plane asks the kubelet, which has the pod's address.
resource "aws_vpc_security_group_ingress_rule" "kubelet" {
  security_group_id            = aws_security_group.payments.id
  referenced_security_group_id = local.cluster_group
  description                  = "Kubelet, from the control plane"
  ip_protocol                  = "tcp"
  from_port                    = 10250
  to_port                      = 10250
}

# Images come over the pod's own interface.
resource "aws_vpc_security_group_egress_rule" "images" {
  security_group_id = aws_security_group.payments.id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "Images and AWS APIs"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "payments_to_database" {
  security_group_id            = aws_security_group.payments.id
  referenced_security_group_id = aws_security_group.database.id
  description                  = "To the database"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "database_from_payments" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.payments.id
  description                  = "From pods of payments"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

# --- in the cluster ------------------------------------------------------------------------------------------------

resource "kubernetes_namespace_v1" "payments" {
  cluster_name = aws_eks_cluster.this.name

  metadata {
    name = "payments"
  }
}

# Groups are given when a pod is made: the policy is there first, and so is the profile. That pods wait for both is known.
resource "sgp_security_group_policy" "payments" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "payments"
  namespace          = kubernetes_namespace_v1.payments.metadata[0].name
  security_group_ids = [aws_security_group.payments.id]

  pod_selector {
    match_labels = { app = "payments" }
  }
}
