//! The life of a stack in a small cloud: create, nothing to do, change, replace, fail, go on, destroy.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_engine::{ApplyOptions, Interrupt, PlanOptions};
use sgp_model::{
    Value,
    address::parse_instance,
    plan::{Action, Op, PlanMode, Reason},
};
use support::{CHAIN, CHAIN_A, World, shown};

#[tokio::test]
async fn a_stack_comes_stays_and_goes() {
    let mut world = World::new(CHAIN);
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "+ fake_thing.a\n+ fake_thing.b");
    let outcome = world.apply().await;
    assert_eq!((outcome.done.add, outcome.done.change, outcome.done.destroy), (2, 0, 0));
    assert_eq!(outcome.outputs["b"].value, Value::from("b-1"));
    world.assert_converged().await;

    world.write(&CHAIN.replace("name = \"a\"", "name = \"a\"\n  size = 5"));
    assert_eq!(shown(&world.plan().await), "~ fake_thing.a");
    world.apply().await;
    world.assert_converged().await;

    world.write("");
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "- fake_thing.a\n- fake_thing.b");
    assert!(plan.changes.iter().all(|c| c.reason == Some(Reason::DeleteBecauseNoResourceConfig)));
    world.cloud.calls();
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.calls(), ["delete b", "delete a"]);
    assert!(world.state().await.is_empty());
}

#[tokio::test]
async fn destroy_takes_dependents_first() {
    let world = World::new(CHAIN);
    world.apply().await;
    world.cloud.calls();
    let options = PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() };
    let plan = world.plan_with(&options).await.plan.unwrap();
    let outcome = world.apply_plan(&plan).await;
    assert_eq!(outcome.done.destroy, 2);
    assert_eq!(world.cloud.calls(), ["read 2", "delete b", "delete a"]);
    assert!(outcome.outputs.is_empty());
}

#[tokio::test]
async fn a_replacement_reaches_what_refers_to_it() {
    let mut world = World::new(CHAIN);
    world.apply().await;
    world.write(&CHAIN.replace("name = \"a\"", "name = \"A\""));
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "-/+ fake_thing.a\n~ fake_thing.b");
    assert_eq!(plan.changes[0].replace_paths[0].to_string(), "name");
    world.cloud.calls();
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.calls(), ["delete a", "create A", "update b"]);
    world.assert_converged().await;
}

#[tokio::test]
async fn create_before_destroy_keeps_the_old_until_dependents_let_go() {
    let hcl = CHAIN.replace("name = \"a\"", "name = \"a\"\n  lifecycle { create_before_destroy = true }");
    let mut world = World::new(&hcl);
    world.apply().await;
    world.write(&hcl.replace("\"a\"\n", "\"A\"\n"));
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "+/- fake_thing.a\n~ fake_thing.b");
    world.cloud.calls();
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.calls(), ["create A", "update b", "delete a"]);
    assert_eq!(world.state().await, ["fake_thing.a", "fake_thing.b"]);
}

#[tokio::test]
async fn a_creation_is_told_with_the_new_id() {
    let hcl = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  lifecycle { create_before_destroy = true }\n}\n";
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("\"a\"\n", "\"A\"\n"));
    world.events.lock().unwrap().clear();
    world.apply().await;
    let created = world.events.lock().unwrap().iter().find_map(|e| match e {
        sgp_engine::Event::ApplyComplete { id, action: Action::Create, .. } => id.clone(),
        _ => None,
    });
    assert_eq!(created.as_deref(), Some("A-1"));
}

#[tokio::test]
async fn a_full_disk_is_told_once_and_nothing_more_is_started() {
    let hcl = "resource \"fake_thing\" \"a\" {\n  count = 40\n  name = \"a${count.index}\"\n}";
    let mut world = World::new(hcl);
    world.parallelism = 4;
    let death = world.cloud.death.clone();
    *world.cloud.hook.lock().unwrap() = Some(Box::new(move |_| {
        death.disk_full.store(true, std::sync::atomic::Ordering::SeqCst);
    }));
    let outcome = world.try_apply().await;
    let errors: Vec<_> = outcome.diagnostics.iter().filter(|d| d.is_error()).collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(
        errors[0].detail.contains("no storage space") && errors[0].detail.contains("journal"),
        "{}",
        errors[0].detail
    );
    assert!(world.cloud.names().len() <= 4);
    world.cloud.death.disk_full.store(false, std::sync::atomic::Ordering::SeqCst);
    *world.cloud.hook.lock().unwrap() = None;
    world.apply().await;
    assert_eq!(world.cloud.names().len(), 40);
    world.assert_converged().await;
}

