//! Subresources: `status`, `scale`, and the verbs of pods.

use super::ask::Ask;
use super::reply::Reply;
use super::status::Status;
use super::{patches, read, write};
use crate::world::World;

/// Answers a request to a subresource.
pub(super) fn run(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    match (ask.place.subresource.as_str(), ask.verb) {
        ("status", "get") => read::get(world, ask),
        ("status" | "finalize", "update") => write::update_request(world, ask),
        ("status", "patch") => patches::request(world, ask),
        (part, _) => Err(Status::not_simulated(&format!("{}/{part}", ask.resource.qualified()))),
    }
}
