//! Deployments: a ReplicaSet for each template, and the way from one to the next.
//!
//! Source: `pkg/controller/deployment` of Kubernetes 1.36.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{count, follow, follow_owned, pods, set_status, share};
use crate::kubernetes::controllers::context::{Context, is_going, meta, owner_reference, set_condition, time_of};
use crate::kubernetes::controllers::queue::Item;
use crate::kubernetes::controllers::{Controller, Name};
use crate::kubernetes::objects::Event;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["workloads", "deployments"], observe, reconcile };

const RESOURCE: &str = "deployments.apps";
const SETS: &str = "replicasets.apps";
const COMPONENT: &str = "deployment-controller";
const REVISION: &str = "deployment.kubernetes.io/revision";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAXIMUM: &str = "deployment.kubernetes.io/max-replicas";
const HASH: &str = "pod-template-hash";

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        RESOURCE => follow(ctx, change, Name::Deployments),
        SETS => follow_owned(ctx, change, "Deployment", Name::Deployments),
        _ => {}
    }
}

/// The ReplicaSets of a Deployment.
struct Sets {
    /// That of the present template.
    new: Option<Arc<Value>>,
    /// The others, oldest first.
    old: Vec<Arc<Value>>,
}

impl Sets {
    fn of(ctx: &Context<'_>, deployment: &Value) -> Self {
        let mut all = ctx.owned(SETS, meta(deployment, "uid"));
        all.retain(|set| !is_going(set));
        all.sort_by_cached_key(|set| (meta(set, "creationTimestamp").to_owned(), meta(set, "name").to_owned()));
        let template = without_hash(&deployment["spec"]["template"]);
        let new = all.iter().position(|set| without_hash(&set["spec"]["template"]) == template);
        let new = new.map(|at| all.remove(at));
        Self { new, old: all }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.old.iter().chain(&self.new)
    }
}

fn without_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(HASH);
    }
    if let Some(metadata) = template["metadata"].as_object_mut() {
        metadata.remove("creationTimestamp");
    }
    template
}

fn replicas(set: &Value) -> i64 {
    count(&set["spec"]["replicas"], 0)
}

fn status_count(set: &Value, name: &str) -> i64 {
    count(&set["status"][name], 0)
}

/// How far a rollout may go above and below what is wanted.
struct Bounds {
    wanted: i64,
    surge: i64,
    unavailable: i64,
}

