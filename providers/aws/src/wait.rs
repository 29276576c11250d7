//! Waiting for AWS: polling with back-off that holds no slot, and patience with eventual consistency.

use std::time::Duration;

use sgp_contract::Context;
use sgp_model::Diagnostic;

use crate::errors::ApiError;

/// What one look found.
#[derive(Debug)]
pub enum Poll<T> {
    /// It is as it should be.
    Ready(T),
    /// Not yet; the status as AWS names it (`CREATING`), for people.
    Pending(String),
    /// It will never be.
    Broken(Diagnostic),
}

/// How often to look: the first pause, and the longest one. Each pause is half as long again as the one before.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Pace {
    /// For what takes seconds: 0.5 s to 5 s.
    pub const QUICK: Self = Self { first: Duration::from_millis(500), longest: Duration::from_secs(5) };
    /// For what takes minutes: 2 s to 20 s.
    pub const SLOW: Self = Self { first: Duration::from_secs(2), longest: Duration::from_secs(20) };

    fn next(self, pause: Duration) -> Duration {
        (pause * 3 / 2).min(self.longest)
    }
}

/// So many failed looks in a row are forgiven when the error is transient.
const FORGIVEN: u32 = 10;

/// Looks again and again until `look` answers [`Poll::Ready`], at most for the context's timeout.
///
/// `what` completes the sentence "while waiting for ...": `security group sg-1 to be deleted`. The slot is given back before
/// the first pause. Transient errors of `look` count as "not yet", a few in a row.
///
/// # Errors
/// The timeout (with the last status), a cancellation, a [`Poll::Broken`], or an error of `look` that will not pass.
pub async fn until<T, F: Future<Output = Result<Poll<T>, ApiError>>>(
    cx: &Context,
    what: &str,
    pace: Pace,
    mut look: impl FnMut() -> F,
) -> Result<T, Diagnostic> {
    let start = cx.clock.monotonic();
    let mut pause = pace.first;
    let mut failed = 0;
    loop {
        let status = match look().await {
            Ok(Poll::Ready(value)) => return Ok(value),
            Ok(Poll::Broken(diagnostic)) => return Err(diagnostic),
            Ok(Poll::Pending(status)) => {
                failed = 0;
                status
            }
            Err(error) if error.is_transient() && failed < FORGIVEN => {
                failed += 1;
                error.to_string()
            }
            Err(error) => return Err(error.into()),
        };
        cx.slot.release();
        cx.progress(&status);
        let left = cx.timeout.saturating_sub(cx.clock.monotonic().saturating_sub(start));
        if left.is_zero() {
            return Err(timed_out(cx, what, &status));
        }
        nap(cx, pause.min(left)).await;
        if cx.is_cancelled() {
            return Err(cancelled(what, &status));
        }
        pause = pace.next(pause);
    }
}

/// Repeats a call while AWS answers an error that passes by itself (`passes`), at most for `limit`. The slot is given back before
/// the first pause.
///
/// # Errors
/// The first error that does not pass, or the last one when the limit is over.
pub async fn settle<T, F: Future<Output = Result<T, ApiError>>>(
    cx: &Context,
    limit: Duration,
    passes: impl Fn(&ApiError) -> bool,
    mut call: impl FnMut() -> F,
) -> Result<T, ApiError> {
    let limit = limit.min(cx.timeout);
    let start = cx.clock.monotonic();
    let mut pause = Pace::QUICK.first;
    loop {
        let error = match call().await {
            Err(error) if passes(&error) => error,
            other => return other,
        };
        if cx.is_cancelled() || cx.clock.monotonic().saturating_sub(start) >= limit {
            return Err(error);
        }
        cx.slot.release();
        cx.progress(&error.to_string());
        nap(cx, pause).await;
        pause = Pace::QUICK.next(pause);
    }
}

/// How long AWS may take until a new object is visible everywhere.
pub const CONSISTENCY: Duration = Duration::from_mins(2);

