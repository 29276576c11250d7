//! Keys that are known only after apply: shown as deferred, planned and applied in the same run, held to what was approved.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_engine::{Event, PlanOptions};
use sgp_model::{Plan, Value, address::parse_instance, plan::Action};
use support::{World, shown};

/// What is deferred, with what it waits for and what stays meanwhile; then the steps that are held.
fn deferred(plan: &Plan) -> String {
    let rows = plan.deferred.iter().map(|it| {
        let stay: Vec<String> = it.existing.iter().map(ToString::to_string).collect();
        let stay = if stay.is_empty() { String::new() } else { format!(", {} stay", stay.join(" ")) };
        let sign = if it.change.action == Action::Read { "<=" } else { "+" };
        format!("{sign} {} after {}{stay}", it.change.addr, it.waits_for.join(" "))
    });
    let held = plan.held.iter().filter_map(|step| {
        let step = &plan.steps[step.0 as usize];
        Some(format!("held: {:?} {}", step.op, plan.changes[step.change? as usize].addr))
    });
    rows.chain(held).collect::<Vec<_>>().join("\n")
}

const SETS: &str = r#"
resource "fake_thing" "a" { name = "a" }
resource "fake_thing" "x" {
  for_each = toset([fake_thing.a.id, "fixed"])
  name     = "x-${each.key}"
}
resource "fake_thing" "c" {
  name   = "c"
  parent = join(",", [for k, x in fake_thing.x : x.id])
}
output "keys" { value = keys(fake_thing.x) }
"#;

#[tokio::test]
async fn what_is_deferred_is_made_in_the_same_apply() {
    let world = World::new(SETS);
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "+ fake_thing.a\n+ fake_thing.c");
    assert_eq!(deferred(&plan), "+ fake_thing.x[*] after fake_thing.a.id\nheld: Create fake_thing.c");
    assert!(!plan.outputs["keys"].after.is_known());
    world.cloud.calls();
    // A saved plan says the same.
    let saved: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(saved, plan);
    let outcome = world.apply_plan(&saved).await;
    assert!(!outcome.diagnostics.has_errors(), "{:#?}", outcome.diagnostics);
    assert_eq!(outcome.done.add, 4);
    let calls = world.cloud.calls();
    assert_eq!((&*calls[0], &*calls[calls.len() - 1]), ("create a", "create c"), "{calls:?}");
    assert_eq!(world.cloud.names(), ["a", "c", "x-a-0", "x-fixed"]);
    assert_eq!(outcome.outputs["keys"].value, Value::tuple(vec!["a-0".into(), "fixed".into()]));
    let told = world.events.lock().unwrap().iter().any(|e| matches!(e, Event::Expanded { instances: 2, .. }));
    assert!(told, "{:?}", world.events.lock().unwrap());
    assert_eq!(world.store.inner_serial().await, 1, "one run is one serial");
    world.assert_converged().await;
}

