//! `check` blocks: judged in plans and after applies, and nothing waits for them.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_contract::StateStore;
use sgp_engine::PlanOptions;
use sgp_model::{Diagnostics, Plan, plan::PlanMode};
use support::{World, shown};

/// Warnings as summary and detail.
fn warnings(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics.iter().map(|d| format!("{:?} {}: {}", d.severity, d.summary, d.detail)).collect()
}

/// What became of each block with conditions, and of its instances where they differ.
fn statuses(plan: &Plan) -> Vec<String> {
    let one = |it: &sgp_model::checks::CheckResult| {
        let instances: Vec<String> =
            it.instances.iter().map(|i| format!("{i} {:?} {:?}", i.status, i.problems)).collect();
        format!("{} {:?}: {}", it.block, it.status, instances.join(", "))
    };
    plan.checks.iter().map(one).collect()
}

const LOOK: &str = r#"
resource "fake_thing" "a" {
  name = "a"
  size = 1
}
check "size" {
  data "fake_thing" "now" {
    name = fake_thing.a.name
  }
  assert {
    condition     = data.fake_thing.now.size == 1
    error_message = "a has the size ${data.fake_thing.now.size}"
  }
  assert {
    condition     = fake_thing.a.id != ""
    error_message = "a has no id"
  }
}
"#;

#[tokio::test]
async fn what_is_known_after_apply_is_judged_there() {
    let mut world = World::new(LOOK);
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "+ fake_thing.a");
    let later = "Warning Check block assertion known after apply: Whether this holds is known after apply, and is looked at then.";
    assert_eq!(warnings(&plan.diagnostics), [later, later], "{:#?}", plan.diagnostics);
    assert_eq!(statuses(&plan), ["check.size Unknown: check.size Unknown []"]);
    let outcome = world.apply_plan(&plan).await;
    assert_eq!(warnings(&outcome.diagnostics), Vec::<String>::new());
    let plan = world.plan().await;
    assert!(plan.is_empty());
    assert_eq!(statuses(&plan), ["check.size Pass: check.size Pass []"]);
    // What is looked at is read after the change, and a failure is told by the apply itself.
    world.write(&LOOK.replacen("size = 1", "size = 5", 1));
    let plan = world.plan().await;
    assert_eq!(warnings(&plan.diagnostics), Vec::<String>::new());
    let outcome = world.apply_plan(&plan).await;
    assert_eq!(warnings(&outcome.diagnostics), ["Warning Check block assertion failed: a has the size 5"]);
    assert_eq!((outcome.done.change, world.state().await.len()), (1, 1));
    let plan = world.plan().await;
    assert!(plan.is_empty(), "{}", shown(&plan));
    assert_eq!(warnings(&plan.diagnostics), ["Warning Check block assertion failed: a has the size 5"]);
    assert_eq!(statuses(&plan), ["check.size Fail: check.size Fail [\"a has the size 5\"]"]);
}

#[tokio::test]
async fn nothing_of_a_check_blocks() {
    let hcl = r#"
resource "fake_thing" "a" { name = "a" }
check "broken" {
  data "fake_thing" "none" { name = "none" }
  assert {
    condition     = data.fake_thing.none.size == 1
    error_message = "unreachable"
  }
  assert {
    condition     = tonumber(path.root) == 1
    error_message = "unreachable"
  }
  assert {
    condition     = path.root == "nowhere"
    error_message = "told"
  }
}
"#;
    let world = World::new(hcl);
    world.apply().await;
    let plan = world.plan().await;
    assert!(plan.is_empty(), "{}", shown(&plan));
    assert!(!plan.diagnostics.has_errors());
    let told: Vec<&str> = plan.diagnostics.iter().map(|d| d.summary.as_str()).collect();
    assert_eq!(
        told,
        [
            "No such thing",
            "Check block assertion known after apply",
            "Invalid function argument",
            "Check block assertion failed"
        ]
    );
    assert_eq!(statuses(&plan), ["check.broken Error: check.broken Error [\"There is no none.\", \"told\"]"]);
    let destroy = PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() };
    let plan = world.plan_with(&destroy).await.plan.unwrap();
    assert!(plan.checks.is_empty() && plan.diagnostics.is_empty());
    world.apply_plan(&plan).await;
    assert!(world.cloud.names().is_empty());
}

#[tokio::test]
async fn a_check_that_depends_on_a_change_waits() {
    let hcl = |size| {
        format!(
            r#"
resource "fake_thing" "a" {{
  name = "a"
  size = {size}
}}
check "size" {{
  data "fake_thing" "now" {{
    name       = "a"
    depends_on = [fake_thing.a]
  }}
  assert {{
    condition     = data.fake_thing.now.size == 1
    error_message = "it is ${{data.fake_thing.now.size}}"
  }}
}}
"#
        )
    };
    let mut world = World::new(&hcl(1));
    let plan = world.plan().await;
    assert_eq!(statuses(&plan), ["check.size Unknown: check.size Unknown []"]);
    assert!(warnings(&world.apply_plan(&plan).await.diagnostics).is_empty());
    world.write(&hcl(2));
    let plan = world.plan().await;
    assert_eq!(shown(&plan), "~ fake_thing.a");
    assert_eq!(statuses(&plan), ["check.size Unknown: check.size Unknown []"]);
    let outcome = world.apply_plan(&plan).await;
    assert_eq!(warnings(&outcome.diagnostics), ["Warning Check block assertion failed: it is 2"]);
}

