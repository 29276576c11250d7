//! DescribeNodegroup, ListNodegroups, DeleteNodegroup; CreateNodegroup is in [`super::nodegroup_create`].

use serde_json::{Value, json};

use super::model::{Nodegroup, Status, key};
use super::request::{cluster_of, in_use, listing, nodegroup, status, time, told, without_nulls};
use super::updates::{self, Target};
use super::{Due, access_entries, nodes};
use crate::aws::{Answer, Call, Operation};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeNodegroup", run: describe },
    Operation { name: "ListNodegroups", run: list },
    Operation { name: "DeleteNodegroup", run: delete },
];

/// A node group as answers have it.
pub(super) fn view(row: &Nodegroup) -> Value {
    let scaling = &row.scaling;
    let groups: Vec<Value> = match row.status {
        Status::Creating => Vec::new(),
        _ => vec![json!({ "name": row.auto_scaling_group })],
    };
    let template = row.launch_template.as_ref();
    let is_open = !row.instance_types.is_empty();
    without_nulls(json!({
        "nodegroupName": row.name, "nodegroupArn": row.arn, "clusterName": row.cluster, "version": row.version,
        "releaseVersion": row.release_version, "createdAt": time(row.created_at), "modifiedAt": time(row.modified_at),
        "status": status(row.status), "capacityType": row.capacity_type,
        "scalingConfig": { "minSize": scaling.min, "maxSize": scaling.max, "desiredSize": scaling.desired },
        "instanceTypes": if is_open { json!(row.instance_types) } else { Value::Null }, "subnets": row.subnets,
        "remoteAccess": row.remote_access, "amiType": row.ami_type, "nodeRole": row.node_role, "labels": row.labels,
        "taints": if row.taints.is_empty() { Value::Null } else { json!(row.taints) },
        "resources": { "autoScalingGroups": groups, "remoteAccessSecurityGroup": row.remote_access_group },
        "diskSize": row.disk_size, "health": { "issues": row.issues }, "updateConfig": row.update_config,
        "nodeRepairConfig": row.node_repair,
        "launchTemplate": template.map(|it| json!({ "id": it.id, "name": it.name, "version": it.version })),
        "tags": row.tags,
    }))
}

/// A new node group is there, or could not get its nodes.
pub(super) fn created(world: &mut World, id: &str) {
    let Some(row) = world.eks.nodegroups.get(id).filter(|row| row.status == Status::Creating) else { return };
    let status = if row.issues.is_empty() { Status::Active } else { Status::CreateFailed };
    let now = world.now;
    world.eks.nodegroups.update(id, |row| (row.status, row.modified_at) = (status, now));
}

/// A node group is gone, with what was made for it.
pub(super) fn gone(world: &mut World, id: &str) {
    let Some(row) = world.eks.nodegroups.remove(id) else { return };
    nodes::withdraw(world, &row);
    let has_role = |(_, other): (&str, &Nodegroup)| other.node_role == row.node_role;
    if !world.eks.nodegroups.starting_with(format!("{}/", row.cluster)).any(has_role) {
        let kind = access_entries::kind_of_nodes(&row.ami_type);
        access_entries::remove_for_nodes(world, &row.cluster, &row.node_role, kind);
    }
    updates::forget(world, &Target::Nodegroup(row.cluster, row.name));
}

fn of_call<'a>(world: &'a World, call: &Call) -> Result<&'a Nodegroup, crate::aws::ApiError> {
    let cluster = cluster_of(world, call)?;
    nodegroup(world, &cluster.name, &call.required("nodegroupName")?)
}

fn describe(world: &mut World, call: &Call) -> Answer {
    told(call, || Ok(json!({ "nodegroup": view(of_call(world, call)?) })))
}

fn list(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let rows = world.eks.nodegroups.starting_with(format!("{}/", cluster_of(world, call)?.name));
        listing(call, "nodegroups", rows.map(|(id, row)| (id, json!(row.name))))
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let row = of_call(world, call)?;
        if matches!(row.status, Status::Creating | Status::Deleting | Status::Updating) {
            let state = json!(row.status);
            let state = state.as_str().unwrap_or_default();
            return Err(in_use(format!("Nodegroup cannot be deleted as it is currently in {state} state")));
        }
        let id = key(&row.cluster, &row.name);
        let now = world.now;
        let all: Vec<String> = row.nodes.iter().map(|node| node.instance_id.clone()).collect();
        world.eks.nodegroups.update(&id, |row| (row.status, row.modified_at) = (Status::Deleting, now));
        nodes::terminate(world, &id, &all);
        let after = world.settings.pace.deletion;
        world.schedule_in(after, Timer::Eks(Due::NodegroupGone { id }));
        Ok(json!({ "nodegroup": view(of_call(world, call)?) }))
    })
}
