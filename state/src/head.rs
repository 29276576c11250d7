//! The head entry, and the marker file beside the database.
//!
//! The marker (`state.json`) says which format the folder has before anything opens it, and that there was a state at all:
//! an emptied or lost database is then reported as damage, and does not pass for a fresh start.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sgp_contract::StoreError;

use crate::{
    digest::Digest,
    wire::{Malformed, Reader, Writer},
};

/// The format of the store that this version writes. Older ones are migrated when they are opened; a change needs a
/// frozen fixture of the format before it.
pub(crate) const FORMAT: u64 = 1;

/// What is known of the state as a whole. Written with every batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) lineage: String,
    pub(crate) serial: u64,
    /// Over instances, outputs, intents and checkpoints.
    pub(crate) digest: Digest,
    /// The number of the next journal entry.
    pub(crate) next_intent: u64,
}

impl Head {
    pub(crate) fn new(lineage: String) -> Self {
        Self { lineage, serial: 0, digest: Digest::default(), next_intent: 0 }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Malformed> {
        let Self { lineage, serial, digest, next_intent } = self;
        let mut w = Writer::default();
        w.uint(FORMAT);
        w.text(lineage);
        w.uint(*serial);
        w.uint(digest.entries);
        w.uint(digest.sum);
        w.uint(*next_intent);
        w.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut r = Reader::new(bytes);
        let damaged = |e: Malformed| StoreError::Damaged(format!("its head cannot be read: {e}"));
        let format = r.uint().map_err(damaged)?;
        check_format(format)?;
        let mut read = || {
            Ok(Self {
                lineage: r.text()?.to_owned(),
                serial: r.uint()?,
                digest: Digest { entries: r.uint()?, sum: r.uint()? },
                next_intent: r.uint()?,
            })
        };
        read().map_err(damaged)
    }
}

fn check_format(found: u64) -> Result<(), StoreError> {
    match found {
        FORMAT => Ok(()),
        0 => Err(StoreError::Damaged("it claims format 0, which never existed".into())),
        _ => Err(StoreError::TooNew { found, known: FORMAT }),
    }
}

/// What the marker file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    /// There is none: no state was ever kept here.
    Absent,
    /// The database was being made when the process died: nothing was acknowledged.
    Unfinished,
    /// There is a state.
    Ready,
}

#[derive(Serialize, Deserialize)]
struct MarkerFile {
    format: u64,
    ready: bool,
}

const MARKER: &str = "state.json";
/// The folder of the database.
pub(crate) const DATABASE: &str = "state";

/// Refuses a folder without a marker in which something has the database's name.
pub(crate) fn refuse_foreign(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(DATABASE);
    if path.exists() {
        let text = format!("{} is there, but {MARKER} is not: nothing says that sgp made it", path.display());
        return Err(StoreError::Damaged(text));
    }
    Ok(())
}

/// Reads the marker of a folder.
pub(crate) fn read_marker(dir: &Path) -> Result<Marker, StoreError> {
    let path = dir.join(MARKER);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Marker::Absent),
        Err(e) => return Err(io(format!("cannot read {}", path.display()), &e)),
    };
    let marker: MarkerFile = serde_json::from_slice(&text)
        .map_err(|e| StoreError::Damaged(format!("{} is not what sgp wrote: {e}", path.display())))?;
    check_format(marker.format)?;
    Ok(if marker.ready { Marker::Ready } else { Marker::Unfinished })
}

/// Writes the marker of a folder, durably.
pub(crate) fn write_marker(dir: &Path, ready: bool) -> Result<(), StoreError> {
    let text = serde_json::to_vec(&MarkerFile { format: FORMAT, ready }).expect("two plain fields are JSON");
    write_file(&dir.join(MARKER), &text)
}

/// Replaces a file as a whole: readers see the old or the new content, also after a power cut.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_dir(path)
    };
    write().map_err(|e| io(format!("cannot write {}", path.display()), &e))
}

/// Makes the name of a new file durable.
pub(crate) fn sync_dir(file: &Path) -> std::io::Result<()> {
    match file.parent() {
        Some(dir) if cfg!(unix) && !dir.as_os_str().is_empty() => fs::File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

/// An error of the system while something was attempted.
pub(crate) fn io(what: impl Into<String>, cause: &std::io::Error) -> StoreError {
    StoreError::Io { what: what.into(), cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_head_comes_back() {
        let head =
            Head { lineage: "l".into(), serial: 7, digest: Digest { entries: 3, sum: u64::MAX }, next_intent: 300 };
        assert_eq!(Head::decode(&head.encode().unwrap()).unwrap(), head);
    }

    #[test]
    fn heads_and_markers_of_other_formats_are_told_apart() {
        assert!(matches!(Head::decode(&[9]), Err(StoreError::TooNew { found: 9, known: FORMAT })));
        assert!(matches!(Head::decode(&[]), Err(StoreError::Damaged(_))));
        assert!(matches!(Head::decode(&[1, 200]), Err(StoreError::Damaged(_))));

        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_marker(dir.path()).unwrap(), Marker::Absent);
        write_marker(dir.path(), false).unwrap();
        assert_eq!(read_marker(dir.path()).unwrap(), Marker::Unfinished);
        write_marker(dir.path(), true).unwrap();
        assert_eq!(read_marker(dir.path()).unwrap(), Marker::Ready);
        fs::write(dir.path().join(MARKER), r#"{"format":2,"ready":true,"more":1}"#).unwrap();
        let error = read_marker(dir.path()).unwrap_err();
        insta::assert_snapshot!(error, @"the state was written by a newer version of sgp (format 2, this version reads up to 1)");
        fs::write(dir.path().join(MARKER), "{").unwrap();
        assert!(matches!(read_marker(dir.path()), Err(StoreError::Damaged(_))));
    }
}
