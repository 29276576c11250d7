//! STS: who am I, and sessions of roles.
//!
//! Source: AWS STS API Reference (docs.aws.amazon.com/STS/latest/APIReference), version 2011-06-15.

mod assume;
mod session;
mod web;

use serde_json::json;

use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] = &[
    &[
        Operation { name: "GetCallerIdentity", run: get_caller_identity },
        Operation { name: "GetAccessKeyInfo", run: get_access_key_info },
        Operation { name: "DecodeAuthorizationMessage", run: decode_authorization_message },
    ],
    assume::OPERATIONS,
    session::OPERATIONS,
    web::OPERATIONS,
];

fn get_caller_identity(_world: &mut World, call: &Call) -> Answer {
    Ok(json!({ "Arn": call.caller.arn, "UserId": call.caller.user_id, "Account": call.caller.account }))
}

/// All keys are of the one account, also those that nobody made.
fn get_access_key_info(world: &mut World, call: &Call) -> Answer {
    let key = call.required("AccessKeyId")?;
    if !(16..=128).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        let why = "Member must satisfy regular expression pattern: [\\w]*";
        return Err(ApiError::invalid(call.service, "AccessKeyId", &key, why));
    }
    Ok(json!({ "Account": world.settings.account }))
}

fn decode_authorization_message(_world: &mut World, call: &Call) -> Answer {
    let message = crate::iam::enforce::decode(&call.required("EncodedMessage")?);
    let message = message.ok_or_else(|| {
        ApiError::new("InvalidAuthorizationMessageException", "Message is not an encoded authorization message")
    })?;
    Ok(json!({ "DecodedMessage": message }))
}
