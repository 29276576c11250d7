//! The default scheduler: gives each pod a node that has room for it.
//!
//! As many nodes are looked at as kube-scheduler looks at, beginning where the last look ended; the emptiest of those that fit wins.
//! Pods that fit nowhere wait until a node changes or room comes free.

mod affinity;
pub(super) mod cache;
pub(super) mod filter;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::context::{Context, is_going, meta, set_condition};
use super::queue::Item;
use super::workloads::pods::is_finished;
use super::{Controller, Name};
use crate::kubernetes::objects::{Event, Kind};
use affinity::Demands;
use cache::Request;
use filter::Refusal;

pub(super) const CONTROLLER: Controller = Controller { switches: &["scheduler"], observe, reconcile };

const COMPONENT: &str = "default-scheduler";
/// So many nodes that fit are enough to choose from (kube-scheduler's `minFeasibleNodesToFind`).
const ENOUGH: usize = 100;
/// So often pods are tried again that want to be near others.
const RETRY: std::time::Duration = std::time::Duration::from_secs(10);

fn observe(ctx: &mut Context<'_>, change: &Event) {
    let is_gone = change.kind == Kind::Deleted;
    let cache = &mut ctx.caches.scheduler;
    let has_room = match change.key.resource.as_str() {
        "nodes" if is_gone => {
            cache.remove_node(&change.key.name);
            true
        }
        "nodes" => cache.set_node(&change.object),
        "pods" if is_gone => {
            cache.waiting.remove(&(change.key.namespace.clone(), change.key.name.clone()));
            cache.remove_pod(meta(&change.object, "uid"))
        }
        "pods" => {
            let freed = cache.set_pod(&change.object);
            if is_mine(&change.object) && is_news(change) {
                ctx.enqueue(Name::Scheduler, &change.key.namespace, &change.key.name);
            }
            freed
        }
        _ => false,
    };
    if has_room {
        for (namespace, name) in std::mem::take(&mut ctx.caches.scheduler.waiting) {
            ctx.enqueue(Name::Scheduler, &namespace, &name);
        }
    }
}

/// The scheduler's own notes in a pod's status are no news.
fn is_news(change: &Event) -> bool {
    change.before.as_ref().is_none_or(|before| {
        before["spec"] != change.object["spec"] || before["metadata"]["labels"] != change.object["metadata"]["labels"]
    })
}

fn is_mine(pod: &Value) -> bool {
    let is_unbound = pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty);
    let scheduler = pod["spec"]["schedulerName"].as_str().unwrap_or(COMPONENT);
    let is_gated = cache::list(&pod["spec"]["schedulingGates"]).next().is_some();
    is_unbound && scheduler == COMPONENT && !is_gated && !is_finished(pod) && !is_going(pod)
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(pod) = ctx.get("pods", &item.namespace, &item.name).filter(|pod| is_mine(pod)) else { return };
    let kind = kind_of(&pod);
    let is_drawn = !pod["spec"]["affinity"]["podAffinity"].is_null();
    if is_drawn {
        // Where other pods are decides: it is looked at again although no room came free.
        ctx.queue.add_at(item.clone(), ctx.world.now.checked_add(RETRY).unwrap_or(jiff::Timestamp::MAX));
    }
    let known = ctx
        .caches
        .scheduler
        .refused
        .get(&kind)
        .filter(|_| !is_drawn)
        .filter(|(epoch, _)| *epoch == ctx.caches.scheduler.epoch);
    let choice = match known.cloned() {
        Some((_, why)) => Err(why),
        None => choose(ctx, &pod),
    };
    match choice {
        Ok(node) => bind(ctx, &pod, &node),
        Err(why) => {
            let cache = &mut ctx.caches.scheduler;
            let epoch = cache.epoch;
            cache.refused.retain(|_, (seen, _)| *seen == epoch);
            cache.refused.insert(kind, (epoch, why.clone()));
            refuse(ctx, &pod, &why);
        }
    }
}

/// All of a pod that matters for where it fits.
fn kind_of(pod: &Value) -> String {
    let spec = &pod["spec"];
    let requests = |list: &Value| -> Vec<Value> {
        cache::list(list).map(|it| json!([it["resources"]["requests"], it["ports"]])).collect()
    };
    json!([
        requests(&spec["containers"]),
        requests(&spec["initContainers"]),
        spec["nodeSelector"],
        spec["affinity"],
        spec["tolerations"],
        spec["hostNetwork"],
        spec["overhead"],
        if spec["affinity"].is_null() { &Value::Null } else { &pod["metadata"]["labels"] },
        meta(pod, "namespace"),
    ])
    .to_string()
}

