//! SGP407: the nodes are still let in.

use std::collections::BTreeSet;

use sgp_analysis::topology::{Direction, Fact, Id, Origin, Peer};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP407",
    severity: Severity::Warning,
    title: "Nodes are let in beside the pods",
    consequence: "Every pod without a policy has the group of its node and gets in, too.",
    fix: "Take the rule for the nodes out once the pods have their own group.",
    sources: &["Amazon EKS best practices guide, \"Security Groups Per Pod\""],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_security_group" "database" {
  name   = "orders-database"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "database_from_backend" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "database_from_nodes" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
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
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let here = facts.dressed().iter().filter(|it| it.cluster_name == name);
        let nodes = facts.nodes(cluster).groups;
        let of_pods: BTreeSet<&Id> = here.flat_map(|it| &it.groups).filter(|id| !nodes.contains(id)).collect();
        let is_own = |id: &Id| nodes.contains(id) || cluster.group.known() == Some(id) || of_pods.contains(id);
        for (id, group) in facts.input.topology.groups.iter().filter(|(id, _)| !is_own(id)) {
            let ingress = || group.rules.iter().filter(|it| it.direction == Direction::Ingress);
            let from_pods = ingress().filter(|it| matches!(&it.peer, Peer::Group(id) if of_pods.contains(id)));
            let from_pods: Vec<_> = from_pods.filter_map(|it| it.traffic.known()).collect();
            for rule in ingress().filter(|it| matches!(&it.peer, Peer::Group(id) if nodes.contains(id))) {
                let Fact::Known(traffic) = &rule.traffic else { continue };
                if from_pods.iter().any(|it| !it.and(traffic).is_empty()) {
                    let addr =
                        if let Origin::Managed(addr) = &rule.origin { Some(addr) } else { group.managed_by.as_ref() };
                    let what =
                        format!("{id} lets {traffic} in from pods by their own group, and from the nodes of {name}.");
                    found.push(RULE.finding(addr, what));
                }
            }
        }
    }
    found
}
