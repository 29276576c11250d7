//! The controller's pods: those that ask for branch interfaces get them, those that end give them back.
//!
//! Source: `controllers/core/pod_controller.go`, `pkg/provider/branch/provider.go`.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::context::{Context, meta};
use super::super::queue::Item;
use super::super::scheduler::cache::list;
use super::super::workloads::pods::is_finished;
use super::super::{Controller, Name};
use super::allocate::{self, Refused};
use super::{COMPONENT, Details, POD_ENI, Place, TrunkState, cool_down, trunk_id};
use crate::kubernetes::objects::{Event, Kind};
use crate::kubernetes::quantity;
use crate::kubernetes::webhooks::matching;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["pod-eni"], observe, reconcile };

/// A failed allocation is tried again so often, at once; then the pod's next change does, or the controller's resync.
const RETRIES: u32 = 5;
/// So often the controller looks at everything again.
const RESYNC: Duration = Duration::from_mins(30);

/// How often allocations failed in a row, by pod.
pub(crate) type Failures = HashMap<String, u32>;

fn observe(ctx: &mut Context<'_>, change: &Event) {
    if change.key.resource != "pods" || wanted(&change.object) == 0 {
        return;
    }
    if change.kind == Kind::Deleted || is_finished(&change.object) {
        ctx.caches.pod_eni_failures.remove(meta(&change.object, "uid"));
        return cool_down::free(ctx, meta(&change.object, "uid"));
    }
    let is_bound = change.object["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty());
    // Kubelet's first notes in the status fall into the time in which the controller is still trying.
    let is_news = change.before.as_ref().is_none_or(|before| {
        before["spec"] != change.object["spec"]
            || before["metadata"]["labels"] != change.object["metadata"]["labels"]
            || before["metadata"]["annotations"] != change.object["metadata"]["annotations"]
    });
    if is_bound && is_news && change.object["metadata"]["annotations"][POD_ENI].is_null() {
        ctx.enqueue(Name::PodEniPods, &change.key.namespace, &change.key.name);
    }
}

/// How many branch interfaces a pod asks for, over all its containers.
fn wanted(pod: &Value) -> usize {
    let requests =
        list(&pod["spec"]["containers"]).filter_map(|it| quantity::whole(&it["resources"]["requests"][POD_ENI]));
    usize::try_from(requests.sum::<i64>()).unwrap_or(0)
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(pod) = ctx.get("pods", &item.namespace, &item.name) else { return };
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    let has_one = !pod["metadata"]["annotations"][POD_ENI].is_null();
    if node.is_empty() || has_one || is_finished(&pod) || ctx.get("nodes", "", node).is_none() {
        return;
    }
    let state = ctx.world.kubernetes.trunks.get(&trunk_id(ctx.cluster, node)).map(|row| row.state);
    // A node that is not ready yet lets its pods be looked at when it is.
    if !matches!(state, Some(TrunkState::Ready | TrunkState::Unsupported)) {
        return;
    }
    match allocate(ctx, &pod) {
        Ok(()) => {
            ctx.caches.pod_eni_failures.remove(meta(&pod, "uid"));
        }
        Err(Again::AfterCoolDown) => {
            let wait = cool_down::period(ctx);
            ctx.enqueue_after(Name::PodEniPods, &item.namespace, &item.name, wait);
        }
        Err(Again::Soon) => retry(ctx, item, &pod),
    }
}

/// When to try again.
enum Again {
    AfterCoolDown,
    Soon,
}

/// Tries again at once with the doubling waits of the controller's queue, which are too short to be simulated, until it gives up.
fn retry(ctx: &mut Context<'_>, item: &Item, pod: &Value) {
    let failures = ctx.caches.pod_eni_failures.entry(meta(pod, "uid").to_owned()).or_insert(0);
    *failures += 1;
    if *failures <= RETRIES {
        ctx.queue.add(item.clone());
    } else {
        *failures = 0;
        ctx.enqueue_after(Name::PodEniPods, &item.namespace, &item.name, RESYNC);
    }
}

/// Makes a pod's branch interfaces and writes them into its annotation.
fn allocate(ctx: &mut Context<'_>, pod: &Value) -> Result<(), Again> {
    let groups = matching::groups(ctx.world, ctx.cluster, pod).map_err(|_| Again::Soon)?;
    if groups.is_empty() {
        let message = "Pod will get the instance security group as the pod didn't match any Security Group from SecurityGroupPolicy";
        ctx.warn(pod, COMPONENT, "SecurityGroupRequested", message);
    } else {
        let message = format!("Pod will get the following Security Groups [{}]", groups.join(" "));
        ctx.normal(pod, COMPONENT, "SecurityGroupRequested", &message);
    }
    let made = match allocate::branches(ctx, pod, groups, wanted(pod)) {
        Ok(made) => made,
        Err(Refused::Full) => return Err(Again::AfterCoolDown),
        Err(Refused::NoTrunk) => return Err(Again::Soon),
        Err(Refused::Failed(why)) => {
            let message = format!("failed to allocate branch ENI to pod: {why}");
            ctx.warn(pod, COMPONENT, "BranchAllocationFailed", &message);
            return Err(Again::Soon);
        }
    };
    annotate(ctx, pod, &made);
    Ok(())
}

/// Writes the annotation, if the pod is still the same; otherwise its interfaces are deleted.
fn annotate(ctx: &mut Context<'_>, pod: &Value, made: &[Details]) {
    let text = serde_json::to_string(made).expect("details are plain data");
    let (namespace, name) = (meta(pod, "namespace").to_owned(), meta(pod, "name").to_owned());
    let written = ctx.update("pods", &namespace, &name, |pod| {
        pod["metadata"]["annotations"][POD_ENI] = json!(text);
    });
    match written {
        Some(pod) => {
            let message = format!("Allocated {text} to the pod");
            ctx.normal(&pod, COMPONENT, "ResourceAllocated", &message);
        }
        None => cool_down::push_front(ctx, meta(pod, "uid")),
    }
}

/// The branches that a pod has.
pub(super) fn used(ctx: &Context<'_>, uid: &str) -> bool {
    let key = format!("uid={}/{uid}", ctx.cluster);
    ctx.world.kubernetes.branches.with(&key).any(|(_, branch)| branch.place == Place::Used)
}
