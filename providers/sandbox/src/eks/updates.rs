//! Updates: what changes a cluster, node group or add-on runs for a while and can be asked about.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::{Status, key};
use super::request::{
    addon, cluster, cluster_of, in_use, invalid, listing, made_before, nodegroup, not_found, remember, time, told,
};
use super::{Due, cluster_changes, nodegroup_updates};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DescribeUpdate", run: describe_update }, Operation { name: "ListUpdates", run: list_updates }];

/// An update.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Update {
    /// A UUID.
    pub id: String,
    /// What it changes.
    pub target: Target,
    /// `VersionUpdate`, `LoggingUpdate`, ...
    pub kind: String,
    /// How far it is.
    pub status: UpdateStatus,
    /// `type` and `value`, in the order in which they are told.
    pub params: Vec<(String, String)>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// `errorCode`, `errorMessage`, `resourceIds`.
    pub errors: Vec<Value>,
    /// What it does when it is done.
    pub effect: Effect,
}

/// How far an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateStatus {
    /// It runs.
    InProgress,
    /// It is done.
    Successful,
    /// It is given up.
    Failed,
}

/// What an update changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A cluster.
    Cluster(String),
    /// A node group, by cluster and name.
    Nodegroup(String, String),
    /// An add-on, by cluster and name.
    Addon(String, String),
}

impl Target {
    /// The cluster's name.
    pub fn cluster(&self) -> &str {
        match self {
            Self::Cluster(cluster) | Self::Nodegroup(cluster, _) | Self::Addon(cluster, _) => cluster,
        }
    }

    /// What the updates of a target are found by.
    pub(super) fn index(&self) -> String {
        match self {
            Self::Cluster(cluster) => format!("cluster={cluster}"),
            Self::Nodegroup(cluster, name) => format!("nodegroup={cluster}/{name}"),
            Self::Addon(cluster, name) => format!("addon={cluster}/{name}"),
        }
    }
}

/// What an update does when it is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Effect {
    /// See [`cluster_changes::apply`].
    Cluster(Box<cluster_changes::Change>),
    /// See [`nodegroup_updates::apply`].
    Nodegroup(Box<nodegroup_updates::Change>),
    /// The add-on gets these, in so far as they are there.
    Addon(Box<AddonChange>),
}

/// What an update of an add-on sets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AddonChange {
    /// Its version.
    pub version: Option<String>,
    /// Its service account's role; an empty text takes it away.
    pub service_account_role_arn: Option<String>,
    /// Its configuration values.
    pub configuration_values: Option<String>,
    /// Its associations: roles by service account.
    pub associations: Option<BTreeMap<String, String>>,
}

/// A new update.
#[derive(Debug)]
pub(super) struct New {
    /// What it changes.
    pub target: Target,
    /// `VersionUpdate`, ...
    pub kind: &'static str,
    /// `type` and `value`.
    pub params: Vec<(&'static str, String)>,
    /// What it does.
    pub effect: Effect,
}

/// The update that an earlier call with the same client token started.
pub(super) fn started_before(world: &World, call: &Call) -> Result<Option<Value>, ApiError> {
    let update = made_before(world, call, &world.eks.updates)?;
    Ok(update.map(|update| json!({ "update": view(&update) })))
}

/// Refuses a second update of a cluster while one runs.
pub(super) fn check_none_runs(world: &World, cluster: &str, kind: &str) -> Result<(), ApiError> {
    let target = Target::Cluster(cluster.to_owned());
    match running(world, &target) {
        None => Ok(()),
        Some(id) => {
            Err(in_use(format!("Cannot {kind} because cluster {cluster} currently has update {id} in progress")))
        }
    }
}

/// The update of a target that runs.
pub(super) fn running<'a>(world: &'a World, target: &Target) -> Option<&'a str> {
    let mut updates = world.eks.updates.with(&target.index());
    updates.find(|(_, update)| update.status == UpdateStatus::InProgress).map(|(_, update)| update.id.as_str())
}

/// Starts an update: its target is `UPDATING` until it is done.
pub(super) fn start(world: &mut World, call: &Call, new: New) -> Answer {
    let id = world.ids.uuid();
    let New { target, kind, params, effect } = new;
    let update = Update {
        id: id.clone(),
        target,
        kind: kind.to_owned(),
        status: UpdateStatus::InProgress,
        params: params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        created_at: world.now,
        errors: Vec::new(),
        effect,
    };
    let row = key(update.target.cluster(), &id);
    set_status(world, &update.target, Status::Updating);
    let answer = json!({ "update": view(&update) });
    let due = match &update.effect {
        Effect::Nodegroup(change) if change.rolls() => Due::Roll { update: row.clone() },
        _ => Due::Update { update: row.clone() },
    };
    world.eks.updates.insert(row.clone(), update);
    remember(world, call, &row);
    let after = world.settings.pace.update;
    world.schedule_in(after, Timer::Eks(due));
    Ok(answer)
}