#[tokio::test]
async fn an_interrupt_ends_planning() {
    let world = World::new(CHAIN);
    world.interrupt.send_replace(Interrupt::Finish);
    assert_eq!(world.plan_errors().await, ["Planning interrupted"]);
}

#[tokio::test]
async fn a_deposed_object_that_could_not_go_goes_with_the_next_apply() {
    let hcl = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  lifecycle { create_before_destroy = true }\n}\n";
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("\"a\"\n", "\"A\"\n"));
    world.cloud.fail("delete a");
    let outcome = world.try_apply().await;
    assert!(outcome.diagnostics.has_errors());
    assert_eq!(world.state().await, ["fake_thing.a", "fake_thing.a (deposed)"]);
    let plan = world.plan().await;
    assert_eq!(plan.changes.iter().filter(|c| c.deposed.is_some()).count(), 1);
    world.apply().await;
    assert_eq!(world.cloud.names(), ["A"]);
    world.assert_converged().await;
}

#[tokio::test]
async fn failure_keeps_what_was_done_and_skips_dependents() {
    let hcl = format!("{CHAIN}\nresource \"fake_thing\" \"c\" {{ name = \"c\" }}\n");
    let world = World::new(&hcl);
    world.cloud.fail("create a");
    let outcome = world.try_apply().await;
    assert!(outcome.diagnostics.has_errors());
    assert_eq!(world.state().await, ["fake_thing.c"]);
    world.apply().await;
    assert_eq!(world.cloud.names(), ["a", "b", "c"]);
    world.assert_converged().await;
}

#[tokio::test]
async fn conditions_that_only_apply_can_judge_are_judged_there() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
resource "fake_thing" "b" {
  name = "b"
  lifecycle {
    precondition {
      condition     = fake_thing.a.id == "other"
      error_message = "b was not to be begun"
    }
  }
}
resource "fake_thing" "c" {
  name = "c"
  lifecycle {
    postcondition {
      condition     = self.id == "other"
      error_message = "c is wrong"
    }
  }
}
resource "fake_thing" "d" {
  name   = "d"
  parent = fake_thing.c.id
}
resource "fake_thing" "alone" {
  name = "alone"
  lifecycle {
    postcondition {
      condition     = self.id == "other"
      error_message = "alone is wrong"
    }
  }
}
"#;
    let world = World::new(hcl);
    let outcome = world.try_apply().await;
    let mut told: Vec<String> = outcome.diagnostics.iter().map(|d| format!("{}: {}", d.summary, d.detail)).collect();
    told.sort();
    let expected = [
        "Resource postcondition failed: alone is wrong",
        "Resource postcondition failed: c is wrong",
        "Resource precondition failed: b was not to be begun",
    ];
    assert_eq!(told, expected);
    // What was made is recorded; b was never begun, and d must not build on c.
    assert_eq!(world.state().await, ["fake_thing.a", "fake_thing.alone", "fake_thing.c"]);
}

#[tokio::test]
async fn conditions_of_what_does_not_change_are_judged_too() {
    let hcl =
        "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\nresource \"fake_thing\" \"b\" {\n  name = \"b\"\n}\n";
    let mut world = World::new(hcl);
    world.apply().await;
    let condition = r#"  name = "b"
  lifecycle {
    precondition {
      condition     = fake_thing.a.id == "the one before"
      error_message = "a is another now"
    }
  }
"#;
    world.write(&hcl.replace("name = \"a\"", "name = \"c\"").replace("  name = \"b\"\n", condition));
    let outcome = world.try_apply().await;
    let told: Vec<&str> = outcome.diagnostics.iter().map(|d| d.detail.as_str()).collect();
    assert_eq!(told, ["a is another now"]);
    assert_eq!(world.cloud.names(), ["b", "c"]);
}

