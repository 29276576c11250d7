//! Managed policies and their versions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::attach::policy_arn;
use super::common::{
    all_tags, conflict, date, description, encoded, exists, limit, listed, name, no_such, path, path_prefix, tag_list,
    tags,
};
use super::grammar::check_identity_policy;
use super::rows::{Policy, PolicyVersion};
use crate::aws::{Answer, ApiError, Call, Operation, Service};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreatePolicy", run: create_policy },
    Operation { name: "GetPolicy", run: get_policy },
    Operation { name: "ListPolicies", run: list_policies },
    Operation { name: "DeletePolicy", run: delete_policy },
    Operation { name: "CreatePolicyVersion", run: create_version },
    Operation { name: "GetPolicyVersion", run: get_version },
    Operation { name: "ListPolicyVersions", run: list_versions },
    Operation { name: "SetDefaultPolicyVersion", run: set_default_version },
    Operation { name: "DeletePolicyVersion", run: delete_version },
    Operation { name: "ListEntitiesForPolicy", run: list_entities },
];

/// The quota of a document, white space not counted.
const MOST_SIZE: usize = 6144;
const MOST_VERSIONS: usize = 5;

/// The policy that a call names.
pub(super) fn named<'a>(world: &'a World, call: &Call) -> Result<&'a Policy, ApiError> {
    let arn = policy_arn(call, "PolicyArn")?;
    world.iam.policies.get(&arn).ok_or_else(|| no_such(format!("Policy {arn} was not found.")))
}

/// The policy that a call names, when it is the account's own.
pub(super) fn own<'a>(world: &'a World, call: &Call) -> Result<&'a Policy, ApiError> {
    let arn = policy_arn(call, "PolicyArn")?;
    if arn.starts_with("arn:aws:iam::aws:") {
        return Err(ApiError::new("AccessDenied", "Policy is outside your own account.").with_status(403));
    }
    named(world, call)
}

/// How many roles, users and groups have the policy.
fn attachments(world: &World, arn: &str) -> usize {
    let key = format!("policy={arn}");
    world.iam.roles.with(&key).count() + world.iam.users.with(&key).count() + world.iam.groups.with(&key).count()
}

fn boundary_uses(world: &World, arn: &str) -> usize {
    let key = format!("boundary={arn}");
    world.iam.roles.with(&key).count() + world.iam.users.with(&key).count()
}

/// A policy as lists have it.
fn summary(world: &World, policy: &Policy) -> Value {
    json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default_version),
        "AttachmentCount": attachments(world, &policy.arn),
        "PermissionsBoundaryUsageCount": boundary_uses(world, &policy.arn),
        "IsAttachable": true,
        "CreateDate": date(policy.created),
        "UpdateDate": date(policy.updated),
    })
}

/// A policy as it is read alone: with an empty list where it has no tags, unlike a role.
fn shown(world: &World, policy: &Policy) -> Value {
    let mut value = summary(world, policy);
    value["Description"] = policy.description.clone().into();
    value["Tags"] = all_tags(&policy.tags);
    value
}

fn version_shown(policy: &Policy, number: u32, version: &PolicyVersion, with_document: bool) -> Value {
    json!({
        "VersionId": format!("v{number}"),
        "IsDefaultVersion": number == policy.default_version,
        "CreateDate": date(version.created),
        "Document": with_document.then(|| encoded(&version.document)),
    })
}

/// A managed document that is well-formed and not too long.
fn document(call: &Call) -> Result<String, ApiError> {
    let text = call.text("PolicyDocument").ok_or_else(|| ApiError::missing(Service::Iam, "PolicyDocument"))?;
    check_identity_policy(&text)?;
    if text.chars().filter(|letter| !letter.is_whitespace()).count() > MOST_SIZE {
        return Err(limit(format!("Cannot exceed quota for PolicySize: {MOST_SIZE}")));
    }
    Ok(text)
}

