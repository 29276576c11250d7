//! SGP112: prefixes do not make more branch interfaces.

use sgp_analysis::topology::Fact;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP112",
    severity: Severity::Note,
    title: "Prefix delegation does not make more branch interfaces",
    consequence: "Pods without groups get more addresses; for pods with groups the branch interfaces of the type are the most.",
    fix: "Count branch interfaces when nodes are chosen: `sgp capacity`.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s: README.md, ENABLE_POD_ENI",
        "github.com/aws/amazon-vpc-cni-k8s#1557",
        "github.com/aws/containers-roadmap#1153",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { ENABLE_PREFIX_DELEGATION = "true" }
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
    let clusters = facts.clusters().filter(|(name, it)| facts.wants_branches(name, it));
    let with = clusters.filter(|(_, it)| it.cni.prefix_delegation == Fact::Known(true));
    let finding = |(name, _): (&sgp_analysis::topology::Id, _)| {
        let addr = facts.cni_of(name).and_then(|it| it.object.addr.as_ref());
        RULE.finding(addr, format!("Cluster {name} delegates prefixes."))
    };
    with.map(finding).collect()
}
