//! StatefulSets: pods with names and an order.
//!
//! Source: `pkg/controller/statefulset` of Kubernetes 1.36.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{count, follow, follow_owned, pods, revisions, set_status};
use crate::kubernetes::controllers::context::{Context, is_going, meta};
use crate::kubernetes::controllers::queue::Item;
use crate::kubernetes::controllers::scheduler::cache::list;
use crate::kubernetes::controllers::{Controller, Name};
use crate::kubernetes::objects::Event;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["workloads", "statefulsets"], observe, reconcile };

const RESOURCE: &str = "statefulsets.apps";
const COMPONENT: &str = "statefulset-controller";
const HASH: &str = "controller-revision-hash";

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        RESOURCE => follow(ctx, change, Name::StatefulSets),
        "pods" => follow_owned(ctx, change, "StatefulSet", Name::StatefulSets),
        _ => {}
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(set) = ctx.get(RESOURCE, &item.namespace, &item.name).filter(|set| !is_going(set)) else { return };
    let revision = format!("{}-{}", meta(&set, "name"), revisions::keep(ctx, &set));
    let first = count(&set["spec"]["ordinals"]["start"], 0);
    let wanted = first..first + count(&set["spec"]["replicas"], 1);
    let mut there: BTreeMap<i64, Arc<Value>> = BTreeMap::new();
    for pod in ctx.owned("pods", meta(&set, "uid")) {
        if let Some(ordinal) = ordinal(&set, &pod) {
            there.insert(ordinal, pod);
        }
    }
    let is_parallel = set["spec"]["podManagementPolicy"] == "Parallel";
    if grow(ctx, item, &set, &revision, wanted.clone(), &there, is_parallel)
        && shrink(ctx, &set, wanted.end, wanted.start, &there, is_parallel)
    {
        roll(ctx, &set, &revision, &there);
    }
    report(ctx, item, &set, &revision, wanted.end);
}

fn ordinal(set: &Value, pod: &Value) -> Option<i64> {
    meta(pod, "name").strip_prefix(meta(set, "name"))?.strip_prefix('-')?.parse().ok()
}

/// Makes what is missing, lowest first; one at a time waits for the one before. Answers whether all are there and well.
fn grow(
    ctx: &mut Context<'_>,
    item: &Item,
    set: &Value,
    revision: &str,
    wanted: std::ops::Range<i64>,
    there: &BTreeMap<i64, Arc<Value>>,
    is_parallel: bool,
) -> bool {
    let mut is_whole = true;
    let min_ready = count(&set["spec"]["minReadySeconds"], 0);
    for number in wanted {
        match there.get(&number) {
            Some(pod) if pods::is_finished(pod) && !is_going(pod) => {
                ctx.delete("pods", meta(pod, "namespace"), meta(pod, "name"));
                is_whole = false;
            }
            Some(pod) if is_going(pod) || pods::is_available(pod, min_ready, ctx.now()).is_err() => is_whole = false,
            Some(_) => {}
            None => {
                create(ctx, item, set, revision, number);
                is_whole = false;
            }
        }
        if !is_whole && !is_parallel {
            return false;
        }
    }
    is_whole || is_parallel
}

fn create(ctx: &mut Context<'_>, item: &Item, set: &Value, revision: &str, number: i64) {
    let name = format!("{}-{number}", meta(set, "name"));
    let old = set["status"]["currentRevision"].as_str().filter(|it| !it.is_empty()).unwrap_or(revision);
    let partition = count(&set["spec"]["updateStrategy"]["rollingUpdate"]["partition"], 0);
    let kept = (number < partition && old != revision)
        .then(|| ctx.get("controllerrevisions.apps", meta(set, "namespace"), old))
        .flatten();
    let (template, revision) = match &kept {
        Some(kept) => (&kept["data"]["spec"]["template"], old),
        None => (&set["spec"]["template"], revision),
    };
    claim(ctx, set, &name);
    let claims: Vec<Value> = list(&set["spec"]["volumeClaimTemplates"])
        .map(|claim| {
            let volume = meta(claim, "name");
            json!({ "name": volume, "persistentVolumeClaim": { "claimName": format!("{volume}-{name}") } })
        })
        .collect();
    let made = pods::create(ctx, set, template, Some(name.clone()), COMPONENT, |pod| {
        let labels = &mut pod["metadata"]["labels"];
        labels["statefulset.kubernetes.io/pod-name"] = json!(name);
        labels["apps.kubernetes.io/pod-index"] = json!(number.to_string());
        labels[HASH] = json!(revision);
        pod["spec"]["hostname"] = json!(name);
        if set["spec"]["serviceName"].as_str().is_some_and(|name| !name.is_empty()) {
            pod["spec"]["subdomain"] = set["spec"]["serviceName"].clone();
        }
        if !claims.is_empty() {
            let mut volumes: Vec<Value> = list(&pod["spec"]["volumes"]).cloned().collect();
            volumes.extend(claims);
            pod["spec"]["volumes"] = json!(volumes);
        }
    });
    let shown = meta(set, "name");
    match made {
        Ok(_) => {
            let message = format!("create Pod {name} in StatefulSet {shown} successful");
            ctx.normal(set, COMPONENT, "SuccessfulCreate", &message);
        }
        Err(why) => {
            let message = format!("create Pod {name} in StatefulSet {shown} failed error: {why}");
            ctx.warn(set, COMPONENT, "FailedCreate", &message);
            ctx.queue.add_after_failure(item.clone(), ctx.world.now);
        }
    }
}

