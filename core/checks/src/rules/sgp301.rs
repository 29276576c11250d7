//! SGP301: a policy that has no selector.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP301",
    severity: Severity::Error,
    title: "Policy without a selector",
    consequence: "The API server takes such a policy and the controller ignores it: no pod gets its groups, and nothing says so.",
    fix: "Say which pods are meant; `pod_selector {}` means every pod of the namespace.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/utils/helper.go",
        "github.com/aws/amazon-vpc-resource-controller-k8s#284",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "backend" {
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]
}
"#,
        right: r#"
resource "sgp_security_group_policy" "backend" {
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let policies = facts.policies().iter();
    let without = policies.filter(|it| it.policy.pods.is_none() && it.policy.service_accounts.is_none());
    let finding = |it: &crate::facts::PolicyOf<'_>| {
        RULE.finding(it.addr(), format!("The {} has neither a pod selector nor a service account selector.", it.who()))
            .attribute(it.path("pod_selector", &["podSelector"]))
    };
    without.filter(|it| is_whole(it)).map(finding).collect()
}

/// Whether everything that it says is known: a selector may still come.
fn is_whole(policy: &crate::facts::PolicyOf<'_>) -> bool {
    let is_open = |name: &str| policy.view().is_some_and(|it| it.get(name).is_some_and(|value| !value.is_known()));
    let is_spec_open = policy.is_manifest() && policy.spec().is_none_or(|it| !it.is_known());
    !is_open("pod_selector") && !is_open("service_account_selector") && !is_spec_open
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    #[test]
    fn manifests_count_too() {
        let manifest = |spec: &str| {
            format!(
                r#"resource "kubernetes_manifest" "p" {{
                  manifest = {{
                    apiVersion = "vpcresources.k8s.aws/v1beta1"
                    kind       = "SecurityGroupPolicy"
                    metadata   = {{ name = "p", namespace = "app" }}
                    spec       = {spec}
                  }}
                }}"#
            )
        };
        rows(
            "SGP301",
            &[
                (&manifest("{ securityGroups = { groupIds = [\"sg-01234567\"] } }"), &["error kubernetes_manifest.p"]),
                (&manifest("{ podSelector = {}, securityGroups = { groupIds = [\"sg-01234567\"] } }"), &[]),
                (&manifest("unknown()"), &[]),
            ],
        );
    }
}
