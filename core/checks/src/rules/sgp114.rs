//! SGP114: Cluster Autoscaler does not know what an empty group has.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

const TAG: &str = "k8s.io/cluster-autoscaler/node-template/resources/vpc.amazonaws.com/pod-eni";

pub(super) static RULE: Rule = Rule {
    id: "SGP114",
    severity: Severity::Warning,
    title: "Node group that does not scale up from nothing",
    consequence: "Cluster Autoscaler does not know that nodes of an empty group have branch interfaces, and never adds one for pods \
                  that need them.",
    fix: "Tag the group's Auto Scaling group with \
          k8s.io/cluster-autoscaler/node-template/resources/vpc.amazonaws.com/pod-eni and the number of a node.",
    sources: &["github.com/kubernetes/autoscaler#6021"],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "autoscaler" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "cluster-autoscaler", namespace = "kube-system" }
    spec       = { template = { metadata = { labels = { app = "cluster-autoscaler" } }, spec = { containers = [] } } }
  }
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large"]

  scaling_config {
    min_size     = 0
    desired_size = 0
    max_size     = 4
  }

  depends_on = [sgp_pod_eni.this]
}
"#,
        right: r#"
resource "kubernetes_manifest" "autoscaler" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "cluster-autoscaler", namespace = "kube-system" }
    spec       = { template = { metadata = { labels = { app = "cluster-autoscaler" } }, spec = { containers = [] } } }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let tags = facts.of_kind("aws_autoscaling_group_tag");
    let mut blocks = tags.flat_map(|(_, it)| it.blocks("tag"));
    if blocks.any(|it| it.text("key") == Some(TAG)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        let has_autoscaler = cluster.workloads.keys().any(|(_, _, name)| name.ends_with("cluster-autoscaler"));
        for group in cluster.node_groups.values().filter(|_| has_autoscaler) {
            if group.size.known().is_some_and(|(least, _, most)| *least == 0 && *most > 0) {
                found.push(
                    RULE.finding(
                        group.managed_by.as_ref(),
                        format!("A node group of cluster {name} may have no node."),
                    ),
                );
            }
        }
    }
    found
}
