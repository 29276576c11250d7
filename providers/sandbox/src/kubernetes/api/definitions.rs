//! CustomResourceDefinitions: when their names are accepted, the resource is there.

use serde_json::{Value, json};

use super::resources::Resource;
use crate::kubernetes::schema::Schema;

/// Accepts a definition's names and establishes it, as the API server's own controllers do a moment after it was made.
pub fn establish(definition: &mut Value) {
    let names = &mut definition["spec"]["names"];
    if let Some(kind) = names["kind"].as_str().map(str::to_owned) {
        if names["singular"].as_str().unwrap_or("").is_empty() {
            names["singular"] = json!(kind.to_lowercase());
        }
        if names["listKind"].as_str().unwrap_or("").is_empty() {
            names["listKind"] = json!(format!("{kind}List"));
        }
    }
    if definition["spec"]["conversion"].is_null() {
        definition["spec"]["conversion"] = json!({ "strategy": "None" });
    }
    let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
    let storage: Vec<&Value> = versions.filter(|it| it["storage"] == true).map(|it| &it["name"]).collect();
    let mut stored: Vec<Value> = definition["status"]["storedVersions"].as_array().cloned().unwrap_or_default();
    stored.extend(storage.into_iter().filter(|it| !stored.contains(it)).cloned().collect::<Vec<_>>());
    let accepted = definition["spec"]["names"].clone();
    let condition = |kind: &str, reason: &str, message: &str| json!({ "type": kind, "status": "True", "reason": reason, "message": message });
    definition["status"] = json!({
        "acceptedNames": accepted,
        "storedVersions": stored,
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
    });
}

/// What whoever writes a definition is to know: its rules in CEL are kept, and nothing evaluates them.
pub(super) fn warnings(resource: &Resource, definition: &Value) -> Vec<String> {
    if resource.stored() != "customresourcedefinitions.apiextensions.k8s.io" {
        return Vec::new();
    }
    let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
    let mut paths: Vec<String> = versions
        .filter_map(|version| Schema::structural(&version["schema"]["openAPIV3Schema"]).ok())
        .flat_map(|schema| schema.rules())
        .collect();
    paths.sort();
    paths.dedup();
    let told = |path: &String| format!("x-kubernetes-validations of {} are kept and not evaluated here", named(path));
    paths.iter().map(told).collect()
}

fn named(path: &str) -> &str {
    if path.is_empty() { "the object" } else { path }
}

#[test]
fn rules_that_nothing_evaluates_are_told_of() {
    let crds = super::resources::builtin("apiextensions.k8s.io", "v1", "customresourcedefinitions").unwrap();
    let of = |spec: &Value| {
        let schema = json!({ "type": "object", "properties": { "spec": spec } });
        warnings(&crds, &json!({ "spec": { "versions": [{ "schema": { "openAPIV3Schema": schema } }] } }))
    };
    assert_eq!(of(&json!({ "type": "object" })), Vec::<String>::new());
    let rules = json!({ "type": "object", "x-kubernetes-validations": [{ "rule": "true" }] });
    assert_eq!(of(&rules), ["x-kubernetes-validations of spec are kept and not evaluated here"]);
}
