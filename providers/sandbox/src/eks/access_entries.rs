//! Access entries and the access policies associated with them.
//!
//! Sources: CreateAccessEntry, AssociateAccessPolicy; EKS User Guide, "Create access entries".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::Principal;
use super::catalog;
use super::clusters::check_uses_entries;
use super::model::{AccessEntry, AssociatedPolicy, Status, key};
use super::outside;
use super::request::{
    arn, cluster_of, in_use, invalid, listing, made_before, not_found, refused, remember, tags, time, told,
};
use crate::aws::{Answer, ApiError, Call, Operation, Params};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateAccessEntry", run: create },
    Operation { name: "DescribeAccessEntry", run: describe },
    Operation { name: "ListAccessEntries", run: list },
    Operation { name: "UpdateAccessEntry", run: update },
    Operation { name: "DeleteAccessEntry", run: delete },
    Operation { name: "AssociateAccessPolicy", run: associate },
    Operation { name: "DisassociateAccessPolicy", run: disassociate },
    Operation { name: "ListAssociatedAccessPolicies", run: list_associated },
];

const KINDS: [&str; 7] =
    ["STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "EC2", "HYPERPOD_LINUX"];

/// What group names must not begin with.
const RESERVED: [&str; 5] = ["system:", "eks:", "aws:", "amazon:", "iam:"];

/// The user name and groups that EKS gives entries of nodes.
fn of_nodes(kind: &str) -> Option<(&'static str, &'static [&'static str])> {
    match kind {
        "EC2_LINUX" | "EC2" => Some(("system:node:{{EC2PrivateDNSName}}", &["system:nodes"])),
        "EC2_WINDOWS" => Some(("system:node:{{EC2PrivateDNSName}}", &["eks:kube-proxy-windows", "system:nodes"])),
        "FARGATE_LINUX" => {
            Some(("system:node:{{SessionName}}", &["system:bootstrappers", "system:nodes", "system:node-proxier"]))
        }
        "HYBRID_LINUX" | "HYPERPOD_LINUX" => Some(("system:node:{{SessionName}}", &["system:nodes"])),
        _ => None,
    }
}

/// The user name of a principal that was given none: a user's ARN, a role's sessions.
fn default_username(principal: &str) -> String {
    match Principal::read(principal) {
        Some(Principal { account, kind: "role", name, .. }) => {
            format!("arn:aws:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}")
        }
        _ => principal.to_owned(),
    }
}

/// Makes an entry with the user name and groups of its kind; one that is there stays.
pub(super) fn insert(
    world: &mut World,
    cluster: &str,
    principal: &str,
    kind: &str,
    policies: BTreeMap<String, AssociatedPolicy>,
) {
    let id = key(cluster, principal);
    if world.eks.access_entries.contains(&id) {
        return;
    }
    let (username, groups) = match of_nodes(kind) {
        Some((username, groups)) => (username.to_owned(), groups.iter().map(|it| (*it).to_owned()).collect()),
        None => (default_username(principal), Vec::new()),
    };
    let now = world.now;
    let entry = AccessEntry {
        cluster: cluster.to_owned(),
        arn: entry_arn(world, cluster, principal),
        principal_arn: principal.to_owned(),
        principal_id: outside::principal_id(world, principal),
        kind: kind.to_owned(),
        username,
        groups,
        created_at: now,
        modified_at: now,
        tags: BTreeMap::new(),
        policies,
    };
    world.eks.access_entries.insert(id, entry);
}

/// The entry of a role that no node group (or Fargate profile) has any more goes.
pub(super) fn remove_for_nodes(world: &mut World, cluster: &str, role: &str, kind: &str) {
    let id = key(cluster, role);
    if world.eks.access_entries.get(&id).is_some_and(|entry| entry.kind == kind) {
        world.eks.access_entries.remove(&id);
    }
}

/// A cluster begins to use entries: its creator and its nodes' roles get theirs.
pub(super) fn take_over(world: &mut World, cluster: &str) {
    let Some(row) = world.eks.clusters.get(cluster).cloned() else { return };
    if row.creator_is_admin {
        let now = world.now;
        let everywhere = AssociatedPolicy { namespaces: Vec::new(), associated_at: now, modified_at: now };
        let admin = catalog::access_policy_arn("AmazonEKSClusterAdminPolicy");
        insert(world, cluster, &row.creator_arn, "STANDARD", BTreeMap::from([(admin, everywhere)]));
    }
    let prefix = format!("{cluster}/");
    let groups = world.eks.nodegroups.starting_with(prefix.clone());
    let mut roles: Vec<(String, String)> =
        groups.map(|(_, group)| (group.node_role.clone(), kind_of_nodes(&group.ami_type).to_owned())).collect();
    let profiles = world.eks.fargate_profiles.starting_with(prefix);
    roles.extend(profiles.map(|(_, it)| (it.pod_execution_role_arn.clone(), "FARGATE_LINUX".to_owned())));
    for (role, kind) in roles {
        insert(world, cluster, &role, &kind, BTreeMap::new());
    }
}

/// The kind of entry that nodes of an image type need.
pub(super) fn kind_of_nodes(ami_type: &str) -> &'static str {
    if ami_type.starts_with("WINDOWS") { "EC2_WINDOWS" } else { "EC2_LINUX" }
}

fn entry_arn(world: &mut World, cluster: &str, principal: &str) -> String {
    let (kind, account, name) = match Principal::read(principal) {
        Some(it) => (it.kind, it.account, it.name),
        None => ("user", world.settings.account.clone(), String::new()),
    };
    let id = world.ids.uuid();
    arn(world, &format!("access-entry/{cluster}/{kind}/{account}/{name}/{id}"))
}

fn create(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(entry) = made_before(world, call, &world.eks.access_entries)? {
            return Ok(json!({ "accessEntry": view(&entry) }));
        }
        let cluster = cluster_of(world, call)?.clone();
        check_settled(&cluster)?;
        check_uses_entries(&cluster)?;
        let principal = call.required("principalArn")?;
        let kind = call.text("type").unwrap_or_else(|| "STANDARD".to_owned());
        if !KINDS.contains(&kind.as_str()) {
            return Err(invalid(format!("The specified type is invalid: it must be one of {}", KINDS.join(", "))));
        }
        check_principal(world, &principal, &kind)?;
        let (groups, username) = (groups(call)?, call.text("username").filter(|name| !name.is_empty()));
        if kind != "STANDARD" && (!groups.is_empty() || username.is_some()) {
            return Err(invalid(format!(
                "The username and kubernetesGroups parameters can't be specified for entries of type {kind}"
            )));
        }
        if let Some(name) = &username {
            check_username(&principal, name)?;
        }
        let tags = tags(call)?;
        let id = key(&cluster.name, &principal);
        if world.eks.access_entries.contains(&id) {
            return Err(in_use("The specified access entry resource is already in use on this cluster."));
        }
        insert(world, &cluster.name, &principal, &kind, BTreeMap::new());
        world.eks.access_entries.update(&id, |entry| {
            entry.tags = tags;
            if kind == "STANDARD" {
                entry.groups = groups;
            }
            if let Some(name) = username {
                entry.username = name;
            }
        });
        remember(world, call, &id);
        Ok(json!({ "accessEntry": view(find(world, &cluster.name, &principal)?) }))
    })
}

