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
variable "c" { type = set }
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
    Invalid type specification at main.tf:4:23: `set`
      A type is one of string, number, bool, any, list(T), set(T), map(T), object({ name = T }) and tuple([T]). The set type needs an element type: set(string).
    Wrong number of block labels at main.tf:7:1: `resource "test_thing"`
      A resource block takes 2 labels: type and name.
    Unsupported argument at main.tf:14:14: `valu`
      An argument named "valu" is not expected in an output block. Did you mean "value"?
    Missing required argument at main.tf:14:1: `output "o"`
      The argument "value" is required in an output block, but it is not set.
    Unsupported block type at main.tf:15:1: `rsource`
      Blocks of type "rsource" are not expected here. Did you mean "resource"?
    Check block without assertions at main.tf:16:1: `check "c"`
      A check block has at least one assert block with a condition and an error_message.
    Invalid combination of "count" and "for_each" at main.tf:20:14: `{}`
      A block repeats by number (count) or by key (for_each), not by both. Remove one of them.
    Invalid value at main.tf:21:33: `var.b`
      "prevent_destroy" must be true or false: it is read before anything is evaluated, so references are not possible here.
    Unsupported block type at main.tf:22:3: `provisioner "local-exec"`
      sgp does not run provisioners: a provisioner block is about commands outside of the plan. Remove it, and do its work in the image, in user data or in a step of the pipeline.
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
fn what_nothing_evaluates_is_checked_too() {
    let main = r#"
variable "rules" { default = [] }
resource "test_thing" "a" {
  count = 0
  name  = var.nmae
  sise  = 1
  dynamic "rule" {
    for_each = var.rules
    content {
      port = rule.value.port
      prot = rle.value
      why  = each.key
    }
  }
  lifecycle {
    postcondition {
      condition     = self.name == local.nope
      error_message = "no"
    }
  }
}
resource "test_thing" "b" {
  for_each = {}
  name     = "${each.key}${count.index}${self.id}"
}
module "none" {
  source = "./m"
  count  = 0
  x      = count.index
}
output "o" { value = try(test_thing.a.id, test_thing.b["x"].nope, test_thing.c.id, module.none[0].id) }
"#;
    let inner = "variable \"x\" {}\noutput \"id\" {\n  value = var.y\n}";
    insta::assert_snapshot!(problems(&[("main.tf", main), ("m/main.tf", inner)]), @r#"
    Error in function call at main.tf:31:22: `try(test_thing.a.id, test_thing.b["x"].nope, test_thing.c.id, module.none[0].id)`
      None of the arguments of try has a value without errors:
      - test_thing.a has count set, so "id" belongs to its instances. Name one of them, as in test_thing.a[count.index].id, or take all with a for expression.
      - test_thing.b has no instance with the given key. The keys of for_each are: none.
      - A managed resource "test_thing.c" has not been declared in the root module.
      - module.none has 0 instances (count), numbered from 0, and the given index is not one of them.
    Reference to undeclared input variable at main.tf:5:11: `var.nmae`
      An input variable with the name "nmae" has not been declared. Declare it with variable "nmae" {}.
    Reference to undeclared resource at main.tf:11:14: `rle.value`
      A managed resource "rle.value" has not been declared in the root module.
    Reference to "each" in context without for_each at main.tf:12:14: `each.key`
      each.key and each.value stand only in blocks that have for_each set.
    Reference to undeclared local value at main.tf:17:36: `local.nope`
      A local value with the name "nope" has not been declared.
    Unsupported argument at main.tf:6:3: `sise`
      An argument named "sise" is not expected here. Did you mean "size"?
    Unsupported argument at main.tf:11:7: `prot`
      An argument named "prot" is not expected here. Did you mean "port"?
    Unsupported argument at main.tf:12:7: `why`
      An argument named "why" is not expected here.
    Reference to "count" in non-counted context at main.tf:24:28: `count.index`
      count.index stands only in blocks that have count set.
    Invalid reference at main.tf:24:42: `self`
      The "self" object stands only in the postconditions of a resource.
    Missing resource instance key at main.tf:31:26: `test_thing.a.id`
      test_thing.a has count set, so "id" belongs to its instances. Name one of them, as in test_thing.a[count.index].id, or take all with a for expression.
    Unsupported attribute at main.tf:31:43: `test_thing.b["x"].nope`
      test_thing has no argument, nested block or exported attribute named "nope".
    Reference to undeclared resource at main.tf:31:67: `test_thing.c`
      A managed resource "test_thing.c" has not been declared in the root module.
    Reference to undeclared input variable at m/main.tf:3:11: `var.y`
      An input variable with the name "y" has not been declared. Declare it with variable "y" {}.
    "#);
}

#[test]
fn references_of_import_blocks_are_checked() {
    let main = r#"
import {
  to = terraform_data.a[each.kye]
  id = try(var.nope, "x")
  for_each = local.ids
}
resource "terraform_data" "a" { for_each = {} }
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Reference to undeclared local value at main.tf:5:14: `local.ids`
      A local value with the name "ids" has not been declared.
    Reference to undeclared input variable at main.tf:4:12: `var.nope`
      An input variable with the name "nope" has not been declared. Declare it with variable "nope" {}.
    Invalid reference at main.tf:3:25: `each.kye`
      The "each" object has two attributes: each.key and each.value.
    "#);
}

#[test]
fn a_mistake_in_a_block_is_not_told_again_where_the_block_is_used() {
    let found = problems(&[
        (
            "main.tf",
            r#"
module "vpc" { source = "terraform-aws-modules/vpc/aws" }
module "half" { source = "./half" }
resource "test_thing" {}
variable {}
output "a" { value = module.vpc.id }
output "b" { value = test_thing.x.id }
output "c" { value = var.x }
output "d" { value = module.half.id }
output "e" { value = local.still }
resource "terraform_data" "r" { depends_on = [module.vpc, test_thing.x] }
"#,
        ),
        ("half/main.tf", "output \"id\" {}\n"),
    ]);
    let summaries: Vec<&str> =
        found.lines().filter(|l| !l.starts_with(' ')).map(|l| l.split(" at ").next().unwrap()).collect();
    assert_eq!(
        summaries,
        [
            "Module not installed",
            "Missing required argument",
            "Wrong number of block labels",
            "Wrong number of block labels",
            "Reference to undeclared local value"
        ],
        "{found}"
    );
    let found = problems(&[("a.tf", "locals {\n  x = ]\n}\n"), ("b.tf", "output \"x\" { value = local.x + 1 }\n")]);
    assert_eq!(found.matches(" at ").count(), 1, "{found}");
}

#[test]
fn what_terraform_has_and_sgp_has_not_is_named() {
    let main = r#"
terraform {
  cloud {}
  encryption {}
  state_store "x" {}
}
action "a" "b" {}
removed {
  from = terraform_data.old
  provisioner "local-exec" {}
}
resource "terraform_data" "x" {
  lifecycle {
    action_trigger {}
    ignore_changes = [inptu, input, tags["a"]]
  }
  depends_on = ["a", each.key, terraform_data.y]
}
resource "terraform_data" "y" {}
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Unsupported state store at main.tf:3:3: `cloud`
      sgp keeps its state under .sgp/ in the working directory and has no other store yet. Remove this block; a state from elsewhere can be taken over with sgp state push.
    Unsupported block type at main.tf:4:3: `encryption`
      sgp does not encrypt its state yet. Remove this block, and keep the folder .sgp/ where only those may read it who may know its secrets.
    Unsupported state store at main.tf:5:3: `state_store "x"`
      sgp keeps its state under .sgp/ in the working directory and has no other store yet. Remove this block; a state from elsewhere can be taken over with sgp state push.
    Unsupported block type at main.tf:7:1: `action`
      sgp does not support action blocks yet. Do what it does in a step before or after sgp apply.
    Unsupported block type at main.tf:10:3: `provisioner "local-exec"`
      sgp does not run provisioners: a provisioner block is about commands outside of the plan. Remove it, and do its work in the image, in user data or in a step of the pipeline.
    Invalid reference at main.tf:17:17: `"a"`
      depends_on takes references to resources, data sources and modules, such as aws_iam_role.node or module.network, without quotes.
    Invalid reference at main.tf:17:22: `each.key`
      depends_on takes references to resources, data sources and modules, such as aws_iam_role.node or module.network, without quotes.
    Unsupported block type at main.tf:14:5: `action_trigger`
      sgp does not support action_trigger in lifecycle blocks yet. Do what the action does in a step before or after sgp apply.
    Unsupported attribute at main.tf:15:23: `inptu`
      terraform_data has no argument, nested block or exported attribute named "inptu". Did you mean "input"?
    Unsupported attribute at main.tf:15:37: `tags["a"]`
      terraform_data has no argument, nested block or exported attribute named "tags".
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

#[test]
fn check_blocks_are_read_with_all_their_mistakes() {
    let main = r#"
check "a" {
  data "test_look" "in" { name = "x" }
  assert {
    condition     = data.test_look.in.found == "found it"
    error_message = "not found"
  }
}
check "b" {
  assert {
    condition     = data.test_look.in.found != data.test_look.out.found
    error_message = "${nothing}"
  }
}
check "b" {
  assert {
    condition     = path.root != ""
    error_message = ""
  }
}
check "c" {}
check "d" {
  data "test_look" "one" {
    name = "x"
    lifecycle {}
  }
  data "test_look" "two" { name = "x" }
  count = 1
  assert { condition = true }
}
check "e" {
  data "test_look" "many" {
    count = 2
    name  = "x"
  }
  assert {
    condition     = path.root != ""
    error_message = ""
  }
}
check "f" {
  data "test_look" "in" { name = "x" }
  assert {
    condition     = path.root != ""
    error_message = ""
  }
}
resource "test_thing" "a" {
  name       = data.test_look.in.found
  depends_on = [data.test_look.in]
}
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Duplicate check block at main.tf:15:1: `check "b"`
      "b" is already declared in main.tf. Names are unique within a module: rename or remove one.
    Check block without assertions at main.tf:21:1: `check "c"`
      A check block has at least one assert block with a condition and an error_message.
    Unsupported argument at main.tf:28:3: `count`
      An argument named "count" is not expected in a check block.
    Missing required argument at main.tf:29:3: `assert`
      The argument "error_message" is required in an assert block, but it is not set.
    Invalid assert expression at main.tf:29:24: `true`
      The condition refers to nothing, so it is the same in every run and checks nothing. In an assert block it looks at something from elsewhere.
    Too many data blocks in a check block at main.tf:27:3: `data "test_look" "two"`
      A check block has at most one data block. Put the other one into a check block of its own, or outside.
    Unsupported block type at main.tf:25:5: `lifecycle`
      A data block in a check block has no lifecycle: the assertions of the check judge it.
    Unsupported argument at main.tf:33:5: `count`
      A data block in a check block is one object and has no count.
    Duplicate data source configuration at main.tf:42:3: `data "test_look" "in"`
      "test_look.in" is already declared in main.tf. Names are unique within a module: rename or remove one.
    Reference to scoped data source at main.tf:50:17: `data.test_look.in`
      data.test_look.in belongs to the check block "a", and only its assertions may refer to it. Move the data block out of the check block to use it here.
    Reference to scoped data source at main.tf:11:21: `data.test_look.in`
      data.test_look.in belongs to the check block "a", and only its assertions may refer to it. Move the data block out of the check block to use it here.
    Reference to undeclared resource at main.tf:11:48: `data.test_look.out`
      A data source "data.test_look.out" has not been declared in the root module.
    Invalid reference at main.tf:12:24: `nothing`
      There is nothing named "nothing" here: a reference begins with var, local, module, data, each, count, path or a resource type and its name. If text is meant, put it between quotes.
    Reference to scoped data source at main.tf:49:16: `data.test_look.in`
      data.test_look.in belongs to the check block "a", and only its assertions may refer to it. Move the data block out of the check block to use it here.
    "#);
}
