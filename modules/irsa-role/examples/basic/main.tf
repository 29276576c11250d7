# A role for the service account app/reader that may read one bucket.

variable "cluster_name" {
  type = string
}

variable "bucket_arn" {
  type = string
}

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

resource "aws_iam_openid_connect_provider" "this" {
  url            = data.aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}

module "reader" {
  source = "sgp//irsa-role"

  name              = "${var.cluster_name}-reader"
  oidc_provider_arn = aws_iam_openid_connect_provider.this.arn
  oidc_provider_url = data.aws_eks_cluster.this.identity[0].oidc[0].issuer
  namespace         = "app"
  service_account   = "reader"

  inline_policies = {
    read = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:ListBucket"]
        Resource = [var.bucket_arn, "${var.bucket_arn}/*"]
      }]
    })
  }
}

resource "kubernetes_service_account_v1" "reader" {
  cluster_name = var.cluster_name

  metadata {
    name        = "reader"
    namespace   = "app"
    annotations = module.reader.service_account_annotations
  }
}
