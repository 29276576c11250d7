//! Policies that an `aws_iam_role` itself declares: `managed_policy_arns` and `inline_policy`.
//!
//! Each of the two is exclusive once it is said: what else is attached to the role, or put into it, is taken away. Unsaid, it is
//! neither looked at nor touched, so that the resources for single policies can stand beside.

use std::collections::{BTreeMap, BTreeSet};

use sgp_contract::Context;
use sgp_model::{Attribute, Block, NestedBlock, Schema, Value, schema::Semantics};

use crate::{
    client::AwsClient,
    errors::{ApiError, Call},
    iam, iam_listing,
    policy_document::{keep_spelling, same_policy},
    values::{self, ObjectBuilder, changed},
};

/// Adds both arguments to a schema.
pub fn arguments(schema: Schema) -> Schema {
    let inline = Block::default()
        .attr(
            "name",
            Attribute::string().optional().doc("The policy's name; a block without one says that there is none."),
        )
        .attr("policy", Attribute::string().optional().semantics(Semantics::IamPolicy).doc("The document (JSON)."));
    schema
        .attr(
            "managed_policy_arns",
            Attribute::string_set().optional_computed().doc(
                "ARNs of all managed policies of the role; others are detached. Do not mix with `aws_iam_role_policy_attachment`.",
            ),
        )
        .block(
            "inline_policy",
            NestedBlock::set(inline)
                .computed()
                .doc("All inline policies of the role; others are deleted. Do not mix with `aws_iam_role_policy`."),
        )
}

/// Attached policies as an object says them; `None` when it says nothing.
fn attached(object: &Value) -> Option<BTreeSet<String>> {
    values::is_set(object, "managed_policy_arns")
        .then(|| values::strs(object, "managed_policy_arns").into_iter().collect())
}

/// Inline policies by name as an object says them; `None` when it says nothing.
fn inline(object: &Value) -> Option<BTreeMap<String, String>> {
    let named = |block: &Value| Some((values::text(block, "name")?, values::string(block, "policy")));
    values::is_set(object, "inline_policy")
        .then(|| values::blocks(object, "inline_policy").into_iter().filter_map(named).collect())
}

/// Sets both arguments from what is there, where `prior` says something of them; `role` names the role.
///
/// # Errors
/// What IAM answers.
pub async fn show(
    client: &AwsClient,
    schema: &Schema,
    object: Value,
    prior: &Value,
    role: &str,
) -> Result<Value, ApiError> {
    let mut object = object;
    if attached(prior).is_some() {
        let found = iam_listing::attached_to(client, role).await?.unwrap_or_default();
        object = object.with_attr("managed_policy_arns", values::string_set(found));
    }
    if let Some(recorded) = inline(prior) {
        let found = inline_of(client, role).await?;
        object = object.with_attr("inline_policy", blocks(schema, prior, &recorded, &found));
    }
    Ok(object)
}

fn blocks(
    schema: &Schema,
    prior: &Value,
    recorded: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> Value {
    let block = &schema.block.blocks["inline_policy"].block;
    if let Some(said) = prior.get("inline_policy").filter(|_| found.is_empty() && recorded.is_empty()) {
        return said.clone();
    }
    let shown = found.iter().map(|(name, document)| {
        ObjectBuilder::of_block(block)
            .set("name", name.as_str())
            .set("policy", keep_spelling(recorded.get(name).map(String::as_str), document))
            .build()
    });
    Value::set(block.ty(), shown)
}

/// Documents of a role's inline policies by name, decoded.
///
/// # Errors
/// What IAM answers.
pub async fn inline_of(client: &AwsClient, role: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let names = iam_listing::inline_names(client, role).await?;
    let read = iam::each(names, |name: String| async move {
        iam_listing::inline_policy(client, role, &name).await.map(|document| Some((name, document?)))
    });
    read.await.into_iter().filter_map(Result::transpose).collect()
}

/// Brings the role's policies to what is planned. `prior` is null for a role that was just made.
///
/// # Errors
/// What IAM answers.
pub async fn bring(
    client: &AwsClient,
    cx: &Context,
    role: &str,
    prior: &Value,
    planned: &Value,
) -> Result<(), ApiError> {
    let is_new = prior.is_null();
    if let Some(wanted) = attached(planned).filter(|_| is_new || changed(prior, planned, "managed_policy_arns")) {
        let there =
            if is_new { BTreeSet::new() } else { iam_listing::attached_to(client, role).await?.unwrap_or_default() };
        for arn in wanted.difference(&there) {
            attach(client, cx, role, arn).await?;
        }
        for arn in there.difference(&wanted) {
            detach(client, role, arn).await?;
        }
    }
    if let Some(wanted) = inline(planned).filter(|_| is_new || changed(prior, planned, "inline_policy")) {
        let there = if is_new { BTreeMap::new() } else { inline_of(client, role).await? };
        for (name, document) in &wanted {
            if there.get(name).is_none_or(|old| !same_policy(old, document)) {
                put(client, cx, role, name, document).await?;
            }
        }
        for name in there.keys().filter(|name| !wanted.contains_key(*name)) {
            delete(client, role, name).await?;
        }
    }
    Ok(())
}

/// Takes away the policies that the object declares, before the role goes.
///
/// # Errors
/// What IAM answers.
pub async fn remove(client: &AwsClient, role: &str, prior: &Value) -> Result<(), ApiError> {
    for arn in attached(prior).unwrap_or_default() {
        detach(client, role, &arn).await?;
    }
    for name in inline(prior).unwrap_or_default().keys() {
        delete(client, role, name).await?;
    }
    Ok(())
}

async fn attach(client: &AwsClient, cx: &Context, role: &str, arn: &str) -> Result<(), ApiError> {
    iam::with_new_objects(cx, || async {
        let call = client.iam.attach_role_policy().role_name(role).policy_arn(arn);
        call.send().await.call("iam:AttachRolePolicy").map(drop)
    })
    .await
}

async fn put(client: &AwsClient, cx: &Context, role: &str, name: &str, document: &str) -> Result<(), ApiError> {
    iam::with_new_objects(cx, || async {
        let call = client.iam.put_role_policy().role_name(role).policy_name(name).policy_document(document);
        call.send().await.call("iam:PutRolePolicy").map(drop)
    })
    .await
}

/// Detaches a managed policy; one that is gone is success.
///
/// # Errors
/// What DetachRolePolicy answers.
pub async fn detach(client: &AwsClient, role: &str, arn: &str) -> Result<(), ApiError> {
    let call = client.iam.detach_role_policy().role_name(role).policy_arn(arn);
    iam::unless_gone(call.send().await.call("iam:DetachRolePolicy"))
}

/// Deletes an inline policy; one that is gone is success.
///
/// # Errors
/// What DeleteRolePolicy answers.
pub async fn delete(client: &AwsClient, role: &str, name: &str) -> Result<(), ApiError> {
    let call = client.iam.delete_role_policy().role_name(role).policy_name(name);
    iam::unless_gone(call.send().await.call("iam:DeleteRolePolicy"))
}
