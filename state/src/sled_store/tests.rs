#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs};

use proptest::prelude::*;
use sgp_model::{
    InstanceRecord, Value,
    address::parse_instance,
    state::{Intent, Operation, OutputRecord, RecordKey},
};

use super::*;
use crate::{MemoryStore, draft::HISTORY_MAX, testing};

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, "apply", Access::Write, Duration::ZERO).unwrap()
}

fn read(dir: &Path) -> SledStore {
    SledStore::open(dir, "show", Access::Read, Duration::ZERO).unwrap()
}

fn key(addr: &str) -> RecordKey {
    RecordKey::current(parse_instance(addr).unwrap())
}

fn record(id: &str) -> Box<InstanceRecord> {
    Box::new(InstanceRecord {
        provider: sgp_model::ProviderAddr::root("aws"),
        schema_version: 0,
        attributes: Value::object([("id", Value::from(id))]),
        sensitive_paths: vec![],
        status: sgp_model::state::ObjectStatus::Ready,
        dependencies: vec![],
        create_before_destroy: false,
        skip_destroy: false,
        private: None,
    })
}

fn intent(token: &str) -> Intent {
    Intent {
        token: token.into(),
        key: key("a.b"),
        operation: Operation::Create,
        provider: sgp_model::ProviderAddr::root("aws"),
        attributes: Value::object([("name", Value::from("n"))]),
        at: 1,
        dependencies: vec![],
        create_before_destroy: false,
    }
}

/// A put under the address `a.b[n]`.
fn put(n: u64, id: &str) -> Write {
    Write::Put(key(&format!("a.b[{n}]")), record(id))
}

#[tokio::test]
async fn what_is_written_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let lineage = store.load().await.unwrap().lineage;
    assert!(!lineage.is_empty());
    store.write(vec![Write::BumpSerial, put(1, "x"), put(2, "y"), Write::Begin(Box::new(intent("t")))]).await.unwrap();
    store.write(vec![Write::Remove(key("a.b[1]")), Write::Remove(key("a.never"))]).await.unwrap();
    drop(store);

    for again in [open, read] {
        let store = again(dir.path());
        let state = store.load().await.unwrap();
        assert_eq!((state.serial, &state.lineage), (1, &lineage));
        assert_eq!(state.instances.into_iter().collect::<Vec<_>>(), [(key("a.b[2]"), *record("y"))]);
        assert_eq!(store.open_intents().await.unwrap().len(), 1);
        assert_eq!(store.recovered_from(), None);
    }
}

#[tokio::test]
async fn a_reader_leaves_no_trace_and_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none");
    let store = read(&path);
    assert_eq!(store.load().await.unwrap(), State::default());
    assert!(store.history().await.unwrap().is_empty());
    assert!(matches!(store.write(vec![Write::BumpSerial]).await, Err(StoreError::Conflict(_))));
    assert!(!path.exists());
}

#[test]
fn a_second_writer_and_a_reader_are_told_who_writes() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path());
    for access in [Access::Write, Access::Read] {
        let error = SledStore::open(dir.path(), "plan", access, Duration::ZERO).unwrap_err();
        assert!(matches!(&error, StoreError::Locked(holder) if holder.operation == "apply"), "{error}");
    }
}

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let orphan = Write::Checkpoint { token: "nobody".into(), attributes: Box::new(true.into()) };
    let error = store.write(vec![Write::BumpSerial, put(1, "x"), orphan]).await.unwrap_err();
    assert!(error.to_string().contains("nobody"), "{error}");
    let state = store.load().await.unwrap();
    assert_eq!((state.serial, state.instances.len()), (0, 0));
    store.write(vec![put(1, "x")]).await.unwrap();
    assert_eq!(store.load().await.unwrap().instances.len(), 1);
}

