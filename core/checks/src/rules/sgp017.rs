//! SGP017: pod ENI is turned off.

use sgp_analysis::topology::Fact;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP017",
    severity: Severity::Warning,
    title: "Pod ENI is turned off",
    consequence: "Nodes keep their trunk interfaces, and with each the slot of an ordinary one, until the instances are replaced.",
    fix: "Replace the nodes afterwards.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s: README.md, ENABLE_POD_ENI"],
    live: Live::Kubernetes,
    examples: Examples {
        before: r#"
resource "aws_eks_addon" "cni" {
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = "vpc-cni"
  configuration_values = jsonencode({ env = { ENABLE_POD_ENI = "true" } })
}
"#,
        wrong: r#"
removed {
  from = sgp_pod_eni.this
}

removed {
  from = sgp_security_group_policy.backend
}

resource "aws_eks_addon" "cni" {
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = "vpc-cni"
  configuration_values = jsonencode({ env = { ENABLE_POD_ENI = "false" } })
}
"#,
        right: r#"
resource "aws_eks_addon" "cni" {
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = "vpc-cni"
  configuration_values = jsonencode({ env = { ENABLE_POD_ENI = "true" } })
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, before) in &facts.input.topology_before.clusters {
        let after = facts.input.topology.clusters.get(name);
        let is_off = after.is_some_and(|it| it.cni.pod_eni == Fact::Known(false));
        if before.cni.pod_eni == Fact::Known(true) && is_off {
            let addr = facts.cni_of(name).and_then(|it| it.object.addr.as_ref());
            found.push(RULE.finding(addr, format!("Cluster {name} has pod ENI on, and the plan turns it off.")));
        }
    }
    found
}
