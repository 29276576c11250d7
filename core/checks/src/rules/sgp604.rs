//! SGP604: a group of pods is replaced.

use sgp_model::plan::Action;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::id_of};

pub(super) static RULE: Rule = Rule {
    id: "SGP604",
    severity: Severity::Error,
    title: "Group of pods is deleted before its successor exists",
    consequence: "Pods that run keep the group from being deleted, and pods that start meanwhile hang: InvalidSecurityGroupID.NotFound.",
    fix: "Give the group `lifecycle { create_before_destroy = true }` and a `name_prefix`, and restart the pods after the apply.",
    sources: &[
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
        "github.com/terraform-aws-modules/terraform-aws-eks#2048",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: r#"
resource "aws_security_group" "backend" {
  name   = "orders-api"
  vpc_id = aws_vpc.this.id
}
"#,
        wrong: r#"
resource "aws_security_group" "backend" {
  name   = "orders-backend"
  vpc_id = aws_vpc.this.id
}
"#,
        right: r#"
resource "aws_security_group" "backend" {
  name   = "orders-api"
  vpc_id = aws_vpc.this.id
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (object, view) in facts.of_kind("aws_security_group") {
        let Some(addr) = &object.addr else { continue };
        let action = facts.action(Some(addr));
        if !action.is_replace() || !action.destroys() {
            continue;
        }
        let id = id_of(addr, &view);
        let Some(policy) =
            facts.policies().iter().find(|it| it.policy.groups.known().is_some_and(|it| it.contains(&id)))
        else {
            continue;
        };
        if action == Action::CreateThenDelete {
            let what = format!(
                "{addr}, which the {} names, is made anew; pods keep the old one until they are restarted.",
                policy.who()
            );
            found.push(RULE.finding(Some(addr), what).at_most(Severity::Note));
        } else if !facts.is_made(policy.addr()) {
            found.push(RULE.finding(Some(addr), format!("{addr} is replaced, and the {} names it.", policy.who())));
        }
    }
    found
}