#[tokio::test]
async fn a_half_made_object_is_tainted_and_replaced() {
    let world = World::new("resource \"fake_thing\" \"a\" { name = \"a\" }");
    world.cloud.half.lock().unwrap().push("a".into());
    assert!(world.try_apply().await.diagnostics.has_errors());
    assert_eq!(world.state().await, ["fake_thing.a!"]);
    world.cloud.half.lock().unwrap().clear();
    let plan = world.plan().await;
    assert_eq!(plan.changes[0].reason, Some(Reason::ReplaceBecauseTainted));
    world.apply().await;
    assert_eq!(world.cloud.names(), ["a"]);
    world.assert_converged().await;
}

#[tokio::test]
async fn a_creation_that_nobody_answered_is_looked_for() {
    let world = World::new("resource \"fake_thing\" \"a\" { name = \"a\" }");
    world.cloud.unanswered.lock().unwrap().push("a".into());
    assert!(world.try_apply().await.diagnostics.has_errors());
    assert!(world.state().await.is_empty());
    world.cloud.unanswered.lock().unwrap().clear();
    world.apply().await;
    assert_eq!(world.cloud.names(), ["a"], "found and adopted, not made twice");
    world.assert_converged().await;
}

#[tokio::test]
async fn what_vanished_is_made_again_and_what_drifted_is_put_right() {
    let world = World::new(CHAIN);
    world.apply().await;
    world.cloud.things.lock().unwrap().remove("a-0");
    let b = world.cloud.things.lock().unwrap()["b-1"].with_attr("size", Value::int(9));
    world.cloud.things.lock().unwrap().insert("b-1".into(), b);
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "+ fake_thing.a\n~ fake_thing.b");
    assert_eq!(plan.drift.iter().map(|d| d.action).collect::<Vec<_>>(), [Action::Delete, Action::Update]);
    world.apply_plan(&plan).await;
    world.assert_converged().await;
}

#[tokio::test]
async fn refresh_only_records_and_changes_nothing() {
    let world = World::new(CHAIN);
    world.apply().await;
    let b = world.cloud.things.lock().unwrap()["b-1"].with_attr("size", Value::int(9));
    world.cloud.things.lock().unwrap().insert("b-1".into(), b);
    let options = PlanOptions { mode: PlanMode::RefreshOnly, ..PlanOptions::default() };
    let plan = world.plan_with(&options).await.plan.unwrap();
    assert!(plan.steps.is_empty() && !plan.is_empty());
    world.cloud.calls();
    world.apply_plan(&plan).await;
    assert!(world.cloud.calls().is_empty());
    let plan = world.plan_with(&options).await.plan.unwrap();
    assert!(plan.is_empty());
}

#[tokio::test]
async fn without_refresh_nothing_is_read() {
    let world = World::new(CHAIN);
    world.apply().await;
    world.cloud.calls();
    let options = PlanOptions { refresh: false, ..PlanOptions::default() };
    assert!(world.plan_with(&options).await.plan.unwrap().is_empty());
    assert!(world.cloud.calls().is_empty());
}

#[tokio::test]
async fn objects_are_read_in_one_request() {
    let world = World::new("resource \"fake_thing\" \"a\" {\n  count = 30\n  name = \"a${count.index}\"\n}");
    world.apply().await;
    world.cloud.calls();
    world.assert_converged().await;
    assert_eq!(world.cloud.calls(), ["read 30"]);
}

#[tokio::test]
async fn repetition_has_its_reasons() {
    let hcl = r#"
resource "fake_thing" "c" {
  count = 2
  name  = "c${count.index}"
}
resource "fake_thing" "e" {
  for_each = toset(["x", "y"])
  name     = each.key
}
"#;
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("count = 2", "count = 1").replace("[\"x\", \"y\"]", "[\"x\"]"));
    let plan = world.plan().await;
    let reasons: Vec<_> = plan.changes.iter().filter_map(|c| c.reason.clone()).collect();
    assert_eq!(reasons, [Reason::DeleteBecauseCountIndex, Reason::DeleteBecauseEachKey]);
    assert_eq!(shown(&plan), "- fake_thing.c[1]\n- fake_thing.e[\"y\"]");
}