/// A cluster that is being made or removed has no entries of anybody's yet, or any more.
fn check_settled(cluster: &super::model::Cluster) -> Result<(), ApiError> {
    if matches!(cluster.status, Status::Active | Status::Updating) {
        return Ok(());
    }
    let state = json!(cluster.status);
    let state = state.as_str().unwrap_or_default();
    Err(refused(format!("The cluster {} is currently in {state} state", cluster.name)))
}

/// The principal must be a user or role; in this account it must exist, for nodes it must be a role of this account.
fn check_principal(world: &World, principal: &str, kind: &str) -> Result<(), ApiError> {
    let bad = |why: &str| invalid(format!("The specified principalArn is invalid: {why}."));
    let read = Principal::read(principal).filter(|_| principal.starts_with("arn:aws:iam::"));
    let read = read.ok_or_else(|| bad("invalid principal"))?;
    let is_ours = read.account == world.settings.account;
    if principal.contains(":role/aws-service-role/") {
        return Err(invalid(
            "The caller is not allowed to modify access entries with a principalArn value of a Service Linked Role",
        ));
    }
    if kind != "STANDARD" && (read.kind != "role" || !is_ours) {
        return Err(bad(&format!("entries of type {kind} need a role of the cluster's account")));
    }
    if is_ours && read.kind != "root" && outside::principal_id(world, principal).is_none() {
        return Err(bad("invalid principal"));
    }
    Ok(())
}

