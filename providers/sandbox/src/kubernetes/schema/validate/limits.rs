//! Custom resources against their schema, in the words of `k8s.io/kube-openapi/pkg/validation`.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::super::{Kind, Limits, List, Schema};
use super::Causes;
use super::correlated::Correlated;

/// What is unchanged may stay as it was, right or wrong (`CRDValidationRatcheting`).
pub(super) fn check(object: &Value, old: Option<&Value>, schema: &Schema, causes: &mut Causes) {
    let same = old.map(|old| Correlated::new(object, old, schema));
    if is_unchanged(same.as_ref()) {
        return;
    }
    for (name, member) in schema.properties() {
        // Metadata has rules of its own.
        if &**name != "metadata"
            && let Some(value) = object.get(&**name)
        {
            let same = same.as_ref().and_then(|it| it.member(name));
            at(value, member, name, same.as_ref(), causes);
        }
    }
    if let Value::Object(members) = object {
        required(members, schema, "", causes);
    }
    if let Some(limits) = &schema.limits {
        composed(object, limits, "", causes);
    }
}

/// The same for a value that is no object of its own: a default.
pub(super) fn value(value: &Value, schema: &Schema, causes: &mut Causes) {
    at(value, schema, "", None, causes);
}

/// A member's path.
fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn is_unchanged(same: Option<&Rc<Correlated<'_>>>) -> bool {
    same.is_some_and(|it| it.is_equal())
}

fn at(value: &Value, schema: &Schema, path: &str, same: Option<&Rc<Correlated<'_>>>, causes: &mut Causes) {
    if (value.is_null() && schema.nullable) || is_unchanged(same) {
        return;
    }
    if let Some(expected) = mismatch(value, schema.kind()) {
        let found = kind_of(value);
        causes.mistyped(path, &json!(found), &format!("{path} in body must be of type {expected}: {found:?}"));
        return;
    }
    if let Some(limits) = &schema.limits {
        one(value, limits, path, causes);
        composed(value, limits, path, causes);
    }
    match value {
        Value::Object(members) => {
            required(members, schema, path, causes);
            if schema.is_embedded {
                embedded(members, path, causes);
            }
            for (name, value) in members {
                if let Some(member) = schema.member(name) {
                    let same = same.and_then(|it| it.member(name));
                    at(value, member, &below(path, name), same.as_ref(), causes);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.items() {
                for (index, item) in items.iter().enumerate() {
                    let same = same.and_then(|it| it.item(index));
                    at(item, schema, &format!("{path}[{index}]"), same.as_ref(), causes);
                }
            }
            told_apart(items, schema, path, causes);
        }
        _ => {}
    }
}

fn mismatch(value: &Value, kind: Kind) -> Option<&'static str> {
    let is_whole = || value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let (fits, expected) = match kind {
        Kind::Any | Kind::Quantity => (true, ""),
        Kind::Object => (value.is_object(), "object"),
        Kind::Array => (value.is_array(), "array"),
        Kind::String => (value.is_string(), "string"),
        Kind::Integer => (is_whole(), "integer"),
        Kind::Number => (value.is_number(), "number"),
        Kind::Boolean => (value.is_boolean(), "boolean"),
        Kind::IntOrString => (value.is_string() || is_whole(), "integer,string"),
    };
    (!fits).then_some(expected)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn required(members: &Map<String, Value>, schema: &Schema, path: &str, causes: &mut Causes) {
    for name in &schema.required {
        if !members.contains_key(&**name) {
            causes.required(below(path, name), "");
        }
    }
}

fn embedded(members: &Map<String, Value>, path: &str, causes: &mut Causes) {
    for name in ["apiVersion", "kind"] {
        if members.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            causes.required(below(path, name), "");
        }
    }
}

/// Sets and keyed lists have each item once.
fn told_apart(items: &[Value], schema: &Schema, path: &str, causes: &mut Causes) {
    let identity = |item: &Value| match schema.list() {
        List::Atomic => None,
        List::Set => Some(item.clone()),
        List::Map(keys) => {
            let keys = keys.iter().filter_map(|key| Some((key.to_string(), item.get(&**key)?.clone())));
            Some(Value::Object(keys.collect()))
        }
    };
    let mut seen: Vec<Value> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let Some(identity) = identity(item) else { return };
        if seen.contains(&identity) {
            causes.duplicate(format!("{path}[{index}]"), &identity);
        } else {
            seen.push(identity);
        }
    }
}

