#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use sgp_contract::StoreError;
use sgp_model::{
    AttrPath, DeposedKey, InstanceRecord, Kind, Number, PathStep, ProviderAddr, State, Type, Value,
    address::parse_instance,
    json::{from_json_text, to_plain_json_text},
    state::{ObjectStatus, OutputRecord, RecordKey},
};

use super::{SchemaHints, from_v4, to_v4};
use crate::testing;

struct Hints;

impl SchemaHints for Hints {
    fn dynamic_attributes(&self, type_name: &str) -> Vec<&str> {
        if type_name == "terraform_data" { vec!["input", "output"] } else { vec![] }
    }

    fn provider_source(&self, name: &str) -> String {
        match name {
            "terraform" => "terraform.io/builtin/terraform".into(),
            name => format!("registry.terraform.io/hashicorp/{name}"),
        }
    }

    fn provider_name(&self, source: &str) -> String {
        source.rsplit('/').next().unwrap_or(source).into()
    }
}

fn record(provider: &str, attributes: Value) -> InstanceRecord {
    InstanceRecord {
        provider: ProviderAddr::root(provider),
        schema_version: 1,
        attributes,
        sensitive_paths: vec![],
        status: ObjectStatus::Ready,
        dependencies: vec![],
        create_before_destroy: false,
        skip_destroy: false,
        private: None,
    }
}

fn key(addr: &str) -> RecordKey {
    RecordKey::current(parse_instance(addr).unwrap())
}

fn example() -> State {
    let group = Value::object([
        ("id", Value::from("sg-1")),
        ("tags", Value::map(Type::String, [("Name", Value::from("<b> & \"c\""))])),
        ("cidrs", Value::set(Type::String, ["10.0.0.0/8".into()])),
        ("big", "123456789012345678901234567890.5".parse::<Number>().unwrap().into()),
        ("description", Value::null(Type::String)),
    ]);
    let mut first = record("aws", group.clone());
    first.sensitive_paths = vec![
        AttrPath::attr("tags").with(PathStep::Key("Name".into())),
        AttrPath::attr("cidrs").with(PathStep::Element(Box::new("10.0.0.0/8".into()))),
    ];
    first.dependencies = vec![parse_instance("module.net[0].aws_vpc.main").unwrap().resource];
    let mut deposed = record("aws", Value::object([("id", Value::from("sg-0"))]));
    deposed.status = ObjectStatus::Tainted;
    deposed.create_before_destroy = true;
    deposed.private = Some("eyJhIjoxfQ==".into());
    let mut west = record("aws", Value::object([("id", Value::from("sg-2"))]));
    west.provider.alias = Some("west".into());
    let data = record(
        "terraform",
        Value::object([("id", Value::from("x")), ("input", Value::strings(["a"])), ("output", Value::dynamic_null())]),
    );
    let group_key = key("module.net[0].aws_security_group.db[\"a\"]");
    let deposed_key = RecordKey { deposed: Some(DeposedKey("0a1b2c3d".into())), ..group_key.clone() };
    State {
        serial: 7,
        lineage: "3f1c7a52-9c1c-4f4e-8d9f-0d6a7c1b2e3f".into(),
        instances: [
            (group_key, first),
            (deposed_key, deposed),
            (key("module.net[0].aws_security_group.db[\"b\"]"), west),
            (key("terraform_data.x[0]"), data),
        ]
        .into(),
        outputs: [(
            "ids".to_owned(),
            OutputRecord { value: Value::strings(["sg-1"]), ty: Type::list(Type::String), sensitive: true },
        )]
        .into(),
        checks: Vec::new(),
    }
}

#[test]
fn the_text_is_terraforms() {
    insta::assert_snapshot!(to_v4(&example(), &Hints).unwrap());
}

/// As OpenTofu has it: what is chosen by key stands with each instance, and then the resource names none.
#[test]
fn instances_that_chose_their_provider_by_key_name_it_themselves() {
    let mut state = example();
    state.instances.retain(|key, _| key.addr.resource.type_name == "aws_security_group".into());
    for record in state.instances.values_mut() {
        record.provider.alias = Some("by_region[\"eu-west-1\"]".into());
    }
    let text = to_v4(&state, &Hints).unwrap();
    let json = from_json_text(&text).unwrap();
    let resource = json.get("resources").unwrap().elements().unwrap()[0];
    assert!(resource.get("provider").is_none());
    for instance in resource.get("instances").unwrap().elements().unwrap() {
        let provider = instance.get("provider").unwrap().as_str().unwrap();
        assert!(provider.ends_with("/aws\"].by_region[\"eu-west-1\"]"), "{provider}");
    }
    assert_eq!(from_v4(&text, &Hints).unwrap(), as_json_keeps_it(&state));
}

