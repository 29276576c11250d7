//! Client tokens: the same call sent again gets the first one's answer, another call with the same token is refused.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Call;
use crate::world::World;

/// What was made under a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remembered {
    digest: String,
    id: String,
}

/// The same token came with other parameters. Each service has its own code for it
/// (`IdempotentParameterMismatch` at EC2, `InvalidParameterException` at EKS).
#[derive(Debug, PartialEq, Eq)]
pub struct Mismatch;

/// The id of what this call made when it was sent before.
///
/// # Errors
/// [`Mismatch`] when the token was used with other parameters.
pub fn recall(world: &World, call: &Call, token: &str) -> Result<Option<String>, Mismatch> {
    match world.tokens.get(&key(call, token)) {
        None => Ok(None),
        Some(remembered) if remembered.digest == digest(call) => Ok(Some(remembered.id.clone())),
        Some(_) => Err(Mismatch),
    }
}

/// Remembers what this call made.
pub fn remember(world: &mut World, call: &Call, token: &str, id: impl Into<String>) {
    let remembered = Remembered { digest: digest(call), id: id.into() };
    world.tokens.insert(key(call, token), remembered);
}

fn key(call: &Call, token: &str) -> String {
    format!("{}:{}:{token}", call.service.name(), call.operation)
}

fn digest(call: &Call) -> String {
    // Objects are ordered maps, so the same parameters have the same text.
    let hash = Sha256::digest(call.raw().to_string());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
