//! What PodDisruptionBudgets allow at the moment.
//!
//! Source: `pkg/controller/disruption` of Kubernetes 1.36.

use std::sync::Arc;

use serde_json::{Value, json};

use super::context::{Context, controller_of, is_going, meta, set_condition};
use super::queue::Item;
use super::workloads::{pods, share};
use super::{Controller, Name};
use crate::kubernetes::objects::{Event, Kind};
use crate::kubernetes::selectors::Selector;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["disruption", "workloads"], observe, reconcile };

const RESOURCE: &str = "poddisruptionbudgets.policy";

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        RESOURCE if change.kind != Kind::Deleted => {
            ctx.enqueue(Name::Disruption, &change.key.namespace, &change.key.name);
        }
        "pods" => {
            let is_news = change.before.as_ref().is_none_or(|before| {
                pods::is_ready(before) != pods::is_ready(&change.object)
                    || is_going(before) != is_going(&change.object)
                    || before["status"]["phase"] != change.object["status"]["phase"]
            }) || change.kind == Kind::Deleted;
            if !is_news {
                return;
            }
            for budget in ctx.list(RESOURCE, Some(&change.key.namespace)) {
                let selector = Selector::read(&budget["spec"]["selector"]);
                if selector.is_ok_and(|selector| selector.matches(&change.object["metadata"]["labels"])) {
                    ctx.enqueue(Name::Disruption, &change.key.namespace, meta(&budget, "name"));
                }
            }
        }
        _ => {}
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(budget) = ctx.get(RESOURCE, &item.namespace, &item.name) else { return };
    let Ok(selector) = Selector::read(&budget["spec"]["selector"]) else { return };
    let all: Vec<Arc<Value>> = ctx
        .list("pods", Some(&item.namespace))
        .into_iter()
        .filter(|pod| selector.matches(&pod["metadata"]["labels"]) && !pods::is_finished(pod))
        .collect();
    let expected = expected(ctx, &budget, &all);
    let desired = if budget["spec"]["maxUnavailable"].is_null() {
        share(&budget["spec"]["minAvailable"], expected, true)
    } else {
        (expected - share(&budget["spec"]["maxUnavailable"], expected, true)).max(0)
    };
    let healthy = all.iter().filter(|pod| pods::is_ready(pod) && !is_going(pod)).count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let (status, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let now = ctx.time();
    ctx.update(RESOURCE, &item.namespace, &item.name, |budget| {
        let generation = budget["metadata"]["generation"].clone();
        let mut conditions = budget["status"]["conditions"].clone();
        let condition = json!({
            "type": "DisruptionAllowed", "status": status, "reason": reason, "message": "", "observedGeneration": generation,
        });
        set_condition(&mut conditions, &now, condition);
        budget["status"] = json!({
            "conditions": conditions, "currentHealthy": healthy, "desiredHealthy": desired,
            "disruptionsAllowed": allowed, "expectedPods": expected, "observedGeneration": generation,
        });
    });
}

/// How many pods there should be: what their owners want for a percentage or `maxUnavailable`, otherwise those there are.
fn expected(ctx: &Context<'_>, budget: &Value, all: &[Arc<Value>]) -> i64 {
    let by_owners = !budget["spec"]["maxUnavailable"].is_null() || budget["spec"]["minAvailable"].is_string();
    if !by_owners {
        return i64::try_from(all.len()).unwrap_or(i64::MAX);
    }
    let mut owners: Vec<(String, i64)> = Vec::new();
    let mut alone = 0;
    for pod in all {
        let wanted = controller_of(pod).and_then(|owner| {
            let resource = match owner["kind"].as_str()? {
                "ReplicaSet" => "replicasets.apps",
                "StatefulSet" => "statefulsets.apps",
                _ => return None,
            };
            let object = ctx.get(resource, meta(pod, "namespace"), owner["name"].as_str()?)?;
            Some((meta(&object, "uid").to_owned(), object["spec"]["replicas"].as_i64().unwrap_or(1)))
        });
        match wanted {
            Some(owner) if owners.contains(&owner) => {}
            Some(owner) => owners.push(owner),
            None => alone += 1,
        }
    }
    owners.iter().map(|(_, wanted)| wanted).sum::<i64>() + alone
}