#[test]
fn check_results_come_back() {
    let state = State { checks: testing::checks(), ..State::default() };
    let text = to_v4(&state, &Hints).unwrap();
    assert_eq!(from_v4(&text, &Hints).unwrap(), state);
    let (_, results) = text.split_once("\"check_results\": ").unwrap();
    insta::assert_snapshot!(results);
}

#[test]
fn check_results_of_a_kind_that_is_not_known_are_left_out() {
    let with = |results: &str| from_v4(&format!("{{\"version\":4,\"check_results\":[{results}]}}"), &Hints);
    let one = |kind: &str, addr: &str, status: &str| {
        format!("{{\"object_kind\":\"{kind}\",\"config_addr\":\"{addr}\",\"status\":\"{status}\",\"objects\":null}}")
    };
    assert!(with(&one("action", "action.a.b", "pass")).unwrap().checks.is_empty());
    assert_eq!(with(&one("check", "check.a", "pass")).unwrap().checks.len(), 1);
    for (kind, addr, status) in [
        ("check", "output.a", "pass"),
        ("check", "a", "pass"),
        ("check", "modul.m.check.a", "pass"),
        ("resource", "module.m", "pass"),
        ("var", "var.a", "perhaps"),
    ] {
        assert!(matches!(with(&one(kind, addr, status)), Err(StoreError::Damaged(_))), "{kind} {addr} {status}");
    }
}

#[test]
fn the_example_comes_back() {
    let back = from_v4(&to_v4(&example(), &Hints).unwrap(), &Hints).unwrap();
    let data = &back.instances[&key("terraform_data.x[0]")];
    assert_eq!(data.attributes.get("input"), Some(&Value::strings(["a"])));
    assert_eq!(back, as_json_keeps_it(&example()));
    assert_eq!(back.outputs, example().outputs);
}

