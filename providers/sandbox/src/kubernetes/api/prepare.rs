//! What the API server does of itself to an object of a kind before it is stored: its strategies and built-in admission plugins.

use serde_json::{Value, json};

use super::status::Status;
use super::write::{Write, set};
use crate::kubernetes::life;
use crate::world::World;

/// What decoding does beside the schema's defaults; it belongs to who writes.
pub(super) fn decoded(write: &Write<'_>, name: &str, object: &mut Value) {
    if !write.subresource.is_empty() {
        return;
    }
    match write.resource.stored().as_str() {
        "namespaces" => label_namespace(name, object),
        super::resources::DEFINITIONS => super::definitions::name(object),
        "secrets" => secret(object),
        "pods" => host(&mut object["spec"]),
        _ => {}
    }
}

/// Before a new object meets the webhooks.
pub(super) fn create(world: &mut World, write: &Write<'_>, object: &mut Value) -> Result<(), Status> {
    let stored = write.resource.stored();
    if write.resource.subresource("status").is_some() && !keeps_status(&stored) {
        set(object, "status", super::strict::empty_status(write.resource));
    }
    match stored.as_str() {
        "namespaces" => {
            let mut finalizers = object["spec"]["finalizers"].as_array().cloned().unwrap_or_default();
            if !finalizers.contains(&json!("kubernetes")) {
                finalizers.push(json!("kubernetes"));
            }
            object["spec"] = json!({ "finalizers": finalizers });
            object["status"] = json!({ "phase": "Active" });
        }
        "persistentvolumeclaims" => object["status"] = json!({ "phase": "Pending" }),
        "persistentvolumes" => {
            object["status"] = json!({ "phase": "Pending", "lastPhaseTransitionTime": life::seconds(world) });
        }
        super::resources::DEFINITIONS => super::definitions::establish(world, write, object),
        "jobs.batch" => super::jobs::select(world, object),
        // Go writes these when they are not there.
        "roles.rbac.authorization.k8s.io" | "clusterroles.rbac.authorization.k8s.io" => written(object, &["rules"]),
        "events" => written(object, &["firstTimestamp", "lastTimestamp", "eventTime"]),
        _ => {}
    }
    Ok(())
}

/// Before a changed object meets the webhooks.
pub(super) fn update(world: &mut World, write: &Write<'_>, old: &Value, object: &mut Value) -> Result<(), Status> {
    match write.resource.stored().as_str() {
        "namespaces" if write.subresource != "finalize" => object["spec"] = old["spec"].clone(),
        super::resources::DEFINITIONS if write.subresource.is_empty() => {
            super::definitions::establish(world, write, object);
        }
        _ => {}
    }
    Ok(())
}

/// What is given out to an object: addresses, ports.
pub(super) fn allocate(
    world: &mut World,
    write: &Write<'_>,
    old: Option<&Value>,
    object: &mut Value,
) -> Result<(), Status> {
    match write.resource.stored().as_str() {
        "services" if write.subresource.is_empty() => super::services::allocate(world, write, old, object),
        _ => Ok(()),
    }
}

/// Kinds whose status comes with them.
fn keeps_status(stored: &str) -> bool {
    matches!(stored, "nodes")
}

/// Makes members be there, with null where they are not.
fn written(object: &mut Value, members: &[&str]) {
    for member in members {
        if object[*member].is_null() {
            object[*member] = Value::Null;
        }
    }
}

/// What a pod does not share with its host is not written.
fn host(spec: &mut Value) {
    for member in ["hostNetwork", "hostPID", "hostIPC"] {
        if spec[member] == false {
            set(spec, member, Value::Null);
        }
    }
}

/// The label by which selectors find a namespace by its name.
fn label_namespace(name: &str, object: &mut Value) {
    let labels = &mut object["metadata"]["labels"];
    if !labels.is_object() {
        *labels = json!({});
    }
    labels["kubernetes.io/metadata.name"] = json!(name);
}

/// `stringData` becomes part of `data`; a secret without a type is opaque.
fn secret(object: &mut Value) {
    use base64::Engine;
    if let Some(Value::Object(texts)) = object.as_object_mut().and_then(|members| members.remove("stringData")) {
        if !object["data"].is_object() {
            object["data"] = json!({});
        }
        for (name, text) in texts {
            let text = text.as_str().unwrap_or("");
            object["data"][name] = json!(base64::engine::general_purpose::STANDARD.encode(text));
        }
    }
    if object["type"].as_str().unwrap_or("").is_empty() {
        object["type"] = json!("Opaque");
    }
}
