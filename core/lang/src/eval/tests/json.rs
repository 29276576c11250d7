//! Configuration in JSON beside the same in the native syntax.

use std::fmt::Write as _;

use super::{TestWorld, evaluator_of, force, problems, show};
use crate::eval::Inputs;

/// Everything that the files of a configuration come to.
pub(super) fn meaning(files: &[(&str, &str)]) -> String {
    let mut evaluator = evaluator_of(files, Inputs::default(), TestWorld::default());
    let mut out = String::new();
    for resource in evaluator.resources() {
        for key in evaluator.instances(&resource).unwrap_or_default() {
            let addr = resource.instance(key);
            let _ = evaluator.object(&addr);
            let config = evaluator.instance_config(&addr).map_or_else(|_| "failed".into(), |v| show(&v));
            writeln!(out, "{addr}: {config}").unwrap();
        }
        let root = evaluator.config().root.clone();
        let block = root.resource(resource.mode, &resource.type_name, &resource.name).unwrap();
        let lifecycle = &block.lifecycle;
        writeln!(
            out,
            "  {:?} {} {:?} {:?} {:?}",
            lifecycle.create_before_destroy,
            lifecycle.prevent_destroy,
            lifecycle.ignore_changes,
            block.depends_on.iter().map(|r| &r.target).collect::<Vec<_>>(),
            block.provider.as_ref().map(|p| (&p.name, &p.alias)),
        )
        .unwrap();
    }
    for (name, value) in evaluator.variables() {
        writeln!(out, "var.{name}: {}", show(&value)).unwrap();
    }
    let root = evaluator.config().root.clone();
    for name in root.locals.keys() {
        let value = evaluator.eval_text(&sgp_model::ModulePath::root(), &format!("local.{name}"));
        writeln!(out, "local.{name}: {}", value.map_or_else(|_| "failed".into(), |v| show(&v))).unwrap();
    }
    for (name, output) in &root.outputs {
        writeln!(out, "output.{name}: {:?} {}", output.description, output.sensitive).unwrap();
    }
    force(&mut evaluator);
    let mistakes = evaluator.take_diagnostics();
    for d in mistakes.iter() {
        writeln!(out, "{}: {}", d.summary, d.detail).unwrap();
    }
    out
}

#[track_caller]
fn same(native: &str, json: &str) {
    let inner = ("m/main.tf", "variable \"x\" {}\noutput \"y\" {\n  value = var.x\n}");
    let expected = meaning(&[("main.tf", native), inner]);
    assert!(!expected.contains("failed"), "{expected}");
    assert_eq!(meaning(&[("main.tf.json", json), inner]), expected);
}

#[test]
fn values_mean_the_same() {
    same(
        r#"
locals {
  number   = 1.5e3
  exact    = 12345678901234567890123
  negative = -2
  text     = "a\n\"b\" ${"$"}{x} é"
  escaped  = "$${x} %%{ y }"
  nothing  = null
  flags    = [true, false]
  object   = { a = 1, "b c" = { d = [] } }
  keyed    = { "k-${1 + 1}" = "v" }
  sum      = 1 + 2
  template = "is ${local.sum}%{ if true } and%{ endif }"
  call     = upper("x")
  empty    = ""
}
"#,
        r#"
{"locals": {
  "number": 1.5e3,
  "exact": 12345678901234567890123,
  "negative": -2,
  "text": "a\n\"b\" ${\"$\"}{x} \u00e9",
  "escaped": "$${x} %%{ y }",
  "nothing": null,
  "flags": [true, false],
  "object": {"a": 1, "b c": {"d": []}},
  "keyed": {"k-${1 + 1}": "v"},
  "sum": "${1 + 2}",
  "template": "is ${local.sum}%{ if true } and%{ endif }",
  "call": "${upper(\"x\")}",
  "empty": ""
}}
"#,
    );
}