fn create_policy(world: &mut World, call: &Call) -> Answer {
    let (name, path) = (name(call, "PolicyName", 128)?, path(call, "Path")?);
    let (document, description, tags) = (document(call)?, description(call)?, tags(call)?);
    if world.iam.policies.with(&format!("name={}", name.to_lowercase())).next().is_some() {
        return Err(exists(format!("A policy called {name} already exists. Duplicate names are not allowed.")));
    }
    let policy = Policy {
        id: world.ids.base32("ANPA", 17),
        arn: format!("arn:aws:iam::{}:policy{path}{name}", world.settings.account),
        name,
        path,
        created: world.now,
        updated: world.now,
        description,
        tags,
        versions: BTreeMap::from([(1, PolicyVersion { document, created: world.now })]),
        default_version: 1,
        last_version: 1,
    };
    let mut answer = summary(world, &policy);
    answer["Tags"] = tag_list(&policy.tags);
    world.iam.policies.insert(policy.arn.clone(), policy);
    Ok(json!({ "Policy": answer }))
}

fn get_policy(world: &mut World, call: &Call) -> Answer {
    named(world, call).map(|policy| json!({ "Policy": shown(world, policy) }))
}

fn list_policies(world: &mut World, call: &Call) -> Answer {
    let prefix = path_prefix(call)?;
    let scope = one_of(call, "Scope", &["All", "AWS", "Local"])?.unwrap_or_else(|| "All".to_owned());
    let only_attached = call.boolean("OnlyAttached")?.unwrap_or(false);
    let usage = one_of(call, "PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"])?;
    let world = &*world;
    let rows = world.iam.policies.iter().filter(|(arn, policy)| {
        let used = match usage.as_deref() {
            Some("PermissionsBoundary") => boundary_uses(world, arn) > 0,
            Some(_) => attachments(world, arn) > 0,
            None => true,
        };
        policy.path.starts_with(&prefix)
            && (scope == "All" || (scope == "AWS") == policy.is_aws())
            && (!only_attached || attachments(world, arn) > 0)
            && used
    });
    listed(call, "Policies", rows.map(|(arn, policy)| (arn, summary(world, policy))))
}

/// One of the values of an enumeration.
pub(super) fn one_of(call: &Call, parameter: &str, values: &[&str]) -> Result<Option<String>, ApiError> {
    match call.text(parameter) {
        Some(value) if !values.contains(&value.as_str()) => Err(ApiError::invalid(
            Service::Iam,
            parameter,
            &value,
            &format!("Member must satisfy enum value set: [{}]", values.join(", ")),
        )),
        value => Ok(value),
    }
}

fn delete_policy(world: &mut World, call: &Call) -> Answer {
    let policy = own(world, call)?;
    if attachments(world, &policy.arn) > 0 || boundary_uses(world, &policy.arn) > 0 {
        return Err(conflict("Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        return Err(conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
             The default version is deleted with the policy.",
        ));
    }
    let arn = policy.arn.clone();
    world.iam.policies.remove(&arn);
    Ok(Value::Null)
}

fn create_version(world: &mut World, call: &Call) -> Answer {
    let arn = own(world, call)?.arn.clone();
    let (document, is_default) = (document(call)?, call.boolean("SetAsDefault")?.unwrap_or(false));
    let policy = named(world, call)?;
    if policy.versions.len() >= MOST_VERSIONS {
        return Err(limit(format!(
            "A managed policy can have up to {MOST_VERSIONS} versions. Before you create a new version, you must delete an existing version."
        )));
    }
    let now = world.now;
    let answer = world.iam.policies.update(&arn, |policy| {
        policy.last_version += 1;
        policy.updated = now;
        let version = PolicyVersion { document, created: now };
        if is_default {
            policy.default_version = policy.last_version;
        }
        let answer = version_shown(policy, policy.last_version, &version, false);
        policy.versions.insert(policy.last_version, version);
        answer
    });
    Ok(json!({ "PolicyVersion": answer }))
}

/// The number of the version that a call names, which the policy has.
fn version(policy: &Policy, call: &Call) -> Result<u32, ApiError> {
    let id = call.required("VersionId")?;
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok()).filter(|number: &u32| *number > 0);
    let Some(number) = number else {
        let why = "Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?";
        return Err(ApiError::invalid(Service::Iam, "VersionId", &id, why));
    };
    if policy.versions.contains_key(&number) {
        return Ok(number);
    }
    Err(no_such(format!("Policy {} version {id} does not exist or is not attachable.", policy.arn)))
}

