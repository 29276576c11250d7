//! Label selectors of HCL blocks.

use serde_json::{Map, Value as Json, json};

use super::View;
use crate::selector::{OPEN, Selector};

/// A selector block; `None` when there is none.
pub(super) fn selector(view: &View<'_>, name: &str) -> Option<Selector> {
    view.block(name).map(|block| Selector::read(&spec(&block)))
}

/// A selector block as Kubernetes' JSON has it.
pub(super) fn spec(block: &View<'_>) -> Json {
    let mut spec = Map::new();
    let labels = block.known_labels("match_labels");
    if !block.labels("match_labels").is_known() {
        spec.insert(OPEN.to_owned(), json!(true));
    }
    if !labels.is_empty() {
        spec.insert("matchLabels".to_owned(), json!(labels));
    }
    let expressions: Vec<Json> = block.blocks("match_expressions").iter().map(expression).collect();
    if !expressions.is_empty() {
        spec.insert("matchExpressions".to_owned(), Json::Array(expressions));
    }
    Json::Object(spec)
}

fn expression(view: &View<'_>) -> Json {
    let parts = [view.fact("key").is_known(), view.fact("operator").is_known(), view.texts("values").is_known()];
    if parts.contains(&false) {
        return json!({ OPEN: true });
    }
    let values = view.texts("values").known().cloned().unwrap_or_default();
    json!({ "key": view.text("key"), "operator": view.text("operator"), "values": values })
}
