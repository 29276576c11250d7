//! `aws_launch_template`.
//!
//! A version of a template never changes. As long as the newest version is the recorded one, its content is what was recorded
//! and need not be read: a refresh of any number of templates is one listing.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{LaunchTemplate, LaunchTemplateVersion, ResourceType as Ec2Type};
use futures::future::join_all;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Type, Value, state::Intent};

use crate::{
    attempts::Attempts,
    bulk::{self, FILTER_VALUES},
    client::AwsClient,
    ec2::{
        filter, launch_template_data as data, launch_template_options,
        launch_template_schema::{self, VERSIONED},
    },
    errors::{ApiError, Call, Failure, Leaving, applied},
    naming, tags,
    values::{self, ObjectBuilder},
};

/// A launch template and its newest version.
#[derive(Debug)]
pub struct AwsLaunchTemplate;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("aws_launch_template", "A launch template of EC2; each change makes a new version of it.")
        .attr("name", Attribute::string().optional_computed().force_new().doc("The name; made up when absent."))
        .attr(
            "name_prefix",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("The beginning of a name that is made up; excludes `name`."),
        )
        .attr("default_version", Attribute::number().optional_computed().doc("The number of the default version."))
        .attr(
            "update_default_version",
            Attribute::bool()
                .optional()
                .doc("Whether each new version becomes the default one; excludes `default_version`."),
        )
        .attr(
            "latest_version",
            Attribute::number().computed().follows(VERSIONED).doc("The number of the newest version."),
        )
        .attr("id", Attribute::string().computed().doc("The template's id: `lt-...`."))
        .attr("arn", Attribute::string().computed().doc("The template's ARN."));
    tags::attributes(launch_template_options::blocks(launch_template_schema::attributes(schema)))
        .unsupported(&[
            "elastic_gpu_specifications",
            "elastic_inference_accelerator",
            "instance_requirements",
            "region",
            "secondary_interfaces",
        ])
        .iam_actions(&[
            "ec2:CreateLaunchTemplate",
            "ec2:CreateLaunchTemplateVersion",
            "ec2:CreateTags",
            "ec2:DeleteLaunchTemplate",
            "ec2:DeleteTags",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:DescribeLaunchTemplates",
            "ec2:ModifyLaunchTemplate",
        ])
        .example(
            "resource \"aws_launch_template\" \"nodes\" {\n  name_prefix            = \"nodes-\"\n  update_default_version = true\n\n  \
             metadata_options {\n    http_tokens                 = \"required\"\n    http_put_response_hop_limit = 2\n  }\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsLaunchTemplate {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let planned = tags::plan(&SCHEMA, request).planned.unwrap_or_else(|| request.proposed.clone());
        PlanResponse { planned: Some(plan_default(request, planned)), ..PlanResponse::default() }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        validate(config)
    }

    fn prepare(&self, planned: Value, token: &str) -> Value {
        naming::prepare(planned, token, "terraform-")
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let names = requests.iter().filter_map(|r| values::text(&r.prior, "name"));
        let fetch = |names: Vec<String>| async move { by_names(client, &names).await };
        let found = bulk::read(names, FILTER_VALUES, fetch, |t| t.launch_template_name.clone()).await;
        let listed = |r: &ReadRequest| {
            values::text(&r.prior, "name").map(|name| found.get(&name).map(Option::<&LaunchTemplate>::cloned))
        };
        let reads: Vec<_> = requests.iter().map(|r| read_one(client, r, listed(r))).collect();
        join_all(reads).await
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (prior, planned) = (request.prior, request.planned);
        applied(update(AwsClient::of(client), cx, prior, planned).await.leaving(prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        applied(delete(AwsClient::of(client), request.prior).await.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("launch template", "lt-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let client = AwsClient::of(client);
        let name = values::string(&intent.attributes, "name");
        let Some(template) = by_names(client, std::slice::from_ref(&name)).await?.into_iter().next() else {
            return Ok(Found::Nothing);
        };
        if is_new(&template, intent.at) {
            return Ok(Found::Ours(object(client, &template, &made(&template, &intent.attributes)).await?));
        }
        let detail = format!(
            "A launch template named {name:?} exists ({}) and is older than the one that was being created. Import it, or choose \
             another name.",
            template.launch_template_id().unwrap_or_default()
        );
        Ok(Found::Doubtful(Diagnostic::error("Is this the launch template that was being created?", detail)))
    }
}

/// One template out of the listing, or by id where the name is not known.
async fn read_one(
    client: &AwsClient,
    request: &ReadRequest,
    listed: Option<Result<Option<LaunchTemplate>, ApiError>>,
) -> ReadOutcome {
    let id = values::string(&request.prior, "id");
    let template = match listed {
        Some(answer) => answer,
        None => by_id(client, &id).await,
    };
    let object = match template {
        // A template of the same name that was made later is another one.
        Ok(Some(template)) if id.is_empty() || template.launch_template_id() == Some(&id) => {
            object(client, &template, &request.prior).await.map(Some)
        }
        Ok(_) => Ok(None),
        Err(error) => Err(error),
    };
    bulk::outcome(request, object)
}

/// Clocks of this machine and of AWS may differ by so many seconds.
const SKEW: i64 = 60;

fn is_new(template: &LaunchTemplate, at: i64) -> bool {
    template.create_time().is_some_and(|made| made.secs() >= at - SKEW)
}

fn validate(config: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut exclude = |a: &'static str, b: &'static str, set: bool| {
        if set {
            let detail = format!("`{a}` and `{b}` exclude each other: give one of them.");
            found.push(Diagnostic::error("Conflicting arguments", detail).attribute(AttrPath::attr(b)));
        }
    };
    let set = |name| values::is_set(config, name);
    exclude("name", "name_prefix", set("name") && set("name_prefix"));
    exclude(
        "update_default_version",
        "default_version",
        values::flag(config, "update_default_version") && set("default_version"),
    );
    exclude(
        "vpc_security_group_ids",
        "network_interfaces",
        !values::strs(config, "vpc_security_group_ids").is_empty()
            && values::blocks(config, "network_interfaces")
                .iter()
                .any(|b| !values::strs(b, "security_groups").is_empty()),
    );
    found
}

/// A new version that becomes the default one makes the default's number unknown.
fn plan_default(request: &PlanRequest<'_>, planned: Value) -> Value {
    let follows = values::flag(&planned, "update_default_version");
    let new_version = !request.prior.is_null() && has_new_content(request.prior, &planned);
    let behind = !request.prior.is_null()
        && follows
        && values::i64_opt(request.prior, "default_version") != values::i64_opt(request.prior, "latest_version");
    if follows && (new_version || behind) {
        return planned.with_attr("default_version", Value::unknown(Type::Number));
    }
    planned
}

fn has_new_content(prior: &Value, planned: &Value) -> bool {
    values::any_changed(prior, planned, VERSIONED)
}

async fn by_names(client: &AwsClient, names: &[String]) -> Result<Vec<LaunchTemplate>, ApiError> {
    let call = client.ec2.describe_launch_templates().filters(filter("launch-template-name", names)).max_results(PAGE);
    call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.call("ec2:DescribeLaunchTemplates")
}

/// The most that a page of launch templates holds.
const PAGE: i32 = 200;

/// By id, which no filter takes; only for an import, where the name is not known.
async fn by_id(client: &AwsClient, id: &str) -> Result<Option<LaunchTemplate>, ApiError> {
    let answer =
        client.ec2.describe_launch_templates().launch_template_ids(id).send().await.call("ec2:DescribeLaunchTemplates");
    match answer {
        Ok(answer) => Ok(answer.launch_templates.and_then(|list| list.into_iter().next())),
        Err(error) if error.is_not_found() || error.is(&["InvalidLaunchTemplateId.Malformed"]) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn newest(client: &AwsClient, id: &str) -> Result<Option<LaunchTemplateVersion>, ApiError> {
    let call = client.ec2.describe_launch_template_versions().launch_template_id(id).versions("$Latest");
    let answer = call.send().await.call("ec2:DescribeLaunchTemplateVersions")?;
    Ok(answer.launch_template_versions.and_then(|list| list.into_iter().next()))
}

/// The object out of what EC2 answered; the content is read when it is not the recorded version's.
async fn object(client: &AwsClient, template: &LaunchTemplate, prior: &Value) -> Result<Value, ApiError> {
    let id = template.launch_template_id().unwrap_or_default();
    let latest = template.latest_version_number();
    // What EC2 decides within a block is not known of a version that was just made, and need not be.
    let prior = &values::known(prior);
    let mut object = ObjectBuilder::carrying(&SCHEMA, prior);
    if latest != values::i64_opt(prior, "latest_version")
        && let Some(version) = newest(client, id).await?
    {
        object = object.set("description", values::non_empty(version.version_description()));
        if let Some(content) = version.launch_template_data() {
            object = data::fill(object, &SCHEMA, content);
        }
    }
    let arn = match values::text(prior, "arn") {
        Some(arn) => arn,
        None => arn(client, id).await?,
    };
    let object = object
        .set("id", id)
        .set("arn", arn)
        .set("name", values::opt_str(template.launch_template_name()))
        .set("default_version", values::opt_int(template.default_version_number()))
        .set("latest_version", values::opt_int(latest));
    let object = naming::with_prefix(object, "name_prefix", prior, template.launch_template_name());
    Ok(tags::fill(object, client, prior, &tags::from_ec2(template.tags())).build())
}

async fn arn(client: &AwsClient, id: &str) -> Result<String, ApiError> {
    let account = &client.identity().await?.account_id;
    Ok(format!("arn:{}:ec2:{}:{account}:launch-template/{id}", client.partition().id, client.region))
}

/// The planned arguments as the recorded content of a template that a call just made.
fn made(template: &LaunchTemplate, planned: &Value) -> Value {
    planned.with_attr("latest_version", values::opt_int(template.latest_version_number()))
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let name = values::string(planned, "name");
    let attempts = Attempts::default();
    let answer = client
        .ec2
        .create_launch_template()
        .launch_template_name(&name)
        .client_token(&cx.token)
        .set_version_description(values::text(planned, "description"))
        .launch_template_data(data::request(planned))
        .set_tag_specifications(
            tags::ec2_specification(Ec2Type::LaunchTemplate, &tags::wanted(client, planned)).map(|s| vec![s]),
        )
        .customize()
        .interceptor(attempts.clone())
        .send()
        .await
        .call("ec2:CreateLaunchTemplate");
    let template = match answer {
        Ok(answer) => answer.launch_template,
        Err(error) if error.is(&["InvalidLaunchTemplateName.AlreadyExistsException"]) => {
            let existing = by_names(client, std::slice::from_ref(&name)).await?.into_iter().next();
            match existing {
                Some(template) if attempts.repeated() && is_new(&template, cx.clock.now()) => Some(template),
                existing => return Err(duplicate(&name, existing.as_ref()).into()),
            }
        }
        Err(error) => return Err(error.into()),
    };
    let template = template.ok_or_else(|| {
        let detail = "EC2 confirmed the launch template without naming it. Run again: the next run looks for it.";
        Failure::from(Diagnostic::error("Launch template without an id", detail))
    })?;
    let prior = made(&template, planned);
    let mut object = object(client, &template, &prior).await.leaving(&prior)?;
    let wanted = values::i64_opt(planned, "default_version");
    if let Some(number) = wanted.filter(|n| Some(*n) != template.default_version_number()) {
        set_default(client, &values::string(&object, "id"), number).await.leaving(&object)?;
        object = object.with_attr("default_version", Value::int(number));
    }
    // The answer may leave out tags that were just given.
    Ok(tags::fill(ObjectBuilder::carrying(&SCHEMA, &object), client, planned, &tags::wanted(client, planned)).build())
}

fn duplicate(name: &str, existing: Option<&LaunchTemplate>) -> Diagnostic {
    let id = existing.and_then(LaunchTemplate::launch_template_id).unwrap_or("lt-...");
    Diagnostic::error(
        "Launch template already exists",
        format!("A launch template named {name:?} exists already ({id}). Import it (`sgp import ADDRESS {id}`), or choose another name."),
    )
    .attribute(AttrPath::attr("name"))
}

async fn set_default(client: &AwsClient, id: &str, number: i64) -> Result<(), ApiError> {
    let call = client.ec2.modify_launch_template().launch_template_id(id).default_version(number.to_string());
    call.send().await.call("ec2:ModifyLaunchTemplate").map(|_| ())
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    let planned = &values::known(planned);
    let mut object = ObjectBuilder::carrying(&SCHEMA, planned)
        .set_opt("latest_version", prior.get("latest_version").cloned())
        .set_opt("default_version", prior.get("default_version").cloned());
    if has_new_content(prior, planned) {
        let call = client
            .ec2
            .create_launch_template_version()
            .launch_template_id(&id)
            .client_token(&cx.token)
            .set_version_description(values::text(planned, "description"))
            .launch_template_data(data::request(planned));
        let answer = call.send().await.call("ec2:CreateLaunchTemplateVersion")?;
        let number = answer.launch_template_version.and_then(|v| v.version_number);
        object = object.set("latest_version", values::opt_int(number));
    }
    let now = object.clone().build();
    let wanted = if values::flag(planned, "update_default_version") {
        values::i64_opt(&now, "latest_version")
    } else {
        values::i64_opt(planned, "default_version")
    };
    if let Some(number) = wanted.filter(|n| Some(*n) != values::i64_opt(prior, "default_version")) {
        set_default(client, &id, number).await.leaving(&now)?;
        object = object.set("default_version", Value::int(number));
    }
    tags::update_ec2(client, &id, prior, planned).await.leaving(&now)?;
    Ok(tags::fill(object, client, planned, &tags::wanted(client, planned)).build())
}

async fn delete(client: &AwsClient, prior: &Value) -> Result<(), Failure> {
    let call = client.ec2.delete_launch_template().launch_template_id(values::string(prior, "id"));
    match call.send().await.call("ec2:DeleteLaunchTemplate") {
        Err(error) if error.is_not_found() => Ok(()),
        other => Ok(other.map(|_| ())?),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn template(fields: &[(&str, Value)]) -> Value {
        fields.iter().fold(SCHEMA.block.empty(), |object, (name, value)| object.with_attr(name, value.clone()))
    }

    fn planned_default(prior: &Value, proposed: &Value) -> Value {
        let provider = Value::object::<&str>([]);
        let request = PlanRequest { prior, config: proposed, proposed, provider_config: &provider };
        AwsLaunchTemplate
            .plan(&request)
            .planned
            .and_then(|p| p.get("default_version").cloned())
            .unwrap_or_else(|| "absent".into())
    }

    #[test]
    fn the_default_version_follows_when_asked() {
        let at = |kind: &str, default: i64, latest: i64, follows: bool| {
            template(&[
                ("instance_type", kind.into()),
                ("default_version", Value::int(default)),
                ("latest_version", Value::int(latest)),
                ("update_default_version", follows.into()),
            ])
        };
        assert!(!planned_default(&at("a", 1, 1, true), &at("b", 1, 1, true)).is_known());
        assert!(!planned_default(&at("a", 1, 2, false), &at("a", 1, 2, true)).is_known());
        assert_eq!(planned_default(&at("a", 1, 1, false), &at("b", 1, 1, false)), Value::int(1));
        assert_eq!(planned_default(&at("a", 1, 1, true), &at("a", 1, 1, true)), Value::int(1));
    }

    #[tokio::test]
    async fn what_ec2_decides_within_a_block_leaves_the_block() {
        let client = crate::client::tests::offline(&[]).await;
        let block = &SCHEMA.block.blocks["metadata_options"].block;
        let open = block.attributes.keys().fold(ObjectBuilder::of_block(block), |b, name| {
            b.set(name, Value::unknown(block.attributes[name].ty.clone()))
        });
        let metadata = Value::list(block.ty(), vec![open.set("http_tokens", "required").build()]);
        let planned =
            template(&[("metadata_options", metadata), ("arn", "arn:lt".into()), ("id", Value::unknown(Type::String))]);
        let found = LaunchTemplate::builder().launch_template_id("lt-1").latest_version_number(1).build();
        let object = object(&client, &found, &made(&found, &planned)).await.unwrap();
        assert!(object.is_wholly_known());
        let options = values::block(&object, "metadata_options").unwrap();
        assert_eq!(values::str_opt(options, "http_tokens"), Some("required"));
        assert!(options.get("http_endpoint").unwrap().is_null());
    }

    #[test]
    fn versioned_arguments_are_in_the_schema() {
        for name in VERSIONED {
            assert!(SCHEMA.block.has(name), "{name}");
        }
        for name in SCHEMA.block.blocks.keys().filter(|name| **name != "timeouts") {
            assert!(VERSIONED.contains(name), "{name} is no part of a version");
        }
    }

    #[test]
    fn conflicts_are_named() {
        let both = template(&[("update_default_version", true.into()), ("default_version", Value::int(3))]);
        let said: Vec<_> = validate(&both).into_iter().map(|d| d.detail).collect();
        assert_eq!(said, ["`update_default_version` and `default_version` exclude each other: give one of them."]);
    }
}
