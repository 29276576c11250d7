//! Stacks that work, in the style in which people write them.

use super::{change, told};

/// A cluster with its roles, pod ENI and nodes: what examples stand in.
pub(crate) const WORKING: &str = r#"
resource "aws_iam_role" "cluster" {
  name               = "orders-cluster"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sts:AssumeRole", "sts:TagSession"], Principal = { Service = "eks.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"])
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.0.0.0/20"
}

resource "aws_eks_cluster" "this" {
  name     = "orders"
  version  = "1.34"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids = [aws_subnet.a.id]
  }

  depends_on = [aws_iam_role_policy_attachment.cluster]
}

resource "sgp_pod_eni" "this" {
  cluster_name            = aws_eks_cluster.this.name
  via                     = "addon"
  enforcing_mode          = "strict"
  disable_tcp_early_demux = true
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large"]

  scaling_config {
    min_size     = 2
    desired_size = 2
    max_size     = 4
  }

  depends_on = [sgp_pod_eni.this]
}

resource "aws_security_group" "backend" {
  name   = "orders-backend"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "backend_dns" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "dns_from_backend" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "backend_probes" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "kubernetes_namespace_v1" "app" {
  metadata {
    name = "app"
  }
}

resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name      = "backend"
    namespace = "app"
  }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }

  depends_on = [sgp_pod_eni.this]
}
"#;

#[test]
fn what_works_is_not_found_fault_with() {
    assert_eq!(told(&change(&[], &[WORKING])), Vec::<String>::new());
}
