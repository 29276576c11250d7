//! Checking a configuration on its own, without state, providers or values for its variables.

use std::sync::Arc;

use sgp_model::{Diagnostics, Value};

use crate::{
    config::Config,
    eval::{Answer, Configured, DepsView, Evaluator, Inputs, Schemas, World},
    source::Files,
};

/// Every object is unknown, but has the type of its schema.
struct AnyWorld {
    schemas: Arc<dyn Schemas + Send + Sync>,
}

impl World for AnyWorld {
    fn object(&mut self, configured: Configured<'_>, _: &DepsView<'_>) -> Answer {
        let block = configured.block;
        match self.schemas.resource(block.mode, &block.type_name) {
            Some(schema) => Answer::Value(Value::unknown_not_null(schema.ty())),
            None => Answer::Failed(Diagnostics::new()),
        }
    }
}

/// Everything that is wrong with a configuration whatever its variables are.
pub fn validate(
    config: &Arc<Config>,
    schemas: Arc<dyn Schemas + Send + Sync>,
    files: Arc<dyn Files + Send + Sync>,
) -> Diagnostics {
    let inputs = Inputs { validating: true, cwd: files.cwd(), ..Inputs::default() };
    let mut evaluator = Evaluator::new(config.clone(), inputs, schemas.clone(), files, AnyWorld { schemas });
    for resource in evaluator.resources() {
        if let Ok(keys) = evaluator.instances(&resource) {
            for key in keys {
                let _ = evaluator.object(&resource.instance(key));
            }
        }
    }
    evaluator.check_rest();
    evaluator.take_diagnostics()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        eval::tests::{rendered, schemas},
        load::load,
        source::MemoryFiles,
    };

    fn check(files: &[(&str, &str)]) -> String {
        let memory = Arc::new(MemoryFiles::new(files.iter().copied()));
        let loaded = load(".", &*memory);
        let mut all = loaded.diagnostics;
        all.extend(validate(&loaded.config, schemas(), memory));
        rendered(&all, &loaded.config.sources)
    }

    #[test]
    fn what_depends_on_values_passes() {
        let main = r#"
variable "names" { type = set(string) }
variable "n" { type = number }
variable "on" { type = bool }
variable "any" {}
resource "test_thing" "a" {
  for_each = var.names
  name     = each.value
  size     = var.n
}
resource "test_thing" "b" {
  count = var.on ? 1 : 0
  name  = test_thing.a["x"].name
  size  = count.index == 0 ? 1 : test_thing.b[count.index - 1].size
}
resource "test_thing" "c" {
  for_each = { for k, t in test_thing.a : k => t.id }
  name     = "${each.key}-${each.value}-${one(test_thing.b[*].id)}"
  tags     = var.any.tags
  dynamic "rule" {
    for_each = var.any.rules
    content { port = rule.value.port }
  }
}
module "m" {
  source   = "./m"
  for_each = var.names
  name     = each.key
}
output "o" { value = { for k, m in module.m : k => m.id } }
output "p" { value = module.m["a"].id }
data "test_look" "l" { name = test_thing.b[0].arn }
"#;
        let inner = "variable \"name\" {}\noutput \"id\" {\n  value = var.name\n}";
        assert_eq!(check(&[("main.tf", main), ("m/main.tf", inner)]), "");
    }

    /// A module is valid on its own although its defaults alone would not do.
    #[test]
    fn a_default_is_one_value_of_many() {
        let main = r#"
variable "subnets" {
  type    = list(string)
  default = []
}
variable "more" {
  type    = list(string)
  default = []
}
locals { first = coalescelist(var.more, var.subnets)[0] }
"#;
        assert_eq!(check(&[("main.tf", main)]), "");
        let wrong = "variable \"subnets\" {\n  type    = list(string)\n  default = 1\n}\n";
        assert!(check(&[("main.tf", wrong)]).contains("Invalid default value"));
    }

    #[test]
    fn what_is_wrong_whatever_the_values_is_found() {
        let main = r#"
variable "names" { type = set(string) }
variable "n" { type = list(string) }
resource "test_thing" "a" {
  for_each = var.names
  name     = each.value.first
  size     = var.n
}
resource "test_thing" "b" {
  count = 0
  name  = test_thing.a["x"].nmae
  sise  = 1
}
locals {
  x = local.y
  y = local.x
  z = var.n.first
}
module "m" {
  source = "./m"
  count  = 0
}
resource "test_thing" "c" {
  name = test_thing.d.id
}
resource "test_thing" "d" {
  name = test_thing.c.id
}
"#;
        let inner = "output \"id\" {\n  value = var.name\n}";
        insta::assert_snapshot!(check(&[("main.tf", main), ("m/main.tf", inner)]), @r#"
    Unsupported attribute at main.tf:6:14: `each.value.first`
      This is a string, which does not have attributes.
      each.value is a string, known only after apply
    Incorrect attribute value type at main.tf:7:14: `var.n`
      Inappropriate value for attribute "size": number required.
      var.n is a list of string, known only after apply
    Unsupported attribute at main.tf:11:11: `test_thing.a["x"].nmae`
      test_thing has no argument, nested block or exported attribute named "nmae". Did you mean "name"?
      test_thing.a is an object, known only after apply
    Unsupported argument at main.tf:12:3: `sise`
      An argument named "sise" is not expected here. Did you mean "size"?
    Cycle at main.tf:23:1: `resource "test_thing" "c"`
      These values need each other, so none can be computed first: test_thing.c -> test_thing.d -> test_thing.c.
    Cycle at main.tf:15:3: `x`
      These values need each other, so none can be computed first: local.x -> local.y -> local.x.
    Unsupported attribute at main.tf:17:7: `var.n.first`
      This is a list of string, which does not have attributes.
      var.n is a list of string, known only after apply
    Reference to undeclared input variable at m/main.tf:2:11: `var.name`
      An input variable with the name "name" has not been declared. Declare it with variable "name" {}.
    "#);
    }
}