fn get_version(world: &mut World, call: &Call) -> Answer {
    let policy = named(world, call)?;
    let number = version(policy, call)?;
    Ok(json!({ "PolicyVersion": version_shown(policy, number, &policy.versions[&number], true) }))
}

fn list_versions(world: &mut World, call: &Call) -> Answer {
    let policy = named(world, call)?;
    // The newest first; ids of pages must rise, so they count down from the newest.
    let ids: Vec<(String, Value)> = policy
        .versions
        .iter()
        .rev()
        .map(|(number, version)| (format!("{:010}", u32::MAX - number), version_shown(policy, *number, version, false)))
        .collect();
    listed(call, "Versions", ids.iter().map(|(id, value)| (id.as_str(), value.clone())))
}

fn set_default_version(world: &mut World, call: &Call) -> Answer {
    let policy = own(world, call)?;
    let (arn, number, now) = (policy.arn.clone(), version(policy, call)?, world.now);
    world.iam.policies.update(&arn, |policy| {
        policy.default_version = number;
        policy.updated = now;
    });
    Ok(Value::Null)
}

fn delete_version(world: &mut World, call: &Call) -> Answer {
    let policy = own(world, call)?;
    let (arn, number) = (policy.arn.clone(), version(policy, call)?);
    if number == policy.default_version {
        return Err(conflict("Cannot delete the default version of a policy."));
    }
    world.iam.policies.update(&arn, |policy| policy.versions.remove(&number));
    Ok(Value::Null)
}

fn list_entities(world: &mut World, call: &Call) -> Answer {
    let arn = named(world, call)?.arn.clone();
    let kinds = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    let filter = one_of(call, "EntityFilter", &kinds)?;
    let usage = one_of(call, "PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"])?;
    let prefix = path_prefix(call)?;
    let wants = |kind: &str| filter.as_deref().is_none_or(|filter| filter == kind);
    let mut keys = Vec::new();
    if usage.as_deref() != Some("PermissionsBoundary") {
        keys.push(format!("policy={arn}"));
    }
    if usage.as_deref() != Some("PermissionsPolicy") {
        keys.push(format!("boundary={arn}"));
    }
    let mut rows: BTreeMap<String, (&str, Value)> = BTreeMap::new();
    let mut add = |list: &'static str, kind: &str, name: &str, path: &str, id: &str| {
        if wants(kind) && path.starts_with(&prefix) {
            let mut row = json!({});
            row[format!("{kind}Name")] = name.into();
            row[format!("{kind}Id")] = id.into();
            rows.insert(format!("{list}/{name}"), (list, row));
        }
    };
    for key in &keys {
        world.iam.groups.with(key).for_each(|(_, it)| add("PolicyGroups", "Group", &it.name, &it.path, &it.id));
        world.iam.roles.with(key).for_each(|(_, it)| add("PolicyRoles", "Role", &it.name, &it.path, &it.id));
        world.iam.users.with(key).for_each(|(_, it)| add("PolicyUsers", "User", &it.name, &it.path, &it.id));
    }
    let tagged = rows.iter().map(|(id, (list, row))| (id.as_str(), json!({ "list": list, "row": row })));
    let mut answer = listed(call, "rows", tagged)?;
    let page = answer["rows"].take();
    for list in ["PolicyGroups", "PolicyRoles", "PolicyUsers"] {
        let rows = page.as_array().into_iter().flatten().filter(|row| row["list"] == list);
        answer[list] = rows.map(|row| row["row"].clone()).collect();
    }
    Ok(answer)
}

/// A policy in GetAccountAuthorizationDetails.
pub(super) fn details(world: &World, policy: &Policy) -> Value {
    let mut value = summary(world, policy);
    value["Description"] = policy.description.clone().into();
    let versions = policy.versions.iter().rev();
    value["PolicyVersionList"] =
        versions.map(|(number, version)| version_shown(policy, *number, version, true)).collect();
    value
}

#[test]
fn a_policy_without_tags_is_read_with_an_empty_list() {
    let mut world = crate::testing::world();
    let arn = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy";
    let answer =
        crate::testing::query(&mut world, crate::aws::Service::Iam, "GetPolicy", &[("PolicyArn", arn)]).unwrap();
    assert_eq!(answer["Policy"]["Tags"], json!([]));
}