#[tokio::test]
async fn each_kind_of_block_can_wait() {
    for (hcl, planned, waiting, names) in [
        (
            "resource \"fake_thing\" \"x\" {\n  count = length(fake_thing.a.id) - 1\n  name = \"x${count.index}\"\n}",
            "+ fake_thing.a",
            "+ fake_thing.x[*] after fake_thing.a.id",
            vec!["a", "x0", "x1"],
        ),
        // Nothing at all.
        (
            "resource \"fake_thing\" \"x\" {\n  count = fake_thing.a.id == \"\" ? 1 : 0\n  name = \"x\"\n}\nresource \"fake_thing\" \"y\" {\n  name = \"y\"\n  tags = { n = length(fake_thing.x) }\n}",
            "+ fake_thing.a\n+ fake_thing.y",
            "+ fake_thing.x[*] after fake_thing.a.id\nheld: Create fake_thing.y",
            vec!["a", "y"],
        ),
        // A map whose keys are not known, with what its values say.
        (
            "locals { m = { (fake_thing.a.id) = \"one\" } }\nresource \"fake_thing\" \"x\" {\n  for_each = local.m\n  name = each.value\n  tags = { k = each.key }\n}",
            "+ fake_thing.a",
            "+ fake_thing.x[*] after fake_thing.a",
            vec!["a", "one"],
        ),
        (
            "data \"fake_text\" \"t\" {\n  for_each = toset([fake_thing.a.id])\n  of = each.key\n}\nresource \"fake_thing\" \"y\" { name = join(\"\", values(data.fake_text.t)[*].text) }",
            "+ fake_thing.a\n+ fake_thing.y",
            "<= data.fake_text.t[*] after fake_thing.a.id\nheld: Create fake_thing.y",
            vec!["[a-0]", "a"],
        ),
        (
            "data \"fake_thing\" \"t\" {\n  count = length(fake_thing.a.id) - 2\n  name = \"a\"\n}\nresource \"fake_thing\" \"y\" { name = \"y-${data.fake_thing.t[0].id}\" }",
            "+ fake_thing.a\n+ fake_thing.y",
            "<= data.fake_thing.t[*] after fake_thing.a.id\nheld: Create fake_thing.y",
            vec!["a", "y-a-0"],
        ),
        // A block whose keys depend on those of another one: three rounds.
        (
            "resource \"fake_thing\" \"x\" {\n  for_each = toset([fake_thing.a.id])\n  name = \"x\"\n}\nresource \"fake_thing\" \"y\" {\n  for_each = toset(values(fake_thing.x)[*].id)\n  name = \"y-${each.key}\"\n}",
            "+ fake_thing.a",
            "+ fake_thing.x[*] after fake_thing.a.id\n+ fake_thing.y[*] after fake_thing.a fake_thing.x[*]",
            vec!["a", "x", "y-x-1"],
        ),
        // Another instance of the same block.
        (
            "resource \"fake_thing\" \"x\" {\n  count = length(fake_thing.a.id) - 1\n  name = \"x${count.index}\"\n  parent = count.index == 0 ? \"none\" : fake_thing.x[0].id\n}",
            "+ fake_thing.a",
            "+ fake_thing.x[*] after fake_thing.a.id",
            vec!["a", "x0", "x1"],
        ),
        // What is read because of depends_on is read when the instances are there.
        (
            "resource \"fake_thing\" \"x\" {\n  for_each = toset([fake_thing.a.id])\n  name = \"x\"\n}\ndata \"fake_thing\" \"t\" {\n  name = \"x\"\n  depends_on = [fake_thing.x]\n}\nresource \"fake_thing\" \"y\" { name = \"y-${data.fake_thing.t.id}\" }",
            "+ fake_thing.a\n+ fake_thing.y\n<= data.fake_thing.t",
            "+ fake_thing.x[*] after fake_thing.a.id\nheld: Read data.fake_thing.t\nheld: Create fake_thing.y",
            vec!["a", "x", "y-x-1"],
        ),
    ] {
        let world = World::new(&format!("resource \"fake_thing\" \"a\" {{ name = \"a\" }}\n{hcl}\n"));
        let plan = world.plan().await;
        assert_eq!(shown(&plan), planned, "{hcl}");
        assert_eq!(deferred(&plan), waiting, "{hcl}");
        let outcome = world.apply_plan(&plan).await;
        assert!(!outcome.diagnostics.has_errors(), "{hcl}\n{:#?}", outcome.diagnostics);
        assert_eq!(world.cloud.names(), names, "{hcl}");
        world.assert_converged().await;
    }
}

