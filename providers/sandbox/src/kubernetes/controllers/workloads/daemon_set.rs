//! DaemonSets: a pod on each node that it is for.
//!
//! Source: `pkg/controller/daemon` of Kubernetes 1.36.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{count, follow, follow_owned, pods, revisions, set_status, share};
use crate::kubernetes::controllers::context::{Context, is_going, meta};
use crate::kubernetes::controllers::queue::Item;
use crate::kubernetes::controllers::scheduler::filter;
use crate::kubernetes::controllers::{Controller, Name};
use crate::kubernetes::objects::Event;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["workloads", "daemonsets"], observe, reconcile };

const RESOURCE: &str = "daemonsets.apps";
const COMPONENT: &str = "daemonset-controller";

/// Taints that DaemonSets' pods tolerate; the last one only on the host's network.
const TOLERATED: [(&str, &str); 7] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ("node.kubernetes.io/network-unavailable", "NoSchedule"),
];

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        RESOURCE => follow(ctx, change, Name::DaemonSets),
        "pods" => follow_owned(ctx, change, "DaemonSet", Name::DaemonSets),
        "nodes" => {
            let marks = |node: &Value| (node["spec"].clone(), node["metadata"]["labels"].clone());
            let is_news = change.before.as_ref().is_none_or(|before| marks(before) != marks(&change.object))
                || change.kind == crate::kubernetes::objects::Kind::Deleted;
            if is_news {
                for set in ctx.list(RESOURCE, None) {
                    ctx.enqueue(Name::DaemonSets, meta(&set, "namespace"), meta(&set, "name"));
                }
            }
        }
        _ => {}
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(set) = ctx.get(RESOURCE, &item.namespace, &item.name).filter(|set| !is_going(set)) else { return };
    let hash = revisions::keep(ctx, &set);
    let template = template(&set, &hash);
    let mut by_node: BTreeMap<String, Vec<Arc<Value>>> = BTreeMap::new();
    for pod in ctx.owned("pods", meta(&set, "uid")) {
        by_node.entry(node_of(&pod)).or_default().push(pod);
    }
    let nodes = ctx.list("nodes", None);
    let mut wanted = Vec::new();
    for node in &nodes {
        if filter::admits(&json!({ "spec": template["spec"] }), node).is_ok() {
            wanted.push(meta(node, "name").to_owned());
        }
    }
    for node in &wanted {
        let there = by_node.entry(node.clone()).or_default();
        replace_failed(ctx, &set, there);
        if there.is_empty() {
            place(ctx, item, &set, &template, node);
        }
    }
    wanted.sort();
    let is_wanted = |node: &String| wanted.binary_search(node).is_ok();
    for (node, pods) in by_node.iter().filter(|(node, _)| !is_wanted(node)) {
        for pod in pods.iter().filter(|pod| !is_going(pod)) {
            remove(ctx, &set, pod, nodes.iter().any(|it| meta(it, "name") == node));
        }
    }
    roll(ctx, &set, &hash, &wanted);
    report(ctx, item, &set, &hash, &wanted);
}

/// The template with what the controller adds to it.
fn template(set: &Value, hash: &str) -> Value {
    let mut template = set["spec"]["template"].clone();
    template["metadata"]["labels"]["controller-revision-hash"] = json!(hash);
    let is_host = template["spec"]["hostNetwork"] == true;
    let some = if is_host { TOLERATED.len() } else { TOLERATED.len() - 1 };
    let tolerations = &mut template["spec"]["tolerations"];
    if !tolerations.is_array() {
        *tolerations = json!([]);
    }
    if let Some(list) = tolerations.as_array_mut() {
        for (key, effect) in &TOLERATED[..some] {
            list.push(json!({ "key": key, "operator": "Exists", "effect": effect }));
        }
    }
    template
}

/// The node that a pod is on or meant for.
fn node_of(pod: &Value) -> String {
    if let Some(node) = pod["spec"]["nodeName"].as_str() {
        return node.to_owned();
    }
    let affinity = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    affinity["nodeSelectorTerms"][0]["matchFields"][0]["values"][0].as_str().unwrap_or_default().to_owned()
}

fn replace_failed(ctx: &mut Context<'_>, set: &Value, there: &mut Vec<Arc<Value>>) {
    for pod in there.iter().filter(|pod| pods::is_finished(pod) && !is_going(pod)) {
        let (namespace, name, node) = (meta(pod, "namespace"), meta(pod, "name"), node_of(pod));
        let message = format!("Found failed daemon pod {namespace}/{name} on node {node}, will try to kill it");
        ctx.warn(set, COMPONENT, "FailedDaemonPod", &message);
        ctx.delete("pods", namespace, name);
    }
    there.retain(|pod| !pods::is_finished(pod));
}

