//! Evictions: deletions that ask the disruption budgets first.

use std::sync::Arc;

use serde_json::{Value, json};

use super::ask::Ask;
use super::labels::Selector;
use super::reply::Reply;
use super::status::Status;
use super::{decode, parts, read};
use crate::kubernetes::life;
use crate::kubernetes::objects::Key;
use crate::world::World;

const BUDGETS: &str = "poddisruptionbudgets.policy";

/// Answers a POST to `pods/eviction`.
pub(super) fn run(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let pod = read::existing(world, ask)?;
    let eviction = decode::object(ask)?;
    let named = eviction["metadata"]["name"].as_str().unwrap_or("");
    if !named.is_empty() && named != ask.place.name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let is_over = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed" | "Pending"));
    if !is_over && pod["metadata"]["deletionTimestamp"].is_null() {
        spend_budget(world, ask, &pod)?;
    }
    parts::evicted(world, ask, &pod, &eviction["deleteOptions"])?;
    let body = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 });
    Ok(Reply::json(201, body))
}

/// Takes one disruption out of the pod's budget.
fn spend_budget(world: &mut World, ask: &Ask<'_>, pod: &Arc<Value>) -> Result<(), Status> {
    let namespace = &ask.place.namespace;
    let all = world.kubernetes.objects.list(ask.cluster, BUDGETS, Some(namespace));
    let chooses =
        |budget: &&Arc<Value>| Selector::from_object(&budget["spec"]["selector"]).is_some_and(|it| it.fits(pod));
    let budgets: Vec<Arc<Value>> = all.filter(chooses).cloned().collect();
    let budget = match &budgets[..] {
        [] => return Ok(()),
        [budget] => budget,
        _ => {
            let message =
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Status::new(500, "InternalError", message));
        }
    };
    let name = budget["metadata"]["name"].as_str().unwrap_or("").to_owned();
    let status = &budget["status"];
    let is_observed = status["observedGeneration"].as_u64() >= budget["metadata"]["generation"].as_u64();
    if !is_observed {
        let mut refusal =
            Status::new(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.");
        let message = format!("The disruption budget {name} is still being processed by the server.");
        refusal.details =
            json!({ "causes": [{ "reason": "DisruptionBudget", "message": message }], "retryAfterSeconds": 10 });
        return Err(refusal);
    }
    if status["disruptionsAllowed"].as_i64().unwrap_or(0) <= 0 {
        let mut refusal =
            Status::new(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.");
        let message = format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            status["desiredHealthy"].as_i64().unwrap_or(0),
            status["currentHealthy"].as_i64().unwrap_or(0)
        );
        refusal.details = json!({ "causes": [{ "reason": "DisruptionBudget", "message": message }] });
        return Err(refusal);
    }
    let now = life::seconds(world);
    let pod_name = ask.place.name.clone();
    life::update(world, &Key::new(ask.cluster, BUDGETS, namespace, &name), |budget| {
        let allowed = budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0);
        budget["status"]["disruptionsAllowed"] = json!(allowed - 1);
        budget["status"]["disruptedPods"][pod_name] = json!(now);
    });
    Ok(())
}
