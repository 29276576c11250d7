//! Older serials, rebuilt from what each serial changed.
//!
//! The first time that a serial touches an entry, the entry's previous content is kept beside it. The state of an older
//! serial is the current one with those put back, newest serial first. The last 50 serials are kept; a push that does not
//! follow the stored state starts a new history.

use std::collections::{BTreeMap, HashMap};

use sgp_contract::StoreError;
use sgp_model::State;

use crate::{
    database::{Database, damaged_history, decode_state},
    draft::kept,
    key,
    lock::{now, this_user},
    wire::{Malformed, Reader, Writer},
};

/// What one serial changed. A record that came and went within it does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialSummary {
    /// The serial.
    pub serial: u64,
    /// When it began, in seconds since the epoch.
    pub at: i64,
    /// The command that made it: `apply`.
    pub operation: String,
    /// Who ran it, as `user@host`; empty where an older version wrote it.
    pub who: String,
    /// Records that it added.
    pub added: usize,
    /// Records that it changed.
    pub changed: usize,
    /// Records that it removed.
    pub removed: usize,
    /// How many records there were at its end.
    pub records: usize,
}

const ORIGIN_FORMAT: u8 = 2;
/// Without who it was.
const ORIGIN_FORMAT_1: u8 = 1;

/// How a serial came about.
struct Origin {
    at: i64,
    operation: String,
    who: String,
}

/// The history entry of a serial that begins now.
pub(crate) fn encode_origin(operation: &str) -> Result<Vec<u8>, StoreError> {
    let mut w = Writer::default();
    w.byte(ORIGIN_FORMAT);
    w.int(now());
    w.text(operation);
    w.text(&this_user());
    w.finish().map_err(|e| damaged_history(&e))
}

fn decode_origin(bytes: &[u8]) -> Result<Origin, Malformed> {
    Reader::whole(bytes, |r| {
        let format = r.byte()?;
        if ![ORIGIN_FORMAT, ORIGIN_FORMAT_1].contains(&format) {
            return Err(Malformed::new(format!("format {format} is not known")));
        }
        let (at, operation) = (r.int()?, r.text()?.to_owned());
        let who = if format == ORIGIN_FORMAT { r.text()?.to_owned() } else { String::new() };
        Ok(Origin { at, operation, who })
    })
}

/// How a record stands, without its content.
type Fingerprint = Option<u64>;

impl Database {
    /// The serials that can be gone back to, newest first.
    pub(crate) fn history(&self) -> Result<Vec<SerialSummary>, StoreError> {
        let mut counts = self.changes_by_serial()?;
        let mut records = self.scan(key::INSTANCE).count();
        let mut summaries = Vec::new();
        for entry in self.scan(key::HISTORY).rev() {
            let (key, origin) = entry?;
            let serial = key::number_of(&key).map_err(|e| damaged_history(&e))?;
            let Origin { at, operation, who } = decode_origin(&origin).map_err(|e| damaged_history(&e))?;
            let (added, changed, removed) = counts.remove(&serial).unwrap_or_default();
            summaries.push(SerialSummary { serial, at, operation, who, added, changed, removed, records });
            records = (records + removed).saturating_sub(added);
        }
        Ok(summaries)
    }

    /// Added, changed and removed records of each serial.
    fn changes_by_serial(&self) -> Result<HashMap<u64, (usize, usize, usize)>, StoreError> {
        let mut counts: HashMap<u64, (usize, usize, usize)> = HashMap::new();
        let mut later: HashMap<Vec<u8>, Fingerprint> = HashMap::new();
        for entry in self.scan(key::UNDO).rev() {
            let (undo, before) = entry?;
            let serial = key::number_of(&undo).map_err(|e| damaged_history(&e))?;
            let key = &undo[9..];
            if key.first() != Some(&key::INSTANCE) {
                continue;
            }
            let before = kept(&before)?.map(fingerprint);
            let after = match later.insert(key.to_vec(), before) {
                Some(after) => after,
                None => self.get(key)?.map(|bytes| fingerprint(&bytes)),
            };
            let (added, changed, removed) = counts.entry(serial).or_default();
            match (before, after) {
                (None, Some(_)) => *added += 1,
                (Some(_), None) => *removed += 1,
                (Some(b), Some(a)) if a != b => *changed += 1,
                _ => {}
            }
        }
        Ok(counts)
    }

    /// The state as it was at the end of a serial; `None` when that serial is not kept.
    pub(crate) fn state_at(&mut self, serial: u64) -> Result<Option<State>, StoreError> {
        let now = self.load()?;
        if serial == now.serial {
            return Ok(Some(now));
        }
        if self.get(&key::numbered(key::HISTORY, serial))?.is_none() {
            return Ok(None);
        }
        let mut entries = BTreeMap::new();
        for entry in self.scan(key::INSTANCE).chain(self.scan(key::OUTPUT)) {
            let (key, value) = entry?;
            entries.insert(key.to_vec(), value.to_vec());
        }
        for entry in self.scan(key::UNDO).rev() {
            let (undo, before) = entry?;
            if key::number_of(&undo).map_err(|e| damaged_history(&e))? <= serial {
                break;
            }
            match kept(&before)? {
                Some(before) => entries.insert(undo[9..].to_vec(), before.to_vec()),
                None => entries.remove(&undo[9..]),
            };
        }
        decode_state(entries.into_iter().map(Ok), serial, now.lineage).map(Some)
    }
}

fn fingerprint(bytes: &[u8]) -> u64 {
    let mut digest = crate::digest::Digest::default();
    digest.add(&[], bytes);
    digest.sum
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn who_is_not_known_of_serials_of_older_versions() {
        let mut w = Writer::default();
        w.byte(ORIGIN_FORMAT_1);
        w.int(1_764_500_000);
        w.text("apply");
        let older = decode_origin(&w.finish().unwrap()).unwrap();
        assert_eq!((older.at, older.operation.as_str(), older.who.as_str()), (1_764_500_000, "apply", ""));
        let now = decode_origin(&encode_origin("destroy").unwrap()).unwrap();
        assert_eq!((now.operation.as_str(), now.who), ("destroy", this_user()));
        assert!(decode_origin(&[9]).is_err());
    }
}
