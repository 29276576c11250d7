#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use sgp_model::{Mode, Value};

use super::*;
use crate::{source::MemoryFiles, syntax, testing};

fn file(text: &str) -> TestFile {
    let (body, syntax) = syntax::parse_body(&Arc::from("a.tftest.hcl"), text);
    assert!(syntax.is_empty(), "{syntax:?}");
    let (file, problems) = decode("a.tftest.hcl", &body);
    assert!(problems.is_empty(), "{problems:?}");
    file
}

/// Each diagnostic with the characters that it underlines.
fn told(text: &str) -> String {
    let (body, syntax) = syntax::parse_body(&Arc::from("a.tftest.hcl"), text);
    assert!(syntax.is_empty(), "{syntax:?}");
    let (_, problems) = decode("a.tftest.hcl", &body);
    problems.iter().fold(String::new(), |mut out, d| {
        let underlined = d.span.as_ref().map_or("", |s| &text[s.range.clone()]);
        let _ = writeln!(out, "{:?} {}: {} [{underlined}]", d.severity, d.summary, d.detail);
        out
    })
}

#[test]
fn a_run_applies_unless_it_says_otherwise() {
    let found = file("run \"a\" {}");
    let run = &found.runs[0];
    assert_eq!((run.command, run.options.refresh, run.options.refresh_only), (Command::Apply, true, false));
    assert!(run.module.is_none() && run.state_key.is_none() && run.providers.is_empty());
}

#[test]
fn everything_a_run_may_say() {
    let found = file(
        r#"
test { parallel = true }
variables { region = "eu-west-1" }
run "a" {
  command   = plan
  state_key = "shared"
  parallel  = true
  variables { size = 1 }
  module {
    source  = "./setup"
    version = "1.0"
  }
  plan_options {
    mode    = refresh-only
    replace = [fake_thing.a, fake_thing.b[0], module.m.fake_thing.c["k"]]
    target  = [module.m, fake_thing.a]
  }
  providers = {
    fake      = fake.mock
    fake.west = fake
  }
  assert {
    condition     = output.x == 1
    error_message = "x is not 1"
  }
  expect_failures = [var.a, output.b, check.c, fake_thing.d, fake_thing.e["k"], data.fake_thing.f]
}
"#,
    );
    assert_eq!(found.variables.keys().map(|k| &**k).collect::<Vec<_>>(), ["region"]);
    let run = &found.runs[0];
    assert_eq!((run.command, run.state_key.as_deref()), (Command::Plan, Some("shared")));
    assert_eq!(run.module.as_ref().map(|m| &*m.source), Some("./setup"));
    assert!(run.options.refresh_only && run.options.refresh);
    let replaced: Vec<String> = run.options.replace.iter().map(ToString::to_string).collect();
    assert_eq!(replaced, ["fake_thing.a", "fake_thing.b[0]", "module.m.fake_thing.c[\"k\"]"]);
    assert_eq!(run.options.targets.len(), 2);
    let pair = |p: &ProviderRef| p.alias.as_ref().map_or(p.name.to_string(), |a| format!("{}.{a}", p.name));
    let pairs: Vec<String> = run.providers.iter().map(|(a, b)| format!("{} = {}", pair(a), pair(b))).collect();
    assert_eq!(pairs, ["fake = fake.mock", "fake.west = fake"]);
    let expected: Vec<String> = run.expected.iter().map(|e| e.subject.to_string()).collect();
    assert_eq!(expected, ["var.a", "output.b", "check.c", "fake_thing.d", "fake_thing.e[\"k\"]", "data.fake_thing.f"]);
    assert_eq!((run.asserts.len(), run.variables.len()), (1, 1));
}

#[test]
fn doubles_are_read() {
    let found = file(
        r#"
mock_provider "fake" {
  alias           = "mock"
  override_during = plan
  mock_resource "fake_thing" {
    defaults = { etag = "e" }
  }
  mock_data "fake_thing" {
    override_during = apply
  }
  override_resource { target = fake_thing.a }
}
provider "fake" { endpoint = "x" }
override_resource {
  target = module.m["k"].fake_thing.a[1]
  values = { id = "i" }
}
override_data { target = data.fake_thing.a }
override_module {
  target  = module.a.module.b
  outputs = { id = "i" }
}
"#,
    );
    let TestProviderKind::Mock(mock) = &found.providers[0].kind else { panic!("a mock is first") };
    assert!(mock.during_plan);
    assert_eq!(found.providers[0].alias.as_deref(), Some("mock"));
    let types: Vec<_> = mock.types.iter().map(|t| (t.mode, t.defaults.is_some(), t.during_plan)).collect();
    assert_eq!(types, [(Mode::Managed, true, None), (Mode::Data, false, Some(false))]);
    assert_eq!(mock.overrides.len(), 1);
    let TestProviderKind::Real(body) = &found.providers[1].kind else { panic!("a provider is second") };
    assert_eq!(body.attrs.len(), 1);
    let values: Vec<bool> = found.overrides.iter().map(|o| o.values.is_some()).collect();
    assert_eq!(values, [true, false, true]);
}

