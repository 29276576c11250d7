//! Roles of clusters and nodes, with everything that is attached to them.

use std::collections::BTreeSet;

use aws_sdk_iam::types::Role;
use sgp_contract::Sighting;
use sgp_model::Value;

use super::{Found, objects, sighting, texts};
use crate::{
    client::AwsClient, errors::ApiError, iam, iam_listing, policy_document::decode_document, role_policies, values,
};

/// Looks at roles by name. A role whose policies may not be read is left out: one that seems to have none would be a false alarm.
pub(super) async fn survey(client: &AwsClient, names: BTreeSet<String>, found: &mut Found) {
    let asked = iam::each(names.into_iter().collect(), |name: String| async move { one(client, &name).await });
    for answer in asked.await {
        found.all(answer.map(|it| it.into_iter().collect()));
    }
}

async fn one(client: &AwsClient, name: &str) -> Result<Option<Sighting>, ApiError> {
    let Some(role) = iam_listing::role(client, name).await? else { return Ok(None) };
    let attached = iam_listing::attached_to(client, name).await?.unwrap_or_default();
    let inline = role_policies::inline_of(client, name).await?;
    let inline = inline
        .into_iter()
        .map(|(name, policy)| Value::object([("name", Value::string(name)), ("policy", Value::string(policy))]));
    Ok(Some(shape(&role, attached, inline.collect())))
}

fn shape(role: &Role, attached: BTreeSet<String>, inline: Vec<Value>) -> Sighting {
    let boundary = role.permissions_boundary().and_then(|it| it.permissions_boundary_arn());
    let trust = role.assume_role_policy_document().map(decode_document);
    sighting(
        "aws_iam_role",
        [
            ("id", Value::from(role.role_name())),
            ("name", Value::from(role.role_name())),
            ("arn", Value::from(role.arn())),
            ("assume_role_policy", values::opt_str(trust.as_deref())),
            ("permissions_boundary", values::opt_str(boundary)),
            ("managed_policy_arns", texts(attached)),
            ("inline_policy", objects(inline)),
        ],
    )
}
