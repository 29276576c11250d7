//! Dying before and after every call and every write: the next run finds what was made, and nothing exists twice.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_engine::{ApplyOptions, PlanOptions};
use sgp_model::plan::PlanMode;
use support::World;

const FIRST: &str = r#"
resource "fake_thing" "a" { name = "a" }
resource "fake_thing" "b" {
  name   = "b"
  parent = fake_thing.a.id
}
resource "fake_thing" "c" {
  name = "c"
  lifecycle { create_before_destroy = true }
}
output "b" { value = fake_thing.b.id }
"#;

/// Changes `a` by replacement, `b` in place, `c` create-before-destroy; adds `d`.
const SECOND: &str = r#"
resource "fake_thing" "a" { name = "A" }
resource "fake_thing" "b" {
  name   = "b"
  parent = fake_thing.a.id
}
resource "fake_thing" "c" {
  name = "C"
  lifecycle { create_before_destroy = true }
}
resource "fake_thing" "d" {
  name   = "d"
  parent = fake_thing.c.id
}
"#;

/// Plans and applies until it is done or death comes; answers whether it came.
async fn live(world: &World, mode: PlanMode, moment: Option<usize>) -> bool {
    world.cloud.death.comes_at(moment);
    let came = world.cloud.death.came.notified();
    let session = world.session();
    let run = async {
        let options = PlanOptions { mode, ..PlanOptions::default() };
        let planned = sgp_engine::plan(&session, &options).await;
        let plan = planned.plan.unwrap_or_else(|| panic!("{:#?}", planned.diagnostics));
        sgp_engine::apply(&session, &plan, &ApplyOptions::default()).await
    };
    let died = tokio::select! {
        outcome = run => {
            assert!(!outcome.diagnostics.has_errors(), "{:#?}", outcome.diagnostics);
            false
        }
        () = came => true,
    };
    world.cloud.death.comes_at(None);
    died
}

async fn every_moment(first: &str, second: &str, mode: PlanMode, names: &[&str]) {
    for moment in 0.. {
        let mut world = World::new(first);
        if !first.is_empty() {
            live(&world, PlanMode::Normal, None).await;
        }
        world.write(second);
        let died = live(&world, mode, Some(moment)).await;
        assert!(!live(&world, mode, None).await);
        assert_eq!(world.cloud.names(), names, "died at moment {moment}: {:?}", world.cloud.calls());
        if mode == PlanMode::Normal {
            world.assert_converged().await;
        } else {
            assert!(world.state().await.is_empty());
        }
        if !died {
            assert!(moment > 5, "the run has moments");
            break;
        }
    }
}

#[tokio::test]
async fn while_everything_comes_into_being() {
    every_moment("", FIRST, PlanMode::Normal, &["a", "b", "c"]).await;
}

#[tokio::test]
async fn while_everything_changes() {
    every_moment(FIRST, SECOND, PlanMode::Normal, &["A", "C", "b", "d"]).await;
}

/// The keys of `x` are known after `a`; `y` waits for them.
const DEFERRED: &str = r#"
resource "fake_thing" "a" { name = "a" }
resource "fake_thing" "x" {
  for_each = toset(["${length(fake_thing.a.id)}", "fixed"])
  name     = "x-${each.key}"
}
resource "fake_thing" "y" {
  name   = "y"
  parent = join(",", values(fake_thing.x)[*].name)
}
"#;

#[tokio::test]
async fn between_rounds() {
    every_moment("", DEFERRED, PlanMode::Normal, &["a", "x-3", "x-fixed", "y"]).await;
}

#[tokio::test]
async fn while_everything_goes() {
    every_moment(FIRST, FIRST, PlanMode::Destroy, &[]).await;
}

/// Death while recovering from death.
#[tokio::test]
async fn twice() {
    for first in 0..14 {
        for second in 0..14 {
            let world = World::new(FIRST);
            live(&world, PlanMode::Normal, Some(first)).await;
            live(&world, PlanMode::Normal, Some(second)).await;
            assert!(!live(&world, PlanMode::Normal, None).await);
            assert_eq!(world.cloud.names(), ["a", "b", "c"], "died at {first}, then at {second}");
            world.assert_converged().await;
        }
    }
}

/// What the configuration called sensitive stays so for an object that was found by the next run.
#[tokio::test]
async fn secrets_of_adopted_objects_stay_secret() {
    let hcl = r#"
variable "token" {
  sensitive = true
  default   = "hunter2"
}
resource "fake_thing" "a" {
  name = "a"
  tags = { token = var.token }
}
"#;
    let mut adopted = 0;
    for moment in 0..6 {
        let world = World::new(hcl);
        live(&world, PlanMode::Normal, Some(moment)).await;
        let planned = sgp_engine::plan(&world.session(), &PlanOptions::default()).await;
        let before = &planned.plan.unwrap().changes[0].before;
        if !before.is_null() {
            adopted += 1;
            assert!(before.get("tags").unwrap().get("token").unwrap().is_sensitive(), "died at moment {moment}");
        }
    }
    assert!(adopted > 1);
}
