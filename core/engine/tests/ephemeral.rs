//! Ephemeral resources, variables and write-only attributes: used in a run, and written nowhere.
#![allow(clippy::unwrap_used)]
#![expect(clippy::disallowed_methods, reason = "the test reads every file that a run has written")]

mod support;

use sgp_contract::StateStore;
use sgp_engine::{PlanOptions, check_saved, with_write_only_sent};
use sgp_model::{Plan, plan::PlanMode};
use support::{World, shown};

/// `a` gets a token and a variable that nobody may keep; the second thing's provider is configured with a token.
const STACK: &str = r#"
variable "password" {
  type      = string
  ephemeral = true
}
variable "revision" { default = 1 }
ephemeral "fake_token" "t" {
  of = "t"
  lifecycle {
    postcondition {
      condition     = startswith(self.token, "TOKEN-")
      error_message = "no token: ${self.token}"
    }
  }
}
locals { both = "${ephemeral.fake_token.t.token}/${var.password}" }
resource "fake_thing" "a" {
  name              = "a"
  secret_wo         = local.both
  secret_wo_version = var.revision
}
output "known" { value = fake_thing.a.secret_wo == null ? "nothing is kept" : "kept" }
output "same" { value = ephemeralasnull(local.both) == null }
"#;

const PASSWORD: &str = "hunter2-ephemeral";

fn world(hcl: &str) -> World {
    let mut world = World::new(hcl);
    world.variables.insert("password".into(), PASSWORD.into());
    world
}

/// Everything that is written down or told: plan, state, journal, events, as text.
async fn written(world: &World, plan: &Plan) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plan");
    sgp_state::plan_file::save(&path, plan).unwrap();
    assert_eq!(sgp_state::plan_file::load(&path).unwrap(), *plan);
    let state = world.store.load().await.unwrap();
    let intents = world.store.open_intents().await.unwrap();
    let events = world.events.lock().unwrap();
    format!("{}\n{plan:?}\n{state:?}\n{intents:?}\n{events:?}", serde_json::to_string(plan).unwrap())
}

#[tokio::test]
async fn secrets_reach_the_provider_and_nothing_else() {
    let mut world = world(STACK);
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "+ fake_thing.a");
    assert_eq!(world.cloud.calls(), ["open t", "close t"]);
    assert_eq!(plan.ephemeral_variables, ["password"]);
    assert!(sends_a_secret(&world, &plan.changes[0]));
    assert!(!plan.variables.contains_key("password"));
    let outcome = world.apply_plan(&plan).await;
    assert!(outcome.diagnostics.is_empty(), "{:#?}", outcome.diagnostics);
    assert_eq!(world.cloud.calls(), ["open t", "create a", "close t"]);
    // Opened anew for the apply, and sent as it is then.
    assert_eq!(*world.cloud.secrets.lock().unwrap(), ["TOKEN-t-1/hunter2-ephemeral"]);
    assert_eq!(outcome.outputs["known"].value, "nothing is kept".into());
    assert_eq!(outcome.outputs["same"].value, true.into());
    let text = written(&world, &plan).await;
    assert!(!text.contains("TOKEN-") && !text.contains(PASSWORD), "{text}");
    // Another value is no change; another version is.
    world.assert_converged().await;
    world.variables.insert("revision".into(), "2".into());
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "~ fake_thing.a");
    assert!(sends_a_secret(&world, &plan.changes[0]));
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.secrets.lock().unwrap().len(), 2);
    let text = written(&world, &plan).await;
    assert!(!text.contains("TOKEN-") && !text.contains(PASSWORD), "{text}");
    assert!(!format!("{:?}", world.cloud.things.lock().unwrap()).contains("hunter2"));
}

/// Whether a plan shows that a change sends the write-only argument; nobody records that.
fn sends_a_secret(world: &World, change: &sgp_model::plan::ResourceChange) -> bool {
    let ty = world.session().registry.resource_type(&change.addr.resource.type_name).unwrap();
    let sent = with_write_only_sent(&ty.schema().block, &change.before, &change.after, &change.config);
    assert!(change.after.get("secret_wo").unwrap().is_null());
    !sent.get("secret_wo").unwrap().is_null()
}

