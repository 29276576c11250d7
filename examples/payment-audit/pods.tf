# Pods to try it with.

resource "kubernetes_manifest" "sample" {
  for_each = { for name, pods in local.pods : name => pods if var.sample_pods }

  cluster_name = module.cluster.cluster_name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = each.key, namespace = each.value.namespace }
    spec = {
      replicas = 1
      selector = { matchLabels = { app = each.key } }
      template = {
        metadata = { labels = { app = each.key } }
        spec = {
          serviceAccountName = kubernetes_service_account_v1.this[each.key].metadata[0].name
          containers = [{
            name           = each.key
            image          = "registry.k8s.io/e2e-test-images/agnhost:2.53"
            args           = ["netexec", "--http-port=${each.value.probe}"]
            ports          = [{ name = "http", containerPort = each.value.probe }]
            readinessProbe = { httpGet = { path = "/healthz", port = "http" } }
          }]
        }
      }
    }
  }

  wait {
    rollout = true
  }

  # A pod gets its groups when it is made, so the policy must be there first; and it needs a node.
  depends_on = [module.cluster, sgp_security_group_policy.this]
}