#[tokio::test]
async fn a_circle_is_told_once() {
    let world = World::new(
        "resource \"fake_thing\" \"a\" {\n  name = fake_thing.b.id\n}\nresource \"fake_thing\" \"b\" {\n  name = fake_thing.a.id\n}\n",
    );
    assert_eq!(world.plan_errors().await, ["Cycle"]);
}

#[tokio::test]
async fn replace_is_a_wish_that_is_granted() {
    let world = World::new(CHAIN);
    world.apply().await;
    let replace = vec![parse_instance("fake_thing.b").unwrap()];
    let plan = world.plan_with(&PlanOptions { replace, ..PlanOptions::default() }).await.plan.unwrap();
    assert_eq!(shown(&plan), "-/+ fake_thing.b");
    assert_eq!(plan.changes.iter().find_map(|c| c.reason.clone()), Some(Reason::ReplaceByRequest));
}

#[tokio::test]
async fn prevent_destroy_refuses_replacement_and_deletion() {
    let hcl = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  lifecycle { prevent_destroy = true }\n}\n";
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("\"a\"\n", "\"b\"\n"));
    assert_eq!(world.plan_errors().await, ["Instance cannot be destroyed"]);
    world.write(hcl);
    let options = PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() };
    assert!(world.plan_with(&options).await.plan.is_none());
}

#[tokio::test]
async fn ignored_changes_do_not_count() {
    let hcl =
        "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  size = 1\n  lifecycle { ignore_changes = [size] }\n}\n";
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("size = 1", "size = 7"));
    world.assert_converged().await;
}

#[tokio::test]
async fn documents_that_mean_the_same_are_no_change() {
    let hcl = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  document = jsonencode({a = 1})\n}\n";
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("jsonencode({a = 1})", "\"{ \\\"a\\\": 1 }\""));
    world.assert_converged().await;
}

#[tokio::test]
async fn data_is_read_once_in_the_plan_or_later_when_it_must_wait() {
    let hcl = r#"
data "fake_thing" "a" { name = "a" }
resource "fake_thing" "b" {
  name   = "b"
  parent = data.fake_thing.a.id
}
"#;
    let world = World::new(&format!("{CHAIN_A}\n{}", hcl.replace("name = \"a\"", "name = fake_thing.a.name")));
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "+ fake_thing.a\n+ fake_thing.b\n<= data.fake_thing.a");
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.names(), ["a", "b"]);
    world.cloud.calls();
    world.assert_converged().await;
    assert_eq!(world.cloud.calls(), ["read 2", "read data 1"]);
}

#[tokio::test]
async fn unknown_values_become_known_step_by_step() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
locals { tagged = { owner = fake_thing.a.id } }
resource "fake_thing" "b" {
  name = "b"
  tags = local.tagged
}
resource "fake_thing" "c" {
  name   = "c"
  parent = "${fake_thing.b.tags["owner"]}/x"
}
"#;
    let world = World::new(hcl);
    world.apply().await;
    let things = world.cloud.things.lock().unwrap().clone();
    let c = things.values().find(|t| t.get("name") == Some(&"c".into())).unwrap();
    assert_eq!(c.get("parent"), Some(&"a-0/x".into()));
    world.assert_converged().await;
}

#[tokio::test]
async fn parallelism_bounds_what_runs_at_the_same_time() {
    let mut world = World::new("resource \"fake_thing\" \"a\" {\n  count = 40\n  name = \"a${count.index}\"\n}");
    world.parallelism = 4;
    world.apply().await;
    assert_eq!(world.cloud.most_running.load(std::sync::atomic::Ordering::SeqCst), 4);
}

#[tokio::test]
async fn an_interrupt_finishes_what_is_in_flight_and_starts_nothing_more() {
    let world = World::new(CHAIN);
    let interrupt = world.interrupt.clone();
    *world.cloud.hook.lock().unwrap() = Some(Box::new(move |_| {
        let _ = interrupt.send(Interrupt::Finish);
    }));
    let outcome = world.try_apply().await;
    assert!(outcome.interrupted && outcome.diagnostics.has_errors());
    assert_eq!(world.state().await, ["fake_thing.a"]);
    assert_eq!(world.cloud.names(), ["a"]);
}

