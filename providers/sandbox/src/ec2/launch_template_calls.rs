//! The operations on launch templates.

use serde_json::{Value, json};

use super::describe::{Describe, listing, paging};
use super::interface_describe::time;
use super::launch_template_data as data;
use super::launch_templates::{self, KIND, LaunchTemplate, LaunchTemplateVersion, New};
use super::tags::{self, Tags, tag_set};
use super::tokens;
use crate::aws::filter::Filters;
use crate::aws::page;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateLaunchTemplate", run: create_launch_template },
    Operation { name: "CreateLaunchTemplateVersion", run: create_launch_template_version },
    Operation { name: "ModifyLaunchTemplate", run: modify_launch_template },
    Operation { name: "DeleteLaunchTemplate", run: delete_launch_template },
    Operation { name: "DeleteLaunchTemplateVersions", run: delete_launch_template_versions },
    Operation { name: "DescribeLaunchTemplates", run: describe_launch_templates },
    Operation { name: "DescribeLaunchTemplateVersions", run: describe_launch_template_versions },
];

fn render(_: &World, template: &LaunchTemplate) -> Value {
    json!({
        "launchTemplateId": template.id, "launchTemplateName": template.name, "createTime": time(template.created_at),
        "createdBy": template.created_by, "defaultVersionNumber": template.default_version,
        "latestVersionNumber": template.latest_version, "tagSet": tag_set(&template.tags),
        "operator": { "managed": false },
    })
}

fn render_version(template: &LaunchTemplate, version: &LaunchTemplateVersion) -> Value {
    json!({
        "launchTemplateId": template.id, "launchTemplateName": template.name, "versionNumber": version.number,
        "versionDescription": version.description, "createTime": time(version.created_at), "createdBy": version.created_by,
        "defaultVersion": version.number == template.default_version, "launchTemplateData": data::render(&version.data),
        "operator": { "managed": false },
    })
}

fn read_data(call: &Call) -> Result<Value, ApiError> {
    let sent = call.value("LaunchTemplateData");
    data::read(sent.ok_or_else(|| ApiError::missing(call.service, "LaunchTemplateData"))?)
}

