//! Branch interfaces that pods gave back: they wait for kube-proxies and ARP caches to forget their addresses, then they are deleted.
//!
//! Source: `pkg/provider/branch/trunk/trunk.go` (`DeleteCooledDownENIs`), `pkg/provider/branch/cooldown`,
//! `controllers/core/configmap_controller.go`, `pkg/aws/ec2/api/cleanup`.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::super::context::Context;
use super::super::queue::Item;
use super::super::{Controller, Name};
use super::{Branch, COMPONENT, Place, TrunkState, authorized, branches_of, trunk_id};
use crate::ec2::{interfaces, trunks};
use crate::kubernetes::objects::{Event, Kind};

pub(crate) const CONTROLLER: Controller = Controller { switches: &["pod-eni"], observe, reconcile };

/// So often each node's queue is looked at.
const TICK_SECONDS: i64 = 30;
/// So often an interface is tried before it is forgotten.
const TRIES: usize = 3;
/// Without a setting.
const DEFAULT_SECONDS: i64 = 60;
/// Lower settings are raised to it.
const LEAST_SECONDS: i64 = 30;
/// So often what leaked is looked for.
const CLEANER: Duration = Duration::from_mins(30);

/// The ConfigMap with the setting.
const SETTINGS: &str = "amazon-vpc-cni";

/// Items of this controller that are not nodes' queues have one of these for a namespace.
const FORGET: &str = "forget";
const CLEAN: &str = "clean";

fn observe(ctx: &mut Context<'_>, change: &Event) {
    if ctx.caches.cool_down_seconds.is_none() {
        // The controller has just started. The ConfigMap may be missing.
        let map = ctx.get("configmaps", "kube-system", SETTINGS);
        ctx.caches.cool_down_seconds = Some(map.and_then(|map| read(&map)).unwrap_or(DEFAULT_SECONDS));
        ctx.enqueue(Name::PodEniQueue, CLEAN, "");
        resume(ctx);
    }
    if change.key.resource != "configmaps" || change.key.namespace != "kube-system" || change.key.name != SETTINGS {
        return;
    }
    let current = seconds(ctx);
    let wanted = if change.kind == Kind::Deleted { None } else { read(&change.object) };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != current) {
        ctx.caches.cool_down_seconds = Some(wanted);
        let message = format!("Branch ENI cool down period has been updated to {}", duration(seconds(ctx)));
        for node in ctx.list("nodes", None) {
            ctx.normal(&node, COMPONENT, "BranchENICoolDownPeriodUpdated", &message);
        }
    }
}

/// What the ConfigMap asks for.
fn read(map: &Value) -> Option<i64> {
    map["data"]["branch-eni-cooldown"].as_str()?.parse().ok()
}

fn seconds(ctx: &Context<'_>) -> i64 {
    ctx.caches.cool_down_seconds.unwrap_or(DEFAULT_SECONDS).max(LEAST_SECONDS)
}

/// How long an interface waits.
pub(super) fn period(ctx: &Context<'_>) -> Duration {
    Duration::from_secs(seconds(ctx).unsigned_abs())
}