/// Who waits for a place at the endpoint is not in flight.
#[tokio::test]
async fn an_interrupt_starts_nothing_that_only_waits_for_its_turn() {
    let mut world = World::new("resource \"fake_thing\" \"a\" {\n  count = 40\n  name = \"a${count.index}\"\n}");
    world.parallelism = 4;
    let interrupt = world.interrupt.clone();
    *world.cloud.hook.lock().unwrap() = Some(Box::new(move |_| {
        interrupt.send_replace(Interrupt::Finish);
    }));
    let outcome = world.try_apply().await;
    assert!(outcome.interrupted && outcome.diagnostics.has_errors());
    assert!(world.cloud.names().len() <= 4, "{:?}", world.cloud.names());
    assert_eq!(world.state().await.len(), world.cloud.names().len());
    let skipped = |e: &&sgp_engine::Event| matches!(e, sgp_engine::Event::Skipped { .. });
    assert_eq!(world.events.lock().unwrap().iter().filter(skipped).count(), 40 - world.cloud.names().len());
}

#[tokio::test]
async fn sensitive_values_stay_marked_through_the_state() {
    let hcl = r#"
variable "token" { sensitive = true }
resource "fake_thing" "a" {
  name = "a"
  tags = { token = var.token }
}
resource "fake_thing" "b" {
  name   = "b"
  parent = fake_thing.a.tags["token"]
}
"#;
    let mut world = World::new(hcl);
    world.variables.insert("token".into(), "hunter2".into());
    world.apply().await;
    let plan = world.plan().await;
    let b = plan.changes.iter().find(|c| c.addr.resource.name.as_ref() == "b").unwrap();
    assert!(b.before.get("parent").unwrap().is_sensitive());
    assert!(plan.is_empty());
}

/// The calls that change something.
fn changing(calls: &[String]) -> Vec<String> {
    calls.iter().filter(|call| !call.starts_with("read")).cloned().collect()
}

#[tokio::test]
async fn what_is_no_secret_any_more_is_recorded_so_without_a_call() {
    let config = |sensitive: bool| {
        format!(
            "variable \"name\" {{\n  sensitive = {sensitive}\n  default = \"a\"\n}}\nresource \"fake_thing\" \"a\" {{ name = var.name }}\n\
             output \"name\" {{\n  value = fake_thing.a.name\n  sensitive = {sensitive}\n}}\n"
        )
    };
    let mut world = World::new(&config(true));
    world.apply().await;
    world.assert_converged().await;
    for sensitive in [false, true] {
        world.write(&config(sensitive));
        let plan = world.plan().await;
        assert_eq!(shown(&plan), "~ fake_thing.a");
        world.cloud.calls();
        let outcome = world.apply_plan(&plan).await;
        assert_eq!((outcome.done.change, outcome.outputs["name"].sensitive), (1, sensitive));
        assert_eq!(changing(&world.cloud.calls()), Vec::<String>::new());
        world.assert_converged().await;
    }
}

#[tokio::test]
async fn import_blocks_adopt() {
    let world = World::new(CHAIN_A);
    world.apply().await;
    let mut other = World::new(&format!("{CHAIN_A}\nimport {{\n  to = fake_thing.a\n  id = \"a-0\"\n}}\n"));
    other.cloud = world.cloud.clone();
    let plan = other.plan().await;
    assert_eq!(shown(&plan), "= fake_thing.a");
    let outcome = other.apply_plan(&plan).await;
    assert_eq!(outcome.done.import, 1);
    other.assert_converged().await;
    assert_eq!(other.cloud.names(), ["a"]);
}

#[tokio::test]
async fn what_is_imported_needs_a_block() {
    let summary = "Configuration for import target does not exist";
    let world = World::new("import {\n  to = fake_thing.a\n  id = \"a-0\"\n}\n");
    assert_eq!(world.plan_errors().await, [summary]);
    let world = World::new(&format!("{CHAIN_A}\nimport {{\n  to = fake_thing.other\n  id = \"a-0\"\n}}\n"));
    assert_eq!(world.plan_errors().await, [summary]);
}

#[tokio::test]
async fn the_import_command_needs_a_block() {
    let world = World::new(CHAIN_A);
    world.apply().await;
    let mut other = World::new("");
    other.cloud = world.cloud.clone();
    let addr = parse_instance("fake_thing.a").unwrap();
    assert!(sgp_engine::import(&other.session(), &addr, "a-0").await.object.is_none());
    other.write(CHAIN_A);
    assert!(sgp_engine::import(&other.session(), &addr, "a-0").await.object.is_some());
    other.assert_converged().await;
}

