//! Rules in CEL within a definition: whether they have the form that they should, and whether they compile.

use serde_json::Value;

use super::super::Schema;
use super::super::rules::{self, LIST, Shown};
use super::{Causes, text};

const REASONS: &[&str] = &["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Whether a rule of a schema has the form that it should.
pub(super) fn form(rule: &Value, schema: &Value, path: &str, causes: &mut Causes) {
    let is_blank = |member: &str| !text(rule, member).is_empty() && text(rule, member).trim().is_empty();
    let has_breaks = |text: &str| text.contains(['\n', '\r']);
    let (source, message) = (text(rule, "rule").trim(), text(rule, "message").trim());
    let of_message = format!("{path}.message");
    if source.is_empty() {
        causes.required(format!("{path}.rule"), "rule is not specified");
    } else if is_blank("message") {
        causes.invalid(of_message, &rule["message"], "must be non-empty if specified");
    } else if has_breaks(message) {
        causes.invalid(of_message, &rule["message"], "must not contain line breaks");
    } else if has_breaks(source) && message.is_empty() {
        causes.required(of_message, "message must be specified if rule contains line breaks");
    }
    if is_blank("messageExpression") {
        causes.required(format!("{path}.messageExpression"), "messageExpression must be non-empty if specified");
    }
    if !rule["reason"].is_null() && !REASONS.contains(&text(rule, "reason")) {
        causes.unsupported(format!("{path}.reason"), &rule["reason"], REASONS);
    }
    let (field, of_field) = (text(rule, "fieldPath"), format!("{path}.fieldPath"));
    if is_blank("fieldPath") {
        causes.invalid(&*of_field, &rule["fieldPath"], "must be non-empty if specified");
    }
    if has_breaks(field) {
        causes.invalid(&*of_field, &rule["fieldPath"], "must not contain line breaks");
    }
    if !field.is_empty() && !Schema::read(schema).is_ok_and(|schema| rules::normalized(field, &schema).is_ok()) {
        causes.invalid(of_field, &rule["fieldPath"], "must be a valid path");
    }
}

/// Whether the rules of a version's schema compile.
pub(super) fn compile(schema: &Value, path: &str, causes: &mut Causes) {
    let Ok(schema) = Schema::structural(schema) else { return };
    for (member, value, why) in rules::check(&schema) {
        let (field, why) = (format!("{path}{member}"), why.replace(LIST, path));
        match value {
            Shown::Value(value) => causes.invalid(field, &value, &why),
            Shown::Rule(rule) => causes.add(field, "FieldValueInvalid", format!("Invalid value: {rule}: {why}")),
        }
    }
}
