//! The calls that were served: what tests ask for, and what faults count.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::faults::Seen;

/// So many calls are kept.
const KEPT: usize = 10_000;

/// A call that was served.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Served {
    /// Its number, from 1 since the start of the process.
    pub number: u64,
    /// What was called.
    #[serde(flatten)]
    pub seen: Seen,
    /// The HTTP status; `null` when the connection was cut instead.
    pub status: Option<u16>,
    /// AWS's code, or the reason of a Kubernetes `Status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// From its arrival to its answer; of a watch to its beginning.
    pub milliseconds: f64,
    /// When it was answered, in the sandbox's time.
    pub at: String,
}

/// The last calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    count: AtomicU64,
    kept: Mutex<VecDeque<Served>>,
}

impl Calls {
    /// The number of a call that arrives.
    pub fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many arrived.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Keeps a call.
    pub fn add(&self, call: Served) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(call);
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }

    /// The calls with a higher number that `takes` takes, in the order of their answers.
    pub fn after(&self, number: u64, takes: impl Fn(&Served) -> bool) -> Vec<Served> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|call| call.number > number && takes(call)).cloned().collect()
    }
}
