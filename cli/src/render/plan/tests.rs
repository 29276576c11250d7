#![allow(clippy::unwrap_used, missing_docs)]
use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{
    Attribute, Diagnostics, NestedBlock, PathStep, ProviderAddr, Schema, State, Type,
    address::parse_instance,
    plan::{DeferredReason, Running},
};

use super::*;

/// The schema of `aws_example`, the only type in these tests.
pub fn schema(_: Mode, type_name: &str) -> Option<&'static Block> {
    static EXAMPLE: std::sync::LazyLock<Schema> = std::sync::LazyLock::new(|| {
        let rule = Block::default().attr("port", Attribute::number().required()).attr("cidr", Attribute::string());
        let config = Block::default()
            .attr("subnet_ids", Attribute::string_set().required())
            .attr("endpoint", Attribute::string().computed());
        Schema::new("aws_example", "An example.")
            .attr("id", Attribute::string().computed())
            .attr("name", Attribute::string().required().force_new())
            .attr("password", Attribute::string().sensitive())
            .attr("policy", Attribute::string())
            .attr("ports", Attribute::of(Type::list(Type::Number)))
            .attr("secret_wo", Attribute::string().sensitive().write_only())
            .attr("secret_wo_version", Attribute::number())
            .attr("size", Attribute::number())
            .attr("tags", Attribute::string_map())
            .attr("user_data", Attribute::string())
            .block("config", NestedBlock::list_of_one(config))
            .block("rule", NestedBlock::set(rule))
    });
    (type_name == "aws_example").then_some(&EXAMPLE.block)
}

fn example(fields: &[(&str, Value)]) -> Value {
    let empty = schema(Mode::Managed, "aws_example").map_or_else(Value::dynamic_null, Block::empty);
    fields.iter().fold(empty, |object, (name, value)| object.with_attr(name, value.clone()))
}

fn config(subnets: &[&str], endpoint: Value) -> Value {
    let subnets = Value::set(Type::String, subnets.iter().map(|s| Value::from(*s)));
    let one = Value::object([("subnet_ids", subnets), ("endpoint", endpoint)]);
    Value::list(one.ty(), vec![one])
}

fn rules(ports: &[i64]) -> Value {
    let rule = |port: &i64| Value::object([("port", Value::int(*port)), ("cidr", "10.0.0.0/8".into())]);
    let all: Vec<_> = ports.iter().map(rule).collect();
    Value::set(Type::object([("port", Type::Number), ("cidr", Type::String)]), all)
}

/// A change of one object; `None` is an object that is not there.
pub fn change(addr: &str, action: Action, before: Option<Value>, after: Option<Value>) -> ResourceChange {
    ResourceChange {
        addr: parse_instance(addr).unwrap(),
        deposed: None,
        previous_addr: None,
        provider: ProviderAddr::root("aws"),
        action,
        reason: None,
        before: before.unwrap_or_else(Value::dynamic_null),
        after: after.unwrap_or_else(Value::dynamic_null),
        config: Value::dynamic_null(),
        replace_paths: Vec::new(),
        importing: None,
        dependencies: Vec::new(),
        create_before_destroy: false,
    }
}

/// A plan of these changes.
pub fn plan(changes: Vec<ResourceChange>) -> Plan {
    Plan {
        mode: PlanMode::Normal,
        lineage: "l".into(),
        serial: 1,
        config_digest: String::new(),
        variables: BTreeMap::new(),
        ephemeral_variables: Vec::new(),
        timestamp: 0,
        version: "0.1.0".into(),
        targets: Vec::new(),
        changes,
        steps: Vec::new(),
        deferred: Vec::new(),
        held: Vec::new(),
        open_for: BTreeMap::new(),
        skipped_checks: Vec::new(),
        drift: Vec::new(),
        outputs: BTreeMap::new(),
        refreshed: Arc::new(State::default()),
        data: BTreeMap::new(),
        symbolic: BTreeMap::new(),
        preflight: Vec::new(),
        checks: Vec::new(),
        running: Running::default(),
        diagnostics: Diagnostics::new(),
        errored: false,
    }
}

fn show(plan: &Plan) -> String {
    render(plan, &schema, Paint::plain())
}

/// A block whose keys wait for another object.
pub fn deferred() -> DeferredChange {
    let after = example(&[("id", Value::unknown(Type::String)), ("name", "fixed".into())]);
    let mut one = change("aws_example.b", Action::Create, None, Some(after));
    one.addr.key = Some(InstanceKey::Any {});
    DeferredChange {
        reason: DeferredReason::InstanceCountUnknown,
        waits_for: vec!["aws_example.a.id".into()],
        change: one,
        existing: vec![parse_instance("aws_example.b[\"old\"]").unwrap()],
    }
}