#[test]
fn blocks_mean_the_same() {
    same(
        r#"
variable "names" {
  type        = list(string)
  default     = ["a", "b"]
  description = "Not $${read}."
  validation {
    condition     = length(var.names) > 1
    error_message = "Two."
  }
}
variable "old" {
  type    = "string"
  default = "$${x}"
}
variable "shape" {
  type    = object({ a = optional(number, 5) })
  default = {}
}
provider "test" {
  region = "x"
}
provider "test" {
  alias  = "west"
  region = local.region
}
locals { region = "w" }
resource "test_thing" "a" {
  for_each = toset(var.names)
  name     = each.key
  provider = test.west
  tags     = { (each.key) = "${each.key}-x" }
  rule {
    port = 1
    note { text = "t" }
    note { text = "u" }
  }
  rule { port = 2 }
  one { x = true }
  open { port = 3 }
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [tags["x"], size]
    precondition {
      condition     = each.key != "c"
      error_message = "No ${each.key}."
    }
  }
}
resource "test_thing" "b" {
  count      = 1
  name       = "b"
  depends_on = [test_thing.a, module.m]
  open       = []
  dynamic "rule" {
    for_each = [10, 20]
    iterator = r
    content {
      port  = r.value
      cidrs = ["${r.key}"]
    }
  }
  lifecycle {
    prevent_destroy = true
    ignore_changes  = all
  }
}
data "test_look" "l" { name = "x" }
module "m" {
  source     = "./m"
  x          = { y = local.region }
  depends_on = [test_thing.a]
  providers  = { test = test.west }
}
output "o" {
  value       = module.m.y
  description = "Out."
  sensitive   = true
  depends_on  = [data.test_look.l]
}
moved {
  from = test_thing.z["k"]
  to   = test_thing.a["a"]
}
terraform {
  required_version = ">= 1.0"
  required_providers {
    test = { source = "hashicorp/test", version = "~> 1" }
  }
}
"#,
        r#"
{
  "//": "a comment",
  "variable": {
    "names": {
      "type": "list(string)",
      "default": ["a", "b"],
      "description": "Not ${read}.",
      "validation": {"condition": "${length(var.names) > 1}", "error_message": "Two."}
    },
    "old": {"type": "string", "default": "${x}"},
    "shape": [{"type": "object({ a = optional(number, 5) })", "default": {}}]
  },
  "provider": {
    "test": [{"region": "x"}, {"alias": "west", "region": "${local.region}"}]
  },
  "locals": [{"region": "w"}],
  "resource": [
    {"test_thing": {"a": {
      "//": "ignored",
      "for_each": "${toset(var.names)}",
      "name": "${each.key}",
      "provider": "test.west",
      "tags": {"${each.key}": "${each.key}-x"},
      "rule": [
        {"port": 1, "note": [{"text": "t"}, {"text": "u"}]},
        {"port": 2}
      ],
      "one": {"x": true},
      "open": {"port": 3},
      "lifecycle": {
        "create_before_destroy": true,
        "ignore_changes": ["tags[\"x\"]", "size"],
        "precondition": [{"condition": "${each.key != \"c\"}", "error_message": "No ${each.key}."}]
      }
    }}},
    {"test_thing": [{"b": {
      "count": 1,
      "name": "b",
      "depends_on": ["test_thing.a", "module.m"],
      "open": [],
      "dynamic": {"rule": {
        "for_each": [10, 20],
        "iterator": "r",
        "content": {"port": "${r.value}", "cidrs": ["${r.key}"]}
      }},
      "lifecycle": [{"prevent_destroy": true, "ignore_changes": "all"}]
    }}]}
  ],
  "data": {"test_look": {"l": {"name": "x"}}},
  "module": {"m": {
    "source": "./m",
    "x": {"y": "${local.region}"},
    "depends_on": ["test_thing.a"],
    "providers": {"test": "test.west"}
  }},
  "output": {"o": {
    "value": "${module.m.y}",
    "description": "Out.",
    "sensitive": true,
    "depends_on": ["data.test_look.l"]
  }},
  "moved": [{"from": "test_thing.z[\"k\"]", "to": "test_thing.a[\"a\"]"}],
  "terraform": {
    "required_version": ">= 1.0",
    "required_providers": {"test": {"source": "hashicorp/test", "version": "~> 1"}}
  }
}
"#,
    );
}

#[test]
fn mistakes_have_their_place_in_the_json_text() {
    let json = r#"{
  "resource": {
    "test_thing": {
      "a": {
        "nmae": "x",
        "size": "${local.\u0078 + 1}",
        "rule": {"prot": 1},
        "dynamic": {"rool": {"for_each": [], "content": {}}},
        "lifecycle": {"ignore_changes": ["1 + 1"]}
      }
    }
  },
  "resuorce": {},
  "locals": {"y": "${upper(1, 2)}"}
}"#;
    insta::assert_snapshot!(problems(&[("main.tf.json", json)]));
}

#[test]
fn types_that_are_not_known_keep_their_properties_to_themselves() {
    let json = r#"{"resource": {"test_thnig": {"a": {"b": {"c": "${local.nowhere}"}}}}}"#;
    insta::assert_snapshot!(problems(&[("main.tf.json", json)]));
}

#[test]
fn the_documentations_example_is_valid() {
    let page = include_str!("../../../../../docs/language.md");
    let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let shown = meaning(&[("main.tf.json", example)]);
    assert!(shown.contains("terraform_data.each[\"a\"]") && !shown.contains("failed"), "{shown}");
}
