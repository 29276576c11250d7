//! SGP603: a cluster goes before its pods.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, finding::counted};

pub(super) static RULE: Rule = Rule {
    id: "SGP603",
    severity: Severity::Warning,
    title: "Cluster goes while pods have branch interfaces",
    consequence: "Nobody deletes the branch interfaces of pods that are there when the cluster goes, and they keep their subnets, \
                  groups and VPC from going.",
    fix: "Remove the pods first and wait for a minute; afterwards delete interfaces with description aws-k8s-branch-eni.",
    sources: &["Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\""],
    live: Live::Kubernetes,
    examples: Examples {
        before: r#"
# A pod that runs.
resource "kubernetes_manifest" "pod" {
  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata = {
      name        = "backend-0"
      namespace   = "app"
      labels      = { app = "backend" }
      annotations = { "vpc.amazonaws.com/pod-eni" = "[{\"eniId\":\"eni-0123456789abcdef0\"}]" }
    }
    spec   = { containers = [{ name = "backend" }] }
    status = { phase = "Running" }
  }
}
"#,
        wrong: r"
removed {
  from = aws_eks_cluster.this
}

removed {
  from = aws_eks_node_group.this
}

removed {
  from = sgp_pod_eni.this
}

removed {
  from = sgp_security_group_policy.backend
}
",
        right: "",
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in &facts.input.topology_before.clusters {
        let Some(addr) = cluster.managed_by.as_ref() else { continue };
        let action = facts.action(Some(addr));
        if !action.destroys() {
            continue;
        }
        let pods = cluster.pods.values().filter(|it| it.branch.is_some()).count();
        if pods > 0 {
            found.push(
                RULE.finding(
                    Some(addr),
                    format!("Cluster {name} has {} with branch interfaces.", counted(pods, "pod")),
                ),
            );
        } else if !cluster.is_complete && !cluster.policies.is_empty() {
            let what = format!("Cluster {name} has policies; whether pods run under them is not known.");
            found.push(RULE.finding(Some(addr), what).at_most(Severity::Note));
        }
    }
    found
}
