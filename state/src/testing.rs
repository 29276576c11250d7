//! Generators for the property tests of this crate.

use proptest::{collection, option, prelude::*};
use sgp_model::{
    AttrPath, DeposedKey, InstanceAddr, InstanceKey, InstanceRecord, Marks, Mode, ModulePath, Number, PathStep,
    ProviderAddr, ResourceAddr, State, Type, Value,
    checks::{CheckResult, CheckStatus, Checkable, CheckedInstance},
    state::{Intent, ObjectStatus, Operation, OutputRecord, RecordKey},
    value::{Lengths, Unknown},
};

/// An identifier as HCL takes it.
pub(crate) fn ident() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,6}"
}

fn instance_key() -> impl Strategy<Value = InstanceKey> {
    prop_oneof![
        any::<u32>().prop_map(|n| InstanceKey::Int(n.into())),
        "[a-z\u{0}\"\\\\$%{}.\\[\\]é ]{0,5}".prop_map(|s| InstanceKey::Str(s.into())),
    ]
}

fn module() -> impl Strategy<Value = ModulePath> {
    collection::vec((ident(), option::of(instance_key())), 0..3)
        .prop_map(|steps| steps.into_iter().fold(ModulePath::root(), |path, (name, key)| path.child(name, key)))
}

/// A managed resource anywhere.
pub(crate) fn resource() -> impl Strategy<Value = ResourceAddr> {
    (module(), ident(), ident()).prop_map(|(module, type_name, name)| ResourceAddr {
        module,
        mode: Mode::Managed,
        type_name: format!("aws_{type_name}").into(),
        name: name.into(),
    })
}

/// An object anywhere, deposed or not.
pub(crate) fn record_key() -> impl Strategy<Value = RecordKey> {
    (resource(), option::of(instance_key()), option::of("[0-9a-f]{8}")).prop_map(|(resource, key, deposed)| RecordKey {
        addr: InstanceAddr { resource, key },
        deposed: deposed.map(|d| DeposedKey(d.into())),
    })
}

fn provider() -> impl Strategy<Value = ProviderAddr> {
    (module(), ident(), option::of(ident())).prop_map(|(module, name, alias)| ProviderAddr {
        module: module.without_keys(),
        name: name.into(),
        alias: alias.map(Into::into),
    })
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        "-?[1-9][0-9]{0,60}(\\.[0-9]{0,40}[1-9])?".prop_map(|s| s.parse().expect("a decimal number")),
    ]
}

/// A known value without nulls of a known type: what JSON can carry.
pub(crate) fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::dynamic_null()),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::from),
        "[ -~é\n\u{1F600}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
            collection::vec((ident(), inner), 0..4).prop_map(Value::object),
        ]
    })
}

/// Any value that a record can hold.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let strings = || collection::vec("[a-z]{0,4}", 0..4);
    prop_oneof![
        4 => json_value(),
        1 => strings().prop_map(Value::strings),
        1 => strings().prop_map(|v| Value::set(Type::String, v.into_iter().map(Value::from))),
        1 => collection::vec(("[a-z]{1,3}", any::<i64>()), 0..4)
            .prop_map(|v| Value::map(Type::Number, v.into_iter().map(|(k, n)| (k, Value::int(n))))),
        1 => ty().prop_map(Value::null),
        1 => ty().prop_map(Value::unknown_not_null),
        1 => unknown().prop_map(Unknown::into_value),
        1 => json_value().prop_map(|v| v.mark(Marks::SENSITIVE).mark(Marks::DEPRECATED)),
    ]
}

/// Unknown values of which something is known.
fn unknown() -> impl Strategy<Value = Unknown> {
    let number = (any::<i64>(), any::<u32>())
        .prop_map(|(min, more)| Unknown::of(Type::Number).at_least(min).at_most(min.saturating_add(more.into())));
    let lengths = (0usize..5, option::of(0usize..2_000)).prop_map(|(min, more)| {
        let lengths = Lengths { min, max: more.map(|more| min + more) };
        Unknown::of(Type::set(Type::String)).with_lengths(lengths)
    });
    prop_oneof![number, lengths, "[a-z]{1,5}-".prop_map(|p| Unknown::of(Type::String).begins_with(&p))]
}

fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::Dynamic), Just(Type::Bool), Just(Type::Number), Just(Type::String)];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            collection::vec(inner.clone(), 0..3).prop_map(Type::tuple),
            collection::vec((ident(), inner), 0..3).prop_map(Type::object),
        ]
    })
}

