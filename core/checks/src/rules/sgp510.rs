//! SGP510: an OIDC provider without the audience of STS.

use sgp_analysis::topology::Fact;
use sgp_model::symbol;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::ROLE};

pub(super) static RULE: Rule = Rule {
    id: "SGP510",
    severity: Severity::Error,
    title: "No OIDC provider that STS accepts",
    consequence: "Pods get no credentials for the roles of their service accounts: InvalidIdentityToken.",
    fix: "Make an `aws_iam_openid_connect_provider` for the cluster's issuer with `client_id_list = [\"sts.amazonaws.com\"]`, which is \
          the audience in every partition.",
    sources: &[
        "Amazon EKS user guide, \"Create an IAM OIDC provider for your cluster\"",
        "github.com/terraform-aws-modules/terraform-aws-eks#1704",
        "github.com/terraform-aws-modules/terraform-aws-eks#2700",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_iam_openid_connect_provider" "this" {
  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com.cn"]
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
        let Fact::Known(clients) = view.texts("client_id_list") else { continue };
        let is_cluster =
            view.text("url").is_some_and(|it| it.contains("oidc.eks.") || it.contains(".identity[0].oidc[0].issuer"));
        if is_cluster && !clients.iter().any(|it| *it == "sts.amazonaws.com" || symbol::is_in(it)) {
            let what = format!(
                "The provider takes tokens for {} only.",
                if clients.is_empty() { "nobody".to_owned() } else { clients.join(", ") }
            );
            let finding = RULE.finding(object.addr.as_ref(), what).attr("client_id_list");
            // Service accounts may ask for tokens for somebody else.
            let mut accounts = facts.clusters().flat_map(|(_, it)| it.service_accounts.values());
            let is_asked = accounts.any(|it| it.annotations.contains_key("eks.amazonaws.com/audience"));
            found.push(if is_asked { finding.at_most(Severity::Warning) } else { finding });
        }
    }
    found.extend(without(facts));
    found
}

/// Service accounts with roles in a cluster that comes into being without a provider for it.
fn without(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.of_kind("aws_iam_openid_connect_provider").next().is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(_, it)| facts.is_made(it.managed_by.as_ref())) {
        let bound = cluster
            .service_accounts
            .iter()
            .find(|(_, it)| it.annotations.contains_key(ROLE) && facts.is_made(it.managed_by.as_ref()));
        if let Some(((namespace, account), it)) = bound {
            let what = format!(
                "Service account {namespace}/{account} of the new cluster {name} has a role, and nothing makes a provider."
            );
            // Somebody may make it afterwards.
            found.push(RULE.finding(it.managed_by.as_ref(), what).at_most(Severity::Warning));
        }
    }
    found
}
