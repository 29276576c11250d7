//! SGP109: types with two interfaces and custom networking.

use sgp_analysis::topology::Id;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP109",
    severity: Severity::Error,
    title: "Custom networking on a type with two interfaces",
    consequence: "With custom networking the first interface has no pods, and there is one slot for the trunk and for ordinary pods: \
                  one of the two gets none.",
    fix: "Use a type with three interfaces or more.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#2792", "github.com/aws/amazon-vpc-cni-k8s#2369"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG = "true", ENI_CONFIG_LABEL_DEF = "topology.kubernetes.io/zone" }
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m6g.medium"]

  depends_on = [sgp_pod_eni.this]
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG = "true", ENI_CONFIG_LABEL_DEF = "topology.kubernetes.io/zone" }
}

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
        if !is_custom(facts, name) {
            continue;
        }
        for node in facts.node_types(name, cluster) {
            let small = node.types_with(|it| it.trunk_compatible && it.usable_enis() == 2);
            if !small.is_empty() {
                let what = format!("Of the types of {}, these have two interfaces: {}.", node.who, small.join(", "));
                let is_all = node.types.as_ref().is_some_and(|it| it.len() == small.len());
                let finding = RULE.finding(node.addr, what);
                found.push(if is_all { finding } else { finding.at_most(Severity::Warning) });
            }
        }
    }
    found
}

/// Whether pods of a cluster have subnets of their own (custom networking).
pub(super) fn is_custom(facts: &Facts<'_>, cluster: &Id) -> bool {
    facts.env(cluster, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG").is_some_and(|(value, _)| value == "true")
}
