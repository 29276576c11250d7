//! SGP106: branch interfaces that no pod can take.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::NodeTypes, finding::counted};

pub(super) static RULE: Rule = Rule {
    id: "SGP106",
    severity: Severity::Warning,
    title: "Fewer pods than branch interfaces",
    consequence: "Pods with groups of their own count against a node's most pods like all others: it is full before its branch \
                  interfaces are.",
    fix: "Raise the most pods of the nodes (`--max-pods` of kubelet).",
    sources: &["Amazon EKS best practices guide, \"Security Groups Per Pod\""],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
# As it is in the cluster.
resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "v1"
    kind       = "Node"
    metadata   = { name = "node-1", labels = { "node.kubernetes.io/instance-type" = "m5.4xlarge" } }
    status     = { allocatable = { pods = "29", "vpc.amazonaws.com/pod-eni" = "54" } }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "v1"
    kind       = "Node"
    metadata   = { name = "node-1", labels = { "node.kubernetes.io/instance-type" = "m5.4xlarge" } }
    status     = { allocatable = { pods = "110", "vpc.amazonaws.com/pod-eni" = "54" } }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let few = cluster.nodes.iter().filter_map(|(node, it)| Some((node, it.max_pods?, it.pod_eni?)));
        let few: Vec<_> = few.filter(|(_, pods, branches)| pods < branches).collect();
        if let Some((node, pods, branches)) = few.first() {
            let what = format!(
                "Cluster {name} has {} with room for fewer pods than branch interfaces: {node} takes {pods}, and has {branches}.",
                counted(few.len(), "node")
            );
            let nodes = facts.node_types(name, cluster);
            found.push(RULE.finding(nodes.iter().find_map(|it: &NodeTypes<'_>| it.addr), what));
        }
    }
    found
}
