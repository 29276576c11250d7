//! SGP323: pods whose service account does not exist.

use sgp_analysis::{matching::Attachment, topology::Fact};
use sgp_model::symbol;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Pods};

pub(super) static RULE: Rule = Rule {
    id: "SGP323",
    severity: Severity::Error,
    title: "Pods whose service account does not exist",
    consequence: "The API server and the webhook of the VPC resource controller refuse such pods.",
    fix: "Make the service account before the workload.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: webhooks/core/pod_webhook.go"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { serviceAccountName = "orders", containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
        right: r#"
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { serviceAccountName = "backend", containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for pods in facts.pods() {
        let is_denied = matches!(pods.membership.attachment, Attachment::Denied(_));
        if let Some(name) = missing(facts, pods).filter(|_| is_denied || is_new(facts, pods)) {
            let what =
                format!("{} wants service account {name}, and namespace {} has none.", pods.who(), pods.namespace);
            found.push(RULE.finding(pods.addr, what));
        }
    }
    found
}

/// A cluster that comes into being holds what the plan makes in it, and in kube-system what EKS does.
fn is_new(facts: &Facts<'_>, pods: &Pods<'_>) -> bool {
    facts.is_made(pods.cluster.managed_by.as_ref()) && facts.is_made(pods.addr) && !pods.namespace.starts_with("kube-")
}

fn missing<'a>(facts: &Facts<'_>, pods: &Pods<'a>) -> Option<&'a str> {
    let Fact::Known(name) = &pods.template.service_account else { return None };
    let is_there = pods.cluster.service_accounts.contains_key(&(pods.namespace.to_owned(), name.clone()));
    (!is_there && name != "default" && !symbol::is_in(name) && !facts.has_loose_service_account())
        .then_some(name.as_str())
}
