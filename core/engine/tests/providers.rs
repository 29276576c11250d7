//! Provider configurations and clusters: what waits for them, follows them and goes with them.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_engine::PlanOptions;
use sgp_model::{
    address::parse_instance,
    plan::{PlanMode, Reason},
};
use support::{CHAIN_A, World, shown};

#[tokio::test]
async fn a_provider_may_be_configured_by_a_resource() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
provider "fake" {
  alias    = "inner"
  endpoint = fake_thing.a.id
}
resource "fake_thing" "in" {
  provider = fake.inner
  name     = "in"
}
"#;
    let world = World::new(hcl);
    world.apply().await;
    assert_eq!(world.cloud.calls(), ["create a", "create in"]);
    world.assert_converged().await;
    world.cloud.calls();
    let options = PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() };
    let plan = world.plan_with(&options).await.plan.unwrap();
    world.cloud.calls();
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.calls(), ["delete in", "delete a"]);
}

#[tokio::test]
async fn objects_follow_the_provider_that_their_block_names() {
    let hcl = |alias: &str| {
        format!(
            "provider \"fake\" {{\n  alias = \"{alias}\"\n}}\nresource \"fake_thing\" \"a\" {{\n  provider = fake.{alias}\n  name = \"a\"\n}}\n"
        )
    };
    let mut world = World::new(&hcl("one"));
    world.apply().await;
    // A renamed alias is no loss.
    world.write(&hcl("two"));
    world.assert_converged().await;
    world.apply().await;
    let state = sgp_contract::StateStore::load(&*world.store).await.unwrap();
    assert_eq!(state.instances.values().next().unwrap().provider.to_string(), "provider.fake.two");
    // But a default configuration must not be asked for what another one made.
    world.write("");
    assert_eq!(world.plan_errors().await, ["Provider configuration not present"]);
    let mut world = World::new("module \"m\" {\n  source = \"./m\"\n}\n");
    world.files.insert("m/main.tf".into(), format!("provider \"fake\" {{}}\n{CHAIN_A}\n"));
    world.apply().await;
    world.write("");
    assert_eq!(world.plan_errors().await, ["Provider configuration not present"]);
}

/// As many keys as there are, each with objects of its own; a key stays as long as there are objects that need it.
#[tokio::test]
async fn a_provider_block_with_for_each_serves_each_object_by_its_key() {
    let hcl = |regions: &str, things: &str| {
        format!(
            r#"
provider "fake" {{
  alias    = "by_region"
  for_each = toset([{regions}])
  endpoint = each.value
}}
resource "fake_thing" "a" {{
  for_each = toset([{things}])
  provider = fake.by_region[each.key]
  name     = each.key
}}
module "m" {{
  source    = "./m"
  for_each  = toset([{things}])
  providers = {{ fake = fake.by_region[each.key] }}
  name      = "in-${{each.key}}"
}}
"#
        )
    };
    let (both, east) = ("\"east\", \"west\"", "\"east\"");
    let mut world = World::new(&hcl(both, both));
    let inner = "variable \"name\" {}\nresource \"fake_thing\" \"i\" {\n  name = var.name\n}\n";
    world.files.insert("m/main.tf".into(), inner.into());
    world.apply().await;
    let mut endpoints = world.cloud.endpoints.lock().unwrap().clone();
    endpoints.sort();
    endpoints.dedup();
    assert_eq!(endpoints, ["east", "west"]);
    let state = sgp_contract::StateStore::load(&*world.store).await.unwrap();
    let of: Vec<_> = state.instances.iter().map(|(key, record)| format!("{} {}", key.addr, record.provider)).collect();
    assert_eq!(
        of,
        [
            "fake_thing.a[\"east\"] provider.fake.by_region[\"east\"]",
            "fake_thing.a[\"west\"] provider.fake.by_region[\"west\"]",
            "module.m[\"east\"].fake_thing.i provider.fake.by_region[\"east\"]",
            "module.m[\"west\"].fake_thing.i provider.fake.by_region[\"west\"]",
        ]
    );
    world.assert_converged().await;

    world.write(&hcl(east, east));
    let told = world.plan_with(&PlanOptions::default()).await.diagnostics;
    assert!(told.0[0].detail.contains("no key \"west\" any more"), "{told:?}");
    world.write(&hcl(both, east));
    assert_eq!(shown(&world.plan().await), "- fake_thing.a[\"west\"]\n- module.m[\"west\"].fake_thing.i");
    world.apply().await;
    world.write(&hcl(east, east));
    world.assert_converged().await;
}

#[tokio::test]
async fn what_lives_in_a_cluster_goes_and_comes_with_it() {
    let hcl = r#"
resource "aws_eks_cluster" "c" {
  name = "c"
  zone = "east"
}
resource "fake_tenant" "t" {
  cluster_name = aws_eks_cluster.c.name
  name         = "t"
}
"#;
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("east", "west"));
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "-/+ aws_eks_cluster.c\n-/+ fake_tenant.t");
    let cluster = parse_instance("aws_eks_cluster.c").unwrap();
    assert_eq!(plan.changes[1].reason, Some(Reason::ReplaceBecauseClusterIsReplaced { cluster }));
    world.cloud.calls();
    world.apply_plan(&plan).await;
    assert_eq!(world.cloud.calls(), ["delete t", "delete c", "create c", "create t"]);
    world.assert_converged().await;
}

