//! `aws_iam_policy`.

use std::{collections::BTreeSet, sync::LazyLock};

use async_trait::async_trait;
use aws_sdk_iam::types::{Policy, PolicyScopeType, PolicyVersion};
use aws_smithy_types::DateTime;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value, schema::Semantics, state::Intent};

use crate::{
    adoption::{CLOCK_SKEW_SECS, by_age},
    attempts::Attempts,
    client::AwsClient,
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::{self, Checks},
    iam_listing::{self, PolicyRead},
    naming,
    policy_document::keep_spelling,
    tags::{self, TagChange, Tags},
    values::{self, ObjectBuilder, changed},
    wait,
};

/// The type.
pub struct IamPolicy;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("aws_iam_policy", "A customer managed IAM policy.")
        .attr("arn", Attribute::string().computed().doc("The ARN."))
        .attr(
            "attachment_count",
            Attribute::number().computed().doc("How many users, groups and roles it is attached to."),
        )
        .attr(
            "description",
            Attribute::string()
                .optional()
                .force_new()
                .doc("A description, up to 1,000 characters; IAM cannot change it."),
        )
        .attr("id", Attribute::string().computed().doc("The ARN."))
        .attr(
            "name",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("The name, up to 128 characters; made out of `name_prefix` otherwise."),
        )
        .attr(
            "name_prefix",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("What a made name begins with, up to 102 characters."),
        )
        .attr("path", Attribute::string().optional().default("/").force_new().doc("The path: `/` or `/a/b/`."))
        .attr(
            "policy",
            Attribute::string()
                .required()
                .semantics(Semantics::IamPolicy)
                .doc("The document (JSON). A change makes a new default version; of five versions the oldest goes."),
        )
        .attr(
            "policy_id",
            Attribute::string().computed().doc("The id that no later policy of the same name will have: `ANPA...`."),
        )
        .unsupported(&["delay_after_policy_creation_in_ms"])
        .iam_actions(&[
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:GetAccountAuthorizationDetails",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:ListEntitiesForPolicy",
            "iam:ListPolicies",
            "iam:ListPolicyTags",
            "iam:ListPolicyVersions",
            "iam:TagPolicy",
            "iam:UntagPolicy",
        ])
        .example(
            r#"resource "aws_iam_policy" "read_bucket" {
  name = "example-read-bucket"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "arn:aws:s3:::example/*"
    }]
  })
}
"#,
        );
    tags::attributes(schema)
});

