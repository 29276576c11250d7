//! SGP303: an empty list of groups in a manifest.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::PolicyOf};

pub(super) static RULE: Rule = Rule {
    id: "SGP303",
    severity: Severity::Error,
    title: "Policy with an empty list of groups",
    consequence: "The CRD wants one item at least, so the API server refuses the object.",
    fix: "Name at least one group.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: config/crd/bases/vpcresources.k8s.aws_securitygrouppolicies.yaml",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "policy" {
  manifest = {
    apiVersion = "vpcresources.k8s.aws/v1beta1"
    kind       = "SecurityGroupPolicy"
    metadata   = { name = "jobs", namespace = "app" }
    spec = {
      podSelector    = { matchLabels = { app = "jobs" } }
      securityGroups = { groupIds = [] }
    }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "policy" {
  manifest = {
    apiVersion = "vpcresources.k8s.aws/v1beta1"
    kind       = "SecurityGroupPolicy"
    metadata   = { name = "jobs", namespace = "app" }
    spec = {
      podSelector    = { matchLabels = { app = "jobs" } }
      securityGroups = { groupIds = [aws_security_group.backend.id] }
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let empty = facts.policies().iter().filter(|it| is_stated_empty(it));
    let finding = |it: &PolicyOf<'_>| {
        RULE.finding(it.addr(), format!("The {} has `groupIds: []`.", it.who())).attribute(it.groups_path())
    };
    empty.map(finding).collect()
}

/// Whether a manifest states the list, and states it empty.
pub(super) fn is_stated_empty(policy: &PolicyOf<'_>) -> bool {
    let ids = policy.spec().and_then(|it| it.get("securityGroups")).and_then(|it| it.get("groupIds"));
    ids.and_then(|it| it.elements()).is_some_and(|it| it.is_empty())
}