#[tokio::test]
async fn imported_objects_know_their_order() {
    let world = World::new(CHAIN);
    world.apply().await;
    let mut other = World::new(CHAIN);
    other.cloud = world.cloud.clone();
    for (addr, id) in [("fake_thing.a", "a-0"), ("fake_thing.b", "b-1")] {
        let addr = parse_instance(addr).unwrap();
        assert!(sgp_engine::import(&other.session(), &addr, id).await.object.is_some());
    }
    let options = PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() };
    let plan = other.plan_with(&options).await.plan.unwrap();
    other.cloud.calls();
    other.apply_plan(&plan).await;
    assert_eq!(other.cloud.calls(), ["delete b", "delete a"]);
}

#[tokio::test]
async fn an_edited_reference_is_recorded_although_nothing_changes() {
    let hcl = format!("{CHAIN}\nresource \"fake_thing\" \"c\" {{\n  name = \"c\"\n}}\n");
    let mut world = World::new(&hcl);
    world.apply().await;
    world.write(&hcl.replace("name = \"c\"", "name = \"c\"\n  depends_on = [fake_thing.b]"));
    assert!(world.plan().await.is_empty());
    world.apply().await;
    let c = parse_instance("fake_thing.c").unwrap();
    let state = sgp_contract::StateStore::load(&*world.store).await.unwrap();
    let dependencies: Vec<_> = state.current(&c).unwrap().dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(dependencies, ["fake_thing.a", "fake_thing.b"]);
}

/// What lies between two objects may be gone before they are: it vanished, or was taken out of the state.
#[tokio::test]
async fn the_order_of_destruction_holds_over_what_is_gone() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
locals { a = fake_thing.a.id }
resource "fake_thing" "b" {
  name   = "b"
  parent = local.a
}
module "m" {
  source = "./m"
  parent = fake_thing.b.id
}
"#;
    let inner = "variable \"parent\" {}\nresource \"fake_thing\" \"c\" {\n  name = \"c\"\n  parent = var.parent\n}\n";
    for forgotten in [false, true] {
        let mut world = World::new(hcl);
        world.files.insert("m/main.tf".into(), inner.into());
        world.apply().await;
        let b = parse_instance("fake_thing.b").unwrap();
        if forgotten {
            let write = sgp_contract::Write::Remove(sgp_model::state::RecordKey::current(b));
            sgp_contract::StateStore::write(&*world.store, vec![write]).await.unwrap();
        } else {
            world.cloud.things.lock().unwrap().retain(|id, _| !id.starts_with("b-"));
        }
        // With the configuration gone, only what is recorded tells the order.
        world.write("");
        let options = PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() };
        let plan = world.plan_with(&options).await.plan.unwrap();
        world.cloud.calls();
        world.apply_plan(&plan).await;
        assert_eq!(world.cloud.calls(), ["delete c", "delete a"], "forgotten: {forgotten}");
    }
}

#[tokio::test]
async fn a_saved_plan_is_refused_when_something_moved() {
    let mut world = World::new(CHAIN);
    let plan = world.plan().await;
    sgp_engine::check_saved(&world.session(), &plan).await.unwrap();
    world.write(&CHAIN.replace("\"a\"\n", "\"z\"\n"));
    let refused = sgp_engine::check_saved(&world.session(), &plan).await.unwrap_err();
    assert!(refused.detail.contains("configuration has changed"), "{}", refused.detail);
    world.write(CHAIN);
    world.apply().await;
    let refused = sgp_engine::check_saved(&world.session(), &plan).await.unwrap_err();
    assert!(refused.detail.contains("state has changed"), "{}", refused.detail);
}

#[tokio::test]
async fn what_is_planned_is_what_runs() {
    let world = World::new(CHAIN);
    let mut plan = world.plan().await;
    let shown_size = plan.changes[0].after.with_attr("size", Value::int(3));
    plan.changes[0].after = shown_size;
    let outcome = world.apply_plan(&plan).await;
    assert!(outcome.diagnostics.iter().any(|d| d.summary == "Plan does not hold any more"));
    assert!(world.cloud.names().is_empty());
}

