//! Trust policies of roles for service accounts.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sgp_model::InstanceAddr;

use super::{Facts, json::texts_or_one, statements};

/// What a statement of a trust policy asks of tokens.
#[derive(Debug, Default)]
pub(crate) struct WebIdentity {
    /// The provider that it trusts: an ARN, or a symbol.
    pub(crate) provider: String,
    /// What it compares.
    pub(crate) conditions: Vec<Condition>,
}

/// One comparison: of an operator, a key and its values.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) operator: String,
    /// What stands before the last colon: the issuer.
    pub(crate) issuer: String,
    /// `sub`, `aud`.
    pub(crate) claim: String,
    pub(crate) values: Vec<String>,
}

impl Condition {
    pub(crate) fn has_wildcards(&self) -> bool {
        self.operator.ends_with("StringLike") || self.operator.ends_with("StringLikeIfExists")
    }
}

/// The statements of a trust policy that let tokens of an OIDC provider take the role.
pub(crate) fn web_identities(trust: &Json) -> Vec<WebIdentity> {
    let mut found = Vec::new();
    for statement in statements(trust) {
        let is_web = texts_or_one(&statement["Action"]).contains(&"sts:AssumeRoleWithWebIdentity");
        for provider in texts_or_one(&statement["Principal"]["Federated"]) {
            if is_web && statement["Effect"] == "Allow" {
                found.push(WebIdentity {
                    provider: provider.to_owned(),
                    conditions: conditions(&statement["Condition"]),
                });
            }
        }
    }
    found
}

fn conditions(json: &Json) -> Vec<Condition> {
    let operators = json.as_object().into_iter().flatten();
    let comparisons = operators.flat_map(|(operator, keys)| {
        keys.as_object().into_iter().flatten().map(move |(key, values)| (operator, key, values))
    });
    let condition = |(operator, key, values): (&String, &String, &Json)| {
        let (issuer, claim) = key.rsplit_once(':')?;
        Some(Condition {
            operator: operator.clone(),
            issuer: issuer.to_owned(),
            claim: claim.to_owned(),
            values: texts_or_one(values).into_iter().map(str::to_owned).collect(),
        })
    };
    comparisons.filter_map(condition).collect()
}

/// A service account that names a role.
pub(crate) struct Bound<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) addr: Option<&'a InstanceAddr>,
}

/// The annotation of a service account with the ARN of its role.
pub(crate) const ROLE: &str = "eks.amazonaws.com/role-arn";

impl<'a> Facts<'a> {
    /// Service accounts by the role that they name: its place among [`roles`](Self::roles).
    pub(crate) fn bound(&self) -> BTreeMap<usize, Vec<Bound<'a>>> {
        let mut all: BTreeMap<usize, Vec<Bound<'a>>> = BTreeMap::new();
        for ((namespace, name), account) in self.clusters().flat_map(|(_, it)| &it.service_accounts) {
            let is_placed = self.is_placed_at(account.managed_by.as_ref());
            let role = account.annotations.get(ROLE).filter(|_| is_placed).and_then(|arn| self.place_of_role(arn));
            if let Some(role) = role {
                all.entry(role).or_default().push(Bound { namespace, name, addr: account.managed_by.as_ref() });
            }
        }
        all
    }
}
