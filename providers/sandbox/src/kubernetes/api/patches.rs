//! PATCH, by media type.

use std::sync::Arc;

use serde_json::Value;

use super::ask::Ask;
use super::read::existing;
use super::reply::{Content, Reply};
use super::status::Status;
use super::write::{self, Write};
use crate::world::World;

/// Answers a PATCH.
pub(super) fn request(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let old = existing(world, ask)?;
    let new = patched(ask, &super::reply::present(&ask.resource, &old))?;
    let (manager, name) = (ask.manager(), &ask.place.name);
    let updated = write::replace(world, &Write::of(ask, &manager), name, new)?;
    Ok(Reply::new(200, Content::Object(Arc::clone(&ask.resource), updated, world.now)))
}

fn patched(ask: &Ask<'_>, old: &Value) -> Result<Value, Status> {
    let patch = super::decode::json(ask.body)?;
    match ask.content_type() {
        "application/merge-patch+json" | "application/strategic-merge-patch+json" => {
            let mut new = old.clone();
            merge(&mut new, patch);
            Ok(new)
        }
        _ => Err(Status::unsupported_media_type(
            "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml, application/apply-patch+cbor",
        )),
    }
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = serde_json::json!({});
    }
    for (member, value) in patch {
        if value.is_null() {
            write::set(target, &member, Value::Null);
        } else {
            merge(&mut target[member], value);
        }
    }
}
