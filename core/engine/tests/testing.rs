//! Test files over the small cloud: what is told while they run, what the cloud hears of it, and what is left of it.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use sgp_contract::StateStore;
use sgp_engine::{
    Interrupt,
    testing::{Status, TestEvent, TestOptions, TestReport, run_tests},
};
use sgp_lang::{source::MemoryFiles, testing::load_suite};
use sgp_model::{Diagnostic, Diagnostics, SourceMap, State};
use sgp_state::MemoryStore;
use support::World;

/// A configuration with an input, an object and an output.
const THING: &str = r#"
variable "name" {
  type    = string
  default = "a"
  validation {
    condition     = length(var.name) < 5
    error_message = "The name is too long."
  }
}
resource "fake_thing" "a" {
  name = var.name
  lifecycle {
    precondition {
      condition     = var.name != "bad"
      error_message = "Bad is no name."
    }
    postcondition {
      condition     = self.id != ""
      error_message = "There is no id."
    }
  }
}
output "id" {
  value = fake_thing.a.id
  precondition {
    condition     = var.name != "dull"
    error_message = "Dull."
  }
}
"#;

/// Test files beside a configuration.
struct Bench {
    world: World,
    /// Called with the name of each run that begins.
    on_run: Option<Box<dyn Fn(&World, &str)>>,
}

impl Bench {
    fn new(config: &str, tests: &str) -> Self {
        let mut world = World::new(config);
        world.files.insert("a.tftest.hcl".into(), tests.into());
        Self { world, on_run: None }
    }

    fn with(mut self, path: &str, text: &str) -> Self {
        self.world.files.insert(path.into(), text.into());
        self
    }

    /// Runs the tests; answers what is told and how it ended.
    async fn run(&self) -> (String, TestReport) {
        let suite = load_suite("tests", &[], &MemoryFiles::new(self.world.files.clone()));
        let mut told = shown(&suite.loaded.diagnostics, &suite.sources) + &shown(&suite.diagnostics, &suite.sources);
        if !told.is_empty() {
            return (told, TestReport::default());
        }
        let session = self.world.session();
        let variables = suite.files.iter().map(|f| (f.path.clone(), session.inputs.variables.clone())).collect();
        let new_store = || Arc::new(MemoryStore::seeded(State::default())) as Arc<dyn StateStore>;
        let options = TestOptions { variables, new_store: Box::new(new_store) };
        let report = run_tests(&session, &suite, &options, &mut |event| {
            if let (TestEvent::RunStart { run, .. }, Some(hook)) = (&event, &self.on_run) {
                hook(&self.world, &run.name);
            }
            told.push_str(&line(&event, &suite.sources));
        })
        .await;
        (told, report)
    }
}

fn word(status: Status) -> String {
    format!("{status:?}").to_lowercase()
}

fn line(event: &TestEvent<'_>, sources: &SourceMap) -> String {
    match event {
        TestEvent::FileStart { .. } | TestEvent::RunStart { .. } => String::new(),
        TestEvent::Run { run, report, .. } => {
            format!("run {}: {}\n{}", run.name, word(report.status), shown(&report.diagnostics, sources))
        }
        TestEvent::TearDown { .. } => "tear down\n".into(),
        TestEvent::Cleanup { run, diagnostics, left, .. } => {
            let left: Vec<String> = left.iter().map(|key| key.addr.to_string()).collect();
            format!("left over of {}: {}\n{}", run.name, left.join(", "), shown(diagnostics, sources))
        }
        TestEvent::Interrupted { states, planned, .. } => {
            let held = states.iter().map(|(run, left)| format!("{} holds {}", run.name, left.len()));
            let planned = planned.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("interrupted: {}; planned {planned}\n", held.collect::<Vec<_>>().join(", "))
        }
        TestEvent::File { report, .. } => format!("file: {}\n", word(report.status)),
    }
}

