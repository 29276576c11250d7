//! SGP423: pods that everybody reaches.

use std::collections::BTreeSet;

use sgp_analysis::topology::{Direction, Fact, Id, Origin, Peer};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP423",
    severity: Severity::Warning,
    title: "Pods' group open to everybody",
    consequence: "Everything that finds a way to the pods may connect: other pods, nodes, peered networks.",
    fix: "Name the group of who may connect instead of all addresses.",
    sources: &["Amazon EKS best practices guide, \"Security Groups Per Pod\""],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_vpc_security_group_ingress_rule" "backend" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 8080
  to_port           = 8080
}
"#,
        right: r#"
resource "aws_vpc_security_group_ingress_rule" "backend" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = "sg-0123456789abcdef0"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let policies = facts.policies().iter().filter(|it| it.counts());
    let ids: BTreeSet<&Id> = policies.filter_map(|it| it.policy.groups.known()).flatten().collect();
    let mut found = Vec::new();
    for group in ids.into_iter().filter_map(|id| facts.input.topology.groups.get(id)) {
        for rule in group.rules.iter().filter(|it| it.direction == Direction::Ingress) {
            let (Peer::Block(block), Fact::Known(traffic)) = (&rule.peer, &rule.traffic) else { continue };
            if block.prefix_len() > 0 {
                continue;
            }
            let addr = if let Origin::Managed(addr) = &rule.origin { Some(addr) } else { group.managed_by.as_ref() };
            let what = format!("Group {} of pods lets {traffic} in from {block}.", group.name);
            found.push(RULE.finding(addr, what));
        }
    }
    found
}
