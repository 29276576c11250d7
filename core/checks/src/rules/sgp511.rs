//! SGP511: a thumbprint that nobody needs.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP511",
    severity: Severity::Note,
    title: "Thumbprint of an OIDC provider stated by hand",
    consequence: "AWS checks the issuer of EKS against the authorities that it trusts and does not look at the thumbprint; one that \
                  is computed differs from time to time.",
    fix: "Leave `thumbprint_list` out.",
    sources: &["IAM API reference, CreateOpenIDConnectProvider"],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_iam_openid_connect_provider" "this" {
  url             = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
}
"#,
        right: r#"
resource "aws_iam_openid_connect_provider" "this" {
  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (object, view) in facts.of_kind("aws_iam_openid_connect_provider") {
        let is_cluster =
            view.text("url").is_some_and(|it| it.contains("oidc.eks.") || it.contains(".identity[0].oidc[0].issuer"));
        // What is recorded has one that AWS computed.
        let is_stated = facts.is_made(object.addr.as_ref())
            && view.elements("thumbprint_list").known().is_some_and(|it| !it.is_empty());
        if is_cluster && is_stated {
            found.push(RULE.finding(object.addr.as_ref(), "The provider is a cluster's.").attr("thumbprint_list"));
        }
    }
    found
}
