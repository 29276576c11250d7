//! Time, as an argument.

use std::time::Duration;

use async_trait::async_trait;

/// The time of day and the passing of time; tests bring their own.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Seconds since the epoch.
    fn now(&self) -> i64;

    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, duration: Duration);
}