#[tokio::test]
async fn modules_can_wait_and_their_values_too() {
    let mut world = World::new(
        r#"
resource "fake_thing" "a" { name = "a" }
module "m" {
  source   = "./m"
  for_each = toset([fake_thing.a.id])
  name     = each.key
}
module "values" {
  source   = "./m"
  for_each = { fixed = fake_thing.a.id }
  name     = each.value
}
resource "fake_thing" "z" { name = join(",", [for m in module.m : m.id]) }
"#,
    );
    let inner = "variable \"name\" {}\nresource \"fake_thing\" \"x\" { name = \"in-${var.name}\" }\nmodule \"n\" {\n  source = \"../n\"\n  name = var.name\n}\noutput \"id\" { value = fake_thing.x.id }\n";
    world.files.insert("m/main.tf".into(), inner.into());
    let innermost =
        "variable \"name\" {}\nresource \"fake_thing\" \"y\" {\n  count = 1\n  name = \"deep-${var.name}\"\n}\n";
    world.files.insert("n/main.tf".into(), innermost.into());
    let plan = world.plan().await;
    assert_eq!(
        deferred(&plan),
        "+ module.m[*].fake_thing.x after fake_thing.a.id\n+ module.m[*].module.n.fake_thing.y[0] after fake_thing.a.id\nheld: Create fake_thing.z"
    );
    let outcome = world.apply_plan(&plan).await;
    assert!(!outcome.diagnostics.has_errors(), "{:#?}", outcome.diagnostics);
    assert_eq!(
        world.state().await,
        [
            "fake_thing.a",
            "fake_thing.z",
            "module.m[\"a-0\"].fake_thing.x",
            "module.m[\"a-0\"].module.n.fake_thing.y[0]",
            "module.values[\"fixed\"].fake_thing.x",
            "module.values[\"fixed\"].module.n.fake_thing.y[0]",
        ]
    );
    world.assert_converged().await;
    // Keys that are not known again: what is in the module stays until they are.
    world.write(&world.files["main.tf"].replace("name = \"a\"", "name = \"A\""));
    let plan = world.plan().await;
    assert!(!shown(&plan).contains("- module.m["), "{}", shown(&plan));
    assert_eq!(plan.deferred[0].existing, [parse_instance("module.m[\"a-0\"].fake_thing.x").unwrap()]);
}

#[tokio::test]
async fn what_was_not_shown_is_not_destroyed() {
    let mut world = World::new(SETS);
    world.apply().await;
    world.write(&SETS.replace("name = \"a\"", "name = \"A\""));
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "-/+ fake_thing.a\n~ fake_thing.c");
    assert_eq!(
        deferred(&plan),
        "+ fake_thing.x[*] after fake_thing.a.id, fake_thing.x[\"a-0\"] fake_thing.x[\"fixed\"] stay\nheld: Update fake_thing.c"
    );
    world.cloud.calls();
    let outcome = world.apply_plan(&plan).await;
    assert_eq!(world.cloud.calls(), ["delete a", "create A"]);
    let errors: Vec<_> = outcome.diagnostics.iter().filter(|d| d.is_error()).collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert_eq!(errors[0].summary, "Changes that nobody approved");
    assert_eq!(
        errors[0].detail,
        "The keys that fake_thing.x[*] waited for are known now, but the plan that was approved does not show this:\n - \
         fake_thing.x[\"a-0\"] would be destroyed\nNothing of the rest was done. What was done before is recorded: run apply again \
         to see all changes and approve them."
    );
    assert_eq!(outcome.done.add + outcome.done.destroy, 2);
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "~ fake_thing.c\n+ fake_thing.x[\"A-4\"]\n- fake_thing.x[\"a-0\"]");
    world.apply_plan(&plan).await;
    world.assert_converged().await;
}

