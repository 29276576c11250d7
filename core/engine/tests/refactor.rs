//! Blocks that get another name, another key or another module, and blocks that let their objects go.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_engine::PlanOptions;
use sgp_model::plan::{Action, PlanMode};
use support::{World, shown};

const A: &str = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\n";
const B: &str = "resource \"fake_thing\" \"b\" {\n  name   = \"b\"\n  parent = fake_thing.a.id\n}\n";
const MOVED: &str = "moved {\n  from = fake_thing.a\n  to   = fake_thing.new\n}\n";

async fn moves(world: &World, mode: PlanMode) -> Vec<String> {
    let planned = world.plan_with(&PlanOptions { mode, ..PlanOptions::default() }).await;
    let plan = planned.plan.unwrap_or_else(|| panic!("{:#?}", planned.diagnostics));
    let moved = plan
        .changes
        .iter()
        .chain(&plan.drift)
        .filter_map(|c| Some(format!("{} -> {} ({:?})", c.previous_addr.as_ref()?, c.addr, c.action)));
    moved.collect()
}

#[tokio::test]
async fn a_moved_block_keeps_the_object() {
    let mut world = World::new(&format!("{A}{B}"));
    world.apply().await;
    let renamed =
        format!("{A}{B}{MOVED}").replace("\"a\" {", "\"new\" {").replace("fake_thing.a.id", "fake_thing.new.id");
    world.write(&renamed);
    for (mode, action) in [(PlanMode::Normal, "NoOp"), (PlanMode::RefreshOnly, "NoOp"), (PlanMode::Destroy, "Delete")] {
        let expected = format!("fake_thing.a -> fake_thing.new ({action})");
        assert_eq!(moves(&world, mode).await, [expected], "{mode:?}");
    }
    world.cloud.calls();
    world.apply().await;
    assert_eq!(world.cloud.calls(), ["read 2"]);
    assert_eq!(world.state().await, ["fake_thing.b", "fake_thing.new"]);
    let state = sgp_contract::StateStore::load(&*world.store).await.unwrap();
    let b = state.instances.values().next().unwrap();
    assert_eq!(b.dependencies[0].to_string(), "fake_thing.new");
    // The block may stay; and a change may come with the move.
    world.assert_converged().await;
    let mut world = World::new(A);
    world.apply().await;
    world.write(&format!("{}{MOVED}", A.replace("\"a\" {", "\"new\" {").replace("\"a\"\n", "\"a\"\n  size = 7\n")));
    assert_eq!(moves(&world, PlanMode::Normal).await, ["fake_thing.a -> fake_thing.new (Update)"]);
    world.apply().await;
    assert_eq!(world.cloud.names(), ["a"]);
    world.assert_converged().await;
}

#[tokio::test]
async fn count_comes_and_goes_without_loss() {
    let mut world = World::new(A);
    world.apply().await;
    world.write(&A.replace("name = \"a\"", "count = 1\n  name = \"a\""));
    assert_eq!(moves(&world, PlanMode::Normal).await, ["fake_thing.a -> fake_thing.a[0] (NoOp)"]);
    world.apply().await;
    assert_eq!(world.state().await, ["fake_thing.a[0]"]);
    world.write(A);
    world.apply().await;
    assert_eq!(world.state().await, ["fake_thing.a"]);
    assert_eq!(world.cloud.names(), ["a"]);
    assert_eq!(world.cloud.calls().iter().filter(|c| c.starts_with("create")).count(), 1);
}

#[tokio::test]
async fn modules_move_with_what_is_in_them() {
    let call = |name: &str| format!("module \"{name}\" {{\n  source = \"./m\"\n}}\n");
    let mut world = World::new(&call("m"));
    world.files.insert("m/main.tf".into(), A.into());
    world.apply().await;
    world.write(&format!("{}moved {{\n  from = module.m\n  to   = module.k\n}}\n", call("k")));
    world.files.insert("m/main.tf".into(), format!("{}{MOVED}", A.replace("\"a\" {", "\"new\" {")));
    assert_eq!(moves(&world, PlanMode::Normal).await, ["module.m.fake_thing.a -> module.k.fake_thing.new (NoOp)"]);
    world.apply().await;
    world.assert_converged().await;
}

#[tokio::test]
async fn a_removed_block_lets_go_or_destroys() {
    let removed = |lifecycle: &str| format!("removed {{\n  from = fake_thing.a\n{lifecycle}}}\n");
    let mut world = World::new(A);
    world.apply().await;
    world.write(&removed(""));
    assert_eq!(shown(&world.plan().await), "- fake_thing.a");
    world.write(&removed("  lifecycle {\n    destroy = false\n  }\n"));
    let plan = world.plan().await;
    assert_eq!(plan.changes[0].action, Action::Forget);
    assert!(plan.diagnostics.iter().any(|d| d.summary == "Some objects will no longer be managed by sgp"));
    world.apply().await;
    assert_eq!((world.state().await.len(), world.cloud.names()), (0, vec!["a".to_owned()]));
}

#[tokio::test]
async fn blocks_about_what_is_still_there_are_refused() {
    for (block, summary) in [
        (MOVED.to_owned(), "Moved object still exists"),
        ("removed {\n  from = fake_thing.a\n}\n".to_owned(), "Removed object still exists"),
    ] {
        let world = World::new(&format!("{A}{block}"));
        assert_eq!(world.plan_errors().await, [summary]);
    }
    let both = format!(
        "{}moved {{\n  from = fake_thing.a\n  to = fake_thing.b\n}}\nmoved {{\n  from = fake_thing.b\n  to = fake_thing.a\n}}\n",
        A.replace("\"a\" {", "\"c\" {")
    );
    let mut world = World::new(A);
    world.apply().await;
    world.write(&both);
    let each = ["Moved blocks in a circle"; 2];
    assert_eq!(world.plan_errors().await, each);
    assert_eq!(World::new(&both).plan_errors().await, each, "whether there is an object to move or not");
}
