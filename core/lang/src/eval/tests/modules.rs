//! Modules, variables and outputs.

use std::collections::BTreeMap;

use sgp_model::{ModulePath, Value};

use super::{Inputs, TestWorld, evaluator_of, force, rendered, show};
use crate::{Given, VariableInput};

fn given(rows: &[(&str, &str)]) -> Inputs {
    let variables = rows.iter().map(|(name, text)| {
        let input = VariableInput { given: Given::Text((*text).into()), from: "-var".into(), span: None };
        ((*name).to_owned(), input)
    });
    Inputs { variables: variables.collect(), ..Inputs::default() }
}

/// The variables of a configuration, and what is wrong with them.
fn variables(main: &str, rows: &[(&str, &str)]) -> (BTreeMap<String, String>, String) {
    let mut evaluator = evaluator_of(&[("main.tf", main)], given(rows), TestWorld::default());
    let found = evaluator.variables().into_iter().map(|(k, v)| (k, show(&v))).collect();
    (found, rendered(&evaluator.take_diagnostics(), &evaluator.config().sources))
}

#[test]
fn variables_take_text_by_their_type() {
    let main = r#"
variable "s" { type = string }
variable "n" { type = number }
variable "any" {}
variable "expr" { type = any }
variable "list" { type = list }
variable "map" { type = map }
variable "l" { type = list(string) }
variable "o" {
  type = object({
    name = string
    size = optional(number, 3)
    tags = optional(map(string))
    deep = optional(object({ x = optional(string, "dx") }), {})
  })
}
variable "hidden" {
  type      = string
  sensitive = true
}
variable "kept" {
  default  = "d"
  nullable = false
}
"#;
    let rows = [
        ("s", "[1]"),
        ("n", "5"),
        ("any", "[true]"),
        ("expr", "[true]"),
        ("list", "[1, \"b\"]"),
        ("map", "{ a = 1 }"),
        ("l", "[1, \"b\"]"),
        ("o", "{ name = \"n\" }"),
        ("hidden", "pw"),
    ];
    let (found, problems) = variables(main, &rows);
    assert_eq!(problems, "");
    let expected = [
        ("any", "\"[true]\""),
        ("expr", "[true]"),
        ("hidden", "sensitive(\"pw\")"),
        ("kept", "\"d\""),
        ("l", "list[\"1\", \"b\"]"),
        ("list", "list[\"1\", \"b\"]"),
        ("map", "map{a = 1}"),
        ("n", "5"),
        ("o", "{deep = {x = \"dx\"}, name = \"n\", size = 3, tags = null(map(string))}"),
        ("s", "\"[1]\""),
    ];
    assert_eq!(found, expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let main = r#"
variable "missing" {}
variable "n" { type = number }
variable "l" { type = list(string) }
variable "broken" { type = list(string) }
variable "checked" {
  type = string
  validation {
    condition     = startswith(var.checked, "sg-")
    error_message = "The value ${var.checked} is not the id of a security group."
  }
}
variable "quiet" {
  sensitive = true
  validation {
    condition     = length(var.quiet) > 5
    error_message = "${var.quiet} is too short."
  }
}
variable "default" {
  type    = number
  default = "x"
}
"#;
    let rows = [("n", "five"), ("l", "{}"), ("broken", "[1,"), ("checked", "vpc-1"), ("quiet", "pw"), ("unknwon", "1")];
    insta::assert_snapshot!(variables(main, &rows).1, @r#"
    Value for undeclared variable
      A value for "unknwon" was given with -var, but the root module declares no variable of that name.
    Invalid value for input variable at main.tf:5:1: `variable "broken"`
      The value for "broken" from -var is not a valid expression: An expression is expected here: a value, a reference or a function call; found the end of the text. A list(string) is needed.
    Invalid value for variable at main.tf:9:21: `startswith(var.checked, "sg-")`
      The value vpc-1 is not the id of a security group.
      
      This was checked by the validation rule of the variable "checked".
      var.checked is "vpc-1"
    Invalid default value for variable at main.tf:22:13: `"x"`
      The default of "default" does not fit its type number: a number is required.
    Invalid value for input variable at main.tf:4:1: `variable "l"`
      The value for "l" from -var does not fit its type list(string): list of string required.
    No value for required variable at main.tf:2:1: `variable "missing"`
      The variable "missing" has no default and no value was given. Set it with -var 'missing=...', in a .tfvars file, or in the environment variable TF_VAR_missing.
    Invalid value for input variable at main.tf:3:1: `variable "n"`
      The value for "n" from -var does not fit its type number: a number is required.
    Invalid value for variable at main.tf:16:21: `length(var.quiet) > 5`
      The message of this check is not shown because it would disclose a sensitive value.
      
      This was checked by the validation rule of the variable "quiet".
      var.quiet has a sensitive value
    "#);
}

#[test]
fn modules_repeat_and_pass_values() {
    let main = r#"
module "a" {
  source   = "./m"
  for_each = { x = 1, y = 2 }
  size     = each.value
}
module "b" {
  source = "./m"
  count  = 2
  size   = count.index
}
module "c" {
  source = "./m"
  size   = 9
}
output "a" { value = module.a["x"].doubled }
output "all" { value = { for k, m in module.a : k => m.doubled } }
output "b" { value = module.b[*].doubled }
output "c" { value = module.c.doubled }
output "whole" { value = module.c }
output "nested" { value = module.c.inner }
"#;
    let inner = r#"
variable "size" { type = number }
variable "unused" { default = "d" }
module "deep" {
  source = "./deep"
  from   = "${path.module}:${var.size}"
}
output "doubled" { value = var.size * 2 }
output "inner" { value = module.deep.out }
"#;
    let deep = "variable \"from\" {}\noutput \"out\" {\n  value = \"${path.module} ${var.from}\"\n}";
    let files = [("main.tf", main), ("m/main.tf", inner), ("m/deep/main.tf", deep)];
    let mut evaluator = evaluator_of(&files, Inputs::default(), TestWorld::default());
    let mut output = |name: &str| show(&evaluator.output(&ModulePath::root(), name).unwrap());
    assert_eq!(output("a"), "2");
    assert_eq!(output("all"), "{x = 2, y = 4}");
    assert_eq!(output("b"), "[0, 2]");
    assert_eq!(output("c"), "18");
    assert_eq!(output("whole"), "{doubled = 18, inner = \"m/deep m:9\"}");
    assert_eq!(output("nested"), "\"m/deep m:9\"");
    let paths: Vec<String> = evaluator.module_instances().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        paths,
        [
            "",
            "module.a[\"x\"]",
            "module.a[\"x\"].module.deep",
            "module.a[\"y\"]",
            "module.a[\"y\"].module.deep",
            "module.b[0]",
            "module.b[0].module.deep",
            "module.b[1]",
            "module.b[1].module.deep",
            "module.c",
            "module.c.module.deep"
        ]
    );
}

#[test]
fn wrong_arguments_of_modules_are_named() {
    let main = r#"
module "a" {
  source = "./m"
  sise   = 1
}
module "b" {
  source = "./m"
  size   = "big"
}
output "x" { value = module.b.doubeld }
output "y" { value = module.nope.x }
"#;
    let inner = "variable \"size\" {\n  type = number\n}\noutput \"doubled\" {\n  value = var.size\n}";
    insta::assert_snapshot!(super::problems(&[("main.tf", main), ("m/main.tf", inner)]), @r#"
    Unsupported argument at main.tf:4:3: `sise`
      module.a has no variable named "sise". Did you mean "size"?
    Missing required argument at main.tf:2:1: `module "a"`
      The argument "size" is required by module.a, but it is not set.
    Unsupported attribute at main.tf:10:22: `module.b.doubeld`
      module.b has no output named "doubeld". Did you mean "doubled"?
    Reference to undeclared module at main.tf:11:22: `module.nope`
      No module call named "nope" is declared in this module.
    Invalid value for module argument at main.tf:8:12: `"big"`
      The given value is not suitable for the variable "size" of module.b: a number is required.
    "#);
}

#[test]
fn messages_point_at_the_part_that_is_wrong() {
    let main = r#"
variable "d" {
  type = map(list(number))
  default = {
    a = [1]
    b = [1, "x"]
  }
}
module "a" {
  source = "./m"
  size   = null
  rules = [
    { port = 80 },
    { port = "http" },
  ]
}
provider "test" {
  alias = "far"
}
module "b" {
  source    = "./m"
  size      = 1
  providers = { test = test.fra, tset = test, terraform = terraform.x }
}
resource "test_thing" "t" {
  name = "t"
  tags = {
    a = "1"
    b = ["2"]
  }
}
module "c" { source = "./nowhere" }
"#;
    let inner = r#"
variable "size" {
  type     = number
  nullable = false
}
variable "rules" {
  type    = list(object({ port = number }))
  default = []
}
import {
  to = test_thing.x
  id = "x"
}
"#;
    insta::assert_snapshot!(super::problems(&[("main.tf", main), ("m/main.tf", inner)]), @r#"
    Module not found at main.tf:32:23: `"./nowhere"`
      There is no folder "nowhere". The path counts from the folder of the file that names it.
    Provider configuration not present at main.tf:23:24: `test.fra`
      There is no provider configuration test.fra. Did you mean "test.far"? Declare it with a provider block that has this alias.
    Unknown provider at main.tf:23:34: `tset`
      sgp has no provider named "tset". Did you mean "test"? Its providers are built in: "terraform" and "test".
    Provider configuration not present at main.tf:23:59: `terraform.x`
      There is no provider configuration terraform.x. Declare it with a provider block that has this alias.
    Invalid import configuration at m/main.tf:10:1: `import`
      An import block stands in the root module only. Move it there, and name the resource from there: to = module.name.type.name.
    Invalid default value for variable at main.tf:6:13: `"x"`
      The default of "d" does not fit its type map(list(number)): element "b": element 1: a number is required.
    Incorrect attribute value type at main.tf:29:9: `["2"]`
      Inappropriate value for attribute "tags": element "b": string required.
    Invalid value for module argument at main.tf:14:14: `"http"`
      The given value is not suitable for the variable "rules" of module.a: element 1: attribute "port": a number is required.
    Required variable not set at main.tf:11:12: `null`
      The variable "size" must not be null (nullable = false), and it has no default to fall back to.
    "#);
}

#[test]
fn outputs_do_not_disclose() {
    let main = r#"
variable "hidden" {
  default   = "pw"
  sensitive = true
}
output "bare" { value = "x-${var.hidden}" }
output "marked" {
  value     = "x-${var.hidden}"
  sensitive = true
}
"#;
    let mut evaluator = evaluator_of(&[("main.tf", main)], Inputs::default(), TestWorld::default());
    force(&mut evaluator);
    let found = evaluator.take_diagnostics();
    assert_eq!(found.0.iter().map(|d| d.summary.as_str()).collect::<Vec<_>>(), ["Output refers to sensitive values"]);
    assert_eq!(show(&evaluator.output(&ModulePath::root(), "marked").unwrap()), "sensitive(\"x-pw\")");
}

#[test]
fn ephemeral_values_are_never_stored() {
    let main = r#"
variable "token" {
  default   = "secret"
  ephemeral = true
}
resource "test_thing" "a" {
  name = "x-${var.token}"
  tags = { a = var.token }
}
resource "test_thing" "b" {
  name = "b"
  rule { port = length(var.token) }
}
resource "terraform_data" "c" { count = length(var.token) }
resource "terraform_data" "d" { for_each = toset([var.token]) }
provider "test" { region = var.token }
locals { fine = upper(var.token) }
module "m" {
  source = "./m"
  token  = local.fine
}
output "a" { value = var.token }
output "b" { value = module.m.passed }
output "c" {
  value     = 1
  ephemeral = true
}
output "d" { value = length(ephemeralasnull({ a = 1, b = var.token })) }
"#;
    let inner = r#"
variable "token" { ephemeral = true }
output "passed" {
  value     = var.token
  ephemeral = true
}
output "not" { value = [var.token] }
"#;
    let found = super::problems(&[("main.tf", main), ("m/main.tf", inner)]);
    let places: Vec<&str> = found.lines().filter(|l| !l.starts_with(' ')).collect();
    assert_eq!(
        places,
        [
            "Invalid use of ephemeral value at main.tf:7:10: `\"x-${var.token}\"`",
            "Invalid use of ephemeral value at main.tf:8:10: `{ a = var.token }`",
            "Invalid use of ephemeral value at main.tf:12:17: `length(var.token)`",
            "Invalid count argument at main.tf:14:41: `length(var.token)`",
            "Invalid for_each argument at main.tf:15:44: `toset([var.token])`",
            "Ephemeral value not allowed at main.tf:22:1: `output \"a\"`",
            "Ephemeral value not allowed at main.tf:23:1: `output \"b\"`",
            "Ephemeral value not allowed at main.tf:24:1: `output \"c\"`",
            "Ephemeral value not allowed at m/main.tf:7:1: `output \"not\"`",
        ],
        "{found}"
    );
}

#[test]
fn a_value_may_come_as_a_value() {
    let input =
        VariableInput { given: Given::Value(Value::tuple(vec!["a".into()])), from: "x.tfvars".into(), span: None };
    let inputs = Inputs { variables: BTreeMap::from([("l".into(), input)]), ..Inputs::default() };
    let mut evaluator =
        evaluator_of(&[("main.tf", "variable \"l\" {\n  type = set(string)\n}")], inputs, TestWorld::default());
    assert_eq!(show(&evaluator.variables()["l"]), "set[\"a\"]");
}

#[test]
fn what_is_deprecated_is_told_to_whoever_uses_it() {
    let main = r#"
module "m" {
  source = "./m"
  old    = 1
}
module "many" {
  source   = "./m"
  for_each = toset(["a"])
  new      = each.key
}
output "a" { value = module.m.old }
output "b" { value = module.many["a"].old }
output "c" { value = module.m.new }
locals { all = values(module.many)[*].old }
output "d" { value = module.m[*].old }
"#;
    let inner = r#"
variable "old" {
  default    = null
  deprecated = "Use new."
}
variable "new" { default = null }
output "old" {
  value      = var.old
  deprecated = "Read new."
}
output "new" { value = var.new }
variable "empty" {
  default    = 1
  deprecated = ""
}
"#;
    insta::assert_snapshot!(super::problems(&[("main.tf", main), ("m/main.tf", inner)]), @r#"
    Invalid value at m/main.tf:14:16: `""`
      The text of deprecated says what to use instead; it cannot be empty.
    warning: Deprecated variable at main.tf:4:3: `old`
      The variable "old" of module.m is deprecated: Use new.
    warning: Deprecated output at main.tf:11:22: `module.m.old`
      The output "old" of module.m is deprecated: Read new.
    warning: Deprecated output at main.tf:12:22: `module.many["a"].old`
      The output "old" of module.many is deprecated: Read new.
    warning: Deprecated output at main.tf:15:30: `[*].old`
      The output "old" of module.m is deprecated: Read new.
    "#);
}

#[test]
fn outputs_have_types() {
    let main = r#"
output "a" {
  value = "5"
  type  = number
}
output "b" {
  value = { name = "x" }
  type  = object({ name = string, size = optional(number, 3) })
}
output "c" {
  value = { a = ["x"] }
  type  = map(list(number))
}
output "d" {
  value = 1
  type  = strin
}
"#;
    let found = super::problems(&[("main.tf", main)]);
    insta::assert_snapshot!(found, @r#"
    Invalid type specification at main.tf:16:11: `strin`
      A type is one of string, number, bool, any, list(T), set(T), map(T), object({ name = T }) and tuple([T]). Did you mean "string"?
    Invalid output value at main.tf:11:18: `"x"`
      The value of "c" does not fit its type map(list(number)): element "a": element 0: a number is required.
    "#);
    let mut evaluator = super::evaluator(&main[..main.find("output \"c\"").unwrap()]);
    let shown = |it: &mut crate::eval::Evaluator<super::TestWorld>, name: &str| {
        show(&it.output(&ModulePath::root(), name).unwrap())
    };
    assert_eq!(shown(&mut evaluator, "a"), "5");
    assert_eq!(shown(&mut evaluator, "b"), "{name = \"x\", size = 3}");
}

#[test]
fn const_variables_take_what_is_fixed() {
    let main = r#"
variable "kind" {
  default = "a"
  const   = true
}
variable "open" { default = "a" }
locals {
  fine = "${var.kind}-${path.module}"
  wrong = [for x in [1] : var.open]
}
resource "terraform_data" "x" {}
module "m" {
  source   = "./m"
  for_each = toset(["k"])
  a        = local.fine
  b        = local.wrong
  c        = terraform_data.x.id
  d        = each.key
  e        = upper("x")
}
variable "both" {
  default   = 1
  const     = true
  ephemeral = true
}
"#;
    let variable = |name: &str| format!("variable \"{name}\" {{ const = true }}\n");
    let inner: String = ["a", "b", "c", "d", "e"].into_iter().map(variable).collect();
    insta::assert_snapshot!(super::problems(&[("main.tf", main), ("m/main.tf", &inner)]), @r#"
    Invalid combination of arguments at main.tf:23:3: `const`
      A value that is only for one run is not fixed. Remove const or ephemeral.
    Invalid value for const variable at main.tf:16:14: `local.wrong`
      The variable "b" of module.m is const: its value is known before anything is planned. var.open is not. Use fixed values, const variables and local values made of them.
    Invalid value for const variable at main.tf:17:14: `terraform_data.x.id`
      The variable "c" of module.m is const: its value is known before anything is planned. terraform_data.x is not. Use fixed values, const variables and local values made of them.
    Invalid value for const variable at main.tf:18:14: `each.key`
      The variable "d" of module.m is const: its value is known before anything is planned. each.key is not. Use fixed values, const variables and local values made of them.
    "#);
}