impl Bounds {
    fn of(deployment: &Value) -> Self {
        let wanted = count(&deployment["spec"]["replicas"], 1);
        let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
        let quarter = json!("25%");
        let or_quarter = |value: &'_ Value| if value.is_null() { quarter.clone() } else { value.clone() };
        if deployment["spec"]["strategy"]["type"] == "Recreate" {
            return Self { wanted, surge: 0, unavailable: 0 };
        }
        let surge = share(&or_quarter(&rolling["maxSurge"]), wanted, true);
        let mut unavailable = share(&or_quarter(&rolling["maxUnavailable"]), wanted, false).min(wanted);
        if surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        Self { wanted, surge, unavailable }
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(deployment) = ctx.get(RESOURCE, &item.namespace, &item.name) else { return };
    if is_going(&deployment) {
        return;
    }
    let bounds = Bounds::of(&deployment);
    let is_paused = deployment["spec"]["paused"] == true;
    let sets = Sets::of(ctx, &deployment);
    if is_paused || is_scaled(&deployment, &sets) {
        scale(ctx, &deployment, &sets, &bounds);
    } else {
        let new = new_set(ctx, &deployment, &sets, &bounds);
        let sets = Sets { new: Some(new), old: sets.old };
        if deployment["spec"]["strategy"]["type"] == "Recreate" {
            recreate(ctx, &deployment, &sets, &bounds);
        } else {
            roll(ctx, &deployment, &sets, &bounds);
        }
    }
    let sets = Sets::of(ctx, &deployment);
    report(ctx, item, &deployment, &sets, &bounds);
    clean_up(ctx, &deployment, &sets);
}

/// Whether the wanted number changed since the ReplicaSets were last scaled.
fn is_scaled(deployment: &Value, sets: &Sets) -> bool {
    let wanted = count(&deployment["spec"]["replicas"], 1).to_string();
    sets.all()
        .filter(|set| replicas(set) > 0)
        .any(|set| set["metadata"]["annotations"][DESIRED].as_str().is_some_and(|desired| desired != wanted))
}

/// Brings the wanted number to the ReplicaSets without going on with a rollout: all of it to the only active one, otherwise in
/// proportion, the newest first.
fn scale(ctx: &mut Context<'_>, deployment: &Value, sets: &Sets, bounds: &Bounds) {
    let active: Vec<&Arc<Value>> = sets.all().filter(|set| replicas(set) > 0).collect();
    if active.len() <= 1 {
        if let Some(set) = active.first().copied().or(sets.new.as_ref()).or(sets.old.last()) {
            scale_set(ctx, deployment, set, bounds.wanted, bounds);
        }
        return;
    }
    let total: i64 = active.iter().map(|set| replicas(set)).sum();
    let allowed = if bounds.wanted > 0 { bounds.wanted + bounds.surge } else { 0 };
    let mut left = allowed - total;
    for (at, set) in active.iter().rev().enumerate() {
        let is_last = at + 1 == active.len();
        let part = if is_last || total == 0 { left } else { (allowed - total) * replicas(set) / total };
        let part = if left >= 0 { part.min(left) } else { part.max(left) };
        scale_set(ctx, deployment, set, (replicas(set) + part).max(0), bounds);
        left -= part;
    }
}

/// The ReplicaSet of the present template, made if there is none; its revision is the highest.
fn new_set(ctx: &mut Context<'_>, deployment: &Value, sets: &Sets, bounds: &Bounds) -> Arc<Value> {
    let revision = |set: &Value| -> i64 {
        set["metadata"]["annotations"][REVISION].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let highest_old = sets.old.iter().map(|set| revision(set)).max().unwrap_or(0);
    let namespace = meta(deployment, "namespace").to_owned();
    let number = match &sets.new {
        Some(set) => revision(set).max(highest_old + 1),
        None => highest_old + 1,
    };
    let mark = |object: &mut Value| object["metadata"]["annotations"][REVISION] = json!(number.to_string());
    ctx.update(RESOURCE, &namespace, meta(deployment, "name"), mark);
    if let Some(set) = &sets.new {
        return ctx.update(SETS, &namespace, meta(set, "name"), mark).unwrap_or_else(|| Arc::clone(set));
    }
    let hash = pods::hash(&without_hash(&deployment["spec"]["template"]));
    let name = format!("{}-{hash}", meta(deployment, "name"));
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"][HASH] = json!(hash);
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH] = json!(hash);
    let mut annotations = deployment["metadata"]["annotations"].clone();
    if let Some(some) = annotations.as_object_mut() {
        some.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    annotations[REVISION] = json!(number.to_string());
    annotations[DESIRED] = json!(bounds.wanted.to_string());
    annotations[MAXIMUM] = json!((bounds.wanted + bounds.surge).to_string());
    let total: i64 = sets.old.iter().map(|set| replicas(set)).sum();
    let is_recreate = deployment["spec"]["strategy"]["type"] == "Recreate";
    let first =
        if is_recreate && total > 0 { 0 } else { (bounds.wanted + bounds.surge - total).clamp(0, bounds.wanted) };
    let mut spec = json!({ "replicas": first, "selector": selector, "template": template });
    if let Some(seconds) = deployment["spec"]["minReadySeconds"].as_i64() {
        spec["minReadySeconds"] = json!(seconds);
    }
    let object = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "labels": template["metadata"]["labels"], "annotations": annotations,
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": spec,
        "status": { "replicas": 0 },
    });
    let set = ctx.create(SETS, &namespace, &name, object);
    if first > 0 {
        let message = format!("Scaled up replica set {name} from 0 to {first}");
        ctx.normal(deployment, COMPONENT, "ScalingReplicaSet", &message);
    }
    let why = format!("Created new replica set {name:?}");
    progress(ctx, deployment, "NewReplicaSetCreated", &why);
    set
}

/// Sets a ReplicaSet's size and tells it.
fn scale_set(ctx: &mut Context<'_>, deployment: &Value, set: &Value, to: i64, bounds: &Bounds) {
    let (namespace, name) = (meta(set, "namespace"), meta(set, "name"));
    let from = replicas(set);
    ctx.update(SETS, namespace, name, |set| {
        set["spec"]["replicas"] = json!(to);
        set["metadata"]["annotations"][DESIRED] = json!(bounds.wanted.to_string());
        set["metadata"]["annotations"][MAXIMUM] = json!((bounds.wanted + bounds.surge).to_string());
    });
    if from != to {
        let direction = if to > from { "up" } else { "down" };
        let message = format!("Scaled {direction} replica set {name} from {from} to {to}");
        ctx.normal(deployment, COMPONENT, "ScalingReplicaSet", &message);
    }
}

