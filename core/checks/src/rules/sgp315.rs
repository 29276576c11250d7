//! SGP315: pods on the host network under a policy.

use sgp_analysis::{
    matching::{Says, says},
    topology::Fact,
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP315",
    severity: Severity::Warning,
    title: "Policy for pods on the host network",
    consequence: "Such pods have their node's interface and its groups: the policy is passed over.",
    fix: "Take them off the host network, or leave them out of the selector.",
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
        spec     = { hostNetwork = true, containers = [{ name = "backend" }] }
      }
    }
  }
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
        spec     = { containers = [{ name = "backend" }] }
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
    for pods in facts.pods().iter().filter(|it| it.template.is_host_network) {
        let here =
            |it: &&crate::facts::PolicyOf<'_>| it.cluster_name == pods.cluster_name && it.namespace == pods.namespace;
        for policy in facts.policies().iter().filter(here).filter(|it| !it.is_for_everything()) {
            if says(policy.policy, &pods.template.labels, &Fact::Unknown) == Says::Matches {
                let what = format!("{} uses the host network, and the {} matches its pods.", pods.who(), policy.who());
                found.push(RULE.finding(pods.addr, what));
            }
        }
    }
    found
}
