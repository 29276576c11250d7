//! A store that dies on purpose: the kill tests walk over every write of a run with it.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use sgp_contract::{StateStore, StoreError, Write, store::OpenIntent};
use sgp_model::State;

/// The write at which the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortAt {
    /// Instead of the n-th write, counted from 1.
    Before(u64),
    /// Once the n-th write is durable, before its caller hears of it.
    After(u64),
}

/// The text is not `before:N` or `after:N`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not before:N or after:N with N from 1")]
pub struct NotAnAbort(String);

impl FromStr for AbortAt {
    type Err = NotAnAbort;

    fn from_str(text: &str) -> Result<Self, NotAnAbort> {
        let parse = || {
            let (side, n) = text.split_once(':')?;
            let n = n.parse().ok().filter(|n| *n > 0)?;
            match side {
                "before" => Some(Self::Before(n)),
                "after" => Some(Self::After(n)),
                _ => None,
            }
        };
        parse().ok_or_else(|| NotAnAbort(text.to_owned()))
    }
}

/// Wraps a store; [`StateStore::write`] and [`StateStore::replace`] count as writes.
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: Arc<S>,
    at: Option<AbortAt>,
    writes: AtomicU64,
    die: fn(),
}

impl<S> FaultyStore<S> {
    /// Ends the process, as `SIGKILL` would, at a write; with `None` it only passes on.
    pub fn new(inner: Arc<S>, at: Option<AbortAt>) -> Self {
        Self { inner, at, writes: AtomicU64::new(0), die: || std::process::abort() }
    }

    /// The store inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// How many writes there were.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    fn begin(&self) -> u64 {
        let n = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        self.reached(AbortAt::Before(n));
        n
    }

    fn reached(&self, here: AbortAt) {
        if self.at == Some(here) {
            (self.die)();
        }
    }
}

#[async_trait]
impl<S: StateStore> StateStore for FaultyStore<S> {
    async fn load(&self) -> Result<State, StoreError> {
        self.inner.load().await
    }

    async fn write(&self, batch: Vec<Write>) -> Result<(), StoreError> {
        let n = self.begin();
        let result = self.inner.write(batch).await;
        self.reached(AbortAt::After(n));
        result
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        self.inner.open_intents().await
    }

    async fn replace(&self, state: State, force: bool) -> Result<(), StoreError> {
        let n = self.begin();
        let result = self.inner.replace(state, force).await;
        self.reached(AbortAt::After(n));
        result
    }

    fn fresh_id(&self) -> String {
        self.inner.fresh_id()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::MemoryStore;

    #[test]
    fn the_text_form() {
        for (text, expected) in [
            ("before:12", Some(AbortAt::Before(12))),
            ("after:1", Some(AbortAt::After(1))),
            ("after:0", None),
            ("later:1", None),
            ("before", None),
            ("before:x", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn it_dies_on_the_right_side_of_the_write() {
        for (at, durable) in [(AbortAt::Before(2), 1), (AbortAt::After(2), 2)] {
            let store = FaultyStore {
                inner: Arc::new(MemoryStore::seeded(State::default())),
                at: Some(at),
                writes: AtomicU64::new(0),
                die: || panic!("died"),
            };
            store.write(vec![Write::BumpSerial]).await.unwrap();
            let store = Arc::new(store);
            let second = tokio::spawn({
                let store = store.clone();
                async move { store.write(vec![Write::BumpSerial]).await }
            });
            assert!(second.await.unwrap_err().is_panic());
            assert_eq!(store.load().await.unwrap().serial, durable);
            assert_eq!(store.writes(), 2);
        }
    }
}