#[test]
fn mistakes_are_named_where_they_are() {
    let rows = [
        "x = 1",
        "rnu \"a\" {}",
        "run {}",
        "run \"a\" {}\nrun \"a\" {}",
        "variables {}\nvariables {}",
        "variables {\n  a {}\n}",
        "run \"a\" {\n  comand = plan\n}",
        "run \"a\" {\n  command = destroy\n}",
        "run \"a\" {\n  skip_cleanup = true\n}",
        "run \"a\" {\n  backend \"local\" {}\n}",
        "run \"a\" {\n  module {}\n}",
        "run \"a\" {\n  module {\n    source = var.x\n  }\n}",
        "run \"a\" {\n  module {\n    source = \"./a\"\n  }\n  module {\n    source = \"./b\"\n  }\n}",
        "run \"a\" {\n  plan_options {\n    mode = destroy\n    target = aws_vpc.a\n    replace = [module.m, 1]\n  }\n}",
        "run \"a\" {\n  assert {\n    condition = true\n  }\n}",
        "run \"a\" {\n  expect_failures = [module.m, local.x, var.a, var.a, run.x]\n}",
        "run \"a\" {\n  expect_failures = var.a\n}",
        "run \"a\" {\n  providers = [aws]\n}",
        "run \"a\" {\n  plan_options {\n    mode = refresh-only\n    refresh = false\n  }\n}",
        "run \"a\" {\n  parallel = 3\n}",
        "provider \"a\" {}\nmock_provider \"a\" {}",
        "mock_provider \"a\" {\n  defaults = {}\n}",
        "mock_provider \"a\" {\n  mock_resource {}\n}",
        "mock_provider \"a\" {\n  mock_resource \"t\" {}\n  mock_resource \"t\" {}\n}",
        "mock_provider \"a\" {\n  override_module {\n    target = module.m\n  }\n}",
        "variables {\n  a = run.x.id\n}\nrun \"x\" {}",
        "run \"setup\" {}\nrun \"a\" {\n  variables {\n    x = \"${run.setup.x} ${run.setpu.x} ${run.a.x} ${run.b.x}\"\n  }\n}\nrun \"b\" {}",
        "run \"a\" {\n  assert {\n    condition = run.b.x == 1\n    error_message = run.c.x\n  }\n  override_data {\n    target = data.a.b\n    values = { x = run.d.x }\n  }\n}",
        "override_resource {}",
        "override_resource {\n  target = data.a.b\n}",
        "override_data {\n  target = a.b\n}",
        "override_module {\n  target = a.b\n}",
        "override_module {\n  target = module.m[0]\n}",
        "override_module {\n  target = module.m\n  values = {}\n}",
        "override_resource {\n  target = a.b\n  override_during = never\n}",
    ];
    let all = rows.iter().fold(String::new(), |out, row| format!("{out}--- {row}\n{}\n", told(row)));
    insta::assert_snapshot!(all);
}

fn suite(files: &[(&str, &str)], filter: &[&str]) -> testing::Suite {
    let filter: Vec<String> = filter.iter().map(|f| (*f).to_owned()).collect();
    testing::load_suite("tests", &filter, &MemoryFiles::new(files.iter().copied()))
}

#[test]
fn test_files_lie_beside_the_configuration_and_in_tests() {
    let files = [
        ("main.tf", ""),
        ("b.tftest.hcl", "run \"b\" {}"),
        ("tests/a.tftest.hcl", "run \"a\" {}"),
        ("tests/.hidden.tftest.hcl", "nonsense {"),
        ("tests/helper/main.tf", ""),
        ("other/c.tftest.hcl", "nonsense {"),
    ];
    let all = suite(&files, &[]);
    assert!(all.diagnostics.is_empty(), "{:?}", all.diagnostics);
    assert_eq!(all.files.iter().map(|f| &*f.path).collect::<Vec<_>>(), ["b.tftest.hcl", "tests/a.tftest.hcl"]);
    let one = suite(&files, &["./tests/a.tftest.hcl"]);
    assert_eq!(one.files.iter().map(|f| &*f.path).collect::<Vec<_>>(), ["tests/a.tftest.hcl"]);
    let none = suite(&files, &["tests/aa.tftest.hcl"]);
    assert!(none.files.is_empty());
    assert!(none.diagnostics.0[0].detail.contains("Did you mean \"tests/a.tftest.hcl\"?"), "{:?}", none.diagnostics);
}

