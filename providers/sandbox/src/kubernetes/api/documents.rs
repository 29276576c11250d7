//! The OpenAPI documents and the issuer's keys.

use bytes::Bytes;
use http::Request;

use super::reply::Reply;
use super::status::Status;
use crate::world::World;

/// Answers a path that is neither a resource nor discovery.
pub(super) fn answer(
    _world: &World,
    _cluster: &str,
    _request: &Request<Bytes>,
    _segments: &[&str],
) -> Result<Reply, Status> {
    Err(Status::no_such_path())
}