#[tokio::test]
async fn the_journal_keeps_order_and_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for token in ["z", "m", "a"] {
        store.write(vec![Write::Begin(Box::new(intent(token)))]).await.unwrap();
    }
    let checkpoint = |id: &str| Write::Checkpoint { token: "m".into(), attributes: Box::new(id.into()) };
    store.write(vec![checkpoint("first")]).await.unwrap();
    drop(store);
    let store = open(dir.path());
    store.write(vec![checkpoint("second"), Write::End { token: "z".into() }]).await.unwrap();
    store.write(vec![Write::End { token: "unknown".into() }]).await.unwrap();

    let seen = |open: Vec<OpenIntent>| -> Vec<_> {
        open.into_iter().map(|o| (o.intent.token, o.checkpoint.map(|c| c.as_str().unwrap().to_owned()))).collect()
    };
    let expected = [("m".to_owned(), Some("second".to_owned())), ("a".to_owned(), None)];
    assert_eq!(seen(store.open_intents().await.unwrap()), expected);
    drop(store);
    assert_eq!(seen(read(dir.path()).open_intents().await.unwrap()), expected);
}

#[tokio::test]
async fn push_follows_the_rule_and_replaces_everything() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let pushed = |lineage: &str, serial, id: &str| State {
        lineage: lineage.into(),
        serial,
        instances: [(key("a.b[7]"), *record(id))].into(),
        outputs: BTreeMap::new(),
        checks: Vec::new(),
    };
    store.write(vec![Write::Begin(Box::new(intent("t")))]).await.unwrap();
    store.replace(pushed("other", 4, "x"), false).await.unwrap();
    assert_eq!(store.load().await.unwrap(), pushed("other", 4, "x"));
    store.write(vec![Write::BumpSerial, put(1, "y")]).await.unwrap();
    assert!(matches!(store.replace(pushed("other", 5, "z"), false).await, Err(StoreError::Conflict(_))));
    assert!(matches!(store.replace(pushed("third", 9, "z"), false).await, Err(StoreError::Conflict(_))));
    store.replace(pushed("other", 6, "z"), false).await.unwrap();
    assert_eq!(store.load().await.unwrap(), pushed("other", 6, "z"));
    assert_eq!(store.state_at(4).await.unwrap(), Some(pushed("other", 4, "x")));
    store.replace(pushed("third", 2, "z"), true).await.unwrap();
    assert_eq!(store.load().await.unwrap(), pushed("third", 2, "z"));
    let serials: Vec<_> = store.history().await.unwrap().iter().map(|s| s.serial).collect();
    assert_eq!(serials, [2], "a push that does not follow starts a new history");
    assert_eq!(store.open_intents().await.unwrap().len(), 1, "the journal is about the world");
}

#[tokio::test]
async fn history_counts_what_each_serial_changed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.write(vec![Write::BumpSerial, put(1, "x"), put(2, "x")]).await.unwrap();
    store.write(vec![put(2, "y"), put(3, "x"), Write::Remove(key("a.b[3]"))]).await.unwrap();
    let at_first = store.load().await.unwrap();
    store.write(vec![Write::BumpSerial, put(1, "z")]).await.unwrap();
    store.write(vec![put(4, "x"), Write::Remove(key("a.b[2]"))]).await.unwrap();
    drop(store);
    for again in [open, read] {
        let store = again(dir.path());
        let history: Vec<_> = store
            .history()
            .await
            .unwrap()
            .into_iter()
            .map(|s| (s.serial, s.operation, s.added, s.changed, s.removed, s.records))
            .collect();
        assert_eq!(history, [(2, "apply".into(), 1, 1, 1, 2), (1, "apply".into(), 2, 0, 0, 2)]);
        assert!(store.history().await.unwrap().iter().all(|it| it.who.contains('@')));
        let first = store.state_at(1).await.unwrap().unwrap();
        assert_eq!(first.instances, [(key("a.b[1]"), *record("x")), (key("a.b[2]"), *record("y"))].into());
        assert_eq!(first, at_first, "digests of both are the same");
        assert_eq!(store.state_at(99).await.unwrap(), None);
    }
}

