//! Who may do what.

use http::HeaderMap;

use super::path::Place;
use super::status::Status;
use crate::kubernetes::admission::User;
use crate::world::World;

/// Whom a request acts for: its sender, or whom it impersonates.
pub fn impersonated(_world: &World, _cluster: &str, user: User, headers: &HeaderMap) -> Result<User, Status> {
    if headers.keys().any(|name| name.as_str().starts_with("impersonate-")) {
        return Err(Status::not_simulated("impersonation"));
    }
    Ok(user)
}

/// Whether a verb at a place is allowed.
///
/// # Errors
/// `Forbidden`, worded as RBAC does.
pub fn place(_world: &World, _cluster: &str, user: &User, _verb: &str, _place: &Place) -> Result<(), Status> {
    if user.groups.iter().any(|group| group == "system:masters") {
        return Ok(());
    }
    Err(Status::new(403, "Forbidden", format!("User \"{}\" is not in system:masters", user.name)))
}

/// Whether a path that names no resource may be read.
///
/// # Errors
/// `Forbidden`, worded as RBAC does.
pub fn path(_world: &World, _cluster: &str, user: &User, verb: &str, path: &str) -> Result<(), Status> {
    if user.groups.iter().any(|group| group == "system:masters" || group == "system:authenticated") {
        return Ok(());
    }
    Err(Status::new(403, "Forbidden", format!("forbidden: User \"{}\" cannot {verb} path \"{path}\"", user.name)))
}