fn read_description(call: &Call) -> Result<Option<String>, ApiError> {
    let description = call.text("VersionDescription");
    if description.as_ref().is_some_and(|text| text.chars().count() > 255) {
        let message = "The version description must not have more than 255 characters.";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    Ok(description)
}

fn create_launch_template(world: &mut World, call: &Call) -> Answer {
    let id = match tokens::recall(world, call)? {
        Some(id) => id,
        None => {
            let new = New {
                name: call.required("LaunchTemplateName")?,
                description: read_description(call)?,
                data: read_data(call)?,
                tags: tags::from_specifications(call, KIND.resource_type)?,
                created_by: call.caller.arn.clone(),
            };
            let id = launch_templates::create(world, new)?;
            tokens::remember(world, call, &id);
            id
        }
    };
    let template = launch_templates::find(world, &id)?;
    Ok(json!({ "launchTemplate": render(world, template) }))
}

fn create_launch_template_version(world: &mut World, call: &Call) -> Answer {
    let template = launch_templates::of_call(world, call)?.clone();
    let number = match tokens::recall(world, call)? {
        Some(number) => number,
        None => {
            let mut data = read_data(call)?;
            if let Some(source) = call.text("SourceVersion") {
                data = data::over(&launch_templates::version(world, &template, Some(&source))?.data, &data);
            }
            let (description, creator) = (read_description(call)?, call.caller.arn.clone());
            let number = launch_templates::add_version(world, &template.id, data, description, creator)?.to_string();
            tokens::remember(world, call, &number);
            number
        }
    };
    let version = launch_templates::version(world, &template, Some(&number))?;
    Ok(json!({ "launchTemplateVersion": render_version(&template, version) }))
}

fn modify_launch_template(world: &mut World, call: &Call) -> Answer {
    let template = launch_templates::of_call(world, call)?.clone();
    let wanted = call.text("SetDefaultVersion").or_else(|| call.text("DefaultVersion"));
    if let Some(wanted) = wanted {
        let number = launch_templates::version(world, &template, Some(&wanted))?.number;
        world.ec2.launch_templates.update(&template.id, |template| template.default_version = number);
    }
    let template = launch_templates::find(world, &template.id)?;
    Ok(json!({ "launchTemplate": render(world, template) }))
}

fn delete_launch_template(world: &mut World, call: &Call) -> Answer {
    let template = launch_templates::of_call(world, call)?.clone();
    launch_templates::remove(world, &template.id);
    Ok(json!({ "launchTemplate": render(world, &template) }))
}

/// Deletes what can be deleted, and tells what could not.
fn delete_launch_template_versions(world: &mut World, call: &Call) -> Answer {
    let template = launch_templates::of_call(world, call)?.clone();
    let wanted = call.texts("LaunchTemplateVersion");
    if wanted.is_empty() {
        return Err(ApiError::missing(call.service, "LaunchTemplateVersion"));
    }
    if wanted.len() > 200 {
        let message = "You can delete up to 200 launch template versions in a single request.";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for text in wanted {
        let item = json!({
            "launchTemplateId": template.id, "launchTemplateName": template.name, "versionNumber": text.parse::<u64>().ok(),
        });
        match deletable(world, &template, &text) {
            Ok(number) => {
                launch_templates::remove_version(world, &template.id, number);
                gone.push(item);
            }
            Err((code, message)) => {
                let mut item = item;
                item["responseError"] = json!({ "code": code, "message": message });
                kept.push(item);
            }
        }
    }
    if let Some(latest) = launch_templates::versions(world, &template.id).first().map(|version| version.number) {
        world.ec2.launch_templates.update(&template.id, |template| template.latest_version = latest);
    }
    Ok(json!({
        "successfullyDeletedLaunchTemplateVersionSet": gone, "unsuccessfullyDeletedLaunchTemplateVersionSet": kept,
    }))
}

fn deletable(world: &World, template: &LaunchTemplate, text: &str) -> Result<u64, (&'static str, String)> {
    let missing = || {
        let message = format!("Could not find the specified version {text} for the launch template.");
        ("launchTemplateVersionDoesNotExist", message)
    };
    if text.parse::<u64>().is_err() {
        return Err(missing());
    }
    let number = launch_templates::version(world, template, Some(text)).map_err(|_| missing())?.number;
    if number == template.default_version {
        let message = "The default version of a launch template cannot be deleted.".to_owned();
        return Err(("unexpectedError", message));
    }
    Ok(number)
}

static DESCRIBE: Describe<LaunchTemplate> = Describe {
    kind: &KIND,
    ids: "LaunchTemplateId",
    set: "launchTemplates",
    filters: &[
        ("create-time", |_, row| vec![time(row.created_at)]),
        ("launch-template-name", |_, row| vec![row.name.clone()]),
    ],
    indexed: &["launch-template-name", "tag"],
    limits: (1, 200),
    tags: |row| &row.tags,
    render,
};

fn describe_launch_templates(world: &mut World, call: &Call) -> Answer {
    let mut ids = call.texts("LaunchTemplateId");
    for id in &ids {
        launch_templates::find(world, id)?;
    }
    for name in call.texts("LaunchTemplateName") {
        let template = launch_templates::named(world, &name).ok_or_else(|| {
            let message = "At least one of the launch templates specified in the request does not exist.";
            ApiError::new("InvalidLaunchTemplateName.NotFoundException", message)
        })?;
        ids.push(template.id.clone());
    }
    DESCRIBE.answer_for(world, &world.ec2.launch_templates, call, &ids)
}

const VERSION_FILTERS: &[&str] = &[
    "create-time",
    "ebs-optimized",
    "http-endpoint",
    "http-tokens",
    "iam-instance-profile",
    "image-id",
    "instance-type",
    "is-default-version",
    "kernel-id",
    "ram-disk-id",
];

/// What a version has under a filter's name.
fn version_values(template: &LaunchTemplate, version: &LaunchTemplateVersion, filter: &str) -> Vec<String> {
    let at = |pointer: &str| version.data.pointer(pointer).cloned().unwrap_or(Value::Null);
    let value = match filter {
        "create-time" => json!(time(version.created_at)),
        "is-default-version" => json!(version.number == template.default_version),
        "ebs-optimized" => at("/EbsOptimized"),
        "http-endpoint" => at("/MetadataOptions/HttpEndpoint"),
        "http-tokens" => at("/MetadataOptions/HttpTokens"),
        "iam-instance-profile" => at("/IamInstanceProfile/Arn"),
        "image-id" => at("/ImageId"),
        "instance-type" => at("/InstanceType"),
        "kernel-id" => at("/KernelId"),
        _ => at("/RamDiskId"),
    };
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text],
        other => vec![other.to_string()],
    }
}

