//! Free-form objects: evaluated values as JSON for the API, and JSON from the API as values.

use serde_json::Value as Json;
use sgp_model::{Kind, Number, Type, Value};
use unicode_normalization::UnicodeNormalization;

/// The JSON of a value: sets and tuples are arrays, maps are objects. Unknown parts are null.
pub(crate) fn to_json(value: &Value) -> Json {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => Json::Null,
        Kind::Bool(b) => Json::Bool(*b),
        Kind::Number(n) => number(n),
        Kind::String(s) => Json::String(s.to_string()),
        Kind::List(_, vs) | Kind::Tuple(vs) => vs.iter().map(to_json).collect(),
        Kind::Set(_, vs) => vs.iter().map(to_json).collect(),
        Kind::Map(_, fs) | Kind::Object(fs) => {
            Json::Object(fs.iter().map(|(k, v)| (k.to_string(), to_json(v))).collect())
        }
    }
}

fn number(n: &Number) -> Json {
    n.to_i64().map_or_else(|| serde_json::Number::from_f64(n.to_f64()).map_or(Json::Null, Json::Number), Json::from)
}

/// The value of some JSON: arrays are tuples, objects are objects.
pub(crate) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::dynamic_null(),
        Json::Bool(b) => Value::from(*b),
        Json::Number(n) => n.to_string().parse::<Number>().map_or_else(|_| Value::null(Type::Number), Value::from),
        Json::String(s) => string(s),
        Json::Array(items) => Value::tuple(items.iter().map(from_json).collect()),
        Json::Object(fields) => Value::object(fields.iter().map(|(k, v)| (k.as_str(), from_json(v)))),
    }
}

/// A string from outside, in NFC as every value is.
pub(crate) fn string(text: &str) -> Value {
    if text.is_ascii() { Value::from(text) } else { Value::from(text.nfc().collect::<String>()) }
}

/// A string at a path of names; null where the path leads nowhere.
pub(crate) fn string_at(json: &Json, path: &[&str]) -> Value {
    at(json, path).and_then(Json::as_str).map_or_else(|| Value::null(Type::String), string)
}

/// The JSON at a path of names.
pub(crate) fn at<'a>(json: &'a Json, path: &[&str]) -> Option<&'a Json> {
    path.iter().try_fold(json, |json, name| json.get(name))
}

/// Takes everything that is null out of objects, at any depth: a null argument says nothing.
pub(crate) fn without_nulls(json: Json) -> Json {
    match json {
        Json::Object(fields) => {
            Json::Object(fields.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, without_nulls(v))).collect())
        }
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_survives_the_way_through_values() {
        for json in [
            json!({"a": [1, "x", true, null, {"b": {}}], "c": -2.5, "d": 9_007_199_254_740_993_i64}),
            json!([]),
            json!("caf\u{e9}"),
        ] {
            assert_eq!(to_json(&from_json(&json)), json);
        }
    }

    #[test]
    fn nulls_go_from_objects_but_stay_in_lists() {
        assert_eq!(without_nulls(json!({"a": null, "b": {"c": null}, "d": [null]})), json!({"b": {}, "d": [null]}));
    }

    #[test]
    fn strings_are_composed() {
        assert_eq!(string("cafe\u{301}"), Value::from("caf\u{e9}"));
    }
}
