//! SGP418: groups and NetworkPolicies in one namespace.

use sgp_analysis::topology::Fact;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP418",
    severity: Severity::Note,
    title: "Groups and NetworkPolicies on the same pods",
    consequence: "Where both are enforced, traffic has to pass both.",
    fix: "Look at both when a connection fails; `sgp trace` shows which one decides.",
    sources: &[
        "Amazon EKS best practices guide, \"Security Groups Per Pod\"",
        "github.com/aws/aws-network-policy-agent: pkg/ebpf/bpf_client.go",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_network_policy_v1" "backend" {
  metadata {
    name      = "backend"
    namespace = "app"
  }

  spec {
    pod_selector {}
    policy_types = ["Ingress"]
  }
}
"#,
        right: r#"
resource "kubernetes_network_policy_v1" "tools" {
  metadata {
    name      = "tools"
    namespace = "default"
  }

  spec {
    pod_selector {}
    policy_types = ["Ingress"]
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in facts.policies().iter().filter(|it| it.is_for_nodes()) {
        if !policy.cluster.network_policies.keys().any(|(namespace, _)| namespace == policy.namespace) {
            continue;
        }
        let by_cni = match policy.cluster.cni.has_network_policies {
            Fact::Known(true) => "the VPC CNI enforces them",
            Fact::Known(false) => "the VPC CNI does not enforce them, so that they count only if something else does",
            Fact::Unknown => "whether the VPC CNI enforces them is not known",
        };
        let what = format!("Namespace {} has the {} and NetworkPolicies; {by_cni}.", policy.namespace, policy.who());
        found.push(RULE.finding(policy.addr(), what));
    }
    found
}
