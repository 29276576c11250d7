//! Fargate profiles. One at a time is made or removed in a cluster.
//!
//! Sources: CreateFargateProfile; EKS User Guide, "Define which Pods use AWS Fargate when launched".

use serde_json::{Value, json};

use super::model::{FargateProfile, Selector, Status, key};
use super::request::{
    active_cluster, arn, check_name, cluster_of, fargate_profile, in_use, invalid, limit, listing, made_before,
    remember, status, tags, text_map, time, told,
};
use super::{Due, access_entries, outside};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateFargateProfile", run: create },
    Operation { name: "DescribeFargateProfile", run: describe },
    Operation { name: "ListFargateProfiles", run: list },
    Operation { name: "DeleteFargateProfile", run: delete },
];

/// Profiles of a cluster, selectors of a profile, label pairs of a selector (User Guide, quotas).
const MOST: (usize, usize, usize) = (10, 5, 100);

/// A new profile is there.
pub(super) fn created(world: &mut World, id: &str) {
    let is_creating = world.eks.fargate_profiles.get(id).is_some_and(|row| row.status == Status::Creating);
    if is_creating {
        world.eks.fargate_profiles.update(id, |row| row.status = Status::Active);
    }
}

/// A profile is gone, and its role's entry with the last profile that has it.
pub(super) fn gone(world: &mut World, id: &str) {
    let Some(row) = world.eks.fargate_profiles.remove(id) else { return };
    let has_role = |(_, other): (&str, &FargateProfile)| other.pod_execution_role_arn == row.pod_execution_role_arn;
    if !world.eks.fargate_profiles.starting_with(format!("{}/", row.cluster)).any(has_role) {
        access_entries::remove_for_nodes(world, &row.cluster, &row.pod_execution_role_arn, "FARGATE_LINUX");
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(row) = made_before(world, call, &world.eks.fargate_profiles)? {
            return Ok(json!({ "fargateProfile": view(&row) }));
        }
        let row = read(world, call)?;
        let id = key(&row.cluster, &row.name);
        access_entries::insert_for_nodes(world, &row.cluster, &row.pod_execution_role_arn, "FARGATE_LINUX");
        let answer = json!({ "fargateProfile": view(&row) });
        world.eks.fargate_profiles.insert(&id, row);
        remember(world, call, &id);
        let after = world.settings.pace.nodegroup;
        world.schedule_in(after, Timer::Eks(Due::FargateCreated { id }));
        Ok(answer)
    })
}

fn read(world: &mut World, call: &Call) -> Result<FargateProfile, ApiError> {
    let cluster = active_cluster(world, call)?.clone();
    let name = call.required("fargateProfileName")?;
    check_name("fargateProfileName", &name, 100)?;
    if name.starts_with("eks-") {
        return Err(invalid("Fargate profile name cannot start with eks-"));
    }
    if world.eks.fargate_profiles.contains(&key(&cluster.name, &name)) {
        return Err(in_use("A Fargate Profile already exists with this name in this cluster."));
    }
    check_none_moves(world, &cluster.name, &format!("create Fargate Profile {name}"))?;
    if world.eks.fargate_profiles.starting_with(format!("{}/", cluster.name)).count() >= MOST.0 {
        return Err(limit(format!("Fargate Profile limit exceeded for cluster {}", cluster.name)));
    }
    let role = call.required("podExecutionRoleArn")?;
    outside::check_pod_execution_role(world, &role)?;
    let subnets = if call.has("subnets") { call.texts("subnets") } else { Vec::new() };
    let subnets = if subnets.is_empty() { private_of(world, &cluster.network.subnet_ids)? } else { subnets };
    check_subnets(world, &subnets, &cluster.network.vpc_id)?;
    let selectors = selectors(call)?;
    let tags = tags(call)?;
    let id = world.ids.uuid();
    Ok(FargateProfile {
        arn: arn(world, &format!("fargateprofile/{}/{name}/{id}", cluster.name)),
        cluster: cluster.name,
        created_at: world.now,
        status: Status::Creating,
        pod_execution_role_arn: role,
        subnets,
        selectors,
        tags,
        name,
    })
}

