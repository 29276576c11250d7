//! Roles.

use serde_json::{Value, json};

use super::attach::boundary_of;
use super::common::{
    all_tags, between, boundary, conflict, date, description, encoded, exists, limit, listed, name, no_such, path,
    path_prefix, tag_list, tags,
};
use super::grammar::check_trust_policy;
use super::rows::{Grants, Role};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateRole", run: create_role },
    Operation { name: "GetRole", run: get_role },
    Operation { name: "ListRoles", run: list_roles },
    Operation { name: "UpdateRole", run: update_role },
    Operation { name: "UpdateRoleDescription", run: update_role_description },
    Operation { name: "UpdateAssumeRolePolicy", run: update_assume_role_policy },
    Operation { name: "DeleteRole", run: delete_role },
];

const MOST_NAME: usize = 64;

/// The quota of a trust policy, white space not counted.
const MOST_TRUST: usize = 2048;

/// The role that a call names.
pub(super) fn named<'a>(world: &'a World, call: &Call) -> Result<&'a Role, ApiError> {
    let name = name(call, "RoleName", MOST_NAME)?;
    world.iam.roles.get(&name).ok_or_else(|| missing(&name))
}

pub(super) fn missing(name: &str) -> ApiError {
    no_such(format!("The role with name {name} cannot be found."))
}

/// The role that a call names, when it is not a service's own.
pub(super) fn changeable<'a>(world: &'a World, call: &Call) -> Result<&'a Role, ApiError> {
    let role = named(world, call)?;
    if !role.is_service_linked() {
        return Ok(role);
    }
    let why = "this role is only modifiable by AWS";
    Err(ApiError::new(
        "UnmodifiableEntity",
        format!("Cannot perform the operation on the protected role '{}' - {why}", role.name),
    ))
}

/// A role with its tags and boundary; `RoleLastUsed` only where IAM tells it.
pub(super) fn shown(role: &Role, with_last_used: bool) -> Value {
    let mut value = summary(role);
    value["PermissionsBoundary"] = boundary(role.grants.boundary.as_ref());
    value["Tags"] = tag_list(&role.tags);
    if with_last_used {
        value["RoleLastUsed"] = last_used(role);
    }
    value
}

/// When a role was last used, an empty structure before that.
pub(super) fn last_used(role: &Role) -> Value {
    role.last_used
        .as_ref()
        .map_or_else(|| json!({}), |(time, region)| json!({ "LastUsedDate": date(*time), "Region": region }))
}

/// A role as lists have it.
pub(super) fn summary(role: &Role) -> Value {
    json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": date(role.created),
        "AssumeRolePolicyDocument": encoded(&role.trust),
        "Description": role.description,
        "MaxSessionDuration": role.max_session_secs,
    })
}

/// Checks a trust policy and its size.
fn trust(world: &World, call: &Call, parameter: &str) -> Result<String, ApiError> {
    let text = call.text(parameter).ok_or_else(|| ApiError::missing(call.service, parameter))?;
    check_trust_policy(world, &text)?;
    if text.chars().filter(|letter| !letter.is_whitespace()).count() > MOST_TRUST {
        return Err(limit(format!("Cannot exceed quota for ACLSizePerRole: {MOST_TRUST}")));
    }
    Ok(text)
}

fn session_secs(call: &Call) -> Result<Option<u32>, ApiError> {
    let secs = between(call, "MaxSessionDuration", 3600, 43_200)?;
    Ok(secs.and_then(|secs| u32::try_from(secs).ok()))
}

