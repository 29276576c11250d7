//! CustomResourceDefinitions: when their names are accepted, the resource is there.

use serde_json::{Value, json};

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