/// Each diagnostic with what it underlines and the values that it names.
fn shown(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    diagnostics.iter().fold(String::new(), |mut out, d: &Diagnostic| {
        let underlined = d.span.as_ref().and_then(|s| sources.text(&s.file)?.get(s.range.clone()));
        let values = d.values.iter().map(|(name, is)| format!(" {name} {is};")).collect::<String>();
        let _ = writeln!(out, "  {:?} {}: {} [{}]{values}", d.severity, d.summary, d.detail, underlined.unwrap_or(""));
        out
    })
}

#[tokio::test]
async fn what_holds_passes_and_what_was_made_goes() {
    let bench = Bench::new(
        THING,
        r#"
run "made" {
  assert {
    condition     = output.id == "a-0" && fake_thing.a.name == var.name
    error_message = "no"
  }
}
run "planned" {
  command = plan
  variables { name = "b" }
  assert {
    condition     = fake_thing.a.name == "b" && run.made.id == "a-0"
    error_message = "no"
  }
}
"#,
    );
    let (told, report) = bench.run().await;
    assert_eq!(told, "run made: pass\nrun planned: pass\ntear down\nfile: pass\n");
    assert_eq!((report.status(), report.count(Status::Pass)), (Status::Pass, 2));
    assert_eq!(bench.world.cloud.calls(), ["create a", "read 1", "read 1", "delete a"]);
    assert!(bench.world.cloud.names().is_empty());
}

