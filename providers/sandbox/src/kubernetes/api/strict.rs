//! Where the schema's functions meet a request: unknown fields, defaults, validation, managers.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::{Value, json};

use super::ask::Ask;
use super::decode;
use super::resources::Resource;
use super::status::{Cause, Status};
use super::write::Write;
use crate::kubernetes::apply::{self, Manager};
use crate::kubernetes::life;
use crate::kubernetes::schema::{self, Schema, catalog};
use crate::world::World;

/// The form of a resource's objects as they are sent; `None` where nothing is known of it.
pub(super) fn schema(resource: &Resource) -> Option<Arc<Schema>> {
    match &resource.definition {
        None => catalog::schema(&resource.group, &resource.version, &resource.kind),
        Some((definition, place)) => custom(definition, *place),
    }
}

/// The form of a resource's objects as they are kept.
fn stored_schema(resource: &Resource) -> Option<Arc<Schema>> {
    match resource.group.as_str() {
        "events.k8s.io" => catalog::schema("", "v1", &resource.kind),
        "autoscaling" => catalog::schema("autoscaling", "v2", &resource.kind),
        _ => schema(resource),
    }
}

/// So many forms of custom resources are kept at hand.
const FORMS: usize = 256;

/// Forms of custom resources by definition, its revision, and version.
static CUSTOM: LazyLock<Mutex<HashMap<String, Option<Arc<Schema>>>>> = LazyLock::new(Mutex::default);

fn custom(definition: &Value, place: usize) -> Option<Arc<Schema>> {
    let metadata = &definition["metadata"];
    let name = format!("{}/{}/{place}", metadata["uid"], metadata["resourceVersion"]);
    let mut forms = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
    if forms.len() >= FORMS {
        forms.clear();
    }
    let read = || Schema::structural(&definition["spec"]["versions"][place]["schema"]["openAPIV3Schema"]).ok();
    forms.entry(name).or_insert_with(read).clone()
}

/// Reads the object in a request's body without what its schema does not know, and the warnings about that.
///
/// # Errors
/// Those of decoding; `BadRequest` for unknown or repeated fields when `fieldValidation` is `Strict`.
pub(super) fn read(ask: &Ask<'_>) -> Result<(Value, Vec<String>), Status> {
    let (mut object, repeated) = match ask.content_type() {
        "" | "application/json" | "*/*" => {
            let refuse =
                |said: String| decode::unrecognized(ask, &decode::parse_error(&decode::go_json(&said, ask.body)));
            schema::parse_strict(ask.body).map_err(refuse)?
        }
        _ => (decode::object(ask)?, Vec::new()),
    };
    if !object.is_object() {
        return Err(decode::unrecognized(ask, &decode::parse_error(&decode::no_object(&object))));
    }
    let has_kind = object["kind"].as_str().is_some_and(|kind| !kind.is_empty());
    if ask.resource.definition.is_some() && !has_kind {
        return Err(decode::unrecognized(ask, &format!("Object 'Kind' is missing in '{object}'")));
    }
    if let Some(why) = mismatch(ask, &object) {
        let (kind, version) = (&ask.resource.kind, &ask.resource.version);
        let message = format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}");
        return Err(Status::bad_request(message));
    }
    let warnings = prune(ask, &mut object, repeated)?;
    Ok((object, warnings))
}

/// The decoder's words about a value that its type cannot hold. An object of another kind is refused for that.
fn mismatch(ask: &Ask<'_>, object: &Value) -> Option<String> {
    let is_other = object["kind"].as_str().is_some_and(|kind| kind != ask.resource.kind);
    let schema = schema(&ask.resource).filter(|_| !is_other)?;
    super::types::mismatch(object, &schema, &ask.resource.kind)
}

/// The same for what a patch made of an object: a mistake is one of the patch.
///
/// # Errors
/// `Invalid` for values of a wrong kind, and for unknown fields when `fieldValidation` is `Strict`.
pub(super) fn prune_patched(ask: &Ask<'_>, object: &mut Value) -> Result<Vec<String>, Status> {
    let patched = object.clone();
    let invalid = |why: &str| unpatched(&patched, why);
    if let Some(why) = mismatch(ask, object) {
        return Err(invalid(&why));
    }
    prune(ask, object, Vec::new()).map_err(|refused| match refused.message.split_once(": strict decoding error: ") {
        Some((_, what)) => invalid(&format!("strict decoding error: {what}")),
        None => refused,
    })
}

/// The refusal of what a patch has made.
pub(super) fn unpatched(patched: &Value, why: &str) -> Status {
    let cause = Cause::invalid("patch", &Value::from(patched.to_string()), why);
    let mut status = Status::new(422, "Invalid", format!(" \"\" is invalid: {}: {}", cause.field, cause.message));
    status.details = json!({ "causes": [{ "reason": cause.reason, "message": cause.message, "field": cause.field }] });
    status
}

/// Removes what the schema does not know, and answers warnings about it, as `fieldValidation` says.
pub(super) fn prune(ask: &Ask<'_>, object: &mut Value, repeated: Vec<String>) -> Result<Vec<String>, Status> {
    let unknown = schema(&ask.resource).map(|schema| schema::prune(object, &schema)).unwrap_or_default();
    let unknown = unknown.into_iter().map(|path| format!("unknown field \"{path}\""));
    let repeated = repeated.into_iter().map(|path| format!("duplicate field \"{path}\""));
    let wrong: Vec<String> = unknown.chain(repeated).collect();
    match ask.query.get("fieldValidation") {
        Some("Ignore") => Ok(Vec::new()),
        Some("Strict") if !wrong.is_empty() => {
            let (kind, version) = (&ask.resource.kind, &ask.resource.version);
            Err(Status::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {}",
                wrong.join(", ")
            )))
        }
        // Others were refused with the options.
        _ => Ok(wrong),
    }
}

/// Sets the schema's defaults.
pub(super) fn default(object: &mut Value, resource: &Resource) {
    if let Some(schema) = stored_schema(resource) {
        schema::default(object, &schema);
    }
}

/// The status of a new object, as Go encodes one that nobody has filled in; null where that is left out.
pub(super) fn empty_status(resource: &Resource) -> Value {
    let schema = stored_schema(resource);
    let status = schema.as_deref().and_then(|schema| schema.property("status"));
    let is_written = |status: &&Arc<Schema>| status.default.as_ref().is_some_and(Value::is_object);
    status.filter(is_written).map_or(Value::Null, |status| status.zero().clone())
}

/// What the schema and its kind's rules say against an object.
pub(super) fn validate(resource: &Resource, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let Some(schema) = stored_schema(resource) else { return Vec::new() };
    let causes = schema::validate(object, old, &schema);
    causes.into_iter().map(|cause| Cause::new(cause.reason, cause.field, cause.message)).collect()
}

/// Records in `managedFields` who set what.
pub(super) fn record(world: &World, write: &Write<'_>, old: Option<&Value>, object: &mut Value) {
    let Some(schema) = stored_schema(write.resource) else { return };
    let (now, api_version) = (life::seconds(world), write.resource.api_version());
    apply::record_update(old, object, &manager(write, &now, &api_version), &schema);
}

/// Who writes, for `managedFields`.
pub(super) fn manager<'a>(write: &Write<'a>, now: &'a str, api_version: &'a str) -> Manager<'a> {
    Manager {
        name: write.manager,
        subresource: write.subresource,
        api_version,
        now,
        has_status: write.resource.subresource("status").is_some(),
    }
}
