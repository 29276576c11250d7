//! Waiting: poll with growing pauses, say what is being waited for, stop in time.

use std::time::Duration;

use sgp_contract::Context;
use sgp_model::Diagnostic;

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// The pauses of one wait.
pub(crate) struct Waiter<'a> {
    cx: &'a Context,
    what: String,
    started: Duration,
    limit: Duration,
    next: Duration,
}

impl<'a> Waiter<'a> {
    /// Starts a wait for `what`, such as `Namespace app to go`.
    pub(crate) fn new(cx: &'a Context, limit: Duration, what: impl Into<String>) -> Self {
        Self { cx, what: what.into(), started: cx.clock.monotonic(), limit, next: SHORTEST }
    }

    /// The time that this wait has left.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.cx.clock.monotonic().saturating_sub(self.started))
    }

    /// Tells `status`, gives the place among the mutating steps away, and pauses. An error when the time is over or the
    /// person wants to stop.
    pub(crate) async fn pause(&mut self, status: &str) -> Result<(), Diagnostic> {
        self.cx.progress(status);
        self.cx.slot.release();
        let left = self.left();
        if left.is_zero() {
            return Err(Diagnostic::error(
                "Timed out",
                format!(
                    "Waited {} for {}. Last status: {status}. Look at what holds it up, or give it more time with `timeouts`.",
                    spoken(self.limit),
                    self.what
                ),
            ));
        }
        let mut cancelled = self.cx.cancelled.clone();
        let stopped = async {
            // A sender that is gone will never ask to stop.
            if cancelled.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = self.cx.clock.sleep(self.next.min(left)) => {}
            () = stopped => {
                let text = format!("Stopped while waiting for {}. Last status: {status}.", self.what);
                return Err(Diagnostic::error("Interrupted", text));
            }
        }
        self.next = (self.next * 2).min(LONGEST);
        Ok(())
    }
}

/// `5m`, `90s`.
fn spoken(time: Duration) -> String {
    let secs = time.as_secs();
    if secs >= 60 && secs.is_multiple_of(60) { format!("{}m", secs / 60) } else { format!("{secs}s") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn pauses_grow_and_end_in_the_last_status() {
        let (cx, seen) = testing::context(Duration::from_secs(20));
        let mut waiter = Waiter::new(&cx, cx.timeout, "Namespace app to go");
        let mut pauses = 0;
        let error = loop {
            match waiter.pause("finalizers: kubernetes").await {
                Ok(()) => pauses += 1,
                Err(e) => break e,
            }
        };
        assert_eq!(pauses, 8, "0.25 + 0.5 + 1 + 2 + 4 + 5 + 5 + 2.25");
        assert_eq!(seen.progress().len(), 9);
        insta::assert_snapshot!(error.detail, @"Waited 20s for Namespace app to go. Last status: finalizers: kubernetes. Look at what holds it up, or give it more time with `timeouts`.");
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_person_wants_to_stop() {
        let (cx, seen) = testing::context(Duration::from_secs(20));
        seen.cancel();
        let error = Waiter::new(&cx, cx.timeout, "x").pause("CREATING").await.unwrap_err();
        assert_eq!(error.summary, "Interrupted");
    }
}
