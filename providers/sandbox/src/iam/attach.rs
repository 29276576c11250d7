//! The policies of roles, users and groups: attached, inline, and permissions boundaries.

use serde_json::{Value, json};

use super::common::{encoded, limit, listed, name, no_such, path_prefix, sized};
use super::grammar::check_identity_policy;
use super::rows::Grants;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AttachRolePolicy", run: |world, call| attach(world, call, Kind::Role) },
    Operation { name: "AttachUserPolicy", run: |world, call| attach(world, call, Kind::User) },
    Operation { name: "AttachGroupPolicy", run: |world, call| attach(world, call, Kind::Group) },
    Operation { name: "DetachRolePolicy", run: |world, call| detach(world, call, Kind::Role) },
    Operation { name: "DetachUserPolicy", run: |world, call| detach(world, call, Kind::User) },
    Operation { name: "DetachGroupPolicy", run: |world, call| detach(world, call, Kind::Group) },
    Operation { name: "ListAttachedRolePolicies", run: |world, call| list_attached(world, call, Kind::Role) },
    Operation { name: "ListAttachedUserPolicies", run: |world, call| list_attached(world, call, Kind::User) },
    Operation { name: "ListAttachedGroupPolicies", run: |world, call| list_attached(world, call, Kind::Group) },
    Operation { name: "PutRolePolicy", run: |world, call| put(world, call, Kind::Role) },
    Operation { name: "PutUserPolicy", run: |world, call| put(world, call, Kind::User) },
    Operation { name: "PutGroupPolicy", run: |world, call| put(world, call, Kind::Group) },
    Operation { name: "GetRolePolicy", run: |world, call| get(world, call, Kind::Role) },
    Operation { name: "GetUserPolicy", run: |world, call| get(world, call, Kind::User) },
    Operation { name: "GetGroupPolicy", run: |world, call| get(world, call, Kind::Group) },
    Operation { name: "ListRolePolicies", run: |world, call| list(world, call, Kind::Role) },
    Operation { name: "ListUserPolicies", run: |world, call| list(world, call, Kind::User) },
    Operation { name: "ListGroupPolicies", run: |world, call| list(world, call, Kind::Group) },
    Operation { name: "DeleteRolePolicy", run: |world, call| delete(world, call, Kind::Role) },
    Operation { name: "DeleteUserPolicy", run: |world, call| delete(world, call, Kind::User) },
    Operation { name: "DeleteGroupPolicy", run: |world, call| delete(world, call, Kind::Group) },
    Operation { name: "PutRolePermissionsBoundary", run: |world, call| put_boundary(world, call, Kind::Role) },
    Operation { name: "PutUserPermissionsBoundary", run: |world, call| put_boundary(world, call, Kind::User) },
    Operation { name: "DeleteRolePermissionsBoundary", run: |world, call| delete_boundary(world, call, Kind::Role) },
    Operation { name: "DeleteUserPermissionsBoundary", run: |world, call| delete_boundary(world, call, Kind::User) },
];

/// Whose policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Role,
    User,
    Group,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// How many characters all inline documents may have together, white space not counted.
    fn most_inline(self) -> usize {
        match self {
            Self::Role => 10_240,
            Self::User => 2048,
            Self::Group => 5120,
        }
    }
}

/// So many policies may be attached to one of them.
const MOST_ATTACHED: usize = 10;

/// The name and policies of what a call names; with `to_change`, a service's own roles are refused.
fn grants<'a>(world: &'a World, call: &Call, kind: Kind, to_change: bool) -> Result<(String, &'a Grants), ApiError> {
    Ok(match kind {
        Kind::Role => {
            let role =
                if to_change { super::roles::changeable(world, call)? } else { super::roles::named(world, call)? };
            (role.name.clone(), &role.grants)
        }
        Kind::User => super::users::named(world, call).map(|user| (user.name.clone(), &user.grants))?,
        Kind::Group => super::groups::named(world, call).map(|group| (group.name.clone(), &group.grants))?,
    })
}

fn change(world: &mut World, kind: Kind, name: &str, change: impl FnOnce(&mut Grants)) {
    match kind {
        Kind::Role => world.iam.roles.update(name, |role| change(&mut role.grants)),
        Kind::User => world.iam.users.update(name, |user| change(&mut user.grants)),
        Kind::Group => world.iam.groups.update(name, |group| change(&mut group.grants)),
    };
}

/// The ARN that a call sends as `PolicyArn`.
pub(super) fn policy_arn(call: &Call, parameter: &str) -> Result<String, ApiError> {
    let arn = sized(call, parameter, 2048)?;
    if arn.len() >= 20 && arn.starts_with("arn:") && arn.splitn(6, ':').count() == 6 {
        return Ok(arn);
    }
    Err(ApiError::new("InvalidInput", format!("ARN {arn} is not valid.")))
}

