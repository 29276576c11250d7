//! SGP413: a Service that sends to pods of one node only, in strict mode.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::sends_to_pods};

pub(super) static RULE: Rule = Rule {
    id: "SGP413",
    severity: Severity::Error,
    title: "externalTrafficPolicy Local in strict mode",
    consequence: "A load balancer that sends to nodes gets no answer from pods with branch interfaces.",
    fix: "Send to the pods themselves (target type `ip`), use `externalTrafficPolicy: Cluster`, or use standard mode.",
    sources: &["Amazon EKS user guide, \"Assign security groups to individual Pods\""],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      type                  = "LoadBalancer"
      externalTrafficPolicy = "Local"
      selector              = { app = "backend" }
      ports                 = [{ port = 443, targetPort = 8443 }]
    }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata = {
      name      = "backend"
      namespace = "app"
      annotations = {
        "service.beta.kubernetes.io/aws-load-balancer-type"            = "external"
        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type" = "ip"
      }
    }
    spec = {
      type                  = "LoadBalancer"
      externalTrafficPolicy = "Local"
      selector              = { app = "backend" }
      ports                 = [{ port = 443, targetPort = 8443 }]
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.strict_clusters() {
        for ((namespace, service_name), service) in &cluster.services {
            let is_outer = service.kind == "LoadBalancer" || service.kind == "NodePort";
            if !is_outer || !service.is_local || sends_to_pods(service) {
                continue;
            }
            let has_pods = facts.behind(name, namespace, service).any(|it| it.has_branch());
            if has_pods || facts.policy_behind(name, namespace, service).is_some() {
                let manifest = facts
                    .manifests("Service")
                    .find(|it| it.is_in(name) && it.name() == service_name && it.namespace() == namespace);
                // An annotation that is not known may say where it sends to.
                if manifest.is_some_and(|it| !it.is_whole()) {
                    continue;
                }
                let addr = manifest.and_then(|it| it.addr());
                let what = format!(
                    "Service {namespace}/{service_name} sends to pods with branch interfaces by way of their nodes."
                );
                let finding = RULE.finding(addr, what);
                // Who uses a node port is not told; it may be a load balancer that sends to the pods.
                found.push(if service.kind == "NodePort" { finding.at_most(Severity::Warning) } else { finding });
            }
        }
    }
    found
}