#[test]
fn what_is_deferred_tells_what_it_waits_for() {
    let after = example(&[("id", Value::unknown(Type::String)), ("name", "a".into())]);
    let mut plan = plan(vec![change("aws_example.a", Action::Create, None, Some(after))]);
    plan.deferred = vec![deferred()];
    let shown = show(&plan);
    for line in [
        "  # aws_example.b[*] will be planned during apply\n",
        "  # (number of instances known after apply: depends on aws_example.a.id)\n",
        "  # (aws_example.b[\"old\"] stays as it is until then)\n",
        "Plan: 1 to add, 0 to change, 0 to destroy.\nDeferred: the instances of 1 block, planned and applied in the same run",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}

#[test]
fn a_write_only_argument_is_shown_when_it_is_sent() {
    let object = |version: i64, size: i64| {
        example(&[("name", "a".into()), ("secret_wo_version", Value::int(version)), ("size", Value::int(size))])
    };
    let said = || example(&[("name", "a".into()), ("secret_wo", Value::unknown(Type::String))]);
    let shown = |action: Action, before: Option<Value>, after: Value, config: Value| {
        let one = ResourceChange { config, ..change("aws_example.a", action, before, Some(after)) };
        show(&plan(vec![one]))
    };
    for (action, before, after, config, line) in [
        (Action::Create, None, object(1, 1), said(), Some("      + secret_wo         = (write-only attribute)\n")),
        (Action::Create, None, object(1, 1), example(&[]), None),
        (
            Action::Update,
            Some(object(1, 1)),
            object(2, 1),
            said(),
            Some("      ~ secret_wo         = (write-only attribute)\n"),
        ),
        (Action::Update, Some(object(1, 1)), object(1, 2), said(), None),
        (
            Action::DeleteThenCreate,
            Some(object(1, 1)),
            object(1, 2),
            said(),
            Some(" secret_wo = (write-only attribute)\n"),
        ),
    ] {
        let shown = shown(action, before, after, config);
        assert_eq!(shown.contains("secret_wo "), line.is_some(), "{shown}");
        assert!(line.is_none_or(|line| shown.contains(line)), "{shown}");
    }
}

#[test]
fn a_creation_shows_everything_that_is_set() {
    let after = example(&[
        ("id", Value::unknown(Type::String)),
        ("name", "a".into()),
        ("password", "hunter2".into()),
        ("policy", "{\"Version\":\"2012-10-17\",\"Statement\":[]}".into()),
        ("ports", Value::list(Type::Number, vec![Value::int(53), Value::int(443)])),
        ("tags", Value::map(Type::String, [("Name", Value::from("a")), ("team/x", Value::unknown(Type::String))])),
        ("user_data", "#!/bin/sh\necho hello\n".into()),
        ("config", config(&["subnet-1", "subnet-2"], Value::unknown(Type::String))),
        ("rule", rules(&[53, 5432])),
    ]);
    let mut p = plan(vec![change("module.m[\"k\"].aws_example.a[0]", Action::Create, None, Some(after))]);
    p.outputs.insert(
        "id".into(),
        OutputChange {
            action: Action::Create,
            before: Value::dynamic_null(),
            after: Value::unknown(Type::String),
            sensitive: false,
        },
    );
    p.outputs.insert(
        "password".into(),
        OutputChange { action: Action::Update, before: "hunter1".into(), after: "hunter2".into(), sensitive: true },
    );
    insta::assert_snapshot!(show(&p));
}

#[test]
fn an_update_hides_what_stays() {
    let policy = |action: &str| {
        format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":\"{action}\",\"Resource\":\"*\",\"Sid\":\"a\"}}]}}"
        )
    };
    let manifest = |image: &str| format!("apiVersion: v1\nkind: Pod\nspec:\n  image: {image}\n");
    let before = example(&[
        ("id", "sg-1".into()),
        ("name", "a".into()),
        ("password", "hunter1".into()),
        ("policy", policy("s3:Get*").into()),
        ("ports", Value::list(Type::Number, [53, 80, 443].map(Value::int).to_vec())),
        ("size", Value::int(3)),
        ("tags", Value::map(Type::String, [("Name", Value::from("a")), ("old", "x".into()), ("same", "y".into())])),
        ("user_data", manifest("a:1").into()),
        ("config", config(&["subnet-1", "subnet-2"], "https://x".into())),
        ("rule", rules(&[53, 80])),
    ]);
    let after = before
        .with_attr("password", "hunter2".into())
        .with_attr("policy", policy("s3:*").into())
        .with_attr("ports", Value::list(Type::Number, [53, 8080, 443, 22].map(Value::int).to_vec()))
        .with_attr(
            "tags",
            Value::map(Type::String, [("Name", Value::from("b")), ("new", "z".into()), ("same", "y".into())]),
        )
        .with_attr("user_data", manifest("a:2").into())
        .with_attr("config", config(&["subnet-2", "subnet-3"], Value::unknown(Type::String)))
        .with_attr("rule", rules(&[53, 443]));
    insta::assert_snapshot!(show(&plan(vec![change("aws_example.a", Action::Update, Some(before), Some(after))])));
}

