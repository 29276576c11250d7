//! Who is let into a cluster: what access entries and the policies of their principals have in common.

use aws_sdk_eks::types::AssociatedAccessPolicy;
use sgp_contract::Context;
use sgp_model::Value;

use crate::{
    client::AwsClient,
    eks,
    errors::{ApiError, Call},
    values, wait,
};

/// A principal of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// The cluster's name.
    pub cluster: String,
    /// The principal's ARN.
    pub arn: String,
}

impl Principal {
    /// The one that an object is about.
    pub fn of(object: &Value) -> Self {
        Self { cluster: values::string(object, "cluster_name"), arn: values::string(object, "principal_arn") }
    }
}

/// `CLUSTER:ARN`.
impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.cluster, self.arn)
    }
}

/// The access policies of a principal (`ListAssociatedAccessPolicies`, all pages); none when it has no entry.
///
/// # Errors
/// What EKS answers.
pub async fn policies(client: &AwsClient, principal: &Principal) -> Result<Vec<AssociatedAccessPolicy>, ApiError> {
    let call = client.eks.list_associated_access_policies();
    let call = call.cluster_name(&principal.cluster).principal_arn(&principal.arn);
    let pages = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    match pages.call("eks:ListAssociatedAccessPolicies") {
        Err(error) if eks::is_gone(&error) => Ok(Vec::new()),
        other => other,
    }
}

/// Repeats a call that names a principal, or an entry of one, which was made a moment ago.
///
/// # Errors
/// The call's.
pub async fn with_new_principals<T, F: Future<Output = Result<T, ApiError>>>(
    cx: &Context,
    call: impl FnMut() -> F,
) -> Result<T, ApiError> {
    wait::settle(cx, wait::CONSISTENCY, is_unseen, call).await
}

fn is_unseen(error: &ApiError) -> bool {
    let said = error.message.to_ascii_lowercase();
    said.contains("principal")
        && match error.code() {
            "InvalidParameterException" => said.contains("invalid principal") || said.contains("does not exist"),
            "ResourceNotFoundException" => true,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::tests::service_error;

    #[test]
    fn only_what_may_still_appear_is_waited_for() {
        let unseen = |code: &str, message: &str| {
            is_unseen(&ApiError { message: message.into(), ..service_error("eks:X", code) })
        };
        assert!(unseen("InvalidParameterException", "The specified principalArn is invalid: invalid principal."));
        assert!(unseen("ResourceNotFoundException", "The specified principalArn could not be found."));
        assert!(!unseen("InvalidParameterException", "The specified principalArn is invalid: it is no ARN."));
        assert!(!unseen("ResourceNotFoundException", "No cluster found for name: c."));
    }
}
