//! Rules over one object, held against what the API server says of them.

mod bounds;

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::kubernetes::schema::{Schema, rules, validate};

#[derive(Deserialize)]
struct Rows {
    schema: Map<String, Value>,
    object: Map<String, Value>,
    old: Map<String, Value>,
    rules: Vec<(String, String)>,
}

fn rows() -> &'static Rows {
    static ROWS: LazyLock<Rows> = LazyLock::new(|| serde_norway::from_str(include_str!("expressions.yaml")).unwrap());
    &ROWS
}

/// What is said of a rule: `holds`, `fails`, or why it is refused or cannot be evaluated.
fn said(rule: &str, rows: &Rows) -> String {
    let spec = json!({ "type": "object", "properties": rows.schema, "x-kubernetes-validations": [{ "rule": rule }] });
    let schema = Schema::structural(&json!({ "type": "object", "properties": { "spec": spec } })).unwrap();
    if let Some((_, _, why)) = rules::check(&schema).into_iter().next() {
        return why;
    }
    let of = |spec: &Map<String, Value>| json!({ "apiVersion": "e.com/v1", "kind": "W", "metadata": { "name": "w" }, "spec": spec });
    let mut old = rows.object.clone();
    old.extend(rows.old.clone());
    let causes = validate(&of(&rows.object), Some(&of(&old)), &schema);
    let Some(cause) = causes.first() else { return "holds".to_owned() };
    let text = cause.text();
    if text == format!("spec: Invalid value: failed rule: {rule}") {
        return "fails".to_owned();
    }
    let text = text.strip_prefix("spec: Invalid value: \"object\": ").unwrap_or(&text);
    let text = text.strip_suffix(&format!(" evaluating rule: {rule}")).unwrap_or(text);
    text.strip_suffix(&format!(" for rule: {rule}")).unwrap_or(text).to_owned()
}

#[test]
fn rules_mean_what_they_mean_to_the_api_server() {
    let rows = rows();
    let mut wrong = Vec::new();
    for (rule, expected) in &rows.rules {
        let said = said(rule, rows);
        // How a parser tells of a mistake is its own business.
        let is_syntax = expected.contains("Syntax error") && said.contains("Syntax error");
        if said != *expected && !is_syntax {
            wrong.push(format!("{rule}\n  expected {expected:?}\n  said     {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.rules.len(), wrong.join("\n"));
}

#[derive(Deserialize)]
struct Case {
    name: String,
    schema: Value,
    #[serde(default)]
    root: Value,
    new: Option<Value>,
    old: Option<Value>,
    #[serde(default)]
    refused: Vec<(String, String, String)>,
    #[serde(default)]
    causes: Vec<(String, String, String)>,
}

fn cases() -> Vec<Case> {
    serde_norway::from_str(include_str!("rules.yaml")).unwrap()
}

impl Case {
    fn schema(&self) -> Value {
        let mut schema = json!({ "type": "object", "properties": { "spec": self.schema } });
        if !self.root.is_null() {
            schema["x-kubernetes-validations"] = self.root.clone();
        }
        schema
    }

    /// What is said of the definition, with a short word for where its schema is.
    fn of_definition(&self) -> Vec<(String, String, String)> {
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "ws.e.com" },
            "spec": {
                "group": "e.com", "scope": "Namespaced", "names": { "plural": "ws", "singular": "w", "kind": "W", "listKind": "WList" },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": self.schema() } }],
            },
        });
        let short = |text: &str| text.replace("spec.validation.openAPIV3Schema", "SCHEMA");
        let causes = validate::definition::check(&definition, None).into_iter();
        causes.map(|it| (short(&it.field), it.reason.to_owned(), short(&it.message))).collect()
    }

    fn of_object(&self) -> Vec<(String, String, String)> {
        let of = |spec: &Value| json!({ "apiVersion": "e/v1", "kind": "W", "metadata": { "name": "w" }, "spec": spec });
        let schema = Schema::structural(&self.schema()).unwrap();
        let Some(new) = &self.new else { return Vec::new() };
        let causes = validate(&of(new), self.old.as_ref().map(of).as_ref(), &schema).into_iter();
        let mut causes: Vec<_> = causes.map(|it| (it.field, it.reason.to_owned(), it.message)).collect();
        causes.sort_by(|one, other| one.0.cmp(&other.0));
        causes
    }
}

#[test]
fn objects_are_held_against_the_rules_of_their_definition() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (of_definition, of_object) = (case.of_definition(), case.of_object());
        let said = if of_definition.is_empty() { &of_object } else { &of_definition };
        let expected = if case.refused.is_empty() { &case.causes } else { &case.refused };
        if said != expected {
            wrong.push(format!("{}\n  expected {expected:#?}\n  said     {said:#?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
