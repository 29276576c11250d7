//! STS: who am I, and sessions of roles.
//!
//! Source: AWS STS API Reference (docs.aws.amazon.com/STS/latest/APIReference), version 2011-06-15.

use serde_json::json;

use crate::aws::{Answer, Call, Operation};
use crate::world::World;

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] = &[&[Operation { name: "GetCallerIdentity", run: get_caller_identity }]];

fn get_caller_identity(_world: &mut World, call: &Call) -> Answer {
    Ok(json!({ "Arn": call.caller.arn, "UserId": call.caller.user_id, "Account": call.caller.account }))
}
