//! SGP111: MAX_ENI leaves no slot.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP111",
    severity: Severity::Warning,
    title: "MAX_ENI leaves no slot for the trunk",
    consequence: "The VPC CNI counts the trunk among the interfaces that it may have, and asks for none.",
    fix: "Take MAX_ENI out, or raise it.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s: pkg/ipamd/ipamd.go"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { MAX_ENI = "1" }
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { MAX_ENI = "3" }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, _) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        let Some((value, addr)) = facts.env(name, "MAX_ENI") else { continue };
        // 0 and less are no limit.
        if value.parse::<i64>() == Ok(1) {
            found.push(RULE.finding(addr, format!("MAX_ENI of cluster {name} is {value}.")));
        }
    }
    found
}
