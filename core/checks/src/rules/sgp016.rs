//! SGP016: the enforcing mode changes under running pods.

use sgp_analysis::topology::Fact;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP016",
    severity: Severity::Warning,
    title: "Enforcing mode changes under running pods",
    consequence: "Pods keep the mode that they began with, so both modes are at work until every pod with groups was made anew.",
    fix: "Restart the workloads after the apply: kubectl rollout restart.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s: README.md, POD_SECURITY_GROUP_ENFORCING_MODE",
        "Amazon EKS best practices guide, \"Security Groups Per Pod\"",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "strict"
}
"#,
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "standard"
  external_snat  = true
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "strict"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, before) in &facts.input.topology_before.clusters {
        let Some(after) = facts.input.topology.clusters.get(name) else { continue };
        let (Fact::Known(old), Fact::Known(new)) = (before.cni.mode, after.cni.mode) else { continue };
        // Without policies and pods of their own groups nothing runs in either mode.
        let may_run = !before.policies.is_empty() && before.cni.pod_eni != Fact::Known(false);
        let runs = before.pods.values().filter(|it| it.branch.is_some()).count();
        let is_known_idle = before.is_complete && runs == 0;
        if old == new || !may_run || is_known_idle {
            continue;
        }
        let word = |mode| format!("{mode:?}").to_lowercase();
        let pods = if runs > 0 { format!(" with {runs} pods that have groups of their own") } else { String::new() };
        let what = format!("Cluster {name}{pods} goes from {} to {} mode.", word(old), word(new));
        found.push(RULE.finding(facts.cni_of(name).and_then(|it| it.object.addr.as_ref()), what));
    }
    found
}