/// Everything old goes first, then the new comes.
fn recreate(ctx: &mut Context<'_>, deployment: &Value, sets: &Sets, bounds: &Bounds) {
    let mut has_old = false;
    for set in &sets.old {
        if replicas(set) > 0 {
            scale_set(ctx, deployment, set, 0, bounds);
        }
        has_old |= !ctx.owned("pods", meta(set, "uid")).iter().all(|pod| pods::is_finished(pod));
    }
    if has_old {
        // Pods that end are followed by their ReplicaSets, not by this controller.
        ctx.enqueue_after(
            Name::Deployments,
            meta(deployment, "namespace"),
            meta(deployment, "name"),
            Duration::from_millis(500),
        );
    } else if let Some(new) = &sets.new {
        scale_set(ctx, deployment, new, bounds.wanted, bounds);
    }
}

/// One step of a rolling update: up with the new as far as the surge allows, down with the old as far as enough are available.
fn roll(ctx: &mut Context<'_>, deployment: &Value, sets: &Sets, bounds: &Bounds) {
    let Some(new) = &sets.new else { return };
    let total: i64 = sets.all().map(|set| replicas(set)).sum();
    let now = replicas(new);
    let up = (bounds.wanted + bounds.surge - total).min(bounds.wanted - now);
    if now > bounds.wanted {
        return scale_set(ctx, deployment, new, bounds.wanted, bounds);
    }
    if up > 0 {
        return scale_set(ctx, deployment, new, now + up, bounds);
    }
    let min_available = bounds.wanted - bounds.unavailable;
    let old: i64 = sets.old.iter().map(|set| replicas(set)).sum();
    if old == 0 {
        return;
    }
    let new_unavailable = now - status_count(new, "availableReplicas");
    let mut most = (total - min_available - new_unavailable).max(0);
    // Those that are not even available cost nothing.
    let mut left = Vec::new();
    for set in &sets.old {
        let size = replicas(set);
        let unhealthy = (size - status_count(set, "availableReplicas")).clamp(0, size).min(most);
        most -= unhealthy;
        if unhealthy > 0 {
            scale_set(ctx, deployment, set, size - unhealthy, bounds);
        }
        left.push((set, size - unhealthy));
    }
    let available: i64 = sets.all().map(|set| status_count(set, "availableReplicas")).sum();
    let mut spare = (available - min_available).max(0);
    for (set, size) in left {
        let some = size.min(spare);
        spare -= some;
        if some > 0
            && let Some(fresh) = ctx.get(SETS, meta(set, "namespace"), meta(set, "name"))
        {
            scale_set(ctx, deployment, &fresh, size - some, bounds);
        }
    }
}

/// Sets the condition Progressing.
fn progress(ctx: &mut Context<'_>, deployment: &Value, reason: &str, message: &str) {
    let now = ctx.time();
    ctx.update(RESOURCE, meta(deployment, "namespace"), meta(deployment, "name"), |object| {
        let status = if reason == "ProgressDeadlineExceeded" { "False" } else { "True" };
        set_progress(&mut object["status"]["conditions"], &now, status, reason, message);
    });
}

/// The condition Progressing; `lastUpdateTime` says when it last changed in any way.
fn set_progress(conditions: &mut Value, now: &str, status: &str, reason: &str, message: &str) {
    let old = conditions.as_array().and_then(|all| all.iter().find(|it| it["type"] == "Progressing"));
    if old.is_some_and(|old| old["status"] == status && old["reason"] == reason && old["message"] == message) {
        return;
    }
    let condition =
        json!({ "type": "Progressing", "status": status, "reason": reason, "message": message, "lastUpdateTime": now });
    set_condition(conditions, now, condition);
}

