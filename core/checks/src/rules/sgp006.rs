//! SGP006: a VPC CNI that knows no groups for pods.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::cni_version};

pub(super) static RULE: Rule = Rule {
    id: "SGP006",
    severity: Severity::Error,
    title: "VPC CNI too old for groups of pods",
    consequence: "Versions before 1.7.7 do not give pods their groups, without an error.",
    fix: "Use a version that EKS offers today.",
    sources: &[
        "Amazon EKS user guide, \"Configure the Amazon VPC CNI plugin for Kubernetes for security groups for Amazon EKS Pods\"",
    ],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name  = aws_eks_cluster.this.name
  addon_version = "v1.7.5-eksbuild.2"
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name  = aws_eks_cluster.this.name
  addon_version = "v1.20.4-eksbuild.1"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        if cni_version(cluster).is_some_and(|it| it < (1, 7, 7)) {
            let addr = facts.cni_of(name).and_then(|it| it.object.addr.as_ref());
            let what = format!("Cluster {name} runs the VPC CNI {}.", cluster.cni.version.known().map_or("", |it| it));
            found.push(RULE.finding(addr, what).attr("addon_version"));
        }
    }
    found
}
