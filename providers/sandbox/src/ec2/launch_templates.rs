//! Launch templates and their versions: the rows, and what makes and finds them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::describe::invalid;
use super::kinds::{Kind, kind};
use super::tags::Tags;
use crate::aws::{ApiError, Params};
use crate::store::table::Table;
use crate::world::World;

/// Launch templates as a kind.
pub static KIND: Kind = kind!(
    launch_templates,
    "lt",
    "launch-template",
    "launch template",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.Malformed"
);

/// Templates in a region, and versions of one (EC2 user guide, "Restrictions for Amazon EC2 launch templates").
const TEMPLATES_MAX: usize = 5_000;
const VERSIONS_MAX: usize = 10_000;

/// A launch template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// `lt-...`.
    pub id: String,
    /// Unique in the region.
    pub name: String,
    /// The ARN of who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// The version that is meant when none is named.
    pub default_version: u64,
    /// The newest version that is there.
    pub latest_version: u64,
    /// The number of the version that was made last; numbers are not given again.
    pub(super) last_number: u64,
    /// Its tags.
    pub tags: Tags,
}

/// A version of a launch template. Its id is the template's with the number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LaunchTemplateVersion {
    /// The template.
    pub template_id: String,
    /// From 1.
    pub number: u64,
    /// For people.
    pub description: Option<String>,
    /// The ARN of who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Its data, by the names of calls; see [`super::launch_template_data::read`].
    pub data: Value,
}

/// A table of templates, by `launch-template-name=` and `tag:KEY=`.
pub fn table() -> Table<LaunchTemplate> {
    Table::indexed("ec2.launch-templates", |row| {
        let mut keys = vec![format!("launch-template-name={}", row.name)];
        keys.extend(row.tags.iter().map(|(key, value)| format!("tag:{key}={value}")));
        keys
    })
}

/// A table of versions, by `template=`.
pub fn versions_table() -> Table<LaunchTemplateVersion> {
    Table::indexed("ec2.launch-template-versions", |row| vec![format!("template={}", row.template_id)])
}

fn version_id(template_id: &str, number: u64) -> String {
    format!("{template_id}/{number:010}")
}

/// What a new template is made from.
#[derive(Clone, Debug, Default)]
pub struct New {
    /// Its name.
    pub name: String,
    /// Of its first version.
    pub description: Option<String>,
    /// Of its first version, as [`super::launch_template_data::read`] answers it.
    pub data: Value,
    /// Its tags.
    pub tags: Tags,
    /// The ARN of who makes it.
    pub created_by: String,
}

/// Makes a template with its first version and answers its id.
///
/// # Errors
/// `InvalidLaunchTemplateName.MalformedException`, `InvalidLaunchTemplateName.AlreadyExistsException`,
/// `LaunchTemplateLimitExceeded`.
pub fn create(world: &mut World, new: New) -> Result<String, ApiError> {
    check_name(&new.name)?;
    if named(world, &new.name).is_some() {
        let message = "Launch template name already in use.";
        return Err(ApiError::new("InvalidLaunchTemplateName.AlreadyExistsException", message));
    }
    if world.ec2.launch_templates.len() >= TEMPLATES_MAX {
        let message = "The maximum number of launch templates has been reached.";
        return Err(ApiError::new("LaunchTemplateLimitExceeded", message));
    }
    let id = world.ids.ec2(KIND.prefix);
    let template = LaunchTemplate {
        id: id.clone(),
        name: new.name,
        created_by: new.created_by.clone(),
        created_at: world.now,
        default_version: 1,
        latest_version: 0,
        last_number: 0,
        tags: new.tags,
    };
    world.ec2.launch_templates.insert(&id, template);
    add_version(world, &id, new.data, new.description, new.created_by)?;
    Ok(id)
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "()./-_".contains(letter));
    if (3..=128).contains(&name.len()) && is_plain {
        return Ok(());
    }
    let message = "Launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the \
                   following characters: - ( ) . / _";
    Err(ApiError::new("InvalidLaunchTemplateName.MalformedException", message))
}

