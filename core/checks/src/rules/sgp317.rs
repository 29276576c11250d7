//! SGP317: pods that may start before their policy.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP317",
    severity: Severity::Error,
    title: "Pods that may start before their policy",
    consequence: "A pod gets its groups when it is made, and only then. Pods that come before the policy run with the groups of \
                  their nodes until somebody restarts them.",
    fix: "Let the workload wait for the policy: `depends_on`.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s#1398",
        "github.com/aws/amazon-vpc-resource-controller-k8s#99",
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
    ],
    live: Live::Nothing,
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
        spec     = { containers = [{ name = "backend", image = "registry.k8s.io/pause:3.10" }] }
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
        spec     = { containers = [{ name = "backend", image = "registry.k8s.io/pause:3.10" }] }
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
        let Some(addr) = pods.addr.filter(|it| facts.is_made(Some(it))) else { continue };
        for name in pods.membership.policies() {
            let key = (pods.namespace.to_owned(), name.to_owned());
            let policy = pods.cluster.policies.get(&key).and_then(|it| it.managed_by.as_ref());
            let Some(policy) = policy.filter(|it| facts.is_made(Some(it))) else { continue };
            if !facts.waits_for(addr, policy) {
                found.push(RULE.finding(Some(addr), format!("{} does not wait for {policy}.", pods.who())));
            }
        }
    }
    found
}
