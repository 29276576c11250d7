//! A batch in the making: what it changes, with the head and the undo log that follow from it.

use std::collections::{BTreeMap, BTreeSet};

use sgp_contract::StoreError;
use sled::{IVec, Tree};

use crate::{database::damaged, digest::Digest, head::Head, key};

/// How many serials can be gone back to.
pub(crate) const HISTORY_MAX: u64 = 50;

/// Changes on top of the stored entries; applied as one batch, or dropped.
pub(crate) struct Draft<'a> {
    tree: &'a Tree,
    pub(crate) head: Head,
    /// What each touched entry will be; `None` is absent.
    changed: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

/// An entry as it is: in the draft or on disk.
enum Entry<'a> {
    Drafted(&'a [u8]),
    Stored(IVec),
}

impl AsRef<[u8]> for Entry<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Drafted(bytes) => bytes,
            Self::Stored(bytes) => bytes,
        }
    }
}

impl<'a> Draft<'a> {
    pub(crate) fn new(tree: &'a Tree, head: Head) -> Self {
        Self { tree, head, changed: BTreeMap::new() }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Entry<'_>>, StoreError> {
        match self.changed.get(key) {
            Some(value) => Ok(value.as_deref().map(Entry::Drafted)),
            None => Ok(self.tree.get(key).map_err(damaged)?.map(Entry::Stored)),
        }
    }

    /// Sets an entry of the state or of the journal.
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreError> {
        self.set(key, Some(value))
    }

    /// Removes an entry of the state or of the journal; one that is not there is no mistake.
    pub(crate) fn remove(&mut self, key: Vec<u8>) -> Result<(), StoreError> {
        self.set(key, None)
    }

    /// Sets an entry that no history keeps and no sum covers, so that versions that do not know of it read the rest as before.
    pub(crate) fn put_beside(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.changed.insert(key, Some(value));
    }

    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        let mut digest = self.head.digest;
        let undo = key::undo(self.head.serial, &key);
        let before = self.get(&key)?;
        let before = before.as_ref().map(AsRef::as_ref);
        if before == value.as_deref() {
            return Ok(());
        }
        replace_in(&mut digest, &key, before, value.as_deref());
        let kept = if is_state(&key) && self.get(&undo)?.is_none() { Some(keep(before)) } else { None };
        if let Some(kept) = kept {
            self.changed.insert(undo, Some(kept));
        }
        self.head.digest = digest;
        self.changed.insert(key, value);
        Ok(())
    }

    /// The keys of a kind that are there, stored or drafted.
    pub(crate) fn keys_of(&self, kind: u8) -> Result<BTreeSet<Vec<u8>>, StoreError> {
        let stored = self.tree.scan_prefix([kind]).keys().map(|key| Ok(key.map_err(damaged)?.to_vec()));
        let mut keys = stored.collect::<Result<BTreeSet<_>, StoreError>>()?;
        for (key, value) in self.changed.range(vec![kind]..vec![kind + 1]) {
            if value.is_some() {
                keys.insert(key.clone());
            } else {
                keys.remove(key);
            }
        }
        Ok(keys)
    }

    /// Begins a serial; what changes from here on can be undone down to the one before.
    pub(crate) fn begin_serial(&mut self, serial: u64, summary: Vec<u8>) -> Result<(), StoreError> {
        self.head.serial = serial;
        self.changed.insert(key::numbered(key::HISTORY, serial), Some(summary));
        self.forget_history(..serial.saturating_sub(HISTORY_MAX - 1))
    }

    /// Drops the whole history: the serials to come do not follow those before.
    pub(crate) fn forget_all_history(&mut self) -> Result<(), StoreError> {
        self.forget_history(..u64::MAX)
    }

    fn forget_history(&mut self, before: std::ops::RangeTo<u64>) -> Result<(), StoreError> {
        for kind in [key::HISTORY, key::UNDO] {
            for entry in self.tree.range(key::numbered(kind, 0)..key::numbered(kind, before.end)) {
                let (key, _) = entry.map_err(damaged)?;
                self.changed.insert(key.to_vec(), None);
            }
        }
        Ok(())
    }

    /// Applies everything at once. Durable only after the next flush.
    pub(crate) fn commit(self) -> Result<Head, StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in self.changed {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let head = self.head.encode().map_err(|e| StoreError::Damaged(e.to_string()))?;
        batch.insert(key::HEAD, head);
        self.tree.apply_batch(batch).map_err(damaged)?;
        Ok(self.head)
    }
}

fn replace_in(digest: &mut Digest, key: &[u8], before: Option<&[u8]>, after: Option<&[u8]>) {
    if let Some(before) = before {
        digest.remove(key, before);
    }
    if let Some(after) = after {
        digest.add(key, after);
    }
}

/// Whether the entry belongs to the state itself: history keeps those.
fn is_state(key: &[u8]) -> bool {
    matches!(key.first(), Some(&(key::INSTANCE | key::OUTPUT)))
}

/// An undo entry: absent, or what it was.
fn keep(before: Option<&[u8]>) -> Vec<u8> {
    match before {
        None => vec![0],
        Some(before) => [&[1], before].concat(),
    }
}

/// What an undo entry says.
pub(crate) fn kept(entry: &[u8]) -> Result<Option<&[u8]>, StoreError> {
    match entry.split_first() {
        Some((0, [])) => Ok(None),
        Some((1, before)) => Ok(Some(before)),
        _ => Err(StoreError::Damaged("an entry of the history cannot be read".into())),
    }
}