#[test]
fn modules_and_mocks_are_read_along() {
    let files = [
        ("main.tf", ""),
        ("setup/main.tf", "output \"x\" {\n  value = 1\n}"),
        ("mocks/a.tfmock.hcl", "mock_resource \"t\" {\n  defaults = { a = 1 }\n}\nmock_data \"u\" {}"),
        (
            "a.tftest.hcl",
            "mock_provider \"m\" {\n  source = \"./mocks\"\n  mock_resource \"t\" {}\n}\nrun \"a\" {\n  module {\n    source = \"./setup\"\n  }\n}",
        ),
    ];
    let found = suite(&files, &[]);
    assert!(found.diagnostics.is_empty(), "{:?}", found.diagnostics);
    let run = &found.files[0].runs[0];
    assert!(run.module.as_ref().unwrap().config.as_ref().unwrap().root.outputs.contains_key("x"));
    let TestProviderKind::Mock(mock) = &found.files[0].providers[0].kind else { panic!("it is a mock") };
    // What the block says comes before what its source says.
    let types: Vec<_> = mock.types.iter().map(|t| (&*t.type_name, t.defaults.is_some())).collect();
    assert_eq!(types, [("t", false), ("u", false)]);
    assert!(found.sources.text("setup/main.tf").is_some() && found.sources.text("mocks/a.tfmock.hcl").is_some());
}

#[test]
fn json_says_the_same() {
    let text = r#"{
  "variables": { "region": "eu-west-1" },
  "mock_provider": { "fake": { "alias": "m", "override_during": "plan", "mock_resource": { "t": { "defaults": { "a": "${upper(var.region)}" } } } } },
  "override_module": [{ "target": "module.m", "outputs": { "id": 1 } }],
  "provider": { "fake": { "endpoint": "x" } },
  "run": {
    "a": {
      "command": "plan",
      "plan_options": { "mode": "normal", "refresh": false, "target": ["module.m"] },
      "variables": { "size": "${run.x.y}" },
      "providers": { "fake": "fake.m" },
      "expect_failures": ["var.a", "fake_thing.b[0]"],
      "assert": [{ "condition": "${output.x == 1}", "error_message": "no" }]
    }
  }
}"#;
    let files = [("main.tf", ""), ("tests/a.tftest.json", text)];
    let found = suite(&files, &[]);
    let problems: Vec<&str> = found.diagnostics.iter().map(|d| d.detail.as_str()).collect();
    assert_eq!(problems, ["There is no run named \"x\" before this one."]);
    let file = &found.files[0];
    let run = &file.runs[0];
    assert_eq!((run.command, run.asserts.len(), run.variables.len()), (Command::Plan, 1, 1));
    assert!(!run.options.refresh_only && !run.options.refresh && run.options.targets.len() == 1);
    assert_eq!(run.expected.iter().map(|e| e.subject.to_string()).collect::<Vec<_>>(), ["var.a", "fake_thing.b[0]"]);
    assert_eq!(run.providers[0].1.alias.as_deref(), Some("m"));
    assert_eq!((file.providers.len(), file.overrides.len(), file.variables.len()), (2, 1, 1));
}

#[test]
fn what_is_named_and_not_there_is_told() {
    let files = [
        ("main.tf", ""),
        ("empty/readme.txt", ""),
        (
            "a.tftest.hcl",
            "mock_provider \"m\" {\n  source = \"./empty\"\n}\nmock_provider \"n\" {\n  source = \"./none\"\n}\nrun \"a\" {\n  module {\n    source = \"./none\"\n  }\n}\nrun \"b\" {\n  module {\n    source = \"./empty\"\n  }\n}\n",
        ),
    ];
    let found = suite(&files, &[]);
    let summaries: Vec<&str> = found.diagnostics.iter().map(|d| d.summary.as_str()).collect();
    assert_eq!(summaries, ["Module not found", "Module not found", "Mocks not found", "Mocks not found"]);
}

#[test]
fn names_are_bound_where_nothing_hides_them() {
    let text = "a = run.x\nb = \"${run.x}-${var.y}\"\nc = [for run in [1] : run]\nd = { run = run, (run.x) = 1 }\ne {\n  f = run.x ? run.x : upper(run.x)\n}\n";
    let (body, _) = syntax::parse_body(&Arc::from("a.hcl"), text);
    let (bound, _) = testing::bind(&body, None, &[(Arc::from("run"), Value::object([("x", Value::from("v"))]))].into());
    let mut free = Vec::new();
    let nested = bound.blocks.iter().flat_map(|b| &b.body.attrs);
    for attr in bound.attrs.iter().chain(nested) {
        attr.expr.walk(&mut |e| {
            if let Some(name) = e.as_name() {
                free.push(format!("{}: {name}", attr.name));
            }
            true
        });
    }
    // `var` was not bound, and the `run` of the for expression is its own.
    assert_eq!(free, ["b: var", "c: run"]);
}
