//! SGP314: groups of several policies add up.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP314",
    severity: Severity::Note,
    title: "Several policies match the same pods",
    consequence: "There is no order among policies: the pods get the groups of all of them, and their rules add up.",
    fix: "If that is not meant, make the selectors exclude each other.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/utils/helper.go",
        "github.com/aws/amazon-vpc-resource-controller-k8s#284",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "metrics" {
  name               = "metrics"
  namespace          = "app"
  security_group_ids = ["sg-0123456789abcdef0"]

  pod_selector {
    match_labels = { metrics = "yes" }
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
        metadata = { labels = { app = "backend", metrics = "yes" } }
        spec     = { containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend, sgp_security_group_policy.metrics]
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
        metadata = { labels = { app = "backend", metrics = "yes" } }
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
    for pods in facts.pods() {
        let policies: Vec<&str> = pods.membership.policies().collect();
        let groups = pods.branch_groups().or_else(|| pods.fargate_groups());
        if let Some(groups) = groups.filter(|_| policies.len() > 1) {
            let names: Vec<String> = groups.iter().map(ToString::to_string).collect();
            let what = format!(
                "{} is matched by {} and gets {} groups: {}.",
                pods.who(),
                policies.join(", "),
                groups.len(),
                names.join(", ")
            );
            found.push(RULE.finding(pods.addr, what));
        }
    }
    found
}
