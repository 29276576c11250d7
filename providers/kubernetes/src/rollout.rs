//! Making the pods of a workload anew, and waiting until the new ones run.
//!
//! A restart is what `kubectl rollout restart` writes, in the name of a manager of its own: it is nobody's drift, and applies of the
//! workload neither conflict with it nor take it back.

use futures::TryFutureExt as _;
use serde_json::{Value as Json, json};
use sgp_contract::{Context, Rollout, Workload};
use sgp_model::Diagnostic;

use crate::{
    apply::{self, Manager},
    connect::{Access, Cluster, KubeClient},
    json::at,
    target::{ApiKind, Target},
    wait::Waiter,
};

/// The annotation of the pod template (kubectl, `pkg/polymorphichelpers/objectrestarter.go`).
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// In whose name it is written.
const MANAGER: &str = "sgp-rollout";

/// Restarts, or waits for what is under way. Gives up when nothing moves for the time of `cx`.
pub(crate) async fn roll_out(
    client: &KubeClient,
    cx: &Context,
    workload: &Workload,
    rollout: Rollout,
) -> Result<(), Diagnostic> {
    let cluster = match client.reach(Some(&workload.cluster)).await? {
        Access::Ready(cluster) => cluster,
        Access::Absent { .. } => return Err(gone(workload)),
    };
    let target = target(workload)?;
    let mut live = read(&cluster, &target, workload).await?;
    if rollout == Rollout::Restart {
        if let Some(why) = unfit(&live) {
            return Err(Diagnostic::error("Not restarted", format!("{workload} {why}")));
        }
        let change = restarted(&target, &live, cx.clock.now());
        let manager = Manager { name: MANAGER.to_owned(), force: true };
        let failed = |failure: crate::errors::Failure| failure.diagnostic("restart", &target, &cluster.label);
        live = apply::apply(&cluster, &target, &change, &manager).map_err(failed).await?;
    }
    let mut status = String::new();
    let mut waiter = Waiter::new(cx, cx.timeout, format!("{workload} to move on"));
    loop {
        let missing = match progress(&live) {
            Progress::Done => return Ok(()),
            Progress::Stuck(why) => return Err(stuck(&cluster, workload, &live, &why).await),
            Progress::Missing(missing) => missing,
        };
        // As long as something moves there is time.
        if missing != status {
            waiter = Waiter::new(cx, cx.timeout, format!("{workload} to move on"));
            status = missing;
        }
        if let Err(over) = waiter.pause(&status).await {
            if cx.is_cancelled() {
                return Err(over);
            }
            return Err(stuck(&cluster, workload, &live, &format!("{status} for too long")).await);
        }
        live = read(&cluster, &target, workload).await?;
    }
}

fn target(workload: &Workload) -> Result<Target, Diagnostic> {
    let plural = match workload.kind.as_str() {
        "Deployment" => "deployments",
        "StatefulSet" => "statefulsets",
        "DaemonSet" => "daemonsets",
        _ => return Err(Diagnostic::error("Not restarted", format!("{workload} is of a kind that has no rollouts."))),
    };
    let kind = ApiKind {
        api_version: "apps/v1".into(),
        kind: workload.kind.clone().into(),
        plural: plural.into(),
        namespaced: true,
    };
    Ok(Target::new(&kind, Some(&workload.namespace), &workload.name))
}

async fn read(cluster: &Cluster, target: &Target, workload: &Workload) -> Result<Json, Diagnostic> {
    match apply::get(cluster, target).await {
        Ok(Some(mut live)) => {
            live["kind"] = workload.kind.clone().into();
            Ok(live)
        }
        Ok(None) => Err(gone(workload)),
        Err(failure) => Err(failure.diagnostic("read", target, &cluster.label)),
    }
}

fn gone(workload: &Workload) -> Diagnostic {
    Diagnostic::error("Not restarted", format!("{workload} of cluster {} is not there any more.", workload.cluster))
}

/// Why a restart would do nothing, as a sentence that goes on from the workload.
fn unfit(live: &Json) -> Option<&'static str> {
    if at(live, &["spec", "paused"]).and_then(Json::as_bool) == Some(true) {
        return Some("is paused: resume it (kubectl rollout resume) and apply again.");
    }
    let strategy = at(live, &["spec", "updateStrategy", "type"]).and_then(Json::as_str);
    (strategy == Some("OnDelete"))
        .then_some("has the update strategy OnDelete: its pods are made anew when you delete them.")
}

