//! Columns of custom resources (`additionalPrinterColumns`).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::path::{find, text};
use super::{Cells, age, column};

/// The columns of a version of a definition, and what makes its rows.
pub(super) fn columns(version: &Value) -> (Vec<Value>, Cells<'_>) {
    let written = version["additionalPrinterColumns"].as_array().cloned().unwrap_or_default();
    let default =
        || vec![json!({ "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "isDefault": true })];
    let written = if written.is_empty() { default() } else { written };
    let definition = |it: &Value| {
        json!({
            "name": it["name"], "type": it["type"], "format": it["format"].as_str().unwrap_or(""),
            "description": described(it), "priority": it["priority"].as_i64().unwrap_or(0),
        })
    };
    let mut name = column("Name");
    name["description"] = json!(super::columns::description("*", "Name"));
    let all = std::iter::once(name).chain(written.iter().map(definition)).collect();
    let cells = move |object: &Value, now: Timestamp| {
        let name = object["metadata"]["name"].clone();
        std::iter::once(name).chain(written.iter().map(|it| cell(object, it, now))).collect()
    };
    (all, Box::new(cells))
}

/// A column that says nothing of itself says where it looks; the age of those that have no column says what an age is.
fn described(column: &Value) -> String {
    match (column["description"].as_str(), column["isDefault"] == true) {
        (Some(text), _) if !text.is_empty() => text.to_owned(),
        (_, true) => super::columns::description("*", "Age").to_owned(),
        _ => {
            let path = column["jsonPath"].as_str().unwrap_or("");
            format!("Custom resource definition column (in JSONPath format): {path}")
        }
    }
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
