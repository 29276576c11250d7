//! The account as a whole: aliases, summary, everything about authorization in one list.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::common::{exists, listed, no_such, sized, validation};
use super::rows::Policy;
use crate::aws::{Answer, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateAccountAlias", run: create_alias },
    Operation { name: "DeleteAccountAlias", run: delete_alias },
    Operation { name: "ListAccountAliases", run: list_aliases },
    Operation { name: "GetAccountSummary", run: get_summary },
    Operation { name: "GetAccountAuthorizationDetails", run: get_details },
];

fn alias(call: &Call) -> Result<String, crate::aws::ApiError> {
    let alias = sized(call, "AccountAlias", 63)?;
    let letters = alias.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_good =
        letters && alias.len() >= 3 && !alias.starts_with('-') && !alias.ends_with('-') && !alias.contains("--");
    if is_good {
        return Ok(alias);
    }
    Err(validation(format!(
        "1 validation error detected: Value '{alias}' at 'accountAlias' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){{1,61}}[a-z0-9]$"
    )))
}

/// An account has one alias; a new one takes its place.
fn create_alias(world: &mut World, call: &Call) -> Answer {
    let alias = alias(call)?;
    if world.iam.aliases.contains(&alias) {
        return Err(exists(format!("The account alias {alias} already exists.")));
    }
    let old: Vec<String> = world.iam.aliases.iter().map(|(alias, _)| alias.to_owned()).collect();
    for old in old {
        world.iam.aliases.remove(&old);
    }
    world.iam.aliases.insert(alias, world.now);
    Ok(Value::Null)
}

fn delete_alias(world: &mut World, call: &Call) -> Answer {
    let alias = alias(call)?;
    let removed = world.iam.aliases.remove(&alias);
    removed.map(|_| Value::Null).ok_or_else(|| no_such(format!("The account alias {alias} cannot be found.")))
}

fn list_aliases(world: &mut World, call: &Call) -> Answer {
    listed(call, "AccountAliases", world.iam.aliases.iter().map(|(alias, _)| (alias, Value::from(alias))))
}

/// Counts and quotas. The names are those of the API reference.
fn get_summary(world: &mut World, _call: &Call) -> Answer {
    let iam = &world.iam;
    let own: Vec<&Policy> = iam.policies.values().filter(|policy| !policy.is_aws()).collect();
    let versions: usize = own.iter().map(|policy| policy.versions.len()).sum();
    let entries: BTreeMap<&str, usize> = BTreeMap::from([
        ("Users", iam.users.len()),
        ("UsersQuota", 5000),
        ("Groups", iam.groups.len()),
        ("GroupsQuota", 300),
        ("Roles", iam.roles.len()),
        ("RolesQuota", 1000),
        ("InstanceProfiles", iam.instance_profiles.len()),
        ("InstanceProfilesQuota", 1000),
        ("Policies", own.len()),
        ("PoliciesQuota", 1500),
        ("PolicyVersionsInUse", versions),
        ("PolicyVersionsInUseQuota", 10_000),
        ("VersionsPerPolicyQuota", 5),
        ("PolicySizeQuota", 6144),
        ("Providers", iam.oidc_providers.len()),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("AttachedPoliciesPerUserQuota", 10),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("AccessKeysPerUserQuota", 2),
        ("GroupsPerUserQuota", 10),
        ("UserPolicySizeQuota", 2048),
        ("GroupPolicySizeQuota", 5120),
        ("RolePolicySizeQuota", 10_240),
        ("AssumeRolePolicySizeQuota", 2048),
        ("AccountMFAEnabled", 0),
        ("AccountAccessKeysPresent", 0),
        ("AccountSigningCertificatesPresent", 0),
        ("MFADevices", 0),
        ("MFADevicesInUse", 0),
        ("ServerCertificates", 0),
        ("ServerCertificatesQuota", 20),
        ("SigningCertificatesPerUserQuota", 2),
        ("GlobalEndpointTokenVersion", 1),
    ]);
    // A map of the query protocol is a list of `entry` elements, which `member` lists cannot say.
    let entries: Vec<Value> = entries.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    Ok(json!({ "SummaryMap": { "entry": entries } }))
}

const LISTS: [&str; 4] = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];

fn get_details(world: &mut World, call: &Call) -> Answer {
    let kinds = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    let filter = call.texts("Filter");
    if let Some(unknown) = filter.iter().find(|kind| !kinds.contains(&kind.as_str())) {
        let why = format!("Member must satisfy enum value set: [{}]", kinds.join(", "));
        return Err(crate::aws::ApiError::invalid(call.service, "Filter", unknown, &why));
    }
    let wants = |kind: &str| filter.is_empty() || filter.iter().any(|wanted| wanted == kind);
    let world = &*world;
    let iam = &world.iam;
    let row =
        |list: usize, id: &str, value: Value| (format!("{list}/{id}"), json!({ "list": LISTS[list], "row": value }));
    let mut rows: BTreeMap<String, Value> = BTreeMap::new();
    if wants("User") {
        rows.extend(iam.users.iter().map(|(id, it)| row(0, id, super::users::details(world, it))));
    }
    if wants("Group") {
        rows.extend(iam.groups.iter().map(|(id, it)| row(1, id, super::groups::details(world, it))));
    }
    if wants("Role") {
        rows.extend(iam.roles.iter().map(|(id, it)| row(2, id, super::roles::details(world, it))));
    }
    // AWS's policies are told only where they are in use.
    let used = |arn: &str| {
        let keys = [format!("policy={arn}"), format!("boundary={arn}")];
        keys.iter().any(|key| {
            iam.roles.with(key).next().is_some()
                || iam.users.with(key).next().is_some()
                || iam.groups.with(key).next().is_some()
        })
    };
    let policies = iam.policies.iter().filter(|(arn, policy)| {
        if policy.is_aws() { wants("AWSManagedPolicy") && used(arn) } else { wants("LocalManagedPolicy") }
    });
    rows.extend(policies.map(|(id, it)| row(3, id, super::policies::details(world, it))));
    let mut answer = listed(call, "rows", rows.iter().map(|(id, row)| (id.as_str(), row.clone())))?;
    let page = answer["rows"].take();
    for list in LISTS {
        let rows = page.as_array().into_iter().flatten().filter(|row| row["list"] == list);
        answer[list] = rows.map(|row| row["row"].clone()).collect();
    }
    Ok(answer)
}
