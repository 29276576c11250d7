//! What `events.k8s.io` wants of a new event and the older group does not.

use serde_json::{Value, json};

use super::resources::Resource;
use super::status::Cause;

/// What is wrong with an event in its stored form. Source: `ValidateEventCreate`.
pub(super) fn check(resource: &Resource, event: &Value) -> Vec<Cause> {
    if resource.stored() != "events" {
        return Vec::new();
    }
    let mut causes = Vec::new();
    let of = |value: &Value| value["namespace"].as_str().unwrap_or("").to_owned();
    let (own, about) = (of(&event["metadata"]), of(&event["involvedObject"]));
    let is_about_cluster = about.is_empty() && matches!(own.as_str(), "" | "default");
    if about != own && !is_about_cluster {
        causes.push(Cause::invalid("involvedObject.namespace", &json!(about), "does not match event.namespace"));
    }
    if resource.group != "events.k8s.io" {
        return causes;
    }
    if event["eventTime"].is_null() {
        causes.push(Cause::required("eventTime", ""));
    }
    let kind = event["type"].as_str().unwrap_or("");
    if !matches!(kind, "Normal" | "Warning") {
        causes.push(Cause::invalid("type", &json!(""), &format!("has invalid value: {kind}")));
    }
    for (member, empty) in [("firstTimestamp", Value::Null), ("lastTimestamp", Value::Null), ("count", json!(0))] {
        if !event[member].is_null() && event[member] != empty {
            causes.push(Cause::invalid(member, &json!(""), "needs to be unset"));
        }
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::super::resources::builtin;
    use super::*;

    #[test]
    fn only_the_newer_group_wants_more() {
        let messages = |group: &str, event: Value| -> Vec<String> {
            let resource = builtin(group, "v1", "events").unwrap();
            check(&resource, &event).into_iter().map(|it| format!("{}: {}", it.field, it.message)).collect()
        };
        assert!(messages("", json!({})).is_empty());
        let wrong = ["eventTime: Required value", "type: Invalid value: \"\": has invalid value: "];
        assert_eq!(messages("events.k8s.io", json!({})), wrong);
        let late = json!({ "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal", "count": 3 });
        assert_eq!(messages("events.k8s.io", late), ["count: Invalid value: \"\": needs to be unset"]);
    }
}