#[tokio::test]
async fn a_failed_assertion_shows_the_values_and_the_next_run_goes_on() {
    let bench = Bench::new(
        THING,
        r#"
run "wrong" {
  assert {
    condition     = output.id == "b" && length(var.name) == 1
    error_message = "The id is ${output.id}."
  }
  assert {
    condition     = fake_thing.a.size > 3
    error_message = "Too small."
  }
}
run "right" {
  command = plan
}
"#,
    );
    let (told, report) = bench.run().await;
    insta::assert_snapshot!(told);
    assert_eq!((report.count(Status::Fail), report.count(Status::Pass)), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_said_is_an_error_and_the_rest_is_skipped() {
    let rows = [
        ("output.id == \"a\"", "unknown in a plan"),
        ("fake_thing.b.name == \"a\"", "undeclared"),
        ("output.nothing == \"a\"", "no such output"),
        ("output.id == \"a\" ? null : null", "null"),
        ("var.name", "no bool"),
    ];
    let mut all = String::new();
    for (condition, why) in rows {
        let tests = format!(
            "run \"a\" {{\n  command = plan\n  assert {{\n    condition = {condition}\n    error_message = \"no\"\n  }}\n}}\nrun \"b\" {{}}\n"
        );
        let bench = Bench::new(THING, &tests);
        let (told, report) = bench.run().await;
        assert_eq!(report.status(), Status::Error, "{condition}");
        let _ = writeln!(all, "--- {why}\n{told}");
        assert_eq!(bench.world.cloud.calls(), [""; 0], "{condition}");
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn failures_are_expected_by_what_has_the_condition() {
    let row = |name: &str, command: &str, expected: &str| {
        format!(
            "run \"{name}\" {{\n  command = {command}\n  variables {{ name = \"{name}\" }}\n  expect_failures = [{expected}]\n}}\n"
        )
    };
    let mut all = String::new();
    for tests in [
        row("longer", "plan", "var.name"),
        row("bad", "plan", "fake_thing.a"),
        row("dull", "plan", "output.id"),
        // It fails, but not by what was expected.
        row("bad", "plan", "var.name"),
        // Nothing fails.
        row("good", "plan", "var.name, fake_thing.a"),
        row("good", "apply", "output.id"),
        // It fails too early.
        row("longer", "apply", "var.name"),
        row("good", "plan", "var.nam, output.i, fake_thing.b, check.c"),
    ] {
        let (told, _) = Bench::new(THING, &tests).run().await;
        let _ = writeln!(all, "--- {tests}{told}");
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn a_check_that_fails_counts_unless_it_is_expected_to() {
    let config = THING.to_owned()
        + "check \"made\" {\n  assert {\n    condition     = fake_thing.a.id == \"b-0\"\n    error_message = \"It is ${fake_thing.a.id}.\"\n  }\n}\n";
    let (told, _) = Bench::new(&config, "run \"a\" {\n  expect_failures = [check.made]\n}\n").run().await;
    assert_eq!(told, "run a: pass\ntear down\nfile: pass\n");
    let (told, report) = Bench::new(&config, "run \"a\" {}\nrun \"b\" {\n  command = plan\n}\n").run().await;
    assert_eq!((report.count(Status::Fail), report.count(Status::Error)), (0, 1), "{told}");
    insta::assert_snapshot!(told);
    let tests = "run \"a\" {\n  command = plan\n}\nrun \"b\" {\n  variables { name = \"b\" }\n}\n";
    let (told, _) = Bench::new(&config, tests).run().await;
    assert_eq!(told, "run a: pass\nrun b: pass\ntear down\nfile: pass\n");
}

#[tokio::test]
async fn a_failed_postcondition_of_one_instance_is_expected_and_what_was_made_goes() {
    let config = r#"
resource "fake_thing" "a" {
  for_each = toset(["x", "y"])
  name     = each.key
  lifecycle {
    postcondition {
      condition     = self.id == "x-0" || self.id == "x-1"
      error_message = "It is ${self.id}."
    }
  }
}
"#;
    let bench = Bench::new(config, "run \"a\" {\n  expect_failures = [fake_thing.a[\"y\"]]\n}\n");
    let (told, _) = bench.run().await;
    assert_eq!(told, "run a: pass\ntear down\nfile: pass\n");
    assert!(bench.world.cloud.names().is_empty());
    let bench = Bench::new(config, "run \"a\" {\n  expect_failures = [fake_thing.a[\"x\"]]\n}\n");
    let (told, report) = bench.run().await;
    assert_eq!(report.status(), Status::Error, "{told}");
}

#[tokio::test]
async fn a_mocked_provider_is_not_called() {
    let config = r#"
provider "fake" { endpoint = "https://prod" }
data "fake_thing" "d" { name = "d" }
data "fake_text" "t" { of = "t" }
resource "fake_thing" "a" {
  name   = "a"
  parent = data.fake_thing.d.id
}
resource "fake_thing" "b" {
  name   = "b"
  parent = fake_thing.a.id
}
output "all" {
  value = [fake_thing.a.id, fake_thing.a.etag, fake_thing.b.parent, data.fake_thing.d.size, data.fake_text.t.text]
}
"#;
    let tests = r#"
mock_provider "fake" {
  mock_resource "fake_thing" {
    defaults = { etag = "mocked" }
  }
}
override_data {
  target = data.fake_thing.d
  values = { id = "d-7", size = 7 }
}
run "a" {
  assert {
    condition     = output.all == [fake_thing.a.id, "mocked", fake_thing.a.id, 7, "[t]"] && length(fake_thing.a.id) == 8
    error_message = jsonencode(output.all)
  }
}
run "again" {
  override_resource {
    target = fake_thing.a
    values = { id = "never: it exists" }
  }
  assert {
    condition     = length(fake_thing.a.id) == 8 && fake_thing.a.parent == "d-7" && run.a.all == output.all
    error_message = jsonencode(output.all)
  }
}
"#;
    let bench = Bench::new(config, tests);
    let (told, _) = bench.run().await;
    assert_eq!(told, "run a: pass\nrun again: pass\ntear down\nfile: pass\n");
    assert_eq!(bench.world.cloud.calls(), [""; 0]);
}

#[tokio::test]
async fn made_up_values_may_be_known_while_planning() {
    let tests = r#"
mock_provider "fake" {
  override_during = plan
  mock_resource "fake_thing" {
    defaults = { id = "made-up" }
  }
}
run "plan" {
  command = plan
  assert {
    condition     = output.id == "made-up" && length(fake_thing.a.etag) == 8
    error_message = output.id
  }
}
run "apply" {
  assert {
    condition     = output.id == "made-up" && length(fake_thing.a.etag) == 8
    error_message = output.id
  }
}
"#;
    let bench = Bench::new(THING, tests);
    let (told, _) = bench.run().await;
    assert_eq!(told, "run plan: pass\nrun apply: pass\ntear down\nfile: pass\n");
    assert_eq!(bench.world.cloud.calls(), [""; 0]);
}

#[tokio::test]
async fn an_override_stands_in_for_one_object_of_a_real_provider() {
    let config = r#"
resource "fake_thing" "a" {
  count = 2
  name  = "a${count.index}"
}
data "fake_text" "t" { of = "t" }
data "fake_thing" "d" { name = "elsewhere" }
output "ids" { value = concat(fake_thing.a[*].id, [data.fake_text.t.text, data.fake_thing.d.id]) }
"#;
    let tests = r#"
override_resource {
  target = fake_thing.a
  values = { id = "all" }
}
override_resource {
  target = fake_thing.a[1]
  values = { id = "one" }
}
override_data {
  target = data.fake_text.t
  values = { text = "written" }
}
override_data {
  target = data.fake_thing.d
  values = { id = "found" }
}
run "both" {
  assert {
    condition     = jsonencode(output.ids) == jsonencode(["all", "one", "written", "found"])
    error_message = jsonencode(output.ids)
  }
}
run "other_state" {
  state_key = "other"
  override_resource {
    target = fake_thing.a[1]
    values = { id = "run" }
  }
  assert {
    condition     = fake_thing.a[1].id == "run" && fake_thing.a[0].id == "all"
    error_message = jsonencode(output.ids)
  }
}
"#;
    let bench = Bench::new(config, tests);
    let (told, _) = bench.run().await;
    assert_eq!(told, "run both: pass\nrun other_state: pass\ntear down\nfile: pass\n");
    assert_eq!(bench.world.cloud.calls(), [""; 0]);
}

#[tokio::test]
async fn an_overridden_module_makes_nothing() {
    let config = r#"
module "m" {
  source = "./m"
  name   = "far too long a name for it"
}
resource "fake_thing" "a" {
  name   = "a"
  parent = module.m.id
}
output "rest" { value = module.m.rest }
"#;
    let tests = r#"
override_module {
  target  = module.m
  outputs = { id = "m-1" }
}
run "a" {
  assert {
    condition     = fake_thing.a.parent == "m-1" && module.m.id == "m-1" && output.rest == null
    error_message = "no"
  }
}
"#;
    let inner = THING.to_owned() + "output \"rest\" { value = \"rest\" }\n";
    let bench = Bench::new(config, tests).with("m/main.tf", &inner);
    let (told, _) = bench.run().await;
    assert_eq!(told, "run a: pass\ntear down\nfile: pass\n");
    assert_eq!(bench.world.cloud.calls(), ["create a", "read 1", "delete a"]);
}

#[tokio::test]
async fn a_module_of_a_run_has_its_own_state_and_goes_last() {
    let tests = r#"
variables { name = "b" }
run "setup" {
  module { source = "./setup" }
}
run "a" {
  variables { name = run.setup.name }
  assert {
    condition     = fake_thing.a.name == "s"
    error_message = fake_thing.a.name
  }
}
run "b" {
  command = plan
  assert {
    condition     = fake_thing.a.name == "b"
    error_message = fake_thing.a.name
  }
}
"#;
    let setup = "resource \"fake_thing\" \"s\" {\n  name = \"setup\"\n}\noutput \"name\" {\n  value = \"s\"\n}\n";
    let bench = Bench::new(THING, tests).with("setup/main.tf", setup);
    let (told, _) = bench.run().await;
    assert_eq!(told, "run setup: pass\nrun a: pass\nrun b: pass\ntear down\nfile: pass\n");
    let calls = bench.world.cloud.calls();
    let changes: Vec<&String> = calls.iter().filter(|c| !c.starts_with("read")).collect();
    assert_eq!(changes, ["create setup", "create s", "delete s", "delete setup"]);
}

#[tokio::test]
async fn values_come_from_outside_then_the_file_then_the_run() {
    let config = "variable \"a\" {}\nvariable \"b\" {}\nvariable \"c\" {}\nvariable \"d\" {\n  default = \"default\"\n}\noutput \"all\" {\n  value = join(\",\", [var.a, var.b, var.c, var.d])\n}\n";
    let tests = r#"
variables {
  b = "file ${var.a}"
  c = "file"
  expected = "outside,file outside,run file,default"
}
run "a" {
  variables { c = "run ${var.c}" }
  assert {
    condition     = output.all == var.expected
    error_message = output.all
  }
}
"#;
    let mut bench = Bench::new(config, tests);
    for name in ["a", "b", "c"] {
        bench.world.variables.insert(name.into(), "outside".into());
    }
    let (told, _) = bench.run().await;
    assert_eq!(told, "run a: pass\ntear down\nfile: pass\n");
}

#[tokio::test]
async fn provider_blocks_know_earlier_runs() {
    let config = "provider \"way\" {\n  gate = \"own\"\n}\nprovider \"fake\" {}\n".to_owned() + THING;
    let tests = r#"
provider "way" { gate = "${run.setup.name} ${var.name}" }
provider "way" {
  alias = "other"
  gate  = "other"
}
run "setup" {
  module { source = "./setup" }
}
run "a" {}
run "b" {
  providers = { way = way.other }
}
"#;
    let bench = Bench::new(&config, tests).with("setup/main.tf", "output \"name\" {\n  value = \"s\"\n}\n");
    let (told, _) = bench.run().await;
    assert_eq!(told, "run setup: pass\nrun a: pass\nrun b: pass\ntear down\nfile: pass\n");
    let gates: std::collections::BTreeSet<String> =
        bench.world.cloud.calls().into_iter().filter(|c| c.starts_with("configure")).collect();
    assert_eq!(gates.into_iter().collect::<Vec<_>>(), ["configure other", "configure s a"]);
}

#[tokio::test]
async fn what_does_not_fit_is_told_with_its_place() {
    let config = THING.to_owned() + "module \"m\" {\n  source = \"./m\"\n}\n";
    let mut all = String::new();
    for tests in [
        "mock_provider \"fak\" {}\nrun \"a\" {}",
        "mock_provider \"fake\" {\n  mock_resource \"fake_thin\" {}\n}\nrun \"a\" {}",
        "mock_provider \"fake\" {\n  mock_resource \"fake_thing\" {\n    defaults = { idd = 1, name = \"x\", etag = [] }\n  }\n}\nrun \"a\" {}",
        "override_resource {\n  target = fake_thing.z\n}\nrun \"a\" {}",
        "override_module {\n  target = module.z\n}\nrun \"a\" {}",
        "override_module {\n  target = module.m\n  outputs = { z = 1 }\n}\nrun \"a\" {}",
        "override_resource {\n  target = fake_thing.a\n  values = \"x\"\n}\nrun \"a\" {}",
        "run \"a\" {\n  providers = { fake = fake.mok }\n}\nmock_provider \"fake\" {\n  alias = \"mock\"\n}",
        "run \"a\" {\n  variables { nam = \"x\" }\n  command = plan\n}",
        "run \"a\" {\n  command = plan\n}\nrun \"b\" {\n  variables { name = run.a.id }\n}",
    ] {
        let bench = Bench::new(&config, tests).with("m/main.tf", "output \"x\" {\n  value = 1\n}\n");
        let (told, _) = bench.run().await;
        let _ = writeln!(all, "--- {tests}\n{told}");
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn what_cannot_be_destroyed_is_named() {
    let bench = Bench::new(support::CHAIN, "run \"a\" {}");
    bench.world.cloud.fail("delete a");
    let (told, report) = bench.run().await;
    insta::assert_snapshot!(told);
    assert_eq!((report.status(), report.count(Status::Pass)), (Status::Error, 1));
    assert_eq!(bench.world.cloud.names(), ["a"]);
}

#[tokio::test]
async fn a_failed_apply_is_cleaned_up() {
    let bench = Bench::new(support::CHAIN, "run \"a\" {}\nrun \"b\" {}");
    bench.world.cloud.fail("create b");
    let (told, _) = bench.run().await;
    insta::assert_snapshot!(told);
    assert!(bench.world.cloud.names().is_empty());
}

#[tokio::test]
async fn the_first_interrupt_skips_runs_and_still_cleans_up() {
    let mut bench = Bench::new(support::CHAIN, "run \"a\" {}\nrun \"b\" {}\nrun \"c\" {}");
    let sender = Arc::new(Mutex::new(bench.world.interrupt.clone()));
    bench.on_run = Some(Box::new(move |world, run| {
        if run == "b" {
            assert_eq!(world.cloud.names(), ["a", "b"]);
            sender.lock().unwrap().send(Interrupt::Finish).unwrap();
        }
    }));
    let (told, report) = bench.run().await;
    insta::assert_snapshot!(told);
    assert_eq!(report.count(Status::Skip), 1);
    assert!(bench.world.cloud.names().is_empty());
}

#[tokio::test]
async fn the_second_interrupt_says_what_is_there() {
    let mut bench = Bench::new(support::CHAIN, "run \"a\" {}\nrun \"b\" {}");
    let sender = bench.world.interrupt.clone();
    bench.on_run = Some(Box::new(move |_, run| {
        if run == "b" {
            sender.send(Interrupt::Now).unwrap();
        }
    }));
    let (told, _) = bench.run().await;
    insta::assert_snapshot!(told);
    assert_eq!(bench.world.cloud.names(), ["a", "b"]);
}

#[tokio::test]
async fn options_of_the_plan_are_kept() {
    let tests = r#"
run "one" {
  plan_options { target = [fake_thing.a] }
}
run "again" {
  plan_options {
    replace = [fake_thing.a]
    refresh = false
  }
}
run "look" {
  plan_options { mode = refresh-only }
}
"#;
    let bench = Bench::new(support::CHAIN, tests);
    let (told, _) = bench.run().await;
    assert_eq!(told, "run one: pass\nrun again: pass\nrun look: pass\ntear down\nfile: pass\n");
    let calls = bench.world.cloud.calls();
    assert_eq!(calls[..4], ["create a", "delete a", "create a", "create b"], "{calls:?}");
}

#[tokio::test]
async fn a_check_fails_when_its_data_source_cannot_be_read() {
    let config = THING.to_owned()
        + "check \"found\" {\n  data \"fake_thing\" \"none\" { name = \"none\" }\n  assert {\n    condition     = data.fake_thing.none.id != \"\"\n    error_message = \"There is none.\"\n  }\n}\n";
    let expected = "expect_failures = [check.found]";
    let tests = format!("run \"a\" {{\n  {expected}\n}}\nrun \"b\" {{\n  command = plan\n  {expected}\n}}\n");
    let (told, _) = Bench::new(&config, &tests).run().await;
    assert_eq!(told, "run a: pass\nrun b: pass\ntear down\nfile: pass\n");
    for command in ["apply", "plan"] {
        let (told, report) = Bench::new(&config, &format!("run \"a\" {{\n  command = {command}\n}}\n")).run().await;
        assert_eq!(report.count(Status::Error), 1, "{told}");
        assert!(told.contains("No such thing"), "{told}");
    }
}
