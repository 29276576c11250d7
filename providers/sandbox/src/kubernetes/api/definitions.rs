//! CustomResourceDefinitions: when their names are accepted, the resource is there.

use serde_json::{Value, json};

use super::resources;
use super::write::Write;
use crate::kubernetes::life;
use crate::world::World;

/// Sets the names that follow from others, and the strategy of conversion (`SetDefaults_CustomResourceDefinitionSpec`).
pub(super) fn name(definition: &mut Value) {
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
}

/// Accepts a definition's names and establishes it, as the API server's own controllers do a moment after it was made.
pub(super) fn establish(world: &World, write: &Write<'_>, definition: &mut Value) {
    name(definition);
    let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
    let storage: Vec<&Value> = versions.filter(|it| it["storage"] == true).map(|it| &it["name"]).collect();
    let mut stored: Vec<Value> = definition["status"]["storedVersions"].as_array().cloned().unwrap_or_default();
    stored.extend(storage.into_iter().filter(|it| !stored.contains(it)).cloned().collect::<Vec<_>>());
    let (accepted, conflict) = accept(world, write, definition);
    let is_established = conflict.is_none() || has_condition(definition, "Established");
    let names = match &conflict {
        None => ("True", "NoConflicts", "no conflicts found".to_owned()),
        Some((reason, taken)) => ("False", *reason, format!("{taken:?} is already in use")),
    };
    let established = if is_established {
        ("True", "InitialNamesAccepted", "the initial names have been accepted".to_owned())
    } else {
        ("False", "NotAccepted", "not all names are accepted".to_owned())
    };
    let before = definition["status"]["conditions"].clone();
    let now = life::seconds(world);
    let condition = |kind: &str, (status, reason, message): (&str, &str, String)| {
        let old = before.as_array().into_iter().flatten().find(|it| it["type"] == kind && it["status"] == status);
        let since = old.map_or_else(|| json!(now), |it| it["lastTransitionTime"].clone());
        json!({ "type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message })
    };
    definition["status"] = json!({
        "acceptedNames": accepted,
        "storedVersions": stored,
        "conditions": [condition("NamesAccepted", names), condition("Established", established)],
    });
}

fn has_condition(definition: &Value, kind: &str) -> bool {
    let conditions = definition["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|it| it["type"] == kind && it["status"] == "True")
}

/// Names of resources, of which each is there once in a group.
const RESOURCES: &[&str] = &["plural", "singular", "shortNames"];

/// The same of kinds.
const KINDS: &[&str] = &["kind", "listKind"];

/// The names that no other definition of the group has, and the last that one has (`namingConditionController`).
fn accept(world: &World, write: &Write<'_>, definition: &Value) -> (Value, Option<(&'static str, String)>) {
    let spec = &definition["spec"];
    let all = world.kubernetes.objects.list(write.cluster, resources::DEFINITIONS, None);
    let others = all
        .filter(|it| it["spec"]["group"] == spec["group"] && it["metadata"]["name"] != definition["metadata"]["name"]);
    let taken: Vec<&Value> = others.map(|it| &it["status"]["acceptedNames"]).collect();
    let is_taken = |members: &[&str], name: &Value| {
        let has = |names: &&Value| {
            members
                .iter()
                .any(|member| names[*member] == *name || names[*member].as_array().is_some_and(|it| it.contains(name)))
        };
        !name.is_null() && taken.iter().any(has)
    };
    let before = &definition["status"]["acceptedNames"];
    let mut accepted = if before.is_object() { before.clone() } else { json!({ "plural": "", "kind": "" }) };
    let mut conflict = None;
    for (member, among, reason) in [
        ("plural", RESOURCES, "PluralConflict"),
        ("singular", RESOURCES, "SingularConflict"),
        ("shortNames", RESOURCES, "ShortNamesConflict"),
        ("kind", KINDS, "KindConflict"),
        ("listKind", KINDS, "ListKindConflict"),
    ] {
        let wanted = &spec["names"][member];
        let names = wanted.as_array().map_or_else(|| vec![wanted], |list| list.iter().collect());
        match names.into_iter().find(|name| is_taken(among, name)) {
            Some(name) => conflict = Some((reason, name.as_str().unwrap_or("").to_owned())),
            None => super::write::set(&mut accepted, member, wanted.clone()),
        }
    }
    super::write::set(&mut accepted, "categories", spec["names"]["categories"].clone());
    (accepted, conflict)
}
