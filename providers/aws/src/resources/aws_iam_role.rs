//! `aws_iam_role`.

use std::{collections::BTreeSet, sync::LazyLock};

use async_trait::async_trait;
use aws_sdk_iam::types::Role;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value, schema::Semantics, state::Intent};

use crate::{
    adoption::{CLOCK_SKEW_SECS, by_age, rfc3339},
    attempts::Attempts,
    client::AwsClient,
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::{self, Checks},
    iam_listing, naming,
    policy_document::{decode_document, keep_spelling},
    role_policies,
    tags::{self, TagChange},
    values::{self, ObjectBuilder, changed},
    wait,
};

/// The type.
pub struct IamRole;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("aws_iam_role", "An IAM role.")
        .attr("arn", Attribute::string().computed().doc("The ARN."))
        .attr(
            "assume_role_policy",
            Attribute::string()
                .required()
                .semantics(Semantics::IamPolicy)
                .doc("The trust policy (JSON): who may assume the role."),
        )
        .attr("create_date", Attribute::string().computed().doc("When it was created, RFC 3339."))
        .attr("description", Attribute::string().optional().doc("A description, up to 1,000 characters."))
        .attr(
            "force_detach_policies",
            Attribute::bool()
                .optional()
                .default(false)
                .doc("Whether deleting the role first detaches and deletes all its policies."),
        )
        .attr("id", Attribute::string().computed().doc("The name."))
        .attr(
            "max_session_duration",
            Attribute::number()
                .optional()
                .default(Value::int(3600))
                .doc("How long a session may last, in seconds: 3600 to 43200."),
        )
        .attr(
            "name",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("The name, up to 64 characters; made out of `name_prefix` otherwise."),
        )
        .attr(
            "name_prefix",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("What a made name begins with, up to 38 characters."),
        )
        .attr("path", Attribute::string().optional().default("/").force_new().doc("The path: `/` or `/a/b/`."))
        .attr(
            "permissions_boundary",
            Attribute::string().optional().doc("The ARN of the policy that bounds what the role may do."),
        )
        .attr(
            "unique_id",
            Attribute::string().computed().doc("The id that no later role of the same name will have: `AROA...`."),
        )
        .iam_actions(&[
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePermissionsBoundary",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:GetAccountAuthorizationDetails",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListInstanceProfilesForRole",
            "iam:ListRolePolicies",
            "iam:ListRoles",
            "iam:PutRolePermissionsBoundary",
            "iam:PutRolePolicy",
            "iam:RemoveRoleFromInstanceProfile",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
        ])
        .example(
            r#"resource "aws_iam_role" "cluster" {
  name = "example-cluster"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "eks.amazonaws.com" }
    }]
  })
}
"#,
        );
    role_policies::arguments(tags::attributes(schema))
});

