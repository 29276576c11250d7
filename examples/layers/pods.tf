# Pods to try it with. Two of each: some pairs are on one node, some are not.

locals {
  samples = ["frontend", "reports", "backend"]
}

resource "kubernetes_manifest" "sample" {
  for_each = toset(var.sample_pods ? local.samples : [])

  cluster_name = module.cluster.cluster_name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = each.key, namespace = kubernetes_namespace_v1.shop.metadata[0].name }
    spec = {
      replicas = 2
      selector = { matchLabels = { app = each.key } }
      template = {
        metadata = { labels = { app = each.key } }
        spec = {
          containers = [{
            name           = each.key
            image          = "registry.k8s.io/e2e-test-images/agnhost:2.53"
            args           = ["netexec", "--http-port=8080"]
            ports          = [{ name = "http", containerPort = 8080 }]
            readinessProbe = { httpGet = { path = "/healthz", port = "http" } }
          }]
        }
      }
    }
  }

  wait {
    rollout = true
  }

  # A pod gets its groups when it is made, so the policies must be there first; and it needs a node.
  depends_on = [module.cluster, sgp_security_group_policy.shop]
}
