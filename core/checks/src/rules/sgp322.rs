//! SGP322: a quota without branch interfaces.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP322",
    severity: Severity::Warning,
    title: "ResourceQuota with too few branch interfaces",
    consequence: "The webhook adds a request for a branch interface to each pod with groups, and the quota forbids the pod.",
    fix: "Raise `requests.vpc.amazonaws.com/pod-eni` in the quota, or leave it out.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: webhooks/core/pod_webhook.go",
        "kubernetes.io/docs/concepts/policy/resource-quotas",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "quota" {
  manifest = {
    apiVersion = "v1"
    kind       = "ResourceQuota"
    metadata   = { name = "quota", namespace = "app" }
    spec       = { hard = { "requests.vpc.amazonaws.com/pod-eni" = "0" } }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "quota" {
  manifest = {
    apiVersion = "v1"
    kind       = "ResourceQuota"
    metadata   = { name = "quota", namespace = "app" }
    spec       = { hard = { "requests.vpc.amazonaws.com/pod-eni" = "20" } }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for quota in facts.manifests("ResourceQuota") {
        let Some((name, _)) = quota.cluster else { continue };
        let hard = &quota.json["spec"]["hard"]["requests.vpc.amazonaws.com/pod-eni"];
        let Some(hard) = hard.as_u64().or_else(|| hard.as_str()?.parse().ok()) else { continue };
        let has_policy = facts
            .policies()
            .iter()
            .any(|it| it.cluster_name == name && it.namespace == quota.namespace() && it.is_for_nodes());
        let here = facts.pods().iter().filter(|it| it.cluster_name == name && it.namespace == quota.namespace());
        let wanted = here.filter(|it| it.has_branch()).filter_map(|it| it.replicas.known().copied().flatten());
        let wanted = wanted.map(u64::from).sum::<u64>().max(u64::from(has_policy));
        if hard < wanted {
            let what = format!("{} allows {hard} branch interfaces, and {wanted} or more are wanted.", quota.who());
            found.push(RULE.finding(quota.addr(), what).attr("manifest"));
        }
    }
    found
}
