//! SGP408: the API server does not reach a webhook.

use serde_json::Value as Json;
use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::Direction,
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Manifest, Sure, list, target},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP408",
    severity: Severity::Warning,
    title: "Webhook that the API server does not reach",
    consequence: "Calls of the API server to the pods time out (\"failed calling webhook: context deadline exceeded\"), and with them \
                  what people do in the cluster.",
    fix: "Give the pods' group ingress on the webhook's port from the cluster's group.",
    sources: &["github.com/terraform-aws-modules/terraform-aws-eks#1748"],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "webhook" {
  manifest = {
    apiVersion = "admissionregistration.k8s.io/v1"
    kind       = "ValidatingWebhookConfiguration"
    metadata   = { name = "orders" }
    webhooks   = [{ name = "v.orders.example", clientConfig = { service = { name = "backend", namespace = "app" } } }]
  }
}

resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "backend", namespace = "app" }
    spec       = { selector = { app = "backend" }, ports = [{ port = 443, targetPort = 9443 }] }
  }
}

resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "backend", ports = [{ containerPort = 9443 }] }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
        right: r#"
resource "kubernetes_manifest" "webhook" {
  manifest = {
    apiVersion = "admissionregistration.k8s.io/v1"
    kind       = "ValidatingWebhookConfiguration"
    metadata   = { name = "orders" }
    webhooks   = [{ name = "v.orders.example", clientConfig = { service = { name = "backend", namespace = "app" } } }]
  }
}

resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "backend", namespace = "app" }
    spec       = { selector = { app = "backend" }, ports = [{ port = 443, targetPort = 9443 }] }
  }
}

resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "backend", ports = [{ containerPort = 9443 }] }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}

resource "aws_vpc_security_group_ingress_rule" "webhook" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 9443
  to_port                      = 9443
}
"#,
    },
    check,
};

const KINDS: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for manifest in KINDS.iter().flat_map(|kind| facts.manifests(kind)) {
        let hooks = list(&manifest.json["webhooks"]).map(|it| &it["clientConfig"]["service"]);
        found.extend(hooks.filter_map(|it| judge(facts, manifest, it)));
    }
    for manifest in facts.manifests("APIService") {
        found.extend(judge(facts, manifest, &manifest.json["spec"]["service"]));
    }
    found
}

fn judge(facts: &Facts<'_>, manifest: &Manifest<'_>, reference: &Json) -> Option<Finding> {
    let (name, cluster) = manifest.cluster?;
    let (namespace, service_name) = (reference["namespace"].as_str()?, reference["name"].as_str()?);
    let number = reference["port"].as_u64().unwrap_or(443);
    let service = cluster.services.get(&(namespace.to_owned(), service_name.to_owned()))?;
    let port = service.ports.iter().find(|it| u64::from(it.port) == number)?;
    let control_plane = facts.control_plane(cluster);
    for pods in facts.behind(name, namespace, service) {
        let (Some(groups), Some(port)) = (pods.branch_groups(), target(port, pods)) else { continue };
        let wanted = Traffic::port(Protocol::TCP, port);
        if facts.passes(groups, Direction::Ingress, &wanted, &control_plane) == Sure::No {
            let what = format!(
                "{} {} calls {} on tcp/{port}, whose groups do not let the control plane in.",
                manifest.kind(),
                manifest.name(),
                pods.who()
            );
            return Some(RULE.finding(pods.addr, what));
        }
    }
    None
}
