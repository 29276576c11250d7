//! SGP210: branch interfaces do not follow the ENIConfig "default".

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP210",
    severity: Severity::Warning,
    title: "ENIConfig \"default\" with groups of pods",
    consequence: "The VPC CNI takes it for nodes that name none, the VPC resource controller does not: branch interfaces are made in \
                  the subnet of the node.",
    fix: "Name ENIConfigs after zones, and set `ENI_CONFIG_LABEL_DEF = \"topology.kubernetes.io/zone\"`.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s: pkg/ipamd/ipamd.go, pkg/eniconfig/eniconfig.go",
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/node/manager/manager.go",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG = "true" }
}

resource "kubernetes_manifest" "default" {
  manifest = {
    apiVersion = "crd.k8s.amazonaws.com/v1alpha1"
    kind       = "ENIConfig"
    metadata   = { name = "default" }
    spec       = { subnet = "subnet-00000000000000001" }
  }
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG = "true", ENI_CONFIG_LABEL_DEF = "topology.kubernetes.io/zone" }
}

resource "kubernetes_manifest" "zone" {
  manifest = {
    apiVersion = "crd.k8s.amazonaws.com/v1alpha1"
    kind       = "ENIConfig"
    metadata   = { name = "eu-central-1a" }
    spec       = { subnet = "subnet-00000000000000001" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for config in facts.manifests("ENIConfig").filter(|it| it.name() == "default") {
        let Some((name, cluster)) = config.cluster.filter(|(name, it)| facts.wants_branches(name, it)) else {
            continue;
        };
        let is_chosen = facts.env(name, "ENI_CONFIG_LABEL_DEF").is_some();
        let is_labelled = cluster.node_groups.values().any(|it| it.labels.contains_key("k8s.amazonaws.com/eniConfig"));
        if super::sgp109::is_custom(facts, name) && !is_chosen && !is_labelled {
            found.push(RULE.finding(config.addr(), format!("Nodes of cluster {name} name no ENIConfig.")));
        }
    }
    found
}