#[async_trait]
impl ResourceType for IamPolicy {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "iam"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        tags::plan(&SCHEMA, request)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        Checks::of(config)
            .conflict("name", "name_prefix")
            .text("name", |t| iam::is_name(t, 128), "have 1 to 128 letters, digits or +=,.@_-")
            .text("name_prefix", |t| iam::is_name(t, 102), "have 1 to 102 letters, digits or +=,.@_-")
            .text("path", iam::is_path, "begin and end with a slash")
            .text("description", |t| t.chars().count() <= 1000, "have at most 1,000 characters")
            .json("policy")
            .done()
    }

    fn prepare(&self, planned: Value, token: &str) -> Value {
        naming::prepare(planned, token, "terraform-")
    }

    async fn read(&self, client: &dyn Client, scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        // The listing has neither description nor tags: enough for a policy that is recorded, not for one that is imported.
        let is_recorded = |r: &&ReadRequest| values::text(&r.prior, "policy_id").is_some();
        let (recorded, new): (Vec<_>, Vec<_>) = requests.iter().partition(is_recorded);
        let arns: BTreeSet<String> = recorded.into_iter().map(|r| arn_of(&r.prior)).collect();
        let mut found = iam_listing::policies(client, scope, &arns).await;
        let new = new.into_iter().map(|r| arn_of(&r.prior)).collect();
        found.extend(iam::each(new, |arn| async move { (arn.clone(), iam_listing::policy(client, &arn).await) }).await);
        let read = |r: &ReadRequest| (r.prior.clone(), found.get(&arn_of(&r.prior)).cloned().unwrap_or(Ok(None)));
        let reads = requests.iter().map(read).collect();
        let objects = iam::each(reads, |(prior, read)| async move {
            match read? {
                Some(read) => read_object(client, &prior, read).await,
                None => Ok(None),
            }
        });
        let objects = objects.await;
        requests.iter().zip(objects).map(|(request, object)| iam::outcome(request, object)).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        applied(update(AwsClient::of(client), cx, request.prior, request.planned).await.map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let result = delete(AwsClient::of(client), cx, &arn_of(request.prior)).await;
        applied(result.map(|()| None).leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        if !request.id.starts_with("arn:") || !request.id.contains(":policy/") {
            let detail = format!(
                "{:?} is no ARN of a policy. Give one such as arn:aws:iam::123456789012:policy/example.",
                request.id
            );
            return Err(Diagnostic::error("Invalid import id", detail));
        }
        Ok(values::identity([("id", request.id), ("arn", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let name = values::string(&intent.attributes, "name");
        Ok(match by_name(AwsClient::of(client), &intent.attributes).await? {
            Some(policy) => {
                let arn = policy.arn().unwrap_or_default();
                let object = intent.attributes.with_attr("arn", arn.into()).with_attr("id", arn.into());
                by_age(intent, &format!("The IAM policy {name:?}"), policy.create_date(), object)
            }
            None => Found::Nothing,
        })
    }
}

fn arn_of(object: &Value) -> String {
    values::text(object, "arn").unwrap_or_else(|| values::string(object, "id"))
}

/// The policy with the planned path and name. Its ARN cannot be told without the account, its listing can.
async fn by_name(client: &AwsClient, planned: &Value) -> Result<Option<Policy>, ApiError> {
    let name = values::string(planned, "name");
    let path = values::text(planned, "path").unwrap_or_else(|| "/".into());
    let mut pages = client
        .iam
        .list_policies()
        .scope(PolicyScopeType::Local)
        .path_prefix(&path)
        .max_items(1000)
        .into_paginator()
        .items()
        .send();
    while let Some(policy) = pages.next().await {
        let policy = policy.call("iam:ListPolicies")?;
        if policy.policy_name() == Some(&name) && policy.path() == Some(&path) {
            return Ok(Some(policy));
        }
    }
    Ok(None)
}

/// The object, with the tags asked when a listing left them out and tags are recorded.
async fn read_object(client: &AwsClient, prior: &Value, read: PolicyRead) -> Result<Option<Value>, ApiError> {
    let tags = if read.complete {
        iam::from_tags(read.policy.tags())
    } else if values::str_map(prior, "tags_all").is_empty() && values::str_map(prior, "tags").is_empty() {
        Tags::new()
    } else {
        match policy_tags(client, &arn_of(prior)).await {
            Err(error) if iam::is_gone(&error) => return Ok(None),
            other => other?,
        }
    };
    Ok(Some(object(client, prior, &read, &tags)))
}

async fn policy_tags(client: &AwsClient, arn: &str) -> Result<Tags, ApiError> {
    let mut pages = client.iam.list_policy_tags().policy_arn(arn).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(tag) = pages.next().await {
        found.push(tag.call("iam:ListPolicyTags")?);
    }
    Ok(iam::from_tags(&found))
}

/// The policy as IAM has it.
fn object(client: &AwsClient, prior: &Value, read: &PolicyRead, tags: &Tags) -> Value {
    let mut builder = identified(ObjectBuilder::carrying(&SCHEMA, prior), &read.policy)
        .set("attachment_count", values::opt_int(read.policy.attachment_count()))
        .set_opt("path", read.policy.path())
        .set("policy", keep_spelling(values::str_opt(prior, "policy"), &read.document));
    // IAM cannot change a description, so the recorded one holds where the listing has none.
    if read.complete || read.policy.description().is_some() {
        builder = builder.set("description", iam::text_like(read.policy.description(), prior.get("description")));
    }
    let builder = naming::with_prefix(builder, "name_prefix", prior, read.policy.policy_name());
    tags::fill(builder, client, prior, tags).build()
}

/// What only IAM says of a policy; what an answer leaves out stays, for none of it ever changes.
fn identified(builder: ObjectBuilder, policy: &Policy) -> ObjectBuilder {
    builder
        .set_opt("arn", policy.arn())
        .set_opt("id", policy.arn())
        .set_opt("name", policy.policy_name())
        .set_opt("policy_id", policy.policy_id())
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let tags = tags::wanted(client, planned);
    let started = cx.clock.now();
    let attempts = Attempts::default();
    let request = client
        .iam
        .create_policy()
        .policy_name(values::string(planned, "name"))
        .policy_document(values::string(planned, "policy"))
        .set_path(values::text(planned, "path"))
        .set_description(values::text(planned, "description"))
        .set_tags(iam::to_tags(&tags));
    let policy = match request.customize().interceptor(attempts.clone()).send().await.call("iam:CreatePolicy") {
        Ok(answer) => answer.policy,
        Err(error) if iam::is_taken(&error) && attempts.repeated() => {
            // An attempt before the one that was refused may have made it.
            let fresh = |p: &Policy| p.create_date().is_some_and(|d| d.secs() >= started - CLOCK_SKEW_SECS);
            Some(by_name(client, planned).await?.filter(fresh).ok_or(error)?)
        }
        Err(error) => return Err(error.into()),
    };
    let policy = policy.ok_or_else(|| Diagnostic::error("iam:CreatePolicy failed", "AWS answered no policy."))?;
    let builder = identified(ObjectBuilder::carrying(&SCHEMA, planned), &policy)
        .set("attachment_count", Value::int(i64::from(policy.attachment_count().unwrap_or_default())))
        .set("name_prefix", values::string(planned, "name_prefix"));
    Ok(tags::fill(builder, client, planned, &tags).build())
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let arn = arn_of(prior);
    let mut now = prior.clone();
    if changed(prior, planned, "policy") {
        let document = values::string(planned, "policy");
        add_version(client, cx, &arn, &document).await.leaving(&now)?;
        now = now.with_attr("policy", document.into());
    }
    update_tags(client, &arn, &TagChange::planned(client, prior, planned)).await.leaving(&now)?;
    Ok(tags::fill(ObjectBuilder::carrying(&SCHEMA, &now), client, planned, &tags::wanted(client, planned)).build())
}

/// Makes the document the default version. When the policy has as many versions as it may have, the oldest one that is not
/// the default makes room.
async fn add_version(client: &AwsClient, cx: &Context, arn: &str, document: &str) -> Result<(), ApiError> {
    let create = || async {
        let request = client.iam.create_policy_version().policy_arn(arn).policy_document(document).set_as_default(true);
        request.send().await.call("iam:CreatePolicyVersion").map(drop)
    };
    let error = match iam::with_new_objects(cx, create).await {
        Err(error) if error.is(&["LimitExceeded", "LimitExceededException"]) => error,
        other => return other,
    };
    let versions = versions(client, arn).await?;
    let Some(oldest) = oldest_spare(&versions) else { return Err(error) };
    delete_version(client, arn, oldest).await?;
    create().await
}

async fn versions(client: &AwsClient, arn: &str) -> Result<Vec<PolicyVersion>, ApiError> {
    let mut pages = client.iam.list_policy_versions().policy_arn(arn).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(version) = pages.next().await {
        found.push(version.call("iam:ListPolicyVersions")?);
    }
    Ok(found)
}

/// The oldest version that is not the default: by date, then by number (`v2` before `v10`).
fn oldest_spare(versions: &[PolicyVersion]) -> Option<&str> {
    let age = |v: &&PolicyVersion| {
        let number: u64 = v.version_id().and_then(|id| id.trim_start_matches('v').parse().ok()).unwrap_or(u64::MAX);
        (v.create_date().map(DateTime::as_nanos), number)
    };
    versions.iter().filter(|v| !v.is_default_version()).min_by_key(age)?.version_id()
}

async fn delete_version(client: &AwsClient, arn: &str, version: &str) -> Result<(), ApiError> {
    let request = client.iam.delete_policy_version().policy_arn(arn).version_id(version);
    iam::unless_gone(request.send().await.call("iam:DeletePolicyVersion"))
}

async fn update_tags(client: &AwsClient, arn: &str, change: &TagChange) -> Result<(), ApiError> {
    if !change.remove.is_empty() {
        let request = client.iam.untag_policy().policy_arn(arn).set_tag_keys(Some(change.remove.clone()));
        request.send().await.call("iam:UntagPolicy")?;
    }
    if let Some(tags) = iam::to_tags(&change.set) {
        client.iam.tag_policy().policy_arn(arn).set_tags(Some(tags)).send().await.call("iam:TagPolicy")?;
    }
    Ok(())
}

async fn delete(client: &AwsClient, cx: &Context, arn: &str) -> Result<(), Failure> {
    // A policy goes only after its other versions.
    let versions = match versions(client, arn).await {
        Err(error) if iam::is_gone(&error) => return Ok(()),
        other => other?,
    };
    for version in versions.iter().filter(|v| !v.is_default_version()) {
        delete_version(client, arn, version.version_id().unwrap_or_default()).await?;
    }
    let delete =
        || async { iam::unless_gone(client.iam.delete_policy().policy_arn(arn).send().await.call("iam:DeletePolicy")) };
    let error = match delete().await {
        Err(error) if iam::is_in_use(&error) => error,
        other => return Ok(other?),
    };
    let users = attached_to(client, arn).await?;
    if !users.is_empty() {
        return Err(still_attached(arn, &users, &error).into());
    }
    Ok(wait::settle(cx, wait::CONSISTENCY, iam::is_in_use, delete).await?)
}

async fn attached_to(client: &AwsClient, arn: &str) -> Result<Vec<String>, ApiError> {
    let mut pages = client.iam.list_entities_for_policy().policy_arn(arn).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = match page.call("iam:ListEntitiesForPolicy") {
            Err(error) if iam::is_gone(&error) => break,
            page => page?,
        };
        found.extend(page.policy_roles().iter().filter_map(|r| r.role_name().map(|n| format!("role {n}"))));
        found.extend(page.policy_users().iter().filter_map(|u| u.user_name().map(|n| format!("user {n}"))));
        found.extend(page.policy_groups().iter().filter_map(|g| g.group_name().map(|n| format!("group {n}"))));
    }
    Ok(found)
}

fn still_attached(arn: &str, users: &[String], error: &ApiError) -> Diagnostic {
    Diagnostic::error(
        "IAM policy is still attached",
        format!(
            "The policy {arn} cannot be deleted while it is attached to {}.\n\nSomething outside this configuration attached it. \
             Detach it first. AWS said: {}",
            users.join(", "),
            error.message
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_oldest_version_that_is_not_the_default_makes_room() {
        let version = |id: &str, secs: i64, default: bool| {
            PolicyVersion::builder()
                .version_id(id)
                .create_date(DateTime::from_secs(secs))
                .is_default_version(default)
                .build()
        };
        for (versions, expected) in [
            (vec![version("v3", 3, true), version("v2", 2, false), version("v1", 1, false)], Some("v1")),
            (vec![version("v1", 1, true), version("v10", 5, false), version("v2", 5, false)], Some("v2")),
            (vec![version("v1", 1, true)], None),
        ] {
            assert_eq!(oldest_spare(&versions), expected);
        }
    }

    #[test]
    fn an_import_id_is_an_arn() {
        let import = |id| IamPolicy.import(&ImportRequest { id, config: &Value::dynamic_null() });
        let object = import("arn:aws:iam::123456789012:policy/a/b").unwrap();
        assert_eq!(arn_of(&object), "arn:aws:iam::123456789012:policy/a/b");
        assert!(import("read-bucket").unwrap_err().detail.contains("is no ARN of a policy"));
    }
}
