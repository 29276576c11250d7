//! SGP212: egress rules that standard mode passes by.

use sgp_analysis::{
    sets::Traffic,
    topology::{Direction, EnforcingMode, Fact},
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Other, Sure},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP212",
    severity: Severity::Warning,
    title: "Egress rules that do not count outside the VPC",
    consequence: "In standard mode packets that leave the VPC get the node's address and pass the node's groups: what the pods' groups \
                  keep in goes out all the same.",
    fix: "Set `external_snat = true` (AWS_VPC_K8S_CNI_EXTERNALSNAT) with NAT gateways, or use strict mode.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s: README.md, POD_SECURITY_GROUP_ENFORCING_MODE",
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "standard"
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "standard"
  external_snat  = true
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let anywhere = Other { may_have_more: true, ..Other::default() };
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let is_so =
            cluster.cni.mode == Fact::Known(EnforcingMode::Standard) && cluster.cni.external_snat == Fact::Known(false);
        let here = facts.dressed().iter().filter(|it| is_so && it.cluster_name == name);
        // Pods that may go everywhere lose nothing.
        let kept_in = here.filter(|it| {
            let groups = it
                .groups
                .iter()
                .all(|id| facts.input.topology.groups.get(id).is_some_and(|it| !it.may_have_more_rules));
            groups && facts.passes(&it.groups, Direction::Egress, &Traffic::all(), &anywhere) == Sure::No
        });
        if let Some(dressed) = kept_in.into_iter().next() {
            let addr = facts.cni_of(name).and_then(|it| it.object.addr.as_ref());
            let what = format!(
                "Cluster {name} is in standard mode without external SNAT, and groups of {} do not let everything out.",
                dressed.who
            );
            found.push(RULE.finding(addr, what));
        }
    }
    found
}
