//! Pod ENI through the objects of a self-managed VPC CNI: `DaemonSet` `aws-node` and `ConfigMap` `amazon-vpc-cni`.

use serde_json::{Value as Json, json};
use sgp_contract::Context;
use sgp_model::{Diagnostic, Type, Value};

use super::values::Env;
use crate::{
    apply::{self, Manager},
    connect::Cluster,
    errors::Failure,
    json::at,
    owned::MANAGER,
    target::{ApiKind, Target},
    wait::Waiter,
};

static DAEMONSET: ApiKind = ApiKind::fixed("apps/v1", "DaemonSet", "daemonsets", true);
static CONFIG_MAP: ApiKind = ApiKind::fixed("v1", "ConfigMap", "configmaps", true);
const COOLDOWN: &str = "branch-eni-cooldown";

fn aws_node() -> Target {
    Target::new(&DAEMONSET, Some("kube-system"), "aws-node")
}

fn config_map() -> Target {
    Target::new(&CONFIG_MAP, Some("kube-system"), "amazon-vpc-cni")
}

/// The variables of aws-node; `None` when there is no such `DaemonSet`.
pub(super) async fn read(cluster: &Cluster) -> Result<Option<Env>, Diagnostic> {
    let live = apply::get(cluster, &aws_node()).await.map_err(|f| f.diagnostic("read", &aws_node(), &cluster.label))?;
    Ok(live.map(|live| Env::of_daemonset(&live)))
}

/// Sets exactly these variables; those that were ours before and are not named any more go. Takes them from whoever set
/// them before: owning the named keys is what the resource is for.
pub(super) async fn put(cluster: &Cluster, cx: &Context, wanted: &Env, dropped: &Env) -> Result<(), Diagnostic> {
    let target = aws_node();
    let told = |failure: Failure| failure.diagnostic("change", &target, &cluster.label);
    if apply::get(cluster, &target).await.map_err(told)?.is_none() {
        return Err(Diagnostic::error(
            "No VPC CNI to configure",
            format!(
                "{} has no {target}. Install the VPC CNI first, or let EKS do it with `via = \"addon\"`.",
                cluster.label
            ),
        ));
    }
    let body = apply::body(&target, wanted.daemonset_content());
    let live = apply::apply(cluster, &target, &body, &Manager::forcing()).await.map_err(told)?;
    let live = tidied(cluster, live, dropped).await?;
    rolled_out(cluster, cx, live).await
}

/// Takes our variables away. A `DaemonSet` that is gone has none.
pub(super) async fn clear(cluster: &Cluster, ours: &Env) -> Result<(), Diagnostic> {
    match release(cluster, &aws_node()).await? {
        Some(live) => tidied(cluster, live, ours).await.map(drop),
        None => Ok(()),
    }
}

/// A variable that others named before stays when we let go of it, without its value: takes it out, so that the VPC CNI's
/// default holds.
async fn tidied(cluster: &Cluster, live: Json, dropped: &Env) -> Result<Json, Diagnostic> {
    let Some(change) = dropped.without_value(&live) else { return Ok(live) };
    let target = aws_node();
    apply::strategic(cluster, &target, &change).await.map_err(|f| f.diagnostic("change", &target, &cluster.label))
}

/// Gives up every field that is ours; `None` when the object is not there.
async fn release(cluster: &Cluster, target: &Target) -> Result<Option<Json>, Diagnostic> {
    let told = |failure: Failure| failure.diagnostic("change", target, &cluster.label);
    let Some(live) = apply::get(cluster, target).await.map_err(told)? else { return Ok(None) };
    let body = apply::body(target, json!({"metadata": {"uid": at(&live, &["metadata", "uid"])}}));
    match apply::apply(cluster, target, &body, &Manager::default()).await {
        Ok(live) => Ok(Some(live)),
        Err(failure) if failure.is_conflict() => Ok(None),
        Err(failure) => Err(told(failure)),
    }
}

async fn rolled_out(cluster: &Cluster, cx: &Context, live: Json) -> Result<(), Diagnostic> {
    let target = aws_node();
    let mut live = live;
    let mut waiter = Waiter::new(cx, cx.timeout, format!("{target} to be rolled out"));
    while let Some(missing) = rollout_missing(&live) {
        waiter.pause(&missing).await?;
        live = match apply::get(cluster, &target).await {
            Ok(Some(now)) => now,
            Ok(None) => return Ok(()),
            Err(failure) => return Err(failure.diagnostic("read", &target, &cluster.label)),
        };
    }
    Ok(())
}

