//! PATCH, by media type.

use std::sync::Arc;

use serde_json::Value;

use super::ask::Ask;
use super::read::existing;
use super::reply::{Content, Reply};
use super::status::Status;
use super::write::{self, Write};
use crate::kubernetes::patch::{self, PatchError};
use crate::kubernetes::schema::Schema;
use crate::world::World;

/// Answers a PATCH.
pub(super) fn request(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let old = existing(world, ask)?;
    let new = patched(ask, &super::reply::present(&ask.resource, &old))?;
    let (manager, name) = (ask.manager(), &ask.place.name);
    let updated = write::replace(world, &Write::of(ask, &manager), name, new)?;
    Ok(Reply::new(200, Content::Object(Arc::clone(&ask.resource), updated, world.now)))
}

pub(super) fn patched(ask: &Ask<'_>, old: &Value) -> Result<Value, Status> {
    let patch = super::decode::json(ask.body)?;
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
    if patched.is_object() { Ok(patched) } else { Err(Status::bad_request("the patched object is no object")) }
}

fn refusal(error: PatchError) -> Status {
    Status::new(error.code, error.reason, error.message)
}

fn unsupported(is_custom: bool) -> Status {
    let strategic = if is_custom { "" } else { "application/strategic-merge-patch+json, " };
    Status::unsupported_media_type(&format!(
        "application/json-patch+json, application/merge-patch+json, {strategic}application/apply-patch+yaml, application/apply-patch+cbor"
    ))
}