#[tokio::test]
async fn all_conditions_have_a_status() {
    let hcl = r#"
variable "n" {
  default = 1
  validation {
    condition     = var.n > 0
    error_message = "positive"
  }
}
resource "fake_thing" "a" {
  count = 2
  name  = "a${count.index}"
  lifecycle {
    precondition {
      condition     = var.n == 1
      error_message = "one"
    }
    postcondition {
      condition     = count.index == 0 || self.id != ""
      error_message = "id"
    }
  }
}
resource "fake_thing" "none" {
  count = 0
  name  = "none"
  lifecycle {
    precondition {
      condition     = path.root == "nowhere"
      error_message = "never"
    }
  }
}
module "m" {
  source   = "./m"
  for_each = toset(["x", "y"])
  n        = each.key == "x" ? 1 : 2
}
output "o" {
  value = 1
  precondition {
    condition     = fake_thing.a[0].id != "x"
    error_message = "not x"
  }
}
"#;
    let inner = r#"
variable "n" {
  validation {
    condition     = var.n < 3
    error_message = "small"
  }
}
check "one" {
  assert {
    condition     = var.n == 1
    error_message = "n is ${var.n}"
  }
}
"#;
    let mut world = World::new(hcl);
    world.files.insert("m/main.tf".into(), inner.into());
    let plan = world.plan().await;
    assert_eq!(
        statuses(&plan),
        [
            "fake_thing.a Unknown: fake_thing.a[0] Pass [], fake_thing.a[1] Unknown []",
            "fake_thing.none Pass: ",
            "output.o Unknown: output.o Unknown []",
            "module.m.check.one Fail: module.m[\"x\"].check.one Pass [], module.m[\"y\"].check.one Fail [\"n is 2\"]",
            "var.n Pass: var.n Pass []",
            "module.m.var.n Pass: module.m[\"x\"].var.n Pass [], module.m[\"y\"].var.n Pass []",
        ]
    );
}

/// What the state says of conditions, a line for each block; with its serial.
async fn recorded(world: &World) -> (u64, Vec<String>) {
    let state = world.store.load().await.unwrap();
    let told = state.checks.iter().map(|it| {
        let problems: Vec<&str> = it.instances.iter().flat_map(|one| one.problems.iter().map(String::as_str)).collect();
        format!("{} {:?} {problems:?}", it.block, it.status)
    });
    (state.serial, told.collect())
}

#[tokio::test]
async fn the_state_says_what_became_of_conditions() {
    let hcl = |size: i64| {
        format!(
            r#"
resource "fake_thing" "a" {{
  name = "a"
  size = {size}
  lifecycle {{
    postcondition {{
      condition     = self.size < 3
      error_message = "too large"
    }}
  }}
}}
check "size" {{
  assert {{
    condition     = fake_thing.a.size == 1
    error_message = "it is ${{fake_thing.a.size}}"
  }}
}}
"#
        )
    };
    let mut world = World::new(&hcl(1));
    world.apply().await;
    let passed = || vec!["fake_thing.a Pass []".to_owned(), "check.size Pass []".to_owned()];
    assert_eq!(recorded(&world).await, (1, passed()));
    // The same again is no news.
    world.apply().await;
    assert_eq!(recorded(&world).await, (1, passed()));
    world.write(&hcl(2));
    world.try_apply().await;
    let failed =
        |problem: &str, of: &str| vec![format!("fake_thing.a {of}"), format!("check.size Fail [\"{problem}\"]")];
    assert_eq!(recorded(&world).await, (2, failed("it is 2", "Pass []")));
    // A plan records nothing, and an apply of a part says nothing of the whole.
    world.write(&hcl(1));
    let targets = vec![sgp_model::address::parse_address("fake_thing.a").unwrap()];
    let plan = world.plan_with(&PlanOptions { targets, ..PlanOptions::default() }).await.plan.unwrap();
    assert_eq!(recorded(&world).await, (2, failed("it is 2", "Pass []")));
    world.apply_plan(&plan).await;
    assert_eq!(recorded(&world).await, (3, failed("it is 2", "Pass []")));
    world.apply().await;
    assert_eq!(recorded(&world).await, (4, passed()));
    let destroy = PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() };
    let plan = world.plan_with(&destroy).await.plan.unwrap();
    world.apply_plan(&plan).await;
    assert_eq!(recorded(&world).await, (5, vec![]));
}
