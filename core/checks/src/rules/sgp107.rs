//! SGP107: more pods than addresses.

use sgp_analysis::{
    limits,
    topology::{Cluster, Fact, Node},
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, finding::counted};

/// Pods that use the host's network and need no address: the agents that a node usually has.
const ON_HOST: u32 = 10;

pub(super) static RULE: Rule = Rule {
    id: "SGP107",
    severity: Severity::Warning,
    title: "More pods than addresses",
    consequence: "The scheduler sends pods to nodes that have no address for them: failed to assign an IP address to container.",
    fix: "Lower the most pods of the nodes, or use prefix delegation for pods without groups.",
    sources: &[
        "Amazon EKS best practices guide, \"Security Groups Per Pod\"",
        "github.com/aws/amazon-vpc-cni-k8s#2749",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
# As it is in the cluster.
resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "v1"
    kind       = "Node"
    metadata   = { name = "node-1", labels = { "node.kubernetes.io/instance-type" = "m5.large" } }
    status     = { allocatable = { pods = "110", "vpc.amazonaws.com/pod-eni" = "9" } }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "v1"
    kind       = "Node"
    metadata   = { name = "node-1", labels = { "node.kubernetes.io/instance-type" = "m5.large" } }
    status     = { allocatable = { pods = "29", "vpc.amazonaws.com/pod-eni" = "9" } }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(_, it)| has_single_addresses(it)) {
        let many = cluster.nodes.iter().filter_map(|(node, it)| Some((node, it.max_pods?, places(it)?)));
        let many: Vec<_> = many.filter(|(_, pods, places)| *pods > places + ON_HOST).collect();
        if let Some((node, pods, places)) = many.first() {
            let what = format!(
                "Cluster {name} has {} with room for more pods than addresses: {node} takes {pods}, and has {places}.",
                counted(many.len(), "node")
            );
            found.push(RULE.finding(None, what));
        }
    }
    found
}

/// Whether nodes give pods addresses one by one.
fn has_single_addresses(cluster: &Cluster) -> bool {
    cluster.cni.prefix_delegation == Fact::Known(false) && cluster.is_ipv6 != Fact::Known(true)
}

/// Addresses for pods, of the node's interfaces and of branch interfaces.
fn places(node: &Node) -> Option<u32> {
    let (limits, branches) = (limits::of(node.instance_type.as_deref()?)?, node.pod_eni.unwrap_or(0));
    // The trunk takes an interface and gives no addresses.
    let interfaces = limits.usable_enis().saturating_sub(u32::from(branches > 0));
    Some(interfaces * limits.ipv4_per_eni.saturating_sub(1) + branches)
}
