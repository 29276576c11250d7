//! SGP405: a rule names the cluster's group where nodes have another.

use sgp_analysis::topology::{Direction, Origin, Peer};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::is_strict};

pub(super) static RULE: Rule = Rule {
    id: "SGP405",
    severity: Severity::Warning,
    title: "Rule for nodes that names the cluster's group",
    consequence: "Nodes made from a launch template with groups of its own do not carry the cluster's group, so what the rule admits \
                  is the control plane: kubelet's probes fail in strict mode.",
    fix: "Name the group that the nodes have.",
    sources: &[
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
        "github.com/terraform-aws-modules/terraform-aws-eks#2213",
        "github.com/terraform-aws-modules/terraform-aws-eks#3170",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_security_group" "node" {
  name   = "orders-node"
  vpc_id = aws_vpc.this.id
}

resource "aws_launch_template" "node" {
  name                   = "orders-node"
  vpc_security_group_ids = [aws_security_group.node.id]
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large"]

  launch_template {
    id = aws_launch_template.node.id
  }
}
"#,
        right: r#"
resource "aws_security_group" "node" {
  name   = "orders-node"
  vpc_id = aws_vpc.this.id
}

resource "aws_launch_template" "node" {
  name = "orders-node"
  vpc_security_group_ids = [
    aws_security_group.node.id,
    aws_eks_cluster.this.vpc_config[0].cluster_security_group_id,
  ]
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large"]

  launch_template {
    id = aws_launch_template.node.id
  }

  depends_on = [sgp_pod_eni.this]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for dressed in facts.dressed() {
        let nodes = facts.nodes(dressed.cluster);
        let Some(own) = dressed.cluster.group.known() else { continue };
        // In standard mode probes pass no group.
        if !is_strict(dressed.cluster) || nodes.may_have_more || nodes.groups.contains(own) {
            continue;
        }
        let groups = dressed.groups.iter().filter_map(|id| facts.input.topology.groups.get(id));
        let rules = groups.clone().flat_map(|it| &it.rules).filter(|it| it.direction == Direction::Ingress);
        // Where a rule admits the nodes, too, the other one is meant for the control plane.
        let knows_nodes = rules.clone().any(|it| match &it.peer {
            Peer::Group(id) => nodes.groups.contains(id),
            _ => true,
        });
        if knows_nodes {
            continue;
        }
        for rule in rules.filter(|it| it.peer == Peer::Group(own.clone())) {
            let addr = if let Origin::Managed(addr) = &rule.origin { Some(addr) } else { dressed.addr };
            let names: Vec<String> = nodes.groups.iter().map(ToString::to_string).collect();
            found.push(RULE.finding(addr, format!("The nodes have {}, not the cluster's group.", names.join(", "))));
        }
    }
    found
}