#[tokio::test]
async fn history_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..HISTORY_MAX + 5 {
        store.write(vec![Write::BumpSerial, put(0, &n.to_string()), put(n, "x")]).await.unwrap();
    }
    let history = store.history().await.unwrap();
    assert_eq!(history.len() as u64, HISTORY_MAX);
    assert_eq!(history.last().unwrap().serial, 6);
    let oldest = store.state_at(6).await.unwrap().unwrap();
    assert_eq!(oldest.instances[&key("a.b[0]")], *record("5"));
    assert_eq!(store.state_at(5).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_share_flushes() {
    let dir = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(open(dir.path()));
    let tasks: Vec<_> = (0..300)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..10 {
                    store.write(vec![put(task * 10 + n, "x")]).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    drop(store);
    assert_eq!(read(dir.path()).load().await.unwrap().instances.len(), 3_000);
}

#[tokio::test]
async fn values_too_deep_to_read_again_are_refused_when_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let tower = (0..1_100).fold(Value::from(true), |v, _| Value::tuple(vec![v]));
    let mut deep = record("x");
    deep.attributes = tower;
    let error = store.write(vec![Write::Put(key("a.b"), deep)]).await.unwrap_err().to_string();
    assert!(error.starts_with("a.b cannot be stored: "), "{error}");
}

#[tokio::test]
async fn check_results_are_kept_beside_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.write(vec![Write::BumpSerial, put(1, "x")]).await.unwrap();
    store.write(vec![Write::BumpSerial, Write::Checks(testing::checks())]).await.unwrap();
    drop(store);
    let store = open(dir.path());
    let state = store.load().await.unwrap();
    assert_eq!((state.serial, state.checks.clone()), (2, testing::checks()));
    // An older serial says nothing of them.
    assert!(store.state_at(1).await.unwrap().unwrap().checks.is_empty());
    let pushed = State { serial: 3, checks: Vec::new(), ..state };
    store.replace(pushed.clone(), false).await.unwrap();
    assert_eq!(store.load().await.unwrap(), pushed);
    let pushed = State { serial: 4, checks: testing::checks(), ..pushed };
    store.replace(pushed.clone(), false).await.unwrap();
    drop(store);
    assert_eq!(read(dir.path()).load().await.unwrap(), pushed);
}

/// One step of the comparison of both stores.
#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Write>),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    // Few addresses, so that records are written over and removed.
    let addr = || (0_u64..4).prop_map(|n| key(&format!("module.m.a.b[{n}]")));
    let write = prop_oneof![
        4 => (addr(), testing::instance_record()).prop_map(|(k, r)| Write::Put(k, Box::new(r))),
        2 => addr().prop_map(Write::Remove),
        1 => proptest::collection::btree_map("[a-c]", testing::output_record(), 0..3)
            .prop_map(|outputs: BTreeMap<String, OutputRecord>| Write::Outputs(outputs.into_iter().collect())),
        1 => testing::intent().prop_map(|i| Write::Begin(Box::new(i))),
    ];
    prop_oneof![
        6 => (any::<bool>(), proptest::collection::vec(write, 0..5)).prop_map(|(bump, mut writes)| {
            if bump {
                writes.insert(0, Write::BumpSerial);
            }
            Step::Write(writes)
        }),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn it_behaves_as_the_store_in_memory_and_remembers_every_serial(steps in proptest::collection::vec(step(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let mut store = Some(open(dir.path()));
            let memory = MemoryStore::new(store.as_ref().unwrap().load().await.unwrap());
            let mut serials = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Reopen => {
                        store = None;
                        store.get_or_insert_with(|| open(dir.path()));
                    }
                    Step::Write(batch) => {
                        store.as_ref().unwrap().write(batch.clone()).await.unwrap();
                        memory.write(batch).await.unwrap();
                    }
                }
                let store = store.as_ref().unwrap();
                let state = memory.load().await.unwrap();
                assert_eq!(store.load().await.unwrap(), state);
                assert_eq!(store.open_intents().await.unwrap(), memory.open_intents().await.unwrap());
                serials.insert(state.serial, state);
            }
            let store = store.unwrap();
            for (serial, state) in serials {
                if serial > 0 {
                    assert_eq!(store.state_at(serial).await.unwrap(), Some(state), "serial {serial}");
                }
            }
        });
    }
}

#[cfg(unix)]
#[test]
fn the_folder_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".sgp");
    drop(open(&path));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}
