//! Damaged, foreign and newer files: an error that says so, or the whole state; never a panic and never a part of it.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use sgp_contract::{StateStore as _, StoreError, Write};
use sgp_model::{
    InstanceRecord, ProviderAddr, State, Value,
    address::parse_instance,
    state::{ObjectStatus, RecordKey},
};
use sgp_state::{Access, SledStore};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn put(n: u64) -> Write {
    let key = RecordKey::current(parse_instance(&format!("a.b[{n}]")).unwrap());
    let record = InstanceRecord {
        provider: ProviderAddr::root("aws"),
        schema_version: 0,
        attributes: Value::object([("id", Value::from(format!("id-{n}"))), ("text", "y".repeat(200).into())]),
        sensitive_paths: vec![],
        status: ObjectStatus::Ready,
        dependencies: vec![],
        create_before_destroy: false,
        skip_destroy: false,
        private: None,
    };
    Write::Put(key, Box::new(record))
}

/// A folder with a state of a hundred records, written in several runs.
fn make(dir: &Path) -> State {
    for run in 0..4 {
        let store = SledStore::open(dir, "apply", Access::Write, Duration::ZERO).unwrap();
        block_on(store.write(vec![Write::BumpSerial])).unwrap();
        for n in run * 25..run * 25 + 25 {
            block_on(store.write(vec![put(n)])).unwrap();
        }
    }
    load(dir).unwrap()
}

fn load(dir: &Path) -> Result<State, StoreError> {
    block_on(SledStore::open(dir, "show", Access::Read, Duration::ZERO)?.load())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Opens the folder in a thread, so that a hang is a failure, too.
fn load_in_time(dir: &Path) -> Result<State, StoreError> {
    let (send, answer) = mpsc::channel();
    let dir = dir.to_owned();
    thread::spawn(move || send.send(load(&dir)));
    answer.recv_timeout(Duration::from_mins(1)).expect("it answers, and does not panic")
}

/// Changes one file of a copy, and opens the copy.
fn damage(good: &Path, file: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Result<State, StoreError> {
    let dir = tempfile::tempdir().unwrap();
    copy(good, dir.path());
    let path = dir.path().join(file);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
    load_in_time(dir.path())
}

#[test]
fn the_whole_state_or_an_error() {
    let good = tempfile::tempdir().unwrap();
    let expected = make(good.path());
    let mut refused = 0;
    for file in files(good.path()) {
        let len = fs::metadata(&file).unwrap().len();
        let len = usize::try_from(len).unwrap();
        let name = file.strip_prefix(good.path()).unwrap();
        let mut judge = |what: &str, result: Result<State, StoreError>| match result {
            Ok(state) => assert!(state == expected, "{what} of {}: another state", name.display()),
            Err(StoreError::Damaged(_) | StoreError::TooNew { .. } | StoreError::Io { .. }) => refused += 1,
            Err(e) => panic!("{what} of {}: {e}", name.display()),
        };
        for part in 0..12 {
            let at = len * part / 12;
            judge(&format!("cut at {at}"), damage(good.path(), name, |b| b.truncate(at)));
            judge(&format!("zeros from {at}"), damage(good.path(), name, |b| b[at..].fill(0)));
            let garble = |b: &mut Vec<u8>| b.iter_mut().skip(at).take(7).for_each(|b| *b ^= 0xa5);
            judge(&format!("changed at {at}"), damage(good.path(), name, garble));
        }
    }
    assert!(refused > 20, "only {refused} changes were noticed");
}

#[test]
fn a_lost_database_is_not_a_fresh_start() {
    let good = tempfile::tempdir().unwrap();
    make(good.path());
    for lost in ["state", "state/db", "state.json"] {
        let dir = tempfile::tempdir().unwrap();
        copy(good.path(), dir.path());
        let path = dir.path().join(lost);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        for access in [Access::Read, Access::Write] {
            let error = SledStore::open(dir.path(), "plan", access, Duration::ZERO).unwrap_err();
            assert!(matches!(error, StoreError::Damaged(_)), "{lost}: {error}");
        }
    }
}

#[test]
fn a_newer_format_is_named() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path());
    fs::write(dir.path().join("state.json"), r#"{"format":2,"ready":true}"#).unwrap();
    for access in [Access::Read, Access::Write] {
        let error = SledStore::open(dir.path(), "plan", access, Duration::ZERO).unwrap_err();
        assert!(matches!(error, StoreError::TooNew { found: 2, known: 1 }), "{error}");
    }
}

#[test]
fn something_else_in_the_place_of_the_state() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("state"), "a file").unwrap();
    let error = SledStore::open(dir.path(), "plan", Access::Write, Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");

    let file = dir.path().join("state");
    let error = SledStore::open(&file, "plan", Access::Write, Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
}

#[test]
fn a_database_that_was_being_made_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("state.json"), r#"{"format":1,"ready":false}"#).unwrap();
    fs::create_dir(dir.path().join("state")).unwrap();
    fs::write(dir.path().join("state/db"), "half").unwrap();
    assert_eq!(load(dir.path()).unwrap(), State::default());
    assert_eq!(make(dir.path()).instances.len(), 100);
}
