//! Stacks of these types from the first plan to the last: made, settled, changed, replaced, gone.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_model::{Kind, Value};
use support::World;

#[tokio::test]
async fn random_values_are_drawn_once() {
    let mut world = World::new(
        r#"
        resource "random_id" "a" {
          byte_length = 8
          prefix      = "a-"
          keepers     = { release = "1" }
        }
        resource "random_integer" "a" {
          min = 1
          max = 50000
        }
        resource "random_password" "a" {
          length      = 20
          min_special = 2
        }
        resource "random_string" "a" {
          length = 8
          number = false
        }
        resource "random_pet" "a" {
          prefix = random_integer.a.id
        }
        resource "random_shuffle" "a" {
          input        = ["a", "b", "c"]
          result_count = 2
        }
        resource "random_uuid" "a" {}
        resource "random_uuid4" "a" {}
        resource "random_uuid7" "a" {}
        resource "random_bytes" "a" {
          length = 4
        }
        output "password" {
          value     = random_password.a.result
          sensitive = true
        }
        output "hex" { value = random_id.a.hex }
        "#,
    );
    let plan = world.planned().await;
    let open = plan.changes.iter().all(|c| c.after.get("id").is_none_or(|id| !id.is_known()));
    assert!(open && plan.changes.len() == 10, "nothing is drawn before the apply");
    let first = world.apply().await;
    world.edit("release = \"1\"", "release = \"2\"");
    assert_eq!(world.plan().await, "-/+ random_id.a");
    let second = world.apply().await;
    assert_ne!(first["hex"], second["hex"]);
    assert!(first["password"].same(&second["password"]));
    world.edit("number = false", "numeric = false");
    assert_eq!(world.plan().await, "");
    world.edit("length      = 20", "length      = 21");
    assert_eq!(world.plan().await, "-/+ random_password.a");
}

#[tokio::test]
async fn time_is_taken_once() {
    let mut world = World::new(
        r#"
        resource "time_static" "a" {}
        resource "time_static" "given" {
          rfc3339 = "2020-02-12T06:36:13Z"
        }
        resource "time_offset" "a" {
          offset_days = 7
        }
        resource "time_rotating" "a" {
          rotation_days = 30
        }
        resource "time_sleep" "a" {
          create_duration  = "30s"
          destroy_duration = "10s"
          triggers         = { at = time_static.a.rfc3339 }
        }
        output "later" { value = time_sleep.a.triggers.at }
        "#,
    );
    let plan = world.planned().await;
    let unix =
        |name: &str| plan.changes.iter().find(|c| c.addr.to_string() == name).unwrap().after.get("unix").cloned();
    assert_eq!(unix("time_static.given").and_then(|v| v.as_i64()), Some(1_581_489_373));
    assert!(!unix("time_static.a").unwrap().is_known());
    let outputs = world.apply().await;
    assert_eq!(outputs["later"].as_str(), Some("2023-11-14T22:13:20Z"));

    world.edit("offset_days = 7", "offset_days = 8");
    assert_eq!(world.plan().await, "~ time_offset.a");
    world.apply().await;
    assert_eq!(world.attribute("time_offset.a", "rfc3339").await.as_str(), Some("2023-11-22T22:13:20Z"));

    world.edit("create_duration  = \"30s\"", "create_duration  = \"60s\"");
    assert_eq!(world.plan().await, "~ time_sleep.a");
    world.apply().await;

    world.pass(29 * 86400);
    assert_eq!(world.plan().await, "");
    world.pass(2 * 86400);
    assert_eq!(world.plan().await, "+ time_rotating.a");
    world.apply().await;
    assert_ne!(world.attribute("time_rotating.a", "rfc3339").await.as_str(), Some("2023-11-14T22:13:20Z"));
}

#[tokio::test]
async fn nothing_follows_its_triggers() {
    let mut world = World::new(
        r#"
        resource "null_resource" "a" {
          triggers = { n = "1" }
        }
        resource "null_resource" "b" {
          triggers = { a = null_resource.a.id }
        }
        data "null_data_source" "a" {
          inputs = { n = "1", id = null_resource.b.id }
        }
        output "n" { value = data.null_data_source.a.outputs["n"] }
        "#,
    );
    let plan = world.planned().await;
    let triggers = plan.changes.iter().find(|c| c.addr.to_string() == "null_resource.a").unwrap().after.get("triggers");
    assert!(matches!(triggers.unwrap().kind(), Kind::Map(..)) && triggers.unwrap().is_wholly_known());
    let outputs = world.apply().await;
    assert_eq!(outputs["n"], Value::from("1"));
    world.edit("{ n = \"1\" }", "{ n = \"2\" }");
    assert_eq!(world.plan().await, "-/+ null_resource.a, -/+ null_resource.b, <= data.null_data_source.a");
    world.apply().await;
}

#[tokio::test]
async fn mistakes_are_told_by_the_plan() {
    for (hcl, expected) in [
        ("resource \"random_integer\" \"a\" {\n min = 2\n max = 1\n}", "must not be greater than `max`"),
        ("resource \"random_id\" \"a\" {\n byte_length = 0\n}", "at least 1"),
        ("resource \"time_sleep\" \"a\" {\n create_duration = \"soon\"\n}", "a number immediately followed by"),
        ("resource \"time_rotating\" \"a\" {}", "must be set"),
        ("resource \"random_string\" \"a\" {\n length = 2\n min_lower = 3\n}", "at least 3"),
    ] {
        let errors = World::new(hcl).plan_errors().await;
        assert!(errors.len() == 1 && errors[0].contains(expected), "{hcl}: {errors:?}");
    }
}
