//! SGP512: a trust policy that is too long.

use sgp_model::symbol;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

/// Characters of a trust policy, without white space, and what the quota can be raised to (IAM quotas).
const USUAL: usize = 2048;
const MOST: usize = 4096;

pub(super) static RULE: Rule = Rule {
    id: "SGP512",
    severity: Severity::Error,
    title: "Trust policy too long",
    consequence: "IAM refuses it (LimitExceeded: ACLSizePerRole), and the apply stops there.",
    fix: "Use a role for each cluster, StringLike with one pattern, or EKS Pod Identity; the quota can be raised to 4096.",
    sources: &[
        "Amazon EKS user guide, \"IAM roles for service accounts\"",
        "IAM user guide, \"IAM and AWS STS quotas\"",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
locals {
  condition = { StringEquals = { "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF:sub" = [
    "system:serviceaccount:team-one-production:orders-backend-worker", "system:serviceaccount:team-one-production:orders-backend-web",
    "system:serviceaccount:team-two-production:orders-backend-worker", "system:serviceaccount:team-two-production:orders-backend-web",
  ], "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF:aud" = "sts.amazonaws.com" } }
  provider = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
}

resource "aws_iam_role" "backend" {
  name = "orders-backend"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "one", Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = local.provider }, Condition = local.condition },
      { Sid = "two", Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = local.provider }, Condition = local.condition },
      { Sid = "three", Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = local.provider }, Condition = local.condition },
    ]
  })
}
"#,
        right: r#"
resource "aws_iam_role" "backend" {
  name = "orders-backend"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
    }]
  })
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for role in facts.roles() {
        let text = role.view.text("assume_role_policy").unwrap_or_default();
        // A symbol stands for a text of another length.
        let length = text.chars().filter(|c| !c.is_whitespace()).count();
        if symbol::is_in(text) || length <= USUAL {
            continue;
        }
        let severity = if length > MOST { Severity::Error } else { Severity::Warning };
        let what = format!("The trust policy has {length} characters, and {USUAL} is the usual quota.");
        found.push(RULE.finding(role.object.addr.as_ref(), what).attr("assume_role_policy").at_most(severity));
    }
    found
}
