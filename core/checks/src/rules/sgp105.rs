//! SGP105: no room for a rolling update.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::most_branches};

pub(super) static RULE: Rule = Rule {
    id: "SGP105",
    severity: Severity::Warning,
    title: "No room for a rolling update",
    consequence: "A branch interface counts for a minute after its pod. New pods of an update wait for that, step by step, while the \
                  scheduler sees room.",
    fix: "Leave room for the surge, let updates go with `maxSurge: 0`, or add nodes.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/provider/branch/trunk/trunk.go",
        "github.com/aws/amazon-vpc-resource-controller-k8s#124",
        "github.com/aws/amazon-vpc-cni-k8s#2049",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
# Four nodes of m5.large have 36 branch interfaces; 25 per cent of 34 pods are 9 more during an update.
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      replicas = 34
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
        let (wanted, surge) = facts.wanted_branches(name);
        let has_nodes = !cluster.node_groups.is_empty() || !cluster.nodes.is_empty();
        let is_closed = has_nodes && !facts.may_have_other_nodes(cluster) && surge > 0;
        let Some(most) = facts.capacity(name).filter(|_| is_closed).and_then(most_branches) else { continue };
        if wanted <= most && wanted + surge > most {
            let what = format!(
                "Pods want {wanted} branch interfaces in cluster {name}, an update {surge} more, and its nodes have {most} at most."
            );
            let mut pods = facts.pods().iter().filter(|it| it.cluster_name == name && it.has_branch());
            let updated = pods.find(|it| it.surge.known().copied().map(u64::from) == Some(surge));
            found.push(RULE.finding(updated.and_then(|it| it.addr), what));
        }
    }
    found
}
