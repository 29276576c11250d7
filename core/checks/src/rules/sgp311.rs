//! SGP311: a selector that is not one of labels.

use sgp_analysis::topology::{Fact, ServiceAccount};
use sgp_model::Value;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::PolicyOf};

pub(super) static RULE: Rule = Rule {
    id: "SGP311",
    severity: Severity::Error,
    title: "Service accounts selected by something else than labels",
    consequence: "`serviceAccountSelector` looks at labels of service accounts. Other fields are dropped, and what is left of the \
                  selector matches every pod of the namespace; labels that no account has match none.",
    fix: "Label the service account, and select that label with `matchLabels` or `matchExpressions`.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: config/crd/bases/vpcresources.k8s.aws_securitygrouppolicies.yaml",
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/utils/helper.go",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "policy" {
  manifest = {
    apiVersion = "vpcresources.k8s.aws/v1beta1"
    kind       = "SecurityGroupPolicy"
    metadata   = { name = "jobs", namespace = "app" }
    spec = {
      serviceAccountSelector = { matchNames = ["backend"] }
      securityGroups         = { groupIds = [aws_security_group.backend.id] }
    }
  }
}
"#,
        right: r#"
resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name      = "backend"
    namespace = "app"
    labels    = { network = "orders" }
  }
}

resource "kubernetes_manifest" "policy" {
  manifest = {
    apiVersion = "vpcresources.k8s.aws/v1beta1"
    kind       = "SecurityGroupPolicy"
    metadata   = { name = "jobs", namespace = "app" }
    spec = {
      serviceAccountSelector = { matchLabels = { network = "orders" } }
      securityGroups         = { groupIds = [aws_security_group.backend.id] }
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in facts.policies() {
        for (ours, theirs) in [("service_account_selector", "serviceAccountSelector"), ("pod_selector", "podSelector")]
        {
            for field in strange(policy.spec().and_then(|it| it.get(theirs))) {
                let what =
                    format!("`{theirs}` of the {} has the field `{field}`, which selectors do not have.", policy.who());
                found.push(RULE.finding(policy.addr(), what).attribute(policy.path(ours, &[theirs])));
            }
        }
        found.extend(unmatched(policy));
    }
    found
}

/// Fields that a label selector does not have.
fn strange(selector: Option<&Value>) -> Vec<String> {
    let fields = selector.and_then(Value::as_fields).into_iter().flatten();
    let names = fields.map(|(name, _)| name.to_string());
    names.filter(|name| name != "matchLabels" && name != "matchExpressions").collect()
}

fn unmatched(policy: &PolicyOf<'_>) -> Option<Finding> {
    let selector = policy.policy.service_accounts.as_ref()?;
    if selector.is_everything() || selector.problem().is_some() {
        return None;
    }
    let accounts = policy.cluster.service_accounts.iter();
    let accounts: Vec<(&str, &ServiceAccount)> =
        accounts.filter(|((it, _), _)| it == policy.namespace).map(|((_, name), it)| (name.as_str(), it)).collect();
    let may_match = |it: &ServiceAccount| match &it.labels {
        Fact::Known(labels) => selector.matches(labels),
        Fact::Unknown => true,
    };
    if accounts.iter().any(|(_, it)| may_match(it)) {
        return None;
    }
    let wanted = selector.requirements().iter().flat_map(|it| &it.values);
    let named = wanted.clone().find(|it| accounts.iter().any(|(name, _)| name == it));
    let (what, severity) = match named {
        Some(name) => (
            format!("The {} selects {selector}, and service account {name} has no such label.", policy.who()),
            Severity::Warning,
        ),
        // Whoever deploys the workload may make the account with it, later.
        None => (format!("No service account of {} has {selector}.", policy.namespace), Severity::Note),
    };
    // Others may make accounts, unless all are known.
    if named.is_none() && !policy.cluster.is_complete {
        return None;
    }
    let path = policy.path("service_account_selector", &["serviceAccountSelector"]);
    Some(RULE.finding(policy.addr(), what).at_most(severity).attribute(path))
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    #[test]
    fn names_are_no_labels() {
        let policy = |label: &str| {
            format!(
                "resource \"sgp_security_group_policy\" \"p\" {{\nname = \"p\"\nnamespace = \"app\"\n\
                 security_group_ids = [\"sg-00000001\"]\nservice_account_selector {{\nmatch_labels = {{ name = \"{label}\" }}\n}}\n}}"
            )
        };
        rows(
            "SGP311",
            &[
                (&policy("backend"), &["warning sgp_security_group_policy.p"]),
                // Somebody else may make it.
                (&policy("other"), &[]),
            ],
        );
    }
}
