//! SGP104: more pods than branch interfaces.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::most_branches};

pub(super) static RULE: Rule = Rule {
    id: "SGP104",
    severity: Severity::Error,
    title: "More pods with groups than branch interfaces",
    consequence: "The pods that are too many stay Pending (Insufficient vpc.amazonaws.com/pod-eni), whatever else the nodes have free.",
    fix: "Add nodes, or use larger types: `sgp capacity` shows what each type has.",
    sources: &[
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
        "github.com/aws/amazon-vpc-resource-controller-k8s#154",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
# Four nodes of m5.large have 36 branch interfaces.
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      replicas = 40
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
        right: r#"
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      replicas = 12
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        let (wanted, _) = facts.wanted_branches(name);
        let has_nodes = !cluster.node_groups.is_empty() || !cluster.nodes.is_empty();
        // Other means make as many nodes as are wanted.
        let is_closed = has_nodes && !facts.may_have_other_nodes(cluster);
        let report = facts.capacity(name).filter(|_| wanted > 0 && is_closed);
        let Some(most) = report.and_then(most_branches) else { continue };
        if wanted > most {
            let what = format!(
                "Pods with groups of their own want {wanted} branch interfaces in cluster {name}, and its nodes have {most} when \
                 every node group is as large as it may be."
            );
            let largest = facts.pods().iter().filter(|it| it.cluster_name == name && it.has_branch());
            let largest = largest.max_by_key(|it| it.replicas.known().copied().flatten());
            let finding = RULE.finding(largest.and_then(|it| it.addr), what);
            found.push(if facts.has_all_nodes(cluster) { finding } else { finding.at_most(Severity::Warning) });
        }
    }
    found
}
