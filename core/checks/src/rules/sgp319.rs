//! SGP319: pods that ask for an interface and match no policy.

use sgp_analysis::matching::Attachment;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP319",
    severity: Severity::Warning,
    title: "Branch interface without a policy",
    consequence: "The pod gets a branch interface with the groups of its node.",
    fix: "Take vpc.amazonaws.com/pod-eni out of the pod template: the webhook sets it where a policy matches.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: pkg/provider/branch/provider.go"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "jobs" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "jobs", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "jobs" } }
      template = {
        metadata = { labels = { app = "jobs" } }
        spec     = { containers = [{ name = "jobs", resources = { limits = { "vpc.amazonaws.com/pod-eni" = "1" } } }] }
      }
    }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "jobs" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "jobs", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "jobs" } }
      template = {
        metadata = { labels = { app = "jobs" } }
        spec     = { containers = [{ name = "jobs" }] }
      }
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pods = facts.pods().iter().filter(|it| it.membership.attachment == Attachment::BranchOfNode);
    let what = |it: &crate::facts::Pods<'_>| {
        format!("{} asks for vpc.amazonaws.com/pod-eni, and no policy matches.", it.who())
    };
    pods.map(|it| RULE.finding(it.addr, what(it))).collect()
}
