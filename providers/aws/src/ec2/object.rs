//! The way of an EC2 object that is known by its id: read in pages, visible some time after its creation, held by others when it is
//! to go.

use std::time::Duration;

use aws_sdk_ec2::types::Filter;
use sgp_contract::{Context, ReadOutcome, ReadRequest};
use sgp_model::{Diagnostic, Value};

use crate::{
    bulk::{self, FILTER_VALUES},
    client::AwsClient,
    ec2::{filter, network_interfaces, usage},
    errors::{ApiError, Failure},
    values,
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// Reads objects by their `id`, a page of them at a time. Ids are given as a filter, so that one that is gone does not fail the
/// others. `object` makes the object of the schema; `None` for one that EC2 still tells although it has ended.
pub async fn read<T, Answer>(
    requests: &[ReadRequest],
    filter_name: &str,
    fetch: impl Fn(Vec<Filter>) -> Answer,
    id_of: impl Fn(&T) -> Option<String>,
    object: impl Fn(&T, &Value) -> Option<Value>,
) -> Vec<ReadOutcome>
where
    Answer: Future<Output = Result<Vec<T>, ApiError>>,
{
    let ids = requests.iter().filter_map(|r| values::text(&r.prior, "id"));
    let found = bulk::read(ids, FILTER_VALUES, |ids| fetch(vec![filter(filter_name, ids)]), id_of).await;
    let read = |r: &ReadRequest| {
        let item = found.get(values::str_opt(&r.prior, "id").unwrap_or_default())?;
        Ok(item.and_then(|item| object(item, &r.prior)))
    };
    requests.iter().map(|r| bulk::outcome(r, read(r))).collect()
}

/// The new object as soon as EC2 shows it. `what` names it with its id: `VPC vpc-1`.
///
/// # Errors
/// The timeout, or what looking answers.
pub async fn visible<T, F: Future<Output = Result<Vec<T>, ApiError>>>(
    cx: &Context,
    what: &str,
    mut look: impl FnMut() -> F,
) -> Result<T, Diagnostic> {
    wait::until(cx, &format!("{what} to be visible"), Pace::QUICK, || {
        let found = look();
        async {
            Ok(found.await?.into_iter().next().map_or_else(|| Poll::Pending("not visible yet".to_owned()), Poll::Ready))
        }
    })
    .await
}

/// Repeats a call on objects that were made a moment ago and are not visible everywhere yet.
///
/// # Errors
/// The call's.
pub async fn with_new<T, F: Future<Output = Result<T, ApiError>>>(
    cx: &Context,
    call: impl FnMut() -> F,
) -> Result<T, ApiError> {
    wait::settle(cx, CONSISTENCY, ApiError::is_not_found, call).await
}

/// What EC2 answers while something else still uses the object.
pub const HELD: &[&str] = &["DependencyViolation", "InvalidIPAddress.InUse"];

/// Deletes an object, and waits while something else holds it (an interface that is being removed, a mapped address); one that is
/// gone is success. `holders` tells the person who that is.
///
/// # Errors
/// The timeout, or what EC2 answers.
pub async fn delete<T, F, H>(
    cx: &Context,
    what: &str,
    mut call: impl FnMut() -> F,
    holders: impl Fn() -> H,
) -> Result<(), Failure>
where
    F: Future<Output = Result<T, ApiError>>,
    H: Future<Output = Option<String>>,
{
    let pace = Pace { first: Duration::from_secs(2), longest: Duration::from_secs(10) };
    wait::until(cx, &format!("{what} to be free for deletion"), pace, || {
        let (answer, holders) = (call(), holders());
        async {
            match answer.await {
                Ok(_) => Ok(Poll::Ready(())),
                Err(error) if error.is_not_found() => Ok(Poll::Ready(())),
                Err(error) if error.is(HELD) => Ok(Poll::Pending(holders.await.unwrap_or_else(|| error.to_string()))),
                Err(error) => Err(error),
            }
        }
    })
    .await?;
    Ok(())
}

/// The network interfaces in a subnet (`subnet-id`) or a VPC (`vpc-id`), for the person who waits for its deletion.
pub async fn interfaces_in(client: &AwsClient, filter_name: &str, id: &str) -> Option<String> {
    // That it cannot be told who holds it does not end the wait.
    let interfaces = network_interfaces(client, vec![filter(filter_name, [id])]).await.ok()?;
    (!interfaces.is_empty()).then(|| usage::sentence(&interfaces, &[]))
}

/// Nobody can be named.
pub fn nobody() -> std::future::Ready<Option<String>> {
    std::future::ready(None)
}

/// The ARN of an EC2 object: `arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1`. `owner` is the account as EC2 told it.
pub fn arn(client: &AwsClient, owner: Option<&str>, kind: &str, id: &str) -> String {
    format!("arn:{}:ec2:{}:{}:{kind}/{id}", client.partition().id, client.region, owner.unwrap_or_default())
}
