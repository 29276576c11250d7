//! Instance profiles.

use serde_json::{Value, json};

use super::common::{all_tags, conflict, date, exists, limit, listed, name, no_such, path, path_prefix, tags};
use super::rows::InstanceProfile;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateInstanceProfile", run: create_profile },
    Operation { name: "GetInstanceProfile", run: get_profile },
    Operation { name: "ListInstanceProfiles", run: list_profiles },
    Operation { name: "ListInstanceProfilesForRole", run: list_profiles_for_role },
    Operation { name: "AddRoleToInstanceProfile", run: add_role },
    Operation { name: "RemoveRoleFromInstanceProfile", run: remove_role },
    Operation { name: "DeleteInstanceProfile", run: delete_profile },
];

/// The profile that a call names.
pub(super) fn named<'a>(world: &'a World, call: &Call) -> Result<&'a InstanceProfile, ApiError> {
    let name = name(call, "InstanceProfileName", 128)?;
    let profile = world.iam.instance_profiles.get(&name);
    profile.ok_or_else(|| no_such(format!("Instance Profile {name} cannot be found.")))
}

/// A profile with its role.
pub(super) fn shown(world: &World, profile: &InstanceProfile) -> Value {
    let role = profile.role.as_ref().and_then(|role| world.iam.roles.get(role));
    json!({
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "CreateDate": date(profile.created),
        "Roles": role.map(super::roles::summary).into_iter().collect::<Vec<_>>(),
    })
}

fn shown_with_tags(world: &World, profile: &InstanceProfile) -> Value {
    let mut value = shown(world, profile);
    value["Tags"] = all_tags(&profile.tags);
    value
}

fn create_profile(world: &mut World, call: &Call) -> Answer {
    let (name, path, tags) = (name(call, "InstanceProfileName", 128)?, path(call, "Path")?, tags(call)?);
    if world.iam.instance_profiles.with(&format!("name={}", name.to_lowercase())).next().is_some() {
        return Err(exists(format!("Instance Profile {name} already exists.")));
    }
    let profile = InstanceProfile {
        id: world.ids.base32("AIPA", 17),
        arn: format!("arn:aws:iam::{}:instance-profile{path}{name}", world.settings.account),
        name,
        path,
        created: world.now,
        role: None,
        tags,
    };
    let answer = shown_with_tags(world, &profile);
    world.iam.instance_profiles.insert(profile.name.clone(), profile);
    Ok(json!({ "InstanceProfile": answer }))
}

fn get_profile(world: &mut World, call: &Call) -> Answer {
    named(world, call).map(|profile| json!({ "InstanceProfile": shown_with_tags(world, profile) }))
}

fn list_profiles(world: &mut World, call: &Call) -> Answer {
    let prefix = path_prefix(call)?;
    let profiles = world.iam.instance_profiles.iter().filter(|(_, profile)| profile.path.starts_with(&prefix));
    listed(call, "InstanceProfiles", profiles.map(|(name, profile)| (name, shown(world, profile))))
}

fn list_profiles_for_role(world: &mut World, call: &Call) -> Answer {
    let key = format!("role={}", super::roles::named(world, call)?.name);
    let profiles = world.iam.instance_profiles.with(&key);
    listed(call, "InstanceProfiles", profiles.map(|(name, profile)| (name, shown(world, profile))))
}

fn add_role(world: &mut World, call: &Call) -> Answer {
    let (profile, role) = (named(world, call)?, super::roles::changeable(world, call)?);
    if profile.role.is_some() {
        return Err(limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
    }
    let (profile, role) = (profile.name.clone(), role.name.clone());
    world.iam.instance_profiles.update(&profile, |profile| profile.role = Some(role));
    Ok(Value::Null)
}

fn remove_role(world: &mut World, call: &Call) -> Answer {
    let (profile, role) = (named(world, call)?, name(call, "RoleName", 64)?);
    if profile.role.as_ref() != Some(&role) {
        return Err(super::roles::missing(&role));
    }
    let profile = profile.name.clone();
    world.iam.instance_profiles.update(&profile, |profile| profile.role = None);
    Ok(Value::Null)
}

fn delete_profile(world: &mut World, call: &Call) -> Answer {
    let profile = named(world, call)?;
    if profile.role.is_some() {
        return Err(conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    let name = profile.name.clone();
    world.iam.instance_profiles.remove(&name);
    Ok(Value::Null)
}
