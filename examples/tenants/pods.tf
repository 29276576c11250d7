# Pods to try it with: a web server for each tenant, and the registry.

locals {
  tenant_pods   = { for name, tenant in var.tenants : "tenant-${name}/web" => tenant.port }
  registry_pods = { "shared/registry" = var.registry_port }
}

resource "kubernetes_manifest" "sample" {
  for_each = var.sample_pods ? merge(local.tenant_pods, local.registry_pods) : {}

  cluster_name = module.cluster.cluster_name

  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = split("/", each.key)[1], namespace = split("/", each.key)[0] }
    spec = {
      replicas = 2
      selector = { matchLabels = { app = split("/", each.key)[1] } }
      template = {
        metadata = { labels = { app = split("/", each.key)[1] } }
        spec = {
          containers = [{
            name           = "web"
            image          = "registry.k8s.io/e2e-test-images/agnhost:2.53"
            args           = ["netexec", "--http-port=${each.value}"]
            ports          = [{ name = "http", containerPort = each.value }]
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
  depends_on = [
    module.cluster,
    sgp_security_group_policy.tenant,
    sgp_security_group_policy.registry,
  ]
}
