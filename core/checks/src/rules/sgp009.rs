//! SGP009: policies without pod ENI.

use sgp_analysis::topology::Fact;

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{CniSettings, Stated},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP009",
    severity: Severity::Error,
    title: "Policies in a cluster without pod ENI",
    consequence: "Nodes ask for no trunk, and pods that a policy matches stay Pending: Insufficient vpc.amazonaws.com/pod-eni.",
    fix: "Turn it on with a `sgp_pod_eni` for the cluster, or with `ENABLE_POD_ENI = \"true\"` in the add-on's `env`.",
    sources: &[
        "Amazon EKS user guide, \"Configure the Amazon VPC CNI plugin for Kubernetes for security groups for Amazon EKS Pods\"",
        "github.com/aws/amazon-vpc-resource-controller-k8s: docs/troubleshooting.md",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
}
"#,
        right: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
  configuration_values = jsonencode({
    env  = { ENABLE_POD_ENI = "true" }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
  })
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let mut policies = facts.policies().iter().filter(|it| it.cluster_name == name && it.is_for_nodes());
        let Some(policy) = policies.next().filter(|_| cluster.is_auto != Fact::Known(true)) else { continue };
        let cni = facts.cni_of(name);
        let pod_eni =
            if cni.is_some_and(|it| is_without_values(facts, it)) { Fact::Known(false) } else { cluster.cni.pod_eni };
        let is_new = facts.is_made(cluster.managed_by.as_ref());
        let (addr, severity) = match (pod_eni, cni) {
            // What is set by hand stays on a cluster that is there already.
            (Fact::Known(false), Some(cni))
                if is_new || cni.env.contains_key("ENABLE_POD_ENI") || facts.input.is_live =>
            {
                (cni.object.addr.as_ref(), Severity::Error)
            }
            (Fact::Known(false), Some(cni)) => (cni.object.addr.as_ref(), Severity::Warning),
            // Nothing here speaks of the CNI: a new cluster begins without, and something else may turn it on.
            (Fact::Unknown, None) if is_new => (policy.addr(), Severity::Warning),
            (Fact::Known(false), None) if facts.input.is_live => (policy.addr(), Severity::Error),
            _ => continue,
        };
        let what = format!("Cluster {name} has policies, {} among them, and pod ENI is not on.", policy.who());
        found.push(RULE.finding(addr, what).at_most(severity));
    }
    found
}

/// Whether it is an add-on that comes into being with its own values alone.
fn is_without_values(facts: &Facts<'_>, cni: &CniSettings<'_>) -> bool {
    let addr = cni.object.addr.as_ref();
    cni.stated == Stated::Addon && facts.is_made(addr) && facts.is_unsaid(addr, "configuration_values")
}

#[cfg(test)]
mod tests {
    use crate::testing::{WORKING, change, rows, told};

    const ADDON: &str = r#"
      removed { from = sgp_pod_eni.this }
      resource "aws_eks_addon" "cni" {
        cluster_name = aws_eks_cluster.this.name
        addon_name   = "vpc-cni"
      }"#;

    #[test]
    fn what_is_not_stated_may_be_set_by_hand() {
        let found = change(&[WORKING, ADDON], &[WORKING, ADDON]);
        assert!(told(&found).contains(&"warning aws_eks_addon.cni".to_owned()), "{found:#?}");
        rows(
            "SGP009",
            &[
                ("removed {\nfrom = sgp_pod_eni.this\n}", &["warning sgp_security_group_policy.backend"]),
                (&format!("{ADDON}\nremoved {{\nfrom = sgp_security_group_policy.backend\n}}"), &[]),
            ],
        );
    }

    #[test]
    fn pods_on_fargate_need_none() {
        let fargate = r#"
          resource "aws_eks_fargate_profile" "app" {
            cluster_name         = aws_eks_cluster.this.name
            fargate_profile_name = "app"
            selector { namespace = "app" }
          }"#;
        rows("SGP009", &[(&format!("{ADDON}\n{fargate}"), &[])]);
    }
}
