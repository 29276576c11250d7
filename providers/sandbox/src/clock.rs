//! The world's time: the system's, moved forward by hand.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// Tells the time. Clones share the offset through the [`crate::Sandbox`] that owns it.
#[derive(Debug)]
pub struct Clock {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    offset: Duration,
    /// Set when only [`Clock::advance`] moves time.
    stopped_at: Option<Timestamp>,
}

impl Clock {
    /// A clock that runs with the system's, `offset` ahead of it.
    pub fn running(offset: Duration) -> Self {
        Self { state: Mutex::new(State { offset, stopped_at: None }) }
    }

    /// A clock that stands still until it is advanced.
    pub fn stopped(at: Timestamp) -> Self {
        Self { state: Mutex::new(State { offset: Duration::ZERO, stopped_at: Some(at) }) }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let state = self.lock();
        let base = state.stopped_at.unwrap_or_else(|| {
            Timestamp::try_from(SystemTime::now()).expect("the system's time lies between the years -9999 and 9999")
        });
        base.checked_add(state.offset).unwrap_or(Timestamp::MAX)
    }

    /// Moves time forward.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.offset = state.offset.saturating_add(by);
    }

    /// How far ahead of the system (or of where it was stopped) it is.
    pub fn offset(&self) -> Duration {
        self.lock().offset
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_by_hand() {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);
    }
}
