//! Objects of EC2 that have no name of their own, and how the one of an interrupted creation is found again.
//!
//! Nothing tells two VPCs with the same addresses and tags apart. What a creation makes carries the operation's token in a tag
//! until its id is recorded: whoever finds the tag has found the object, and nobody else's. Types with a natural key (a subnet's
//! addresses, a route's destination) do without.

use std::time::Duration;

use aws_sdk_ec2::{
    config::{Builder, retry::RetryConfig},
    types::{Filter, ResourceType, Tag, TagSpecification},
};
use sgp_contract::{Context, Found};
use sgp_model::{Diagnostic, Schema, Value, state::Intent};

use crate::{
    client::AwsClient,
    ec2::filter,
    errors::{ApiError, Call, Failure},
    tags,
    values::ObjectBuilder,
    wait,
};

/// The tag's key. It is never shown as a tag of the object ([`tags::IgnoreTags::shows`]).
pub const KEY: &str = "sgp:creation";

/// Tags for a create call: those that are planned, and the token.
pub fn specification(client: &AwsClient, kind: ResourceType, planned: &Value, token: &str) -> TagSpecification {
    let all = tags::wanted(client, planned).into_iter().chain([(KEY.to_owned(), token.to_owned())]);
    let all = all.map(|(key, value)| Tag::builder().key(key).value(value).build());
    TagSpecification::builder().resource_type(kind).set_tags(Some(all.collect())).build()
}

/// A filter for what the operation with this token has made.
pub fn made_by(token: &str) -> Filter {
    filter(&format!("tag:{KEY}"), [token])
}

/// Takes the token off an object whose id is recorded.
///
/// # Errors
/// What `DeleteTags` answers.
pub async fn unmark(client: &AwsClient, id: &str) -> Result<(), ApiError> {
    let key = Tag::builder().key(KEY).build();
    client.ec2.delete_tags().resources(id).tags(key).send().await.call("ec2:DeleteTags").map(|_| ())
}

/// What the search for the object of a lost creation answers, out of the ids that carry its token.
pub fn found(schema: &Schema, intent: &Intent, ids: &[String]) -> Found {
    match ids.first() {
        Some(id) => Found::Ours(ObjectBuilder::carrying(schema, &intent.attributes).set("id", id.as_str()).build()),
        None => Found::Nothing,
    }
}

/// Records a new object's id before anything else happens to it; answers the object so far.
///
/// # Errors
/// When the store could not write; the object is left behind.
pub async fn begun(cx: &Context, schema: &Schema, planned: &Value, id: &str) -> Result<Value, Failure> {
    let object = ObjectBuilder::carrying(schema, planned).set("id", id).build();
    crate::iam::checkpoint(cx, &object).await?;
    Ok(object)
}

/// How often to look for what an unanswered call has made, and how long to wait before each look.
const LOOKS: usize = 3;
const PAUSE: Duration = Duration::from_secs(2);

/// For calls without a client token: the SDK must not repeat them by itself, since what an unanswered one has made would be made
/// twice. [`once`] repeats them.
pub fn unrepeated() -> Builder {
    aws_sdk_ec2::Config::builder().retry_config(RetryConfig::disabled())
}

/// Creates something without a client token, once: a throttled call is repeated; after one that nobody answered, what carries the
/// token is looked for, and only where there is nothing the call is made again.
///
/// # Errors
/// The call's, or those of looking.
pub async fn once<T, F, L>(cx: &Context, mut call: impl FnMut() -> F, look: impl Fn() -> L) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
    L: Future<Output = Result<Option<T>, ApiError>>,
{
    let unanswered = match wait::settle(cx, cx.timeout, ApiError::is_throttled, &mut call).await {
        Err(error) if error.may_have_been_served() => error,
        answered => return answered,
    };
    for _ in 0..LOOKS {
        cx.clock.sleep(PAUSE).await;
        match look().await {
            Ok(Some(made)) => return Ok(made),
            Ok(None) => {}
            Err(error) if error.is_transient() => return Err(unanswered),
            Err(error) => return Err(error),
        }
    }
    wait::settle(cx, cx.timeout, ApiError::is_throttled, call).await
}

/// Says that an answer lacks the object that it should tell.
pub fn unnamed(operation: &str) -> Failure {
    let detail = "EC2 confirmed the call and named nothing. Run again: the next run looks for what it made.";
    Failure { in_doubt: true, ..Diagnostic::error(format!("{operation} answered no object"), detail).into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{
        errors::{ErrorKind, tests::service_error},
        wait::tests::{Said, context},
    };

    /// How a call ends: throttled, unanswered, done.
    async fn play(outcomes: &[&str], made: bool) -> (Result<u8, String>, usize) {
        let (_keep, never) = tokio::sync::watch::channel(false);
        let cx = context(&Arc::new(Said::default()), never);
        let left = Mutex::new(outcomes.to_vec());
        let calls = Mutex::new(0);
        let call = || async {
            *calls.lock().unwrap() += 1;
            match left.lock().unwrap().remove(0) {
                "throttled" => Err(service_error("ec2:X", "RequestLimitExceeded")),
                "unanswered" => Err(ApiError { kind: ErrorKind::Timeout, ..service_error("ec2:X", "None") }),
                "refused" => Err(service_error("ec2:X", "VpcLimitExceeded")),
                _ => Ok(1),
            }
        };
        let answer = once(&cx, call, || async { Ok(made.then_some(2)) }).await;
        (answer.map_err(|e| e.code().to_owned()), *calls.lock().unwrap())
    }

    #[tokio::test]
    async fn what_nobody_answered_is_looked_for_before_it_is_made_again() {
        assert_eq!(play(&["throttled", "done"], false).await, (Ok(1), 2));
        assert_eq!(play(&["refused"], true).await, (Err("VpcLimitExceeded".to_owned()), 1));
        assert_eq!(play(&["unanswered"], true).await, (Ok(2), 1));
        assert_eq!(play(&["unanswered", "done"], false).await, (Ok(1), 2));
        assert_eq!(play(&["unanswered", "unanswered"], false).await, (Err("None".to_owned()), 2));
    }

    #[tokio::test]
    async fn the_token_is_a_tag_that_is_not_shown() {
        let client = crate::client::tests::offline(&[]).await;
        let planned = Value::object([("tags", crate::values::string_map([("a", "1")]))]);
        let made = specification(&client, ResourceType::Vpc, &planned, "t");
        let tags: Vec<_> = made.tags().iter().map(|t| (t.key().unwrap(), t.value().unwrap())).collect();
        assert_eq!(tags, [("a", "1"), (KEY, "t")]);
        assert!(!client.ignore_tags.shows(KEY));
    }
}
