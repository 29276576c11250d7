//! SGP416: Istio's ambient mode in strict mode.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::is_strict};

pub(super) static RULE: Rule = Rule {
    id: "SGP416",
    severity: Severity::Error,
    title: "Istio ambient mode in strict mode",
    consequence: "Probes come from 169.254.7.127 there, which pods with branch interfaces cannot answer: they never become Ready.",
    fix: "Use standard mode for clusters with Istio's ambient mode.",
    sources: &["istio.io, \"Platform-Specific Prerequisites\" for ambient mode"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_namespace_v1" "app" {
  metadata {
    name   = "app"
    labels = { "istio.io/dataplane-mode" = "ambient" }
  }
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "standard"
}

resource "kubernetes_namespace_v1" "app" {
  metadata {
    name   = "app"
    labels = { "istio.io/dataplane-mode" = "ambient" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in facts.policies().iter().filter(|it| it.is_for_nodes() && is_strict(it.cluster)) {
        let namespace = policy.cluster.namespaces.get(policy.namespace);
        let mode = namespace.and_then(|it| it.labels.get("istio.io/dataplane-mode"));
        if mode.is_some_and(|it| it == "ambient") {
            let what = format!("Namespace {} is in ambient mode and has the {}.", policy.namespace, policy.who());
            found.push(RULE.finding(policy.addr(), what));
        }
    }
    found
}