#[async_trait]
impl ResourceType for IamRole {
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
        let mut checks = Checks::of(config);
        for block in values::blocks(config, "inline_policy") {
            let lacks =
                |name: &str| block.get(name).is_some_and(|v| v.is_known() && (v.is_null() || v.as_str() == Some("")));
            if lacks("name") != lacks("policy") {
                checks.wrong("inline_policy", "An inline policy has a `name` and a `policy`.");
            }
        }
        checks
            .conflict("name", "name_prefix")
            .text("name", |t| iam::is_name(t, 64), "have 1 to 64 letters, digits or +=,.@_-")
            .text("name_prefix", |t| iam::is_name(t, 38), "have 1 to 38 letters, digits or +=,.@_-")
            .text("path", iam::is_path, "begin and end with a slash")
            .text("description", |t| t.chars().count() <= 1000, "have at most 1,000 characters")
            .text("permissions_boundary", |t| t.starts_with("arn:"), "be the ARN of a policy")
            .range("max_session_duration", 3600, 43200)
            .json("assume_role_policy")
            .done()
    }

    fn prepare(&self, planned: Value, token: &str) -> Value {
        naming::prepare(planned, token, "terraform-")
    }

    async fn read(&self, client: &dyn Client, scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let names: BTreeSet<String> = requests.iter().map(|r| name_of(&r.prior)).collect();
        let found = iam_listing::roles(client, scope, &names).await;
        let role = |r: &ReadRequest| (r.prior.clone(), found.get(&name_of(&r.prior)).cloned().unwrap_or(Ok(None)));
        let objects = iam::each(requests.iter().map(role).collect(), |(prior, role)| async move {
            let Some(role) = role? else { return Ok(None) };
            let object = object(client, &prior, &role);
            role_policies::show(client, &SCHEMA, object, &prior, role.role_name()).await.map(Some)
        });
        requests.iter().zip(objects.await).map(|(request, object)| iam::outcome(request, object)).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        applied(update(AwsClient::of(client), cx, request.prior, request.planned).await.map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let result = delete(AwsClient::of(client), cx, request.prior).await;
        applied(result.map(|()| None).leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        Ok(values::identity([("id", request.id), ("name", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let name = name_of(&intent.attributes);
        Ok(match iam_listing::role(AwsClient::of(client), &name).await? {
            Some(role) => {
                let object = intent.attributes.with_attr("id", name.as_str().into());
                by_age(intent, &format!("The IAM role {name:?}"), Some(role.create_date()), object)
            }
            None => Found::Nothing,
        })
    }
}

fn name_of(object: &Value) -> String {
    values::text(object, "name").unwrap_or_else(|| values::string(object, "id"))
}

/// The role as IAM has it.
fn object(client: &AwsClient, prior: &Value, role: &Role) -> Value {
    let document = decode_document(role.assume_role_policy_document().unwrap_or_default());
    let boundary = role.permissions_boundary().and_then(|b| b.permissions_boundary_arn());
    let builder = identified(ObjectBuilder::carrying(&SCHEMA, prior), role)
        .set("assume_role_policy", keep_spelling(values::str_opt(prior, "assume_role_policy"), &document))
        .set("description", iam::text_like(role.description(), prior.get("description")))
        .set("max_session_duration", Value::int(i64::from(role.max_session_duration().unwrap_or(3600))))
        .set("path", role.path())
        .set("permissions_boundary", iam::text_like(boundary, prior.get("permissions_boundary")))
        .set("force_detach_policies", values::flag(prior, "force_detach_policies"));
    let builder = naming::with_prefix(builder, "name_prefix", prior, Some(role.role_name()));
    tags::fill(builder, client, prior, &iam::from_tags(role.tags())).build()
}

/// What only IAM says of a role.
fn identified(builder: ObjectBuilder, role: &Role) -> ObjectBuilder {
    builder
        .set("arn", role.arn())
        .set("create_date", rfc3339(role.create_date()))
        .set("id", role.role_name())
        .set("name", role.role_name())
        .set("unique_id", role.role_id())
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let tags = tags::wanted(client, planned);
    let started = cx.clock.now();
    let attempts = Attempts::default();
    let answer = iam::with_new_principals(cx, || async {
        let request = client
            .iam
            .create_role()
            .role_name(name_of(planned))
            .assume_role_policy_document(values::string(planned, "assume_role_policy"))
            .set_path(values::text(planned, "path"))
            .set_description(values::text(planned, "description"))
            .set_max_session_duration(values::i32_opt(planned, "max_session_duration"))
            .set_permissions_boundary(values::text(planned, "permissions_boundary"))
            .set_tags(iam::to_tags(&tags));
        request.customize().interceptor(attempts.clone()).send().await.call("iam:CreateRole")
    });
    let role = match answer.await {
        Ok(answer) => answer.role,
        Err(error) if iam::is_taken(&error) && attempts.repeated() => {
            // An attempt before the one that was refused may have made it.
            let role = iam_listing::role(client, &name_of(planned)).await?;
            Some(role.filter(|r| r.create_date().secs() >= started - CLOCK_SKEW_SECS).ok_or(error)?)
        }
        Err(error) => return Err(error.into()),
    };
    let role = role.ok_or_else(|| Diagnostic::error("iam:CreateRole failed", "AWS answered no role."))?;
    let prefix = values::string(planned, "name_prefix");
    let builder = identified(ObjectBuilder::carrying(&SCHEMA, planned), &role).set("name_prefix", prefix);
    let object = tags::fill(builder, client, planned, &tags).build();
    let none = Value::null(SCHEMA.ty());
    role_policies::bring(client, cx, role.role_name(), &none, planned).await.leaving(&object)?;
    Ok(object)
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let name = name_of(prior);
    let mut now = prior.with_attr("force_detach_policies", values::flag(planned, "force_detach_policies").into());
    if changed(prior, planned, "assume_role_policy") {
        let document = values::string(planned, "assume_role_policy");
        let call = iam::with_new_principals(cx, || async {
            let request = client.iam.update_assume_role_policy().role_name(&name).policy_document(&document);
            request.send().await.call("iam:UpdateAssumeRolePolicy")
        });
        call.await.leaving(&now)?;
        now = now.with_attr("assume_role_policy", document.into());
    }
    if values::any_changed(prior, planned, &["description", "max_session_duration"]) {
        let request = client
            .iam
            .update_role()
            .role_name(&name)
            .description(values::string(planned, "description"))
            .set_max_session_duration(values::i32_opt(planned, "max_session_duration"));
        request.send().await.call("iam:UpdateRole").leaving(&now)?;
        now = copied(now, planned, &["description", "max_session_duration"]);
    }
    if changed(prior, planned, "permissions_boundary") {
        set_boundary(client, &name, values::text(planned, "permissions_boundary")).await.leaving(&now)?;
        now = copied(now, planned, &["permissions_boundary"]);
    }
    role_policies::bring(client, cx, &name, prior, planned).await.leaving(&now)?;
    now = copied(now, planned, &["managed_policy_arns", "inline_policy"]);
    update_tags(client, &name, &TagChange::planned(client, prior, planned)).await.leaving(&now)?;
    let builder = ObjectBuilder::carrying(&SCHEMA, &copied(now, planned, &["tags", "tags_all"]));
    Ok(tags::fill(builder, client, planned, &tags::wanted(client, planned)).build())
}

/// The object with some attributes of another.
fn copied(object: Value, from: &Value, names: &[&str]) -> Value {
    names.iter().fold(object, |object, name| match from.get(name) {
        Some(value) => object.with_attr(name, value.clone()),
        None => object,
    })
}

async fn set_boundary(client: &AwsClient, role: &str, arn: Option<String>) -> Result<(), ApiError> {
    match arn {
        Some(arn) => {
            let request = client.iam.put_role_permissions_boundary().role_name(role).permissions_boundary(arn);
            request.send().await.call("iam:PutRolePermissionsBoundary").map(drop)
        }
        None => {
            let request = client.iam.delete_role_permissions_boundary().role_name(role);
            iam::unless_gone(request.send().await.call("iam:DeleteRolePermissionsBoundary"))
        }
    }
}

async fn update_tags(client: &AwsClient, role: &str, change: &TagChange) -> Result<(), ApiError> {
    if !change.remove.is_empty() {
        let request = client.iam.untag_role().role_name(role).set_tag_keys(Some(change.remove.clone()));
        request.send().await.call("iam:UntagRole")?;
    }
    if let Some(tags) = iam::to_tags(&change.set) {
        client.iam.tag_role().role_name(role).set_tags(Some(tags)).send().await.call("iam:TagRole")?;
    }
    Ok(())
}

async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let name = name_of(prior);
    role_policies::remove(client, &name, prior).await?;
    if values::flag(prior, "force_detach_policies") {
        let carried = Carried::read(client, &name).await?;
        carried.remove_policies(client, &name).await?;
    }
    let delete =
        || async { iam::unless_gone(client.iam.delete_role().role_name(&name).send().await.call("iam:DeleteRole")) };
    let error = match delete().await {
        Err(error) if iam::is_in_use(&error) => error,
        other => return Ok(other?),
    };
    // Instance profiles go without asking, as nothing here manages them; policies only with `force_detach_policies`.
    let carried = Carried::read(client, &name).await?;
    carried.leave_profiles(client, &name).await?;
    if !carried.attached.is_empty() || !carried.inline.is_empty() {
        return Err(carried.still_there(&name, &error).into());
    }
    Ok(wait::settle(cx, wait::CONSISTENCY, iam::is_in_use, delete).await?)
}

/// What keeps a role from being deleted.
struct Carried {
    attached: Vec<String>,
    inline: Vec<String>,
    profiles: Vec<String>,
}

impl Carried {
    async fn read(client: &AwsClient, role: &str) -> Result<Self, ApiError> {
        let attached = iam_listing::attached_to(client, role).await?.unwrap_or_default().into_iter().collect();
        let inline = iam_listing::inline_names(client, role).await?;
        let mut profiles = Vec::new();
        let mut found = client.iam.list_instance_profiles_for_role().role_name(role).into_paginator().items().send();
        while let Some(profile) = found.next().await {
            match profile.call("iam:ListInstanceProfilesForRole") {
                Err(error) if iam::is_gone(&error) => break,
                profile => profiles.push(profile?.instance_profile_name),
            }
        }
        Ok(Self { attached, inline, profiles })
    }

    async fn remove_policies(&self, client: &AwsClient, role: &str) -> Result<(), ApiError> {
        for arn in &self.attached {
            role_policies::detach(client, role, arn).await?;
        }
        for name in &self.inline {
            role_policies::delete(client, role, name).await?;
        }
        Ok(())
    }

    async fn leave_profiles(&self, client: &AwsClient, role: &str) -> Result<(), ApiError> {
        for profile in &self.profiles {
            let request = client.iam.remove_role_from_instance_profile().role_name(role).instance_profile_name(profile);
            iam::unless_gone(request.send().await.call("iam:RemoveRoleFromInstanceProfile"))?;
        }
        Ok(())
    }

    fn still_there(&self, role: &str, error: &ApiError) -> Diagnostic {
        let listed = |names: &[String]| names.join(", ");
        let mut parts = Vec::new();
        if !self.attached.is_empty() {
            parts.push(format!("attached policies: {}", listed(&self.attached)));
        }
        if !self.inline.is_empty() {
            parts.push(format!("inline policies: {}", listed(&self.inline)));
        }
        Diagnostic::error(
            "IAM role still has policies",
            format!(
                "The role {role:?} cannot be deleted while it has {}.\n\nSomething outside this configuration put them there. \
                 Remove them, or apply `force_detach_policies = true` on the role first. AWS said: {}",
                parts.join("; "),
                error.message
            ),
        )
    }
}
