//! SGP007: standard mode with a VPC CNI that does not know it.

use sgp_analysis::topology::{EnforcingMode, Fact};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::cni_version};

pub(super) static RULE: Rule = Rule {
    id: "SGP007",
    severity: Severity::Error,
    title: "VPC CNI too old for standard mode",
    consequence: "Versions before 1.11.0 ignore the mode: pods are in strict mode all the same.",
    fix: "Use a version that EKS offers today.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s: README.md, POD_SECURITY_GROUP_ENFORCING_MODE"],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  addon_version  = "v1.10.4-eksbuild.1"
  enforcing_mode = "standard"
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  addon_version  = "v1.20.4-eksbuild.1"
  enforcing_mode = "standard"
  external_snat  = true
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let is_standard = cluster.cni.mode == Fact::Known(EnforcingMode::Standard);
        if is_standard && cni_version(cluster).is_some_and(|it| it < (1, 11, 0)) {
            let addr = facts.cni_of(name).and_then(|it| it.object.addr.as_ref());
            let version = cluster.cni.version.known().map_or("", |it| it);
            found.push(RULE.finding(addr, format!("Cluster {name} runs the VPC CNI {version} in standard mode.")));
        }
    }
    found
}
