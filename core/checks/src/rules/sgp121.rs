//! SGP121: several interfaces for a pod under a policy. It once shared the number SGP120.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

const ANNOTATION: &str = "k8s.amazonaws.com/nicConfig";

pub(super) static RULE: Rule = Rule {
    id: "SGP121",
    severity: Severity::Warning,
    title: "Several interfaces for pods under a policy",
    consequence: "Pods with groups of their own get one interface, whatever the annotation says, without an error.",
    fix: "Take the annotation k8s.amazonaws.com/nicConfig out, or leave the pods out of the policy.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s: pkg/ipamd/rpc_handler.go"],
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
        metadata = {
          labels      = { app = "backend" }
          annotations = { "k8s.amazonaws.com/nicConfig" = "multi-nic-attachment" }
        }
        spec = { containers = [{ name = "backend" }] }
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
    let pods = facts.pods().iter().filter(|it| it.has_branch() && it.template.annotations.contains_key(ANNOTATION));
    pods.map(|it| RULE.finding(it.addr, format!("The pods of {} have the annotation.", it.who()))).collect()
}
