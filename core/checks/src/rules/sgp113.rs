//! SGP113: Karpenter does not know of the trunk.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::list};

pub(super) static RULE: Rule = Rule {
    id: "SGP113",
    severity: Severity::Warning,
    title: "Karpenter without RESERVED_ENIS",
    consequence: "Karpenter counts the addresses of the interface that the trunk takes: its nodes are given more pods than they have \
                  addresses for.",
    fix: "Set `RESERVED_ENIS=1` (in the chart `settings.reservedENIs`).",
    sources: &[
        "github.com/aws/karpenter-provider-aws#7312",
        "github.com/aws/karpenter-provider-aws#5031",
        "github.com/aws/karpenter-provider-aws#2217",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "karpenter" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "karpenter", namespace = "kube-system" }
    spec = {
      template = {
        metadata = { labels = { "app.kubernetes.io/name" = "karpenter" } }
        spec     = { containers = [{ name = "controller", env = [{ name = "CLUSTER_NAME", value = "orders" }] }] }
      }
    }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "karpenter" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "karpenter", namespace = "kube-system" }
    spec = {
      template = {
        metadata = { labels = { "app.kubernetes.io/name" = "karpenter" } }
        spec     = { containers = [{ name = "controller", env = [{ name = "RESERVED_ENIS", value = "1" }] }] }
      }
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for deployment in facts.manifests("Deployment").filter(|it| it.name() == "karpenter") {
        let wants = deployment.cluster.is_some_and(|(name, it)| facts.wants_branches(name, it));
        let containers = list(&deployment.json["spec"]["template"]["spec"]["containers"]);
        let mut env = containers.flat_map(|it| list(&it["env"]));
        let is_set =
            env.any(|it| it["name"] == "RESERVED_ENIS" && it["value"] != "0" || it["name"] == "AWS_ENABLE_POD_ENI");
        if wants && !is_set {
            found.push(RULE.finding(deployment.addr(), format!("{} does not set RESERVED_ENIS.", deployment.who())));
        }
    }
    found
}
