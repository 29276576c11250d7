//! SGP324: pods without time to end.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::cni_version};

pub(super) static RULE: Rule = Rule {
    id: "SGP324",
    severity: Severity::Error,
    title: "Pods with terminationGracePeriodSeconds 0",
    consequence: "The VPC CNI may not get to clean up: rules of the host stay behind, and a later pod with the same address is cut \
                  off.",
    fix: "Give the pods some seconds.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "github.com/aws/amazon-vpc-cni-k8s#1313",
        "github.com/aws/amazon-vpc-cni-k8s#1375",
    ],
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
        spec     = { terminationGracePeriodSeconds = 0, containers = [{ name = "backend" }] }
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
        spec     = { terminationGracePeriodSeconds = 30, containers = [{ name = "backend" }] }
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
    for pods in facts.pods().iter().filter(|it| it.has_branch() && it.template.termination_grace == Some(0)) {
        let finding = RULE.finding(pods.addr, format!("Pods of {} have no time to end.", pods.who()));
        let is_broken = cni_version(pods.cluster).is_some_and(|it| it <= (1, 10, 2));
        found.push(if is_broken { finding } else { finding.at_most(Severity::Warning) });
    }
    found
}