/// The one field that a restart writes. The uid keeps an object that is gone from being made.
fn restarted(target: &Target, live: &Json, now: i64) -> Json {
    let written = at(live, &["spec", "template", "metadata", "annotations"]).and_then(|it| it.get(RESTARTED_AT));
    let time =
        |seconds: i64| jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |it| it.to_string());
    // The same text twice would be no restart.
    let (now, next) = (time(now), time(now + 1));
    let text = if written.and_then(Json::as_str) == Some(&now) { next } else { now };
    apply::body(
        target,
        json!({
            "metadata": { "uid": live["metadata"]["uid"] },
            "spec": { "template": { "metadata": { "annotations": { RESTARTED_AT: text } } } },
        }),
    )
}

/// How far a rollout is.
#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Done,
    Missing(String),
    Stuck(String),
}

/// As `kubectl rollout status` sees it (kubectl, `pkg/polymorphichelpers/rollout_status.go`).
fn progress(live: &Json) -> Progress {
    let number = |path: &[&str]| at(live, path).and_then(Json::as_i64).unwrap_or(0);
    let status = |name: &str| number(&["status", name]);
    if status("observedGeneration") < number(&["metadata", "generation"]) {
        return Progress::Missing("the change has not been seen yet".to_owned());
    }
    let replicas = at(live, &["spec", "replicas"]).and_then(Json::as_i64).unwrap_or(1);
    let of = |count: i64, wanted: i64, what: &str| Progress::Missing(format!("{count} of {wanted} {what}"));
    match live["kind"].as_str().unwrap_or_default() {
        "Deployment" => {
            let conditions = at(live, &["status", "conditions"]).and_then(Json::as_array);
            let is_late = |it: &Json| it["type"] == "Progressing" && it["reason"] == "ProgressDeadlineExceeded";
            let (updated, all) = (status("updatedReplicas"), status("replicas"));
            if conditions.is_some_and(|it| it.iter().any(is_late)) {
                Progress::Stuck(format!("{updated} of {replicas} updated when its progress deadline ended"))
            } else if updated < replicas {
                of(updated, replicas, "updated")
            } else if all > updated {
                Progress::Missing(format!("{} old to go", all - updated))
            } else if status("availableReplicas") < updated {
                of(status("availableReplicas"), updated, "available")
            } else {
                Progress::Done
            }
        }
        "StatefulSet" => {
            let partition = number(&["spec", "updateStrategy", "rollingUpdate", "partition"]);
            let (updated, wanted) = (status("updatedReplicas"), replicas - partition);
            if status("readyReplicas") < replicas {
                of(status("readyReplicas"), replicas, "ready")
            } else if updated < wanted {
                of(updated, wanted, "updated")
            } else if partition == 0 && live["status"]["updateRevision"] != live["status"]["currentRevision"] {
                of(updated, replicas, "updated")
            } else {
                Progress::Done
            }
        }
        _ => {
            let wanted = status("desiredNumberScheduled");
            match (status("updatedNumberScheduled"), status("numberAvailable")) {
                (updated, _) if updated < wanted => of(updated, wanted, "updated"),
                (_, available) if available < wanted => of(available, wanted, "available"),
                _ => Progress::Done,
            }
        }
    }
}

/// What a person does about a rollout that does not end: looks at one of its pods.
async fn stuck(cluster: &Cluster, workload: &Workload, live: &Json, why: &str) -> Diagnostic {
    let namespace = &workload.namespace;
    let look = match hanging(cluster, namespace, live).await {
        Some(pod) => format!("sgp explain {namespace}/{pod}"),
        None => format!("kubectl --namespace {namespace} get pods, and sgp explain {namespace}/POD"),
    };
    Diagnostic::error(
        "Rollout does not end",
        format!("{workload} of cluster {}: {why}. To see why, run: {look}", workload.cluster),
    )
}

