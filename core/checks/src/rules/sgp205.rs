//! SGP205: more rules than a group takes.

use sgp_analysis::topology::{Direction, Group, Peer};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

/// The quota "inbound or outbound rules per security group" (L-0EA8095F) of an account that asked for nothing: for each direction
/// and each family.
const USUAL: u64 = 60;
/// With one group at an interface, the most that the quota can be raised to (VPC quotas).
const MOST: u64 = 1000;

pub(super) static RULE: Rule = Rule {
    id: "SGP205",
    severity: Severity::Error,
    title: "More rules than a group takes",
    consequence: "EC2 refuses the rule that is too many (RulesPerSecurityGroupLimitExceeded), and the apply stops in the middle.",
    fix: "Name groups or prefix lists instead of addresses, part the rules among groups, or raise the quota (L-0EA8095F).",
    sources: &["Amazon VPC user guide, \"Amazon VPC quotas\""],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_ec2_managed_prefix_list" "offices" {
  id             = "pl-0123456789abcdef0"
  name           = "offices"
  address_family = "IPv4"
  max_entries    = 100
}

# A reference to a prefix list counts as many rules as the list may have entries.
resource "aws_vpc_security_group_ingress_rule" "offices" {
  security_group_id = aws_security_group.backend.id
  prefix_list_id    = "pl-0123456789abcdef0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
"#,
        right: r#"
resource "aws_ec2_managed_prefix_list" "offices" {
  id             = "pl-0123456789abcdef0"
  name           = "offices"
  address_family = "IPv4"
  max_entries    = 20
}

resource "aws_vpc_security_group_ingress_rule" "offices" {
  security_group_id = aws_security_group.backend.id
  prefix_list_id    = "pl-0123456789abcdef0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for group in facts.input.topology.groups.values() {
        for direction in [Direction::Ingress, Direction::Egress] {
            let count = [true, false].into_iter().map(|v4| count(facts, group, direction, v4)).max().unwrap_or(0);
            if count > USUAL {
                let what = format!("Group {} has {count} {} rules of one family.", group.name, direction.word());
                let severity = if count > MOST { Severity::Error } else { Severity::Warning };
                found.push(RULE.finding(group.managed_by.as_ref(), what).at_most(severity));
            }
        }
    }
    found
}

/// Rules of a direction and a family. One that names a group counts in both families, one that names a list as many times as the
/// list may have entries.
fn count(facts: &Facts<'_>, group: &Group, direction: Direction, v4: bool) -> u64 {
    let weight = |peer: &Peer| match peer {
        Peer::Block(block) => u64::from(block.addr().is_ipv4() == v4),
        Peer::Group(_) => 1,
        Peer::PrefixList(id) => {
            let list = facts.input.topology.prefix_lists.get(id);
            list.and_then(|it| it.max_entries).map_or(1, u64::from)
        }
        Peer::Unknown => 0,
    };
    group.rules.iter().filter(|it| it.direction == direction).map(|it| weight(&it.peer)).sum()
}
