//! SGP211: no way out of the VPC for pods in strict mode.

use std::net::IpAddr;

use sgp_analysis::topology::{Direction, Fact, Id, Peer};

use super::sgp116::way_out;
use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Dressed, finding::sentence};

pub(super) static RULE: Rule = Rule {
    id: "SGP211",
    severity: Severity::Warning,
    title: "Rules for the internet and no way there",
    consequence: "In strict mode the pods' packets leave by the route table of their subnet; without a route they time out.",
    fix: "Give the subnets a route to a NAT gateway, or take the rules out.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "github.com/aws/amazon-vpc-cni-k8s#1211",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_route_table" "private" {
  vpc_id       = aws_vpc.this.id
  associations = [{ subnet_id = aws_subnet.a.id }]
}

resource "aws_vpc_security_group_egress_rule" "partner" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "203.0.113.0/24"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
"#,
        right: r#"
resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id

  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = "nat-0123456789abcdef0"
  }

  associations = [{ subnet_id = aws_subnet.a.id }]
}

resource "aws_vpc_security_group_egress_rule" "partner" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "203.0.113.0/24"
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
    for (name, cluster) in facts.strict_clusters() {
        let subnets: Vec<&Id> = cluster.node_groups.values().flat_map(|it| &it.subnets).collect();
        let is_shut = |it: &&Id| matches!(way_out(facts, it), Fact::Known(None));
        if subnets.is_empty() || !subnets.iter().all(is_shut) {
            continue;
        }
        for dressed in facts.dressed().iter().filter(|it| it.cluster_name == name) {
            if let Some(block) = wish(facts, dressed) {
                let what = format!("{} may go to {block}, and the subnets of the nodes have no way out.", dressed.who);
                found.push(RULE.finding(dressed.addr, sentence(&what)));
            }
        }
    }
    found
}

/// Public addresses that the groups name. Everything is no wish: it is what a group has by itself.
fn wish(facts: &Facts<'_>, dressed: &Dressed<'_>) -> Option<ipnet::IpNet> {
    let groups = dressed.groups.iter().filter_map(|id| facts.input.topology.groups.get(id));
    let rules = groups.flat_map(|it| &it.rules).filter(|it| it.direction == Direction::Egress);
    let blocks = rules.filter_map(|it| if let Peer::Block(block) = &it.peer { Some(*block) } else { None });
    let mut public = blocks.filter(|it| it.prefix_len() > 0 && matches!(it.addr(), IpAddr::V4(_)));
    let internet = sgp_analysis::sets::AddressSet::internet();
    public.find(|it| internet.covers(&[it].into_iter().collect()))
}
