//! What all operations of EKS do alike: refusals, look-ups, pages, client tokens, tags, times.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::model::{Addon, Cluster, FargateProfile, Nodegroup, Status, key};
use crate::aws::idempotency::{self, Mismatch};
use crate::aws::page::page;
use crate::aws::{Answer, ApiError, Call, Params};
use crate::ec2::tags::Tags;
use crate::store::table::{Row, Table};
use crate::world::World;

/// A parameter's value is wrong: `InvalidParameterException`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// The request does not go with the state of things: `InvalidRequestException`.
pub(super) fn refused(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidRequestException", message)
}

/// `ResourceNotFoundException`.
pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundException", message).with_status(404)
}

/// `ResourceInUseException`.
pub(super) fn in_use(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceInUseException", message).with_status(409)
}

/// `ResourceLimitExceededException`.
pub(super) fn limit(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceLimitExceededException", message)
}

/// The error with the members that the call names: `clusterName`, `nodegroupName`, `addonName`, `fargateProfileName`.
pub(super) fn about(error: ApiError, call: &Call) -> ApiError {
    let names = ["clusterName", "nodegroupName", "addonName", "fargateProfileName"];
    let mut error = error;
    for name in names {
        let value = call.text(name).or_else(|| call.text("name").filter(|_| name == "clusterName"));
        if let Some(value) = value
            && !error.members.contains_key(name)
        {
            error = error.with(name, value);
        }
    }
    error
}

/// Runs an operation and adds to its refusal what the call names.
pub(super) fn told(call: &Call, run: impl FnOnce() -> Answer) -> Answer {
    run().map_err(|error| about(error, call))
}

/// A cluster.
pub(super) fn cluster<'a>(world: &'a World, name: &str) -> Result<&'a Cluster, ApiError> {
    world.eks.clusters.get(name).ok_or_else(|| not_found(format!("No cluster found for name: {name}.")))
}

/// The cluster that `clusterName` (or `name`, where an operation calls it so) means.
pub(super) fn cluster_of<'a>(world: &'a World, call: &Call) -> Result<&'a Cluster, ApiError> {
    let name = if call.has("clusterName") { call.required("clusterName")? } else { call.required("name")? };
    cluster(world, &name)
}

/// The same, and it must be `ACTIVE`.
pub(super) fn active_cluster<'a>(world: &'a World, call: &Call) -> Result<&'a Cluster, ApiError> {
    let row = cluster_of(world, call)?;
    if row.status == Status::Active {
        return Ok(row);
    }
    Err(refused(format!("Cluster '{}' is not in ACTIVE status", row.name)))
}

/// A node group of the cluster.
pub(super) fn nodegroup<'a>(world: &'a World, cluster: &str, name: &str) -> Result<&'a Nodegroup, ApiError> {
    let row = world.eks.nodegroups.get(&key(cluster, name));
    row.ok_or_else(|| not_found(format!("No node group found for name: {name}.")))
}

/// An add-on of the cluster.
pub(super) fn addon<'a>(world: &'a World, cluster: &str, name: &str) -> Result<&'a Addon, ApiError> {
    let row = world.eks.addons.get(&key(cluster, name));
    row.ok_or_else(|| not_found(format!("No addon: {name} found in cluster: {cluster}")))
}

/// A Fargate profile of the cluster.
pub(super) fn fargate_profile<'a>(world: &'a World, cluster: &str, name: &str) -> Result<&'a FargateProfile, ApiError> {
    let row = world.eks.fargate_profiles.get(&key(cluster, name));
    row.ok_or_else(|| not_found(format!("No Fargate Profile found with name: {name}.")))
}

/// `ACTIVE`, `CREATING`, ... as answers have it.
pub(super) fn status(status: Status) -> Value {
    json!(status)
}

