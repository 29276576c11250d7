//! SGP110: nodes without a slot for the trunk.

use sgp_analysis::{
    limits,
    topology::{Fact, Id, InterfaceKind},
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, finding::counted};

pub(super) static RULE: Rule = Rule {
    id: "SGP110",
    severity: Severity::Warning,
    title: "Running nodes without a slot for the trunk",
    consequence: "Ordinary pods take all of their interfaces, and the trunk finds no slot: \"No slot available for a trunk ENI\".",
    fix: "Replace the nodes after pod ENI is on, or move pods away until an interface is given back.",
    sources: &[
        "Amazon EKS user guide, \"Configure the Amazon VPC CNI plugin for Kubernetes for security groups for Amazon EKS Pods\"",
        "github.com/aws/amazon-vpc-cni-k8s#1202",
        "github.com/aws/amazon-vpc-cni-k8s#1210",
    ],
    live: Live::Both,
    examples: Examples {
        before: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
}

# As they are in the cluster and in AWS.
resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "v1"
    kind       = "Node"
    metadata   = { name = "node-1", labels = { "node.kubernetes.io/instance-type" = "m6g.medium" } }
    spec       = { providerID = "aws:///eu-central-1a/i-0123456789abcdef0" }
  }
}

resource "aws_network_interface" "first" {
  id         = "eni-00000000000000001"
  vpc_id     = aws_vpc.this.id
  subnet_id  = aws_subnet.a.id
  status     = "in-use"
  attachment = { instance_id = "i-0123456789abcdef0", device_index = 0 }
}

resource "aws_network_interface" "second" {
  id         = "eni-00000000000000002"
  vpc_id     = aws_vpc.this.id
  subnet_id  = aws_subnet.a.id
  status     = "in-use"
  attachment = { instance_id = "i-0123456789abcdef0", device_index = 1 }
}
"#,
        wrong: r#"
resource "aws_eks_addon" "cni" {
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = "vpc-cni"
  configuration_values = jsonencode({ env = { ENABLE_POD_ENI = "true" } })
}
"#,
        right: r#"
removed {
  from = sgp_pod_eni.this
}

removed {
  from = sgp_security_group_policy.backend
}

resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, before) in &facts.input.topology_before.clusters {
        let is_on = facts.input.topology.clusters.get(name).is_some_and(|it| it.cni.pod_eni == Fact::Known(true));
        if before.cni.pod_eni == Fact::Known(true) || !is_on {
            continue;
        }
        let full = before.nodes.iter().filter(|(_, it)| {
            let limits = it.instance_type.as_deref().and_then(limits::of).filter(|it| it.trunk_compatible);
            limits.zip(it.instance.as_ref()).is_some_and(|(limits, id)| is_full(facts, id, limits.usable_enis()))
        });
        let full: Vec<&str> = full.map(|(node, _)| node.as_str()).collect();
        if !full.is_empty() {
            let addr = facts.cni_of(name).and_then(|it| it.object.addr.as_ref());
            let shown = full.iter().take(5).copied().collect::<Vec<_>>().join(", ");
            found.push(RULE.finding(
                addr,
                format!("Cluster {name} has {} with all interfaces in use: {shown}.", counted(full.len(), "node")),
            ));
        }
    }
    found
}

fn is_full(facts: &Facts<'_>, instance: &Id, most: u32) -> bool {
    let all = facts.input.topology_before.interfaces.values().filter(|it| it.instance.as_ref() == Some(instance));
    let own: Vec<_> = all.filter(|it| it.kind != InterfaceKind::Branch).collect();
    own.len() >= most as usize && !own.iter().any(|it| it.kind == InterfaceKind::Trunk)
}
