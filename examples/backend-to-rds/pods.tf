# Pods of the backend, when some are wanted: each gets a branch interface with the backend's group before it starts.

resource "kubernetes_manifest" "backend" {
  count = var.backend_replicas > 0 ? 1 : 0

  cluster_name = aws_eks_cluster.this.name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata = {
      name      = "backend"
      namespace = kubernetes_namespace_v1.app.metadata[0].name
    }
    spec = {
      replicas = var.backend_replicas
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec = {
          serviceAccountName = kubernetes_service_account_v1.backend.metadata[0].name
          containers         = [{ name = "backend", image = "registry.k8s.io/pause:3.10" }]
        }
      }
    }
  }

  wait {
    rollout = true
  }

  # The webhook gives a pod its groups when it is made, so the policy must be there first.
  depends_on = [aws_eks_node_group.this, sgp_security_group_policy.backend]
}
