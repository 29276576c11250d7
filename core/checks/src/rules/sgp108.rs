//! SGP108: types with two interfaces.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP108",
    severity: Severity::Warning,
    title: "Instance type with two interfaces",
    consequence: "The trunk takes the second one, so that pods without groups share the few addresses of the first.",
    fix: "Use a type with three interfaces or more.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s#2369",
        "github.com/aws/amazon-vpc-cni-k8s#2792",
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/aws/vpc/limits.go",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m6g.medium"]

  depends_on = [sgp_pod_eni.this]
}
"#,
        right: r#"
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m6g.large"]

  depends_on = [sgp_pod_eni.this]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        // With custom networking it is worse, and has a rule of its own.
        if super::sgp109::is_custom(facts, name) {
            continue;
        }
        for node in facts.node_types(name, cluster) {
            let small = node.types_with(|it| it.trunk_compatible && it.usable_enis() == 2).join(", ");
            if !small.is_empty() {
                found.push(
                    RULE.finding(
                        node.addr,
                        format!("Of the types of {}, these have two interfaces: {small}.", node.who),
                    ),
                );
            }
        }
    }
    found
}
