//! SGP307: a group of another VPC.

use sgp_analysis::topology::{Fact, Id};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP307",
    severity: Severity::Error,
    title: "Group of another VPC",
    consequence: "EC2 refuses to make the pod's interface with it, and the pod hangs in creation.",
    fix: "Use a group of the cluster's VPC, or associate the group with that VPC.",
    sources: &["Amazon EKS user guide, \"View Amazon EKS security group requirements for clusters\""],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_vpc" "other" {
  cidr_block = "10.1.0.0/16"
}

resource "aws_security_group" "backend" {
  name   = "orders-backend"
  vpc_id = aws_vpc.other.id
}
"#,
        right: r#"
resource "aws_security_group" "backend" {
  name   = "orders-backend"
  vpc_id = aws_vpc.this.id
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in facts.policies() {
        let (Fact::Known(vpc), Fact::Known(groups)) = (&policy.cluster.vpc, &policy.policy.groups) else { continue };
        for id in groups {
            let Some(group) = facts.input.topology.groups.get(id) else { continue };
            let Fact::Known(theirs) = &group.vpc else { continue };
            // A reference may stand for the id on the other side, or for the same VPC as a data source found.
            let is_ours = |it: &Id| facts.meant_by(it.as_str(), "aws_vpc", &["id"]).is_some();
            let is_comparable = [theirs, vpc].iter().all(|it| !it.is_symbolic()) || is_ours(theirs) && is_ours(vpc);
            if theirs != vpc && is_comparable && !group.also_in.contains(vpc) && !is_associated(facts, id.as_str()) {
                let what =
                    format!("Group {} of the {} is in {theirs}, the cluster in {vpc}.", group.name, policy.who());
                found.push(RULE.finding(policy.addr(), what).attribute(policy.groups_path()));
            }
        }
    }
    found
}

/// Whether an association with some VPC is planned for the group.
fn is_associated(facts: &Facts<'_>, group: &str) -> bool {
    facts.of_kind("aws_vpc_security_group_vpc_association").any(|(_, it)| it.text("security_group_id") == Some(group))
}
