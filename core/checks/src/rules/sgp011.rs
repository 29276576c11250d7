//! SGP011: a variable of the init container stands under `env`.

use sgp_model::{AttrPath, PathStep};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Stated};

const VARIABLE: &str = "DISABLE_TCP_EARLY_DEMUX";

pub(super) static RULE: Rule = Rule {
    id: "SGP011",
    severity: Severity::Error,
    title: "DISABLE_TCP_EARLY_DEMUX at the wrong container",
    consequence: "The variable is one of the init container `aws-vpc-cni-init`. Under `env` the add-on's schema refuses it, and \
                  elsewhere it has no effect: probes go on failing.",
    fix: "Write it at `init.env`; `sgp_pod_eni` has `disable_tcp_early_demux`.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s#2491",
        "github.com/terraform-aws-modules/terraform-aws-eks#2667",
        "github.com/terraform-aws-modules/terraform-aws-eks#2703",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
  configuration_values = jsonencode({
    env = { ENABLE_POD_ENI = "true", DISABLE_TCP_EARLY_DEMUX = "true" }
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
    let misplaced = facts.cni().iter().filter(|it| it.env.contains_key(VARIABLE));
    let finding = |it: &crate::facts::CniSettings<'_>| {
        let finding =
            RULE.finding(it.object.addr.as_ref(), format!("{VARIABLE} stands among the variables of aws-node."));
        match it.stated {
            Stated::PodEni => finding.attribute(AttrPath::attr("env").with(PathStep::Key(VARIABLE.into()))),
            Stated::Addon => finding.attr("configuration_values"),
            // Nothing refuses it there.
            Stated::DaemonSet => finding.attr("manifest").at_most(Severity::Warning),
        }
    };
    misplaced.map(finding).collect()
}
