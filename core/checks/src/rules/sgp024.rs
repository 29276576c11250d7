//! SGP024: pods for Windows under a policy.

use sgp_analysis::matching::{Says, says};
use sgp_analysis::topology::Fact;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP024",
    severity: Severity::Error,
    title: "Policy for pods on Windows",
    consequence: "Pods on Windows nodes keep the groups of their nodes: the policy does nothing for them.",
    fix: "Run the pods on Linux, or leave them out of the selector.",
    sources: &["Amazon EKS user guide, \"Assign security groups to individual Pods\""],
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
        spec     = { nodeSelector = { "kubernetes.io/os" = "windows" }, containers = [{ name = "backend" }] }
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
        spec     = { nodeSelector = { "kubernetes.io/os" = "linux" }, containers = [{ name = "backend" }] }
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
    for pods in facts.pods().iter().filter(|it| it.template.is_windows) {
        let here =
            |it: &&crate::facts::PolicyOf<'_>| it.cluster_name == pods.cluster_name && it.namespace == pods.namespace;
        for policy in facts.policies().iter().filter(here) {
            if says(policy.policy, &pods.template.labels, &Fact::Unknown) == Says::Matches {
                let what = format!("{} is for Windows nodes, and the {} matches its pods.", pods.who(), policy.who());
                found.push(RULE.finding(pods.addr, what));
            }
        }
    }
    found
}
