//! The state in one sled tree. Blocking; owned by one thread.
//!
//! | first byte | then | holds |
//! |---|---|---|
//! | `m` | | the head: format, lineage, serial, digest |
//! | `i` | address | a record |
//! | `o` | name | an output of the root module |
//! | `j` | number | an intent without an outcome |
//! | `c` | number | the last checkpoint of that intent |
//! | `h` | serial | when and by what a serial was made |
//! | `u` | serial, key | what the entry `key` was before that serial touched it |
//!
//! One tree, because a batch is atomic within a tree. The head holds a digest of all of `i`, `o`, `j` and `c`: the library
//! silently drops the end of a log that it cannot read, and a state that lost a record would create its object again.

use std::{
    collections::HashMap,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use sgp_contract::{StoreError, store::OpenIntent};
use sgp_model::{
    InstanceRecord, State,
    state::{OutputRecord, RecordKey},
};
use sled::{Db, IVec};

use crate::{
    batch::{Encoded, Journal, draft_batch, encode_checks, encode_outputs, encode_put, set_outputs},
    codec,
    digest::Digest,
    draft::Draft,
    head::{DATABASE, Head, Marker, io, read_marker, refuse_foreign, write_marker},
    history, key,
    push::{Push, judge},
    wire::Malformed,
};

/// The cache of the library; beyond it, pages are read from disk again.
const CACHE_BYTES: u64 = 16 << 20;
/// A log file grows by segments of this size. Larger records go to files of their own.
const SEGMENT_BYTES: usize = 512 << 10;
/// A process that was just killed or closed may take a moment to give its files back.
const OPEN_PATIENCE: Duration = Duration::from_secs(5);

/// The open database.
#[derive(Debug)]
pub(crate) struct Database {
    db: Db,
    head: Head,
    /// Journal numbers of open intents.
    open: HashMap<String, u64>,
    /// What this process does, for the history.
    operation: String,
    /// Whether the digest was compared since it was opened.
    verified: bool,
}

/// The library hands on copies of what the system said, in the form for programmers.
fn plain(error: std::io::Error) -> std::io::Error {
    if error.to_string().starts_with("Os {") { error.kind().into() } else { error }
}

/// An error of the library.
pub(crate) fn damaged(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(e) => io("cannot read or write the state", &plain(e)),
        sled::Error::Unsupported(text) | sled::Error::ReportableBug(text) => StoreError::Damaged(text),
        sled::Error::Corruption { .. } => StoreError::Damaged("a checksum in its files does not match".into()),
        other @ sled::Error::CollectionNotFound(_) => StoreError::Damaged(other.to_string()),
    }
}

