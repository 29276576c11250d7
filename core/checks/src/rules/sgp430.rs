//! SGP430: a network file system that keeps the nodes out.

use std::collections::BTreeSet;

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::{Direction, Fact, Id, Peer},
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Sure};

pub(super) static RULE: Rule = Rule {
    id: "SGP430",
    severity: Severity::Warning,
    title: "File system open to pods and not to their nodes",
    consequence: "Volumes are mounted by the CSI driver on the node, with the node's groups: mounts time out, and the pods stay in \
                  ContainerCreating.",
    fix: "Give the file system's group ingress tcp/2049 from the group of the nodes.",
    sources: &["github.com/kubernetes-sigs/aws-efs-csi-driver#524"],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_security_group" "files" {
  name   = "orders-files"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "files_from_backend" {
  security_group_id            = aws_security_group.files.id
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
}
"#,
        right: r#"
resource "aws_security_group" "files" {
  name   = "orders-files"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "files_from_nodes" {
  security_group_id            = aws_security_group.files.id
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let nfs = Traffic::port(Protocol::TCP, 2049);
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let here = facts.dressed().iter().filter(|it| it.cluster_name == name);
        let of_pods: BTreeSet<&Id> = here.flat_map(|it| &it.groups).collect();
        let nodes = facts.nodes(cluster);
        for (id, group) in &facts.input.topology.groups {
            let is_for_pods = group.rules.iter().any(|it| {
                it.direction == Direction::Ingress
                    && it.traffic == Fact::Known(nfs.clone())
                    && matches!(&it.peer, Peer::Group(peer) if of_pods.contains(peer))
            });
            if is_for_pods && facts.passes(std::slice::from_ref(id), Direction::Ingress, &nfs, &nodes) == Sure::No {
                let what = format!("Group {} lets pods in on tcp/2049, and not the nodes of {name}.", group.name);
                found.push(RULE.finding(group.managed_by.as_ref(), what));
            }
        }
    }
    found
}
