# Fargate for one namespace with groups of its own, nodes for the rest.

resource "aws_iam_role" "cluster" {
  name                = "staging-cluster"
  managed_policy_arns = ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"]
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["eks.amazonaws.com", "eks-fargate-pods.amazonaws.com"] } }]
  })
}

resource "aws_eks_cluster" "this" {
  name     = "staging"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids = var.subnet_ids
  }
}

resource "aws_eks_fargate_profile" "system" {
  cluster_name         = aws_eks_cluster.this.name
  fargate_profile_name = "system"
  subnet_ids           = var.subnet_ids

  selector {
    namespace = "kube-system"
    labels    = { "k8s-app" = "kube-dns" }
  }

  selector {
    namespace = "batch-*"
  }
}

resource "aws_eks_node_group" "default" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = var.subnet_ids

  scaling_config {
    min_size     = 1
    desired_size = 1
    max_size     = 2
  }
}

resource "aws_security_group" "batch" {
  name   = "staging-batch"
  vpc_id = var.vpc_id

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "kubernetes_namespace_v1" "batch" {
  metadata {
    name = "batch-reports"
  }
}

resource "kubernetes_manifest" "policy" {
  manifest = {
    apiVersion = "vpcresources.k8s.aws/v1beta1"
    kind       = "SecurityGroupPolicy"
    metadata   = { name = "reports", namespace = kubernetes_namespace_v1.batch.metadata[0].name }
    spec = {
      podSelector = { matchExpressions = [{ key = "app", operator = "In", values = ["reports", "imports"] }] }
      securityGroups = {
        groupIds = [aws_eks_cluster.this.vpc_config[0].cluster_security_group_id, aws_security_group.batch.id]
      }
    }
  }
}
