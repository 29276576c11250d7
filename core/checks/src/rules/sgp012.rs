//! SGP012: keys that the add-on's schema does not have.

use serde_json::Value as Json;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP012",
    severity: Severity::Error,
    title: "Unknown key in the add-on's configuration",
    consequence: "The schema of the add-on allows no other keys. EKS refuses the configuration after some minutes: \
                  \"ConfigurationValue provided in request is not supported\".",
    fix: "Use `env` and `init.env`, in lower case; `aws eks describe-addon-configuration` shows the schema of a version.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s#2491",
        "github.com/aws/amazon-vpc-cni-k8s#3059",
        "github.com/terraform-aws-modules/terraform-aws-eks#2667",
        "github.com/hashicorp/terraform-provider-aws#39577",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
  configuration_values = jsonencode({
    env     = { ENABLE_POD_ENI = "true" }
    InitEnv = { DISABLE_TCP_EARLY_DEMUX = "true" }
  })
}
"#,
        right: r#"
resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
  configuration_values = jsonencode({
    env  = { ENABLE_POD_ENI = "true" }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
  })
}
"#,
    },
    check,
};

/// Keys at the top that are surely there. Versions have others, so that an unknown key alone is no mistake.
const KNOWN: [&str; 9] = [
    "affinity",
    "branchENICooldown",
    "enableNetworkPolicy",
    "env",
    "eniConfig",
    "init",
    "nodeAgent",
    "resources",
    "tolerations",
];

/// What people write for `env` and `init.env`, without case and separators.
const MISTAKEN: [&str; 6] = ["initenv", "extraenv", "environment", "envs", "initcontainer", "initcontainers"];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for cni in facts.cni() {
        let Some(values) = &cni.values else { continue };
        let top = keys(values).into_iter().filter(|key| is_mistaken(key)).map(str::to_owned);
        // `init` holds `env`, and variables stand in that.
        let in_init = keys(&values["init"]).into_iter().filter(|key| is_variable(key)).map(|key| format!("init.{key}"));
        for key in top.chain(in_init) {
            let what = format!("`{key}` is no key of the VPC CNI add-on.");
            found.push(RULE.finding(cni.object.addr.as_ref(), what).attribute(cni.path()));
        }
    }
    found
}

fn keys(json: &Json) -> Vec<&str> {
    json.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

fn is_mistaken(key: &str) -> bool {
    let plain: String = key.to_ascii_lowercase().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let is_other_case = KNOWN.iter().any(|it| it.to_ascii_lowercase() == plain) && !KNOWN.contains(&key);
    is_other_case || MISTAKEN.contains(&plain.as_str()) || is_variable(key)
}

/// Whether it reads as the name of a variable: `ENABLE_POD_ENI`.
fn is_variable(key: &str) -> bool {
    key.contains('_') && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::is_mistaken;

    #[test]
    fn keys_that_are_mistakes() {
        for (key, is) in [
            ("env", false),
            ("Init", true),
            ("init_env", true),
            ("ENABLE_POD_ENI", true),
            ("EnableNetworkPolicy", true),
            ("livenessProbeTimeoutSeconds", false),
            ("podAnnotations", false),
            ("somethingNew", false),
        ] {
            assert_eq!(is_mistaken(key), is, "{key}");
        }
    }
}
