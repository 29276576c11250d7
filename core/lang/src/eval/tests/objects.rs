//! Resources and data sources: repetition, configuration against a schema.

use sgp_model::ModulePath;

use super::{addr, evaluator, problems, rendered, show};

fn config(main: &str, instance: &str) -> String {
    let mut evaluator = evaluator(main);
    match evaluator.instance_config(&addr(instance)) {
        Ok(value) => show(&value),
        Err(_) => rendered(&evaluator.take_diagnostics(), &evaluator.config().sources),
    }
}

const EMPTY: &str = "arn = null(string), id = null(string), ids = null(set(string)), name = \"n\", one = null(object({x = bool})), open = null(set(object({port = number, why = string}))), rule = list[], secret = null(string), size = null(number), tags = null(map(string)), timeouts = null(object({create = string}))";

#[test]
fn what_is_not_set_is_null() {
    let found = config("resource \"test_thing\" \"a\" {\n  name = \"n\"\n}", "test_thing.a");
    assert_eq!(found, format!("{{{EMPTY}}}"));
}

#[test]
fn arguments_are_converted_to_the_schema() {
    let main = r#"
resource "test_thing" "a" {
  name   = 5
  size   = "7"
  ids    = ["b", "a", "b"]
  tags   = { a = 1, b = true }
  secret = "s"
  one { x = "true" }
  rule {
    port  = "80"
    cidrs = ["10.0.0.0/8"]
    note { text = "first" }
    note { text = "second" }
  }
  rule { port = 443 }
  open = [{ port = 1 }]
  timeouts { create = "5m" }
}
"#;
    insta::assert_snapshot!(config(main, "test_thing.a"), @r#"{arn = null(string), id = null(string), ids = set["a", "b"], name = "5", one = {x = true}, open = set[{port = 1, why = null(string)}], rule = list[{cidrs = list["10.0.0.0/8"], note = list[{text = "first"}, {text = "second"}], port = 80}, {cidrs = null(list(string)), note = list[], port = 443}], secret = sensitive("s"), size = 7, tags = map{a = "1", b = "true"}, timeouts = {create = "5m"}}"#);
}

#[test]
fn blocks_that_the_provider_may_decide_are_elements_too() {
    let main = "resource \"test_thing\" \"a\" {\n  name = \"n\"\n  open { port = 2 }\n  open { port = 1 }\n}\n";
    let found = config(main, "test_thing.a");
    let expected = "open = set[{port = 1, why = null(string)}, {port = 2, why = null(string)}]";
    assert!(found.contains(expected), "{found}");
}

#[test]
fn dynamic_blocks_are_written_out() {
    let main = r#"
variable "ports" { default = { http = 80, https = 443 } }
resource "test_thing" "a" {
  name = "n"
  dynamic "rule" {
    for_each = var.ports
    iterator = each_port
    content {
      port  = each_port.value
      cidrs = [each_port.key]
      dynamic "note" {
        for_each = [1, 2]
        content { text = "${each_port.key}-${note.value}" }
      }
    }
  }
}
resource "test_thing" "b" {
  name = "n"
  dynamic "rule" {
    for_each = [for i in [1] : terraform_data.x.id if terraform_data.x.id != "y"]
    content { port = 1 }
  }
}
resource "terraform_data" "x" {}
"#;
    let found = config(main, "test_thing.a");
    assert!(found.contains(r#"rule = list[{cidrs = list["http"], note = list[{text = "http-1"}, {text = "http-2"}], port = 80}, {cidrs = list["https"], note = list[{text = "https-1"}, {text = "https-2"}], port = 443}]"#), "{found}");
    let found = config(main, "test_thing.b");
    assert!(found.contains("rule = unknown(list(object("), "{found}");
}

#[test]
fn mistakes_in_a_body_are_all_reported() {
    let main = r#"
resource "test_thing" "a" {
  nmae = "n"
  size = "many"
  id   = "x"
  colour = "red"
  rule = []
  tags { a = 1 }
  rule { prot = 1 }
  edge {}
  one {}
  one {}
  dynamic "rule" {
    content {}
  }
}
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Unsupported argument at main.tf:3:3: `nmae`
      An argument named "nmae" is not expected here. Did you mean "name"?
    Incorrect attribute value type at main.tf:4:10: `"many"`
      Inappropriate value for attribute "size": a number is required.
    Value for unconfigurable attribute at main.tf:5:3: `id`
      "id" cannot be set: its value is decided when the object is created and is only read. Remove the argument.
    Unsupported argument at main.tf:6:3: `colour`
      Terraform's type has "colour", but sgp does not support it yet.
    Unsupported argument at main.tf:7:3: `rule`
      An argument named "rule" is not expected here. Did you mean to define a block of type "rule"? Write it without the equals sign.
    Missing required argument at main.tf:2:1: `resource "test_thing" "a"`
      The argument "name" is required, but no definition was found.
    Unsupported block type at main.tf:8:3: `tags`
      Blocks of type "tags" are not expected here. Did you mean to set the argument "tags"? Write it with an equals sign.
    Unsupported argument at main.tf:9:10: `prot`
      An argument named "prot" is not expected here. Did you mean "port"?
    Missing required argument at main.tf:9:3: `rule`
      The argument "port" is required, but no definition was found.
    Unsupported block type at main.tf:10:3: `edge`
      Terraform's type has "edge", but sgp does not support it yet.
    Invalid dynamic block at main.tf:13:3: `dynamic "rule"`
      The argument "for_each" is required in a dynamic block.
    Too many one blocks at main.tf:12:3: `one`
      No more than 1 block of type "one" is allowed.
    "#);
}

#[test]
fn instances_by_number_and_by_key() {
    let main = r#"
resource "test_thing" "c" {
  count = 2
  name  = "c${count.index}"
}
resource "test_thing" "e" {
  for_each = { a = 1, b = 2 }
  name     = "${each.key}${each.value}"
}
resource "test_thing" "s" {
  for_each = toset(["x"])
  name     = each.value
}
resource "test_thing" "none" {
  count = 0
  name  = "never"
}
output "c" { value = test_thing.c[*].name }
output "e" { value = { for k, t in test_thing.e : k => t.name } }
output "one" { value = test_thing.e["a"].name }
output "none" { value = test_thing.none }
output "first" { value = one(test_thing.none[*].name) }
"#;
    let mut evaluator = evaluator(main);
    let mut output = |name: &str| show(&evaluator.output(&ModulePath::root(), name).unwrap());
    assert_eq!(output("c"), r#"["c0", "c1"]"#);
    assert_eq!(output("e"), r#"{a = "a1", b = "b2"}"#);
    assert_eq!(output("one"), r#""a1""#);
    assert_eq!(output("none"), "[]");
    assert_eq!(output("first"), "null");
    let listed: Vec<String> = evaluator.resources().iter().map(ToString::to_string).collect();
    assert_eq!(listed, ["test_thing.c", "test_thing.e", "test_thing.s", "test_thing.none"]);
}

#[test]
fn repetition_must_be_known_and_of_the_right_kind() {
    let main = r#"
resource "terraform_data" "x" {}
variable "secret" {
  default   = 1
  sensitive = true
}
resource "terraform_data" "a" { count = terraform_data.x.id }
resource "terraform_data" "b" { count = -1 }
resource "terraform_data" "c" { count = null }
resource "terraform_data" "d" { count = var.secret }
resource "terraform_data" "e" { for_each = ["a"] }
resource "terraform_data" "f" { for_each = toset([terraform_data.x.id]) }
resource "terraform_data" "g" { for_each = null }
resource "terraform_data" "h" { for_each = { a = terraform_data.x.id } }
resource "terraform_data" "i" { count = "two" }
resource "terraform_data" "l" { count = 100000000000 }
resource "terraform_data" "j" { input = terraform_data.h.id }
resource "terraform_data" "k" { input = terraform_data.h["b"].id }
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Invalid count argument at main.tf:8:41: `-1`
      The count must be a whole number, zero or more.
    Invalid count argument at main.tf:9:41: `null`
      The count is null. A whole number, zero or more, is needed.
    Invalid for_each argument at main.tf:11:44: `["a"]`
      The for_each argument must be a map, or a set of strings, but this is a tuple. A list has no keys: use toset(...) when its elements are distinct strings.
    Invalid for_each argument at main.tf:13:44: `null`
      The for_each argument is null. A map, or a set of strings, is needed; use an empty one for no instances.
    Invalid count argument at main.tf:15:41: `"two"`
      The count must be a whole number, zero or more: a number is required.
    Invalid count argument at main.tf:16:41: `100000000000`
      The count is 100000000000; more than 1000000 instances are not planned.
    Missing resource instance key at main.tf:17:41: `terraform_data.h.id`
      terraform_data.h has for_each set, so "id" belongs to its instances. Name one of them, as in terraform_data.h[each.key].id, or take all with a for expression.
    Invalid index at main.tf:18:41: `terraform_data.h["b"]`
      terraform_data.h has no instance with the given key. The keys of for_each are: "a".
    "#);
}

#[test]
fn one_instance_stands_for_those_that_nobody_knows() {
    let main = r#"
resource "terraform_data" "x" {}
resource "test_thing" "count" {
  count = terraform_data.x.id
  name  = "n${count.index}"
}
resource "test_thing" "keys" {
  for_each = toset(["a", terraform_data.x.id])
  name     = "fixed"
  tags     = { k = each.key }
}
locals {
  one    = test_thing.keys["a"].name
  some   = test_thing.keys["a"].tags
  list   = test_thing.count
  map    = { for k, v in test_thing.keys : k => v.name }
  length = length(test_thing.count)
}
"#;
    let mut e = evaluator(main);
    for name in ["count", "keys"] {
        let resource = addr(&format!("test_thing.{name}")).resource;
        assert_eq!(e.instances(&resource).unwrap(), [Some(sgp_model::InstanceKey::Any {})]);
        assert!(e.is_open(&resource));
        let open = e.open_keys(&resource).unwrap();
        assert_eq!(open.references.into_iter().collect::<Vec<_>>(), ["terraform_data.x.id"]);
    }
    let known = addr("terraform_data.x").resource;
    assert!(e.open_keys(&known).is_none() && !e.is_open(&known));
    let mut value = |text: &str| show(&e.eval_text(&ModulePath::root(), text).unwrap());
    assert_eq!(value("local.one"), "\"fixed\"");
    assert_eq!(value("local.some"), "map{k = unknown(string)}");
    assert_eq!(value("local.map"), "unknown(any)");
    assert_eq!(value("local.length"), "unknown(number)");
    assert_eq!(value("test_thing.count[0].name"), "unknown(string)");
    assert_eq!(value("test_thing.count[*].name"), "unknown(list(string))");
    assert_eq!(value("keys(test_thing.keys)"), "unknown(list(string))");
}

#[test]
fn conditions_are_checked() {
    let main = r#"
resource "test_thing" "a" {
  name = "n"
  lifecycle {
    precondition {
      condition     = length(path.root) > 2
      error_message = "One is not more than two."
    }
  }
}
resource "test_thing" "b" {
  name = "n"
  lifecycle {
    postcondition {
      condition     = self.name == "m"
      error_message = "The name is ${self.name}."
    }
    postcondition {
      condition     = self.id == "known later"
      error_message = "never"
    }
  }
}
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Resource precondition failed at main.tf:6:23: `length(path.root) > 2`
      One is not more than two.
    Resource postcondition failed at main.tf:15:23: `self.name == "m"`
      The name is n.
    "#);
}

#[test]
fn providers_are_found_and_configured() {
    let main = r#"
provider "test" { region = "here" }
provider "test" {
  alias  = "far"
  region = "there"
  key    = "k"
}
resource "test_thing" "a" { name = "a" }
resource "test_thing" "b" {
  provider = test.far
  name     = "b"
}
module "m" {
  source    = "./m"
  providers = { test = test.far }
}
module "n" { source = "./m" }
"#;
    let inner = "resource \"test_thing\" \"i\" {\n  name = \"i\"\n}";
    let mut evaluator = super::evaluator_of(
        &[("main.tf", main), ("m/main.tf", inner)],
        super::Inputs::default(),
        super::TestWorld::default(),
    );
    let resources = evaluator.resources();
    let of: Vec<String> =
        resources.iter().map(|r| format!("{r} {}", evaluator.provider_of(&r.instance(None)))).collect();
    assert_eq!(
        of,
        [
            "test_thing.a provider.test",
            "test_thing.b provider.test.far",
            "module.m.test_thing.i provider.test.far",
            "module.n.test_thing.i provider.test"
        ]
    );
    let far = evaluator.provider_of(&resources[1].instance(None));
    assert_eq!(show(&evaluator.provider_config(&far).unwrap()), r#"{key = sensitive("k"), region = "there"}"#);
    let absent = sgp_model::ProviderAddr::root("terraform");
    assert_eq!(show(&evaluator.provider_config(&absent).unwrap()), "{key = null(string), region = null(string)}");
}

#[test]
fn imports_name_instances_and_ids() {
    let main = r#"
import {
  to = test_thing.a
  id = "sg-${1 + 1}"
}
import {
  for_each = { x = "id-x", y = "id-y" }
  to       = test_thing.b[each.key]
  id       = each.value
}
resource "test_thing" "a" { name = "a" }
resource "test_thing" "b" {
  for_each = toset(["x", "y"])
  name     = each.key
}
"#;
    let mut evaluator = evaluator(main);
    let found: Vec<String> = evaluator.imports().into_iter().map(|(a, id)| format!("{a} {id}")).collect();
    assert_eq!(found, ["test_thing.a sg-2", "test_thing.b[\"x\"] id-x", "test_thing.b[\"y\"] id-y"]);
}

#[test]
fn triggers_name_managed_resources() {
    let main = r#"
variable "v" { default = 1 }
locals { l = 1 }
data "test_look" "d" { name = "d" }
resource "test_thing" "one" { name = "one" }
resource "test_thing" "many" {
  for_each = toset(["a"])
  name     = each.key
}
resource "terraform_data" "x" {
  for_each = toset(["a"])
  lifecycle {
    replace_triggered_by = [
      test_thing.one, resource.test_thing.one.rule[0].port, test_thing.many[each.key].tags["x"], test_thing.many,
      "test_thing.one", var.v, data.test_look.d.found, test_thing.on, test_thing.one.nmae, test_thing.many.name,
      test_thing.one["a"], test_thing.many[local.l], test_thing.many[*].name, test_thing.many[count.index],
    ]
  }
}
resource "terraform_data" "y" {
  lifecycle { replace_triggered_by = test_thing.one }
}
data "test_look" "e" {
  name = "e"
  lifecycle { replace_triggered_by = [test_thing.one] }
}
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Invalid replace_triggered_by entry at main.tf:15:7: `"test_thing.one"`
      An entry names a managed resource, an instance of it or an attribute of that, without quotes: aws_iam_role.node, aws_iam_role.node[each.key], aws_iam_role.node.name.
    Invalid replace_triggered_by entry at main.tf:15:25: `var.v`
      Only managed resources trigger a replacement. Keep the value in a terraform_data with input = ..., and name that.
    Invalid replace_triggered_by entry at main.tf:15:32: `data.test_look.d.found`
      Data sources do not trigger a replacement: they are read, not changed. Keep the value in a terraform_data with input = ..., and name that.
    Invalid replace_triggered_by entry at main.tf:16:28: `test_thing.many[local.l]`
      An index in replace_triggered_by is fixed, or one of count.index and each.key.
    Invalid replace_triggered_by entry at main.tf:16:54: `test_thing.many[*].name`
      An entry names a managed resource, an instance of it or an attribute of that, without quotes: aws_iam_role.node, aws_iam_role.node[each.key], aws_iam_role.node.name.
    Invalid expression at main.tf:21:38: `test_thing.one`
      replace_triggered_by is a list of references in brackets.
    Unsupported argument at main.tf:25:15: `replace_triggered_by`
      An argument named "replace_triggered_by" is not expected in a lifecycle block.
    Reference to "count" in non-counted context at main.tf:16:95: `count.index`
      count.index stands only in blocks that have count set.
    Reference to undeclared resource at main.tf:15:56: `test_thing.on`
      A managed resource "test_thing.on" has not been declared in this module. Did you mean test_thing.one?
    Unsupported attribute at main.tf:15:71: `test_thing.one.nmae`
      test_thing has no argument, nested block or exported attribute named "nmae". Did you mean "name"?
    Missing resource instance key at main.tf:15:92: `test_thing.many.name`
      test_thing.many repeats, so that its attributes belong to its instances. Name one of them, as in test_thing.many[each.key], or test_thing.many for a change of any.
    Unexpected resource instance key at main.tf:16:7: `test_thing.one["a"]`
      test_thing.one has neither count nor for_each set, so it is one object and has no index.
    "#);
}

#[test]
fn what_triggers_is_evaluated_before() {
    let main = r#"
resource "test_thing" "a" {
  count = 2
  name  = "a"
}
resource "test_thing" "b" {
  count = 2
  name  = "b"
  lifecycle { replace_triggered_by = [test_thing.a[count.index].tags] }
}
"#;
    let mut evaluator = evaluator(main);
    evaluator.object(&addr("test_thing.b[1]")).unwrap();
    assert_eq!(evaluator.world().asked, ["test_thing.a[1]", "test_thing.b[1]"]);
    assert_eq!(evaluator.world().deps["test_thing.b[1]"], ["test_thing.a[1]"]);
}