/// Refuses while another profile is made or removed.
fn check_none_moves(world: &World, cluster: &str, what: &str) -> Result<(), ApiError> {
    let mut profiles = world.eks.fargate_profiles.starting_with(format!("{cluster}/")).map(|(_, row)| row);
    let moving = profiles.find(|row| matches!(row.status, Status::Creating | Status::Deleting));
    let Some(row) = moving else { return Ok(()) };
    let state = json!(row.status);
    let state = state.as_str().unwrap_or_default();
    Err(in_use(format!(
        "Cannot {what} because cluster {cluster} currently has Fargate profile {} in status {state}",
        row.name
    )))
}

fn private_of(world: &World, ids: &[String]) -> Result<Vec<String>, ApiError> {
    let subnets = outside::subnets(world, ids)?;
    Ok(subnets.into_iter().filter(|subnet| !outside::is_public(world, &subnet.id)).map(|subnet| subnet.id).collect())
}

fn check_subnets(world: &World, ids: &[String], vpc_id: &str) -> Result<(), ApiError> {
    if ids.is_empty() {
        return Err(invalid("Subnets cannot be empty."));
    }
    for subnet in outside::subnets(world, ids)? {
        if subnet.vpc_id != vpc_id {
            return Err(invalid(format!("Subnet {} does not belong to the cluster's VPC", subnet.id)));
        }
        if outside::is_public(world, &subnet.id) {
            return Err(invalid(format!("Subnet {} provided in Fargate Profile is not a private subnet", subnet.id)));
        }
    }
    Ok(())
}

fn selectors(call: &Call) -> Result<Vec<Selector>, ApiError> {
    let selectors = call.structures("selectors");
    if selectors.is_empty() {
        return Err(invalid("Fargate Profile must have at least one selector."));
    }
    if selectors.len() > MOST.1 {
        return Err(invalid(format!("Fargate Profile can have at most {} selectors.", MOST.1)));
    }
    selectors
        .iter()
        .map(|selector| {
            let namespace = selector.text("namespace").filter(|name| !name.is_empty());
            let namespace = namespace.ok_or_else(|| invalid("Fargate Profile selector must have a namespace."))?;
            let labels = text_map(selector, "labels");
            if labels.len() > MOST.2 {
                return Err(invalid(format!("A Fargate Profile selector can have at most {} labels.", MOST.2)));
            }
            Ok(Selector { namespace, labels })
        })
        .collect()
}

fn view(row: &FargateProfile) -> Value {
    let selectors: Vec<Value> =
        row.selectors.iter().map(|it| json!({ "namespace": it.namespace, "labels": it.labels })).collect();
    json!({
        "fargateProfileName": row.name, "fargateProfileArn": row.arn, "clusterName": row.cluster,
        "createdAt": time(row.created_at), "podExecutionRoleArn": row.pod_execution_role_arn, "subnets": row.subnets,
        "selectors": selectors, "status": status(row.status), "tags": row.tags, "health": { "issues": [] },
    })
}

fn of_call<'a>(world: &'a World, call: &Call) -> Result<&'a FargateProfile, ApiError> {
    let cluster = cluster_of(world, call)?;
    fargate_profile(world, &cluster.name, &call.required("fargateProfileName")?)
}

fn describe(world: &mut World, call: &Call) -> Answer {
    told(call, || Ok(json!({ "fargateProfile": view(of_call(world, call)?) })))
}

fn list(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let rows = world.eks.fargate_profiles.starting_with(format!("{}/", cluster_of(world, call)?.name));
        listing(call, "fargateProfileNames", rows.map(|(id, row)| (id, json!(row.name))))
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let row = of_call(world, call)?.clone();
        check_none_moves(world, &row.cluster, &format!("Delete Fargate Profile {}", row.name))?;
        let id = key(&row.cluster, &row.name);
        world.eks.fargate_profiles.update(&id, |row| row.status = Status::Deleting);
        let after = world.settings.pace.deletion;
        world.schedule_in(after, Timer::Eks(Due::FargateGone { id }));
        Ok(json!({ "fargateProfile": view(fargate_profile(world, &row.cluster, &row.name)?) }))
    })
}