#[tokio::test]
async fn instances_that_exist_and_stay_are_no_surprise() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
resource "fake_thing" "x" {
  for_each = fake_thing.a.id == "never" ? toset([]) : toset(["one"])
  name     = each.key
}
"#;
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("\"a\" }", "\"A\" }").replace("[\"one\"]", "[\"one\", \"two\"]"));
    let plan = world.plan().await;
    assert_eq!(deferred(&plan), "+ fake_thing.x[*] after fake_thing.a.id, fake_thing.x[\"one\"] stay");
    let outcome = world.apply_plan(&plan).await;
    assert!(!outcome.diagnostics.has_errors(), "{:#?}", outcome.diagnostics);
    assert_eq!((outcome.done.add, outcome.done.change, outcome.done.destroy), (2, 0, 1));
    world.assert_converged().await;
    // A change of one that exists was not shown either.
    let wider = hcl.replace("\"a\" }", "\"AA\" }").replace("name     = each.key", "name = each.key\n  size = 7");
    world.write(&wider.replace("[\"one\"]", "[\"one\", \"two\"]"));
    let outcome = world.try_apply().await;
    let told: Vec<_> = outcome.diagnostics.iter().map(|d| d.summary.as_str()).collect();
    assert_eq!(told, ["Changes that nobody approved"]);
}

#[tokio::test]
async fn conditions_and_protection_hold_in_every_round() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
resource "fake_thing" "x" {
  for_each = toset([fake_thing.a.id])
  name     = "x-${each.key}"
  lifecycle {
    precondition {
      condition     = each.key != "a-0"
      error_message = "Not this one."
    }
  }
}
"#;
    let world = World::new(hcl);
    let outcome = world.try_apply().await;
    let told: Vec<_> = outcome.diagnostics.iter().map(|d| d.summary.as_str()).collect();
    assert_eq!(told, ["Resource precondition failed"]);
    assert_eq!(world.cloud.names(), ["a"]);

    let protected = SETS.replace("name     = \"x", "lifecycle { prevent_destroy = true }\n  name     = \"x");
    let mut world = World::new(&protected);
    world.apply().await;
    world.write(&protected.replace("name = \"a\"", "name = \"A\""));
    let outcome = world.try_apply().await;
    let told: Vec<_> = outcome.diagnostics.iter().map(|d| d.summary.as_str()).collect();
    assert_eq!(told, ["Instance cannot be destroyed"]);
    assert_eq!(world.cloud.names(), ["A", "c", "x-a-0", "x-fixed"]);
}

#[tokio::test]
async fn a_failure_before_the_keys_are_known_skips_the_rest() {
    let world = World::new(SETS);
    world.cloud.fail("create a");
    let outcome = world.try_apply().await;
    assert!(outcome.diagnostics.has_errors());
    assert!(world.cloud.names().is_empty());
    let skipped: Vec<String> = world
        .events
        .lock()
        .unwrap()
        .iter()
        .filter_map(|e| match e {
            Event::Skipped { addr, .. } => Some(addr.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(skipped, ["fake_thing.c"]);
    world.cloud.failing.lock().unwrap().clear();
    world.apply().await;
    world.assert_converged().await;
}

#[tokio::test]
async fn nothing_makes_some_keys_known() {
    let world =
        World::new("resource \"fake_thing\" \"x\" {\n  for_each = toset([timestamp()])\n  name = each.key\n}\n");
    let planned = world.plan_with(&PlanOptions::default()).await;
    let errors: Vec<_> = planned.diagnostics.iter().filter(|d| d.is_error()).collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].summary, "Invalid for_each argument");
    assert!(errors[0].detail.contains("nothing that this plan does makes them known"), "{}", errors[0].detail);
    assert!(errors[0].span.is_some());
}

#[tokio::test]
async fn what_was_asked_for_once_is_done_once() {
    let world = World::new(SETS);
    world.apply().await;
    world.cloud.calls();
    let replaced = |addr: &str| PlanOptions { replace: vec![parse_instance(addr).unwrap()], ..PlanOptions::default() };
    // What waits is replaced in the second round; what does not, in the first and not again.
    let hcl_keys = "fake_thing.c";
    let plan = world.plan_with(&replaced(hcl_keys)).await.plan.unwrap();
    assert!(plan.deferred.is_empty(), "{}", deferred(&plan));
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.calls(), ["read 4", "delete c", "create c"]);

    let fixed = SETS.replace(
        "toset([fake_thing.a.id, \"fixed\"])",
        "fake_thing.a.id == \"\" ? toset([\"none\"]) : toset([\"fixed\"])",
    );
    let world = World::new(&fixed);
    world.apply().await;
    world.cloud.calls();
    let plan = world.plan_with(&replaced("fake_thing.a")).await.plan.unwrap();
    assert_eq!(shown(&plan), "-/+ fake_thing.a\n~ fake_thing.c");
    let outcome = world.apply_plan(&plan).await;
    assert!(!outcome.diagnostics.has_errors(), "{:#?}", outcome.diagnostics);
    // The parent of c is what it was, once it is known.
    assert_eq!(world.cloud.calls(), ["read 3", "delete a", "create a"]);

    let asked = PlanOptions {
        replace: vec![parse_instance("fake_thing.a").unwrap(), parse_instance("fake_thing.x[\"fixed\"]").unwrap()],
        ..PlanOptions::default()
    };
    let planned = world.plan_with(&asked).await;
    let told: Vec<_> = planned.diagnostics.iter().map(|d| d.summary.as_str()).collect();
    assert_eq!(told, ["Instances not known yet"]);
}

