//! A store that keeps nothing: for tests of the engine and for `console`.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use sgp_contract::{StateStore, StoreError, Write, store::OpenIntent};
use sgp_model::State;
use uuid::Uuid;

use crate::push::{Push, judge};

/// State in memory. Follows the same rules as the store on disk.
#[derive(Debug, Default)]
pub struct MemoryStore {
    content: Mutex<Content>,
    /// Counts ids when they must be the same in every run.
    ids: Option<AtomicU64>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    state: State,
    intents: Vec<OpenIntent>,
}

impl MemoryStore {
    /// Begins with a state. Its lineage is made when it has none.
    pub fn new(mut state: State) -> Self {
        if state.lineage.is_empty() {
            state.lineage = Uuid::new_v4().to_string();
        }
        Self { content: Mutex::new(Content { state, intents: Vec::new() }), ids: None }
    }

    /// Begins with a state and counts ids up from one: `00000000-0000-4000-8000-000000000001`. For snapshots in tests.
    pub fn seeded(mut state: State) -> Self {
        if state.lineage.is_empty() {
            state.lineage = counted_id(0);
        }
        Self { content: Mutex::new(Content { state, intents: Vec::new() }), ids: Some(AtomicU64::new(1)) }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counted_id(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

impl Content {
    fn apply(&mut self, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Put(key, record) => {
                self.state.instances.insert(key, *record);
            }
            Write::Remove(key) => {
                self.state.instances.remove(&key);
            }
            Write::Outputs(outputs) => self.state.outputs = outputs.into_iter().collect(),
            Write::Checks(checks) => self.state.checks = checks,
            Write::Begin(intent) => self.intents.push(OpenIntent { intent: *intent, checkpoint: None }),
            Write::Checkpoint { token, attributes } => {
                let open = self.intents.iter_mut().rev().find(|open| open.intent.token == token);
                let open = open.ok_or_else(|| {
                    StoreError::Conflict(format!("nothing with token {token} was begun, so nothing can be kept for it"))
                })?;
                open.checkpoint = Some(*attributes);
            }
            Write::End { token } => self.intents.retain(|open| open.intent.token != token),
            Write::BumpSerial => self.state.serial += 1,
        }
        Ok(())
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn load(&self) -> Result<State, StoreError> {
        Ok(self.content().state.clone())
    }

    async fn write(&self, batch: Vec<Write>) -> Result<(), StoreError> {
        let mut content = self.content();
        // Only a checkpoint can fail; without one there is nothing to roll back and no copy to pay for.
        if !batch.iter().any(|write| matches!(write, Write::Checkpoint { .. })) {
            return batch.into_iter().try_for_each(|write| content.apply(write));
        }
        let mut next = content.clone();
        batch.into_iter().try_for_each(|write| next.apply(write))?;
        *content = next;
        Ok(())
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        Ok(self.content().intents.clone())
    }

    async fn replace(&self, state: State, force: bool) -> Result<(), StoreError> {
        let mut content = self.content();
        if judge(&content.state, &state, force)? == Push::Replace {
            content.state = state;
        }
        Ok(())
    }

    fn fresh_id(&self) -> String {
        match &self.ids {
            Some(ids) => counted_id(ids.fetch_add(1, Ordering::Relaxed)),
            None => Uuid::new_v4().to_string(),
        }
    }
}