fn groups(call: &Call) -> Result<Vec<String>, ApiError> {
    let groups = call.texts("kubernetesGroups");
    for group in &groups {
        if group.is_empty() {
            return Err(invalid("The kubernetes group name can't be empty"));
        }
        if let Some(reserved) = RESERVED.iter().find(|reserved| group.starts_with(**reserved)) {
            return Err(invalid(format!(
                "The kubernetes group name {group} is invalid, it cannot start with {reserved}"
            )));
        }
    }
    Ok(groups)
}

/// Reserved beginnings; `{{SessionName}}` needs a colon before it unless it ends the default form (User Guide, "Create access
/// entries", considerations on user names).
fn check_username(principal: &str, name: &str) -> Result<(), ApiError> {
    if let Some(reserved) = RESERVED.iter().find(|reserved| name.starts_with(**reserved)) {
        return Err(invalid(format!("The username must not begin with {reserved}")));
    }
    let session = name.find("{{SessionName");
    let is_role = Principal::read(principal).is_some_and(|it| it.kind == "role");
    if session.is_some() && !is_role {
        return Err(invalid("The username must not contain {{SessionName}} unless the principal is a role"));
    }
    let after_colon = session.is_none_or(|at| name[..at].contains(':') || name == default_username(principal));
    if !after_colon {
        return Err(invalid("The username must contain a colon before {{SessionName}}"));
    }
    Ok(())
}

fn find<'a>(world: &'a World, cluster: &str, principal: &str) -> Result<&'a AccessEntry, ApiError> {
    let entry = world.eks.access_entries.get(&key(cluster, principal));
    entry.ok_or_else(|| {
        not_found(
            "The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.",
        )
    })
}

/// The entry that a call means, with its row's id.
fn of_call(world: &World, call: &Call) -> Result<(String, AccessEntry), ApiError> {
    let cluster = cluster_of(world, call)?;
    check_uses_entries(cluster)?;
    let principal = call.required("principalArn")?;
    let entry = find(world, &cluster.name, &principal)?;
    Ok((key(&cluster.name, &principal), entry.clone()))
}

fn view(entry: &AccessEntry) -> Value {
    json!({
        "clusterName": entry.cluster, "principalArn": entry.principal_arn, "kubernetesGroups": entry.groups,
        "accessEntryArn": entry.arn, "createdAt": time(entry.created_at), "modifiedAt": time(entry.modified_at),
        "tags": entry.tags, "username": entry.username, "type": entry.kind,
    })
}

fn describe(world: &mut World, call: &Call) -> Answer {
    told(call, || Ok(json!({ "accessEntry": view(&of_call(world, call)?.1) })))
}

fn list(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let cluster = cluster_of(world, call)?;
        check_uses_entries(cluster)?;
        let policy = call.text("associatedPolicyArn");
        let has = |entry: &AccessEntry| policy.as_ref().is_none_or(|arn| entry.policies.contains_key(arn));
        let entries = world.eks.access_entries.starting_with(format!("{}/", cluster.name));
        let rows = entries.filter(|(_, entry)| has(entry)).map(|(id, entry)| (id, json!(entry.principal_arn)));
        listing(call, "accessEntries", rows)
    })
}

fn update(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let (id, entry) = of_call(world, call)?;
        let (has_groups, groups) = (call.has("kubernetesGroups"), groups(call)?);
        let username = call.text("username").filter(|name| !name.is_empty());
        if entry.kind != "STANDARD" && (has_groups || username.is_some()) {
            return Err(invalid(format!("Access entries of type {} can't be updated", entry.kind)));
        }
        if let Some(name) = &username {
            check_username(&entry.principal_arn, name)?;
        }
        let now = world.now;
        world.eks.access_entries.update(&id, |entry| {
            if has_groups {
                entry.groups = groups;
            }
            if let Some(name) = username {
                entry.username = name;
            }
            entry.modified_at = now;
        });
        Ok(json!({ "accessEntry": view(find(world, &entry.cluster, &entry.principal_arn)?) }))
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let (id, _) = of_call(world, call)?;
        world.eks.access_entries.remove(&id);
        Ok(json!({}))
    })
}

fn policy_view(arn: &str, policy: &AssociatedPolicy) -> Value {
    let kind = if policy.namespaces.is_empty() { "cluster" } else { "namespace" };
    json!({
        "policyArn": arn, "accessScope": { "type": kind, "namespaces": policy.namespaces },
        "associatedAt": time(policy.associated_at), "modifiedAt": time(policy.modified_at),
    })
}

