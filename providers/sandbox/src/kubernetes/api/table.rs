//! Rows for people, as kubectl shows them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::reply::partial;
use super::resources::Resource;

/// Objects of a resource as a `Table`.
pub(super) fn of(_resource: &Resource, objects: &[Arc<Value>], now: Timestamp) -> Value {
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let created = object["metadata"]["creationTimestamp"].as_str().unwrap_or("");
            json!({ "cells": [object["metadata"]["name"], age(created, now)], "object": partial(object) })
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {},
        "columnDefinitions": [
            { "name": "Name", "type": "string", "format": "name", "description": "", "priority": 0 },
            { "name": "Age", "type": "string", "format": "", "description": "", "priority": 0 },
        ],
        "rows": rows,
    })
}

/// How long ago something was, shortly: `5m`, `3d4h`. Source: apimachinery's `duration.HumanDuration`.
pub(super) fn age(since: &str, now: Timestamp) -> String {
    let Ok(since) = since.parse::<Timestamp>() else { return "<unknown>".to_owned() };
    human(now.as_second() - since.as_second())
}

/// A duration in seconds, shortly.
pub(super) fn human(seconds: i64) -> String {
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
}
