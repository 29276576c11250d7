//! ReplicaSets: as many pods as are wanted.
//!
//! Source: `pkg/controller/replicaset` of Kubernetes 1.36.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{count, follow, follow_owned, pods, set_status};
use crate::kubernetes::controllers::context::{Context, is_going, meta, set_condition};
use crate::kubernetes::controllers::queue::Item;
use crate::kubernetes::controllers::{Controller, Name};
use crate::kubernetes::objects::Event;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["workloads", "replicasets"], observe, reconcile };

/// So many pods are made or deleted in one look; the rest in the next.
const BURST: i64 = 200;

const RESOURCE: &str = "replicasets.apps";
const COMPONENT: &str = "replicaset-controller";

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        RESOURCE => follow(ctx, change, Name::ReplicaSets),
        "pods" => follow_owned(ctx, change, "ReplicaSet", Name::ReplicaSets),
        _ => {}
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(set) = ctx.get(RESOURCE, &item.namespace, &item.name) else { return };
    let mut active: Vec<Arc<Value>> = ctx.owned("pods", meta(&set, "uid"));
    active.retain(|pod| pods::is_active(pod));
    let mut failure = None;
    if !is_going(&set) {
        let wanted = count(&set["spec"]["replicas"], 1);
        let there = i64::try_from(active.len()).unwrap_or(i64::MAX);
        if wanted > there {
            let some = (wanted - there).min(BURST);
            failure = scale_up(ctx, item, &set, some, &mut active).err();
            if failure.is_none() && some < wanted - there {
                ctx.queue.add(item.clone());
            }
        } else if wanted < there {
            let some = usize::try_from((there - wanted).min(BURST)).unwrap_or(0);
            pods::by_dispensability(&mut active);
            for pod in active.drain(..some) {
                ctx.delete("pods", meta(&pod, "namespace"), meta(&pod, "name"));
                let message = format!("Deleted pod: {}", meta(&pod, "name"));
                ctx.normal(&set, COMPONENT, "SuccessfulDelete", &message);
            }
        }
    }
    report(ctx, item, &set, &active, failure);
}

/// Makes pods; the first refusal ends it, and it is tried again later.
fn scale_up(
    ctx: &mut Context<'_>,
    item: &Item,
    set: &Value,
    some: i64,
    active: &mut Vec<Arc<Value>>,
) -> Result<(), String> {
    for _ in 0..some {
        match pods::create(ctx, set, &set["spec"]["template"], None, COMPONENT, |_| ()) {
            Ok(pod) => {
                let message = format!("Created pod: {}", meta(&pod, "name"));
                ctx.normal(set, COMPONENT, "SuccessfulCreate", &message);
                active.push(pod);
            }
            Err(why) => {
                ctx.warn(set, COMPONENT, "FailedCreate", &format!("Error creating: {why}"));
                ctx.queue.add_after_failure(item.clone(), ctx.world.now);
                return Err(why);
            }
        }
    }
    ctx.queue.succeeded(item);
    Ok(())
}

fn report(ctx: &mut Context<'_>, item: &Item, set: &Value, active: &[Arc<Value>], failure: Option<String>) {
    let min_ready = count(&set["spec"]["minReadySeconds"], 0);
    let mut available = 0;
    for pod in active {
        match pods::is_available(pod, min_ready, ctx.now()) {
            Ok(()) => available += 1,
            Err(Some(left)) => ctx.enqueue_after(Name::ReplicaSets, &item.namespace, &item.name, left),
            Err(None) => {}
        }
    }
    let ready = active.iter().filter(|pod| pods::is_ready(pod)).count();
    let labels = set["spec"]["template"]["metadata"]["labels"].as_object();
    let is_labeled = |pod: &Value| {
        labels.is_none_or(|labels| labels.iter().all(|(key, value)| &pod["metadata"]["labels"][key] == value))
    };
    let mut status = json!({
        "replicas": active.len(),
        "observedGeneration": set["metadata"]["generation"],
    });
    let labeled = active.iter().filter(|pod| is_labeled(pod)).count();
    for (name, number) in
        [("fullyLabeledReplicas", labeled), ("readyReplicas", ready), ("availableReplicas", available)]
    {
        if number > 0 {
            status[name] = json!(number);
        }
    }
    if let Some(message) = failure {
        let mut conditions = set["status"]["conditions"].clone();
        let condition =
            json!({ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message });
        set_condition(&mut conditions, &ctx.time(), condition);
        status["conditions"] = conditions;
    }
    set_status(ctx, RESOURCE, set, status);
}
