//! SGP308: a selector that Kubernetes cannot convert.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP308",
    severity: Severity::Error,
    title: "Selector that cannot be read",
    consequence: "The CRD does not look into selectors. The controller writes a line in its log and treats the policy as one that \
                  matches nothing.",
    fix: "`In` and `NotIn` take values, `Exists` and `DoesNotExist` take none; there are no other operators.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/utils/helper.go",
        "kubernetes.io/docs/concepts/overview/working-with-objects/labels",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "backend" {
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_expressions {
      key      = "tier"
      operator = "Equals"
      values   = ["api"]
    }
  }
}
"#,
        right: r#"
resource "sgp_security_group_policy" "backend" {
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_expressions {
      key      = "tier"
      operator = "In"
      values   = ["api"]
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for it in facts.policies() {
        let sides = [
            ("pod_selector", "podSelector", &it.policy.pods),
            ("service_account_selector", "serviceAccountSelector", &it.policy.service_accounts),
        ];
        for (ours, theirs, selector) in sides {
            let Some(problem) = selector.as_ref().and_then(|it| it.problem()) else { continue };
            // What is known later reads as absent here.
            if !is_known(it, ours, theirs) {
                continue;
            }
            let what = format!("A selector of the {} cannot be converted: {problem}.", it.who());
            found.push(RULE.finding(it.addr(), what).attribute(it.path(ours, &[theirs])));
        }
    }
    found
}

fn is_known(policy: &crate::facts::PolicyOf<'_>, ours: &str, theirs: &str) -> bool {
    let stated = match policy.view() {
        Some(view) => view.get(ours),
        None => policy.spec().and_then(|it| it.get(theirs)),
    };
    stated.is_none_or(|it| it.is_wholly_known())
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    #[test]
    fn expressions_are_read_as_kubernetes_reads_them() {
        let policy = |expression: &str| {
            format!(
                "resource \"sgp_security_group_policy\" \"p\" {{\nname = \"p\"\nsecurity_group_ids = [\"sg-01234567\"]\n\
                 pod_selector {{\nmatch_expressions {{\nkey = \"tier\"\n{expression}\n}}\n}}\n}}"
            )
        };
        let wrong: &[&str] = &["error sgp_security_group_policy.p"];
        rows(
            "SGP308",
            &[
                (&policy("operator = \"In\""), wrong),
                (&policy("operator = \"NotIn\"\nvalues = []"), wrong),
                (&policy("operator = \"Exists\"\nvalues = [\"a\"]"), wrong),
                (&policy("operator = \"In\"\nvalues = [\"not a value\"]"), wrong),
                (&policy("operator = \"Exists\""), &[]),
                (&policy("operator = unknown()"), &[]),
                (&policy("operator = \"In\"\nvalues = unknown()"), &[]),
            ],
        );
    }
}
