//! Volumes, claims and storage classes (`pkg/apis/core/validation`, `pkg/apis/storage/validation`).

use serde_json::Value;

use super::{Causes, text};

/// Members of a volume that are no kind of storage.
const BESIDE: [&str; 10] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
    "volumeName",
];

pub(super) fn volume(it: &Value, causes: &mut Causes) {
    let spec = &it["spec"];
    if is_empty(&spec["accessModes"]) {
        causes.required("spec.accessModes", "");
    }
    if is_empty(&spec["capacity"]) {
        causes.required("spec.capacity", "");
    }
    if spec["capacity"]["storage"].is_null() {
        causes.unsupported("spec.capacity", &spec["capacity"], &["storage"]);
    }
    let mut members = spec.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    if !members.any(|name| !BESIDE.contains(&name)) {
        causes.required("spec", "must specify a volume type");
    }
}

pub(super) fn claim(it: &Value, old: Option<&Value>, causes: &mut Causes) {
    let spec = &it["spec"];
    if is_empty(&spec["accessModes"]) {
        causes.required("spec.accessModes", "at least 1 access mode is required");
    }
    if spec["resources"]["requests"]["storage"].is_null() {
        causes.required("spec.resources[storage]", "");
    }
    // A claim may ask for more, and be bound.
    let fixed =
        |it: &Value| ["accessModes", "selector", "storageClassName", "volumeMode"].map(|name| it["spec"][name].clone());
    if old.is_some_and(|old| fixed(old) != fixed(it)) {
        let detail =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        causes.forbidden("spec", detail);
    }
}

pub(super) fn class(it: &Value, causes: &mut Causes) {
    if text(it, "provisioner").is_empty() {
        causes.required("provisioner", "");
    }
    supported(it, "reclaimPolicy", &["Delete", "Retain"], causes);
    supported(it, "volumeBindingMode", &["Immediate", "WaitForFirstConsumer"], causes);
}

fn supported(it: &Value, name: &str, values: &[&str], causes: &mut Causes) {
    let value = text(it, name);
    if !value.is_empty() && !values.contains(&value) {
        causes.unsupported(name, &it[name], values);
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().map(Vec::len).or_else(|| value.as_object().map(serde_json::Map::len)).unwrap_or(0) == 0
}
