//! SGP412: NodeLocal DNSCache in strict mode.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP412",
    severity: Severity::Error,
    title: "NodeLocal DNSCache in strict mode",
    consequence: "Pods with branch interfaces do not reach the cache on their node, and resolve no names.",
    fix: "Use standard mode, or do without the cache.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "github.com/aws/amazon-vpc-cni-k8s#1384",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "cache" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "DaemonSet"
    metadata   = { name = "node-local-dns", namespace = "kube-system" }
    spec = {
      template = {
        metadata = { labels = { "k8s-app" = "node-local-dns" } }
        spec     = { hostNetwork = true, containers = [{ name = "node-cache" }] }
      }
    }
  }
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "standard"
}

resource "kubernetes_manifest" "cache" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "DaemonSet"
    metadata   = { name = "node-local-dns", namespace = "kube-system" }
    spec = {
      template = {
        metadata = { labels = { "k8s-app" = "node-local-dns" } }
        spec     = { hostNetwork = true, containers = [{ name = "node-cache" }] }
      }
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.strict_clusters() {
        let cache =
            cluster.workloads.iter().find(|((_, kind, name), _)| kind == "DaemonSet" && name == "node-local-dns");
        if let Some((_, cache)) = cache {
            let what = format!("Cluster {name} runs the cache, and its pods with groups are in strict mode.");
            let finding = RULE.finding(cache.managed_by.as_ref(), what);
            found.push(if facts.has_policy_for_nodes(name) { finding } else { finding.at_most(Severity::Warning) });
        }
    }
    found
}
