//! SGP103: nodes of one group differ in what they can.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Trunks};

pub(super) static RULE: Rule = Rule {
    id: "SGP103",
    severity: Severity::Warning,
    title: "Node group whose types differ in branch interfaces",
    consequence: "Which type a new node has is not foreseen: some get no trunk, pods stay Pending beside them, and an autoscaler adds \
                  nodes of the wrong type.",
    fix: "Keep types with and without branch interfaces in node groups of their own.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s#1363",
        "github.com/aws/amazon-vpc-cni-k8s#3094",
        "github.com/aws/karpenter-provider-aws#8981",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large", "t3.large"]

  depends_on = [sgp_pod_eni.this]
}
"#,
        right: r#"
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large", "m5a.large"]

  depends_on = [sgp_pod_eni.this]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        for node in facts.node_types(name, cluster).iter().filter(|it| it.trunks() == Some(Trunks::Some)) {
            let without = node.types_with(|it| !it.trunk_compatible).join(", ");
            let what = format!("Of the types of {}, these can have no branch interfaces: {without}.", node.who);
            found.push(RULE.finding(node.addr, what));
        }
    }
    found
}
