//! EC2's `ClientToken`s.

use crate::aws::{ApiError, Call, idempotency};
use crate::world::World;

/// The id of what this call made when it was sent before with the same token.
///
/// # Errors
/// `IdempotentParameterMismatch` when the token was used with other parameters.
pub(super) fn recall(world: &World, call: &Call) -> Result<Option<String>, ApiError> {
    let Some(token) = call.text("ClientToken").filter(|token| !token.is_empty()) else { return Ok(None) };
    idempotency::recall(world, call, &token).map_err(|_| {
        let message = "The request uses the same client token as a previous, but non-identical request.";
        ApiError::new("IdempotentParameterMismatch", message)
    })
}

/// Remembers what this call made under its token, when it has one.
pub(super) fn remember(world: &mut World, call: &Call, id: &str) {
    if let Some(token) = call.text("ClientToken").filter(|token| !token.is_empty()) {
        idempotency::remember(world, call, &token, id);
    }
}