/// Ends an update: what it does is done.
pub(super) fn finish(world: &mut World, row: &str) {
    let Some(update) = world.eks.updates.get(row).cloned() else { return };
    // What is being deleted, or is gone, is not changed any more.
    if update.status != UpdateStatus::InProgress || !is_updating(world, &update.target) {
        return end(world, row, UpdateStatus::Failed);
    }
    set_status(world, &update.target, Status::Active);
    match update.effect {
        Effect::Cluster(change) => cluster_changes::apply(world, update.target.cluster(), *change),
        Effect::Nodegroup(change) => {
            if let Target::Nodegroup(cluster, name) = &update.target {
                nodegroup_updates::apply(world, cluster, name, &change);
            }
        }
        Effect::Addon(change) => {
            if let Target::Addon(cluster, name) = &update.target {
                super::addons::apply(world, cluster, name, *change);
            }
        }
    }
    end(world, row, UpdateStatus::Successful);
}

/// Gives an update up; its target stays as far as it came.
pub(super) fn fail(world: &mut World, row: &str, code: &str, message: &str) {
    let Some(target) = world.eks.updates.get(row).map(|update| update.target.clone()) else { return };
    if is_updating(world, &target) {
        set_status(world, &target, Status::Degraded);
    }
    world.eks.updates.update(row, |update| {
        update.status = UpdateStatus::Failed;
        update.errors = vec![json!({ "errorCode": code, "errorMessage": message, "resourceIds": [] })];
    });
}

fn end(world: &mut World, row: &str, status: UpdateStatus) {
    world.eks.updates.update(row, |update| update.status = status);
}

fn is_updating(world: &World, target: &Target) -> bool {
    let eks = &world.eks;
    let status = match target {
        Target::Cluster(name) => eks.clusters.get(name).map(|row| row.status),
        Target::Nodegroup(cluster, name) => eks.nodegroups.get(&key(cluster, name)).map(|row| row.status),
        Target::Addon(cluster, name) => eks.addons.get(&key(cluster, name)).map(|row| row.status),
    };
    status == Some(Status::Updating)
}

fn set_status(world: &mut World, target: &Target, status: Status) {
    let now = world.now;
    match target {
        Target::Cluster(name) => {
            world.eks.clusters.update(name, |row| row.status = status);
        }
        Target::Nodegroup(cluster, name) => {
            world.eks.nodegroups.update(&key(cluster, name), |row| (row.status, row.modified_at) = (status, now));
        }
        Target::Addon(cluster, name) => {
            world.eks.addons.update(&key(cluster, name), |row| (row.status, row.modified_at) = (status, now));
        }
    }
}

/// Forgets the updates of something that is gone.
pub(super) fn forget(world: &mut World, target: &Target) {
    let ids: Vec<String> = world.eks.updates.with(&target.index()).map(|(id, _)| id.to_owned()).collect();
    for id in ids {
        world.eks.updates.remove(&id);
    }
}

/// An update as answers have it.
fn view(update: &Update) -> Value {
    let params: Vec<Value> =
        update.params.iter().map(|(name, value)| json!({ "type": name, "value": value })).collect();
    json!({
        "id": update.id, "status": update.status, "type": update.kind, "params": params,
        "createdAt": time(update.created_at), "errors": update.errors,
    })
}

/// What the call asks about: the cluster, or a node group or add-on of it.
fn target(world: &World, call: &Call) -> Result<Target, ApiError> {
    let name = cluster_of(world, call)?.name.clone();
    match (call.text("nodegroupName"), call.text("addonName")) {
        (Some(_), Some(_)) => Err(invalid("Only one of nodegroupName and addonName can be specified")),
        (Some(group), None) => nodegroup(world, &name, &group).map(|_| Target::Nodegroup(name, group)),
        (None, Some(of)) => addon(world, &name, &of).map(|_| Target::Addon(name, of)),
        (None, None) => Ok(Target::Cluster(name)),
    }
}

fn describe_update(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let (target, id) = (target(world, call)?, call.required("updateId")?);
        let update = world.eks.updates.get(&key(target.cluster(), &id)).filter(|update| update.target == target);
        let update = update.ok_or_else(|| not_found(format!("No update found for ID: {id}")))?;
        Ok(json!({ "update": view(update) }))
    })
}

fn list_updates(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let target = target(world, call)?;
        cluster(world, target.cluster())?;
        let updates = world.eks.updates.with(&target.index());
        listing(call, "updateIds", updates.map(|(row, update)| (row, json!(update.id))))
    })
}
