# Pods to try it with.

locals {
  samples = {
    crawler = { namespace = "shop", labels = { app = "crawler", internet = "allowed" } }
    worker  = { namespace = "shop", labels = { app = "worker" } }
    monthly = { namespace = "reports", labels = { app = "monthly" } }
  }
}

resource "kubernetes_manifest" "sample" {
  for_each = { for name, sample in local.samples : name => sample if var.sample_pods }

  cluster_name = module.cluster.cluster_name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = each.key, namespace = each.value.namespace }
    spec = {
      replicas = 1
      selector = { matchLabels = { app = each.key } }
      template = {
        metadata = { labels = each.value.labels }
        spec = {
          containers = [{ name = "pause", image = "registry.k8s.io/pause:3.10" }]
        }
      }
    }
  }

  wait {
    rollout = true
  }

  # A pod gets its groups when it is made, so the policies must be there first; and it needs a node.
  depends_on = [module.cluster, sgp_security_group_policy.everybody, sgp_security_group_policy.internet]
}
