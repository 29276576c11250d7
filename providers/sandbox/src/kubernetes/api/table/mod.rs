//! Rows for people, as kubectl shows them.
//!
//! Sources: `pkg/printers/internalversion/printers.go` for the built-in kinds; "Additional printer columns" for custom ones.

mod columns;
mod custom;
mod path;
mod pods;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::reply::{IncludeObject, partial, present};
use super::resources::Resource;

/// Objects of a resource as a `Table`; each row has the object in the form that was asked for.
pub(super) fn of(resource: &Resource, objects: &[Arc<Value>], now: Timestamp, include: IncludeObject) -> Value {
    let (columns, cells) = match resource.definition_version() {
        Some(version) => custom::columns(version),
        None => columns::of(&resource.stored()),
    };
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut row = json!({ "cells": cells(object, now) });
            match include {
                IncludeObject::None => row["object"] = Value::Null,
                IncludeObject::Metadata => row["object"] = partial(object),
                IncludeObject::Object => row["object"] = Value::clone(&present(resource, object)),
            }
            row
        })
        .collect();
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": columns, "rows": rows })
}

/// Makes the cells of an object's row.
type Cells<'a> = Box<dyn Fn(&Value, Timestamp) -> Vec<Value> + 'a>;

/// A column: `*` at the end hides it from the narrow form, a type may stand after a colon.
fn column(written: &str) -> Value {
    let (written, priority) = written.strip_suffix('*').map_or((written, 0), |rest| (rest, 1));
    let (name, kind) = written.split_once(':').unwrap_or((written, "string"));
    let format = if name == "Name" && priority == 0 { "name" } else { "" };
    json!({ "name": name, "type": kind, "format": format, "description": "", "priority": priority })
}

/// How long ago something was, shortly: `5m`, `3d4h`. Source: apimachinery's `duration.HumanDuration`.
fn age(since: &Value, now: Timestamp) -> String {
    let since = since.as_str().and_then(|since| since.parse::<Timestamp>().ok());
    since.map_or_else(|| "<unknown>".to_owned(), |since| human(now.as_second() - since.as_second()))
}

/// A duration in seconds, shortly.
fn human(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let with = |large: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{small_unit}"),
    };
    match seconds {
        ..=-2 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => with(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => with(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => with(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => with(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::super::resources::builtin;
    use super::*;

    #[test]
    fn durations_are_short() {
        let rows = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (599, "9m59s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (10_860, "3h1m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (176_400, "2d1h"),
            (691_200, "8d"),
            (63_072_000, "2y"),
            (63_158_400, "2y1d"),
            (252_288_000, "8y"),
        ];
        for (seconds, text) in rows {
            assert_eq!(human(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn each_row_has_as_many_cells_as_there_are_columns() {
        for resource in super::super::resources::builtins() {
            let object = Arc::new(json!({ "metadata": { "name": "a" } }));
            let table = of(resource, &[object], Timestamp::UNIX_EPOCH, IncludeObject::None);
            let (columns, cells) = (&table["columnDefinitions"], &table["rows"][0]["cells"]);
            let count = |value: &Value| value.as_array().map(Vec::len);
            assert_eq!(count(columns), count(cells), "{}", resource.qualified());
        }
    }

    #[test]
    fn rows_read_as_kubectl_shows_them() {
        let now = Timestamp::from_second(1_767_225_600).unwrap();
        let created = "2025-12-31T23:55:00Z";
        let rows = [
            (
                ("apps", "deployments"),
                json!({ "spec": { "replicas": 3 }, "status": { "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1 } }),
                json!(["a", "1/3", 2, 1, "5m"]),
            ),
            (
                ("", "services"),
                json!({ "spec": { "type": "NodePort", "clusterIP": "10.100.0.1", "ports": [{ "port": 80, "nodePort": 30000, "protocol": "TCP" }] } }),
                json!(["a", "NodePort", "10.100.0.1", "<none>", "80:30000/TCP", "5m"]),
            ),
            (
                ("", "nodes"),
                json!({
                    "spec": { "unschedulable": true },
                    "status": { "conditions": [{ "type": "Ready", "status": "True" }], "nodeInfo": { "kubeletVersion": "v1.36.0" } },
                }),
                json!(["a", "Ready,SchedulingDisabled", "<none>", "5m", "v1.36.0"]),
            ),
            (("", "configmaps"), json!({ "data": { "a": "", "b": "" } }), json!(["a", 2, "5m"])),
        ];
        for ((group, plural), mut object, expected) in rows {
            object["metadata"] = json!({ "name": "a", "creationTimestamp": created });
            let table = of(&builtin(group, "v1", plural).unwrap(), &[Arc::new(object)], now, IncludeObject::None);
            let cells = table["rows"][0]["cells"].as_array().unwrap();
            let shown = expected.as_array().unwrap().len();
            assert_eq!(json!(cells[..shown]), expected, "{plural}");
        }
    }
}
