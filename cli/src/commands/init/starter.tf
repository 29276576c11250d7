# A start for sgp. Pods labelled app=backend get a security group of their own in a cluster that exists already.
#
#   sgp plan      shows what would be made
#   sgp apply     makes it
#   sgp destroy   takes it away again
#
# Region and credentials come from where the AWS CLI has them (AWS_PROFILE, AWS_REGION, ...). To fix them here:
#
# provider "aws" {
#   region = "eu-central-1"
# }

variable "cluster_name" {
  description = "The name of an EKS cluster whose role has AmazonEKSVPCResourceController."
  type        = string
}

variable "namespace" {
  description = "The namespace of the pods."
  type        = string
  default     = "default"
}

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

# Switches pod ENI on in the VPC CNI add-on, and keeps the add-on's other settings.
resource "sgp_pod_eni" "this" {
  cluster_name   = data.aws_eks_cluster.this.name
  enforcing_mode = "strict"
}

# The group of the pods. It starts without rules: nothing comes in, nothing goes out.
resource "aws_security_group" "backend" {
  name        = "${var.cluster_name}-backend"
  description = "Pods labelled app=backend"
  vpc_id      = data.aws_eks_cluster.this.vpc_config[0].vpc_id
}

locals {
  # CoreDNS and kubelet carry the group that EKS made for the cluster.
  cluster_group = data.aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

# Names must be looked up before anything else works...
resource "aws_vpc_security_group_egress_rule" "dns" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = local.cluster_group
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "dns" {
  for_each = toset(["tcp", "udp"])

  security_group_id            = local.cluster_group
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

# ...and kubelet must reach the probes. Change the port to yours.
resource "aws_vpc_security_group_ingress_rule" "probes" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = local.cluster_group
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

# Which pods get the group.
resource "sgp_security_group_policy" "backend" {
  cluster_name       = data.aws_eks_cluster.this.name
  name               = "backend"
  namespace          = var.namespace
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }

  depends_on = [sgp_pod_eni.this]
}

output "backend_security_group_id" {
  value = aws_security_group.backend.id
}
