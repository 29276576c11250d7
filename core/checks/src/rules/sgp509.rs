//! SGP509: a trust policy that its service accounts do not fulfil.

use sgp_analysis::matching::is_like;
use sgp_model::symbol;

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Bound, Role, WebIdentity, web_identities},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP509",
    severity: Severity::Error,
    title: "Trust policy that does not fit its service account",
    consequence: "Pods get no credentials: AccessDenied, Not authorized to perform sts:AssumeRoleWithWebIdentity.",
    fix: "Compare `<issuer>:sub` with system:serviceaccount:<namespace>:<name> and `<issuer>:aud` with sts.amazonaws.com, the issuer \
          without https://; wildcards need StringLike. Module `sgp//irsa-role` writes it.",
    sources: &[
        "Amazon EKS user guide, \"Assign IAM roles to Kubernetes service accounts\"",
        "Amazon EKS user guide, \"IAM roles for service accounts\"",
    ],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_iam_role" "backend" {
  name = "orders-backend"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC" }
      Condition = {
        StringEquals = {
          "oidc.eks.eu-central-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
          "oidc.eks.eu-central-1.amazonaws.com/id/ABC:sub" = "system:serviceaccount:app:*"
        }
      }
    }]
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
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC" }
      Condition = {
        StringEquals = {
          "oidc.eks.eu-central-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
          "oidc.eks.eu-central-1.amazonaws.com/id/ABC:sub" = "system:serviceaccount:app:backend"
        }
      }
    }]
  })
}
"#,
    },
    check,
};

const ACCOUNT: &str = "system:serviceaccount:";

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let bound = facts.bound();
    for (place, role) in facts.roles().iter().enumerate() {
        let Some(trust) = role.trust() else { continue };
        let identities = web_identities(&trust);
        for identity in identities.iter().filter(|it| is_of_cluster(it)) {
            found.extend(
                mistakes(identity)
                    .into_iter()
                    .map(|what| RULE.finding(role.object.addr.as_ref(), what).attr("assume_role_policy")),
            );
            if !identity.conditions.iter().any(|it| it.claim == "aud") {
                // It works; tokens for other audiences do, too.
                let finding =
                    RULE.finding(role.object.addr.as_ref(), "The trust policy does not compare the audience (`aud`).");
                found.push(finding.attr("assume_role_policy").at_most(Severity::Warning));
            }
        }
        let bound = bound.get(&place).filter(|_| !identities.is_empty());
        found.extend(strangers(role, bound.map_or(&[], Vec::as_slice), &identities));
    }
    found
}

/// Whether the provider is a cluster's; there are others, such as those of CI systems.
fn is_of_cluster(identity: &WebIdentity) -> bool {
    let compares_accounts = |it: &crate::facts::Condition| it.values.iter().any(|it| it.starts_with(ACCOUNT));
    identity.provider.contains("oidc.eks.") || identity.conditions.iter().any(compares_accounts)
}

/// What is wrong whoever asks.
fn mistakes(identity: &WebIdentity) -> Vec<String> {
    let mut found = Vec::new();
    let provider = identity.provider.split_once("oidc-provider/").map(|(_, it)| it);
    for it in &identity.conditions {
        let (claim, issuer) = (it.claim.as_str(), it.issuer.as_str());
        if issuer.starts_with("https://") {
            found.push(format!("The key {} begins with https://.", symbol::readable(&format!("{issuer}:{claim}"))));
        } else if let Some(provider) = provider
            && !symbol::is_in(provider)
            && !symbol::is_in(issuer)
            && ["aud", "sub"].contains(&claim)
            && provider != issuer
        {
            found.push(format!("The policy trusts {provider} and compares tokens of {issuer}."));
        }
        for value in &it.values {
            if claim == "aud" && value.starts_with(ACCOUNT) {
                found.push(format!("{value} is compared with the audience (`aud`), not with the subject (`sub`)."));
            }
            if claim == "sub" && value.starts_with("sts.amazonaws.com") {
                found.push(format!("{value} is compared with the subject (`sub`), not with the audience (`aud`)."));
            }
            let is_pattern = value.contains('*') || value.contains('?');
            if claim == "sub" && is_pattern && !it.has_wildcards() {
                found.push(format!("{value} is a pattern, and {} takes it as it is.", it.operator));
            }
        }
    }
    found
}

