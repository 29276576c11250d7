//! The real time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sgp_contract::Clock;

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

#[async_trait::async_trait]
impl Clock for SystemClock {
    fn now(&self) -> i64 {
        // A clock before 1970 is a broken one; times only label things.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
