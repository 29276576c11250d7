//! SGP417: what standard mode leaves open.

use sgp_analysis::topology::{EnforcingMode, Fact};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP417",
    severity: Severity::Warning,
    title: "Standard mode does not part pods of one node",
    consequence: "Traffic between pods of one node stays on it, and no group looks at it. By the user guide such pods may also not \
                  reach each other at all.",
    fix: "Use strict mode where pods are to be kept apart, or NetworkPolicies beside.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s: README.md, POD_SECURITY_GROUP_ENFORCING_MODE",
        "github.com/awsdocs/amazon-eks-user-guide#634",
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
  enforcing_mode = "strict"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(_, it)| it.cni.mode == Fact::Known(EnforcingMode::Standard)) {
        let mut policies = facts.policies().iter().filter(|it| it.cluster_name == name && it.is_for_nodes());
        // NetworkPolicies of the CNI do part them.
        if policies.next().is_some() && cluster.cni.has_network_policies != Fact::Known(true) {
            let addr = facts.cni_of(name).and_then(|it| it.object.addr.as_ref());
            found.push(RULE.finding(addr, format!("Cluster {name} has policies and is in standard mode.")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::testing::live_rows;

    #[test]
    fn the_object_that_decides_is_the_configuration_s() {
        let text = r#"
            resource "sgp_pod_eni" "this" {
              cluster_name   = aws_eks_cluster.this.name
              enforcing_mode = "standard"
            }
            resource "kubernetes_manifest" "live_daemon" {
              manifest = {
                kind     = "DaemonSet"
                metadata = { name = "aws-node", namespace = "kube-system" }
                spec     = { template = { spec = { containers = [{
                  name = "aws-node"
                  env  = [{ name = "POD_SECURITY_GROUP_ENFORCING_MODE", value = "standard" }]
                }] } } }
              }
            }"#;
        live_rows("SGP417", &[(text, &["warning sgp_pod_eni.this"])]);
    }
}
