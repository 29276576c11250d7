# Pods to try it with: a web server behind the load balancer.

resource "kubernetes_manifest" "web" {
  count = var.sample_pods ? 1 : 0

  cluster_name = module.cluster.cluster_name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = kubernetes_namespace_v1.shop.metadata[0].name }
    spec = {
      replicas = 2
      selector = { matchLabels = { app = "web" } }
      template = {
        metadata = { labels = { app = "web" } }
        spec = {
          containers = [{
            name           = "web"
            image          = "registry.k8s.io/e2e-test-images/agnhost:2.53"
            args           = ["netexec", "--http-port=${var.port}"]
            ports          = [{ name = "http", containerPort = var.port }]
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
  depends_on = [module.cluster, sgp_security_group_policy.web]
}
