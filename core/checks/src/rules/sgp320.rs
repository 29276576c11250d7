//! SGP320: the limit is not at the first container.

use serde_json::Value as Json;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::list};

const RESOURCE: &str = "vpc.amazonaws.com/pod-eni";

pub(super) static RULE: Rule = Rule {
    id: "SGP320",
    severity: Severity::Warning,
    title: "First container without vpc.amazonaws.com/pod-eni",
    consequence: "The VPC CNI looks at the first container only. Where another webhook puts a container before it, the pod gets an \
                  ordinary address and the groups of its node, or hangs.",
    fix: "Let that webhook add its container at the end.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#2814", "github.com/aws/amazon-vpc-cni-k8s: pkg/ipamd/rpc_handler.go"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
# As it is in the cluster.
resource "kubernetes_manifest" "pod" {
  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata   = { name = "backend-0", namespace = "default" }
    spec = {
      containers = [
        { name = "proxy" },
        { name = "backend", resources = { limits = { "vpc.amazonaws.com/pod-eni" = "1" } } },
      ]
    }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "pod" {
  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata   = { name = "backend-0", namespace = "default" }
    spec = {
      containers = [
        { name = "backend", resources = { limits = { "vpc.amazonaws.com/pod-eni" = "1" } } },
        { name = "proxy" },
      ]
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for pod in facts.manifests("Pod") {
        let has = |it: &Json| it["resources"]["limits"].get(RESOURCE).is_some();
        let mut containers = list(&pod.json["spec"]["containers"]);
        let first = containers.next();
        if first.is_some_and(|it| !has(it)) && containers.any(has) {
            found.push(RULE.finding(pod.addr(), format!("{} has the limit at a later container.", pod.who())));
        }
    }
    found
}