/// Sleeps, or wakes up when the person asked to stop at once.
async fn nap(cx: &Context, pause: Duration) {
    let mut cancelled = cx.cancelled.clone();
    let stop = async move {
        if cancelled.wait_for(|stop| *stop).await.is_err() {
            // The sender is gone: nobody can cancel any more.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = cx.clock.sleep(pause) => {}
        () = stop => {}
    }
}

fn timed_out(cx: &Context, what: &str, status: &str) -> Diagnostic {
    Diagnostic::error(
        "Timed out",
        format!(
            "Waiting for {what} took longer than {}. The last status was: {status}\n\nIt may still get there: run again to see. \
             `timeouts {{}}` of the resource allows more time.",
            minutes(cx.timeout)
        ),
    )
}

fn cancelled(what: &str, status: &str) -> Diagnostic {
    Diagnostic::error(
        "Interrupted",
        format!(
            "Stopped while waiting for {what}. The last status was: {status}\n\nWhat was done so far is recorded; run again to go on."
        ),
    )
}

fn minutes(duration: Duration) -> String {
    match (duration.as_secs() / 60, duration.as_secs() % 60) {
        (0, s) => format!("{s}s"),
        (m, 0) => format!("{m}m"),
        (m, s) => format!("{m}m{s}s"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use sgp_contract::{Clock, ContextEvents, Slot, StoreError};
    use sgp_model::{InstanceAddr, Value, address::parse_instance};

    use super::*;
    use crate::errors::tests::service_error;

    /// A clock in which sleeping is what makes time pass.
    #[derive(Default)]
    pub(crate) struct FakeClock(Mutex<Duration>);

    #[async_trait]
    impl Clock for FakeClock {
        fn now(&self) -> i64 {
            i64::try_from(self.monotonic().as_secs()).unwrap()
        }

        fn monotonic(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        async fn sleep(&self, duration: Duration) {
            *self.0.lock().unwrap() += duration;
        }
    }

    #[derive(Default)]
    pub(crate) struct Said(pub(crate) Mutex<Vec<String>>);

    #[async_trait]
    impl ContextEvents for Said {
        async fn checkpoint(&self, _: &InstanceAddr, _: &Value) -> Result<(), StoreError> {
            Ok(())
        }

        fn progress(&self, _: &InstanceAddr, status: &str) {
            self.0.lock().unwrap().push(status.to_owned());
        }
    }

    pub(crate) fn context(said: &Arc<Said>, cancelled: tokio::sync::watch::Receiver<bool>) -> Context {
        Context {
            addr: parse_instance("aws_security_group.a").unwrap(),
            token: "t".into(),
            timeout: Duration::from_mins(1),
            clock: Arc::new(FakeClock::default()),
            events: said.clone(),
            slot: Arc::new(Slot::default()),
            cancelled,
        }
    }

    #[tokio::test]
    async fn a_timeout_says_the_last_status() {
        let (_keep, never) = tokio::sync::watch::channel(false);
        let said = Arc::new(Said::default());
        let cx = context(&said, never);
        let error = until::<(), _>(&cx, "it", Pace::QUICK, || async { Ok(Poll::Pending("CREATING".into())) })
            .await
            .unwrap_err();
        assert_eq!(error.summary, "Timed out");
        assert!(error.detail.contains("longer than 1m. The last status was: CREATING"), "{}", error.detail);
        assert!(said.0.lock().unwrap().len() > 10);
        assert_eq!(cx.clock.monotonic(), Duration::from_mins(1));
    }

    #[tokio::test]
    async fn transient_errors_are_forgiven_a_few_times() {
        let (_keep, never) = tokio::sync::watch::channel(false);
        let cx = context(&Arc::default(), never);
        let mut looks = 0;
        let found = until(&cx, "it", Pace::QUICK, || {
            looks += 1;
            let answer = if looks < 5 { Err(service_error("ec2:X", "Throttling")) } else { Ok(Poll::Ready(looks)) };
            async { answer }
        });
        assert_eq!(found.await.unwrap(), 5);
        let denied =
            until::<(), _>(&cx, "it", Pace::QUICK, || async { Err(service_error("ec2:X", "AccessDenied")) }).await;
        assert_eq!(denied.unwrap_err().summary, "ec2:X is not allowed");
        let ever = until::<(), _>(&cx, "it", Pace::QUICK, || async { Err(service_error("ec2:X", "Throttling")) }).await;
        assert_eq!(ever.unwrap_err().summary, "ec2:X failed");
    }

    #[tokio::test]
    async fn a_cancelled_wait_ends() {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let cx = context(&Arc::default(), stopped);
        let error = until::<(), _>(&cx, "it to go", Pace::SLOW, || async {
            stop.send(true).unwrap();
            Ok(Poll::Pending("DELETING".into()))
        });
        assert_eq!(error.await.unwrap_err().summary, "Interrupted");
    }

    #[tokio::test]
    async fn settling_ends_with_the_error_itself() {
        let (_keep, never) = tokio::sync::watch::channel(false);
        let cx = context(&Arc::default(), never);
        let passes = |e: &ApiError| e.is_not_found();
        let late = settle::<(), _>(&cx, CONSISTENCY, passes, || async {
            Err(service_error("ec2:X", "InvalidGroup.NotFound"))
        })
        .await;
        assert_eq!(late.unwrap_err().code(), "InvalidGroup.NotFound");
        assert!(cx.clock.monotonic() >= Duration::from_mins(1), "limited by the operation's timeout");
    }
}