fn associate(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let (id, entry) = of_call(world, call)?;
        let policy = call.required("policyArn")?;
        check_policy(&policy)?;
        let namespaces = scope(call)?;
        if !matches!(entry.kind.as_str(), "STANDARD" | "EC2") {
            return Err(invalid(format!(
                "Access policies can't be associated with access entries of type {}",
                entry.kind
            )));
        }
        let now = world.now;
        let associated_at = entry.policies.get(&policy).map_or(now, |known| known.associated_at);
        let associated = AssociatedPolicy { namespaces, associated_at, modified_at: now };
        let told = policy_view(&policy, &associated);
        world.eks.access_entries.update(&id, |entry| entry.policies.insert(policy, associated));
        Ok(json!({ "clusterName": entry.cluster, "principalArn": entry.principal_arn, "associatedAccessPolicy": told }))
    })
}

fn check_policy(arn: &str) -> Result<(), ApiError> {
    let Some(name) = arn.strip_prefix("arn:aws:eks::aws:cluster-access-policy/") else {
        return Err(invalid("The policyArn parameter format is not valid"));
    };
    if catalog::access_policies().iter().any(|known| known == name) {
        return Ok(());
    }
    Err(invalid(format!(
        "The policyArn {arn} is not valid: there is no such access policy. List them with 'list-access-policies'."
    )))
}

/// The namespaces of `accessScope`; none for the whole cluster.
fn scope(call: &Params) -> Result<Vec<String>, ApiError> {
    let scope = call.structure("accessScope").ok_or_else(|| invalid("accessScope is required."))?;
    let namespaces = scope.texts("namespaces");
    match scope.required("type")?.as_str() {
        "cluster" if namespaces.is_empty() => Ok(namespaces),
        "cluster" => Err(invalid("Namespaces can't be specified for an access scope of type cluster")),
        "namespace" if namespaces.is_empty() => {
            Err(invalid("At least one namespace is required for an access scope of type namespace"))
        }
        "namespace" => {
            let is_name = |name: &str| {
                let plain = name.strip_suffix('*').unwrap_or(name);
                name.len() <= 63
                    && plain.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                    && !name.is_empty()
            };
            match namespaces.iter().find(|name| !is_name(name)) {
                Some(bad) => Err(invalid(format!("The namespace {bad} in the access scope is not valid"))),
                None => Ok(namespaces),
            }
        }
        other => Err(invalid(format!("The access scope type {other} is not valid: it must be cluster or namespace"))),
    }
}

fn disassociate(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let (id, entry) = of_call(world, call)?;
        let policy = call.required("policyArn")?;
        if !entry.policies.contains_key(&policy) {
            return Err(not_found("The specified policyArn is not associated with the specified principalArn."));
        }
        world.eks.access_entries.update(&id, |entry| entry.policies.remove(&policy));
        Ok(json!({}))
    })
}

