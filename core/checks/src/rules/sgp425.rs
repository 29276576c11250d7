//! SGP425: everything goes out beside rules for something.

use std::collections::BTreeSet;

use sgp_analysis::topology::{Direction, Fact, Id, Origin, Peer, Rule as GroupRule};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, finding::counted};

pub(super) static RULE: Rule = Rule {
    id: "SGP425",
    severity: Severity::Warning,
    title: "Everything goes out beside rules for something",
    consequence: "EC2 gives a new group a rule that lets everything out, and people add one; the group's other egress rules have no \
                  effect then.",
    fix: "Take the rule for everything out if the pods are to be kept in, else the others.",
    sources: &["Amazon VPC user guide, \"Security group rules\""],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_vpc_security_group_egress_rule" "everything" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}
"#,
        right: r#"
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let policies = facts.policies().iter().filter(|it| it.counts());
    let ids: BTreeSet<&Id> = policies.filter_map(|it| it.policy.groups.known()).flatten().collect();
    let mut found = Vec::new();
    for id in ids {
        // The cluster's own group is EKS's.
        let is_cluster = facts.clusters().any(|(_, it)| it.group.known() == Some(id));
        let Some(group) = facts.input.topology.groups.get(id).filter(|_| !is_cluster) else { continue };
        let egress: Vec<_> = group.rules.iter().filter(|it| it.direction == Direction::Egress).collect();
        let (all, others): (Vec<_>, Vec<_>) = egress.into_iter().partition(|it| is_everything(it));
        if let (Some(rule), false) = (all.first(), others.is_empty()) {
            let addr = if let Origin::Managed(addr) = &rule.origin { Some(addr) } else { group.managed_by.as_ref() };
            let what = format!(
                "Group {} of pods lets everything out, beside {}.",
                group.name,
                counted(others.len(), "other egress rule")
            );
            found.push(RULE.finding(addr, what));
        }
    }
    found
}

fn is_everything(rule: &GroupRule) -> bool {
    let is_all = matches!(&rule.traffic, Fact::Known(traffic) if traffic.is_all());
    is_all && matches!(&rule.peer, Peer::Block(block) if block.prefix_len() == 0)
}
