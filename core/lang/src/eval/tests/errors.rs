//! Mistakes in a configuration, as people see them.

use super::problems;

#[test]
fn syntax_errors() {
    for (main, expected) in [
        ("resource \"a\" {", "Unclosed block"),
        ("resource \"a\" \"b\"\n", "Invalid block definition"),
        ("locals {\n  a = \n}", "Missing value"),
        ("locals {\n  a = 1 b = 2\n}", "Missing newline"),
        ("locals {\n  a = [1, 2\n}", "Missing item separator"),
        ("locals {\n  a = (1\n}", "Unbalanced parentheses"),
        ("locals {\n  a = { b = 1 c = 2 }\n}", "Missing attribute separator"),
        ("locals {\n  a = f(1\n}", "Missing argument separator"),
        ("locals {\n  a = 1\n  a = 2\n}", "Attribute redefined"),
        ("= 5", "Argument or block definition required"),
        ("locals {\n  a = 5x\n}", "Invalid number"),
        ("locals {\n  a = b.\n}", "Invalid attribute name"),
        ("locals {\n  a = \"${\"\n}", "Invalid multi-line string"),
    ] {
        let found = problems(&[("main.tf", main)]);
        assert_eq!(found.split(" at ").next().unwrap(), expected, "{main}\n{found}");
    }
}

#[test]
fn one_run_reports_every_mistake() {
    let main = r#"
variable "a" { tpye = string }
variable "b" { type = strin }
variable "c" { type = list }
resource "test_thin" "x" {}
data "test_thing" "y" {}
resource "test_thing" {}
provider "gcp" {}
terraform {
  required_providers { google = { source = "hashicorp/google" } }
  backend "s3" {}
}
locals { v = var.missing + local.missin }
output "o" { valu = 1 }
rsource "a" "b" {}
check "c" {}
resource "test_thing" "t" {
  name     = "n"
  count    = 1
  for_each = {}
  lifecycle { prevent_destroy = var.b }
  provisioner "local-exec" {}
}
resource "test_thing" "t" { name = "again" }
stray = 1
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Unsupported state store at main.tf:11:3: `backend "s3"`
      sgp keeps its state under .sgp/ in the working directory and has no other store yet. Remove this block; a state from elsewhere can be taken over with sgp state push.
    Unsupported argument at main.tf:25:1: `stray`
      Arguments stand in blocks, not at the top level of a file. Values for variables belong into a .tfvars file.
    Unsupported argument at main.tf:2:16: `tpye`
      An argument named "tpye" is not expected in a variable block. Did you mean "type"?
    Invalid type specification at main.tf:3:23: `strin`
      A type is one of string, number, bool, any, list(T), set(T), map(T), object({ name = T }) and tuple([T]). Did you mean "string"?
    Invalid type specification at main.tf:4:23: `list`
      A type is one of string, number, bool, any, list(T), set(T), map(T), object({ name = T }) and tuple([T]). The list type needs an element type: list(string).
    Wrong number of block labels at main.tf:7:1: `resource "test_thing"`
      A resource block takes 2 labels: type and name.
    Unsupported argument at main.tf:14:14: `valu`
      An argument named "valu" is not expected in an output block. Did you mean "value"?
    Missing required argument at main.tf:14:1: `output "o"`
      The argument "value" is required in an output block, but it is not set.
    Unsupported block type at main.tf:15:1: `rsource`
      Blocks of type "rsource" are not expected here. Did you mean "resource"?
    Unsupported block type at main.tf:16:1: `check`
      Blocks of type "check" are not expected here. sgp does not support it yet.
    Invalid combination of "count" and "for_each" at main.tf:20:14: `{}`
      A block repeats by number (count) or by key (for_each), not by both. Remove one of them.
    Invalid value at main.tf:21:33: `var.b`
      "prevent_destroy" must be true or false: it is read before anything is evaluated, so references are not possible here.
    Unsupported block type at main.tf:22:3: `provisioner "local-exec"`
      A provisioner block runs commands outside of the plan; sgp does not support it.
    Duplicate resource configuration at main.tf:24:1: `resource "test_thing" "t"`
      "test_thing.t" is already declared in main.tf. Names are unique within a module: rename or remove one.
    Unknown provider at main.tf:10:24: `google`
      sgp has no provider named "google". Its providers are built in: "terraform" and "test".
    Unknown provider at main.tf:8:1: `provider "gcp"`
      sgp has no provider named "gcp". Its providers are built in: "terraform" and "test".
    Unknown resource type at main.tf:5:10: `"test_thin"`
      sgp has no resource type named "test_thin". Did you mean "test_thing"?
    Unknown data source at main.tf:6:6: `"test_thing"`
      sgp has no data source named "test_thing". There is a resource type of that name.
    No value for required variable at main.tf:2:1: `variable "a"`
      The variable "a" has no default and no value was given. Set it with -var 'a=...', in a .tfvars file, or in the environment variable TF_VAR_a.
    No value for required variable at main.tf:3:1: `variable "b"`
      The variable "b" has no default and no value was given. Set it with -var 'b=...', in a .tfvars file, or in the environment variable TF_VAR_b.
    No value for required variable at main.tf:4:1: `variable "c"`
      The variable "c" has no default and no value was given. Set it with -var 'c=...', in a .tfvars file, or in the environment variable TF_VAR_c.
    Reference to undeclared input variable at main.tf:13:14: `var.missing`
      An input variable with the name "missing" has not been declared. Declare it with variable "missing" {}.
    Reference to undeclared local value at main.tf:13:28: `local.missin`
      A local value with the name "missin" has not been declared.
    "#);
}

#[test]
fn values_are_shown_beside_type_errors() {
    let main = r#"
variable "n" { default = "many" }
variable "hidden" {
  default   = "pw"
  sensitive = true
}
locals {
  a = var.n + 1
  b = var.hidden + 1
  c = [for x in ["q"] : x * 2]
}
resource "test_thing" "t" {
  for_each = { k = ["a"] }
  name     = each.value
  size     = "${var.n}-${each.key}"
}
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Incorrect attribute value type at main.tf:14:14: `each.value`
      Inappropriate value for attribute "name": string required.
      each.value is a tuple with 1 element
    Incorrect attribute value type at main.tf:15:14: `"${var.n}-${each.key}"`
      Inappropriate value for attribute "size": a number is required.
      var.n is "many"
      each.key is "k"
    Invalid operand at main.tf:8:7: `var.n`
      Unsuitable value for left operand: a number is required.
      var.n is "many"
    Invalid operand at main.tf:9:7: `var.hidden`
      Unsuitable value for left operand: a number is required.
      var.hidden has a sensitive value
    Invalid operand at main.tf:10:25: `x`
      Unsuitable value for left operand: a number is required.
      x is "q"
    "#);
}

#[test]
fn mistakes_in_two_files_are_both_found() {
    let found = problems(&[
        ("a.tf", "locals { a = }\noutput \"x\" { value = 1 }"),
        ("b.tf", "locals {\n  b = [\n}\nlocals { c = ) }"),
    ]);
    assert_eq!(found.matches(" at ").count(), 3, "{found}");
}
