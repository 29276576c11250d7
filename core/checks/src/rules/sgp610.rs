//! SGP610: tags on a CNINode.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP610",
    severity: Severity::Note,
    title: "Tags set on a CNINode by hand",
    consequence: "The interfaces of the node get the tags, until the CNINode is made anew with the node.",
    fix: "Do not build on them for costs or for access.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s#2647",
        "github.com/aws/amazon-vpc-cni-k8s#3368",
        "github.com/aws/amazon-vpc-resource-controller-k8s: config/crd/bases/vpcresources.k8s.aws_cninodes.yaml",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "vpcresources.k8s.aws/v1alpha1"
    kind       = "CNINode"
    metadata   = { name = "node-1" }
    spec       = { tags = { team = "orders" } }
  }
}
"#,
        right: r#"
# What the controller sets itself.
resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "vpcresources.k8s.aws/v1alpha1"
    kind       = "CNINode"
    metadata   = { name = "node-1" }
    spec       = { tags = { "cluster.k8s.amazonaws.com/name" = "orders" } }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for node in facts.manifests("CNINode") {
        let tags = node.json["spec"]["tags"].as_object().into_iter().flatten();
        let own: Vec<&str> =
            tags.map(|(key, _)| key.as_str()).filter(|key| !key.contains("k8s.amazonaws.com/")).collect();
        if !own.is_empty() {
            found.push(RULE.finding(node.addr(), format!("CNINode {} has {}.", node.name(), own.join(", "))));
        }
    }
    found
}