/// Makes the pod of a node: the scheduler brings it there.
fn place(ctx: &mut Context<'_>, item: &Item, set: &Value, template: &Value, node: &str) {
    let made = pods::create(ctx, set, template, None, COMPONENT, |pod| {
        let field = json!([{ "key": "metadata.name", "operator": "In", "values": [node] }]);
        let required = &mut pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        match required["nodeSelectorTerms"].as_array_mut() {
            // Each term gets the node's name; its own expressions were checked before.
            Some(terms) => terms.iter_mut().for_each(|term| *term = json!({ "matchFields": field })),
            None => required["nodeSelectorTerms"] = json!([{ "matchFields": field }]),
        }
    });
    match made {
        Ok(pod) => ctx.normal(set, COMPONENT, "SuccessfulCreate", &format!("Created pod: {}", meta(&pod, "name"))),
        Err(why) => {
            ctx.warn(set, COMPONENT, "FailedCreate", &format!("Error creating: {why}"));
            ctx.queue.add_after_failure(item.clone(), ctx.world.now);
        }
    }
}

fn remove(ctx: &mut Context<'_>, set: &Value, pod: &Value, has_node: bool) {
    let (namespace, name) = (meta(pod, "namespace"), meta(pod, "name"));
    if has_node {
        ctx.delete("pods", namespace, name);
        ctx.normal(set, COMPONENT, "SuccessfulDelete", &format!("Deleted pod: {name}"));
    } else {
        ctx.delete_now("pods", namespace, name);
    }
}

/// Deletes pods of older templates, no more at once than may be unavailable.
fn roll(ctx: &mut Context<'_>, set: &Value, hash: &str, wanted: &[String]) {
    if set["spec"]["updateStrategy"]["type"] == "OnDelete" {
        return;
    }
    let rolling = &set["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"];
    let total = i64::try_from(wanted.len()).unwrap_or(0);
    let one = json!(1);
    let most = share(if rolling.is_null() { &one } else { rolling }, total, true).max(1);
    let pods = ctx.owned("pods", meta(set, "uid"));
    let min_ready = count(&set["spec"]["minReadySeconds"], 0);
    let now = ctx.now();
    let is_up = |pod: &Value| !is_going(pod) && pods::is_available(pod, min_ready, now).is_ok();
    let up = i64::try_from(pods.iter().filter(|pod| is_up(pod)).count()).unwrap_or(0);
    let mut spare = most - (total - up);
    let is_old = |pod: &Value| pod["metadata"]["labels"]["controller-revision-hash"] != hash && !is_going(pod);
    let mut old: Vec<&Arc<Value>> = pods.iter().filter(|pod| is_old(pod)).collect();
    old.sort_by_key(|pod| is_up(pod));
    for pod in old {
        if is_up(pod) {
            if spare <= 0 {
                break;
            }
            spare -= 1;
        }
        ctx.delete("pods", meta(pod, "namespace"), meta(pod, "name"));
        ctx.normal(set, COMPONENT, "SuccessfulDelete", &format!("Deleted pod: {}", meta(pod, "name")));
    }
}

fn report(ctx: &mut Context<'_>, item: &Item, set: &Value, hash: &str, wanted: &[String]) {
    let min_ready = count(&set["spec"]["minReadySeconds"], 0);
    let (mut current, mut misplaced, mut ready, mut available, mut updated) = (0, 0, 0, 0, 0);
    for pod in ctx.owned("pods", meta(set, "uid")) {
        if wanted.binary_search(&node_of(&pod)).is_err() {
            misplaced += 1;
            continue;
        }
        if is_going(&pod) {
            continue;
        }
        current += 1;
        updated += usize::from(pod["metadata"]["labels"]["controller-revision-hash"] == hash);
        ready += usize::from(pods::is_ready(&pod));
        match pods::is_available(&pod, min_ready, ctx.now()) {
            Ok(()) => available += 1,
            Err(Some(left)) => ctx.enqueue_after(Name::DaemonSets, &item.namespace, &item.name, left),
            Err(None) => {}
        }
    }
    let mut status = json!({
        "currentNumberScheduled": current, "numberMisscheduled": misplaced, "desiredNumberScheduled": wanted.len(),
        "numberReady": ready, "observedGeneration": set["metadata"]["generation"],
    });
    let missing = wanted.len().saturating_sub(available);
    for (name, number) in
        [("updatedNumberScheduled", updated), ("numberAvailable", available), ("numberUnavailable", missing)]
    {
        if number > 0 {
            status[name] = json!(number);
        }
    }
    set_status(ctx, RESOURCE, set, status);
}
