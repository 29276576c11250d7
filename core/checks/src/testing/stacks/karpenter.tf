# A small node group for Karpenter, which makes the nodes of everything else and is installed by other means.

resource "aws_iam_role" "cluster" {
  name = "apps"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "eks.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"])
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_iam_role" "karpenter_node" {
  name = "KarpenterNodeRole-apps"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_eks_cluster" "this" {
  name     = "apps"
  role_arn = aws_iam_role.cluster.arn
  tags     = { "karpenter.sh/discovery" = "apps" }

  vpc_config {
    subnet_ids = var.subnet_ids
  }
}

resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
}

resource "aws_eks_node_group" "karpenter" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "karpenter"
  subnet_ids      = var.subnet_ids
  instance_types  = ["t4g.medium"]

  scaling_config {
    min_size     = 2
    desired_size = 2
    max_size     = 2
  }

  depends_on = [sgp_pod_eni.this]
}

resource "aws_security_group" "karpenter_node" {
  name   = "apps-karpenter-node"
  vpc_id = var.vpc_id
  tags   = { "karpenter.sh/discovery" = "apps" }
}

resource "aws_security_group" "orders" {
  name   = "apps-orders"
  vpc_id = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "orders" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_security_group.orders.id
  referenced_security_group_id = aws_security_group.karpenter_node.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "dns" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_security_group.karpenter_node.id
  referenced_security_group_id = aws_security_group.orders.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "probes" {
  security_group_id            = aws_security_group.orders.id
  referenced_security_group_id = aws_security_group.karpenter_node.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "kubernetes_namespace_v1" "orders" {
  metadata {
    name = "orders"
  }
}

resource "sgp_security_group_policy" "orders" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "orders"
  namespace          = kubernetes_namespace_v1.orders.metadata[0].name
  security_group_ids = [aws_security_group.orders.id]

  pod_selector {
    match_labels = { app = "orders" }
  }
}

resource "kubernetes_manifest" "orders" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "orders", namespace = "orders" }
    spec = {
      replicas = 30
      template = {
        metadata = { labels = { app = "orders" } }
        spec     = { containers = [{ name = "orders", readinessProbe = { httpGet = { port = 8080 } } }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.orders]
}
