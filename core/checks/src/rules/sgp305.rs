//! SGP305: what is no id of a group.

use sgp_model::symbol;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP305",
    severity: Severity::Error,
    title: "Not the id of a security group",
    consequence: "The CRD takes any text. EC2 refuses it when the pod's interface is made, and the pod hangs in creation.",
    fix: "Write an id (`sg-` and 8 or 17 hexadecimal digits). `security_group_names` takes names.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: config/crd/bases/vpcresources.k8s.aws_securitygrouppolicies.yaml",
        "github.com/aws/amazon-vpc-resource-controller-k8s#20",
        "github.com/aws/amazon-vpc-resource-controller-k8s#158",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "backend" {
  name               = "backend"
  namespace          = "app"
  security_group_ids = ["orders-backend"]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: r#"
resource "sgp_security_group_policy" "backend" {
  name                 = "backend"
  namespace            = "app"
  security_group_names = ["orders-backend"]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in facts.policies() {
        for text in policy.stated_ids().into_iter().filter(|text| !is_id(text)) {
            let what = format!("The {} names {text:?} as a group.", policy.who());
            found.push(RULE.finding(policy.addr(), what).attribute(policy.groups_path()));
        }
    }
    found
}

/// Whether a text is an id, or will be one.
fn is_id(text: &str) -> bool {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    symbol::is_in(text)
        || text.strip_prefix("sg-").is_some_and(|rest| [8, 17].contains(&rest.len()) && rest.chars().all(is_hex))
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn ids_are_told_from_names() {
        for (text, is) in [
            ("sg-01234567", true),
            ("sg-0123456789abcdef0", true),
            ("sg-0123456789ABCDEF0", false),
            ("sg-0123", false),
            ("sg-012345678", false),
            ("backend", false),
            ("", false),
        ] {
            assert_eq!(is_id(text), is, "{text}");
        }
    }
}
