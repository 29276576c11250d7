//! SGP014: an add-on whose schema does not know the mode.

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Stated, version},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP014",
    severity: Severity::Error,
    title: "Add-on too old for the enforcing mode in its configuration",
    consequence: "The schema of versions up to 1.12.0 has no POD_SECURITY_GROUP_ENFORCING_MODE, so EKS refuses the configuration.",
    fix: "Use a newer version of the add-on.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#2173"],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_addon" "cni" {
  cluster_name  = aws_eks_cluster.this.name
  addon_name    = "vpc-cni"
  addon_version = "v1.12.0-eksbuild.2"
  configuration_values = jsonencode({
    env = { ENABLE_POD_ENI = "true", POD_SECURITY_GROUP_ENFORCING_MODE = "strict" }
  })
}
"#,
        right: r#"
resource "aws_eks_addon" "cni" {
  cluster_name  = aws_eks_cluster.this.name
  addon_name    = "vpc-cni"
  addon_version = "v1.20.4-eksbuild.1"
  configuration_values = jsonencode({
    env  = { ENABLE_POD_ENI = "true", POD_SECURITY_GROUP_ENFORCING_MODE = "strict" }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
  })
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let addons = facts.cni().iter().filter(|it| it.stated == Stated::Addon);
    let stated = addons.filter(|it| it.env.contains_key("POD_SECURITY_GROUP_ENFORCING_MODE"));
    let old = stated.filter_map(|it| Some((it, it.view.text("addon_version")?)));
    let old = old.filter(|(_, text)| version(text).is_some_and(|it| it <= (1, 12, 0)));
    let finding = |(it, text): (&crate::facts::CniSettings<'_>, &str)| {
        RULE.finding(it.object.addr.as_ref(), format!("The add-on is {text} and its configuration sets the mode."))
            .attribute(it.path())
    };
    old.map(finding).collect()
}
