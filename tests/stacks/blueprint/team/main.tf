variable "name" {
  type = string
}

variable "team" {
  type = object({
    quota    = map(string)
    database = bool
    replicas = number
  })
}

variable "vpc_id" {
  type = string
}

variable "cluster" {
  type = any
}

variable "cluster_name" {
  type = string
}

locals {
  labels = { "app.kubernetes.io/managed-by" = "platform", team = var.name }
}

resource "kubernetes_namespace_v1" "this" {
  cluster_name = var.cluster_name

  metadata {
    name   = "team-${var.name}"
    labels = merge(local.labels, { "pod-security.kubernetes.io/enforce" = "baseline" })
  }
}

resource "kubernetes_manifest" "quota" {
  count = length(var.team.quota) > 0 ? 1 : 0

  cluster_name = var.cluster_name

  manifest = {
    apiVersion = "v1"
    kind       = "ResourceQuota"
    metadata   = { name = "quota", namespace = kubernetes_namespace_v1.this.metadata[0].name, labels = local.labels }
    spec       = { hard = merge({ "requests.vpc.amazonaws.com/pod-eni" = "10" }, var.team.quota) }
  }
}

resource "kubernetes_manifest" "limits" {
  cluster_name = var.cluster_name

  manifest = {
    apiVersion = "v1"
    kind       = "LimitRange"
    metadata   = { name = "limits", namespace = kubernetes_namespace_v1.this.metadata[0].name }
    spec       = { limits = [{ type = "Container", default = { cpu = "500m", memory = "512Mi" }, defaultRequest = { cpu = "100m", memory = "128Mi" } }] }
  }
}

resource "kubernetes_manifest" "role" {
  cluster_name = var.cluster_name

  manifest = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "Role"
    metadata   = { name = "developers", namespace = kubernetes_namespace_v1.this.metadata[0].name }
    rules      = [{ apiGroups = ["", "apps"], resources = ["pods", "pods/log", "deployments"], verbs = ["get", "list", "watch"] }]
  }
}

resource "kubernetes_manifest" "binding" {
  cluster_name = var.cluster_name

  manifest = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "RoleBinding"
    metadata   = { name = "developers", namespace = kubernetes_namespace_v1.this.metadata[0].name }
    roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "Role", name = kubernetes_manifest.role.manifest.metadata.name }
    subjects   = [{ apiGroup = "rbac.authorization.k8s.io", kind = "Group", name = "team-${var.name}" }]
  }
}

module "role" {
  source = "sgp//irsa-role"

  name              = "platform-${var.name}"
  oidc_provider_arn = var.cluster.oidc_provider_arn
  oidc_provider_url = var.cluster.oidc_provider_url
  namespace         = "team-${var.name}"
  service_account   = "app"

  inline_policies = {
    parameters = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = "ssm:GetParametersByPath", Resource = "arn:aws:ssm:*:*:parameter/${var.name}/*" }]
    })
  }
}

resource "kubernetes_service_account_v1" "app" {
  cluster_name = var.cluster_name

  metadata {
    name        = "app"
    namespace   = kubernetes_namespace_v1.this.metadata[0].name
    labels      = local.labels
    annotations = module.role.service_account_annotations
  }
}

# --- groups

resource "aws_security_group" "app" {
  name_prefix = "platform-${var.name}-"
  description = "Pods of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { team = var.name }
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.app.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "probes" {
  security_group_id            = aws_security_group.app.id
  referenced_security_group_id = var.cluster.cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 3000
  to_port                      = 3000
}

resource "aws_security_group" "database" {
  count = var.team.database ? 1 : 0

  name        = "platform-${var.name}-database"
  description = "Database of ${var.name}"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "database" {
  count = var.team.database ? 1 : 0

  security_group_id            = aws_security_group.app.id
  referenced_security_group_id = one(aws_security_group.database[*].id)
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  count = var.team.database ? 1 : 0

  security_group_id            = one(aws_security_group.database[*].id)
  referenced_security_group_id = aws_security_group.app.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "sgp_security_group_policy" "app" {
  cluster_name       = var.cluster_name
  name               = "app"
  namespace          = kubernetes_namespace_v1.this.metadata[0].name
  labels             = local.labels
  security_group_ids = [var.cluster.pods_security_group_id, aws_security_group.app.id]

  service_account_selector {
    match_labels = { team = var.name }
  }
}

resource "kubernetes_manifest" "app" {
  cluster_name = var.cluster_name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "app", namespace = kubernetes_namespace_v1.this.metadata[0].name, labels = local.labels }
    spec = {
      replicas = var.team.replicas
      selector = { matchLabels = { app = "app" } }
      template = {
        metadata = { labels = merge(local.labels, { app = "app" }) }
        spec = {
          serviceAccountName = kubernetes_service_account_v1.app.metadata[0].name
          nodeSelector       = { pool = "apps" }
          containers = [{
            name           = "app"
            image          = "example.com/${var.name}:1"
            ports          = [{ name = "http", containerPort = 3000 }]
            readinessProbe = { httpGet = { path = "/healthz", port = "http" } }
            resources      = { requests = { cpu = "100m", memory = "128Mi" } }
          }]
        }
      }
    }
  }

  wait {
    rollout = true
  }

  depends_on = [sgp_security_group_policy.app]
}

output "database_security_group_id" {
  value = one(aws_security_group.database[*].id)
}
