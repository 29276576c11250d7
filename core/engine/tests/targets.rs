//! What a run with targets does, and what it leaves alone.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_engine::PlanOptions;
use sgp_model::{
    Value,
    address::{parse_address, parse_instance},
    plan::PlanMode,
};
use support::{CHAIN, CHAIN_A, World, shown};

#[tokio::test]
async fn targets_bring_their_dependencies_and_nothing_else() {
    let hcl = format!("{CHAIN}\nresource \"fake_thing\" \"c\" {{ name = \"c\" }}\n");
    let world = World::new(&hcl);
    let targets = vec![parse_address("fake_thing.b").unwrap()];
    let options = PlanOptions { targets, ..PlanOptions::default() };
    let plan = world.plan_with(&options).await.plan.unwrap();
    assert_eq!(shown(&plan), "+ fake_thing.a\n+ fake_thing.b");
}

#[tokio::test]
async fn what_is_counted_by_others_is_no_target() {
    let hcl = format!(
        "{CHAIN}\nresource \"fake_thing\" \"c\" {{\n  count = length(fake_thing.b.name)\n  name  = \"c\"\n}}\n"
    );
    let world = World::new(&hcl);
    let targets = vec![parse_address("fake_thing.a").unwrap()];
    let plan = world.plan_with(&PlanOptions { targets, ..PlanOptions::default() }).await.plan.unwrap();
    assert_eq!(shown(&plan), "+ fake_thing.a");
}

#[tokio::test]
async fn targets_need_not_know_how_often_the_rest_repeats() {
    let mut world = World::new("");
    world.files.insert("m/main.tf".into(), "resource \"fake_thing\" \"x\" {\n  name = \"x\"\n}\n".into());
    world.write(&format!(
        "{CHAIN_A}
resource \"fake_thing\" \"c\" {{
  count = fake_thing.a.id == \"\" ? 1 : 2
  name  = \"c${{count.index}}\"
}}
module \"m\" {{
  source   = \"./m\"
  for_each = toset([fake_thing.a.id])
}}
"
    ));
    assert_eq!(world.plan().await.deferred.len(), 2);
    let targets = vec![parse_address("fake_thing.a").unwrap()];
    let plan = world.plan_with(&PlanOptions { targets, ..PlanOptions::default() }).await.plan.unwrap();
    assert_eq!(shown(&plan), "+ fake_thing.a");
    world.apply_plan(&plan).await;
    world.apply().await;
    assert_eq!(world.cloud.names(), ["a", "c0", "c1", "x"]);
    let targets = vec![parse_address("module.m").unwrap()];
    let options = PlanOptions { targets, mode: PlanMode::Destroy, ..PlanOptions::default() };
    let plan = world.plan_with(&options).await.plan.unwrap();
    assert_eq!(shown(&plan), "- module.m[\"a-0\"].fake_thing.x");
}

/// A part of the world that is out of reach must not stand in the way of the rest.
#[tokio::test]
async fn targets_ask_only_the_providers_that_they_need() {
    let hcl = format!(
        "{CHAIN_A}
resource \"fake_thing\" \"p\" {{
  name = \"p\"
}}
provider \"fake\" {{
  alias    = \"other\"
  endpoint = \"nowhere\"
}}
resource \"fake_thing\" \"o\" {{
  provider = fake.other
  name     = \"o\"
}}
"
    );
    let world = World::new(&hcl);
    world.apply().await;
    world.cloud.calls();
    let targets = vec![parse_address("fake_thing.a").unwrap()];
    let options = PlanOptions { targets, ..PlanOptions::default() };
    assert!(world.plan_with(&options).await.plan.unwrap().is_empty());
    assert_eq!(world.cloud.calls(), ["read 2"]);
    // What is read along with a target, but not meant, stays as it is recorded.
    for (_, thing) in world.cloud.things.lock().unwrap().iter_mut().filter(|(id, _)| id.starts_with("p-")) {
        *thing = thing.with_attr("size", Value::int(9));
    }
    let options = PlanOptions { mode: PlanMode::RefreshOnly, ..options };
    assert!(world.plan_with(&options).await.plan.unwrap().is_empty());
}

#[tokio::test]
async fn a_mistyped_target_is_an_error() {
    let world = World::new(CHAIN);
    let summaries = async |options: PlanOptions| {
        let planned = world.plan_with(&options).await;
        planned.diagnostics.iter().map(|d| d.detail.clone()).collect::<Vec<_>>()
    };
    let targets = vec![parse_address("fake_thing.x").unwrap(), parse_address("fake_thing.a").unwrap()];
    let named = "names fake_thing.x, which is neither in the configuration nor in the state.";
    assert_eq!(summaries(PlanOptions { targets, ..PlanOptions::default() }).await, [format!("-target {named}")]);
    let replace = vec![parse_instance("fake_thing.x").unwrap()];
    assert_eq!(summaries(PlanOptions { replace, ..PlanOptions::default() }).await, [format!("-replace {named}")]);
}

#[tokio::test]
async fn targets_import_what_they_need_and_nothing_else() {
    let world = World::new(CHAIN);
    world.apply().await;
    let import = |to: &str, id: &str| format!("import {{\n  to = fake_thing.{to}\n  id = \"{id}\"\n}}\n");
    let hcl = format!(
        "{CHAIN}resource \"fake_thing\" \"c\" {{ name = \"c\" }}\n{}{}",
        import("a", "a-0"),
        import("c", "gone")
    );
    let mut other = World::new(&hcl);
    other.cloud = world.cloud.clone();
    assert_eq!(other.plan_errors().await, ["Object to import does not exist"]);
    let targets = vec![parse_address("fake_thing.b").unwrap()];
    let plan = other.plan_with(&PlanOptions { targets, ..PlanOptions::default() }).await.plan.unwrap();
    assert_eq!(shown(&plan), "= fake_thing.a\n+ fake_thing.b");
}