#[tokio::test]
async fn what_is_deferred_holds_no_secret() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
ephemeral "fake_token" "t" { of = "t" }
resource "fake_thing" "b" {
  for_each  = toset([fake_thing.a.id])
  name      = "b"
  secret_wo = ephemeral.fake_token.t.token
}
resource "fake_thing" "c" {
  for_each  = fake_thing.b
  name      = "c"
  secret_wo = ephemeral.fake_token.t.token
}
"#;
    let world = World::new(hcl);
    let plan = world.plan().await;
    assert_eq!(plan.deferred.len(), 2);
    assert!(plan.deferred.iter().all(|it| sends_a_secret(&world, &it.change)));
    let outcome = world.apply_plan(&plan).await;
    assert!(outcome.diagnostics.is_empty(), "{:#?}", outcome.diagnostics);
    assert_eq!(world.cloud.secrets.lock().unwrap().len(), 2);
    let text = written(&world, &plan).await;
    assert!(!text.contains("TOKEN-"), "{text}");
    world.assert_converged().await;
}

#[tokio::test]
async fn what_an_interrupted_run_wrote_holds_no_secret() {
    let world = world(STACK);
    world.cloud.unanswered.lock().unwrap().push("a".into());
    let plan = world.plan().await;
    let outcome = world.apply_plan(&plan).await;
    assert!(outcome.diagnostics.has_errors());
    assert_eq!(world.store.open_intents().await.unwrap().len(), 1);
    let text = format!("{}\n{:?}", written(&world, &plan).await, outcome.diagnostics);
    assert!(!text.contains("TOKEN-") && !text.contains(PASSWORD), "{text}");
    world.cloud.unanswered.lock().unwrap().clear();
    world.assert_converged().await;
}

#[tokio::test]
async fn a_saved_plan_asks_again() {
    let mut world = world(STACK);
    let plan = world.plan().await;
    assert!(check_saved(&world.session(), &plan).await.is_ok());
    world.variables.insert("password".into(), "another one".into());
    assert!(check_saved(&world.session(), &plan).await.is_ok());
    world.variables.remove("password");
    let refused = check_saved(&world.session(), &plan).await.unwrap_err();
    assert_eq!(refused.summary, "No value for ephemeral variable");
    assert!(refused.detail.contains("password"), "{}", refused.detail);
}

#[tokio::test]
async fn a_provider_may_be_configured_with_a_token() {
    let hcl = r#"
ephemeral "fake_token" "t" { of = "t" }
provider "fake" {}
provider "fake" {
  alias    = "by_token"
  endpoint = ephemeral.fake_token.t.token
}
resource "fake_thing" "a" {
  name     = "a"
  provider = fake.by_token
}
"#;
    let world = World::new(hcl);
    world.apply().await;
    world.assert_converged().await;
    let endpoints = world.cloud.endpoints.lock().unwrap().clone();
    assert_eq!(endpoints, ["TOKEN-t-0", "TOKEN-t-1", "TOKEN-t-3"]);
    let plan = world.plan().await;
    assert!(!written(&world, &plan).await.contains("TOKEN-"));
    world.cloud.calls();
    let destroy = PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() };
    let plan = world.plan_with(&destroy).await.plan.unwrap();
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.calls(), ["open t", "read 1", "close t", "open t", "delete a", "close t"]);
}

#[tokio::test]
async fn a_token_that_depends_on_a_change_is_opened_in_apply() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
ephemeral "fake_token" "t" { of = fake_thing.a.id }
ephemeral "fake_token" "unused" { of = "unused" }
resource "fake_thing" "b" {
  name      = "b"
  secret_wo = ephemeral.fake_token.t.token
}
"#;
    let world = World::new(hcl);
    let plan = world.plan().await;
    assert_eq!(world.cloud.calls(), Vec::<String>::new());
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.calls(), ["create a", "open a-0", "create b", "close a-0"]);
    assert_eq!(*world.cloud.secrets.lock().unwrap(), ["TOKEN-a-0-1"]);
}

#[tokio::test]
async fn what_nothing_needs_any_more_is_closed() {
    let hcl = r#"
ephemeral "fake_token" "first" { of = "first" }
ephemeral "fake_token" "second" { of = ephemeral.fake_token.first.token == "" ? "" : "second" }
ephemeral "fake_token" "last" { of = "last" }
locals { token = ephemeral.fake_token.second.token }
resource "fake_thing" "a" {
  name      = "a"
  secret_wo = ephemeral.fake_token.first.token
}
resource "fake_thing" "b" {
  name      = "b"
  parent    = fake_thing.a.id
  secret_wo = local.token
}
resource "fake_thing" "c" {
  name      = "c"
  parent    = fake_thing.b.id
  secret_wo = ephemeral.fake_token.last.token
}
resource "fake_thing" "d" {
  name   = "d"
  parent = fake_thing.c.id
}
"#;
    let world = World::new(hcl);
    let plan = world.plan().await;
    world.cloud.calls();
    world.apply_plan(&plan).await;
    let calls = world.cloud.calls();
    let at = |call: &str| calls.iter().position(|it| it == call).unwrap();
    // The first one is what the second one was opened with, and goes after it. Neither waits for the end.
    let in_turn = ["create a", "create b", "close second", "close first", "close last", "create d"];
    assert!(in_turn.is_sorted_by_key(|call| at(call)), "{calls:?}");
    assert!(at("open last") > at("create b") && at("close last") > at("create c"), "{calls:?}");
    assert_eq!(calls.len(), 10, "{calls:?}");
}

