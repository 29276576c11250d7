//! What Go does not decode into its types: a value of another kind than its field's.

use serde_json::Value;

use crate::kubernetes::schema::{Kind, Schema};

/// The decoder's words about the first value of a wrong kind in an object of Kubernetes' own type; `None` where all fit.
pub(super) fn mismatch(object: &Value, schema: &Schema, kind: &str) -> Option<String> {
    if schema.resolve().is_builtin {
        return at(object, schema, kind, &mut Vec::new());
    }
    // Of a custom resource Go knows the metadata.
    at(&object["metadata"], schema.property("metadata")?, "ObjectMeta", &mut Vec::new())
}

fn at<'a>(value: &'a Value, schema: &'a Schema, holder: &str, path: &mut Vec<&'a str>) -> Option<String> {
    if value.is_null() {
        return None;
    }
    if let Some(wrong) = super::texts::wrong(value, schema) {
        return Some(wrong);
    }
    if let Some(expected) = expected(value, schema) {
        return Some(format!(
            "json: cannot unmarshal {} into Go struct field {holder}.{} of type {expected}",
            named(value),
            path.join(".")
        ));
    }
    match value {
        Value::Object(members) => {
            let holder = schema.type_name().unwrap_or(holder);
            members.iter().find_map(|(name, member)| {
                // A map's keys are no fields of a type.
                let is_field = schema.property(name).is_some();
                path.extend(is_field.then_some(name.as_str()));
                let found = schema.member(name).and_then(|form| at(member, form, holder, path));
                path.truncate(path.len() - usize::from(is_field));
                found
            })
        }
        Value::Array(items) => {
            let form = schema.items()?;
            items.iter().find_map(|item| at(item, form, holder, path))
        }
        _ => None,
    }
}

/// The Go type that the value is not of.
fn expected(value: &Value, schema: &Schema) -> Option<String> {
    let of_type = |of: &Schema| match of.type_name() {
        Some(name) => format!("v1.{name}"),
        None if of.is_bytes => "[]uint8".to_owned(),
        None => "string".to_owned(),
    };
    let (fits, expected) = match schema.kind() {
        Kind::Object if schema.is_untyped() => (true, String::new()),
        Kind::Object => match schema.values() {
            Some(values) => (value.is_object(), format!("map[string]{}", of_type(values))),
            None => (value.is_object(), of_type(schema)),
        },
        Kind::Array => (value.is_array(), format!("[]{}", schema.items().map(of_type).unwrap_or_default())),
        Kind::String if schema.is_bytes => (value.is_string(), "[]uint8".to_owned()),
        Kind::String => (value.is_string(), "string".to_owned()),
        Kind::Integer => (value.is_i64() || value.is_u64(), "int32".to_owned()),
        Kind::Number => (value.is_number(), "float64".to_owned()),
        Kind::Boolean => (value.is_boolean(), "bool".to_owned()),
        Kind::Any | Kind::IntOrString | Kind::Quantity => (true, String::new()),
    };
    (!fits).then_some(expected)
}

/// What JSON a value is, as Go calls it.
pub(super) fn named(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(number) if number.is_f64() => format!("number {number}"),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubernetes::schema::catalog;

    #[test]
    fn the_first_value_of_a_wrong_kind_is_named() {
        let check = |group: &str, kind: &str, object: Value, expected: Option<&str>| {
            let schema = catalog::schema(group, "v1", kind).unwrap();
            assert_eq!(mismatch(&object, &schema, kind).as_deref(), expected);
        };
        let data = "json: cannot unmarshal number into Go struct field ConfigMap.data of type string";
        check("", "ConfigMap", json!({ "data": { "k": 1 } }), Some(data));
        check("", "ConfigMap", json!({ "data": { "k": null }, "metadata": { "creationTimestamp": null } }), None);
        let replicas = "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32";
        check("apps", "Deployment", json!({ "spec": { "replicas": "3" } }), Some(replicas));
        let bytes = "illegal base64 data at input byte 3";
        check("", "Secret", json!({ "data": { "k": "abc!" } }), Some(bytes));
        check("", "Secret", json!({ "data": { "k": "Yg==" } }), None);
        let limits = |text: &str| json!({ "spec": { "containers": [{ "resources": { "limits": { "cpu": text } } }] } });
        let amount = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
        check("", "Pod", limits("lots"), Some(amount));
        check("", "Pod", limits("100m"), None);
        check("", "Service", json!({ "spec": { "ports": [{ "port": 80, "targetPort": "http" }] } }), None);
    }
}
