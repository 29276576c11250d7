//! SGP514: running pods keep the role of their service account.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::ROLE};

pub(super) static RULE: Rule = Rule {
    id: "SGP514",
    severity: Severity::Warning,
    title: "Role of a service account changes",
    consequence: "Pods that run keep the role that they began with.",
    fix: "Restart what makes them: kubectl rollout restart.",
    sources: &["Amazon EKS user guide, \"Assign IAM roles to Kubernetes service accounts\""],
    live: Live::Kubernetes,
    examples: Examples {
        before: r#"
resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name        = "backend"
    namespace   = "app"
    annotations = { "eks.amazonaws.com/role-arn" = "arn:aws:iam::123456789012:role/old" }
  }
}
"#,
        wrong: r#"
resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name        = "backend"
    namespace   = "app"
    annotations = { "eks.amazonaws.com/role-arn" = "arn:aws:iam::123456789012:role/new" }
  }
}
"#,
        right: r#"
resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name        = "backend"
    namespace   = "app"
    annotations = { "eks.amazonaws.com/role-arn" = "arn:aws:iam::123456789012:role/old" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, before) in &facts.input.topology_before.clusters {
        let Some(after) = facts.input.topology.clusters.get(name) else { continue };
        for (key, account) in &before.service_accounts {
            let Some(later) = after.service_accounts.get(key) else { continue };
            let (old, new) = (account.annotations.get(ROLE), later.annotations.get(ROLE));
            let is_of_account = |it: &sgp_analysis::topology::Pod| it.template.service_account.known() == Some(&key.1);
            let idle =
                before.is_complete && !before.pods.iter().any(|(pod, it)| pod.namespace == key.0 && is_of_account(it));
            // An ARN that is known after apply is not compared.
            let is_known = new.is_some() || facts.action(later.managed_by.as_ref()) == sgp_model::plan::Action::NoOp;
            if old.is_some() && old != new && is_known && !idle {
                let what = format!("Service account {}/{} gets another role.", key.0, key.1);
                found.push(RULE.finding(later.managed_by.as_ref(), what));
            }
        }
    }
    found
}