#[tokio::test]
async fn what_is_due_is_renewed_and_what_is_open_is_closed() {
    let hcl = r#"
ephemeral "fake_token" "t" { of = "t" }
resource "fake_thing" "a" {
  name      = "a"
  secret_wo = ephemeral.fake_token.t.token
}
"#;
    let world = World::new(hcl);
    *world.cloud.renew_at.lock().unwrap() = Some(1_700_000_000);
    world.cloud.fail("create a");
    let outcome = world.try_apply().await;
    assert!(outcome.diagnostics.has_errors());
    let calls = world.cloud.calls();
    assert!(calls.contains(&"renew t".to_owned()), "{calls:?}");
    assert_eq!(calls.iter().filter(|c| *c == "close t").count(), 2, "{calls:?}");
    // One that cannot be opened ends the plan, with its reason.
    world.cloud.fail("open t");
    assert_eq!(world.plan_errors().await, ["Refused"]);
}

#[tokio::test]
async fn ephemeral_values_go_nowhere_else() {
    let rows = [
        ("resource \"fake_thing\" \"a\" { name = ephemeral.fake_token.t.token }", "Invalid use of ephemeral value"),
        ("data \"fake_thing\" \"a\" { name = ephemeral.fake_token.t.token }", "Invalid use of ephemeral value"),
        ("output \"a\" { value = ephemeral.fake_token.t.token }", "Ephemeral value not allowed"),
        ("module \"m\" {\n  source = \"./m\"\n  x = ephemeral.fake_token.t.token\n}", "Ephemeral value not allowed"),
        (
            "resource \"fake_thing\" \"a\" {\n  count = length(ephemeral.fake_token.t.token)\n  name = \"a\"\n}",
            "Invalid count argument",
        ),
    ];
    for (hcl, summary) in rows {
        let mut world = World::new(&format!("ephemeral \"fake_token\" \"t\" {{ of = \"t\" }}\n{hcl}\n"));
        world.files.insert("m/main.tf".into(), "variable \"x\" {}\n".into());
        let planned = world.plan_with(&PlanOptions::default()).await;
        let told: Vec<&str> = planned.diagnostics.iter().map(|d| d.summary.as_str()).collect();
        assert_eq!(told, [summary], "{hcl}");
        assert!(!format!("{:?}", planned.diagnostics).contains("TOKEN-"), "{:#?}", planned.diagnostics);
        assert!(world.cloud.calls().contains(&"close t".to_owned()));
    }
}

/// Every byte of every file below a folder.
fn bytes_below(dir: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { bytes_below(&path) } else { std::fs::read(&path).unwrap() });
    }
    all
}

#[tokio::test]
async fn no_byte_of_it_is_on_the_disk() {
    let hcl = STACK.replace("name              = \"a\"", "name = \"a\"\n  secret = \"findable-secret\"");
    let world = world(&hcl);
    let dir = tempfile::tempdir().unwrap();
    let store =
        sgp_state::SledStore::open(dir.path(), "apply", sgp_state::Access::Write, std::time::Duration::from_secs(1));
    let session = sgp_engine::Session { store: std::sync::Arc::new(store.unwrap()), ..world.session() };
    // The second creation is not answered, so that its intent stays in the journal.
    for unanswered in [false, true] {
        let planned = sgp_engine::plan(&session, &PlanOptions::default()).await.plan.unwrap();
        sgp_state::plan_file::save(&dir.path().join("plan"), &planned).unwrap();
        let outcome = sgp_engine::apply(&session, &planned, &sgp_engine::ApplyOptions::default()).await;
        assert_eq!(outcome.diagnostics.has_errors(), unanswered, "{:#?}", outcome.diagnostics);
        if !unanswered {
            let gone = world.cloud.things.lock().unwrap().pop_first();
            assert!(gone.is_some());
            world.cloud.unanswered.lock().unwrap().push("a".into());
        }
    }
    assert_eq!(session.store.open_intents().await.unwrap().len(), 1);
    let written = bytes_below(dir.path());
    let holds = |text: &str| written.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("findable-secret"), "what is stored is stored in the clear, or this test looks at nothing");
    assert!(!holds("TOKEN-") && !holds(PASSWORD));
}
