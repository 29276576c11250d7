//! Users.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::attach::boundary_of;
use super::common::{
    all_tags, boundary, conflict, date, exists, listed, name, no_such, path, path_prefix, tag_list, tags,
};
use super::rows::{Grants, User};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateUser", run: create_user },
    Operation { name: "GetUser", run: get_user },
    Operation { name: "ListUsers", run: list_users },
    Operation { name: "UpdateUser", run: update_user },
    Operation { name: "DeleteUser", run: delete_user },
];

const MOST_NAME: usize = 64;

/// The user that a call names.
pub(super) fn named<'a>(world: &'a World, call: &Call) -> Result<&'a User, ApiError> {
    let name = name(call, "UserName", MOST_NAME)?;
    world.iam.users.get(&name).ok_or_else(|| missing(&name))
}

/// The user that a call names, otherwise the one who calls.
pub(super) fn named_or_caller<'a>(world: &'a World, call: &Call) -> Result<&'a User, ApiError> {
    if call.has("UserName") {
        return named(world, call);
    }
    let caller = world.iam.user_of_arn(&call.caller.arn);
    caller.ok_or_else(|| super::common::validation("Must specify userName when calling with non-User credentials"))
}

pub(super) fn missing(name: &str) -> ApiError {
    no_such(format!("The user with name {name} cannot be found."))
}

/// A user as lists have it.
pub(super) fn summary(user: &User) -> Value {
    json!({
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": date(user.created),
    })
}

fn shown(user: &User) -> Value {
    let mut value = summary(user);
    value["PermissionsBoundary"] = boundary(user.grants.boundary.as_ref());
    value["Tags"] = tag_list(&user.tags);
    value
}

fn create_user(world: &mut World, call: &Call) -> Answer {
    let (name, path) = (name(call, "UserName", MOST_NAME)?, path(call, "Path")?);
    let (tags, boundary) = (tags(call)?, boundary_of(world, call)?);
    if world.iam.users.with(&format!("name={}", name.to_lowercase())).next().is_some() {
        return Err(exists(format!("User with name {name} already exists.")));
    }
    let user = User {
        id: world.ids.base32("AIDA", 17),
        arn: format!("arn:aws:iam::{}:user{path}{name}", world.settings.account),
        name,
        path,
        created: world.now,
        tags,
        grants: Grants { boundary, ..Grants::default() },
        groups: BTreeSet::new(),
    };
    let answer = shown(&user);
    world.iam.users.insert(user.name.clone(), user);
    Ok(json!({ "User": answer }))
}

fn get_user(world: &mut World, call: &Call) -> Answer {
    named_or_caller(world, call).map(|user| json!({ "User": shown(user) }))
}

fn list_users(world: &mut World, call: &Call) -> Answer {
    let prefix = path_prefix(call)?;
    let users = world.iam.users.iter().filter(|(_, user)| user.path.starts_with(&prefix));
    listed(call, "Users", users.map(|(name, user)| (name, summary(user))))
}

fn update_user(world: &mut World, call: &Call) -> Answer {
    let mut user = named(world, call)?.clone();
    let old = user.name.clone();
    if call.has("NewPath") {
        user.path = path(call, "NewPath")?;
    }
    if call.has("NewUserName") {
        user.name = name(call, "NewUserName", MOST_NAME)?;
        let known = world.iam.users.with(&format!("name={}", user.name.to_lowercase())).next();
        if known.is_some_and(|(known, _)| known != old) {
            return Err(exists(format!("User with name {} already exists.", user.name)));
        }
    }
    user.arn = format!("arn:aws:iam::{}:user{}{}", world.settings.account, user.path, user.name);
    let keys: Vec<String> = world.iam.access_keys.with(&format!("user={old}")).map(|(id, _)| id.to_owned()).collect();
    for key in keys {
        world.iam.access_keys.update(&key, |key| key.user.clone_from(&user.name));
    }
    world.iam.users.remove(&old);
    world.iam.users.insert(user.name.clone(), user);
    Ok(Value::Null)
}

fn delete_user(world: &mut World, call: &Call) -> Answer {
    let user = named(world, call)?;
    if !user.grants.attached.is_empty() {
        return Err(conflict("Cannot delete entity, must detach all policies first."));
    }
    if !user.grants.inline.is_empty() {
        return Err(conflict("Cannot delete entity, must delete policies first."));
    }
    if !user.groups.is_empty() {
        return Err(conflict("Cannot delete entity, must remove users from group first."));
    }
    if world.iam.access_keys.with(&format!("user={}", user.name)).next().is_some() {
        return Err(conflict("Cannot delete entity, must delete access keys first."));
    }
    let name = user.name.clone();
    world.iam.users.remove(&name);
    Ok(Value::Null)
}

/// A user in GetAccountAuthorizationDetails.
pub(super) fn details(world: &World, user: &User) -> Value {
    let mut value = shown(user);
    value["UserPolicyList"] = super::attach::inline_list(&user.grants);
    value["GroupList"] = user.groups.iter().map(|name| Value::from(name.as_str())).collect();
    value["AttachedManagedPolicies"] = super::attach::attached_list(world, &user.grants);
    value["Tags"] = all_tags(&user.tags);
    value
}
