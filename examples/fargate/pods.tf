# Pods to try it with: both run on Fargate, and one has the label of the policy.

resource "kubernetes_manifest" "sample" {
  for_each = toset(var.sample_pods ? ["payments", "reports"] : [])

  cluster_name = aws_eks_cluster.this.name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = each.key, namespace = kubernetes_namespace_v1.payments.metadata[0].name }
    spec = {
      replicas = 1
      selector = { matchLabels = { app = each.key } }
      template = {
        metadata = { labels = { app = each.key } }
        spec     = { containers = [{ name = "pause", image = "registry.k8s.io/pause:3.10" }] }
      }
    }
  }

  wait {
    rollout = true
  }
}