impl Database {
    /// Opens the database in `<dir>/state`, making it when there was none. The caller holds the lock.
    pub(crate) fn open(dir: &Path, operation: &str, fresh_lineage: String) -> Result<Self, StoreError> {
        let path = dir.join(DATABASE);
        let marker = read_marker(dir)?;
        if marker == Marker::Ready {
            return Self::open_existing(&path, operation);
        }
        if marker == Marker::Unfinished {
            match std::fs::remove_dir_all(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io(format!("cannot remove {}", path.display()), &e));
                }
                _ => {}
            }
        } else {
            refuse_foreign(dir)?;
        }
        write_marker(dir, false)?;
        let database = Self::create(&path, operation, fresh_lineage)?;
        write_marker(dir, true)?;
        Ok(database)
    }

    fn create(path: &Path, operation: &str, lineage: String) -> Result<Self, StoreError> {
        let db = open_library(path)?;
        let head = Draft::new(&db, Head::new(lineage)).commit()?;
        db.flush().map_err(damaged)?;
        Ok(Self { db, head, open: HashMap::new(), operation: operation.into(), verified: true })
    }

    fn open_existing(path: &Path, operation: &str) -> Result<Self, StoreError> {
        if !path.join("db").is_file() {
            return Err(StoreError::Damaged(format!("{} is missing", path.join("db").display())));
        }
        let db = open_library(path)?;
        let head = db.get(key::HEAD).map_err(damaged)?.ok_or_else(|| StoreError::Damaged("its head is lost".into()))?;
        let head = Head::decode(&head)?;
        let mut database = Self { db, head, open: HashMap::new(), operation: operation.into(), verified: false };
        database.open = database.journal()?.into_iter().map(|(number, open)| (open.intent.token, number)).collect();
        Ok(database)
    }

    /// Entries of a kind, in order of their keys.
    pub(crate) fn scan(&self, kind: u8) -> impl DoubleEndedIterator<Item = Result<(IVec, IVec), StoreError>> {
        self.db.scan_prefix([kind]).map(|entry| entry.map_err(damaged))
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.db.get(key).map_err(damaged)
    }

    /// The whole state.
    pub(crate) fn load(&mut self) -> Result<State, StoreError> {
        self.verify()?;
        let state = decode_state(
            self.scan(key::INSTANCE).chain(self.scan(key::OUTPUT)),
            self.head.serial,
            self.head.lineage.clone(),
        )?;
        let checks = self.get(key::CHECKS)?.map(|bytes| codec::decode_checks(&bytes)).transpose();
        let unfit = |e: Malformed| StoreError::Damaged(format!("what became of the conditions cannot be read: {e}"));
        Ok(State { checks: checks.map_err(unfit)?.unwrap_or_default(), ..state })
    }

    /// Compares the entries with the digest in the head.
    fn verify(&mut self) -> Result<(), StoreError> {
        if self.verified {
            return Ok(());
        }
        let mut digest = Digest::default();
        for kind in [key::INSTANCE, key::OUTPUT, key::INTENT, key::CHECKPOINT] {
            for entry in self.scan(kind) {
                let (key, value) = entry?;
                digest.add(&key, &value);
            }
        }
        if digest != self.head.digest {
            return Err(StoreError::Damaged(format!(
                "{} entries were expected and {} are there, or one of them changed",
                self.head.digest.entries, digest.entries
            )));
        }
        self.verified = true;
        Ok(())
    }

    fn journal(&self) -> Result<Vec<(u64, OpenIntent)>, StoreError> {
        self.scan(key::INTENT)
            .map(|entry| {
                let (key, intent) = entry?;
                let number = key::number_of(&key).map_err(|e| in_journal(&e))?;
                let intent = codec::decode_intent(&intent).map_err(|e| in_journal(&e))?;
                let checkpoint = self.get(&key::numbered(key::CHECKPOINT, number))?;
                let checkpoint =
                    checkpoint.map(|bytes| codec::decode_value(&bytes)).transpose().map_err(|e| in_journal(&e))?;
                Ok((number, OpenIntent { intent, checkpoint }))
            })
            .collect()
    }

    /// Intents without an outcome, oldest first.
    pub(crate) fn open_intents(&mut self) -> Result<Vec<OpenIntent>, StoreError> {
        self.verify()?;
        Ok(self.journal()?.into_iter().map(|(_, open)| open).collect())
    }

    /// Applies batches, each as a whole, in one go; durable after [`Self::flush`]. The inner results are those of the single
    /// batches: a refused one leaves the others alone.
    pub(crate) fn apply(&mut self, batches: Vec<Vec<Encoded>>) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        self.verify()?;
        let mut draft = Draft::new(&self.db, self.head.clone());
        let mut journal = Journal::new(&self.open);
        let origin = history::encode_origin(&self.operation)?;
        let mut results = Vec::with_capacity(batches.len());
        for batch in batches {
            results.push(match journal.check(&batch) {
                Ok(()) => Ok(draft_batch(&mut draft, &mut journal, &origin, batch)?),
                Err(e) => Err(e),
            });
        }
        let changed = journal.into_changed();
        self.head = draft.commit()?;
        for (token, number) in changed {
            match number {
                Some(number) => self.open.insert(token, number),
                None => self.open.remove(&token),
            };
        }
        Ok(results)
    }

    /// Replaces the whole state. The journal stays: what it names is in the world, whatever the state says.
    pub(crate) fn replace(&mut self, state: &State, force: bool) -> Result<(), StoreError> {
        let stored = self.load()?;
        if judge(&stored, state, force)? == Push::Nothing {
            return Ok(());
        }
        let mut draft = Draft::new(&self.db, self.head.clone());
        let follows = stored.lineage == state.lineage && stored.serial < state.serial;
        if !follows {
            draft.forget_all_history()?;
        }
        draft.head.lineage.clone_from(&state.lineage);
        draft.begin_serial(state.serial, history::encode_origin(&self.operation)?)?;
        for key in stored.instances.keys().filter(|key| !state.instances.contains_key(key)) {
            draft.remove(key::instance(key))?;
        }
        for (key, record) in &state.instances {
            let (key, record) = encode_put(key, record)?;
            draft.put(key, record)?;
        }
        set_outputs(&mut draft, encode_outputs(&state.outputs)?)?;
        draft.put_beside(key::CHECKS.to_vec(), encode_checks(&state.checks)?);
        self.head = draft.commit()?;
        Ok(())
    }

    /// Returns once everything that was applied is on disk.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(damaged)?;
        Ok(())
    }
}

