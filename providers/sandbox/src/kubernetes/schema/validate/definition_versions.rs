//! The versions of a custom resource definition, and what of it never changes.
//!
//! What all versions have the same is one thing to the API server, above the versions; mistakes in it are told of there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{Schema, prune};
use super::{Causes, definition, items, limits, names, text};

/// A definition keeps its group, its plural, its scope and its kind.
pub(super) fn fixed(new: &Value, old: &Value, causes: &mut Causes) {
    causes.immutable("spec.scope", &new["scope"], &old["scope"]);
    causes.immutable("spec.names.kind", &new["names"]["kind"], &old["names"]["kind"]);
    causes.immutable("spec.group", &new["group"], &old["group"]);
    causes.immutable("spec.names.plural", &new["names"]["plural"], &old["names"]["plural"]);
}

/// Groups of Kubernetes' own are for who has asked.
pub(super) fn approved(definition: &Value, causes: &mut Causes) {
    const ANNOTATION: &str = "api-approved.kubernetes.io";
    let group = text(&definition["spec"], "group");
    let is_protected = ["k8s.io", "kubernetes.io"].iter().any(|of| group == *of || group.ends_with(&format!(".{of}")));
    if is_protected && text(&definition["metadata"]["annotations"], ANNOTATION).is_empty() {
        let detail = format!(
            "protected groups must have approval annotation {ANNOTATION:?}, see https://github.com/kubernetes/enhancements/pull/1111"
        );
        causes.required(format!("metadata.annotations[{ANNOTATION}]"), &detail);
    }
}

/// What is wrong with the versions.
pub(super) fn check(definition: &Value, causes: &mut Causes) {
    let all = &definition["spec"]["versions"];
    let versions = items(all, "spec.versions");
    for (index, (path, version)) in versions.iter().enumerate() {
        name(version, path, index == 0, causes);
        let place = |member: &str, own: &str, shared: &str| {
            if is_shared(all, member) {
                (format!("spec.{shared}"), index == 0)
            } else {
                (format!("{path}.{own}"), true)
            }
        };
        let schema = &version["schema"]["openAPIV3Schema"];
        let (at, is_told) = place("schema", "schema.openAPIV3Schema", "validation.openAPIV3Schema");
        if schema.is_null() {
            causes.required(format!("{path}.schema.openAPIV3Schema"), "");
        } else if is_told {
            definition::root(schema, version, &at, causes);
            defaults(schema, &at, causes);
        }
        let (at, is_told) = place("additionalPrinterColumns", "additionalPrinterColumns", "additionalPrinterColumns");
        for (path, column) in items(&version["additionalPrinterColumns"], &at).iter().filter(|_| is_told) {
            self::column(column, path, causes);
        }
        let (at, is_told) = place("subresources", "subresources", "subresources");
        if is_told {
            scale(&version["subresources"]["scale"], &format!("{at}.scale"), causes);
        }
    }
    storage(definition, &versions, causes);
}

/// Whether all versions have the same there.
fn is_shared(versions: &Value, member: &str) -> bool {
    let all = versions.as_array().map_or(&[][..], Vec::as_slice);
    all.windows(2).all(|two| two[0][member] == two[1][member])
}

fn name(version: &Value, path: &str, is_first: bool, causes: &mut Causes) {
    let wrong = names::label_1035(text(version, "name"));
    if wrong.is_empty() {
        return;
    }
    let wrong = wrong.join(",");
    causes.invalid(format!("{path}.name"), &version["name"], &wrong);
    if is_first {
        causes.invalid("spec.version", &version["name"], &wrong);
    }
}

fn storage(definition: &Value, versions: &[(String, &Value)], causes: &mut Causes) {
    let all = &definition["spec"]["versions"];
    let names: BTreeSet<&str> = versions.iter().map(|(_, version)| text(version, "name")).collect();
    let is_stored = |version: &&Value| version["storage"] == true;
    let storage: Vec<&Value> = versions.iter().map(|(_, version)| *version).filter(is_stored).collect();
    if names.len() < versions.len() {
        causes.invalid("spec.versions", &shown(all), "must contain unique version names");
    }
    if storage.len() != 1 {
        let detail = "must have exactly one version marked as storage version";
        causes.invalid("spec.versions", &shown(all), detail);
    }
    let kept = &definition["status"]["storedVersions"];
    match storage[..] {
        [] => causes.invalid("status.storedVersions", &Value::Null, "must have at least one stored version"),
        [first, .., last] => {
            let detail = format!("must have the storage version {}", text(last, "name"));
            causes.invalid("status.storedVersions", &json!([first["name"]]), &detail);
        }
        [_] => stored(kept, versions, causes),
    }
}

