//! States that released formats left on disk. A fixture is frozen: when the format changes, the old one stays and must be
//! read as before, and a new one joins it.
#![allow(clippy::unwrap_used)]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use sgp_contract::{StateStore as _, Write};
use sgp_model::{
    AttrPath, DeposedKey, InstanceRecord, Mode, ModulePath, PathStep, ProviderAddr, ResourceAddr, State, Type, Value,
    address::parse_instance,
    state::{Intent, ObjectStatus, Operation, OutputRecord, RecordKey},
};
use sgp_state::{Access, SledStore};

fn fixture(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format)
}

/// Each kind of everything that a state can hold.
fn everything() -> Vec<Write> {
    let module = ModulePath::root().child("net", Some(sgp_model::InstanceKey::Str("eu \"west\"".into())));
    let resource = ResourceAddr {
        module: module.clone(),
        mode: Mode::Managed,
        type_name: "aws_security_group".into(),
        name: "db".into(),
    };
    let key = RecordKey::current(resource.instance(Some(sgp_model::InstanceKey::Int(300))));
    let deposed = RecordKey { deposed: Some(DeposedKey("0a1b2c3d".into())), ..key.clone() };
    let big = "123456789012345678901234567890.5".parse::<sgp_model::Number>().unwrap();
    let attributes = Value::object([
        ("bool", Value::from(true)),
        ("number", Value::int(-5)),
        ("big", big.into()),
        ("text", "é \"\\\n".into()),
        ("null", Value::null(Type::object([("a", Type::list(Type::Bool))]))),
        ("untyped", Value::dynamic_null()),
        ("list", Value::strings(["b", "a"])),
        ("set", Value::set(Type::Number, [Value::int(2), Value::int(1)])),
        ("map", Value::map(Type::String, [("k", "v".into())])),
        ("tuple", Value::tuple(vec![Value::int(1), "x".into(), Value::object([("y", false.into())])])),
        ("unknown", Value::unknown_not_null(Type::tuple([Type::Dynamic, Type::map(Type::set(Type::String))]))),
        ("marked", Value::from("m").sensitive()),
    ]);
    let record = InstanceRecord {
        provider: ProviderAddr { module, name: "aws".into(), alias: Some("west".into()) },
        schema_version: 3,
        attributes: attributes.clone(),
        sensitive_paths: vec![AttrPath(vec![
            PathStep::Attr("map".into()),
            PathStep::Key("k".into()),
            PathStep::Index(7),
            PathStep::Element(Box::new(Value::int(1))),
        ])],
        status: ObjectStatus::Tainted,
        dependencies: vec![resource.clone(), parse_instance("data.aws_vpc.v").unwrap().resource],
        create_before_destroy: true,
        skip_destroy: false,
        private: Some("bnVsbA==".into()),
    };
    let plain = InstanceRecord {
        provider: ProviderAddr::root("aws"),
        schema_version: 0,
        attributes: Value::object([("id", Value::from("sg-1"))]),
        sensitive_paths: vec![],
        status: ObjectStatus::Ready,
        dependencies: vec![],
        create_before_destroy: false,
        skip_destroy: false,
        private: None,
    };
    let intent = |token: &str, operation| {
        Write::Begin(Box::new(Intent {
            token: token.into(),
            key: deposed.clone(),
            operation,
            provider: record.provider.clone(),
            attributes: attributes.clone(),
            at: -1,
            dependencies: vec![resource.clone()],
            create_before_destroy: true,
        }))
    };
    let output = OutputRecord { value: Value::strings(["o"]), ty: Type::list(Type::String), sensitive: true };
    vec![
        Write::Put(key, Box::new(record.clone())),
        Write::Put(deposed.clone(), Box::new(plain)),
        Write::Outputs(vec![("out".into(), output)]),
        intent("t1", Operation::Create),
        intent("t2", Operation::Update),
        intent("t3", Operation::Delete),
        Write::Checkpoint { token: "t2".into(), attributes: Box::new(attributes.clone()) },
    ]
}

/// Makes the fixture of the current format. Run once, when the format is new: `cargo test -p sgp-state -- --ignored freeze`.
#[tokio::test]
#[ignore = "makes a fixture"]
async fn freeze() {
    let dir = fixture("v1");
    assert!(!dir.exists(), "a fixture is made once");
    let store = SledStore::open(&dir, "apply", Access::Write, Duration::ZERO).unwrap();
    let lineage = "3f1c7a52-9c1c-4f4e-8d9f-0d6a7c1b2e3f".to_owned();
    store.replace(State { lineage, serial: 4, ..State::default() }, false).await.unwrap();
    store.write([vec![Write::BumpSerial], everything()].concat()).await.unwrap();
    let gone = RecordKey::current(parse_instance("a.gone").unwrap());
    let Write::Put(_, record) = everything().swap_remove(1) else { panic!("a record") };
    store.write(vec![Write::BumpSerial, Write::Put(gone.clone(), record)]).await.unwrap();
    store.write(vec![Write::BumpSerial, Write::Remove(gone)]).await.unwrap();
    drop(store);
    fs::remove_file(dir.join("lock")).unwrap();
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

/// What a format must be read as.
#[tokio::test]
async fn format_1_is_read() {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture("v1"), dir.path());
    for access in [Access::Read, Access::Write] {
        let store = SledStore::open(dir.path(), "plan", access, Duration::ZERO).unwrap();
        let state = store.load().await.unwrap();
        let open = store.open_intents().await.unwrap();
        let mut found = String::new();
        for history in store.history().await.unwrap() {
            writeln!(
                found,
                "serial {} by {}: +{} ~{} -{} = {}",
                history.serial, history.operation, history.added, history.changed, history.removed, history.records
            )
            .unwrap();
        }
        let expected_history = [
            "serial 7 by apply: +0 ~0 -1 = 2",
            "serial 6 by apply: +1 ~0 -0 = 3",
            "serial 5 by apply: +2 ~0 -0 = 2",
            "serial 4 by apply: +0 ~0 -0 = 0",
        ];
        assert_eq!(found.lines().collect::<Vec<_>>(), expected_history);

        let mut expected = everything().into_iter();
        let mut put = || match expected.next() {
            Some(Write::Put(key, record)) => (key, *record),
            other => panic!("{other:?}"),
        };
        let instances = [put(), put()].into();
        let Some(Write::Outputs(outputs)) = expected.next() else { panic!("outputs") };
        let lineage = "3f1c7a52-9c1c-4f4e-8d9f-0d6a7c1b2e3f".to_owned();
        assert_eq!(
            state,
            State { lineage, serial: 7, instances, outputs: outputs.into_iter().collect(), checks: Vec::new() }
        );
        let intents: Vec<_> = expected.collect();
        for (open, begun) in open.iter().zip(&intents) {
            let Write::Begin(intent) = begun else { panic!("an intent") };
            assert_eq!(open.intent, **intent);
        }
        let Some(Write::Checkpoint { attributes, .. }) = intents.last() else { panic!("a checkpoint") };
        let checkpoints: Vec<_> = open.into_iter().map(|o| o.checkpoint).collect();
        assert_eq!(checkpoints, [None, Some((**attributes).clone()), None]);
        assert_eq!(store.state_at(6).await.unwrap().unwrap().instances.len(), 3);
    }
}