/// A state out of its entries.
pub(crate) fn decode_state<K: AsRef<[u8]>, V: AsRef<[u8]>>(
    entries: impl Iterator<Item = Result<(K, V), StoreError>>,
    serial: u64,
    lineage: String,
) -> Result<State, StoreError> {
    let mut state = State { serial, lineage, ..State::default() };
    for entry in entries {
        let (key, value) = entry?;
        if key.as_ref().first() == Some(&key::OUTPUT) {
            let (name, output) = decode_output(key.as_ref(), value.as_ref())?;
            state.outputs.insert(name, output);
        } else {
            let (key, record) = decode_instance(key.as_ref(), value.as_ref())?;
            state.instances.insert(key, record);
        }
    }
    Ok(state)
}

fn decode_instance(key: &[u8], value: &[u8]) -> Result<(RecordKey, InstanceRecord), StoreError> {
    let key = key::instance_of(key)
        .map_err(|e| StoreError::Damaged(format!("the address of a record cannot be read: {e}")))?;
    match codec::decode_record(value) {
        Ok(record) => Ok((key, record)),
        Err(e) => Err(StoreError::Damaged(format!("the record of {} cannot be read: {e}", key.addr))),
    }
}

fn decode_output(key: &[u8], value: &[u8]) -> Result<(String, OutputRecord), StoreError> {
    let read = || Ok((key::output_name(key)?.to_owned(), codec::decode_output(value)?));
    read().map_err(|e: Malformed| StoreError::Damaged(format!("an output cannot be read: {e}")))
}

fn in_journal(e: &Malformed) -> StoreError {
    StoreError::Damaged(format!("the journal cannot be read: {e}"))
}

/// An entry of the history that cannot be read.
pub(crate) fn damaged_history(e: &Malformed) -> StoreError {
    StoreError::Damaged(format!("the history cannot be read: {e}"))
}

fn open_library(path: &Path) -> Result<Db, StoreError> {
    let config =
        sled::Config::new().path(path).cache_capacity(CACHE_BYTES).segment_size(SEGMENT_BYTES).use_compression(false);
    let deadline = Instant::now() + OPEN_PATIENCE;
    loop {
        match config.open() {
            Err(sled::Error::Io(e))
                if e.to_string().contains("could not acquire lock") && Instant::now() < deadline =>
            {
                thread::sleep(Duration::from_millis(10));
            }
            result => return result.map_err(damaged),
        }
    }
}