/// The node for a pod.
fn choose(ctx: &mut Context<'_>, pod: &Value) -> Result<String, String> {
    let demands = Demands::of(ctx, pod);
    let request = Request::of(pod);
    let ports: Vec<String> = cache::host_ports(pod).collect();
    let cache = &mut ctx.caches.scheduler;
    let nodes: Vec<(&String, &cache::Node)> = cache.nodes.iter().filter(|(_, node)| node.object.is_some()).collect();
    if nodes.is_empty() {
        return Err("no nodes available to schedule pods".to_owned());
    }
    let enough = enough(nodes.len());
    let (mut refusals, mut best, mut found, mut looked) = (Vec::new(), None, 0, 0);
    for at in 0..nodes.len() {
        let (name, node) = nodes[(cache.next + at) % nodes.len()];
        let Some(object) = &node.object else { continue };
        looked += 1;
        let fits = filter::admits(pod, object)
            .and_then(|()| filter::fits(&ports, &request, node))
            .and_then(|()| demands.allow(object));
        match fits {
            Err(refusal) => refusals.push(refusal),
            Ok(()) => {
                found += 1;
                let score = score(node, &request, &cache::owner(pod));
                if best.as_ref().is_none_or(|(lowest, _)| score < *lowest) {
                    best = Some((score, name.clone()));
                }
                if found == enough {
                    break;
                }
            }
        }
    }
    let count = nodes.len();
    let next = (cache.next + looked) % count;
    cache.next = next;
    best.map(|(_, name)| name).ok_or_else(|| message(count, &refusals))
}

/// How many nodes that fit are enough: all of a small cluster, a share of a large one.
fn enough(nodes: usize) -> usize {
    if nodes <= ENOUGH {
        return nodes;
    }
    let percent = (50_usize).saturating_sub(nodes / 125).max(5);
    (nodes * percent / 100).max(ENOUGH)
}

/// Low is good: few pods of the same owner, then little asked of what there is (per thousand).
fn score(node: &cache::Node, request: &Request, owner: &str) -> (usize, i64) {
    let share = |name: &str| {
        let has = node.allocatable.get(name).max(1);
        (node.requested.get(name) + request.get(name)).saturating_mul(1000) / has
    };
    (node.owners.get(owner).copied().unwrap_or(0), share("cpu") + share("memory") + share("pods"))
}

/// What FailedScheduling says, as `FitError` and the preemption plugin word it.
fn message(nodes: usize, refusals: &[Refusal]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in refusals.iter().flat_map(|refusal| &refusal.reasons) {
        *counts.entry(reason).or_insert(0) += 1;
    }
    let mut reasons: Vec<String> = counts.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    reasons.sort();
    let last = refusals.iter().filter(|refusal| refusal.is_final).count();
    let mut preemption = Vec::new();
    for (count, words) in [
        (last, "Preemption is not helpful for scheduling"),
        (refusals.len() - last, "No preemption victims found for incoming pod"),
    ] {
        if count > 0 {
            preemption.push(format!("{count} {words}"));
        }
    }
    preemption.sort();
    format!(
        "0/{nodes} nodes are available: {}. preemption: 0/{nodes} nodes are available: {}.",
        reasons.join(", "),
        preemption.join(", ")
    )
}

fn bind(ctx: &mut Context<'_>, pod: &Value, node: &str) {
    let (namespace, name) = (meta(pod, "namespace").to_owned(), meta(pod, "name").to_owned());
    let now = ctx.time();
    let bound = ctx.update("pods", &namespace, &name, |pod| {
        pod["spec"]["nodeName"] = json!(node);
        let condition = json!({ "type": "PodScheduled", "status": "True", "lastProbeTime": null });
        set_condition(&mut pod["status"]["conditions"], &now, condition);
    });
    if let Some(bound) = bound {
        // The next pod must not be given the same room before this change is shown.
        ctx.caches.scheduler.set_pod(&bound);
        let message = format!("Successfully assigned {namespace}/{name} to {node}");
        ctx.normal(&bound, COMPONENT, "Scheduled", &message);
    }
}

fn refuse(ctx: &mut Context<'_>, pod: &Value, why: &str) {
    let (namespace, name) = (meta(pod, "namespace").to_owned(), meta(pod, "name").to_owned());
    ctx.caches.scheduler.waiting.insert((namespace.clone(), name.clone()));
    let now = ctx.time();
    let condition = json!({
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why, "lastProbeTime": null,
    });
    let before: Option<Arc<Value>> = ctx.get("pods", &namespace, &name);
    let after = ctx.update("pods", &namespace, &name, |pod| {
        set_condition(&mut pod["status"]["conditions"], &now, condition);
    });
    // The same refusal again is told once.
    if before.map(|pod| pod["metadata"]["resourceVersion"].clone())
        != after.as_ref().map(|pod| pod["metadata"]["resourceVersion"].clone())
        && let Some(pod) = after
    {
        ctx.warn(&pod, COMPONENT, "FailedScheduling", why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_in_the_schedulers_words() {
        let refusal = |reason: &str, is_final| Refusal { reasons: vec![reason.to_owned()], is_final };
        let refusals = [
            refusal("Insufficient vpc.amazonaws.com/pod-eni", false),
            refusal("Insufficient vpc.amazonaws.com/pod-eni", false),
        ];
        assert_eq!(
            message(2, &refusals),
            "0/2 nodes are available: 2 Insufficient vpc.amazonaws.com/pod-eni. preemption: 0/2 nodes are available: \
             2 No preemption victims found for incoming pod."
        );
        let refusals = [refusal("Insufficient cpu", false), refusal("node(s) had untolerated taint(s)", true)];
        assert_eq!(
            message(2, &refusals),
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). preemption: 0/2 nodes are \
             available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."
        );
    }
}
