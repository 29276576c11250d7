//! Dying at a chosen moment: before or after any call or write.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use sgp_contract::{StateStore, StoreError, Write, store::OpenIntent};
use sgp_model::State;
use sgp_state::MemoryStore;
use tokio::sync::Notify;

/// Counts the moments of a run and lets it hang at one of them, from where it never comes back.
#[derive(Default)]
pub struct Death {
    passed: AtomicUsize,
    at: Mutex<Option<usize>>,
    pub came: Notify,
    /// Not dead, but out of space: every write fails.
    pub disk_full: AtomicBool,
}

impl Death {
    /// The run will hang at the n-th moment from now on, counted from 0.
    pub fn comes_at(&self, moment: Option<usize>) {
        self.passed.store(0, Ordering::SeqCst);
        *self.at.lock().unwrap() = moment;
    }

    /// How many moments there were.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }

    /// A moment. Once dead, nothing goes on anywhere.
    pub async fn point(&self) {
        let now = self.passed.fetch_add(1, Ordering::SeqCst);
        let dead = self.at.lock().unwrap().is_some_and(|at| now >= at);
        if dead {
            self.came.notify_waiters();
            std::future::pending::<()>().await;
        }
    }
}

/// A store whose writes are moments.
pub struct Mortal {
    pub inner: MemoryStore,
    pub death: Arc<Death>,
}

impl Mortal {
    pub async fn inner_serial(&self) -> u64 {
        self.inner.load().await.unwrap().serial
    }
}

#[async_trait]
impl StateStore for Mortal {
    async fn load(&self) -> Result<State, StoreError> {
        self.inner.load().await
    }

    async fn write(&self, batch: Vec<Write>) -> Result<(), StoreError> {
        self.death.point().await;
        if self.death.disk_full.load(Ordering::SeqCst) {
            return Err(StoreError::Io { what: "cannot write".into(), cause: "no storage space".into() });
        }
        let done = self.inner.write(batch).await;
        self.death.point().await;
        done
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        self.inner.open_intents().await
    }

    async fn replace(&self, state: State, force: bool) -> Result<(), StoreError> {
        self.inner.replace(state, force).await
    }

    fn fresh_id(&self) -> String {
        self.inner.fresh_id()
    }
}
