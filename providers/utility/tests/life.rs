//! Stacks of these types from the first plan to the last: made, settled, changed, replaced, gone.
#![allow(clippy::unwrap_used)]

mod support;

use sgp_contract::StateStore;
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
async fn files_are_as_they_are_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/a.txt");
    let mut world = World::new(&format!(
        r#"
        resource "local_file" "a" {{
          filename        = "{0}"
          content         = "one"
          file_permission = "0600"
        }}
        data "local_file" "a" {{
          filename = local_file.a.filename
        }}
        resource "local_sensitive_file" "b" {{
          filename = "{0}.copy"
          content  = data.local_file.a.content_base64
        }}
        output "sha256" {{ value = data.local_file.a.content_sha256 }}
        "#,
        path.display()
    ));
    // What is to be made is read afterwards.
    assert_eq!(world.plan().await, "+ local_file.a, + local_sensitive_file.b, <= data.local_file.a");
    let outputs = world.apply().await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
    assert_eq!(std::fs::read_to_string(path.with_extension("txt.copy")).unwrap(), "b25l");
    let digest = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    assert_eq!(outputs["sha256"].as_str(), Some(digest));
    std::fs::write(&path, "somebody's").unwrap();
    assert!(world.plan().await.contains("+ local_file.a"));
    world.apply().await;
    world.edit("= \"one\"", "= \"two\"");
    assert!(world.plan().await.starts_with("-/+ local_file.a"));
    world.apply().await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    world.hcl = String::new();
    world.apply().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn keys_and_certificates_stay_until_their_time_is_over() {
    let world = World::new(
        r#"
        resource "tls_private_key" "ca" {
          algorithm   = "ECDSA"
          ecdsa_curve = "P256"
        }
        resource "tls_self_signed_cert" "ca" {
          private_key_pem       = tls_private_key.ca.private_key_pem
          is_ca_certificate     = true
          validity_period_hours = 100
          allowed_uses          = ["cert_signing"]
          subject {
            common_name = "CA"
          }
        }
        resource "tls_cert_request" "web" {
          private_key_pem = tls_private_key.ca.private_key_pem
          dns_names       = ["web.example.com"]
        }
        resource "tls_locally_signed_cert" "web" {
          cert_request_pem      = tls_cert_request.web.cert_request_pem
          ca_private_key_pem    = tls_private_key.ca.private_key_pem
          ca_cert_pem           = tls_self_signed_cert.ca.cert_pem
          validity_period_hours = 20
          early_renewal_hours   = 5
          allowed_uses          = ["server_auth"]
        }
        data "tls_public_key" "ca" {
          private_key_pem = tls_private_key.ca.private_key_pem
        }
        data "tls_certificate" "web" {
          content = tls_locally_signed_cert.web.cert_pem
        }
        output "issuer" { value = data.tls_certificate.web.certificates[0].issuer }
        output "same" { value = nonsensitive(data.tls_public_key.ca.public_key_pem) == tls_private_key.ca.public_key_pem }
        "#,
    );
    let outputs = world.apply().await;
    assert_eq!(outputs["issuer"].as_str(), Some("CN=CA"));
    assert_eq!(outputs["same"].as_bool(), Some(true));
    world.pass(14 * 3600);
    assert_eq!(world.plan().await, "");
    world.pass(3600);
    assert_eq!(world.plan().await, "-/+ tls_locally_signed_cert.web, <= data.tls_certificate.web");
    world.apply().await;
    world.pass(100 * 3600);
    assert!(world.plan().await.contains("-/+ tls_self_signed_cert.ca"));
    world.apply().await;
}

#[tokio::test]
async fn user_data_is_known_in_the_plan() {
    let hcl = r#"
        data "cloudinit_config" "a" {
          gzip          = false
          base64_encode = false
          part {
            content_type = "text/cloud-config"
            content      = "packages: [jq]"
          }
        }
        resource "cloudinit_config" "b" {
          part {
            content = data.cloudinit_config.a.rendered
          }
        }
        output "id" { value = cloudinit_config.b.id }
    "#;
    let world = World::new(hcl);
    let plan = world.planned().await;
    assert_eq!(plan.changes.len(), 1);
    assert!(plan.changes[0].after.is_wholly_known());
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

#[tokio::test]
async fn keys_that_are_written_nowhere_sign() {
    let mut world = World::new(
        r#"
        ephemeral "random_password" "proxy" {
          length = 20
          lifecycle {
            postcondition {
              condition     = length(self.result) == 20 && startswith(self.bcrypt_hash, "$2a$")
              error_message = "no password"
            }
          }
        }
        provider "tls" {
          proxy {
            url      = "http://proxy.example.com"
            username = "sgp"
            password = ephemeral.random_password.proxy.result
          }
        }
        ephemeral "tls_private_key" "ca" {
          algorithm   = "ECDSA"
          ecdsa_curve = "P256"
        }
        ephemeral "tls_public_key" "ca" {
          private_key_pem = ephemeral.tls_private_key.ca.private_key_pem
          lifecycle {
            postcondition {
              condition     = self.public_key_pem == ephemeral.tls_private_key.ca.public_key_pem
              error_message = "another key"
            }
          }
        }
        locals {
          key = endswith(ephemeral.tls_public_key.ca.public_key_pem, "\n") ? ephemeral.tls_private_key.ca.private_key_pem : ""
        }
        resource "tls_self_signed_cert" "ca" {
          private_key_pem_wo         = local.key
          private_key_pem_wo_version = 1
          is_ca_certificate          = true
          validity_period_hours      = 100
          allowed_uses               = ["cert_signing"]
          subject {
            common_name = "CA"
          }
        }
        resource "tls_cert_request" "web" {
          private_key_pem_wo         = local.key
          private_key_pem_wo_version = "a"
          dns_names                  = ["web.example.com"]
        }
        resource "tls_locally_signed_cert" "web" {
          cert_request_pem              = tls_cert_request.web.cert_request_pem
          ca_private_key_pem_wo         = local.key
          ca_private_key_pem_wo_version = "a"
          ca_cert_pem                   = tls_self_signed_cert.ca.cert_pem
          validity_period_hours         = 20
          allowed_uses                  = ["server_auth"]
        }
        output "first" { value = tls_self_signed_cert.ca.cert_pem }
        "#,
    );
    // Each run has another key: what was signed with the one before stays as it is.
    let first = world.apply().await;
    world.edit("wo_version = 1", "wo_version = 2");
    assert_eq!(world.plan().await, "-/+ tls_locally_signed_cert.web, -/+ tls_self_signed_cert.ca");
    let second = world.apply().await;
    assert_ne!(first["first"], second["first"]);
    let state = format!("{:?}", world.store.load().await.unwrap());
    assert!(state.contains("BEGIN CERTIFICATE") && !state.contains("PRIVATE KEY"), "{state}");
    assert!(world.attribute("tls_cert_request.web", "private_key_pem_wo").await.is_null());
}
