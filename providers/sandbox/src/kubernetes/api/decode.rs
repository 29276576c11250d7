//! Bodies of requests.

use serde_json::Value;

use super::ask::Ask;
use super::resources::Resource;
use super::status::Status;

/// The media types of a body that is an object.
const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// Reads the object in a request's body.
///
/// # Errors
/// `UnsupportedMediaType`, and `BadRequest` for what is no object.
pub(super) fn object(ask: &Ask<'_>) -> Result<Value, Status> {
    let value = match ask.content_type() {
        "" | "application/json" | "*/*" => json(ask.body)?,
        "application/yaml" => yaml(ask.body)?,
        // Custom resources have no form in protobuf.
        "application/vnd.kubernetes.protobuf" if ask.resource.definition.is_none() => {
            super::protobuf::object(ask.body)?
        }
        _ => return Err(Status::unsupported_media_type(ACCEPTED)),
    };
    if !value.is_object() {
        return Err(Status::bad_request(
            "couldn't get version/kind; json parse error: cannot unmarshal into an object",
        ));
    }
    Ok(value)
}

/// Reads JSON.
pub(super) fn json(bytes: &[u8]) -> Result<Value, Status> {
    serde_json::from_slice(bytes)
        .map_err(|error| Status::bad_request(format!("couldn't get version/kind; json parse error: {error}")))
}

/// Reads YAML.
pub(super) fn yaml(bytes: &[u8]) -> Result<Value, Status> {
    serde_norway::from_slice(bytes)
        .map_err(|error| Status::bad_request(format!("error converting YAML to JSON: yaml: {error}")))
}

/// Sets `apiVersion` and `kind` where they are missing, and refuses others.
pub(super) fn identify(object: &mut Value, api_version: &str, kind: &str, resource: &Resource) -> Result<(), Status> {
    let is_custom = resource.definition.is_some();
    for (member, expected) in [("kind", kind), ("apiVersion", api_version)] {
        match object[member].as_str().filter(|it| !it.is_empty()) {
            None if is_custom => {
                let what = if member == "kind" { "Kind" } else { "apiVersion" };
                return Err(Status::bad_request(format!("Object '{what}' is missing in '{object}'")));
            }
            None => object[member] = expected.into(),
            Some(_) => {}
        }
    }
    let (sent_version, sent_kind) =
        (object["apiVersion"].as_str().unwrap_or(""), object["kind"].as_str().unwrap_or(""));
    if sent_version != api_version {
        return Err(Status::bad_request(format!(
            "the API version in the data ({sent_version}) does not match the expected API version ({api_version})"
        )));
    }
    if sent_kind != kind {
        return Err(Status::bad_request(format!(
            "{sent_kind} in version \"{}\" cannot be handled as a {kind}: no kind \"{sent_kind}\" is served there",
            resource.version
        )));
    }
    let metadata = &object["metadata"];
    if !metadata.is_null() && !metadata.is_object() {
        return Err(Status::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: json: cannot unmarshal metadata into Go struct field",
            resource.version
        )));
    }
    Ok(())
}
