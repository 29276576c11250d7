//! Questions that are asked by creating an object: who am I, may I.

use super::ask::Ask;
use super::reply::Reply;
use super::status::Status;
use crate::world::World;

/// Answers a review; `None` when the resource is none.
pub(super) fn run(_world: &mut World, ask: &Ask<'_>) -> Option<Result<Reply, Status>> {
    match ask.resource.group.as_str() {
        "authentication.k8s.io" | "authorization.k8s.io" => Some(Err(Status::not_simulated(&ask.resource.qualified()))),
        _ => None,
    }
}
