//! Groups, and who is in them.

use serde_json::{Value, json};

use super::common::{conflict, date, exists, limit, listed, name, no_such, path, path_prefix};
use super::rows::{Grants, Group};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateGroup", run: create_group },
    Operation { name: "GetGroup", run: get_group },
    Operation { name: "ListGroups", run: list_groups },
    Operation { name: "UpdateGroup", run: update_group },
    Operation { name: "DeleteGroup", run: delete_group },
    Operation { name: "AddUserToGroup", run: add_user },
    Operation { name: "RemoveUserFromGroup", run: remove_user },
    Operation { name: "ListGroupsForUser", run: list_groups_for_user },
];

const MOST_NAME: usize = 128;
const MOST_GROUPS_OF_USER: usize = 10;

/// The group that a call names.
pub(super) fn named<'a>(world: &'a World, call: &Call) -> Result<&'a Group, ApiError> {
    let name = name(call, "GroupName", MOST_NAME)?;
    world.iam.groups.get(&name).ok_or_else(|| no_such(format!("The group with name {name} cannot be found.")))
}

fn shown(group: &Group) -> Value {
    json!({
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": date(group.created),
    })
}

fn create_group(world: &mut World, call: &Call) -> Answer {
    let (name, path) = (name(call, "GroupName", MOST_NAME)?, path(call, "Path")?);
    if world.iam.groups.with(&format!("name={}", name.to_lowercase())).next().is_some() {
        return Err(exists(format!("Group with name {name} already exists.")));
    }
    let group = Group {
        id: world.ids.base32("AGPA", 17),
        arn: format!("arn:aws:iam::{}:group{path}{name}", world.settings.account),
        name,
        path,
        created: world.now,
        grants: Grants::default(),
    };
    let answer = shown(&group);
    world.iam.groups.insert(group.name.clone(), group);
    Ok(json!({ "Group": answer }))
}

fn get_group(world: &mut World, call: &Call) -> Answer {
    let group = named(world, call)?;
    let key = format!("group={}", group.name);
    let users = world.iam.users.with(&key).map(|(name, user)| (name, super::users::summary(user)));
    let mut answer = listed(call, "Users", users)?;
    answer["Group"] = shown(group);
    Ok(answer)
}

fn list_groups(world: &mut World, call: &Call) -> Answer {
    let prefix = path_prefix(call)?;
    let groups = world.iam.groups.iter().filter(|(_, group)| group.path.starts_with(&prefix));
    listed(call, "Groups", groups.map(|(name, group)| (name, shown(group))))
}

fn members(world: &World, group: &str) -> Vec<String> {
    world.iam.users.with(&format!("group={group}")).map(|(name, _)| name.to_owned()).collect()
}

fn update_group(world: &mut World, call: &Call) -> Answer {
    let mut group = named(world, call)?.clone();
    let old = group.name.clone();
    if call.has("NewPath") {
        group.path = path(call, "NewPath")?;
    }
    if call.has("NewGroupName") {
        group.name = name(call, "NewGroupName", MOST_NAME)?;
        let known = world.iam.groups.with(&format!("name={}", group.name.to_lowercase())).next();
        if known.is_some_and(|(known, _)| known != old) {
            return Err(exists(format!("Group with name {} already exists.", group.name)));
        }
    }
    group.arn = format!("arn:aws:iam::{}:group{}{}", world.settings.account, group.path, group.name);
    for user in members(world, &old) {
        world.iam.users.update(&user, |user| {
            user.groups.remove(&old);
            user.groups.insert(group.name.clone());
        });
    }
    world.iam.groups.remove(&old);
    world.iam.groups.insert(group.name.clone(), group);
    Ok(Value::Null)
}

fn delete_group(world: &mut World, call: &Call) -> Answer {
    let group = named(world, call)?;
    if !group.grants.attached.is_empty() {
        return Err(conflict("Cannot delete entity, must detach all policies first."));
    }
    if !group.grants.inline.is_empty() {
        return Err(conflict("Cannot delete entity, must delete policies first."));
    }
    if !members(world, &group.name).is_empty() {
        return Err(conflict("Cannot delete entity, must remove users from group first."));
    }
    let name = group.name.clone();
    world.iam.groups.remove(&name);
    Ok(Value::Null)
}

fn add_user(world: &mut World, call: &Call) -> Answer {
    let (group, user) = (named(world, call)?.name.clone(), super::users::named(world, call)?);
    if !user.groups.contains(&group) && user.groups.len() >= MOST_GROUPS_OF_USER {
        return Err(limit(format!("Cannot exceed quota for GroupsPerUser: {MOST_GROUPS_OF_USER}")));
    }
    let user = user.name.clone();
    world.iam.users.update(&user, |user| user.groups.insert(group));
    Ok(Value::Null)
}

fn remove_user(world: &mut World, call: &Call) -> Answer {
    let (group, user) = (named(world, call)?.name.clone(), super::users::named(world, call)?);
    if !user.groups.contains(&group) {
        return Err(no_such(format!("User {} is not in group {group}.", user.name)));
    }
    let user = user.name.clone();
    world.iam.users.update(&user, |user| user.groups.remove(&group));
    Ok(Value::Null)
}

fn list_groups_for_user(world: &mut World, call: &Call) -> Answer {
    let user = super::users::named(world, call)?;
    let groups = user.groups.iter().filter_map(|name| world.iam.groups.get(name));
    listed(call, "Groups", groups.map(|group| (group.name.as_str(), shown(group))))
}

/// A group in GetAccountAuthorizationDetails.
pub(super) fn details(world: &World, group: &Group) -> Value {
    let mut value = shown(group);
    value["GroupPolicyList"] = super::attach::inline_list(&group.grants);
    value["AttachedManagedPolicies"] = super::attach::attached_list(world, &group.grants);
    value
}