/// What the rollout still lacks; without nodes there is nothing to roll out.
fn rollout_missing(live: &Json) -> Option<String> {
    let number = |path: &[&str]| at(live, path).and_then(Json::as_i64).unwrap_or(0);
    let wanted = number(&["status", "desiredNumberScheduled"]);
    if wanted == 0 {
        return None;
    }
    if number(&["status", "observedGeneration"]) < number(&["metadata", "generation"]) {
        return Some("aws-node: the change has not been seen yet".to_owned());
    }
    let updated = number(&["status", "updatedNumberScheduled"]);
    let available = number(&["status", "numberAvailable"]);
    (updated < wanted || available < wanted)
        .then(|| format!("aws-node: {updated} of {wanted} updated, {available} of {wanted} available"))
}

/// The cool-down in seconds; null when nothing sets it.
pub(super) async fn read_cooldown(cluster: &Cluster) -> Result<Value, Diagnostic> {
    let target = config_map();
    let live = apply::get(cluster, &target).await.map_err(|f| f.diagnostic("read", &target, &cluster.label))?;
    let text = live.as_ref().and_then(|live| at(live, &["data", COOLDOWN])?.as_str());
    Ok(text.and_then(|t| t.trim().parse::<i64>().ok()).map_or_else(|| Value::null(Type::Number), Value::int))
}

/// Sets the cool-down, keeping everything else in the map.
pub(super) async fn put_cooldown(cluster: &Cluster, seconds: i64) -> Result<(), Diagnostic> {
    let target = config_map();
    let body = apply::body(&target, json!({"data": {COOLDOWN: seconds.to_string()}}));
    let applied = apply::apply(cluster, &target, &body, &Manager::forcing()).await;
    applied.map(|_| ()).map_err(|f| f.diagnostic("change", &target, &cluster.label))
}

/// Takes the cool-down away, and the map with it when nobody else ever wrote to it.
pub(super) async fn clear_cooldown(cluster: &Cluster) -> Result<(), Diagnostic> {
    let target = config_map();
    let Some(live) = release(cluster, &target).await? else { return Ok(()) };
    if !is_left_empty(&live) {
        return Ok(());
    }
    match apply::delete(cluster, &target, at(&live, &["metadata", "uid"]).and_then(Json::as_str)).await {
        Err(failure) if !failure.is_not_found() => Err(failure.diagnostic("delete", &target, &cluster.label)),
        _ => Ok(()),
    }
}

fn is_left_empty(live: &Json) -> bool {
    let no_data = ["data", "binaryData"]
        .iter()
        .all(|name| at(live, &[name]).is_none_or(|d| d.as_object().is_none_or(serde_json::Map::is_empty)));
    let managers =
        at(live, &["metadata", "managedFields"]).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    no_data && managers.iter().all(|m| m["manager"] == MANAGER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollouts() {
        let live = |generation: i64, status: Json| json!({"metadata": {"generation": generation}, "status": status});
        for (live, expected) in [
            (live(2, json!({})), None),
            (
                live(2, json!({"desiredNumberScheduled": 2, "observedGeneration": 1})),
                Some("aws-node: the change has not been seen yet"),
            ),
            (
                live(
                    2,
                    json!({"desiredNumberScheduled": 2, "observedGeneration": 2, "updatedNumberScheduled": 1, "numberAvailable": 2}),
                ),
                Some("aws-node: 1 of 2 updated, 2 of 2 available"),
            ),
            (
                live(
                    2,
                    json!({"desiredNumberScheduled": 1, "observedGeneration": 2, "updatedNumberScheduled": 1, "numberAvailable": 1}),
                ),
                None,
            ),
        ] {
            assert_eq!(rollout_missing(&live).as_deref(), expected, "{live}");
        }
    }

    #[test]
    fn a_map_of_others_is_never_deleted() {
        let map =
            |manager: &str, data: Json| json!({"data": data, "metadata": {"managedFields": [{"manager": manager}]}});
        assert!(is_left_empty(&json!({"metadata": {}})));
        assert!(is_left_empty(&map("sgp", json!({}))));
        assert!(!is_left_empty(&map("eks", json!({}))));
        assert!(!is_left_empty(&map("sgp", json!({"a": "b"}))));
    }
}