fn report(ctx: &mut Context<'_>, item: &Item, deployment: &Value, sets: &Sets, bounds: &Bounds) {
    let Some(current) = ctx.get(RESOURCE, &item.namespace, &item.name) else { return };
    let sum = |name: &str| -> i64 { sets.all().map(|set| status_count(set, name)).sum() };
    let (total, ready, available) = (sum("replicas"), sum("readyReplicas"), sum("availableReplicas"));
    let updated = sets.new.as_ref().map_or(0, |set| status_count(set, "replicas"));
    let now = ctx.time();
    let mut status = json!({ "observedGeneration": deployment["metadata"]["generation"] });
    let unavailable = (bounds.wanted.max(total) - available).max(0);
    for (name, number) in [
        ("replicas", total),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", available),
        ("unavailableReplicas", unavailable),
    ] {
        if number > 0 {
            status[name] = json!(number);
        }
    }
    let mut conditions = current["status"]["conditions"].clone();
    let is_enough = available >= bounds.wanted - bounds.unavailable;
    let (state, reason, message) = if is_enough {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    set_availability(&mut conditions, &now, state, reason, message);
    let is_complete = updated == bounds.wanted && total == bounds.wanted && available == bounds.wanted;
    let counts = |status: &Value| {
        ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"].map(|it| status[it].clone())
    };
    let has_moved = counts(&status) != counts(&current["status"]);
    report_progress(ctx, item, deployment, sets, &mut conditions, is_complete, has_moved);
    status["conditions"] = conditions;
    set_status(ctx, RESOURCE, deployment, status);
}

fn set_availability(conditions: &mut Value, now: &str, state: &str, reason: &str, message: &str) {
    let old = conditions.as_array().and_then(|all| all.iter().find(|it| it["type"] == "Available"));
    if old.is_none_or(|old| old["status"] != state) {
        let condition = json!({ "type": "Available", "status": state, "reason": reason, "message": message, "lastUpdateTime": now });
        set_condition(conditions, now, condition);
    }
}

/// Says how the rollout goes, and looks again when its deadline is due.
fn report_progress(
    ctx: &mut Context<'_>,
    item: &Item,
    deployment: &Value,
    sets: &Sets,
    conditions: &mut Value,
    is_complete: bool,
    has_moved: bool,
) {
    let now = ctx.time();
    let Some(new) = &sets.new else { return };
    let name = meta(new, "name");
    if deployment["spec"]["paused"] == true {
        return set_progress(conditions, &now, "Unknown", "DeploymentPaused", "Deployment is paused");
    }
    if is_complete {
        let message = format!("ReplicaSet {name:?} has successfully progressed.");
        return set_progress(conditions, &now, "True", "NewReplicaSetAvailable", &message);
    }
    let old = conditions.as_array().and_then(|all| all.iter().find(|it| it["type"] == "Progressing")).cloned();
    let Some(old) = old else { return };
    if has_moved {
        let message = format!("ReplicaSet {name:?} is progressing.");
        let condition = json!({ "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": message, "lastUpdateTime": now });
        set_condition(conditions, &now, condition);
        let deadline = count(&deployment["spec"]["progressDeadlineSeconds"], 600).unsigned_abs();
        ctx.enqueue_after(Name::Deployments, &item.namespace, &item.name, Duration::from_secs(deadline + 1));
        return;
    }
    if matches!(old["reason"].as_str(), Some("NewReplicaSetAvailable" | "ProgressDeadlineExceeded")) {
        return;
    }
    let deadline = count(&deployment["spec"]["progressDeadlineSeconds"], 600);
    let since = time_of(&old["lastUpdateTime"]).unwrap_or(ctx.now());
    let left = since.as_second() + deadline - ctx.now().as_second();
    if left < 0 {
        let message = format!("ReplicaSet {name:?} has timed out progressing.");
        set_progress(conditions, &now, "False", "ProgressDeadlineExceeded", &message);
    } else {
        let after = Duration::from_secs(left.unsigned_abs() + 1);
        ctx.enqueue_after(Name::Deployments, &item.namespace, &item.name, after);
    }
}

/// Deletes what is older than the history that is kept.
fn clean_up(ctx: &mut Context<'_>, deployment: &Value, sets: &Sets) {
    let limit = usize::try_from(count(&deployment["spec"]["revisionHistoryLimit"], 10)).unwrap_or(usize::MAX);
    let idle: Vec<&Arc<Value>> =
        sets.old.iter().filter(|set| replicas(set) == 0 && status_count(set, "replicas") == 0).collect();
    for set in &idle[..idle.len().saturating_sub(limit)] {
        ctx.delete(SETS, meta(set, "namespace"), meta(set, "name"));
    }
}