#[tokio::test]
async fn the_provider_may_name_the_cluster() {
    let hcl = r#"
resource "aws_eks_cluster" "c" {
  name = "c"
  zone = "east"
}
provider "fake" {
  alias        = "in"
  cluster_name = aws_eks_cluster.c.name
}
resource "fake_tenant" "t" {
  provider = fake.in
  name     = "t"
}
"#;
    let mut world = World::new(hcl);
    world.apply().await;
    world.write(&hcl.replace("east", "west"));
    assert_eq!(shown(&world.plan().await), "-/+ aws_eks_cluster.c\n-/+ fake_tenant.t");
}

#[tokio::test]
async fn what_a_provider_calls_through_is_configured_in_every_run() {
    let hcl = r#"
provider "way" { gate = "north" }
provider "way" {
  alias = "side"
  gate  = fake_thing.a.name
}
resource "fake_thing" "a" { name = "a" }
"#;
    let mut world = World::new(hcl);
    let plan = world.plan().await;
    assert_eq!(world.cloud.calls(), ["configure north", "configure a"]);
    // Another process applies what was saved: its clients are its own.
    world.apply_plan(&plan).await;
    let calls = world.cloud.calls();
    assert_eq!((calls[0].as_str(), calls[calls.len() - 1].as_str()), ("configure north", "create a"));
    world.write(&format!("{hcl}resource \"fake_thing\" \"b\" {{ name = \"b\" }}"));
    let addr = parse_instance("fake_thing.b").unwrap();
    assert!(sgp_engine::import(&world.session(), &addr, "gone").await.object.is_none());
    assert!(world.cloud.calls().contains(&"configure north".to_owned()));
}

#[tokio::test]
async fn what_a_plan_depends_on_is_looked_up() {
    let pointing = |name: &str, to: &str| {
        format!("resource \"fake_thing\" \"{name}\" {{\n  name = \"{name}\"\n  tags = {{ look = {to} }}\n}}\n")
    };
    let a = "resource \"fake_thing\" \"a\" { name = \"a\" }\n";
    // What the same apply makes is known only then.
    let mut world = World::new(&format!("{a}{}", pointing("b", "fake_thing.a.name")));
    world.apply().await;
    assert_eq!(world.cloud.things.lock().unwrap()["b-1"].get("etag"), Some(&"of a-0".into()));
    world.assert_converged().await;

    world.write(&[a, &pointing("c", "\"a\""), &pointing("d", "\"b\"")].concat());
    world.cloud.calls();
    let plan = world.plan().await;
    assert_eq!(world.cloud.calls(), ["read 2", "look up 2"]);
    let etags: Vec<_> = plan.changes.iter().filter_map(|c| c.after.get("etag")?.as_str()).collect();
    assert_eq!(etags, ["e0", "of a-0", "of b-1"]);

    world.write(&[a, &pointing("c", "\"nobody\"")].concat());
    assert_eq!(world.plan_errors().await, ["Nothing to point to"]);
}

#[tokio::test]
async fn a_thing_has_one_manager() {
    let one = |name: &str, thing: &str| {
        format!("resource \"fake_thing\" \"{name}\" {{\n  name = \"{name}\"\n  tags = {{ claim = \"{thing}\" }}\n}}\n")
    };
    let mut world = World::new(&[one("a", "the add-on x"), one("b", "the add-on y")].concat());
    world.apply().await;
    world.write(&[one("a", "the add-on x"), one("c", "the add-on x")].concat());
    let planned = world.plan_with(&PlanOptions::default()).await;
    let told: Vec<_> = planned.diagnostics.iter().map(|d| d.detail.as_str()).collect();
    assert_eq!(
        told,
        [
            "Only one object can manage the add-on x, and fake_thing.a and fake_thing.c do: each would undo the settings of the \
          other. Keep one."
        ]
    );
    // The one that goes claims nothing any more.
    world.write(&one("c", "the add-on x"));
    world.apply().await;
}

/// Routes of one table beside each other are no conflict, and a table that has them inside is one before it exists.
#[tokio::test]
async fn parts_go_together_and_not_with_the_whole() {
    let table = "resource \"fake_thing\" \"table\" {\n  name = \"table\"\n}\n";
    let part = |name: &str| {
        format!(
            "resource \"fake_thing\" \"{name}\" {{\n  name = \"{name}\"\n  tags = {{ claim_part = fake_thing.table.id }}\n}}\n"
        )
    };
    let whole =
        "resource \"fake_thing\" \"whole\" {\n  name = \"whole\"\n  tags = { claim = fake_thing.table.id }\n}\n";
    let mut world = World::new(&[table, &part("a"), &part("b")].concat());
    assert!(world.plan_errors().await.is_empty());
    world.write(&[table, &part("a"), &part("b"), whole].concat());
    let planned = world.plan_with(&PlanOptions::default()).await;
    let told: Vec<_> = planned.diagnostics.iter().map(|d| d.detail.as_str()).collect();
    assert_eq!(
        told,
        [
            "Only one object can manage fake_thing.table.id, and fake_thing.a and fake_thing.b and fake_thing.whole do: each would undo \
             the settings of the other. Keep one."
        ]
    );
}
