//! Label selectors.

use serde_json::Value;

/// Whether labels fit a selector. An empty selector fits everything; one that cannot be read fits nothing.
pub fn fits(selector: &Value, labels: &Value) -> bool {
    let wanted = selector["matchLabels"].as_object().into_iter().flatten();
    let mut expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    wanted.into_iter().all(|(key, value)| labels.get(key) == Some(value))
        && expressions.all(|expression| holds(expression, labels))
}

fn holds(expression: &Value, labels: &Value) -> bool {
    let has = expression["key"].as_str().and_then(|key| labels.get(key));
    let values = expression["values"].as_array().filter(|values| !values.is_empty());
    match (expression["operator"].as_str().unwrap_or_default(), values) {
        ("In", Some(values)) => has.is_some_and(|value| values.contains(value)),
        ("NotIn", Some(values)) => has.is_none_or(|value| !values.contains(value)),
        ("Exists", None) => has.is_some(),
        ("DoesNotExist", None) => has.is_none(),
        _ => false,
    }
}
