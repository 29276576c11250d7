//! Columns of custom resources (`additionalPrinterColumns`).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::path::{find, text};
use super::{Cells, age, column};

/// The columns of a version of a definition, and what makes its rows.
pub(super) fn columns(version: &Value) -> (Vec<Value>, Cells<'_>) {
    let written = version["additionalPrinterColumns"].as_array().cloned().unwrap_or_default();
    let default = || vec![json!({ "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" })];
    let written = if written.is_empty() { default() } else { written };
    let definition = |it: &Value| {
        json!({
            "name": it["name"], "type": it["type"], "format": it["format"].as_str().unwrap_or(""),
            "description": it["description"].as_str().unwrap_or(""), "priority": it["priority"].as_i64().unwrap_or(0),
        })
    };
    let all = std::iter::once(column("Name")).chain(written.iter().map(definition)).collect();
    let cells = move |object: &Value, now: Timestamp| {
        let name = object["metadata"]["name"].clone();
        std::iter::once(name).chain(written.iter().map(|it| cell(object, it, now))).collect()
    };
    (all, Box::new(cells))
}

fn cell(object: &Value, column: &Value, now: Timestamp) -> Value {
    let found = find(object, column["jsonPath"].as_str().unwrap_or(""));
    let Some(first) = found.first().filter(|it| !it.is_null()) else { return Value::Null };
    match column["type"].as_str().unwrap_or("") {
        "date" => json!(age(first, now)),
        "string" => json!(found.iter().map(|it| text(it)).collect::<Vec<_>>().join(" ")),
        "integer" => first.as_i64().map_or(Value::Null, |number| json!(number)),
        "number" => first.as_f64().map_or(Value::Null, |number| json!(number)),
        "boolean" => first.as_bool().map_or(Value::Null, |it| json!(it)),
        _ => json!(text(first)),
    }
}
