//! Override files.

use super::{json::meaning, problems};

const BASE: &str = r#"
variable "v" {
  type        = string
  default     = "base"
  description = "Stays."
}
locals {
  a = 1
  b = local.a
}
resource "test_thing" "t" {
  name = "base"
  size = 1
  tags = { a = "1", b = "2" }
  rule { port = 1 }
  rule { port = 2 }
  one { x = true }
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [size]
  }
}
output "o" {
  value       = 1
  description = "Stays."
}
"#;

#[track_caller]
fn same(overrides: &[(&str, &str)], expected: &str) {
    let files: Vec<_> = [("main.tf", BASE)].into_iter().chain(overrides.iter().copied()).collect();
    assert_eq!(meaning(&files), meaning(&[("main.tf", expected)]));
}

/// The base with pieces of it replaced.
fn base(pieces: &[(&str, &str)]) -> String {
    pieces.iter().fold(BASE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

#[test]
fn arguments_and_blocks_take_the_place_of_those_of_their_name() {
    let over = r#"
resource "test_thing" "t" {
  name = "over"
  tags = { c = "3" }
  rule { port = 9 }
  lifecycle {
    prevent_destroy = true
  }
}
"#;
    let expected = base(&[
        ("name = \"base\"", "name = \"over\""),
        ("{ a = \"1\", b = \"2\" }", "{ c = \"3\" }"),
        ("  rule { port = 1 }\n  rule { port = 2 }\n", "  rule { port = 9 }\n"),
        ("create_before_destroy = true", "create_before_destroy = true\n    prevent_destroy = true"),
    ]);
    same(&[("override.tf", over)], &expected);
    same(&[("x_override.tf", over)], &expected);
    let json = r#"{"resource": {"test_thing": {"t": {
      "name": "over", "tags": {"c": "3"}, "rule": {"port": 9}, "lifecycle": {"prevent_destroy": true}
    }}}}"#;
    same(&[("x_override.tf.json", json)], &expected);
}

#[test]
fn dynamic_blocks_count_as_those_that_they_stand_for() {
    let over = "resource \"test_thing\" \"t\" {\n  dynamic \"rule\" {\n    for_each = [7]\n    content { port = rule.value }\n  }\n}\n";
    let expected = base(&[("  rule { port = 1 }\n  rule { port = 2 }\n", "  rule { port = 7 }\n")]);
    same(&[("override.tf", over)], &expected);
    let json = r#"{"resource": {"test_thing": {"t": {"dynamic": {"rule": {"for_each": [7], "content": {"port": "${rule.value}"}}}}}}}"#;
    same(&[("override.tf.json", json)], &expected);
    // And are replaced like them, whichever file is JSON.
    let again = "resource \"test_thing\" \"t\" {\n  rule { port = 8 }\n}\n";
    let expected = base(&[("  rule { port = 1 }\n  rule { port = 2 }\n", "  rule { port = 8 }\n")]);
    same(&[("a_override.tf", over), ("b_override.tf", again)], &expected);
    same(&[("a_override.tf.json", json), ("b_override.tf", again)], &expected);
}

#[test]
fn variables_locals_outputs_and_settings() {
    let over = r#"
variable "v" {
  default = 5
  type    = number
}
locals { a = 2 }
output "o" { value = local.b }
terraform {
  required_providers {
    test = { source = "hashicorp/test" }
  }
}
provider "test" { region = "x" }
"#;
    let expected = base(&[
        ("type        = string\n  default     = \"base\"", "type = number\n  default = 5"),
        ("  a = 1\n", "  a = 2\n"),
        ("value       = 1", "value = local.b"),
    ]);
    same(&[("override.tf", over)], &expected);
}

#[test]
fn later_files_win() {
    let over = |name: &str| format!("resource \"test_thing\" \"t\" {{\n  name = \"{name}\"\n}}\n");
    let (a, b) = (over("a"), over("b"));
    let expected = base(&[("name = \"base\"", "name = \"b\"")]);
    same(&[("b_override.tf", &b), ("a_override.tf", &a)], &expected);
    // `override.tf` is one name among the others.
    let expected = base(&[("name = \"base\"", "name = \"a\"")]);
    same(&[("override.tf", &b), ("p_override.tf", &a)], &expected);
}

#[test]
fn what_cannot_be_overridden_is_told() {
    let over = r#"
resource "test_thing" "t" {
  depends_on = [test_thing.u]
  lifecycle {
    postcondition {
      condition     = path.root == "nowhere"
      error_message = "No."
    }
  }
}
variable "v" {
  validation {
    condition     = path.root == "nowhere"
    error_message = "No."
  }
}
output "o" {
  precondition {
    condition     = path.root == "nowhere"
    error_message = "No."
  }
}
resource "test_thing" "missing" {
  name = "x"
}
data "test_look" "missing" {}
variable "missing" {}
output "missing" { value = 1 }
module "missing" { source = "./m" }
locals { missing = 1 }
provider "test" {
  alias = "missing"
}
moved {
  from = test_thing.a
  to   = test_thing.t
}
nonsense {}
"#;
    insta::assert_snapshot!(problems(&[("main.tf", BASE), ("override.tf", over)]));
}

#[test]
fn nothing_is_missing_where_not_everything_could_be_read() {
    let broken = format!("{BASE}\nresource \"test_thing\" \"u\" {{\n  name = \n}}\n");
    let told = problems(&[("main.tf", &broken), ("override.tf", "resource \"test_thing\" \"u\" {\n  size = 2\n}\n")]);
    assert!(!told.contains("Nothing to override"), "{told}");
}