/// The newest pod of a workload that is not ready.
async fn hanging(cluster: &Cluster, namespace: &str, live: &Json) -> Option<String> {
    let labels = at(live, &["spec", "selector", "matchLabels"])?.as_object()?;
    let wanted: Option<Vec<String>> = labels.iter().map(|(k, v)| Some(format!("{k}%3D{}", v.as_str()?))).collect();
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={}&limit=500", wanted?.join("%2C"));
    let pods = cluster.get(path).await.ok()?;
    let is_ready = |pod: &Json| {
        let conditions = at(pod, &["status", "conditions"]).and_then(Json::as_array);
        conditions.is_some_and(|it| it.iter().any(|it| it["type"] == "Ready" && it["status"] == "True"))
    };
    let made = |pod: &&Json| pod["metadata"]["creationTimestamp"].as_str().map(str::to_owned);
    let newest = pods["items"].as_array()?.iter().filter(|pod| !is_ready(pod)).max_by_key(made)?;
    newest["metadata"]["name"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn live(kind: &str, spec: &Json, status: &Json) -> Json {
        json!({ "kind": kind, "metadata": { "generation": 2, "uid": "u" }, "spec": spec, "status": status })
    }

    #[test]
    fn a_rollout_is_over_when_only_new_pods_run() {
        for (kind, spec, status, expected) in [
            (
                "Deployment",
                json!({ "replicas": 2 }),
                json!({ "observedGeneration": 1 }),
                "the change has not been seen yet",
            ),
            (
                "Deployment",
                json!({ "replicas": 2 }),
                json!({ "observedGeneration": 2, "updatedReplicas": 1, "replicas": 3 }),
                "1 of 2 updated",
            ),
            (
                "Deployment",
                json!({ "replicas": 2 }),
                json!({ "observedGeneration": 2, "updatedReplicas": 2, "replicas": 3 }),
                "1 old to go",
            ),
            (
                "Deployment",
                json!({ "replicas": 2 }),
                json!({ "observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 1 }),
                "1 of 2 available",
            ),
            (
                "Deployment",
                json!({ "replicas": 2 }),
                json!({ "observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2 }),
                "",
            ),
            (
                "Deployment",
                json!({}),
                json!({ "observedGeneration": 2, "updatedReplicas": 1, "replicas": 1, "availableReplicas": 1 }),
                "",
            ),
            (
                "StatefulSet",
                json!({ "replicas": 3 }),
                json!({ "observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 1 }),
                "2 of 3 ready",
            ),
            (
                "StatefulSet",
                json!({ "replicas": 3 }),
                json!({ "observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 1 }),
                "1 of 3 updated",
            ),
            (
                "StatefulSet",
                json!({ "replicas": 3 }),
                json!({ "observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 3, "updateRevision": "b", "currentRevision": "a" }),
                "3 of 3 updated",
            ),
            (
                "StatefulSet",
                json!({ "replicas": 3, "updateStrategy": { "rollingUpdate": { "partition": 2 } } }),
                json!({ "observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a" }),
                "",
            ),
            (
                "DaemonSet",
                json!({}),
                json!({ "observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 1 }),
                "1 of 3 updated",
            ),
            (
                "DaemonSet",
                json!({}),
                json!({ "observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2 }),
                "2 of 3 available",
            ),
            ("DaemonSet", json!({}), json!({ "observedGeneration": 2 }), ""),
        ] {
            let expected = if expected.is_empty() { Progress::Done } else { Progress::Missing(expected.to_owned()) };
            assert_eq!(progress(&live(kind, &spec, &status)), expected, "{kind} {spec} {status}");
        }
        let late = json!({ "observedGeneration": 2, "updatedReplicas": 1, "conditions": [{ "type": "Progressing", "reason": "ProgressDeadlineExceeded" }] });
        assert!(matches!(progress(&live("Deployment", &json!({}), &late)), Progress::Stuck(_)));
    }

    #[test]
    fn a_restart_is_one_annotation_that_is_new_each_time() {
        let workload =
            Workload { cluster: "main".into(), namespace: "app".into(), kind: "Deployment".into(), name: "web".into() };
        let target = target(&workload).unwrap();
        let first = restarted(&target, &live("Deployment", &json!({}), &json!({})), 0);
        assert_eq!(
            first,
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": { "name": "web", "namespace": "app", "uid": "u" },
                "spec": { "template": { "metadata": { "annotations": { RESTARTED_AT: "1970-01-01T00:00:00Z" } } } },
            })
        );
        let again = restarted(&target, &live("Deployment", &first["spec"], &json!({})), 0);
        assert_ne!(again["spec"], first["spec"]);
    }

    #[test]
    fn what_a_restart_would_not_make_anew_is_not_restarted() {
        assert!(unfit(&live("Deployment", &json!({ "paused": true }), &json!({}))).unwrap().contains("resume"));
        let on_delete = json!({ "updateStrategy": { "type": "OnDelete" } });
        assert!(unfit(&live("DaemonSet", &on_delete, &json!({}))).unwrap().contains("OnDelete"));
        assert_eq!(unfit(&live("Deployment", &json!({}), &json!({}))), None);
    }
}
