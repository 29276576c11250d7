//! Updates: their ids, and their status while the resource is on its way.

use super::super::errors::Refusal;
use super::super::shared::Shared;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// One update of a cluster, node group or add-on.
#[derive(Clone, Debug)]
pub(super) struct Update {
    pub(super) id: String,
    /// The path of what is updated.
    path: String,
    kind: &'static str,
    params: Value,
    created_at: i64,
}

impl Update {
    /// An update with what the request says as its parameters.
    pub(super) fn new(path: &str, kind: &'static str, params: &[(&str, &Value)]) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let id = format!("00000000-0000-4000-8000-{:012x}", IDS.fetch_add(1, Ordering::Relaxed));
        let params = params.iter().map(|(name, value)| json!({ "type": name, "value": plain(value) })).collect();
        Self { id, path: path.to_owned(), kind, params, created_at: jiff::Timestamp::now().as_second() }
    }

    pub(super) fn to_json(&self, shared: &Shared) -> Value {
        let is_going_on = shared.eks.is_pending(&self.path);
        json!({
            "id": self.id, "status": if is_going_on { "InProgress" } else { "Successful" }, "type": self.kind,
            "params": self.params, "createdAt": self.created_at, "errors": [],
        })
    }

    fn cluster(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Answers `DescribeUpdate`; it counts as a describe of what is updated.
pub(super) fn describe(shared: &Shared, cluster: &str, id: &str) -> Result<Value, Refusal> {
    let found = shared
        .eks
        .with_updates(|updates| updates.iter().find(|update| update.id == id && update.cluster() == cluster).cloned());
    let missing = || Refusal::new(404, "ResourceNotFoundException", format!("No update found for ID: {id}"));
    let update = found.ok_or_else(missing)?;
    let answer = json!({ "update": update.to_json(shared) });
    shared.eks.count_describe(&update.path);
    Ok(answer)
}

/// Answers `ListUpdates` of a cluster, or of one of its node groups or add-ons.
pub(super) fn list(shared: &Shared, cluster: &str, query: &BTreeMap<String, String>) -> Value {
    let path = match (query.get("nodegroupName"), query.get("addonName")) {
        (Some(name), _) => format!("clusters/{cluster}/node-groups/{name}"),
        (_, Some(name)) => format!("clusters/{cluster}/addons/{name}"),
        _ => format!("clusters/{cluster}"),
    };
    let ids: Vec<String> = shared.eks.with_updates(|updates| {
        updates.iter().filter(|update| update.path == path).map(|update| update.id.clone()).collect()
    });
    json!({ "updateIds": ids })
}