fn create_role(world: &mut World, call: &Call) -> Answer {
    let (name, path) = (name(call, "RoleName", MOST_NAME)?, path(call, "Path")?);
    let (trust, description) = (trust(world, call, "AssumeRolePolicyDocument")?, description(call)?);
    let max_session_secs = session_secs(call)?.unwrap_or(3600);
    let (tags, boundary) = (tags(call)?, boundary_of(world, call)?);
    if path.starts_with("/aws-service-role/") {
        return Err(super::common::validation(
            "A role with the path /aws-service-role/ is made by CreateServiceLinkedRole only.",
        ));
    }
    let known = world.iam.roles.with(&format!("name={}", name.to_lowercase())).next();
    if known.is_some() {
        return Err(exists(format!("Role with name {name} already exists.")));
    }
    let role = Role {
        id: world.ids.base32("AROA", 17),
        arn: format!("arn:aws:iam::{}:role{path}{name}", world.settings.account),
        name,
        path,
        created: world.now,
        trust,
        description,
        max_session_secs,
        tags,
        grants: Grants { boundary, ..Grants::default() },
        last_used: None,
    };
    let answer = shown(&role, false);
    world.iam.roles.insert(role.name.clone(), role);
    Ok(json!({ "Role": answer }))
}

fn get_role(world: &mut World, call: &Call) -> Answer {
    named(world, call).map(|role| json!({ "Role": shown(role, true) }))
}

fn list_roles(world: &mut World, call: &Call) -> Answer {
    let prefix = path_prefix(call)?;
    let roles = world.iam.roles.iter().filter(|(_, role)| role.path.starts_with(&prefix));
    listed(call, "Roles", roles.map(|(name, role)| (name, summary(role))))
}

fn update_role(world: &mut World, call: &Call) -> Answer {
    let role = changeable(world, call)?.name.clone();
    let (description, secs) = (description(call)?, session_secs(call)?);
    world.iam.roles.update(&role, |role| {
        if call.has("Description") {
            role.description = description;
        }
        role.max_session_secs = secs.unwrap_or(role.max_session_secs);
    });
    Ok(json!({}))
}

fn update_role_description(world: &mut World, call: &Call) -> Answer {
    let name = changeable(world, call)?.name.clone();
    let description = description(call)?;
    world.iam.roles.update(&name, |role| role.description = description);
    Ok(json!({ "Role": world.iam.roles.get(&name).map(|role| shown(role, false)) }))
}

fn update_assume_role_policy(world: &mut World, call: &Call) -> Answer {
    let role = changeable(world, call)?.name.clone();
    let trust = trust(world, call, "PolicyDocument")?;
    world.iam.roles.update(&role, |role| role.trust = trust);
    Ok(Value::Null)
}

fn delete_role(world: &mut World, call: &Call) -> Answer {
    let role = changeable(world, call)?;
    if !role.grants.attached.is_empty() {
        return Err(conflict("Cannot delete entity, must detach all policies first."));
    }
    if !role.grants.inline.is_empty() {
        return Err(conflict("Cannot delete entity, must delete policies first."));
    }
    if world.iam.instance_profiles.with(&format!("role={}", role.name)).next().is_some() {
        return Err(conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    let name = role.name.clone();
    remove(world, &name);
    Ok(Value::Null)
}

/// Removes a role and ends its sessions.
pub(super) fn remove(world: &mut World, name: &str) {
    let sessions: Vec<String> =
        world.iam.sessions.with(&format!("role={name}")).map(|(key, _)| key.to_owned()).collect();
    for key in sessions {
        world.iam.sessions.remove(&key);
    }
    world.iam.roles.remove(name);
}

/// A role in GetAccountAuthorizationDetails.
pub(super) fn details(world: &World, role: &Role) -> Value {
    let mut value = shown(role, true);
    let profiles = world.iam.instance_profiles.with(&format!("role={}", role.name));
    value["InstanceProfileList"] = profiles.map(|(_, profile)| super::profiles::shown(world, profile)).collect();
    value["RolePolicyList"] = super::attach::inline_list(&role.grants);
    value["AttachedManagedPolicies"] = super::attach::attached_list(world, &role.grants);
    value["Tags"] = all_tags(&role.tags);
    value
}
