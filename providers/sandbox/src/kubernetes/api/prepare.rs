//! What the API server does of itself to an object of a kind before it is stored: its strategies and built-in admission plugins.

use serde_json::{Value, json};

use super::status::Status;
use super::write::{Write, metadata, set};
use crate::world::World;

/// Before a new object meets the webhooks.
pub(super) fn create(_world: &mut World, write: &Write<'_>, name: &str, object: &mut Value) -> Result<(), Status> {
    if write.resource.subresource("status").is_some() && !keeps_status(&write.resource.stored()) {
        set(object, "status", Value::Null);
    }
    match write.resource.stored().as_str() {
        "namespaces" => namespace(name, object),
        super::resources::DEFINITIONS => super::definitions::establish(object),
        "secrets" => secret(object),
        _ => {}
    }
    Ok(())
}

/// Before a changed object meets the webhooks.
pub(super) fn update(_world: &mut World, write: &Write<'_>, old: &Value, object: &mut Value) -> Result<(), Status> {
    match write.resource.stored().as_str() {
        "namespaces" if write.subresource != "finalize" => {
            object["spec"] = old["spec"].clone();
            label_namespace(object);
        }
        super::resources::DEFINITIONS if write.subresource.is_empty() => super::definitions::establish(object),
        "secrets" => secret(object),
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

fn namespace(name: &str, object: &mut Value) {
    object["spec"] = json!({ "finalizers": ["kubernetes"] });
    object["status"] = json!({ "phase": "Active" });
    let metadata = metadata(object);
    if metadata.get("name").is_none() {
        metadata.insert("name".to_owned(), json!(name));
    }
    label_namespace(object);
}

/// The label by which selectors find a namespace by its name.
fn label_namespace(object: &mut Value) {
    let name = object["metadata"]["name"].clone();
    let labels = &mut object["metadata"]["labels"];
    if !labels.is_object() {
        *labels = json!({});
    }
    labels["kubernetes.io/metadata.name"] = name;
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
