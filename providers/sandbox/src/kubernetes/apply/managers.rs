//! `metadata.managedFields`: who owns what, since when.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fields;
use super::set::{Element, Set};

/// Who owns fields. One that applies is the same whichever version it uses; one that updates is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) is_apply: bool,
    pub(super) manager: String,
    /// Empty for those that apply.
    pub(super) api_version: String,
    pub(super) subresource: String,
}

/// What a manager owns.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) set: Set,
    pub(super) api_version: String,
    /// RFC 3339 in whole seconds.
    pub(super) time: Option<String>,
}

/// All managers of an object.
#[derive(Clone, Debug, Default)]
pub(super) struct Managers(pub(super) BTreeMap<Id, Owned>);

/// So many managers that update are kept apart (`DefaultMaxUpdateManagers`).
const MAX_UPDATERS: usize = 10;

impl Managers {
    /// Those of an object; `None` when what is written cannot be read.
    pub(super) fn read(object: &Value) -> Option<Self> {
        let mut managers = Self::default();
        match &object["metadata"]["managedFields"] {
            Value::Null => {}
            Value::Array(entries) => {
                for entry in entries {
                    let (id, owned) = read_entry(entry)?;
                    managers.0.insert(id, owned);
                }
            }
            _ => return None,
        }
        Some(managers)
    }

    /// Whether a request asks to forget all managers: an empty list, or one empty entry.
    pub(super) fn is_reset(object: &Value) -> bool {
        let entries = object["metadata"]["managedFields"].as_array();
        let is_empty = |entry: &Value| entry.as_object().is_some_and(|it| it.values().all(is_unset));
        entries.is_some_and(|entries| entries.is_empty() || (entries.len() == 1 && is_empty(&entries[0])))
    }

    /// Writes them into an object.
    pub(super) fn write(&self, object: &mut Value) {
        if self.0.is_empty() {
            remove(object);
            return;
        }
        let mut entries: Vec<(&Id, &Owned)> = self.0.iter().collect();
        // Those that apply come first, then by time.
        entries.sort_by_key(|(id, owned)| {
            let time = owned.time.as_deref().unwrap_or("");
            (!id.is_apply, time, &id.manager, &owned.api_version, &id.subresource)
        });
        let entries: Vec<Value> = entries.into_iter().map(|(id, owned)| write_entry(id, owned)).collect();
        object["metadata"]["managedFields"] = Value::Array(entries);
    }

    /// Drops managers that own nothing.
    pub(super) fn drop_empty(&mut self) {
        self.0.retain(|_, owned| !owned.set.is_empty());
    }

    /// Merges the oldest of too many managers that update into one, for each version.
    pub(super) fn cap(&mut self) {
        let mut updaters: Vec<(Option<String>, Id)> =
            self.0.iter().filter(|(id, _)| !id.is_apply).map(|(id, owned)| (owned.time.clone(), id.clone())).collect();
        updaters.sort();
        let mut left = updaters.len();
        let mut firsts: BTreeMap<String, Id> = BTreeMap::new();
        for (_, id) in updaters {
            if left <= MAX_UPDATERS {
                return;
            }
            let Some(first) = firsts.get(&id.api_version).cloned() else {
                firsts.insert(id.api_version.clone(), id);
                continue;
            };
            let bucket = Id { manager: "ancient-changes".to_owned(), subresource: String::new(), ..id.clone() };
            if !self.0.contains_key(&bucket)
                && let Some(owned) = self.0.remove(&first)
            {
                self.0.insert(bucket.clone(), owned);
            }
            if let Some(owned) = self.0.remove(&id)
                && let Some(ancient) = self.0.get_mut(&bucket)
            {
                ancient.set = std::mem::take(&mut ancient.set).union(&owned.set);
                ancient.time = owned.time;
            }
            left -= 1;
        }
    }
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Takes `managedFields` out of an object.
pub(super) fn remove(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
}

fn read_entry(entry: &Value) -> Option<(Id, Owned)> {
    let text = |name: &str| entry[name].as_str().unwrap_or("").to_owned();
    let is_apply = match entry["operation"].as_str()? {
        "Apply" => true,
        "Update" => false,
        _ => return None,
    };
    let api_version = text("apiVersion");
    if api_version.is_empty() || entry["fieldsType"] != "FieldsV1" {
        return None;
    }
    let set = if entry["fieldsV1"].is_null() { Set::default() } else { fields::decode(&entry["fieldsV1"])? };
    let id = Id {
        is_apply,
        manager: text("manager"),
        api_version: if is_apply { String::new() } else { api_version.clone() },
        subresource: text("subresource"),
    };
    Some((id, Owned { set, api_version, time: entry["time"].as_str().map(str::to_owned) }))
}

fn write_entry(id: &Id, owned: &Owned) -> Value {
    let mut entry = Map::new();
    if !id.manager.is_empty() {
        entry.insert("manager".to_owned(), json!(id.manager));
    }
    entry.insert("operation".to_owned(), json!(if id.is_apply { "Apply" } else { "Update" }));
    entry.insert("apiVersion".to_owned(), json!(owned.api_version));
    if let Some(time) = &owned.time {
        entry.insert("time".to_owned(), json!(time));
    }
    entry.insert("fieldsType".to_owned(), json!("FieldsV1"));
    entry.insert("fieldsV1".to_owned(), fields::encode(&owned.set));
    if !id.subresource.is_empty() {
        entry.insert("subresource".to_owned(), json!(id.subresource));
    }
    Value::Object(entry)
}

/// Fields that nobody owns: the server sets them, or they name the object.
pub(super) fn never_owned() -> Set {
    let names = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    let mut set = Set::of_fields(&[&["apiVersion"], &["kind"], &["metadata"]]);
    for name in names {
        set.insert(&[Element::field("metadata"), Element::field(name)]);
    }
    set
}

/// Fields that a request to this subresource cannot change, by Kubernetes' strategies (`GetResetFields`). `has_status` says
/// whether the kind has a subresource of that name.
pub(super) fn reset(kind: &str, subresource: &str, is_builtin: bool, has_status: bool) -> Set {
    match subresource {
        "" | "finalize" | "approval" if has_status => Set::of_fields(&[&["status"]]),
        "status" if !is_builtin => Set::of_fields(&[&["metadata"], &["spec"]]),
        "status" => match kind {
            "Pod" => Set::of_fields(&[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]]),
            "Deployment" => Set::of_fields(&[&["spec"], &["metadata", "labels"]]),
            "CustomResourceDefinition"
            | "ServiceCIDR"
            | "StorageVersionMigration"
            | "ResourceClaim"
            | "DeviceTaintRule"
            | "FlowSchema"
            | "PriorityLevelConfiguration"
            | "VolumeAttachment"
            | "ValidatingAdmissionPolicy" => Set::of_fields(&[&["metadata"], &["spec"]]),
            _ => Set::of_fields(&[&["spec"]]),
        },
        _ => Set::default(),
    }
}
