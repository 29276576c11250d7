//! SGP120: a DaemonSet under a policy.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP120",
    severity: Severity::Warning,
    title: "DaemonSet under a policy",
    consequence: "It needs a branch interface on every node: its pods stay Pending on nodes that have none, and take one from the \
                  others' pods elsewhere.",
    fix: "Leave it out of the selector, or keep it to nodes that have branch interfaces.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#1288"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "agent" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "DaemonSet"
    metadata   = { name = "agent", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "agent" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
        right: r#"
resource "kubernetes_manifest" "agent" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "DaemonSet"
    metadata   = { name = "agent", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "agent" } }
      template = {
        metadata = { labels = { app = "agent" } }
        spec     = { containers = [{ name = "agent" }] }
      }
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let sets = facts.pods().iter().filter(|it| it.kind == "DaemonSet" && it.has_branch());
    sets.map(|it| RULE.finding(it.addr, format!("A policy matches the pods of {}.", it.who()))).collect()
}