#[tokio::test]
async fn a_replacement_that_waits_goes_with_its_successor() {
    let world = World::new(SETS);
    world.apply().await;
    world.cloud.calls();
    let asked = PlanOptions {
        replace: vec![parse_instance("fake_thing.a").unwrap(), parse_instance("fake_thing.c").unwrap()],
        ..PlanOptions::default()
    };
    let plan = world.plan_with(&asked).await.plan.unwrap();
    assert_eq!(shown(&plan), "-/+ fake_thing.a\n-/+ fake_thing.c");
    assert!(deferred(&plan).ends_with("held: Create fake_thing.c"), "{}", deferred(&plan));
    // The name of a makes its id, so that the keys change, and the second round would destroy x["a-0"].
    let outcome = world.apply_plan(&plan).await;
    assert!(outcome.diagnostics.has_errors());
}

#[tokio::test]
async fn a_target_may_be_among_what_is_not_known() {
    let world = World::new(SETS);
    let target = sgp_model::address::parse_address("fake_thing.x[\"fixed\"]").unwrap();
    let plan = world.plan_with(&PlanOptions { targets: vec![target], ..PlanOptions::default() }).await.plan.unwrap();
    assert_eq!(shown(&plan), "+ fake_thing.a");
    assert_eq!(deferred(&plan), "+ fake_thing.x[*] after fake_thing.a.id");
    let outcome = world.apply_plan(&plan).await;
    assert!(!outcome.diagnostics.has_errors(), "{:#?}", outcome.diagnostics);
    assert_eq!(world.cloud.names(), ["a", "x-fixed"]);
}

#[tokio::test]
async fn what_triggers_and_what_waits_are_both_kept_in_mind() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
resource "fake_thing" "t" { name = "t" }
resource "fake_thing" "x" {
  for_each = fake_thing.a.id == "never" ? toset([]) : toset(["one"])
  name     = each.key
}
resource "fake_thing" "c" {
  name   = "c"
  parent = fake_thing.x["one"].id
  lifecycle { replace_triggered_by = [fake_thing.t, fake_thing.x["one"]] }
}
"#;
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("\"a\" }", "\"A\" }").replace("{ name = \"t\" }", "{\n  name = \"t\"\n  size = 3\n}"));
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "-/+ fake_thing.a\n-/+ fake_thing.c\n~ fake_thing.t");
    world.cloud.calls();
    let outcome = world.apply_plan(&plan).await;
    assert!(!outcome.diagnostics.has_errors(), "{:#?}", outcome.diagnostics);
    // c hangs on a by the keys of x, so that it goes before a does; the trigger was done in the first round, and the successor that
    // was shown is made in the second.
    assert_eq!(world.cloud.calls(), ["delete c", "update t", "delete a", "create A", "create c"]);
    world.assert_converged().await;
}
