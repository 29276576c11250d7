//! SGP406: the other half of a way is missing.

use sgp_analysis::topology::{Direction, Fact, Peer};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Dressed, Other, Sure},
    finding::sentence,
};

pub(super) static RULE: Rule = Rule {
    id: "SGP406",
    severity: Severity::Warning,
    title: "The other end does not let the pods in",
    consequence: "Connections time out: a way needs egress at the pods and ingress at the other end. A rule there for the group of \
                  the nodes does not count for pods with groups of their own.",
    fix: "Give the other group ingress from the pods' group.",
    sources: &[
        "Amazon EKS best practices guide, \"Security Groups Per Pod\"",
        "github.com/aws/amazon-vpc-cni-k8s#1532",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_security_group" "database" {
  name   = "orders-database"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "backend_to_database" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}
"#,
        right: r#"
resource "aws_security_group" "database" {
  name   = "orders-database"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "backend_to_database" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "database_from_backend" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.dressed().iter().flat_map(|it| judge(facts, it)).collect()
}

fn judge(facts: &Facts<'_>, dressed: &Dressed<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    // The cluster's own groups have rules about DNS and probes.
    let control_plane = facts.control_plane(dressed.cluster);
    let apart = [facts.nodes(dressed.cluster).groups, facts.dns(dressed.cluster).groups, control_plane.groups].concat();
    let pods = Other { groups: dressed.groups.clone(), ..facts.nodes(dressed.cluster) };
    let pods = Other { may_have_more: false, ..pods };
    for group in dressed.own.iter().filter_map(|id| facts.input.topology.groups.get(id)) {
        for rule in group.rules.iter().filter(|it| it.direction == Direction::Egress) {
            let (Peer::Group(peer), Fact::Known(traffic)) = (&rule.peer, &rule.traffic) else { continue };
            if traffic.is_all() || apart.contains(peer) {
                continue;
            }
            if facts.passes(std::slice::from_ref(peer), Direction::Ingress, traffic, &pods) == Sure::No {
                let what = format!("{} may go to {peer} by {traffic}, which does not let them in.", dressed.who);
                let other = facts.input.topology.groups.get(peer).and_then(|it| it.managed_by.as_ref());
                found.push(RULE.finding(other.or(dressed.addr), sentence(&what)));
            }
        }
    }
    found
}