fn list_associated(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let (_, entry) = of_call(world, call)?;
        let rows = entry.policies.iter().map(|(arn, policy)| (arn.as_str(), policy_view(arn, policy)));
        let mut answer = listing(call, "associatedAccessPolicies", rows)?;
        answer["clusterName"] = json!(entry.cluster);
        answer["principalArn"] = json!(entry.principal_arn);
        Ok(answer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::{over, role, with_cluster};
    use crate::testing::{eks, refusal};

    fn of_role(world: &mut World, operation: &str, more: &Value) -> Answer {
        eks(world, operation, over(&json!({ "clusterName": "c", "principalArn": role("pod") }), more))
    }

    #[test]
    fn an_entry_has_a_name_groups_and_policies() {
        let (mut world, _) = with_cluster();
        let made = of_role(&mut world, "CreateAccessEntry", &json!({ "kubernetesGroups": ["devs"] })).unwrap();
        let made = &made["accessEntry"];
        assert_eq!(made["type"], "STANDARD");
        assert_eq!(made["username"], "arn:aws:sts::123456789012:assumed-role/pod/{{SessionName}}");
        assert_eq!(refusal(of_role(&mut world, "CreateAccessEntry", &json!({}))), "ResourceInUseException");
        let changed = json!({ "kubernetesGroups": ["ops"], "username": "dev:{{SessionName}}" });
        let changed = of_role(&mut world, "UpdateAccessEntry", &changed).unwrap();
        assert_eq!(
            (&changed["accessEntry"]["username"], &changed["accessEntry"]["kubernetesGroups"]),
            (&json!("dev:{{SessionName}}"), &json!(["ops"]))
        );

        let arn = catalog::access_policy_arn("AmazonEKSViewPolicy");
        let scope = json!({ "policyArn": arn, "accessScope": { "type": "namespace", "namespaces": ["a", "b-*"] } });
        let associated = of_role(&mut world, "AssociateAccessPolicy", &scope).unwrap();
        assert_eq!(associated["associatedAccessPolicy"]["accessScope"]["namespaces"], json!(["a", "b-*"]));
        assert_eq!(
            super::super::access::policies(&world, "c", &role("pod")),
            [(arn.clone(), vec!["a".to_owned(), "b-*".to_owned()])]
        );
        let listed = of_role(&mut world, "ListAssociatedAccessPolicies", &json!({})).unwrap();
        assert_eq!(listed["associatedAccessPolicies"][0]["policyArn"], arn.as_str());
        let filtered = json!({ "clusterName": "c", "associatedPolicyArn": arn });
        assert_eq!(eks(&mut world, "ListAccessEntries", filtered).unwrap()["accessEntries"], json!([role("pod")]));
        of_role(&mut world, "DisassociateAccessPolicy", &json!({ "policyArn": arn })).unwrap();
        assert_eq!(
            refusal(of_role(&mut world, "DisassociateAccessPolicy", &json!({ "policyArn": arn }))),
            "ResourceNotFoundException"
        );
        of_role(&mut world, "DeleteAccessEntry", &json!({})).unwrap();
        assert_eq!(refusal(of_role(&mut world, "DescribeAccessEntry", &json!({}))), "ResourceNotFoundException");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let (mut world, _) = with_cluster();
        let service = "arn:aws:iam::123456789012:role/aws-service-role/x/y";
        for (change, said) in [
            (json!({ "principalArn": role("none") }), "The specified principalArn is invalid: invalid principal."),
            (json!({ "principalArn": "arn:aws:sts::123456789012:assumed-role/pod/s" }), "invalid principal"),
            (json!({ "principalArn": "pod" }), "invalid principal"),
            (json!({ "principalArn": service }), "Service Linked Role"),
            (
                json!({ "kubernetesGroups": ["system:masters"] }),
                "The kubernetes group name system:masters is invalid, it cannot start with system:",
            ),
            (json!({ "kubernetesGroups": ["eks:x"] }), "it cannot start with eks:"),
            (json!({ "username": "system:node:x" }), "The username must not begin with system:"),
            (json!({ "username": "dev-{{SessionName}}" }), "colon before {{SessionName}}"),
            (json!({ "type": "ROOT" }), "The specified type is invalid"),
            (
                json!({ "type": "EC2_LINUX", "kubernetesGroups": ["a"] }),
                "can't be specified for entries of type EC2_LINUX",
            ),
            (
                json!({ "type": "EC2_LINUX", "principalArn": "arn:aws:iam::222222222222:role/x" }),
                "need a role of the cluster's account",
            ),
        ] {
            let error = of_role(&mut world, "CreateAccessEntry", &change).expect_err(&change.to_string());
            assert_eq!(error.code, "InvalidParameterException", "{change}");
            assert!(error.message.contains(said), "{change}: {}", error.message);
        }
        of_role(&mut world, "CreateAccessEntry", &json!({ "type": "EC2_LINUX" })).unwrap();
        let view = catalog::access_policy_arn("AmazonEKSViewPolicy");
        let cluster = json!({ "type": "cluster" });
        for (change, said) in [
            (
                json!({ "policyArn": view, "accessScope": cluster }),
                "can't be associated with access entries of type EC2_LINUX",
            ),
            (json!({ "policyArn": "arn:aws:iam::aws:policy/X", "accessScope": cluster }), "format is not valid"),
            (
                json!({ "policyArn": catalog::access_policy_arn("Nope"), "accessScope": cluster }),
                "there is no such access policy",
            ),
            (json!({ "policyArn": view, "accessScope": { "type": "namespace" } }), "At least one namespace"),
            (json!({ "policyArn": view, "accessScope": { "type": "cluster", "namespaces": ["a"] } }), "type cluster"),
            (json!({ "policyArn": view, "accessScope": { "type": "namespace", "namespaces": ["A"] } }), "namespace A"),
        ] {
            let error = of_role(&mut world, "AssociateAccessPolicy", &change).expect_err(&change.to_string());
            assert_eq!(error.code, "InvalidParameterException", "{change}");
            assert!(error.message.contains(said), "{change}: {}", error.message);
        }
    }
}
