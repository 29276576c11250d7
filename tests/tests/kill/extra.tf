# What the example does not have: with it every type of object is in the walk.

resource "aws_launch_template" "nodes" {
  name                   = "${var.cluster_name}-nodes"
  update_default_version = true

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
}

resource "aws_iam_policy" "orders" {
  name   = "${var.cluster_name}-orders"
  policy = data.aws_iam_policy_document.orders.json
}

resource "aws_iam_role_policy" "orders" {
  name   = "inline"
  role   = aws_iam_role.node.name
  policy = data.aws_iam_policy_document.orders.json
}

resource "aws_iam_role_policy_attachment" "orders" {
  role       = aws_iam_role.node.name
  policy_arn = aws_iam_policy.orders.arn
}

data "aws_iam_policy_document" "orders" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::orders/*"]
  }
}

# Made names, with rules of the group's own.
resource "aws_security_group" "made" {
  name_prefix = "${var.cluster_name}-made-"
  vpc_id      = var.vpc_id

  ingress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["10.0.0.0/8"]
  }
}

resource "aws_eks_addon" "coredns" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "coredns"
}

resource "kubernetes_network_policy_v1" "app" {
  cluster_name = aws_eks_cluster.this.name

  metadata {
    name      = "backend"
    namespace = kubernetes_namespace_v1.app.metadata[0].name
  }

  spec {
    policy_types = ["Ingress"]
    pod_selector {}
  }
}

resource "kubernetes_manifest" "settings" {
  cluster_name = aws_eks_cluster.this.name

  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "settings"
      namespace = kubernetes_namespace_v1.app.metadata[0].name
    }
    data = { level = "debug" }
  }
}

resource "terraform_data" "told" {
  input = aws_security_group.made.name
}
