//! SGP116: nodes on public subnets in strict mode.

use sgp_analysis::topology::{Destination, Fact, Id, Target};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP116",
    severity: Severity::Warning,
    title: "Nodes on public subnets in strict mode",
    consequence: "A branch interface has no public address, and strict mode translates nothing: pods with groups reach nothing outside \
                  the VPC.",
    fix: "Put the nodes on private subnets behind a NAT gateway.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "Amazon EKS best practices guide, \"Security Groups Per Pod\"",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }

  associations = [{ subnet_id = aws_subnet.a.id }]
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
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.strict_clusters() {
        for (id, group) in &cluster.node_groups {
            let public: Vec<String> =
                group.subnets.iter().filter(|it| is_public(facts, it)).map(ToString::to_string).collect();
            if !public.is_empty() {
                let what = format!("Node group {id} of cluster {name} has public subnets: {}.", public.join(", "));
                found.push(RULE.finding(group.managed_by.as_ref(), what).attr("subnet_ids"));
            }
        }
    }
    found
}

/// Whether the way out of a subnet is an internet gateway.
fn is_public(facts: &Facts<'_>, subnet: &Id) -> bool {
    matches!(way_out(facts, subnet), Fact::Known(Some(Target::Internet(_))))
}

/// Where a subnet sends what is for anybody; unknown when its table is.
pub(super) fn way_out<'a>(facts: &Facts<'a>, subnet: &Id) -> Fact<Option<&'a Target>> {
    let topology = facts.input.topology;
    let table = topology.subnets.get(subnet).and_then(|it| it.route_table.known());
    let Some(table) = table.and_then(|id| topology.route_tables.get(id)) else { return Fact::Unknown };
    let is_default =
        |it: &Destination| matches!(it, Destination::Block(block) if block.prefix_len() == 0 && block.addr().is_ipv4());
    Fact::Known(table.routes.iter().find(|it| is_default(&it.destination)).map(|it| &it.target))
}
