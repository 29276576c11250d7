//! SGP119: types with several network cards.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP119",
    severity: Severity::Note,
    title: "Instance type with several network cards",
    consequence: "Trunk and pods' interfaces are on the first card only: a node has fewer slots than its type has interfaces.",
    fix: "Count the interfaces of the first card.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/aws/ec2/instance.go",
        "github.com/aws/amazon-vpc-cni-k8s#3189",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["p4d.24xlarge"]

  depends_on = [sgp_pod_eni.this]
}
"#,
        right: r#"
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large"]

  depends_on = [sgp_pod_eni.this]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        for node in facts.node_types(name, cluster) {
            let several = node.types_with(|it| it.trunk_compatible && it.usable_enis() < it.max_enis).join(", ");
            if !several.is_empty() {
                found.push(
                    RULE.finding(
                        node.addr,
                        format!("Of the types of {}, these have several cards: {several}.", node.who),
                    ),
                );
            }
        }
    }
    found
}