/// Makes a pod's claims. They count as bound: volumes are not simulated.
fn claim(ctx: &mut Context<'_>, set: &Value, pod: &str) {
    let namespace = meta(set, "namespace");
    for template in list(&set["spec"]["volumeClaimTemplates"]) {
        let name = format!("{}-{pod}", meta(template, "name"));
        if ctx.get("persistentvolumeclaims", namespace, &name).is_some() {
            continue;
        }
        let object = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": { "labels": set["spec"]["selector"]["matchLabels"] },
            "spec": template["spec"],
            "status": {
                "phase": "Bound", "accessModes": template["spec"]["accessModes"],
                "capacity": template["spec"]["resources"]["requests"],
            },
        });
        ctx.create("persistentvolumeclaims", namespace, &name, object);
    }
}

/// Deletes what is too much, highest first. Answers whether nothing was.
fn shrink(
    ctx: &mut Context<'_>,
    set: &Value,
    end: i64,
    start: i64,
    there: &BTreeMap<i64, Arc<Value>>,
    is_parallel: bool,
) -> bool {
    let surplus: Vec<_> = there.iter().rev().filter(|(number, _)| **number >= end || **number < start).collect();
    for (_, pod) in &surplus {
        if !is_going(pod) {
            delete(ctx, set, pod);
        }
        if !is_parallel {
            break;
        }
    }
    surplus.is_empty()
}

fn delete(ctx: &mut Context<'_>, set: &Value, pod: &Value) {
    let name = meta(pod, "name");
    ctx.delete("pods", meta(pod, "namespace"), name);
    let message = format!("delete Pod {name} in StatefulSet {} successful", meta(set, "name"));
    ctx.normal(set, COMPONENT, "SuccessfulDelete", &message);
}

/// Replaces one pod of an older template, the highest first, when all the others are well.
fn roll(ctx: &mut Context<'_>, set: &Value, revision: &str, there: &BTreeMap<i64, Arc<Value>>) {
    if set["spec"]["updateStrategy"]["type"] == "OnDelete" {
        return;
    }
    let partition = count(&set["spec"]["updateStrategy"]["rollingUpdate"]["partition"], 0);
    for (number, pod) in there.iter().rev() {
        if *number < partition {
            return;
        }
        let is_new = pod["metadata"]["labels"][HASH] == revision;
        if !is_new && !is_going(pod) {
            delete(ctx, set, pod);
            return;
        }
        if is_going(pod) || !pods::is_ready(pod) {
            return;
        }
    }
}

fn report(ctx: &mut Context<'_>, item: &Item, set: &Value, revision: &str, end: i64) {
    let min_ready = count(&set["spec"]["minReadySeconds"], 0);
    let old = set["status"]["currentRevision"].as_str().filter(|it| !it.is_empty()).unwrap_or(revision).to_owned();
    let (mut total, mut ready, mut available, mut current, mut updated) = (0_i64, 0, 0, 0, 0);
    for pod in ctx.owned("pods", meta(set, "uid")) {
        if pods::is_finished(&pod) {
            continue;
        }
        total += 1;
        if is_going(&pod) {
            continue;
        }
        let hash = pod["metadata"]["labels"][HASH].as_str().unwrap_or_default();
        current += i64::from(hash == old);
        updated += i64::from(hash == revision);
        ready += i64::from(pods::is_ready(&pod));
        match pods::is_available(&pod, min_ready, ctx.now()) {
            Ok(()) => available += 1,
            Err(Some(left)) => ctx.enqueue_after(Name::StatefulSets, &item.namespace, &item.name, left),
            Err(None) => {}
        }
    }
    let wanted = end - count(&set["spec"]["ordinals"]["start"], 0);
    let is_rolled = updated == wanted && ready == wanted && total == wanted;
    let (old, current) = if is_rolled { (revision.to_owned(), updated) } else { (old, current) };
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": total, "availableReplicas": available,
        "currentRevision": old, "updateRevision": revision, "collisionCount": 0,
    });
    for (name, number) in [("readyReplicas", ready), ("currentReplicas", current), ("updatedReplicas", updated)] {
        if number > 0 {
            status[name] = json!(number);
        }
    }
    set_status(ctx, RESOURCE, set, status);
}