#[test]
fn replacements_say_what_forces_them() {
    let before = example(&[
        ("id", "sg-1".into()),
        ("name", "a".into()),
        ("size", Value::int(3)),
        ("config", config(&["subnet-1"], "https://x".into())),
    ]);
    let after = before
        .with_attr("id", Value::unknown(Type::String))
        .with_attr("name", "b".into())
        .with_attr("config", config(&["subnet-2"], "https://x".into()));
    let mut first = change("aws_example.a", Action::DeleteThenCreate, Some(before.clone()), Some(after.clone()));
    first.reason = Some(Reason::ReplaceBecauseCannotUpdate);
    first.replace_paths = vec![
        AttrPath::attr("name"),
        AttrPath(vec![
            PathStep::Attr("config".into()),
            PathStep::Index(0),
            PathStep::Attr("subnet_ids".into()),
            PathStep::Element(Box::new("subnet-2".into())),
        ]),
    ];
    let mut second = change("aws_example.b", Action::CreateThenDelete, Some(before.clone()), Some(after.clone()));
    second.reason = Some(Reason::ReplaceBecauseTainted);
    let mut third = change("aws_example.c", Action::DeleteThenCreate, Some(before), Some(after));
    third.reason =
        Some(Reason::ReplaceBecauseClusterIsReplaced { cluster: parse_instance("aws_eks_cluster.this").unwrap() });
    insta::assert_snapshot!(show(&plan(vec![first, second, third])));
}

#[test]
fn deletions_say_why() {
    let object = || {
        Some(example(&[("id", "sg-1".into()), ("name", "a".into()), ("password", "x".into()), ("rule", rules(&[1]))]))
    };
    let delete = |addr: &str, reason: Reason| ResourceChange {
        reason: Some(reason),
        ..change(addr, Action::Delete, object(), None)
    };
    let mut deposed = delete("aws_example.a", Reason::DeleteBecauseDeposed);
    deposed.deposed = Some(sgp_model::DeposedKey("0123abcd".into()));
    let changes = vec![
        deposed,
        delete("aws_example.b[2]", Reason::DeleteBecauseCountIndex),
        delete("aws_example.b[\"k\"]", Reason::DeleteBecauseEachKey),
        delete("module.m.aws_example.c", Reason::DeleteBecauseNoModule),
        delete("aws_example.d", Reason::DeleteBecauseNoResourceConfig),
        change("aws_example.e", Action::Forget, object(), None),
    ];
    insta::assert_snapshot!(show(&plan(changes)));
}

#[test]
fn reads_imports_and_moves() {
    let object = || Some(example(&[("id", "sg-1".into()), ("name", "a".into()), ("size", Value::int(1))]));
    let mut read = change(
        "data.aws_example.v",
        Action::Read,
        None,
        Some(example(&[("name", "a".into()), ("id", Value::unknown(Type::String))])),
    );
    read.reason = Some(Reason::ReadBecauseConfigUnknown);
    let mut import = change("aws_example.i", Action::NoOp, object(), object());
    import.importing = Some("sg-1".into());
    let mut moved = change("aws_example.new", Action::NoOp, object(), object());
    moved.previous_addr = Some(parse_instance("aws_example.old").unwrap());
    let quiet = change("aws_example.q", Action::NoOp, object(), object());
    insta::assert_snapshot!(show(&plan(vec![read, import, moved, quiet])));
}

#[test]
fn nothing_to_do_and_drift() {
    let before = example(&[("id", "sg-1".into()), ("name", "a".into()), ("size", Value::int(1))]);
    let after = before.with_attr("size", Value::int(2));
    let drift = change("aws_example.a", Action::Update, Some(before.clone()), Some(after.clone()));
    let mut p = plan(vec![change("aws_example.a", Action::NoOp, Some(after.clone()), Some(after.clone()))]);
    p.drift = vec![drift];
    let quiet = show(&p);
    p.mode = PlanMode::RefreshOnly;
    let refresh_only = show(&p);
    p.mode = PlanMode::Normal;
    p.changes = vec![change("aws_example.a", Action::Update, Some(after), Some(before))];
    insta::assert_snapshot!([quiet, refresh_only, show(&p)].join("\n=====\n"));
}

#[test]
fn colour_marks_symbols_only_when_asked() {
    let after = example(&[("name", "a".into())]);
    let p = plan(vec![change("aws_example.a", Action::Create, None, Some(after))]);
    let coloured = render(&p, &schema, Paint { colour: true, ..Paint::plain() });
    assert!(coloured.contains("\u{1b}[32m+\u{1b}[0m"));
    assert!(!show(&p).contains('\u{1b}'));
}
