//! SGP004: a policy of another partition.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP004",
    severity: Severity::Error,
    title: "Managed policy of another partition",
    consequence: "IAM knows no such policy (NoSuchEntity), and the apply stops there.",
    fix: "Begin the ARN with `arn:${data.aws_partition.current.partition}:iam::aws:policy/`.",
    sources: &["Amazon EKS user guide, China regions (docs.amazonaws.cn)"],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws-cn:iam::aws:policy/CloudWatchLogsFullAccess"
}
"#,
        right: r#"
data "aws_partition" "current" {}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/CloudWatchLogsFullAccess"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(ours) = partition(facts) else { return Vec::new() };
    let mut found = Vec::new();
    for kind in ["aws_iam_role_policy_attachment", "aws_iam_policy_attachment"] {
        for (object, view) in facts.of_kind(kind) {
            let arn = view.text("policy_arn").and_then(|it| it.strip_prefix("arn:"));
            let Some((theirs, rest)) = arn.and_then(|it| it.split_once(':')) else { continue };
            if rest.starts_with("iam::aws:policy/") && theirs.starts_with("aws") && theirs != ours {
                let what = format!("The policy is one of partition {theirs}, and the region is in {ours}.");
                found.push(RULE.finding(object.addr.as_ref(), what).attr("policy_arn"));
            }
        }
    }
    found
}

fn partition<'a>(facts: &Facts<'a>) -> Option<&'a str> {
    let of_region = |region: &str| match region {
        it if it.starts_with("cn-") => "aws-cn",
        it if it.starts_with("us-gov-") => "aws-us-gov",
        it if it.starts_with("us-iso-") => "aws-iso",
        it if it.starts_with("us-isob-") => "aws-iso-b",
        it if it.starts_with("eu-isoe-") => "aws-iso-e",
        it if it.starts_with("us-isof-") => "aws-iso-f",
        it if it.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    };
    facts.input.partition.or_else(|| facts.input.region.map(of_region))
}