/// Limits of a value by itself.
fn one(value: &Value, limits: &Limits, path: &str, causes: &mut Causes) {
    if !limits.one_of_values.is_empty() && !limits.one_of_values.contains(value) {
        let supported: Vec<String> =
            limits.one_of_values.iter().map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)).collect();
        causes.unsupported(path, value, &supported.iter().map(String::as_str).collect::<Vec<_>>());
    }
    match value {
        Value::Number(number) => numbers(value, number.as_f64().unwrap_or(0.0), limits, path, causes),
        Value::String(text) => strings(value, text, limits, path, causes),
        Value::Array(items) => {
            let count = items.len();
            if let Some(most) = limits.max_items.filter(|most| count as u64 > *most) {
                causes.too_many(path, count, most);
            }
            if let Some(least) = limits.min_items.filter(|least| (count as u64) < *least) {
                causes.invalid(path, &json!(count), &format!("{path} in body should have at least {least} items"));
            }
        }
        Value::Object(members) => {
            let count = members.len();
            if let Some(most) = limits.max_properties.filter(|most| count as u64 > *most) {
                causes.too_many(path, count, most);
            }
            if let Some(least) = limits.min_properties.filter(|least| (count as u64) < *least) {
                causes.invalid(path, &json!(count), &format!("{path} in body should have at least {least} properties"));
            }
        }
        _ => {}
    }
}

fn numbers(value: &Value, number: f64, limits: &Limits, path: &str, causes: &mut Causes) {
    if let Some(most) = limits.maximum {
        if limits.exclusive_maximum && number >= most {
            causes.invalid(path, value, &format!("{path} in body should be less than {most}"));
        } else if number > most {
            causes.invalid(path, value, &format!("{path} in body should be less than or equal to {most}"));
        }
    }
    if let Some(least) = limits.minimum {
        if limits.exclusive_minimum && number <= least {
            causes.invalid(path, value, &format!("{path} in body should be greater than {least}"));
        } else if number < least {
            causes.invalid(path, value, &format!("{path} in body should be greater than or equal to {least}"));
        }
    }
    if let Some(factor) = limits.multiple_of.filter(|factor| *factor > 0.0)
        && ((number / factor).round() - number / factor).abs() > 1e-9
    {
        causes.invalid(path, value, &format!("{path} in body should be a multiple of {factor}"));
    }
    let is_out = match limits.format.as_deref() {
        Some("int32") => value.as_i64().is_none_or(|number| i32::try_from(number).is_err()),
        Some("int64") => value.as_i64().is_none(),
        _ => false,
    };
    if is_out && let Some(format) = &limits.format {
        causes.invalid(path, value, &format!("{path} in body must be of type {format}: {value}"));
    }
}

fn strings(value: &Value, text: &str, limits: &Limits, path: &str, causes: &mut Causes) {
    let length = text.chars().count() as u64;
    if let Some(most) = limits.max_length.filter(|most| length > *most) {
        causes.too_long(path, most);
    }
    if let Some(least) = limits.min_length.filter(|least| length < *least) {
        causes.invalid(path, value, &format!("{path} in body should be at least {least} chars long"));
    }
    if let Some((pattern, compiled)) = &limits.pattern
        && !compiled.is_match(text)
    {
        causes.invalid(path, value, &format!("{path} in body should match '{pattern}'"));
    }
    if let Some(format) = limits.format.as_deref().filter(|format| !has_format(text, format)) {
        causes.mistyped(path, value, &format!("{path} in body must be of type {format}: {text:?}"));
    }
}

/// Whether a string has a format; formats that are not known are not checked, as in the API server.
fn has_format(text: &str, format: &str) -> bool {
    match format {
        "date-time" | "datetime" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "cidr" => text.parse::<ipnet::IpNet>().is_ok(),
        "byte" => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        }
        "uuid" => {
            let digits: Vec<&str> = text.split('-').collect();
            let lengths: Vec<usize> = digits.iter().map(|part| part.len()).collect();
            lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        }
        _ => true,
    }
}

/// `allOf`, `anyOf`, `oneOf` and `not`. The API server tells of them without a field.
fn composed(value: &Value, limits: &Limits, path: &str, causes: &mut Causes) {
    let holds = |schema: &Schema| {
        let mut causes = Causes::default();
        at(value, schema, path, None, &mut causes);
        causes.0.is_empty()
    };
    let mut fails = |detail: String| causes.invalid("<nil>", &json!(""), &detail);
    if !limits.any_of.is_empty() && !limits.any_of.iter().any(holds) {
        fails(format!("{path:?} must validate at least one schema (anyOf)"));
    }
    if !limits.one_of.is_empty() {
        let count = limits.one_of.iter().filter(|schema| holds(schema)).count();
        let found =
            if count == 0 { "Found none valid".to_owned() } else { format!("Found {count} valid alternatives") };
        if count != 1 {
            fails(format!("{path:?} must validate one and only one schema (oneOf). {found}"));
        }
    }
    if !limits.all_of.is_empty() && !limits.all_of.iter().all(holds) {
        fails(format!("{path:?} must validate all the schemas (allOf)"));
    }
    if limits.not.as_ref().is_some_and(holds) {
        fails(format!("{path:?} must not validate the schema (not)"));
    }
    for schema in &limits.all_of {
        at(value, schema, path, None, causes);
    }
}