fn describe_launch_template_versions(world: &mut World, call: &Call) -> Answer {
    let filters = Filters::read(call, VERSION_FILTERS)?;
    let (limit, after) = paging(call, (1, 200))?;
    let wanted = call.texts("LaunchTemplateVersion");
    let has_template = call.has("LaunchTemplateId") || call.has("LaunchTemplateName");
    let found = if has_template { of_one(world, call, &wanted)? } else { of_all(world, &wanted)? };
    // The newest comes first: a token names how many numbers are left.
    let rows: Vec<(String, Value)> = found
        .into_iter()
        .filter(|(template, version)| filters.accept(&Tags::new(), |name| version_values(template, version, name)))
        .map(|(template, version)| {
            let order = format!(
                "{}/{:010}",
                template.id,
                u32::MAX.saturating_sub(u32::try_from(version.number).unwrap_or(u32::MAX))
            );
            (order, render_version(template, version))
        })
        .filter(|(order, _)| after.as_ref().is_none_or(|after| order > after))
        .collect();
    let page = page::rest(rows.iter().map(|(order, row)| (order.as_str(), row.clone())), limit);
    Ok(listing("launchTemplateVersionSet", page))
}

type Found<'a> = Vec<(&'a LaunchTemplate, &'a LaunchTemplateVersion)>;

/// The versions of one template: those that are named, or those within `MinVersion` and `MaxVersion`.
fn of_one<'a>(world: &'a World, call: &Call, wanted: &[String]) -> Result<Found<'a>, ApiError> {
    let template = launch_templates::of_call(world, call)?;
    if wanted.is_empty() {
        let bound = |name: &str| call.parsed::<u64>(name, "Must be a version number");
        let (least, most) = (bound("MinVersion")?.unwrap_or(0), bound("MaxVersion")?.unwrap_or(u64::MAX));
        let versions = launch_templates::versions(world, &template.id).into_iter();
        return Ok(versions
            .filter(|version| (least..=most).contains(&version.number))
            .map(|version| (template, version))
            .collect());
    }
    let mut found: Found = Vec::new();
    for text in wanted {
        found.push((template, launch_templates::version(world, template, Some(text))?));
    }
    found.sort_by_key(|(_, version)| std::cmp::Reverse(version.number));
    found.dedup_by_key(|(_, version)| version.number);
    Ok(found)
}

/// The newest or default version of each template.
fn of_all<'a>(world: &'a World, wanted: &[String]) -> Result<Found<'a>, ApiError> {
    if wanted.is_empty() || wanted.iter().any(|text| text != "$Latest" && text != "$Default") {
        let message = "You must specify a launch template ID or name, or the versions $Latest or $Default.";
        return Err(ApiError::new("MissingParameter", message));
    }
    let mut found: Found = Vec::new();
    for template in world.ec2.launch_templates.values() {
        let mut numbers: Found = Vec::new();
        for text in wanted {
            numbers.push((template, launch_templates::version(world, template, Some(text))?));
        }
        numbers.sort_by_key(|(_, version)| std::cmp::Reverse(version.number));
        numbers.dedup_by_key(|(_, version)| version.number);
        found.extend(numbers);
    }
    Ok(found)
}