/// Versions as Go shows them, whose members have no other names in its own type.
fn shown(versions: &Value) -> Value {
    let Some(list) = versions.as_array() else { return Value::Null };
    let own =
        |version: &Value, member: &str| if is_shared(versions, member) { Value::Null } else { version[member].clone() };
    let shown = list.iter().map(|it| {
        json!({
            "Name": it["name"], "Served": it["served"] == true, "Storage": it["storage"] == true,
            "Deprecated": it["deprecated"] == true, "DeprecationWarning": it["deprecationWarning"],
            "Schema": own(it, "schema"), "Subresources": own(it, "subresources"),
            "AdditionalPrinterColumns": own(it, "additionalPrinterColumns"), "SelectableFields": own(it, "selectableFields"),
        })
    });
    shown.collect()
}

/// Versions in which objects may still be stored must stay.
fn stored(kept: &Value, versions: &[(String, &Value)], causes: &mut Causes) {
    for (path, stored) in items(kept, "status.storedVersions") {
        if !versions.iter().any(|(_, version)| version["name"] == *stored) {
            let name = stored.as_str().unwrap_or("");
            let detail = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            causes.invalid(path, stored, &detail);
        }
    }
}

const NO_PATH: &str = "must be a simple json path starting with .";

fn column(it: &Value, path: &str, causes: &mut Causes) {
    const TYPES: &[&str] = &["boolean", "date", "integer", "number", "string"];
    let detail = format!("must be one of {}", TYPES.join(","));
    if text(it, "name").is_empty() {
        causes.required(format!("{path}.name"), "");
    }
    match text(it, "type") {
        "" => causes.required(format!("{path}.type"), &detail),
        kind if TYPES.contains(&kind) => {}
        _ => causes.invalid(format!("{path}.type"), &it["type"], &detail),
    }
    match text(it, "jsonPath") {
        "" => causes.required(format!("{path}.JSONPath"), ""),
        place if place.starts_with('.') => {}
        _ => causes.invalid(format!("{path}.JSONPath"), &it["jsonPath"], NO_PATH),
    }
}

fn scale(it: &Value, path: &str, causes: &mut Causes) {
    if it.is_null() {
        return;
    }
    for (member, prefix, detail) in [
        ("specReplicasPath", ".spec.", "should be a json path under .spec"),
        ("statusReplicasPath", ".status.", "should be a json path under .status"),
    ] {
        let at = format!("{path}.{member}");
        match text(it, member) {
            "" => causes.required(at, ""),
            value if value.starts_with(prefix) => {}
            value if value.starts_with('.') => causes.invalid(at, &it[member], detail),
            _ => causes.invalid(at, &it[member], NO_PATH),
        }
    }
}

/// Defaults are values of their schema, without anything that the schema does not know.
fn defaults(it: &Value, path: &str, causes: &mut Causes) {
    if !it["default"].is_null() {
        default(it, &format!("{path}.default"), causes);
    }
    for (name, member) in it["properties"].as_object().into_iter().flatten() {
        defaults(member, &format!("{path}.properties[{name}]"), causes);
    }
    for member in ["additionalProperties", "items"] {
        if it[member].is_object() {
            defaults(&it[member], &format!("{path}.{member}"), causes);
        }
    }
}

fn default(it: &Value, path: &str, causes: &mut Causes) {
    // The schema stands for a member: at the top of an object there would be metadata beside.
    let wrapped = json!({ "type": "object", "properties": { "it": it } });
    let Ok(schema) = Schema::structural(&wrapped) else { return };
    let mut pruned = json!({ "it": it["default"] });
    if !prune(&mut pruned, &schema).is_empty() {
        causes.invalid(path, &it["default"], "must not have unknown fields");
        return;
    }
    let Some(schema) = schema.property("it") else { return };
    let mut found = Causes::default();
    limits::value(&it["default"], schema, &mut found);
    for cause in found.0 {
        let dot = if cause.field.is_empty() { "" } else { "." };
        causes.add(format!("{path}{dot}{}", cause.field), cause.reason, cause.message);
    }
}
