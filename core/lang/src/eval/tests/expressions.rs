//! The expression language.

use sgp_model::Type;

use super::eval_in;

const MAIN: &str = r#"
variable "s" { default = "text" }
variable "n" { default = 5 }
variable "null" { default = null }
variable "hidden" {
  default   = "pw"
  sensitive = true
}
variable "list" {
  type    = list(object({ a = string }))
  default = [{ a = "x" }, { a = "y" }]
}
variable "nulls" {
  type    = list(string)
  default = null
}
variable "set" {
  type    = set(string)
  default = ["b", "a"]
}
variable "map" {
  type    = map(number)
  default = { one = 1, two = 2 }
}
locals {
  obj = { a = { b = [1, 2, 3] }, "odd key" = 1 }
  u   = terraform_data.x.id
  uo  = test_thing.t
}
resource "terraform_data" "x" {
  input = "in"
}
resource "test_thing" "t" {
  name   = "t"
  secret = "s"
}
"#;

fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(expr, expected)| {
            let found = eval_in(MAIN, expr);
            let ok = if expected.starts_with("error ") { found.starts_with(expected) } else { found == *expected };
            (!ok).then(|| format!("{expr}\n  expected {expected}\n  found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn literals() {
    check(&[
        ("1", "1"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("-5", "-5"),
        ("0.1 + 0.2 == 0.3", "true"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "true"),
        ("null", "null"),
        ("\"a\\tb\\u00e9\\\\\\\"\"", "\"a\\tbé\\\\\\\"\""),
        // NFC: e and a combining accent are one character.
        ("\"e\\u0301\" == \"\\u00e9\"", "true"),
        ("\"$${x} %%{if} $ % $$x\"", "\"${x} %{if} $ % $$x\""),
        ("\"$$${var.s}\"", "\"$${var.s}\""),
        ("[1, \"a\", [true]]", "[1, \"a\", [true]]"),
        ("[1,\n 2,\n]", "[1, 2]"),
        ("{ a = 1, b : 2\n \"c d\" = 3\n (var.s) = 4, 5 = 6, }", "{5 = 6, a = 1, b = 2, c d = 3, text = 4}"),
        ("{ a = 1, a = 2 }", "{a = 2}"),
        ("{ null = 2, for = 1, true = 3 }", "{for = 1, null = 2, true = 3}"),
        ("{ a.b = 1 }", "error Ambiguous attribute key"),
        ("{ (local.obj.a.b[0]) = 1, \"a.b\" = 2 }", "{1 = 1, a.b = 2}"),
        ("{}", "{}"),
        ("[]", "[]"),
        ("1 +\n 2", "3"),
    ]);
}

#[test]
fn operators() {
    check(&[
        ("1 + 2 * 3 - 4 / 8", "6.5"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("(1 + 2) * 3", "9"),
        ("!true || true && false", "false"),
        ("1 < 2 == true", "true"),
        ("1 == 1.0", "true"),
        ("1 == \"1\"", "false"),
        ("\"a\" == \"a\"", "true"),
        ("null == null", "true"),
        ("var.null == null", "true"),
        ("[1] == [1]", "true"),
        ("[1] == tolist([1])", "false"),
        ("{ a = 1 } != { a = 2 }", "true"),
        ("\"5\" + 1", "6"),
        ("!\"true\"", "false"),
        ("-var.n", "-5"),
        ("10 >= 9 && 3 <= 3 && 4 > 3", "true"),
        ("1 / 0", "error Division by zero"),
        ("\"a\" + 1", "error Invalid operand: Unsuitable value for left operand: a number is required"),
        ("null + 1", "error Operation failed"),
        ("1 +", "error Invalid expression"),
        ("1 2", "error Extra characters after expression"),
    ]);
}

#[test]
fn a_short_cut_does_not_look_at_the_other_side() {
    check(&[
        ("var.null != null && var.null.x == 1", "false"),
        ("var.null == null || var.null.x == 1", "true"),
        ("var.null == null && var.null.x == 1", "error Attempt to get attribute from null value"),
        ("local.u == \"x\" && var.null.x == 1", "unknown(bool)"),
        ("true && local.u == \"x\"", "unknown(bool)"),
        ("false && local.u == \"x\"", "false"),
        ("local.u == \"x\" && false", "false"),
        ("local.u == \"x\" || true", "true"),
    ]);
}

#[test]
fn conditionals() {
    check(&[
        ("true ? 1 : 2", "1"),
        ("false ? 1 : true ? 2 : 3", "2"),
        ("true ? 1 : \"a\"", "\"1\""),
        ("true ? [\"a\"] : []", "list[\"a\"]"),
        // A mistake in the branch that is not taken does not matter, but what it is does.
        ("true ? \"a\" : 1 + []", "\"a\""),
        ("true ? 1 : \"a${[]}\"", "\"1\""),
        ("true ? {} : !null", "error Inconsistent conditional result types"),
        ("false ? \"a\" : null", "null(string)"),
        ("true ? null : [1]", "null(tuple([number]))"),
        ("true ? { a = 1 } : { a = 2 }", "{a = 1}"),
        ("true ? [1] : var.nulls", "list[\"1\"]"),
        ("true ? 1 : var.list[7].a", "1"),
        ("local.u == \"x\" ? 1 : 2", "unknown(number)"),
        ("local.u == \"x\" ? var.list[9] : 2", "unknown(any)"),
        ("local.u == \"x\" ? null : null", "null"),
        ("var.hidden == \"pw\" ? 1 : 2", "sensitive(1)"),
        ("true ? \"a\" : var.hidden", "sensitive(\"a\")"),
        ("null ? 1 : 2", "error Null condition"),
        ("1 ? 1 : 2", "error Incorrect condition type"),
        (
            "true ? 1 : [2]",
            "error Inconsistent conditional result types: The two results of a conditional must have consistent types, but the true result is a number, the false result a tuple.",
        ),
        ("true ? 1", "error Missing false expression in conditional"),
    ]);
}

#[test]
fn references_and_indexes() {
    check(&[
        ("var.s", "\"text\""),
        ("local.obj.a.b[1]", "2"),
        ("local.obj[\"odd key\"]", "1"),
        ("local.obj.a.b.0", "1"),
        ("local.obj.a.b[var.n - 5]", "1"),
        ("var.list[1].a", "\"y\""),
        ("var.map.one + var.map[\"two\"]", "3"),
        ("[1, 2][\"1\"]", "2"),
        ("{ \"1\" = \"a\" }[1]", "\"a\""),
        ("terraform.workspace", "\"default\""),
        ("path.module", "\".\""),
        ("resource.terraform_data.x.output", "\"in\""),
        (
            "var.list[2]",
            "error Invalid index: The given key does not identify an element in this collection value: the index 2 is too large, the collection has 2 elements.",
        ),
        (
            "var.list[-1]",
            "error Invalid index: The given key does not identify an element in this collection value: an index cannot be negative.",
        ),
        ("var.list[0.5]", "error Invalid index"),
        ("var.set[0]", "error Invalid index: Elements of a set"),
        ("var.map.three", "error Missing map element"),
        ("var.s.x", "error Unsupported attribute: This is a string"),
        (
            "local.obj.aa",
            "error Unsupported attribute: This object does not have an attribute named \"aa\". Did you mean \"a\"?",
        ),
        ("var.list.a", "error Unsupported attribute: This is a list of objects"),
        ("var.null.x", "error Attempt to get attribute from null value"),
        ("var.missing", "error Reference to undeclared input variable"),
        (
            "var.sett",
            "error Reference to undeclared input variable: An input variable with the name \"sett\" has not been declared. Did you mean \"set\"?",
        ),
        ("var", "error Invalid reference: The word \"var\" must be followed"),
        ("nothing", "error Invalid reference: There is nothing named \"nothing\" here"),
        (
            "terraform_data.y.id",
            "error Reference to undeclared resource: A managed resource \"terraform_data.y\" has not been declared in the root module.",
        ),
        (
            "test_thin.t.id",
            "error Reference to undeclared resource: A managed resource \"test_thin.t\" has not been declared in the root module. Did you mean test_thing.t?",
        ),
        ("terraform_data.x.nope", "error Unsupported attribute: terraform_data has no argument"),
        (
            "test_thing.t.colour",
            "error Unsupported attribute: test_thing has no argument, nested block or exported attribute named \"colour\". Terraform's type has it",
        ),
        ("each.key", "error Reference to \"each\" in context without for_each"),
        ("count.index", "error Reference to \"count\" in non-counted context"),
        ("self.id", "error Invalid reference"),
        (
            "terraform_data.x[0].id",
            "error Unexpected resource instance key: terraform_data.x has neither count nor for_each",
        ),
        ("terraform_data.x[\"id\"]", "unknown(string)"),
        ("var.list[0].1.2", "error Invalid legacy index syntax"),
    ]);
}

/// What cannot be declared is no error that may happen, but a mistake: `try` would hide it.
#[test]
fn undeclared_names_are_errors_wherever_they_stand() {
    check(&[
        ("try(var.sett, 1)", "error Reference to undeclared input variable"),
        ("try(local.nope, 1)", "error Reference to undeclared local value"),
        ("can(terraform_data.y.id)", "error Reference to undeclared resource"),
        ("try(data.test_look.y.id, 1)", "error Reference to undeclared resource"),
        ("try(module.nope.x, 1)", "error Reference to undeclared module"),
        ("try(terraform_data.x.nope, 1)", "error Unsupported attribute: terraform_data has no argument"),
        ("try(terraform_data.x[0].id, 1)", "error Unexpected resource instance key"),
        ("try(each.key, 1)", "error Reference to \"each\" in context without for_each"),
        ("try(count.index, 1)", "error Reference to \"count\" in non-counted context"),
        ("try(path.nope, 1)", "error Invalid reference"),
        ("try(terraform.nope, 1)", "error Invalid reference"),
        ("true ? 1 : var.sett", "error Reference to undeclared input variable"),
        ("false && var.sett", "error Reference to undeclared input variable"),
        ("[for x in [] : var.sett]", "error Reference to undeclared input variable"),
        ("\"%{ if false }${var.sett}%{ endif }\"", "error Reference to undeclared input variable"),
        ("[for var in [{ sett = 1 }] : var.sett]", "[1]"),
        ("try(var.list[5].a, 1)", "1"),
        ("try(var.map.three, 1)", "1"),
        ("try(local.obj.nope, 1)", "1"),
        ("try(terraform_data.x.input.nope, 1)", "1"),
        ("try(nofunction(), 1)", "1"),
    ]);
}

#[test]
fn splats() {
    check(&[
        ("var.list[*].a", "list[\"x\", \"y\"]"),
        ("var.list.*.a", "list[\"x\", \"y\"]"),
        ("[{ a = [1, 2] }, { a = [3] }][*].a[0]", "[1, 3]"),
        ("[{ a = [1, 2] }, { a = [3] }].*.a[0]", "[1, 2]"),
        ("[[{ b = 1 }], []][*][*].b", "[[1], []]"),
        ("var.set[*]", "list[\"a\", \"b\"]"),
        ("var.s[*]", "[\"text\"]"),
        ("var.null[*]", "[]"),
        ("var.null[*].x", "[]"),
        ("var.nulls[*]", "error Splat of null value"),
        ("terraform_data.x[*].input", "[\"in\"]"),
        ("test_thing.t.rule[*].port", "list[]"),
    ]);
}

#[test]
fn for_expressions() {
    check(&[
        ("[for x in [1, 2, 3] : x * 2 if x != 2]", "[2, 6]"),
        (
            "[for x in [] : x if x > \"a\"]",
            "error Invalid operand: Unsuitable value for right operand: a number is required.",
        ),
        ("[for i, x in [\"a\", \"b\"] : \"${i}${x}\"]", "[\"0a\", \"1b\"]"),
        ("[for k, v in { a = 1, b = 2 } : \"${k}=${v}\"]", "[\"a=1\", \"b=2\"]"),
        ("[for x in var.set : x]", "[\"a\", \"b\"]"),
        ("{ for x in [\"a\", \"b\"] : x => length(x) }", "{a = 1, b = 1}"),
        ("{ for x in [\"a\", \"b\", \"aa\"] : length(x) => x... }", "{1 = [\"a\", \"b\"], 2 = [\"aa\"]}"),
        ("{ for k, v in { a = 1, b = null } :\n  k => v\n  if v != null\n}", "{a = 1}"),
        ("{ for k, v in { a = 1 } : k =>\n v == 1\n ? \"y\"\n : \"n\" }", "{a = \"y\"}"),
        ("[for x in [1] : [for y in [10, 20] : x + y]]", "[[11, 21]]"),
        ("[for var in [{ s = 1 }] : var.s]", "[1]"),
        ("[for x in [local.u] : x]", "[unknown(string)]"),
        ("[for x in [1, local.u] : x if x == \"q\"]", "unknown(any)"),
        ("{ for x in [1] : local.u => x }", "unknown(any)"),
        ("[for x in [var.hidden] : x]", "[sensitive(\"pw\")]"),
        ("[for x in [1, 2] : x if var.hidden == \"pw\"]", "sensitive([1, 2])"),
        (
            "{ for x in [1, 2] : \"k\" => x }",
            "error Duplicate object key: Two elements of this 'for' expression produced the key \"k\"",
        ),
        ("[for x in null : x]", "error Iteration over null value"),
        ("[for x in 5 : x]", "error Iteration over non-iterable value"),
        ("{ for x in [1] : x }", "error Invalid 'for' expression"),
        ("[for x in [1] : x => x]", "error Invalid 'for' expression"),
        ("[for x in [1, 2] : x.y]", "error Unsupported attribute"),
    ]);
}

#[test]
fn templates() {
    check(&[
        ("\"a${1 + 1}b${true}\"", "\"a2btrue\""),
        ("\"${[1]}\"", "[1]"),
        ("\"${var.n}\"", "5"),
        ("\"${\"${var.s}\"}\"", "\"text\""),
        ("\"x ${~ \"y\" ~} z\"", "\"xyz\""),
        // What was stripped away was text, so the whole is.
        ("\"  ${~ 1 ~}  \"", "\"1\""),
        ("\"${~ 1 ~}\"", "1"),
        ("\"%{ if var.n > 3 }big%{ else }small%{ endif }!\"", "\"big!\""),
        ("\"%{ if false }a\\tb%{ else }c\\td%{ endif }\"", "\"c\\td\""),
        ("\"%{ for x in [1, 2] }<${x}>%{ endfor }\"", "\"<1><2>\""),
        ("\"%{ for i, x in [\"a\"] ~} ${i}${x} %{~ endfor }\"", "\"0a\""),
        ("\"a-${local.u}-b\"", "unknown(string \"a-\"...)"),
        ("\"a-${var.hidden}\"", "sensitive(\"a-pw\")"),
        ("\"${null}x\"", "error Invalid template interpolation value: The expression result is null."),
        ("\"x${[]}\"", "error Invalid template interpolation value: This value cannot be included in a string"),
        ("\"x${a\"", "error Unclosed template sequence"),
        ("\"x${1 2}\"", "error Extra characters in template sequence"),
        ("\"abc", "error Unterminated template string"),
        ("\"a\nb\"", "error Invalid multi-line string"),
        ("\"\\q\"", "error Invalid escape sequence"),
        ("\"%{ if true }\"", "error Unclosed template directive"),
        ("\"%{ endif }\"", "error Unexpected template directive"),
        ("\"%{ while true }\"", "error Invalid template control keyword"),
    ]);
}

#[test]
fn heredocs() {
    check(&[
        ("<<EOT\na\n  b\nEOT\n", "\"a\\n  b\\n\""),
        ("<<-EOT\n    a\n      b\n\n    c ${var.n}\n  EOT\n", "\"a\\n  b\\n\\nc 5\\n\""),
        ("<<-EOT\n    ${var.n}\n    %{ if true }\n    x\n    %{ endif }\n  EOT\n", "\"5\\n\\nx\\n\\n\""),
        ("<<-EOT\n  a\n${var.n}\n  EOT\n", "\"  a\\n5\\n\""),
        ("<<EOT\n%{ for x in [1, 2] ~}\n<${x}>\n%{ endfor ~}\nend\nEOT\n", "\"<1>\\n<2>\\nend\\n\""),
        ("<<EOT\n\\n \"q\" $${x}\nEOT\n", "\"\\\\n \\\"q\\\" ${x}\\n\""),
        ("<<EOT\nEOT\n", "\"\""),
        ("upper(<<EOT\nx\nEOT\n)", "\"X\\n\""),
        ("<<EOT\nabc", "error Unterminated heredoc"),
    ]);
}

#[test]
fn unknown_values_keep_their_type() {
    check(&[
        ("local.u", "unknown(string)"),
        ("local.uo.id", "unknown(string)"),
        ("local.uo.id == \"x\"", "unknown(bool)"),
        ("local.uo.id == null", "false"),
        ("\"arn:${local.u}\" == \"urn:x\"", "false"),
        ("[local.u]", "[unknown(string)]"),
        ("[local.u][0]", "unknown(string)"),
        ("{ a = local.u }.a", "unknown(string)"),
        ("[\"a\"][local.u]", "unknown(any)"),
        ("local.u + 1", "unknown(number)"),
        ("-local.u", "unknown(number)"),
        ("!(local.u == 1)", "true"),
        ("[for x in [local.u] : \"${x}!\"]", "[unknown(string)]"),
        ("local.u.x", "error Unsupported attribute: This is a string"),
    ]);
}

#[test]
fn sensitive_values_stay_sensitive() {
    check(&[
        ("var.hidden", "sensitive(\"pw\")"),
        ("[var.hidden]", "[sensitive(\"pw\")]"),
        ("{ (var.hidden) = 1 }", "sensitive({pw = 1})"),
        ("var.hidden == \"pw\"", "sensitive(true)"),
        ("[1, 2][var.hidden == \"pw\" ? 0 : 1]", "sensitive(1)"),
        ("test_thing.t.secret", "sensitive(\"s\")"),
        ("nonsensitive(var.hidden)", "\"pw\""),
        ("upper(var.hidden)", "sensitive(\"PW\")"),
        ("length([var.hidden])", "1"),
        ("max([1, 2, sensitive(3)]...)", "sensitive(3)"),
    ]);
}

#[test]
fn function_calls() {
    check(&[
        ("max(1, 5, 3)", "5"),
        ("max([1, 5, 3]...)", "5"),
        ("core::upper(\"a\")", "\"A\""),
        ("length(\n [1],\n)", "1"),
        ("merge({ a = 1 }, { b = 2 })", "{a = 1, b = 2}"),
        ("try(var.null.x, \"d\")", "\"d\""),
        ("try(local.obj.a.c, local.obj.a.d, 3)", "3"),
        ("try(local.u, \"x\")", "unknown(string)"),
        ("try(tonumber(local.u), 1)", "unknown(any)"),
        ("try(var.null.x)", "error Error in function call: None of the arguments of try has a value without errors"),
        ("can(var.null.x)", "false"),
        ("can(var.s)", "true"),
        ("can(tonumber(local.u))", "unknown(bool)"),
        ("try([\"a\", 1]...)", "\"a\""),
        ("try(var.null.x, [2]...)", "2"),
        ("try([]...)", "error Not enough function arguments"),
        ("can([var.hidden]...)", "true"),
        ("try([var.hidden]...)", "sensitive(\"pw\")"),
        ("convert([1, \"2\"], list(number))", "list[1, 2]"),
        ("convert({ a = tostring(null) }, object({ a = optional(list(string), null) }))", "{a = null(list(string))}"),
        ("convert({ a = 1 }, object({ a = string, b = optional(string, \"x\") }))", "{a = \"1\", b = \"x\"}"),
        ("convert(var.hidden, string)", "sensitive(\"pw\")"),
        (
            "convert(local.u, list(string))",
            "error Invalid function argument: Invalid value for \"value\" parameter: list of string required.",
        ),
        ("convert(1, lst(string))", "error Invalid type specification"),
        ("convert(1)", "error Wrong number of function arguments"),
        ("convert([1]...)", "error Wrong number of function arguments"),
        ("[type(1)]", "error Invalid use of type function"),
        ("uper(\"a\")", "error Call to unknown function: There is no function named \"uper\". Did you mean \"upper\"?"),
        ("max(null...)", "error Invalid expanding argument value"),
        ("upper([])", "error Invalid function argument"),
        ("upper()", "error Not enough function arguments"),
        ("templatestring(\"a $${x}\", { x = 1 })", "\"a 1\""),
        ("templatestring(\"a $${y}\", { x = 1 })", "error Error in function call"),
    ]);
}

#[test]
fn the_console_shows_the_type_that_it_is_asked_for() {
    let mut evaluator = super::evaluator(MAIN);
    let root = sgp_model::ModulePath::root();
    for (text, expected) in [
        ("type([1, \"a\"])", Type::tuple([Type::Number, Type::String])),
        ("(core::type(tolist([])))", Type::list(Type::Dynamic)),
        ("type(var.hidden)", Type::String),
        ("type(local.u)", Type::String),
    ] {
        assert_eq!(evaluator.eval_console(&root, text), Ok(crate::eval::Shown::Type(expected)), "{text}");
    }
    assert_eq!(evaluator.eval_console(&root, "1"), Ok(crate::eval::Shown::Value(sgp_model::Value::int(1))));
    assert!(evaluator.eval_console(&root, "type(nope.x)").is_err());
}
