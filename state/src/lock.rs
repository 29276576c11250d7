//! One writer: a lock of the operating system on `lock`, and `lock.json` beside it that says who holds it.
//!
//! The system frees the lock when its process ends, however it ends, so a lock never outlives its holder and there is
//! nothing to time out. A `lock.json` that is found by the next holder was left by a process that died.

use std::{
    fs::{self, File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use sgp_contract::{LockHolder, StoreError};
use uuid::Uuid;

use crate::head::{io, write_file};

/// What a process wants of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Changes it, and holds the lock until the store is dropped.
    Write,
    /// Looks at it once; holds the lock only while it reads.
    Read,
}

const LOCK: &str = "lock";
const HOLDER: &str = "lock.json";
/// Readers hold the lock for an instant: a writer must not fail because of one, nor a reader because of another.
const PATIENCE_MIN: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(20);

/// The lock, held until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Closing it frees the lock.
    _file: File,
    /// Ours to remove, for a writer.
    holder: Option<PathBuf>,
    /// Who died with it, for a writer.
    pub(crate) recovered_from: Option<LockHolder>,
}

impl Lock {
    /// Takes the lock of a folder that exists, waiting at most `timeout` (and never less than a blink).
    pub(crate) fn acquire(dir: &Path, access: Access, operation: &str, timeout: Duration) -> Result<Self, StoreError> {
        let file = open_lock_file(dir)?;
        let deadline = Instant::now() + timeout.max(PATIENCE_MIN);
        while !try_lock(&file, dir)? {
            if Instant::now() >= deadline {
                return Err(StoreError::Locked(Box::new(read_holder(dir)?.unwrap_or_else(unnamed_holder))));
            }
            thread::sleep(POLL);
        }
        if access == Access::Read {
            return Ok(Self { _file: file, holder: None, recovered_from: None });
        }
        let recovered_from = read_holder(dir)?;
        let holder = dir.join(HOLDER);
        let json = serde_json::to_vec_pretty(&this_process(operation)).expect("plain fields are JSON");
        write_file(&holder, &json)?;
        Ok(Self { _file: file, holder: Some(holder), recovered_from })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(holder) = &self.holder {
            // Left behind, it would only be reported as a process that died.
            let _ = fs::remove_file(holder);
        }
    }
}

/// Removes what a dead process left of its lock, and answers who it was. `id` is the lock's id as the error that named the
/// lock showed it.
///
/// # Errors
/// [`StoreError::Conflict`] when there is no such lock, [`StoreError::Locked`] while its process lives: the system holds
/// the lock for that process, and ending the process frees it.
pub fn force_unlock(dir: &Path, id: &str) -> Result<LockHolder, StoreError> {
    let Some(holder) = read_holder(dir)? else {
        return Err(StoreError::Conflict("the state is not locked".into()));
    };
    if holder.id != id {
        return Err(StoreError::Conflict(format!("the lock on the state has id {}, not {id}", holder.id)));
    }
    let file = open_lock_file(dir)?;
    if !try_lock(&file, dir)? {
        return Err(StoreError::Locked(Box::new(holder)));
    }
    let path = dir.join(HOLDER);
    fs::remove_file(&path).map_err(|e| io(format!("cannot remove {}", path.display()), &e))?;
    Ok(holder)
}

fn open_lock_file(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| io(format!("cannot open {}", path.display()), &e))
}

fn try_lock(file: &File, dir: &Path) -> Result<bool, StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(e)) => Err(io(format!("cannot lock {}", dir.join(LOCK).display()), &e)),
    }
}

/// Who is said to hold the lock; an unreadable note is as good as none, because the lock itself is the system's.
fn read_holder(dir: &Path) -> Result<Option<LockHolder>, StoreError> {
    let path = dir.join(HOLDER);
    match fs::read(&path) {
        Ok(json) => Ok(serde_json::from_slice(&json).ok()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(io(format!("cannot read {}", path.display()), &e)),
    }
}

/// A reader leaves no note.
fn unnamed_holder() -> LockHolder {
    LockHolder {
        id: String::new(),
        operation: "a command that reads the state".into(),
        who: "another process".into(),
        pid: 0,
        version: String::new(),
        since: now(),
    }
}

fn this_process(operation: &str) -> LockHolder {
    LockHolder {
        id: Uuid::new_v4().to_string(),
        operation: operation.into(),
        who: this_user(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").into(),
        since: now(),
    }
}

/// Who runs this process: `user@host`.
pub(crate) fn this_user() -> String {
    format!("{}@{}", user(), host())
}

fn first_of_env(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
}

fn user() -> String {
    first_of_env(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "unknown".into())
}

fn host() -> String {
    let file = |path: &str| fs::read_to_string(path).ok().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty());
    file("/proc/sys/kernel/hostname")
        .or_else(|| file("/etc/hostname"))
        .or_else(|| first_of_env(&["HOSTNAME", "COMPUTERNAME"]))
        .unwrap_or_else(|| "unknown".into())
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn take(dir: &Path, access: Access, operation: &str) -> Result<Lock, StoreError> {
        Lock::acquire(dir, access, operation, Duration::ZERO)
    }

    #[test]
    fn the_second_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = take(dir.path(), Access::Write, "apply").unwrap();
        for access in [Access::Write, Access::Read] {
            let Err(StoreError::Locked(holder)) = take(dir.path(), access, "plan") else { panic!("not locked") };
            assert_eq!(holder.operation, "apply");
            assert_eq!(holder.pid, std::process::id());
            assert!(holder.since > 0 && holder.who.contains('@'));
        }
        drop(first);
        let second = take(dir.path(), Access::Write, "plan").unwrap();
        assert_eq!(second.recovered_from, None);
    }

    #[test]
    fn a_waiting_process_gets_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = take(dir.path(), Access::Write, "apply").unwrap();
        let path = dir.path().to_owned();
        let waiting =
            thread::spawn(move || Lock::acquire(&path, Access::Write, "plan", Duration::from_mins(1)).map(drop));
        thread::sleep(Duration::from_millis(100));
        assert!(!waiting.is_finished());
        drop(first);
        waiting.join().unwrap().unwrap();
    }

    #[test]
    fn a_reader_is_named_as_such_and_leaves_no_note() {
        let dir = tempfile::tempdir().unwrap();
        let reader = take(dir.path(), Access::Read, "show").unwrap();
        let error = take(dir.path(), Access::Write, "apply").unwrap_err().to_string();
        assert!(error.contains("another process") && error.contains("reads the state"), "{error}");
        drop(reader);
        assert_eq!(take(dir.path(), Access::Write, "apply").unwrap().recovered_from, None);
    }

    #[test]
    fn force_unlock_removes_only_the_named_and_dead() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |id: &str| force_unlock(dir.path(), id).unwrap_err().to_string();
        assert_eq!(refused("x"), "the state is not locked");

        let live = take(dir.path(), Access::Write, "apply").unwrap();
        let holder = read_holder(dir.path()).unwrap().unwrap();
        assert!(refused("x").contains(&holder.id));
        assert!(matches!(force_unlock(dir.path(), &holder.id), Err(StoreError::Locked(_))));

        let note = fs::read(dir.path().join(HOLDER)).unwrap();
        drop(live);
        fs::write(dir.path().join(HOLDER), note).unwrap();
        assert_eq!(force_unlock(dir.path(), &holder.id).unwrap(), holder);
        assert_eq!(take(dir.path(), Access::Write, "plan").unwrap().recovered_from, None);
    }
}
