//! SGP414: Calico's policies in strict mode.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP414",
    severity: Severity::Warning,
    title: "NetworkPolicies of Calico in strict mode",
    consequence: "Calico passes over the interfaces of pods with groups in strict mode: its NetworkPolicies keep nothing out there.",
    fix: "Use standard mode, or the VPC CNI's own NetworkPolicies.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "github.com/aws/amazon-vpc-cni-k8s: pkg/sgpp/utils.go",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "calico" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "DaemonSet"
    metadata   = { name = "calico-node", namespace = "calico-system" }
    spec = {
      template = {
        metadata = { labels = { "k8s-app" = "calico-node" } }
        spec     = { hostNetwork = true, containers = [{ name = "calico-node" }] }
      }
    }
  }
}

resource "kubernetes_network_policy_v1" "backend" {
  metadata {
    name      = "backend"
    namespace = "app"
  }

  spec {
    pod_selector {}
    policy_types = ["Ingress"]
  }
}
"#,
        right: r#"
resource "kubernetes_network_policy_v1" "backend" {
  metadata {
    name      = "backend"
    namespace = "app"
  }

  spec {
    pod_selector {}
    policy_types = ["Ingress"]
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.strict_clusters() {
        let has_calico = cluster.workloads.keys().any(|(_, kind, name)| kind == "DaemonSet" && name == "calico-node");
        for policy in facts.policies().iter().filter(|it| has_calico && it.cluster_name == name && it.is_for_nodes()) {
            if cluster.network_policies.keys().any(|(namespace, _)| namespace == policy.namespace) {
                let what = format!("Namespace {} has NetworkPolicies and the {}.", policy.namespace, policy.who());
                found.push(RULE.finding(policy.addr(), what));
            }
        }
    }
    found
}