fn path() -> impl Strategy<Value = AttrPath> {
    let step = prop_oneof![
        ident().prop_map(|s| PathStep::Attr(s.into())),
        (0_usize..1000).prop_map(PathStep::Index),
        "[a-z .]{0,5}".prop_map(|s| PathStep::Key(s.into())),
        "[a-z]{0,3}".prop_map(|s| PathStep::Element(Box::new(Value::from(s)))),
    ];
    collection::vec(step, 0..4).prop_map(AttrPath)
}

/// A record.
pub(crate) fn instance_record() -> impl Strategy<Value = InstanceRecord> {
    (
        provider(),
        0_u64..1000,
        value(),
        collection::vec(path(), 0..3),
        any::<bool>(),
        collection::vec(resource(), 0..3),
        any::<(bool, bool)>(),
        option::of("[A-Za-z0-9+/]{0,8}"),
    )
        .prop_map(
            |(
                provider,
                schema_version,
                value,
                sensitive_paths,
                tainted,
                dependencies,
                (cbd, skip_destroy),
                private,
            )| {
                InstanceRecord {
                    provider,
                    schema_version,
                    attributes: Value::object([("id", Value::from("x")), ("v", value)]),
                    sensitive_paths,
                    status: if tainted { ObjectStatus::Tainted } else { ObjectStatus::Ready },
                    dependencies,
                    create_before_destroy: cbd,
                    skip_destroy,
                    private,
                }
            },
        )
}

/// An output.
pub(crate) fn output_record() -> impl Strategy<Value = OutputRecord> {
    (json_value(), any::<bool>()).prop_map(|(value, sensitive)| OutputRecord { ty: value.ty(), value, sensitive })
}

/// An intent.
pub(crate) fn intent() -> impl Strategy<Value = Intent> {
    (record_key(), provider(), value(), collection::vec(resource(), 0..2), any::<(i64, bool, u64)>(), 0_usize..3)
        .prop_map(|(key, provider, attributes, dependencies, (at, create_before_destroy, token), operation)| Intent {
            token: format!("{token:x}"),
            key,
            operation: [Operation::Create, Operation::Update, Operation::Delete][operation],
            provider,
            attributes,
            at,
            dependencies,
            create_before_destroy,
        })
}

/// Each kind of everything that has conditions, and every status.
pub(crate) fn checks() -> Vec<CheckResult> {
    let module = |key: Option<InstanceKey>| ModulePath::root().child("net", key);
    let resource = |mode: Mode, module: ModulePath| ResourceAddr {
        module,
        mode,
        type_name: "aws_vpc".into(),
        name: "this".into(),
    };
    let one = |object: Checkable, key: Option<InstanceKey>, status: CheckStatus, problems: &[&str]| CheckResult {
        block: object.without_keys(),
        status,
        instances: vec![CheckedInstance {
            object,
            key,
            status,
            problems: problems.iter().map(|it| (*it).to_owned()).collect(),
        }],
    };
    let keyed = module(Some(InstanceKey::Str("eu.west".into())));
    vec![
        one(
            Checkable::Resource(resource(Mode::Managed, keyed.clone())),
            Some(InstanceKey::Int(1)),
            CheckStatus::Fail,
            &["It is \"small\".", "And old."],
        ),
        one(Checkable::Resource(resource(Mode::Data, ModulePath::root())), None, CheckStatus::Pass, &[]),
        one(Checkable::Resource(resource(Mode::Ephemeral, ModulePath::root())), None, CheckStatus::Pass, &[]),
        CheckResult {
            block: Checkable::Resource(resource(Mode::Managed, module(None))),
            status: CheckStatus::Pass,
            instances: Vec::new(),
        },
        one(Checkable::OutputValue(keyed, "id".into()), None, CheckStatus::Error, &[]),
        one(Checkable::Check(ModulePath::root(), "health".into()), None, CheckStatus::Unknown, &[]),
        one(Checkable::Var(module(None), "region".into()), None, CheckStatus::Pass, &[]),
    ]
}

/// A state.
pub(crate) fn state() -> impl Strategy<Value = State> {
    (
        any::<u32>(),
        collection::btree_map(record_key(), instance_record(), 0..6),
        collection::btree_map(ident(), output_record(), 0..3),
    )
        .prop_map(|(serial, instances, outputs)| State {
            serial: serial.into(),
            lineage: "3f1c7a52-9c1c-4f4e-8d9f-0d6a7c1b2e3f".into(),
            instances,
            outputs,
            checks: Vec::new(),
        })
}
