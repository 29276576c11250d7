//! SGP013: variables that are no texts.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Stated};

pub(super) static RULE: Rule = Rule {
    id: "SGP013",
    severity: Severity::Error,
    title: "Variable of the add-on that is no text",
    consequence: "The schema of the add-on wants every variable as text, so EKS refuses the configuration.",
    fix: "Put the value in quotes: `\"true\"`.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#2797", "the schema of aws eks describe-addon-configuration"],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
  configuration_values = jsonencode({
    env  = { ENABLE_POD_ENI = true }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
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

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for cni in facts.cni().iter().filter(|it| it.stated == Stated::Addon) {
        for place in ["/env", "/init/env"] {
            let variables = cni.values.as_ref().and_then(|it| it.pointer(place)?.as_object());
            for (name, value) in variables.into_iter().flatten().filter(|(_, value)| !value.is_string()) {
                let what = format!("`{name}` is {value}, not a text.");
                found.push(RULE.finding(cni.object.addr.as_ref(), what).attribute(cni.path()));
            }
        }
    }
    found
}