/// Seconds as Go writes a duration.
fn duration(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// After a start: branches whose pods are gone are freed, and all queues are looked at.
fn resume(ctx: &mut Context<'_>) {
    let mut live = BTreeSet::new();
    for pod in ctx.list("pods", None) {
        if !super::super::workloads::pods::is_finished(&pod) {
            live.insert(super::super::context::meta(&pod, "uid").to_owned());
        }
    }
    let prefix = format!("{}/", ctx.cluster);
    let branches: Vec<Branch> =
        ctx.world.kubernetes.branches.starting_with(prefix.clone()).map(|(_, branch)| branch.clone()).collect();
    for branch in branches {
        if branch.place == Place::Used && !live.contains(&branch.uid) {
            free(ctx, &branch.uid);
        }
    }
    let trunks: Vec<(String, TrunkState)> =
        ctx.world.kubernetes.trunks.starting_with(prefix).map(|(_, row)| (row.node.clone(), row.state)).collect();
    for (node, state) in trunks {
        let kind = if state == TrunkState::Leaving { FORGET } else { "" };
        ctx.enqueue(Name::PodEniQueue, kind, &node);
    }
}

/// A pod has ended: its interfaces wait.
pub(super) fn free(ctx: &mut Context<'_>, uid: &str) {
    let now = ctx.now();
    for branch in of_pod(ctx, uid) {
        let order = i64::try_from(ctx.world.count("branch")).unwrap_or(i64::MAX);
        ctx.world.kubernetes.branches.update(&branch.id(), |branch| {
            branch.place = Place::Queued(Some(now));
            branch.order = order;
        });
        schedule(ctx, &branch.node);
    }
}

/// A pod's interfaces are of no use: they are deleted at the next look.
pub(super) fn push_front(ctx: &mut Context<'_>, uid: &str) {
    for branch in of_pod(ctx, uid) {
        let order = -i64::try_from(ctx.world.count("branch")).unwrap_or(0);
        ctx.world.kubernetes.branches.update(&branch.id(), |branch| {
            branch.place = Place::Queued(None);
            branch.order = order;
        });
        schedule(ctx, &branch.node);
    }
}

fn of_pod(ctx: &Context<'_>, uid: &str) -> Vec<Branch> {
    let key = format!("uid={}/{uid}", ctx.cluster);
    let all = ctx.world.kubernetes.branches.with(&key).map(|(_, branch)| branch);
    all.filter(|branch| branch.place == Place::Used).cloned().collect()
}

/// Lets a node's queue be looked at at its next tick.
fn schedule(ctx: &mut Context<'_>, node: &str) {
    let row = ctx.world.kubernetes.trunks.get(&trunk_id(ctx.cluster, node));
    let Some(since) = row.and_then(|row| row.ready_at) else { return };
    let passed = (ctx.now().as_second() - since.as_second()).max(0);
    let next = since.as_second() + (passed / TICK_SECONDS + 1) * TICK_SECONDS;
    let at = Timestamp::from_second(next).unwrap_or(Timestamp::MAX);
    ctx.queue.add_at(Item::new(Name::PodEniQueue, "", node), at);
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    match item.namespace.as_str() {
        FORGET => forget(ctx, &item.name),
        CLEAN => clean(ctx, item),
        _ => look(ctx, &item.name),
    }
}

/// The node has been gone for a while: what is left of its interfaces is the cleaner's.
fn forget(ctx: &mut Context<'_>, node: &str) {
    let id = trunk_id(ctx.cluster, node);
    if ctx.world.kubernetes.trunks.get(&id).is_none_or(|row| row.state != TrunkState::Leaving) {
        return;
    }
    ctx.world.kubernetes.trunks.remove(&id);
    for branch in branches_of(ctx.world, ctx.cluster, node) {
        ctx.world.kubernetes.branches.remove(&branch.id());
    }
}

/// Deletes what has waited long enough, in the order in which it came.
fn look(ctx: &mut Context<'_>, node: &str) {
    let row = ctx.world.kubernetes.trunks.get(&trunk_id(ctx.cluster, node));
    if row.is_none_or(|row| row.ready_at.is_none()) {
        return;
    }
    let mut queue: Vec<Branch> = branches_of(ctx.world, ctx.cluster, node);
    queue.retain(|branch| matches!(branch.place, Place::Queued(_)));
    queue.sort_by_key(|branch| branch.order);
    let limit = seconds(ctx);
    let mut is_left = false;
    for branch in queue {
        let Place::Queued(since) = branch.place else { continue };
        let waited = since.map(|since| ctx.now().as_millisecond() - since.as_millisecond());
        if waited.is_some_and(|waited| waited <= limit * 1000) {
            is_left = true;
            break;
        }
        delete(ctx, &branch);
    }
    if is_left {
        schedule(ctx, node);
    }
}

/// Deletes an interface; after three failures it is forgotten, but its VLAN is not free again.
fn delete(ctx: &mut Context<'_>, branch: &Branch) {
    if !branch.details.association.is_empty() {
        let _ = trunks::disassociate(ctx.world, &branch.details.association);
    }
    for _ in 0..TRIES {
        let deleted = authorized(ctx, "ec2:DeleteNetworkInterface")
            .and_then(|()| interfaces::delete(ctx.world, &branch.details.id));
        if deleted.is_ok_and(|()| true) || interfaces::find(ctx.world, &branch.details.id).is_err() {
            ctx.world.kubernetes.branches.remove(&branch.id());
            return;
        }
    }
    ctx.world.kubernetes.branches.update(&branch.id(), |branch| branch.place = Place::Forgotten);
}

/// Deletes the cluster's interfaces that were available twice in a row.
fn clean(ctx: &mut Context<'_>, item: &Item) {
    let vpc = ctx.world.eks.clusters.get(ctx.cluster).map(|row| row.network.vpc_id.clone());
    let keys = [
        format!("tag:kubernetes.io/cluster/{}=owned", ctx.cluster),
        format!("tag:cluster.k8s.amazonaws.com/name={}", ctx.cluster),
    ];
    let mut found = BTreeSet::new();
    for key in keys {
        for (id, row) in ctx.world.ec2.interfaces.with(&key) {
            let owner = row.tags.get("eks:eni:owner").map(String::as_str);
            let is_ours = matches!(owner, Some("eks-vpc-resource-controller" | "amazon-vpc-cni"));
            let is_here = vpc.as_ref().is_none_or(|vpc| *vpc == row.vpc_id);
            if is_ours && is_here && row.status() == "available" && row.trunk.is_none() {
                found.insert(id.to_owned());
            }
        }
    }
    let seen = std::mem::take(&mut ctx.caches.leaked);
    for id in found {
        if !seen.contains(&id) || interfaces::delete(ctx.world, &id).is_err() {
            ctx.caches.leaked.insert(id);
        }
    }
    let at = ctx.now().checked_add(CLEANER).unwrap_or(Timestamp::MAX);
    ctx.queue.add_at(item.clone(), at);
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_as_go_writes_them() {
        for (seconds, expected) in [(30, "30s"), (60, "1m0s"), (90, "1m30s"), (3_600, "1h0m0s")] {
            assert_eq!(super::duration(seconds), expected);
        }
    }
}
