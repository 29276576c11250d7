//! Whether a configuration can be applied at all: it has only fields of its type, each list item once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::form::{Form, Shape};
use super::set::{Element, display};
use crate::kubernetes::schema::{Kind, Schema};

/// What keeps a configuration from being applied, each as structured-merge-diff words it, with its path.
pub(super) fn check(config: &Value, schema: &Schema) -> Vec<String> {
    let mut wrong = Vec::new();
    at(config, Form(Some(schema)), &mut Vec::new(), &mut wrong);
    wrong
}

fn at(value: &Value, form: Form<'_>, path: &mut Vec<Element>, wrong: &mut Vec<String>) {
    if let Some(expected) = mismatch(value, form) {
        wrong.push(format!("{}: {expected}", display(path)));
        return;
    }
    match (form.shape(Some(value)), value) {
        (Shape::Map, Value::Object(members)) => {
            for (name, value) in members {
                path.push(Element::field(name));
                if form.takes(name) {
                    at(value, form.member(name), path, wrong);
                } else {
                    wrong.push(format!("{}: field not declared in schema", display(path)));
                }
                path.pop();
            }
        }
        (Shape::List, Value::Array(items)) => {
            let mut seen = BTreeSet::new();
            for (index, item) in items.iter().enumerate() {
                match form.element(item) {
                    Err(error) => wrong.push(format!("{}: element {index}: {error}", display(path))),
                    Ok(element) => {
                        if !seen.insert(element.clone()) {
                            wrong.push(format!("{}: duplicate entries for key {element}", display(path)));
                        }
                        path.push(element);
                        at(item, form.items(), path, wrong);
                        path.pop();
                    }
                }
            }
        }
        _ => {}
    }
}

/// What was expected instead of a value of the wrong kind.
fn mismatch(value: &Value, form: Form<'_>) -> Option<String> {
    let kind = form.0?.kind();
    let (fits, expected) = match kind {
        Kind::Object => (value.is_object(), "expected map"),
        Kind::Array => (value.is_array(), "expected list"),
        Kind::String => (value.is_string(), "expected string"),
        Kind::Integer | Kind::Number => (value.is_number(), "expected numeric (int or float)"),
        Kind::Boolean => (value.is_boolean(), "expected boolean"),
        Kind::Any | Kind::IntOrString | Kind::Quantity => (true, ""),
    };
    if fits || value.is_null() {
        return None;
    }
    let shown = match (kind, value) {
        (Kind::Integer | Kind::Number, value) => go_type(value).to_owned(),
        (_, Value::Object(_)) => format!("&{{{value}}}"),
        (_, other) => other.to_string(),
    };
    Some(format!("{expected}, got {shown}"))
}

/// What Go decodes a value to.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
