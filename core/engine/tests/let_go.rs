//! `destroy = false` and `enabled` in `lifecycle`: objects that are let go, and objects that are there or not.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_engine::PlanOptions;
use sgp_model::plan::{Action, PlanMode, Reason};
use support::{World, shown};

fn kept(name: &str, repeat: &str) -> String {
    format!(
        "resource \"fake_thing\" \"a\" {{\n  {repeat}\n  name = \"{name}\"\n  lifecycle {{\n    destroy = false\n  }}\n}}\n"
    )
}

#[tokio::test]
async fn what_is_not_to_be_destroyed_is_let_go() {
    // The whole block, one instance, and everything.
    for (then, mode, expected) in [
        (String::new(), PlanMode::Normal, ". fake_thing.a[0]\n. fake_thing.a[1]"),
        (kept("a${count.index}", "count = 1"), PlanMode::Normal, ". fake_thing.a[1]"),
        (kept("a${count.index}", "count = 2"), PlanMode::Destroy, ". fake_thing.a[0]\n. fake_thing.a[1]"),
        // What the block says now counts, and what a removed block says.
        (
            kept("a${count.index}", "count = 1").replace("destroy = false", "destroy = true"),
            PlanMode::Normal,
            "- fake_thing.a[1]",
        ),
        ("removed {\n  from = fake_thing.a\n}\n".into(), PlanMode::Normal, "- fake_thing.a[0]\n- fake_thing.a[1]"),
    ] {
        let mut world = World::new(&kept("a${count.index}", "count = 2"));
        world.apply().await;
        world.write(&then);
        let plan = world.plan_with(&PlanOptions { mode, ..PlanOptions::default() }).await.plan.unwrap();
        assert_eq!(shown(&plan), expected, "{then}");
        let let_go = expected.matches(". ").count();
        let told = plan.diagnostics.iter().any(|d| d.summary == "Some objects will no longer be managed by sgp");
        assert_eq!(told, let_go > 0, "{then}");
        let outcome = world.apply_plan(&plan).await;
        assert!(!outcome.diagnostics.has_errors());
        assert_eq!(outcome.done.destroy, expected.matches("- ").count(), "{then}");
        assert_eq!(outcome.forgotten.len(), let_go, "{then}");
        let gone = expected.lines().count();
        assert_eq!((world.state().await.len(), world.cloud.names().len()), (2 - gone, 2 - gone + let_go), "{then}");
    }
}

#[tokio::test]
async fn a_replacement_leaves_the_old_object() {
    for order in ["", "create_before_destroy = true"] {
        let hcl = |name: &str| kept(name, "").replace("destroy = false", &format!("destroy = false\n{order}"));
        let mut world = World::new(&hcl("a"));
        world.apply().await;
        world.write(&hcl("b"));
        let plan = world.plan().await;
        assert_eq!((shown(&plan).as_str(), plan.changes[0].action), ("./+ fake_thing.a", Action::ForgetThenCreate));
        assert_eq!((plan.summary().add, plan.summary().destroy), (1, 0));
        world.apply_plan(&plan).await;
        assert_eq!(
            (world.state().await, world.cloud.names()),
            (vec!["fake_thing.a".to_owned()], vec!["a".into(), "b".into()])
        );
        world.assert_converged().await;
    }
}

#[tokio::test]
async fn what_was_said_without_another_change_is_recorded_too() {
    let mut world = World::new("resource \"fake_thing\" \"a\" { name = \"a\" }\n");
    world.apply().await;
    world.write(&kept("a", ""));
    let plan = world.plan().await;
    assert!(plan.is_empty());
    world.apply_plan(&plan).await;
    world.write("");
    assert_eq!(shown(&world.plan().await), ". fake_thing.a");
    world.write("resource \"fake_thing\" \"a\" { name = \"a\" }\n");
    world.apply().await;
    world.write("");
    assert_eq!(shown(&world.plan().await), "- fake_thing.a");
}

#[tokio::test]
async fn prevent_destroy_lets_go() {
    let hcl = kept("a", "").replace("destroy = false", "destroy = false\nprevent_destroy = true");
    let mut world = World::new(&hcl);
    world.apply().await;
    world.write(&hcl.replace("\"a\"\n", "\"b\"\n"));
    assert_eq!(shown(&world.plan().await), "./+ fake_thing.a");
}

const SWITCH: &str = r#"
variable "on" { type = bool }
resource "fake_thing" "a" {
  name = "a"
  lifecycle { enabled = var.on }
}
resource "fake_thing" "b" {
  name   = "b"
  parent = var.on ? fake_thing.a.id : null
}
module "m" {
  source = "./m"
  lifecycle { enabled = var.on }
}
output "a" { value = try(fake_thing.a.name, "none") }
output "m" { value = try(module.m.name, "no module") }
"#;

#[tokio::test]
async fn enabled_makes_one_object_or_none() {
    let mut world = World::new(SWITCH);
    let inner = "resource \"fake_thing\" \"c\" { name = \"c\" }\noutput \"name\" { value = fake_thing.c.name }\n";
    world.files.insert("m/main.tf".into(), inner.into());
    world.variables.insert("on".into(), "false".into());
    assert_eq!(shown(&world.plan().await), "+ fake_thing.b");
    let outcome = world.apply().await;
    assert_eq!(outcome.outputs["a"].value, "none".into());
    assert_eq!(outcome.outputs["m"].value, "no module".into());
    world.variables.insert("on".into(), "true".into());
    assert_eq!(shown(&world.plan().await), "+ fake_thing.a\n~ fake_thing.b\n+ module.m.fake_thing.c");
    let outcome = world.apply().await;
    assert_eq!(outcome.outputs["m"].value, "c".into());
    world.assert_converged().await;
    world.variables.insert("on".into(), "false".into());
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "- fake_thing.a\n~ fake_thing.b\n- module.m.fake_thing.c");
    let reasons: Vec<_> = plan.changes.iter().filter_map(|c| c.reason.clone()).collect();
    assert_eq!(reasons, [Reason::DeleteBecauseEnabledFalse, Reason::DeleteBecauseNoModule]);
    world.apply_plan(&plan).await;
    world.assert_converged().await;
}

#[tokio::test]
async fn what_is_not_enabled_is_null() {
    let mut world = World::new(&SWITCH.replace("var.on ? fake_thing.a.id : null", "fake_thing.a.id"));
    world.files.insert("m/main.tf".into(), "output \"name\" { value = 1 }\n".into());
    world.variables.insert("on".into(), "false".into());
    assert_eq!(world.plan_errors().await, ["Attempt to get attribute from null value"]);
    for (enabled, count) in [("null", ""), ("\"often\"", ""), ("fake_thing.b.id == \"x\"", "")] {
        let hcl = format!(
            "resource \"fake_thing\" \"b\" {{ name = \"b\" }}\nresource \"fake_thing\" \"a\" {{\n  {count}\n  name = \"a\"\n  lifecycle {{ enabled = {enabled} }}\n}}\n"
        );
        assert_eq!(World::new(&hcl).plan_errors().await, ["Invalid enabled argument"], "{enabled}");
    }
}
