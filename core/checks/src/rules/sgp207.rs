//! SGP207: groups of an ENIConfig and of policies.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::strings};

pub(super) static RULE: Rule = Rule {
    id: "SGP207",
    severity: Severity::Note,
    title: "Groups of an ENIConfig do not count for pods with policies",
    consequence: "Pods that a policy matches have its groups alone; those of the ENIConfig are for the other pods.",
    fix: "Put what all pods need into the groups of the policies, too.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "github.com/aws/amazon-vpc-resource-controller-k8s#189",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "zone" {
  manifest = {
    apiVersion = "crd.k8s.amazonaws.com/v1alpha1"
    kind       = "ENIConfig"
    metadata   = { name = "eu-central-1a" }
    spec       = { subnet = aws_subnet.a.id, securityGroups = ["sg-0123456789abcdef0"] }
  }
}
"#,
        right: r#"
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

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for config in facts.manifests("ENIConfig") {
        let wants = config.cluster.is_some_and(|(name, it)| facts.wants_branches(name, it));
        if wants && strings(&config.json["spec"]["securityGroups"]).next().is_some() {
            found.push(RULE.finding(config.addr(), format!("ENIConfig {} names groups.", config.name())));
        }
    }
    found
}
