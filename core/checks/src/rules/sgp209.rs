//! SGP209: an ENIConfig changes under nodes with trunks.

use sgp_model::json::known_part;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP209",
    severity: Severity::Warning,
    title: "ENIConfig changes under nodes with trunks",
    consequence: "A trunk keeps the subnet and the groups that it was made with, and branch interfaces stay in that subnet.",
    fix: "Replace the nodes after the apply.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s#373",
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/provider/branch/trunk/trunk.go",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: r#"
resource "kubernetes_manifest" "zone" {
  manifest = {
    apiVersion = "crd.k8s.amazonaws.com/v1alpha1"
    kind       = "ENIConfig"
    metadata   = { name = "eu-central-1a" }
    spec       = { subnet = "subnet-00000000000000001" }
  }
}
"#,
        wrong: r#"
resource "kubernetes_manifest" "zone" {
  manifest = {
    apiVersion = "crd.k8s.amazonaws.com/v1alpha1"
    kind       = "ENIConfig"
    metadata   = { name = "eu-central-1a" }
    spec       = { subnet = "subnet-00000000000000002" }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "zone" {
  manifest = {
    apiVersion = "crd.k8s.amazonaws.com/v1alpha1"
    kind       = "ENIConfig"
    metadata   = { name = "eu-central-1a", labels = { team = "network" } }
    spec       = { subnet = "subnet-00000000000000001" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for config in facts.manifests("ENIConfig") {
        let wants = config.cluster.is_some_and(|(name, it)| facts.wants_branches(name, it));
        let before = config.addr().and_then(|it| facts.was(it)).filter(|_| wants);
        let Some(before) = before.and_then(|it| it.get("manifest").map(known_part)) else { continue };
        let differs = |field: &str| before["spec"][field] != config.json["spec"][field];
        if differs("subnet") || differs("securityGroups") {
            found.push(RULE.finding(config.addr(), format!("ENIConfig {} changes.", config.name())).attr("manifest"));
        }
    }
    found
}
