//! `replace_triggered_by`: what changes elsewhere and replaces an object.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_model::plan::{Action, Reason};
use support::{World, shown};

/// `b` is triggered by what stands for TRIGGERS; `a` has a size and a tag, `many` two instances.
fn stack(size: u32, tag: &str, triggers: &str, extra: &str) -> String {
    format!(
        r#"
resource "fake_thing" "a" {{
  name = "a"
  size = {size}
  tags = {{ t = "{tag}" }}
}}
resource "fake_thing" "many" {{
  for_each = toset(["x", "y"])
  name     = each.key
  size     = each.key == "y" ? {size} : 1
}}
resource "fake_thing" "b" {{
  name = "b"
  lifecycle {{
    replace_triggered_by = [{triggers}]
    {extra}
  }}
}}
"#
    )
}

#[tokio::test]
async fn a_change_of_what_is_named_replaces() {
    let by = |trigger: &str| Some(Reason::ReplaceByTriggers { trigger: trigger.to_owned() });
    for (triggers, expected) in [
        ("fake_thing.a", by("fake_thing.a")),
        ("fake_thing.a.size", by("fake_thing.a.size")),
        ("fake_thing.a.etag", by("fake_thing.a.etag")),
        ("fake_thing.a.name", None),
        ("fake_thing.a.tags[\"t\"]", by("fake_thing.a.tags[\"t\"]")),
        ("fake_thing.a.tags[\"other\"]", None),
        ("fake_thing.many", by("fake_thing.many[\"y\"]")),
        ("fake_thing.many[\"x\"]", None),
        ("fake_thing.many[\"y\"].size", by("fake_thing.many[\"y\"].size")),
        ("fake_thing.a.name, fake_thing.many[\"y\"]", by("fake_thing.many[\"y\"]")),
    ] {
        let mut world = World::new(&stack(1, "one", triggers, ""));
        world.apply().await;
        world.assert_converged().await;
        world.write(&stack(2, "two", triggers, ""));
        let plan = world.plan().await;
        let change = plan.changes.iter().find(|c| c.addr.to_string() == "fake_thing.b").unwrap();
        assert_eq!(change.reason, expected, "{triggers}");
        let action = if expected.is_some() { Action::DeleteThenCreate } else { Action::NoOp };
        assert_eq!(change.action, action, "{triggers}");
        world.cloud.calls();
        world.apply_plan(&plan).await;
        let calls = world.cloud.calls();
        let at = |call: &str| calls.iter().position(|c| c == call);
        if expected.is_some() {
            assert!(at("delete b") < at("create b"), "{triggers}: {calls:?}");
        }
        if triggers == "fake_thing.a" {
            assert!(at("update a") < at("create b"), "{calls:?}");
        }
        world.assert_converged().await;
    }
}

#[tokio::test]
async fn the_replacement_keeps_the_order_that_the_lifecycle_says() {
    let hcl = |size| stack(size, "t", "fake_thing.a", "create_before_destroy = true");
    let mut world = World::new(&hcl(1));
    world.apply().await;
    world.write(&hcl(2));
    let plan = world.plan().await;
    assert!(shown(&plan).contains("+/- fake_thing.b"), "{}", shown(&plan));
    world.cloud.calls();
    world.apply_plan(&plan).await;
    let calls = world.cloud.calls();
    let at = |call: &str| calls.iter().position(|c| c == call).unwrap();
    assert!(at("update a") < at("create b") && at("create b") < at("delete b"), "{calls:?}");
    world.assert_converged().await;
}

#[tokio::test]
async fn triggers_work_on_from_object_to_object_and_by_instance() {
    let hcl = |revision: &str| {
        format!(
            r#"
resource "terraform_data" "revision" {{ input = "{revision}" }}
resource "terraform_data" "slot" {{
  count = 2
  input = count.index == 1 ? "{revision}" : "same"
}}
resource "fake_thing" "b" {{
  name = "b"
  lifecycle {{ replace_triggered_by = [terraform_data.revision] }}
}}
resource "fake_thing" "c" {{
  name = "c"
  lifecycle {{ replace_triggered_by = [fake_thing.b.id] }}
}}
resource "fake_thing" "each" {{
  count = 2
  name  = "each-${{count.index}}"
  lifecycle {{ replace_triggered_by = [terraform_data.slot[count.index].output] }}
}}
"#
        )
    };
    let mut world = World::new(&hcl("1"));
    // What is made for the first time replaces nothing.
    assert!(!shown(&world.plan().await).contains("-/+"));
    world.apply().await;
    world.assert_converged().await;
    world.write(&hcl("2"));
    assert_eq!(
        shown(&world.plan().await),
        "-/+ fake_thing.b\n-/+ fake_thing.c\n-/+ fake_thing.each[1]\n~ terraform_data.revision\n~ terraform_data.slot[1]"
    );
    world.apply().await;
    world.assert_converged().await;
}

#[tokio::test]
async fn a_triggered_replacement_can_be_prevented() {
    let hcl = |size| stack(size, "t", "fake_thing.a", "prevent_destroy = true");
    let mut world = World::new(&hcl(1));
    world.apply().await;
    world.write(&hcl(2));
    assert_eq!(world.plan_errors().await, ["Instance cannot be destroyed"]);
}