fn attach(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let arn = policy_arn(call, "PolicyArn")?;
    let (name, grants) = grants(world, call, kind, true)?;
    if !world.iam.policies.contains(&arn) {
        return Err(no_such(format!("Policy {arn} does not exist or is not attachable.")));
    }
    if arn.contains(":policy/aws-service-role/") {
        let why = format!("Cannot attach a Service Role Policy to a Customer {}.", kind.word());
        return Err(ApiError::new("PolicyNotAttachable", why));
    }
    if grants.attached.contains(&arn) {
        return Ok(Value::Null);
    }
    if grants.attached.len() >= MOST_ATTACHED {
        return Err(limit(format!("Cannot exceed quota for PoliciesPer{}: {MOST_ATTACHED}", kind.word())));
    }
    change(world, kind, &name, |grants| grants.attached.push(arn));
    Ok(Value::Null)
}

fn detach(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let arn = policy_arn(call, "PolicyArn")?;
    let (name, grants) = grants(world, call, kind, true)?;
    if !grants.attached.contains(&arn) {
        return Err(no_such(format!("Policy {arn} was not found.")));
    }
    change(world, kind, &name, |grants| grants.attached.retain(|attached| *attached != arn));
    Ok(Value::Null)
}

fn list_attached(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let prefix = path_prefix(call)?;
    let (_, grants) = grants(world, call, kind, false)?;
    let mut arns: Vec<&String> = grants.attached.iter().collect();
    arns.sort();
    let policies = arns.into_iter().filter_map(|arn| world.iam.policies.get(arn));
    let rows = policies
        .filter(|policy| policy.path.starts_with(&prefix))
        .map(|policy| (policy.arn.as_str(), json!({ "PolicyName": policy.name, "PolicyArn": policy.arn })));
    listed(call, "AttachedPolicies", rows)
}

/// `AttachedManagedPolicies` of GetAccountAuthorizationDetails.
pub(super) fn attached_list(world: &World, grants: &Grants) -> Value {
    let policies = grants.attached.iter().filter_map(|arn| world.iam.policies.get(arn));
    policies.map(|policy| json!({ "PolicyName": policy.name, "PolicyArn": policy.arn })).collect()
}

/// `RolePolicyList` and its like of GetAccountAuthorizationDetails.
pub(super) fn inline_list(grants: &Grants) -> Value {
    let policies = grants.inline.iter();
    policies.map(|(name, document)| json!({ "PolicyName": name, "PolicyDocument": encoded(document) })).collect()
}

fn put(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let policy = name(call, "PolicyName", 128)?;
    let document = call.text("PolicyDocument").ok_or_else(|| ApiError::missing(call.service, "PolicyDocument"))?;
    let (name, grants) = grants(world, call, kind, true)?;
    check_identity_policy(&document)?;
    let size = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).count();
    let others = grants.inline.iter().filter(|(known, _)| **known != policy).map(|(_, text)| size(text)).sum::<usize>();
    let most = kind.most_inline();
    if others + size(&document) > most {
        let word = kind.word().to_lowercase();
        return Err(limit(format!("Maximum policy size of {most} bytes exceeded for {word} {name}")));
    }
    change(world, kind, &name, |grants| drop(grants.inline.insert(policy, document)));
    Ok(Value::Null)
}

/// The name of the inline policy that a call names, and its document.
fn inline<'a>(call: &Call, kind: Kind, grants: &'a Grants) -> Result<(String, &'a String), ApiError> {
    let policy = name(call, "PolicyName", 128)?;
    let word = kind.word().to_lowercase();
    let document = grants.inline.get(&policy);
    let document = document.ok_or_else(|| no_such(format!("The {word} policy with name {policy} cannot be found.")))?;
    Ok((policy, document))
}

fn get(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let (name, grants) = grants(world, call, kind, false)?;
    let (policy, document) = inline(call, kind, grants)?;
    let mut answer = json!({ "PolicyName": policy, "PolicyDocument": encoded(document) });
    answer[format!("{}Name", kind.word())] = name.into();
    Ok(answer)
}

fn list(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let (_, grants) = grants(world, call, kind, false)?;
    listed(call, "PolicyNames", grants.inline.keys().map(|name| (name.as_str(), Value::from(name.as_str()))))
}

fn delete(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let (name, grants) = grants(world, call, kind, true)?;
    let (policy, _) = inline(call, kind, grants)?;
    change(world, kind, &name, |grants| drop(grants.inline.remove(&policy)));
    Ok(Value::Null)
}

/// The boundary that a call sends for a new role or user.
pub(super) fn boundary_of(world: &World, call: &Call) -> Result<Option<String>, ApiError> {
    if !call.has("PermissionsBoundary") {
        return Ok(None);
    }
    let arn = policy_arn(call, "PermissionsBoundary")?;
    if world.iam.policies.contains(&arn) && !arn.contains(":policy/aws-service-role/") {
        return Ok(Some(arn));
    }
    Err(no_such(format!("Scope ARN: {arn} does not exist or is not attachable.")))
}

fn put_boundary(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let (name, _) = grants(world, call, kind, true)?;
    let arn = boundary_of(world, call)?.ok_or_else(|| ApiError::missing(call.service, "PermissionsBoundary"))?;
    change(world, kind, &name, |grants| grants.boundary = Some(arn));
    Ok(Value::Null)
}

fn delete_boundary(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let (name, grants) = grants(world, call, kind, true)?;
    if grants.boundary.is_none() {
        let word = kind.word().to_lowercase();
        return Err(no_such(format!("The {word} with name {name} has no permissions boundary.")));
    }
    change(world, kind, &name, |grants| grants.boundary = None);
    Ok(Value::Null)
}