#[tokio::test]
async fn pairs_have_as_many_edges_as_needed() {
    let hcl = r#"
resource "terraform_data" "a" {
  for_each = toset(flatten([for i in range(40) : [for j in range(50) : "${i}-${j}"]]))
  input    = each.key
}
resource "terraform_data" "b" {
  for_each = terraform_data.a
  input    = terraform_data.a[each.key].output
}
"#;
    let world = World::new(hcl);
    let plan = world.plan().await;
    let edges: usize = plan.steps.iter().map(|s| s.after.len()).sum();
    let creates = plan.steps.iter().filter(|s| s.op == Op::Create).count();
    assert_eq!(creates, 4000);
    assert!(edges < 5 * creates, "{edges} edges for {creates} steps");
    let outcome = sgp_engine::apply(&world.session(), &plan, &ApplyOptions::default()).await;
    assert_eq!(outcome.done.add, 4000);
    world.assert_converged().await;
}

#[tokio::test]
async fn a_status_is_told_once_and_not_at_every_poll() {
    let world = World::new(CHAIN_A);
    world.cloud.statuses.lock().unwrap().extend(["CREATING", "CREATING", "ACTIVE"].map(str::to_owned));
    world.apply().await;
    let told: Vec<_> = world
        .events
        .lock()
        .unwrap()
        .iter()
        .filter_map(|e| match e {
            sgp_engine::Event::ApplyProgress { status, .. } => status.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["CREATING", "ACTIVE"]);
}

#[tokio::test]
async fn what_the_provider_alone_decides_is_no_news() {
    let world = World::new(CHAIN_A);
    world.apply().await;
    let changed = world.cloud.things.lock().unwrap()["a-0"].with_attr("etag", "other".into());
    world.cloud.things.lock().unwrap().insert("a-0".into(), changed.clone());
    let plan = world.plan().await;
    assert!(plan.is_empty() && plan.drift.is_empty());
    // Nor where the plan changes something else.
    let mut edited = World::new(&CHAIN_A.replace("{ name = \"a\" }", "{\n  name = \"a\"\n  size = 3\n}"));
    edited.cloud = world.cloud.clone();
    edited.store = world.store.clone();
    assert!(edited.plan().await.drift.is_empty());
    // It is recorded all the same, with the next apply.
    world.apply_plan(&plan).await;
    let addr = parse_instance("fake_thing.a").unwrap();
    assert_eq!(world.plan().await.refreshed.current(&addr).unwrap().attributes.get("etag"), Some(&"other".into()));
}

#[tokio::test]
async fn a_saved_plan_knows_its_variables() {
    let mut world = World::new("variable \"v\" {}\nresource \"fake_thing\" \"a\" { name = var.v }");
    world.variables.insert("v".into(), "one".into());
    let plan = world.plan().await;
    world.variables.insert("v".into(), "two".into());
    let refused = sgp_engine::check_saved(&world.session(), &plan).await.unwrap_err();
    assert!(refused.detail.contains("These differ: v."), "{}", refused.detail);
}

/// What judges a plan sees references also behind data sources that only compute: policy documents above all.
#[tokio::test]
async fn symbols_pass_through_what_only_computes() {
    let world = World::new(
        r#"
resource "fake_thing" "a" {
  name = "a"
}
data "fake_text" "known" {
  of = "b"
}
data "fake_text" "later" {
  of = fake_thing.a.id
}
resource "fake_thing" "b" {
  name   = data.fake_text.known.text
  parent = fake_thing.a.id
}
resource "fake_thing" "c" {
  name   = "c"
  parent = data.fake_text.later.text
}
"#,
    );
    let plan = world.plan().await;
    let parent = |address: &str| {
        let object = plan.symbolic.get(&parse_instance(address).unwrap());
        object.and_then(|it| it.get("parent")?.as_str().map(|it| sgp_model::symbol::readable(it).into_owned()))
    };
    assert_eq!(parent("fake_thing.b").as_deref(), Some("fake_thing.a.id"));
    assert_eq!(parent("fake_thing.c").as_deref(), Some("[fake_thing.a.id]"));
}
