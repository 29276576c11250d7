//! What makes pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs.

pub(super) mod cron_job;
pub(super) mod daemon_set;
pub(super) mod deployment;
pub(super) mod job;
pub(super) mod pods;
pub(super) mod replica_set;
pub(super) mod revisions;
mod schedule;
pub(super) mod stateful_set;

use serde_json::Value;

use super::Name;
use super::context::{Context, controller_of, meta};
use crate::kubernetes::objects::{Event, Kind};

/// Lets the owner of a kind look when one of its dependents changed.
pub(super) fn follow_owned(ctx: &mut Context<'_>, change: &Event, kind: &str, name: Name) {
    for object in [Some(&change.object), change.before.as_ref()].into_iter().flatten() {
        if let Some(owner) = controller_of(object).filter(|owner| owner["kind"] == kind) {
            ctx.enqueue(name, &change.key.namespace, owner["name"].as_str().unwrap_or_default());
            return;
        }
    }
}

/// Lets a controller look at its own objects when their desired state or deletion changed; its own status changes are not news.
pub(super) fn follow(ctx: &mut Context<'_>, change: &Event, name: Name) {
    let is_news = change.kind != Kind::Modified
        || change.before.as_ref().is_none_or(|before| {
            before["metadata"]["generation"] != change.object["metadata"]["generation"]
                || before["metadata"]["deletionTimestamp"] != change.object["metadata"]["deletionTimestamp"]
                || before["metadata"]["annotations"] != change.object["metadata"]["annotations"]
                || before["metadata"]["labels"] != change.object["metadata"]["labels"]
        });
    if is_news {
        ctx.enqueue(name, &change.key.namespace, &change.key.name);
    }
}

/// An `IntOrString` of a whole: a number, or a percentage rounded up or down.
pub(super) fn share(value: &Value, of: i64, rounds_up: bool) -> i64 {
    if let Some(number) = value.as_i64() {
        return number;
    }
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')).and_then(|text| text.parse::<i64>().ok());
    let Some(percent) = percent else {
        return value.as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
    };
    let product = of.saturating_mul(percent);
    if rounds_up { (product + 99).div_euclid(100) } else { product.div_euclid(100) }
}

/// A count in a spec, with its default.
pub(super) fn count(value: &Value, default: i64) -> i64 {
    value.as_i64().unwrap_or(default)
}

/// Sets a status if it differs.
pub(super) fn set_status(ctx: &mut Context<'_>, resource: &str, object: &Value, status: Value) {
    let (namespace, name) = (meta(object, "namespace"), meta(object, "name"));
    ctx.update(resource, namespace, name, |object| object["status"] = status);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shares() {
        for (value, of, up, expected) in [
            (json!(2), 10, true, 2),
            (json!("25%"), 3, true, 1),
            (json!("25%"), 3, false, 0),
            (json!("10%"), 30, true, 3),
            (json!("100%"), 7, false, 7),
            (json!(null), 7, false, 0),
        ] {
            assert_eq!(share(&value, of, up), expected, "{value} of {of}");
        }
    }
}
