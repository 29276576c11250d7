//! SGP318: a policy goes while pods wait for it.

use sgp_analysis::{
    matching::{Says, says},
    topology::Fact,
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, finding::counted};

pub(super) static RULE: Rule = Rule {
    id: "SGP318",
    severity: Severity::Warning,
    title: "Policy goes while pods wait for their interfaces",
    consequence: "Groups are looked up again when the interface is made: such a pod gets a branch interface with the groups of its \
                  node.",
    fix: "Wait until the pods run, or make them anew afterwards.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: pkg/provider/branch/provider.go"],
    live: Live::Kubernetes,
    examples: Examples {
        before: r#"
# A pod that waits.
resource "kubernetes_manifest" "pod" {
  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata   = { name = "backend-0", namespace = "app", labels = { app = "backend" } }
    spec       = { containers = [{ name = "backend" }] }
    status     = { phase = "Pending" }
  }
}
"#,
        wrong: r"
removed {
  from = sgp_security_group_policy.backend
}
",
        right: r#"
resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }

  depends_on = [sgp_pod_eni.this]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, before) in &facts.input.topology_before.clusters {
        let Some(after) = facts.input.topology.clusters.get(name) else { continue };
        for (key, policy) in before.policies.iter().filter(|(key, _)| !after.policies.contains_key(*key)) {
            let waits = |(pod, it): &(&sgp_analysis::topology::PodKey, &sgp_analysis::topology::Pod)| {
                pod.namespace == key.0
                    && it.phase == "Pending"
                    && it.branch.is_none()
                    && says(policy, &it.template.labels, &Fact::Unknown) == Says::Matches
            };
            let count = before.pods.iter().filter(waits).count();
            if count > 0 {
                let what = format!("Policy {}/{} goes, with {} Pending under it.", key.0, key.1, counted(count, "pod"));
                found.push(RULE.finding(policy.managed_by.as_ref(), what));
            }
        }
    }
    found
}
