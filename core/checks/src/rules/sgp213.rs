//! SGP213: subnet discovery is not for branch interfaces.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP213",
    severity: Severity::Note,
    title: "Subnet discovery does not spread branch interfaces",
    consequence: "Pods with groups of their own stay in the subnet of their node, which fills up while others have room.",
    fix: "Spread the nodes over subnets that are large enough.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s: README.md, ENABLE_SUBNET_DISCOVERY",
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/provider/branch/trunk/trunk.go",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { ENABLE_SUBNET_DISCOVERY = "true" }
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, _) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        // It is on without a word; who writes it expects something of it.
        if let Some((_, addr)) = facts.env(name, "ENABLE_SUBNET_DISCOVERY").filter(|(value, _)| *value == "true") {
            found.push(RULE.finding(addr, format!("ENABLE_SUBNET_DISCOVERY of cluster {name} is set.")));
        }
    }
    found
}
