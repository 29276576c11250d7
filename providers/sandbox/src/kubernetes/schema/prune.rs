//! Drops what has no place in a type.

use serde_json::{Map, Value};

use super::quantity::Quantity;
use super::{Kind, Schema};

/// Drops members that the schema does not know, and answers their paths (`spec.containers[0].spam`), as the API server's strict
/// decoding names them.
///
/// For Kubernetes' own types it does all that decoding does: nulls, empty lists and empty maps go, and amounts of resources become
/// canonical.
pub fn prune(object: &mut Value, schema: &Schema) -> Vec<String> {
    let mut unknown = Vec::new();
    at(object, schema, true, &mut String::new(), &mut unknown);
    unknown
}

fn at(value: &mut Value, schema: &Schema, is_object: bool, path: &mut String, unknown: &mut Vec<String>) {
    match value {
        Value::Object(members) => self::members(members, schema, is_object, path, unknown),
        Value::Array(items) => {
            let Some(schema) = schema.items() else { return };
            for (index, item) in items.iter_mut().enumerate() {
                let length = path.len();
                path.push_str(&format!("[{index}]"));
                at(item, schema, false, path, unknown);
                path.truncate(length);
            }
        }
        other if schema.kind() == Kind::Quantity => canonicalize(other),
        _ => {}
    }
}

fn members(
    members: &mut Map<String, Value>,
    schema: &Schema,
    is_object: bool,
    path: &mut String,
    unknown: &mut Vec<String>,
) {
    let schema = schema.resolve();
    if schema.kind == Kind::Any && schema.is_builtin {
        return;
    }
    let keeps_unknown = schema.keeps_unknown();
    // Objects of their own have a kind, a version and metadata, whatever is said of them.
    let is_object = is_object || schema.is_embedded;
    members.retain(|name, value| {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        let stays = match schema.member(name) {
            Some(member) => {
                let stays = !schema.is_builtin || decode_null(value, member, schema.property(name).is_some());
                if stays {
                    at(value, member, false, path, unknown);
                }
                stays && !(schema.is_builtin && is_omitted(name, value, member, schema))
            }
            None => {
                let stays = keeps_unknown || (is_object && matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
                if !stays {
                    unknown.push(path.clone());
                }
                stays
            }
        };
        path.truncate(length);
        stays
    });
}

/// Go does not write empty lists and maps, but where they are required.
fn is_omitted(name: &str, value: &Value, member: &Schema, schema: &Schema) -> bool {
    let is_empty = match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty() && member.values().is_some(),
        _ => false,
    };
    is_empty && schema.property(name).is_some() && !schema.required.iter().any(|required| **required == *name)
}

/// A null member of a Go struct is one that is not there; a null value in a Go map of strings is an empty string. Says whether
/// the value stays.
fn decode_null(value: &mut Value, schema: &Schema, is_member: bool) -> bool {
    if value.is_null() && !is_member && schema.kind() == Kind::String {
        *value = Value::String(String::new());
    }
    !value.is_null()
}

/// What is no amount stays for validation to refuse.
fn canonicalize(value: &mut Value) {
    let text = match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    };
    if let Some(quantity) = text {
        *value = Value::String(quantity.canonical());
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog;
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_members_go_and_are_named() {
        let schema = catalog::schema("", "v1", "Pod").unwrap();
        let mut pod = json!({
            "kind": "Pod", "spam": 1, "metadata": {"name": "a", "spam": 1, "labels": {"x": "1", "y": null}, "annotations": null},
            "spec": {"containers": [{"name": "a"}, {"name": "b", "spam": {}, "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}}]},
        });
        let unknown = prune(&mut pod, &schema);
        assert_eq!(unknown, ["metadata.spam", "spam", "spec.containers[1].spam"]);
        let expected = json!({
            "kind": "Pod", "metadata": {"name": "a", "labels": {"x": "1", "y": ""}},
            "spec": {"containers": [{"name": "a"}, {"name": "b", "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}}]},
        });
        assert_eq!(pod, expected);
    }

    #[test]
    fn custom_resources_keep_what_their_definition_says() {
        let spec = json!({"type": "object", "properties": {
            "a": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"b": {"type": "object", "properties": {}}}},
            "pod": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}},
            "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"x": {"type": "integer"}}}},
            "list": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}},
        }});
        let schema = Schema::structural(&json!({"type": "object", "properties": {"spec": spec}})).unwrap();
        let mut object = json!({"apiVersion": "e/v1", "kind": "W", "metadata": {"name": "w"}, "other": 1, "spec": {
            "a": {"kept": {"x": 1}, "b": {"gone": 1}},
            "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"gone": 1}, "gone": 1},
            "map": {"k": {"x": 1, "gone": 1}},
            "list": [{"x": 1, "gone": 1}],
            "gone": null,
        }});
        let unknown = prune(&mut object, &schema);
        let expected = [
            "other",
            "spec.a.b.gone",
            "spec.gone",
            "spec.list[0].gone",
            "spec.map.k.gone",
            "spec.pod.gone",
            "spec.pod.spec.gone",
        ];
        assert_eq!(unknown, expected);
        let spec = json!({
            "a": {"kept": {"x": 1}, "b": {}},
            "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}},
            "map": {"k": {"x": 1}}, "list": [{"x": 1}],
        });
        assert_eq!(object, json!({"apiVersion": "e/v1", "kind": "W", "metadata": {"name": "w"}, "spec": spec}));
    }
}