/// What of a state survives: types that JSON implies, no keys in dependencies, sets marked as a whole.
fn as_json_keeps_it(state: &State) -> State {
    let mut state = state.clone();
    for (key, record) in &mut state.instances {
        let dynamic = Hints.dynamic_attributes(&key.addr.resource.type_name);
        let Kind::Object(fields) = record.attributes.kind() else { panic!("attributes are an object") };
        record.attributes = Value::object(fields.iter().map(|(name, value)| {
            let implied = from_json_text(&to_plain_json_text(value).unwrap()).unwrap();
            (name.clone(), if dynamic.contains(&&**name) { value.clone() } else { implied })
        }));
        record.dependencies = record.dependencies.iter().map(sgp_model::ResourceAddr::without_keys).collect();
        let mut seen = BTreeSet::new();
        record.sensitive_paths = std::mem::take(&mut record.sensitive_paths)
            .into_iter()
            .map(|p| AttrPath(p.0.into_iter().take_while(|s| !matches!(s, PathStep::Element(_))).collect()))
            .filter(|p| seen.insert(p.clone()))
            .collect();
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_state_comes_back_as_json_keeps_it(state in testing::state()) {
        let known = state.instances.values().all(|r| r.attributes.is_wholly_known());
        match to_v4(&state, &Hints) {
            Ok(text) => {
                let back = from_v4(&text, &Hints).unwrap();
                prop_assert_eq!(back, as_json_keeps_it(&state));
            }
            Err(e) => prop_assert!(!known && matches!(e, StoreError::Conflict(_))),
        }
    }
}

#[test]
fn a_state_of_terraform_is_read() {
    let state = from_v4(
        r#"{
          "version": 4, "terraform_version": "1.9.8", "serial": 3, "lineage": "l",
          "outputs": {"n": {"value": null, "type": "string"}, "o": {"value": {"a": "1"}, "type": ["map", "number"]}},
          "resources": [
            {"mode": "data", "type": "aws_region", "name": "r", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
             "instances": [{"schema_version": 0, "attributes": {"id": "eu-west-1"}}]},
            {"module": "module.m[\"k\"]", "mode": "managed", "type": "aws_iam_role", "name": "r", "each": "list",
             "provider": "module.m.provider[\"registry.opentofu.org/hashicorp/aws\"].west",
             "instances": [{"index_key": 1, "status": "tainted", "schema_version": 0, "identity_schema_version": 0,
               "attributes": {"id": "r", "max": 1.50},
               "sensitive_attributes": [[{"type": "get_attr", "value": "b"},
                 {"type": "index", "value": {"value": 0, "type": "number"}},
                 {"type": "index", "value": {"value": {"x": 1}, "type": ["object", {"x": "number"}]}}]],
               "private": "bnVsbA==", "dependencies": ["module.m.aws_iam_policy.p", "data.aws_region.r"]}]},
            {"mode": "managed", "type": "aws_vpc", "name": "v", "provider": "provider.aws.old",
             "instances": [{"schema_version": 1}]}
          ],
          "check_results": null
        }"#,
        &Hints,
    )
    .unwrap();
    assert_eq!((state.serial, state.lineage.as_str(), state.instances.len()), (3, "l", 2));
    assert_eq!(state.outputs["n"].value, Value::null(Type::String));
    assert_eq!(state.outputs["o"].value, Value::map(Type::Number, [("a", Value::int(1))]));

    let role = &state.instances[&key("module.m[\"k\"].aws_iam_role.r[1]")];
    assert_eq!(role.provider.to_string(), "module.m.provider.aws.west");
    assert_eq!(role.status, ObjectStatus::Tainted);
    assert_eq!(role.attributes.get("max").unwrap().as_number().unwrap().to_string(), "1.5");
    let paths: Vec<_> = role.sensitive_paths.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["b[0]"]);
    let dependencies: Vec<_> = role.dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(dependencies, ["module.m.aws_iam_policy.p", "data.aws_region.r"]);
    assert_eq!(role.private.as_deref(), Some("bnVsbA=="));

    let vpc = &state.instances[&key("aws_vpc.v")];
    assert_eq!(vpc.provider.to_string(), "provider.aws.old");
}

#[test]
fn what_is_not_a_state_says_so() {
    let resource = |fields: &str| {
        format!(
            r#"{{"version":4,"resources":[{{"mode":"managed","type":"a","name":"b","provider":"provider.a",{fields}}}]}}"#
        )
    };
    let rows = [
        (String::new(), "this is not a Terraform state: "),
        ("[1]".to_owned(), "it has no version"),
        (r#"{"format_version":"1.0"}"#.to_owned(), "it looks like the output of `show -json`"),
        (r#"{"version":3}"#.to_owned(), "a Terraform state of version 3"),
        (r#"{"version":5}"#.to_owned(), "a Terraform state of version 5"),
        (r#"{"version":4,"encrypted_data":"x"}"#.to_owned(), "this state is encrypted"),
        (r#"{"version":4,"serial":-1}"#.to_owned(), "serial is not a whole number from 0"),
        (r#"{"version":4,"resources":{}}"#.to_owned(), "resources is not an array"),
        (r#"{"version":4,"resources":[{}]}"#.to_owned(), "resources[0] has no mode"),
        (r#"{"version":4,"outputs":{"a":{"value":"x","type":"nose"}}}"#.to_owned(), "outputs.a.type is not a type"),
        (
            r#"{"version":4,"outputs":{"a":{"value":"x","type":"number"}}}"#.to_owned(),
            "outputs.a.value does not follow its type",
        ),
        (resource(r#""instances":[{"index_key":true}]"#), "resources[0].instances[0].index_key is not a whole number"),
        (resource(r#""instances":[{},{}]"#), "resources[0].instances[1] is a.b a second time"),
        (resource(r#""instances":[{"status":"x"}]"#), "has status x, which is not known"),
        (
            resource(r#""instances":[{"dependencies":["module.x"]}]"#),
            "dependencies[0] is not the address of a resource",
        ),
        (resource(r#""module":"a.b","instances":[]"#), "resources[0].module is not the address of a module"),
        (
            r#"{"version":4,"resources":[{"mode":"managed","type":"a","name":"b","provider":"aws"}]}"#.to_owned(),
            "which is not a provider configuration",
        ),
    ];
    for (text, expected) in rows {
        let error = from_v4(&text, &Hints).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
