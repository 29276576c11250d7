//! PATCH, by media type.

use std::sync::Arc;

use serde_json::{Value, json};

use super::ask::Ask;
use super::read::existing;
use super::reply::{Content, Reply};
use super::resources::Resource;
use super::status::{Cause, Status};
use super::write::{self, Write};
use crate::kubernetes::apply::{self, ApplyError, Conflict};
use crate::kubernetes::life;
use crate::kubernetes::patch::{self, PatchError};
use crate::kubernetes::schema::Schema;
use crate::world::World;

/// Answers a PATCH.
pub(super) fn request(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    check_media_type(ask)?;
    if ask.content_type() == "application/apply-patch+yaml" {
        return applied(world, ask);
    }
    if ask.query.is_on("force") {
        return Err(options_invalid(Cause::forbidden("force", "may not be specified for non-apply patch")));
    }
    let old = existing(world, ask)?;
    let mut new = patched(ask, &super::reply::present(&ask.resource, &old))?;
    let warnings = super::strict::prune_patched(ask, &mut new)?;
    let (manager, name) = (ask.manager(), &ask.place.name);
    let updated = write::replace(world, &Write::of(ask, &manager), name, new)?;
    let mut reply = Reply::new(200, Content::Object(Arc::clone(&ask.resource), updated, world.now));
    reply.warnings = warnings;
    Ok(reply)
}

fn options_invalid(cause: Cause) -> Status {
    Status::options_of("PatchOptions", &[cause])
}

/// Who applies must say who it is.
pub(super) fn check_manager(ask: &Ask<'_>) -> Result<(), Status> {
    match ask.query.get("fieldManager") {
        Some(_) => Ok(()),
        None => Err(options_invalid(Cause::required("fieldManager", "is required for apply patch"))),
    }
}

/// Answers a server-side apply; what is not there is made.
fn applied(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let resource = &ask.resource;
    check_manager(ask)?;
    let manager = ask.manager();
    let write = Write { is_applied: true, ..Write::of(ask, &manager) };
    let wrong = |why: &str| Status::bad_request(format!("error decoding YAML: {why}"));
    let converted = |why: String| wrong(&format!("error converting YAML to JSON: {why}"));
    let mut config = super::decode::yaml(ask.body).map_err(converted)?;
    if !config.is_object() {
        let is = super::types::named(&config);
        return Err(wrong(&format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {is} into Go value of type map[string]interface {{}}"
        )));
    }
    identify(&config, resource)?;
    let name = &ask.place.name;
    if config["metadata"]["name"].as_str().is_some_and(|sent| sent != name) {
        let sent = config["metadata"]["name"].as_str().unwrap_or("");
        return Err(Status::bad_request(format!(
            "the name of the object ({sent}) does not match the name on the URL ({name})"
        )));
    }
    write::metadata(&mut config).insert("name".to_owned(), json!(name));
    let (code, object) = merged(world, ask, &write, &config)?;
    let reply = Reply::new(code, Content::Object(Arc::clone(resource), object, world.now));
    Ok(reply)
}

/// A configuration says of which kind it is.
fn identify(config: &Value, resource: &Resource) -> Result<(), Status> {
    let text = |member: &str| config[member].as_str().unwrap_or("");
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if (api_version, kind) == (resource.api_version().as_str(), resource.kind.as_str()) {
        return Ok(());
    }
    let slash = if api_version.contains('/') { "" } else { "/" };
    Err(Status::bad_request(format!("invalid object type: {slash}{api_version}, Kind={kind}")))
}

/// Merges a configuration into what there is, and writes it; with the answer's code.
pub(super) fn merged(
    world: &mut World,
    ask: &Ask<'_>,
    write: &Write<'_>,
    config: &Value,
) -> Result<(u16, Arc<Value>), Status> {
    let (resource, name) = (&ask.resource, &ask.place.name);
    let live = world.kubernetes.objects.get(&write.key(name)).map(|object| super::reply::present(resource, object));
    if live.is_none() && !ask.place.subresource.is_empty() {
        return Err(Status::not_found(resource, name));
    }
    if let Some(uid) = config["metadata"]["uid"].as_str().filter(|uid| live.is_none() && !uid.is_empty()) {
        let cause = Cause::invalid("metadata.uid", &json!(uid), "field is immutable");
        return Err(Status::invalid(resource, name, &[cause]));
    }
    let mut config = config.clone();
    if live.is_none() {
        // What is not there has no version that could be another.
        write::set(&mut config["metadata"], "resourceVersion", Value::Null);
    }
    let schema = super::strict::schema(resource).unwrap_or_else(Schema::any);
    let (now, api_version) = (life::seconds(world), resource.api_version());
    let who = super::strict::manager(write, &now, &api_version);
    let merged =
        apply::apply(live.as_deref(), &config, &who, ask.query.is_on("force"), &schema).map_err(not_applied)?;
    Ok(match live {
        Some(_) => (200, write::replace(world, write, name, merged)?),
        None => (201, write::create(world, write, merged)?),
    })
}

fn not_applied(error: ApplyError) -> Status {
    match error {
        ApplyError::Conflicts { message, conflicts } => {
            let mut status = Status::new(409, "Conflict", message);
            let cause =
                |it: &Conflict| json!({ "reason": "FieldManagerConflict", "message": it.message, "field": it.field });
            status.details = json!({ "causes": conflicts.iter().map(cause).collect::<Vec<_>>() });
            status
        }
        ApplyError::BadRequest(message) => Status::bad_request(message),
        ApplyError::Untyped(message) => Status::new(500, "", message),
    }
}

pub(super) fn patched(ask: &Ask<'_>, old: &Value) -> Result<Value, Status> {
    let patch = super::decode::json(ask.body).map_err(|why| undecoded(ask, &why))?;
    let is_custom = ask.resource.definition.is_some();
    let patched = match ask.content_type() {
        "application/json-patch+json" => patch::json(old.clone(), &patch),
        "application/merge-patch+json" => patch::merge(old.clone(), &patch),
        "application/strategic-merge-patch+json" if !is_custom => {
            let schema = super::strict::schema(&ask.resource).unwrap_or_else(Schema::any);
            patch::strategic(old.clone(), &patch, &schema)
        }
        _ => return Err(unsupported(is_custom)),
    };
    let patched = patched.map_err(refusal)?;
    if patched.is_object() {
        return Ok(patched);
    }
    Err(refusal(PatchError::unprocessable("the patched object is no object")))
}

/// A patch that is no JSON, or none of its kind.
fn undecoded(ask: &Ask<'_>, why: &str) -> Status {
    match ask.content_type() {
        "application/strategic-merge-patch+json" => Status::bad_request(why),
        _ => Status::bad_request(format!("error decoding patch: {why}")),
    }
}

fn refusal(error: PatchError) -> Status {
    let mut status = Status::new(error.code, error.reason, error.message);
    if error.code == 422 {
        status.details = json!({});
    }
    status
}

/// Whether the body is a patch of a kind that there is; it is asked before what is to be patched is looked for.
pub(super) fn check_media_type(ask: &Ask<'_>) -> Result<(), Status> {
    let is_custom = ask.resource.definition.is_some();
    match ask.content_type() {
        "application/json-patch+json" | "application/merge-patch+json" | "application/apply-patch+yaml" => Ok(()),
        "application/strategic-merge-patch+json" if !is_custom => Ok(()),
        _ => Err(unsupported(is_custom)),
    }
}

fn unsupported(is_custom: bool) -> Status {
    if !is_custom {
        return Status::unsupported_patch();
    }
    Status::unsupported_media_type(
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    )
}
