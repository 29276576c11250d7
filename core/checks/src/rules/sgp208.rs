//! SGP208: no ENIConfig for a zone.

use std::collections::BTreeSet;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP208",
    severity: Severity::Error,
    title: "Zone without an ENIConfig",
    consequence: "Nodes of the zone get neither addresses for pods nor a trunk (event EniConfigNameNotFound, or a line in the \
                  controller's log only).",
    fix: "Make an ENIConfig with the zone's name and a subnet there.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: pkg/node/manager/manager.go"],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG = "true", ENI_CONFIG_LABEL_DEF = "topology.kubernetes.io/zone" }
}

resource "aws_subnet" "a" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.0.0.0/20"
  availability_zone = "eu-central-1a"
}

resource "kubernetes_manifest" "zone" {
  manifest = {
    apiVersion = "crd.k8s.amazonaws.com/v1alpha1"
    kind       = "ENIConfig"
    metadata   = { name = "eu-central-1b" }
    spec       = { subnet = "subnet-0123456789abcdef0" }
  }
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG = "true", ENI_CONFIG_LABEL_DEF = "topology.kubernetes.io/zone" }
}

resource "aws_subnet" "a" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.0.0.0/20"
  availability_zone = "eu-central-1a"
}

resource "kubernetes_manifest" "zone" {
  manifest = {
    apiVersion = "crd.k8s.amazonaws.com/v1alpha1"
    kind       = "ENIConfig"
    metadata   = { name = "eu-central-1a" }
    spec       = { subnet = aws_subnet.a.id }
  }
}
"#,
    },
    check,
};

/// Labels with the zone of a node.
const ZONES: [&str; 2] = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, _)| super::sgp109::is_custom(facts, name)) {
        let by_zone = facts.env(name, "ENI_CONFIG_LABEL_DEF").is_some_and(|(label, _)| ZONES.contains(&label));
        let configs: BTreeSet<&str> =
            facts.manifests("ENIConfig").filter(|it| it.is_in(name)).map(|it| it.name()).collect();
        // Without any, something else makes them; one whose name is not known yet may be it.
        let is_open = configs.iter().any(|it| it.is_empty() || sgp_model::symbol::is_in(it));
        if !by_zone || is_open || configs.is_empty() {
            continue;
        }
        for (id, group) in &cluster.node_groups {
            let subnets = group.subnets.iter().filter_map(|id| facts.input.topology.subnets.get(id)?.zone.known());
            let zones: BTreeSet<&str> =
                subnets.map(String::as_str).filter(|it| !sgp_model::symbol::is_in(it)).collect();
            let missing: Vec<&str> = zones.difference(&configs).copied().collect();
            if !missing.is_empty() {
                let what = format!(
                    "Node group {id} of cluster {name} has nodes in {}, which has no ENIConfig.",
                    missing.join(", ")
                );
                let finding = RULE.finding(group.managed_by.as_ref(), what);
                // Others may be made beside this configuration.
                let is_sure = cluster.is_complete || facts.is_made(cluster.managed_by.as_ref());
                found.push(if is_sure { finding } else { finding.at_most(Severity::Warning) });
            }
        }
    }
    found
}