/// Service accounts that name the role and may not take it.
fn strangers(role: &Role<'_>, bound: &[Bound<'_>], identities: &[WebIdentity]) -> Vec<Finding> {
    let mut found = Vec::new();
    for account in bound {
        let subject = format!("{ACCOUNT}{}:{}", account.namespace, account.name);
        let is_open = symbol::is_in(&subject);
        if !is_open && !identities.iter().any(|it| admits(it, &subject)) {
            let what = format!("No statement of the trust policy lets {subject} in, which names this role.");
            found.push(RULE.finding(role.object.addr.as_ref().or(account.addr), what).attr("assume_role_policy"));
        }
    }
    found
}

/// Whether conditions on the subject let it in. What is not known lets everything in.
fn admits(identity: &WebIdentity, subject: &str) -> bool {
    let is_it = |it: &crate::facts::Condition, value: &String| {
        symbol::is_in(value) || if it.has_wildcards() { is_like(value, subject) } else { value == subject }
    };
    let mut of_subject = identity.conditions.iter().filter(|it| it.claim == "sub" && !it.operator.contains("Not"));
    of_subject.all(|it| it.values.iter().any(|value| is_it(it, value)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{found, told};

    /// A role of which only the conditions vary, and a service account that names it.
    fn role(conditions: &str) -> String {
        format!(
            r#"
            resource "aws_iam_role" "backend" {{
              name = "b"
              assume_role_policy = jsonencode({{ Statement = [{{
                Effect    = "Allow"
                Action    = ["sts:AssumeRoleWithWebIdentity"]
                Principal = {{ Federated = "arn:aws:iam::1:oidc-provider/oidc.eks.x.amazonaws.com/id/A" }}
                Condition = {conditions}
              }}] }})
            }}
            resource "kubernetes_service_account_v1" "backend" {{
              metadata {{
                name        = "backend"
                namespace   = "app"
                annotations = {{ "eks.amazonaws.com/role-arn" = aws_iam_role.backend.arn }}
              }}
            }}"#
        )
    }

    #[test]
    fn what_iam_compares_is_compared() {
        let issuer = "oidc.eks.x.amazonaws.com/id/A";
        let equals = |issuer: &str, sub: &str, aud: &str| {
            role(&format!("{{ StringEquals = {{ \"{issuer}:sub\" = {sub}, \"{issuer}:aud\" = \"{aud}\" }} }}"))
        };
        let error = vec!["error aws_iam_role.backend".to_owned()];
        for (text, expected) in [
            (equals(issuer, "\"system:serviceaccount:app:backend\"", "sts.amazonaws.com"), vec![]),
            (
                equals(
                    issuer,
                    "[\"system:serviceaccount:a:b\", \"system:serviceaccount:app:backend\"]",
                    "sts.amazonaws.com",
                ),
                vec![],
            ),
            (equals(issuer, "\"system:serviceaccount:app:other\"", "sts.amazonaws.com"), error.clone()),
            (
                equals(&format!("https://{issuer}"), "\"system:serviceaccount:app:backend\"", "sts.amazonaws.com"),
                [error.clone(), error.clone()].concat(),
            ),
            (
                equals("oidc.eks.x.amazonaws.com/id/B", "\"system:serviceaccount:app:backend\"", "sts.amazonaws.com"),
                error.clone(),
            ),
            (
                role(&format!(
                    "{{ StringLike = {{ \"{issuer}:sub\" = \"system:serviceaccount:app:*\" }}, StringEquals = {{ \"{issuer}:aud\" = \"sts.amazonaws.com\" }} }}"
                )),
                vec![],
            ),
            (
                role(&format!("{{ StringEquals = {{ \"{issuer}:sub\" = \"system:serviceaccount:app:backend\" }} }}")),
                vec!["warning aws_iam_role.backend".to_owned()],
            ),
        ] {
            let found = found("SGP509", &text);
            assert_eq!(told(&found), expected, "{text}\n{found:#?}");
        }
    }
}
