//! Objects in the version in which they are asked for.

use serde_json::{Value, json};

use super::resources::Resource;

/// An object as a resource's version has it. Versions of custom resources differ in name only (conversion strategy `None`).
pub fn convert(mut object: Value, resource: &Resource) -> Value {
    if object["kind"] == "Event" {
        rename(&mut object, resource.group == "events.k8s.io");
        for member in ["reportingController", "reportingInstance"] {
            // The older group writes empty ones, too.
            if resource.group == "events.k8s.io" && object[member] == "" {
                super::write::set(&mut object, member, Value::Null);
            }
        }
    }
    if object["kind"] == "HorizontalPodAutoscaler" && resource.version == "v1" {
        to_one_metric(&mut object);
    }
    object["apiVersion"] = json!(resource.api_version());
    object["kind"] = json!(resource.kind);
    object
}

/// An object as it is kept: events as `v1` has them, the rest as it came.
pub fn to_stored(mut object: Value, resource: &Resource) -> Value {
    if resource.group == "events.k8s.io" {
        rename(&mut object, false);
        object["apiVersion"] = json!("v1");
    }
    if resource.kind == "HorizontalPodAutoscaler" && resource.version == "v1" {
        to_metrics(&mut object);
        object["apiVersion"] = json!("autoscaling/v2");
    }
    object
}

/// The share of CPU that `autoscaling/v1` knows is one of the metrics of `v2`. Source: `pkg/apis/autoscaling/v1/conversion.go`.
const SHARE: &str = "targetCPUUtilizationPercentage";

fn to_metrics(autoscaler: &mut Value) {
    let Some(share) = autoscaler["spec"].as_object_mut().and_then(|spec| spec.remove(SHARE)) else { return };
    let target = json!({ "type": "Utilization", "averageUtilization": share });
    autoscaler["spec"]["metrics"] = json!([{ "type": "Resource", "resource": { "name": "cpu", "target": target } }]);
}

fn to_one_metric(autoscaler: &mut Value) {
    let metrics = autoscaler["spec"].as_object_mut().and_then(|spec| spec.remove("metrics"));
    let metrics = metrics.as_ref().and_then(Value::as_array).into_iter().flatten();
    let share = metrics
        .filter(|it| it["resource"]["name"] == "cpu")
        .find_map(|it| it["resource"]["target"]["averageUtilization"].as_i64());
    if let Some(share) = share {
        autoscaler["spec"][SHARE] = json!(share);
    }
    let status = autoscaler["status"].take();
    let count = |member: &str| status[member].as_i64().unwrap_or(0);
    autoscaler["status"] =
        json!({ "currentReplicas": count("currentReplicas"), "desiredReplicas": count("desiredReplicas") });
    for member in ["lastScaleTime", "observedGeneration"] {
        if !status[member].is_null() {
            autoscaler["status"][member] = status[member].clone();
        }
    }
}

/// Members of an event in `v1` and in `events.k8s.io/v1`. Source: `pkg/apis/events/v1/conversion.go`.
const EVENT: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn rename(event: &mut Value, is_to_new: bool) {
    let Some(members) = event.as_object_mut() else { return };
    for (old, new) in EVENT {
        let (from, to) = if is_to_new { (old, new) } else { (new, old) };
        if let Some(value) = members.remove(*from) {
            members.insert((*to).to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::resources::builtin;
    use super::*;

    #[test]
    fn events_have_two_forms() {
        let (old, new) = (builtin("", "v1", "events").unwrap(), builtin("events.k8s.io", "v1", "events").unwrap());
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "message": "m", "involvedObject": { "name": "a" }, "reportingComponent": "c",
        });
        let there = convert(event.clone(), &new);
        assert_eq!((&there["note"], &there["regarding"]["name"]), (&json!("m"), &json!("a")));
        assert_eq!(there["apiVersion"], "events.k8s.io/v1");
        assert_eq!(convert(there, &old), event);
    }
}
