//! SGP115: a node that should have branch interfaces and has none.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::list};

pub(super) static RULE: Rule = Rule {
    id: "SGP115",
    severity: Severity::Warning,
    title: "Node asks for a trunk and offers no branch interfaces",
    consequence: "Pods with groups of their own stay Pending beside a node that looks healthy.",
    fix: "Look at the node's events (TrunkENICreationFailed, Unsupported); if there are none, restart kubelet or replace the node.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s#637",
        "github.com/aws/amazon-vpc-resource-controller-k8s: docs/troubleshooting.md",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
# As they are in the cluster.
resource "kubernetes_manifest" "cninode" {
  manifest = {
    apiVersion = "vpcresources.k8s.aws/v1alpha1"
    kind       = "CNINode"
    metadata   = { name = "node-1" }
    spec       = { features = [{ name = "SecurityGroupsForPods" }] }
  }
}

resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "v1"
    kind       = "Node"
    metadata   = { name = "node-1" }
    status     = { allocatable = { pods = "29" } }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "v1"
    kind       = "Node"
    metadata   = { name = "node-1" }
    status     = { allocatable = { pods = "29", "vpc.amazonaws.com/pod-eni" = "9" } }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for feature in facts.manifests("CNINode") {
        let asks = list(&feature.json["spec"]["features"]).any(|it| it["name"] == "SecurityGroupsForPods");
        let node = feature.cluster.and_then(|(_, it)| it.nodes.get(feature.name()));
        if asks && node.is_some_and(|it| it.pod_eni.unwrap_or(0) == 0) {
            found.push(RULE.finding(None, format!("Node {} asks for a trunk and offers none.", feature.name())));
        }
    }
    found
}
