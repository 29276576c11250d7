//! SGP302: a policy that names no group.

use super::sgp303::is_stated_empty;
use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP302",
    severity: Severity::Error,
    title: "Policy without a security group",
    consequence: "The API server takes such a policy and the controller ignores it: its pods keep the groups of their nodes.",
    fix: "Name at least one group.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: pkg/utils/helper.go"],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "backend" {
  name      = "backend"
  namespace = "app"

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: r#"
resource "sgp_security_group_policy" "backend" {
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let policies = facts.policies().iter();
    let without = policies.filter(|it| it.policy.groups.known().is_some_and(Vec::is_empty) && !is_stated_empty(it));
    let finding = |it: &crate::facts::PolicyOf<'_>| {
        RULE.finding(it.addr(), format!("The {} names no security group.", it.who())).attribute(it.groups_path())
    };
    without.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    #[test]
    fn groups_by_name_are_groups() {
        let policy = |groups: &str| {
            format!("resource \"sgp_security_group_policy\" \"p\" {{\nname = \"p\"\n{groups}\npod_selector {{}}\n}}")
        };
        rows(
            "SGP302",
            &[
                (&policy("security_group_names = [\"backend\"]"), &[]),
                (&policy("security_group_ids = unknown()"), &[]),
                (&policy("security_group_ids = toset([])"), &["error sgp_security_group_policy.p"]),
            ],
        );
    }
}