/// A time as JSON protocols write it: seconds, with milliseconds after the point.
pub(super) fn time(at: Timestamp) -> Value {
    let text = format!("{}.{:03}", at.as_second(), at.subsec_millisecond());
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

/// `maxResults` (1 to 100, 100 by default) and `nextToken`.
pub(super) fn paging(call: &Params) -> Result<(usize, Option<String>), ApiError> {
    let most = call.integer("maxResults")?.unwrap_or(100);
    let most = usize::try_from(most).ok().filter(|most| (1..=100).contains(most));
    let most = most.ok_or_else(|| invalid("maxResults needs to be between 1 and 100."))?;
    Ok((most, call.text("nextToken").filter(|token| !token.is_empty())))
}

/// One page of `{ member: [...], nextToken }`.
pub(super) fn listing<'a>(call: &Params, member: &str, rows: impl Iterator<Item = (&'a str, Value)>) -> Answer {
    let (most, token) = paging(call)?;
    let page = page(rows, token.as_deref(), Some(most)).map_err(|_| invalid("Invalid nextToken"))?;
    Ok(json!({ member: page.items, "nextToken": page.next }))
}

/// Reads `tags`: at most 50, keys of 1 to 128 characters that do not begin with `aws:`, values of at most 256.
pub(super) fn tags(call: &Params) -> Result<Tags, ApiError> {
    let tags: Tags = call.map("tags").into_iter().collect();
    check_tags(&tags).map_err(invalid)?;
    Ok(tags)
}

/// What is wrong with tags.
pub(super) fn check_tags(tags: &Tags) -> Result<(), String> {
    if tags.len() > 50 {
        return Err(format!("The number of tags ({}) exceeds the limit of 50", tags.len()));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(format!("The tag key '{key}' must have 1 to 128 characters"));
        }
        if value.chars().count() > 256 {
            return Err(format!("The value of the tag '{key}' must have at most 256 characters"));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(format!(
                "The tag key '{key}' is invalid: aws: prefixed tag key names are not allowed for external use"
            ));
        }
    }
    Ok(())
}

/// Text values by key.
pub(super) fn text_map(call: &Params, member: &str) -> BTreeMap<String, String> {
    call.map(member).into_iter().collect()
}

/// What a call with the same `clientRequestToken` made, as long as it is there.
pub(super) fn made_before<T: Row>(world: &World, call: &Call, table: &Table<T>) -> Result<Option<T>, ApiError> {
    let Some(token) = call.text("clientRequestToken") else { return Ok(None) };
    match idempotency::recall(world, call, &token) {
        Ok(id) => Ok(id.and_then(|id| table.get(&id).cloned())),
        Err(Mismatch) => {
            Err(invalid(format!("The clientRequestToken {token} was used before with other parameters in the request")))
        }
    }
}

/// Remembers under the call's `clientRequestToken` what it made.
pub(super) fn remember(world: &mut World, call: &Call, id: &str) {
    if let Some(token) = call.text("clientRequestToken") {
        idempotency::remember(world, call, &token, id);
    }
}

/// An ARN of EKS in the world's region and account.
pub(super) fn arn(world: &World, resource: &str) -> String {
    format!("arn:aws:eks:{}:{}:{resource}", world.settings.region, world.settings.account)
}

/// A name of letters, digits, `-` and `_` that begins with a letter or digit; `what` is the parameter.
pub(super) fn check_name(what: &str, name: &str, most: usize) -> Result<(), ApiError> {
    let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    if !begins || !is_plain {
        return Err(invalid(format!(
            "The parameter {what} contains invalid characters. It should conform to the regular expression \
             \"^[0-9A-Za-z][A-Za-z0-9-_]*\"In other words, it should start with a number or letter, and can contain numbers, \
             letters, dashes, and underscores."
        )));
    }
    if name.len() > most {
        return Err(invalid(format!("{what} can't be longer than {most} characters!")));
    }
    Ok(())
}

/// One of these words, or nothing.
pub(super) fn choice(call: &Params, member: &str, allowed: &[&str]) -> Result<Option<String>, ApiError> {
    let Some(text) = call.text(member) else { return Ok(None) };
    if allowed.contains(&text.as_str()) {
        return Ok(Some(text));
    }
    Err(invalid(format!("Invalid value '{text}' for {member}: it must be one of {}", allowed.join(", "))))
}

/// An object without its `null` members: REST answers leave out what is not there.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
