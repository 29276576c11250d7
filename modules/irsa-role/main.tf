# An IAM role that the pods of one service account may assume: IAM roles for service accounts (IRSA).

locals {
  # IAM knows the issuer without its scheme, and condition keys are spelled the same way.
  issuer  = trimsuffix(trimprefix(var.oidc_provider_url, "https://"), "/")
  subject = "system:serviceaccount:${var.namespace}:${var.service_account}"

  # StringEquals would take a wildcard literally, and nobody could assume the role.
  subject_operator = length(regexall("[*?]", local.subject)) > 0 ? "StringLike" : "StringEquals"

  comparisons = [
    { operator = "StringEquals", key = "${local.issuer}:aud", value = var.audience },
    { operator = local.subject_operator, key = "${local.issuer}:sub", value = local.subject },
  ]
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = coalesce(var.description, "Service account ${var.namespace}/${var.service_account}")
  path                 = var.path
  permissions_boundary = var.permissions_boundary
  max_session_duration = var.max_session_duration
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.oidc_provider_arn }
      Condition = {
        for operator in distinct(local.comparisons[*].operator) :
        operator => { for c in local.comparisons : c.key => c.value if c.operator == operator }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = var.policy_arns

  role       = aws_iam_role.this.name
  policy_arn = each.value
}

resource "aws_iam_role_policy" "this" {
  for_each = var.inline_policies

  name   = each.key
  role   = aws_iam_role.this.name
  policy = each.value
}
