//! What was acknowledged survives a process that is killed at any moment.
//!
//! The test runs itself as a child: the ignored test `child` writes until it is killed, and tells each acknowledged write.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use sgp_contract::{StateStore as _, StoreError, Write};
use sgp_model::{
    InstanceRecord, ProviderAddr, Value,
    address::parse_instance,
    state::{Intent, ObjectStatus, Operation, RecordKey},
};
use sgp_state::{Access, SledStore};

const DIR: &str = "SGP_STATE_KILL_TEST_DIR";
const ROUND: &str = "SGP_STATE_KILL_TEST_ROUND";
const WRITERS: u64 = 4;

fn key(writer: u64, half: &str) -> RecordKey {
    RecordKey::current(parse_instance(&format!("a.{half}[{writer}]")).unwrap())
}

fn record(n: u64) -> Box<InstanceRecord> {
    Box::new(InstanceRecord {
        provider: ProviderAddr::root("aws"),
        schema_version: 0,
        attributes: Value::object([("n", Value::int(i64::try_from(n).unwrap())), ("padding", "x".repeat(500).into())]),
        sensitive_paths: vec![],
        status: ObjectStatus::Ready,
        dependencies: vec![],
        create_before_destroy: false,
        skip_destroy: false,
        private: None,
    })
}

fn intent(token: String, key: RecordKey) -> Box<Intent> {
    Box::new(Intent {
        token,
        key,
        operation: Operation::Create,
        provider: ProviderAddr::root("aws"),
        attributes: Value::dynamic_null(),
        at: 0,
        dependencies: vec![],
        create_before_destroy: false,
    })
}

/// Begins, writes two records in one batch that ends the intent, and tells the number, over and over.
async fn write_for_ever(store: Arc<SledStore>, writer: u64, round: u64) -> StoreError {
    for n in round * 1_000_000.. {
        let token = format!("{writer}-{n}");
        let begin = Write::Begin(intent(token.clone(), key(writer, "left")));
        let done = vec![
            Write::Put(key(writer, "left"), record(n)),
            Write::Put(key(writer, "right"), record(n)),
            Write::End { token: token.clone() },
        ];
        if let Err(e) = store.write(vec![begin]).await {
            return e;
        }
        println!("begun {writer} {n}");
        if let Err(e) = store.write(done).await {
            return e;
        }
        println!("done {writer} {n}");
    }
    unreachable!("the parent kills this process")
}

#[test]
#[ignore = "the tests below run it as a child process"]
fn child() {
    let dir = PathBuf::from(env::var_os(DIR).expect("the folder"));
    let round = env::var(ROUND).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let error = runtime.block_on(async {
        let store = match SledStore::open(&dir, "apply", Access::Write, Duration::ZERO) {
            Ok(store) => Arc::new(store),
            Err(e) => return e,
        };
        if let Err(e) = store.write(vec![Write::BumpSerial]).await {
            return e;
        }
        println!("open {}", store.recovered_from().is_some());
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| tokio::spawn(write_for_ever(store.clone(), writer, round))).collect();
        let mut last = None;
        for writer in writers {
            last = Some(writer.await.unwrap());
        }
        last.unwrap()
    });
    println!("error {error:?}");
}

fn start(dir: &Path, round: u64, mut command: Command) -> Child {
    command
        .args(["--ignored", "--exact", "child", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What one writer was told.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    begun: Option<u64>,
    done: Option<u64>,
}

fn listen(child: &mut Child) -> BTreeMap<u64, Told> {
    let mut told: BTreeMap<u64, Told> = BTreeMap::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let words: Vec<_> = line.split(' ').collect();
        let number = |i: usize| words[i].parse::<u64>().unwrap();
        match words.as_slice() {
            ["begun", _, _] => told.entry(number(1)).or_default().begun = Some(number(2)),
            ["done", _, _] => told.entry(number(1)).or_default().done = Some(number(2)),
            ["error", ..] => panic!("{line}"),
            _ => {}
        }
    }
    told
}

async fn check(dir: &Path, round: u64, told: &BTreeMap<u64, Told>) {
    let store = SledStore::open(dir, "show", Access::Read, Duration::ZERO).unwrap();
    let state = store.load().await.unwrap();
    let open = store.open_intents().await.unwrap();
    let number = |key: &RecordKey| {
        let record = state.instances.get(key)?;
        Some(u64::try_from(record.attributes.get("n").unwrap().as_i64().unwrap()).unwrap())
    };
    for (writer, told) in told {
        let (left, right) = (number(&key(*writer, "left")), number(&key(*writer, "right")));
        assert_eq!(left, right, "round {round}: half a batch of writer {writer}");
        assert!(left >= told.done, "round {round}: writer {writer} was told {told:?}, and {left:?} is there");
        if let Some(begun) = told.begun.filter(|begun| left < Some(*begun)) {
            let token = format!("{writer}-{begun}");
            assert!(open.iter().any(|o| o.intent.token == token), "round {round}: the intent {token} is lost");
        }
    }
}

#[test]
fn acknowledged_writes_survive_a_kill_at_any_moment() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join(".sgp");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut all: BTreeMap<u64, Told> = BTreeMap::new();
    let is_done =
        |all: &BTreeMap<u64, Told>| all.len() as u64 == WRITERS && all.values().all(|told| told.done.is_some());
    // On a busy machine processes begin late: then there are more rounds, and longer ones.
    let mut round = 0_u64;
    while round < 24 || round < 240 && !is_done(&all) {
        let mut child = start(&dir, round, Command::new(env::current_exe().unwrap()));
        // From while the database is being made, over the first writes, to the middle of many.
        thread::sleep(Duration::from_millis(round * 7 % 150 * (1 + round / 24)));
        child.kill().unwrap();
        for (writer, told) in listen(&mut child) {
            let known = all.entry(writer).or_default();
            *known = Told { begun: known.begun.max(told.begun), done: known.done.max(told.done) };
        }
        child.wait().unwrap();
        runtime.block_on(check(&dir, round, &all));
        round += 1;
    }
    assert!(is_done(&all), "nothing was written: {all:?}");

    let store = SledStore::open(&dir, "plan", Access::Write, Duration::ZERO).unwrap();
    assert_eq!(store.recovered_from().map(|holder| holder.operation), Some("apply".into()));
}

/// A shell takes the place of a full disk: beyond the limit every write fails.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_takes_no_more_is_an_error_and_what_was_acknowledged_stays() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join(".sgp");
    let mut command = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\"";
    command.args(["-c", script]).arg(env::current_exe().unwrap());
    let output = start(&dir, 1, command).wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("error Io"), "{text}\n{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");

    let mut told: BTreeMap<u64, Told> = BTreeMap::new();
    for line in text.lines() {
        if let ["done", writer, n] = line.split(' ').collect::<Vec<_>>()[..] {
            told.entry(writer.parse().unwrap()).or_default().done = n.parse().ok();
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(check(&dir, 1, &told));
}