/// Adds a version and answers its number.
///
/// # Errors
/// `InvalidLaunchTemplateId.NotFound`, `LaunchTemplateVersionLimitExceeded`.
pub fn add_version(
    world: &mut World,
    template_id: &str,
    data: Value,
    description: Option<String>,
    created_by: String,
) -> Result<u64, ApiError> {
    let number = find(world, template_id)?.last_number + 1;
    if world.ec2.launch_template_versions.count(&format!("template={template_id}")) >= VERSIONS_MAX {
        let message = "The maximum number of launch template versions has been reached.";
        return Err(ApiError::new("LaunchTemplateVersionLimitExceeded", message));
    }
    let version = LaunchTemplateVersion {
        template_id: template_id.to_owned(),
        number,
        description,
        created_by,
        created_at: world.now,
        data,
    };
    world.ec2.launch_template_versions.insert(version_id(template_id, number), version);
    world.ec2.launch_templates.update(template_id, |template| {
        (template.latest_version, template.last_number) = (number, number);
    });
    Ok(number)
}

/// A template.
///
/// # Errors
/// `InvalidLaunchTemplateId.Malformed`, `InvalidLaunchTemplateId.NotFound`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a LaunchTemplate, ApiError> {
    KIND.well_formed(id)?;
    world.ec2.launch_templates.get(id).ok_or_else(|| {
        let message = format!("The specified launch template, with template ID {id}, does not exist.");
        ApiError::new(KIND.not_found, message)
    })
}

/// The template of this name.
pub fn named<'a>(world: &'a World, name: &str) -> Option<&'a LaunchTemplate> {
    world.ec2.launch_templates.with(&format!("launch-template-name={name}")).map(|(_, row)| row).next()
}

/// The refusal of a name.
pub(super) fn no_name(name: &str) -> ApiError {
    let message = format!("The specified launch template, with template name {name}, does not exist.");
    ApiError::new("InvalidLaunchTemplateName.NotFoundException", message)
}

/// The template that `LaunchTemplateId` or `LaunchTemplateName` names; exactly one of them must be there.
///
/// # Errors
/// `MissingParameter`, `InvalidParameterCombination`, and the codes for what is not there.
pub fn of_call<'a>(world: &'a World, call: &Params) -> Result<&'a LaunchTemplate, ApiError> {
    match (call.text("LaunchTemplateId"), call.text("LaunchTemplateName")) {
        (Some(id), None) => find(world, &id),
        (None, Some(name)) => named(world, &name).ok_or_else(|| no_name(&name)),
        (Some(_), Some(_)) => Err(ApiError::new(
            "InvalidParameterCombination",
            "You must specify either the launch template ID or the launch template name in the request, but not both.",
        )),
        (None, None) => Err(ApiError::new(
            "MissingParameter",
            "Either a launch template ID or a launch template name must be specified in the request.",
        )),
    }
}

/// A version of a template: a number, `$Latest` or `$Default`; nothing means the default.
///
/// # Errors
/// `InvalidLaunchTemplateId.VersionNotFound`, `InvalidParameterValue` for what is no version.
pub fn version<'a>(
    world: &'a World,
    template: &LaunchTemplate,
    wanted: Option<&str>,
) -> Result<&'a LaunchTemplateVersion, ApiError> {
    let number = match wanted.unwrap_or("$Default") {
        "" | "$Default" => template.default_version,
        "$Latest" => template.latest_version,
        text => text
            .parse()
            .map_err(|_| invalid("launchTemplateVersion", text, "Expected a number, $Latest or $Default."))?,
    };
    world.ec2.launch_template_versions.get(&version_id(&template.id, number)).ok_or_else(|| {
        let message =
            format!("Could not find the specified version {number} for the launch template with ID {}.", template.id);
        ApiError::new("InvalidLaunchTemplateId.VersionNotFound", message)
    })
}

/// A template's versions, newest first.
pub fn versions<'a>(world: &'a World, template_id: &str) -> Vec<&'a LaunchTemplateVersion> {
    let mut versions: Vec<_> =
        world.ec2.launch_template_versions.with(&format!("template={template_id}")).map(|(_, row)| row).collect();
    versions.reverse();
    versions
}

/// The data that a `LaunchTemplateSpecification` (id or name, and version) means.
///
/// # Errors
/// Those of [`of_call`] and [`version`].
pub fn data_of(world: &World, specification: &Params) -> Result<Value, ApiError> {
    let template = of_call(world, specification)?;
    Ok(version(world, template, specification.text("Version").as_deref())?.data.clone())
}

/// Deletes a template with all versions.
pub fn remove(world: &mut World, id: &str) {
    for number in versions(world, id).iter().map(|version| version.number).collect::<Vec<_>>() {
        remove_version(world, id, number);
    }
    world.ec2.launch_templates.remove(id);
}

/// Deletes a version.
pub(super) fn remove_version(world: &mut World, id: &str, number: u64) {
    world.ec2.launch_template_versions.remove(&version_id(id, number));
}
