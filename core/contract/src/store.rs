//! Where state is kept.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sgp_model::{
    InstanceRecord, State,
    checks::CheckResult,
    state::{Intent, OutputRecord, RecordKey},
};

/// Who holds the lock on a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Identifies the lock.
    pub id: String,
    /// The command: `apply`.
    pub operation: String,
    /// `user@host`.
    pub who: String,
    /// The process.
    pub pid: u32,
    /// The version of the tool.
    pub version: String,
    /// Since when, seconds since the epoch.
    pub since: i64,
}

/// What a store can fail with.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process writes.
    #[error("the state is locked by {} (process {}), which runs `{}`", .0.who, .0.pid, .0.operation)]
    Locked(Box<LockHolder>),
    /// The stored bytes are not what they should be.
    #[error("the state is damaged: {0}")]
    Damaged(String),
    /// Written by a newer version of the tool.
    #[error("the state was written by a newer version of sgp (format {found}, this version reads up to {known})")]
    TooNew {
        /// The format that was found.
        found: u64,
        /// The newest that this version reads.
        known: u64,
    },
    /// Pushed state does not follow the stored one.
    #[error("{0}")]
    Conflict(String),
    /// The disk or the network.
    #[error("{what}: {cause}")]
    Io {
        /// What was attempted.
        what: String,
        /// What the system said.
        cause: String,
    },
}

/// One write; each is durable when [`StateStore::write`] returns.
#[derive(Clone, Debug)]
pub enum Write {
    /// Sets a record.
    Put(RecordKey, Box<InstanceRecord>),
    /// Removes a record.
    Remove(RecordKey),
    /// Sets all outputs of the root module.
    Outputs(Vec<(String, OutputRecord)>),
    /// Sets what became of all conditions.
    Checks(Vec<CheckResult>),
    /// Says what is about to be done. Its token names it.
    Begin(Box<Intent>),
    /// What is known of the object that the intent makes, before the operation is complete.
    Checkpoint {
        /// The intent's token.
        token: String,
        /// The attributes so far.
        attributes: Box<sgp_model::Value>,
    },
    /// The operation's outcome is recorded; the intent is closed. Belongs in the same batch as the record's write.
    End {
        /// The intent's token.
        token: String,
    },
    /// The run changed something: raises the serial by one. At most once a run, with its first change.
    BumpSerial,
}

/// An intent without an outcome, found at the start of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenIntent {
    /// What was about to be done.
    pub intent: Intent,
    /// The last checkpoint.
    pub checkpoint: Option<sgp_model::Value>,
}

/// A store with one writer. Opened by the composition root, which also takes the lock.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// The whole state.
    async fn load(&self) -> Result<State, StoreError>;

    /// Writes a batch: all of it or nothing, durable on return. Concurrent callers share disk flushes.
    async fn write(&self, batch: Vec<Write>) -> Result<(), StoreError>;

    /// Intents without an outcome, oldest first.
    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError>;

    /// Replaces the whole state (`state push`), after checking lineage and serial unless forced.
    async fn replace(&self, state: State, force: bool) -> Result<(), StoreError>;

    /// A new UUID for lineages, tokens and deposed keys (randomness is the edge's).
    fn fresh_id(&self) -> String;
}
