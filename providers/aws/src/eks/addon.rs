//! An add-on between EKS and the model.

use aws_sdk_eks::types::{Addon, AddonNamespaceConfigRequest, AddonPodIdentityAssociations, AddonStatus};
use sgp_contract::Context;
use sgp_model::{Diagnostic, Schema, Value};

use crate::{
    adoption::rfc3339,
    client::AwsClient,
    eks::{self, Issue, status_with, told},
    errors::{ApiError, Call},
    iam::{self, text_like},
    tags,
    values::{self, ObjectBuilder},
    wait::{self, Pace, Poll},
};

/// DescribeAddon; `None` when there is no such add-on or cluster.
///
/// # Errors
/// What DescribeAddon answers.
pub async fn describe(client: &AwsClient, cluster: &str, name: &str) -> Result<Option<Addon>, ApiError> {
    let request = client.eks.describe_addon().cluster_name(cluster).addon_name(name);
    match request.send().await.call("eks:DescribeAddon") {
        Ok(answer) => Ok(answer.addon),
        Err(error) if eks::is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A service account and its role, bound through EKS Pod Identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Association {
    /// The service account.
    pub service_account: String,
    /// The role's ARN.
    pub role_arn: String,
}

/// The Pod Identity associations that an add-on owns. EKS answers their ARNs only, so each is asked.
///
/// # Errors
/// What DescribePodIdentityAssociation answers.
pub async fn associations(client: &AwsClient, cluster: &str, addon: &Addon) -> Result<Vec<Association>, ApiError> {
    let ids =
        addon.pod_identity_associations().iter().filter_map(|arn| arn.rsplit('/').next()).map(str::to_owned).collect();
    let found = iam::each(ids, |id: String| async move {
        let request = client.eks.describe_pod_identity_association().cluster_name(cluster).association_id(id);
        match request.send().await.call("eks:DescribePodIdentityAssociation") {
            // It went since the add-on was described.
            Err(error) if eks::is_gone(&error) => Ok(None),
            answer => answer.map(|answer| answer.association),
        }
    });
    let mut associations = Vec::new();
    for association in found.await {
        if let Some(a) = association? {
            associations.push(Association {
                service_account: a.service_account.unwrap_or_default(),
                role_arn: a.role_arn.unwrap_or_default(),
            });
        }
    }
    Ok(associations)
}

/// The associations of a planned object, as the API takes them.
pub fn association_requests(planned: &Value) -> Vec<AddonPodIdentityAssociations> {
    values::blocks(planned, "pod_identity_association")
        .into_iter()
        .map(|block| {
            AddonPodIdentityAssociations::builder()
                .service_account(values::string(block, "service_account"))
                .role_arn(values::string(block, "role_arn"))
                .build()
                .expect("service account and role are set")
        })
        .collect()
}

/// What EKS says is wrong with an add-on.
pub fn issues(addon: &Addon) -> impl Iterator<Item = Issue<'_>> {
    addon.health().map(|h| h.issues()).unwrap_or_default().iter().map(|issue| Issue {
        code: issue.code().map_or("", |c| c.as_str()),
        message: issue.message().unwrap_or_default(),
        resources: issue.resource_ids(),
    })
}

/// The add-on as EKS has it. What EKS does not tell stays as `prior` has it.
pub fn object(
    schema: &Schema,
    client: &AwsClient,
    prior: &Value,
    addon: &Addon,
    associations: &[Association],
) -> Value {
    let (cluster, name) = (addon.cluster_name().unwrap_or_default(), addon.addon_name().unwrap_or_default());
    let block = &schema.block.blocks["pod_identity_association"].block;
    let bound = associations.iter().map(|a| {
        ObjectBuilder::of_block(block)
            .set("service_account", a.service_account.as_str())
            .set("role_arn", a.role_arn.as_str())
            .build()
    });
    let configuration = addon.configuration_values().or_else(|| values::str_opt(prior, "configuration_values"));
    let builder = ObjectBuilder::carrying(schema, prior)
        .set("addon_name", name)
        .set("addon_version", values::opt_str(addon.addon_version()))
        .set("arn", values::opt_str(addon.addon_arn()))
        .set("cluster_name", cluster)
        .set("configuration_values", same_or(configuration, values::str_opt(prior, "configuration_values")))
        .set("created_at", values::opt_str(addon.created_at().map(rfc3339).as_deref()))
        .set("id", format!("{cluster}:{name}"))
        .set("modified_at", values::opt_str(addon.modified_at().map(rfc3339).as_deref()))
        .set("namespace_config", namespace(schema, prior, addon))
        .set("pod_identity_association", Value::set(block.ty(), bound))
        .set(
            "service_account_role_arn",
            text_like(addon.service_account_role_arn(), prior.get("service_account_role_arn")),
        );
    tags::fill(builder, client, prior, &eks::from_tags(addon.tags())).build()
}

fn namespace(schema: &Schema, prior: &Value, addon: &Addon) -> Value {
    let block = &schema.block.blocks["namespace_config"].block;
    let recorded = values::block(prior, "namespace_config").and_then(|r| values::str_opt(r, "namespace"));
    match addon.namespace_config().and_then(|n| n.namespace()).or(recorded) {
        Some(name) => eks::one(block, ObjectBuilder::of_block(block).set("namespace", name).build()),
        None => Value::list(block.ty(), Vec::new()),
    }
}

/// `namespace_config` as the API takes it.
pub fn namespace_request(planned: &Value) -> Option<AddonNamespaceConfigRequest> {
    let name = values::text(values::block(planned, "namespace_config")?, "namespace")?;
    Some(AddonNamespaceConfigRequest::builder().namespace(name).build())
}

/// The recorded spelling where it means the same JSON; an absent configuration is an empty text, as Terraform records it.
fn same_or(actual: Option<&str>, recorded: Option<&str>) -> String {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let actual = actual.unwrap_or_default();
    match recorded {
        Some(recorded) if parse(recorded).is_some_and(|json| parse(actual) == Some(json)) => recorded.to_owned(),
        _ => actual.to_owned(),
    }
}

/// Waits until the add-on is ACTIVE. DEGRADED passes: CoreDNS is so until nodes join.
///
/// # Errors
/// A failure with its reasons, a timeout with the last status.
pub async fn active(client: &AwsClient, cx: &Context, cluster: &str, name: &str) -> Result<Addon, Diagnostic> {
    let look = || async {
        let Some(found) = describe(client, cluster, name).await? else {
            return Ok(Poll::Pending("not visible yet".into()));
        };
        Ok(match found.status() {
            Some(AddonStatus::Active) => Poll::Ready(found),
            Some(
                status @ (AddonStatus::CreateFailed
                | AddonStatus::UpdateFailed
                | AddonStatus::Deleting
                | AddonStatus::DeleteFailed),
            ) => Poll::Broken(broken(cluster, name, status.as_str(), &found)),
            status => Poll::Pending(status_with(
                status.map_or("CREATING", |s| s.as_str()),
                issues(&found).map(|i| i.to_string()),
            )),
        })
    };
    wait::until(cx, &format!("add-on \"{cluster}:{name}\" to become ACTIVE"), Pace::SLOW, look).await
}

/// Waits until the add-on is gone.
///
/// # Errors
/// A failure with its reasons, a timeout with the last status.
pub async fn gone(client: &AwsClient, cx: &Context, cluster: &str, name: &str) -> Result<(), Diagnostic> {
    let look = || async {
        let Some(found) = describe(client, cluster, name).await? else { return Ok(Poll::Ready(())) };
        Ok(match found.status() {
            Some(status @ AddonStatus::DeleteFailed) => Poll::Broken(broken(cluster, name, status.as_str(), &found)),
            status => Poll::Pending(status_with(
                status.map_or("DELETING", |s| s.as_str()),
                issues(&found).map(|i| i.to_string()),
            )),
        })
    };
    wait::until(cx, &format!("add-on \"{cluster}:{name}\" to be deleted"), Pace::SLOW, look).await
}

fn broken(cluster: &str, name: &str, status: &str, found: &Addon) -> Diagnostic {
    Diagnostic::error("EKS add-on failed", told(&format!("The add-on \"{cluster}:{name}\" is {status}"), issues(found)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_that_means_the_same_is_kept() {
        assert_eq!(same_or(Some(r#"{"a":1,"b":2}"#), Some(r#"{ "b": 2, "a": 1 }"#)), r#"{ "b": 2, "a": 1 }"#);
        assert_eq!(same_or(Some(r#"{"a":2}"#), Some(r#"{"a":1}"#)), r#"{"a":2}"#);
        assert_eq!(same_or(Some("a: 1"), Some("a: 1")), "a: 1");
        assert_eq!(same_or(None, None), "");
    }
}
