//! Operators one by one: plain values, conversion, null, values that are not known yet, marks.

use super::eval_in;

/// What the names stand for: `u` is text that is not known but will be there, `maybe` may turn out to be null, `n` is a
/// number, `b` a bool, `list`, `set` and `map` are collections that are not known.
const MAIN: &str = r#"
variable "secret" {
  default   = 5
  sensitive = true
}
variable "yes" {
  default   = true
  sensitive = true
}
variable "null" { default = null }
variable "none" {
  type    = list(string)
  default = null
}
resource "terraform_data" "x" {}
locals {
  u     = terraform_data.x.id
  b     = local.u == "x"
  maybe = local.b ? null : "a"
  n     = tonumber(local.u)
  list  = split(",", local.u)
  set   = toset(local.list)
  map   = { for x in toset(local.list) : x => 1 }
  obj   = local.b ? { a = 1 } : { a = 2 }
}
"#;

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(expr, expected)| {
            let found = eval_in(MAIN, expr);
            let ok = if expected.starts_with("error ") { found.starts_with(expected) } else { found == *expected };
            (!ok).then(|| format!("{expr}\n  expected {expected}\n  found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows are wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn arithmetic() {
    check(&[
        ("1 + 2", "3"),
        ("\"1\" + \"2\"", "3"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("0.1 + 0.2", "0.3"),
        ("1e30 + 1", "1000000000000000000000000000001"),
        ("true + 1", "error Invalid operand: Unsuitable value for left operand: number required."),
        ("1 + []", "error Invalid operand: Unsuitable value for right operand: number required."),
        ("1 + \"x\"", "error Invalid operand: Unsuitable value for right operand: a number is required."),
        ("1 + null", "error Operation failed"),
        ("var.null + 1", "error Operation failed"),
        ("local.n + 1", "unknown(number)"),
        ("var.secret + 1", "sensitive(6)"),
        ("var.secret + local.n", "sensitive(unknown(number))"),
        ("5 - 7", "-2"),
        ("5 - -7", "12"),
        ("-9223372036854775807 - 2", "-9223372036854775809"),
        ("\"5\" - 1", "4"),
        ("null - 1", "error Operation failed"),
        ("1 - local.n", "unknown(number)"),
        ("1 - var.secret", "sensitive(-4)"),
        ("6 * 7", "42"),
        ("9223372036854775807 * 9223372036854775807", "85070591730234615847396907784232501249"),
        ("0.1 * 3", "0.3"),
        ("-2 * 3", "-6"),
        // Whatever the other number is.
        ("0 * local.n", "0"),
        ("local.n * 2", "unknown(number)"),
        ("2 * null", "error Operation failed"),
        ("var.secret * 2", "sensitive(10)"),
        ("7 / 2", "3.5"),
        ("1 / 10 == 0.1", "true"),
        ("-7 / 2", "-3.5"),
        ("0 / 5", "0"),
        ("1 / 0", "error Division by zero"),
        ("0 / 0", "error Division by zero"),
        ("local.n / 0", "unknown(number)"),
        ("1 / null", "error Operation failed"),
        ("var.secret / 2", "sensitive(2.5)"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("7 % -3", "1"),
        ("7.5 % 2", "1.5"),
        ("6 % 3", "0"),
        ("5 % 0", "error Division by zero"),
        ("12345678901234567890123 % 10", "3"),
        ("local.n % 2", "unknown(number)"),
        ("var.secret % 2", "sensitive(1)"),
        ("-5", "-5"),
        ("-\"5\"", "-5"),
        ("- -5", "5"),
        ("-(1 + 2)", "-3"),
        ("-null", "error Operation failed"),
        ("-true", "error Invalid operand: Unsuitable value for unary operand: number required."),
        ("-local.n", "unknown(number)"),
        ("-var.secret", "sensitive(-5)"),
        ("2 + 3 * 4 - 6 / 3 % 2", "14"),
        ("(2 + 3) * 4", "20"),
        ("10 - 2 - 3", "5"),
    ]);
}

#[test]
fn comparison() {
    check(&[
        ("1 < 2", "true"),
        ("2 < 2", "false"),
        ("\"10\" < 9", "false"),
        ("2 <= 2", "true"),
        ("3 <= 2", "false"),
        ("2 > 1", "true"),
        ("2 > 2", "false"),
        ("2 >= 2", "true"),
        ("1 >= 2", "false"),
        ("1.00000000000000000000000000000000000001 > 1", "true"),
        ("\"a\" < \"b\"", "error Invalid operand: Unsuitable value for left operand: a number is required."),
        ("true > false", "error Invalid operand"),
        ("null < 1", "error Operation failed"),
        ("1 >= null", "error Operation failed"),
        ("local.n < 1", "unknown(bool)"),
        ("local.n >= local.n", "unknown(bool)"),
        ("var.secret > 1", "sensitive(true)"),
        ("tolist([]) == slice(tolist([\"a\"]), 0, 0)", "false"),
        ("{ a = null } == { a = tostring(null) }", "false"),
        ("null == tostring(null)", "true"),
        ("tolist([]) == local.list", "false"),
        ("length(local.list) > 0", "true"),
        ("length(local.list) >= 1", "true"),
        ("length(local.list) == 0", "false"),
        ("length(local.list) != 0", "true"),
        ("length(local.list) < 1", "false"),
        ("length(local.list) > 1", "unknown(bool)"),
        ("length(local.set) > 0", "true"),
        ("length(local.map) > 0", "true"),
        ("length(concat(local.list, local.list)) >= 2", "true"),
        ("length(concat(local.list, local.list)) > 2", "unknown(bool)"),
        ("length(local.list) + 1 > 1", "true"),
        ("-length(local.list) < 0", "true"),
        ("abs(local.n) >= 0", "true"),
        ("abs(local.n) * 2 >= 0", "true"),
        ("max(local.n, 3) < 3", "false"),
        ("min(local.n, 3) > 3", "false"),
        ("length(local.list[*]) > 0", "true"),
        ("length([for x in local.list : x]) > 0", "true"),
        ("length([for x in local.list : x if x != \"\"]) > 0", "unknown(bool)"),
        ("length({ for x in local.list : x => x... }) > 0", "true"),
        ("length(setproduct(local.list, [1, 2])) >= 2", "true"),
        ("length(setproduct(local.list, [])) == 0", "true"),
        ("length(slice(local.list, 0, 1))", "1"),
        ("1 < 2 == true", "true"),
        ("1 < 2 && 2 < 3", "true"),
    ]);
}

#[test]
fn equality() {
    check(&[
        ("1 == 1.0", "true"),
        ("1 == \"1\"", "false"),
        ("true == \"true\"", "false"),
        ("\"a\" == \"a\"", "true"),
        ("\"e\\u0301\" == \"\\u00e9\"", "true"),
        ("\"a\" != \"b\"", "true"),
        ("null == null", "true"),
        ("var.null == var.none", "true"),
        ("var.none == []", "false"),
        ("1 == null", "false"),
        ("null != 1", "true"),
        ("[] == []", "true"),
        ("[1, \"a\"] == [1, \"a\"]", "true"),
        ("[1] == [\"1\"]", "false"),
        ("[1, 2] == [1]", "false"),
        ("[] == {}", "false"),
        ("[1] == tolist([1])", "false"),
        ("tolist([1]) == tolist([1])", "true"),
        ("toset([2, 1]) == toset([1, 2])", "true"),
        ("toset([1]) == tolist([1])", "false"),
        ("{ a = 1 } == { a = 1 }", "true"),
        ("{ a = 1 } == { a = 1, b = null }", "false"),
        ("{ a = 1 } == tomap({ a = 1 })", "false"),
        ("{ a = [{ b = null }] } == { a = [{ b = null }] }", "true"),
        ("local.u == null", "false"),
        ("local.u != null", "true"),
        ("local.maybe == null", "unknown(bool)"),
        ("local.maybe != null", "unknown(bool)"),
        ("local.u == \"x\"", "unknown(bool)"),
        ("local.u == 1", "false"),
        ("local.u == local.u", "unknown(bool)"),
        ("local.u == local.n", "false"),
        ("local.maybe == (local.b ? null : 1)", "unknown(bool)"),
        ("[local.u] == [\"x\"]", "unknown(bool)"),
        ("[local.u, 1] == [\"x\", 2]", "false"),
        ("[local.u] == []", "false"),
        ("{ a = local.u } == { a = 1 }", "false"),
        ("{ a = local.u } == null", "false"),
        ("toset([local.u]) == toset([\"x\"])", "unknown(bool)"),
        ("\"arn:${local.u}\" == \"arn:x\"", "unknown(bool)"),
        ("\"arn:${local.u}\" == \"urn:x\"", "false"),
        ("\"arn:${local.u}\" == null", "false"),
        ("\"arn:${local.u}\" != \"urn:${local.u}\"", "true"),
        ("local.list == tolist([])", "false"),
        ("local.b == null", "false"),
        ("var.secret == 5", "sensitive(true)"),
        ("[var.secret] == [5]", "sensitive(true)"),
        ("{ a = var.secret } != null", "sensitive(true)"),
        ("1 == 1 == true", "true"),
    ]);
}

#[test]
fn logic() {
    check(&[
        ("true && true", "true"),
        ("true && false", "false"),
        ("\"true\" && true", "true"),
        ("true || false", "true"),
        ("false || false", "false"),
        ("1 && true", "error Invalid operand: Unsuitable value for left operand: bool required."),
        ("true && 1", "error Invalid operand: Unsuitable value for right operand: bool required."),
        ("true && \"x\"", "error Invalid operand: Unsuitable value for right operand: a bool is required."),
        ("null && true", "error Operation failed"),
        ("true || null", "true"),
        ("false || null", "error Operation failed"),
        ("var.yes && true", "sensitive(true)"),
        ("false && var.yes", "false"),
        ("local.b && true", "unknown(bool)"),
        ("local.b && false", "false"),
        ("false && local.b", "false"),
        ("local.b || true", "true"),
        ("true || local.b", "true"),
        ("local.b || false", "unknown(bool)"),
        // The side that decides makes the other one's mistake harmless, whichever it is.
        ("false && var.null.x", "false"),
        ("true || var.null.x", "true"),
        ("var.null.x && false", "false"),
        ("var.null.x || true", "true"),
        ("var.null.x && true", "error Attempt to get attribute from null value"),
        ("true && var.null.x", "error Attempt to get attribute from null value"),
        ("var.null.x || false", "error Attempt to get attribute from null value"),
        ("var.null.x && local.b", "error Attempt to get attribute from null value"),
        ("local.b && var.null.x", "unknown(bool)"),
        ("local.b || var.null.x", "unknown(bool)"),
        // A type that does not fit is a mistake whatever the other side is.
        ("1 && false", "error Invalid operand"),
        ("var.null != null && var.null.x == 1", "false"),
        ("!true", "false"),
        ("!\"false\"", "true"),
        ("!1", "error Invalid operand: Unsuitable value for unary operand: bool required."),
        ("!null", "error Operation failed"),
        ("!local.b", "unknown(bool)"),
        ("!var.yes", "sensitive(false)"),
        ("!!true", "true"),
        ("true || false && false", "true"),
        ("!true || true", "true"),
    ]);
}

#[test]
fn conditionals() {
    check(&[
        ("true ? \"a\" : \"b\"", "\"a\""),
        ("\"true\" ? 1 : 2", "1"),
        ("true ? 1 : \"b\"", "\"1\""),
        ("true ? 1 : true", "error Inconsistent conditional result types"),
        ("true ? null : 1", "null(number)"),
        ("false ? null : 1", "1"),
        ("true ? [] : [1]", "list[]"),
        ("true ? [1] : [\"a\", true]", "list[\"1\"]"),
        ("true ? { a = 1 } : { b = \"x\" }", "map{a = \"1\"}"),
        ("true ? { a = 1 } : { a = \"x\" }", "{a = \"1\"}"),
        ("true ? { a = 1 } : {}", "map{a = 1}"),
        ("true ? tolist([1]) : [\"a\"]", "list[\"1\"]"),
        ("true ? toset([1]) : tolist([\"a\"])", "list[\"1\"]"),
        ("true ? [] : {}", "error Inconsistent conditional result types"),
        ("true ? \"a\" : [1]", "error Inconsistent conditional result types"),
        ("null ? 1 : 2", "error Null condition"),
        ("\"x\" ? 1 : 2", "error Incorrect condition type"),
        ("var.yes ? 1 : 2", "sensitive(1)"),
        ("true ? var.secret : 1", "sensitive(5)"),
        ("true ? 1 : var.null.x", "1"),
        ("local.b ? 1 : 2", "unknown(number)"),
        ("local.b ? 1 : 1", "1"),
        ("(local.b ? 1 : 5) > 0", "true"),
        ("(local.b ? 1 : 5) > 3", "unknown(bool)"),
        ("(local.b ? 1 : null) == null", "unknown(bool)"),
        ("local.b ? \"sg-1\" : \"sg-2\"", "unknown(string \"sg-\"...)"),
        ("local.b ? \"a\" : \"b\"", "unknown(string)"),
        ("startswith(local.b ? \"sg-1\" : \"sg-2\", \"sg-\")", "true"),
        ("(local.b ? \"a\" : \"b\") != null", "true"),
        ("local.b ? [] : [1]", "unknown(list(number))"),
        ("length(local.b ? [1] : [1, 2]) > 0", "true"),
        ("length(local.b ? [1] : [2])", "1"),
        ("length(local.b ? [] : [1]) <= 1", "true"),
        ("local.b ? { a = 1 } : { a = \"x\" }", "unknown(object({a = string}))"),
        ("(local.b ? { a = 1 } : { a = 2 }) != null", "true"),
        ("local.b ? var.null.x : 1", "unknown(any)"),
        ("local.b ? null : null", "null"),
    ]);
}

#[test]
fn splats_and_for() {
    check(&[
        ("var.null[*]", "[]"),
        ("\"a\"[*]", "[\"a\"]"),
        ("1[*]", "[1]"),
        ("{ a = 1 }[*].a", "[1]"),
        ("tomap({ a = 1 })[*].a", "[1]"),
        ("toset([\"b\", \"a\"])[*]", "list[\"a\", \"b\"]"),
        ("[][*].x", "[]"),
        ("[{ a = 1 }, { a = \"x\" }][*].a", "[1, \"x\"]"),
        ("[{ a = 1 }, {}][*].a", "error Unsupported attribute"),
        ("[null][*].a", "error Attempt to get attribute from null value"),
        ("[[1, 2], [3]][*][0]", "[1, 3]"),
        ("var.none[*]", "error Splat of null value"),
        ("local.u[*]", "[unknown(string)]"),
        ("local.maybe[*]", "unknown(any)"),
        ("local.list[*]", "unknown(list(string))"),
        ("local.obj[*].a", "[unknown(number)]"),
        ("[local.obj][*].a", "[unknown(number)]"),
        ("[for k, v in local.obj : k]", "[\"a\"]"),
        ("[for x in [1, local.u] : x]", "[1, unknown(string)]"),
        ("[for x in toset([3, 1]) : x]", "[1, 3]"),
        ("[for k, x in toset([3]) : k]", "[3]"),
        ("[for i, x in [\"a\"] : i]", "[0]"),
        ("{ for k, v in { a = 1 } : v => k }", "{1 = \"a\"}"),
        ("{ for x in [\"a\", \"b\", \"a\"] : x => 1... }", "{a = [1, 1], b = [1]}"),
        ("{ for x in [\"a\", \"a\"] : x => 1 }", "error Duplicate object key"),
        ("{ for x in [null] : x => 1 }", "error Invalid object key"),
        ("{ for x in [[]] : x => 1 }", "error Invalid object key"),
        ("[for x in [1] : x if null]", "error Invalid 'for' condition"),
        ("[for x in [1] : x if \"x\"]", "error Invalid 'for' condition"),
        ("[for x in [1, 2] : x if x > 1]", "[2]"),
        ("[for x in {} : x]", "[]"),
        ("{ for x in [] : x => x }", "{}"),
        ("[for x in \"a\" : x]", "error Iteration over non-iterable value"),
        ("[for x in null : x]", "error Iteration over null value"),
        ("[for x in var.none : x]", "error Iteration over null value"),
        ("[for x in local.list : x]", "unknown(any)"),
        ("[for x in local.list : x] != null", "true"),
        ("[for x in [var.secret] : x + 1]", "[sensitive(6)]"),
        ("[for x in sensitive([1]) : x]", "sensitive([1])"),
        ("{ for x in [1] : var.secret => x }", "sensitive({5 = 1})"),
        ("[for x in [1, 2] : [for y in [x] : y * x]]", "[[1], [4]]"),
    ]);
}

#[test]
fn indexes_and_templates() {
    check(&[
        ("[1, 2][0]", "1"),
        ("[1, 2][\"1\"]", "2"),
        ("[1][1]", "error Invalid index"),
        ("[1][-1]", "error Invalid index"),
        ("[1][null]", "error Invalid index: A null value cannot be used as an index."),
        ("null[0]", "error Attempt to index null value"),
        ("var.none[0]", "error Attempt to index null value"),
        ("{ a = 1 }[\"a\"]", "1"),
        ("{ a = 1 }[\"b\"]", "error Invalid index"),
        ("tomap({ a = 1 })[\"b\"]", "error Invalid index"),
        ("tomap({ \"1\" = 2 })[1]", "2"),
        ("toset([1])[0]", "error Invalid index: Elements of a set"),
        ("\"abc\"[0]", "error Invalid index: This is a string"),
        ("[1, 2][local.n]", "unknown(any)"),
        ("tolist([1, 2])[local.n]", "unknown(number)"),
        ("local.list[0]", "unknown(string)"),
        ("local.list[0.5]", "error Invalid index"),
        ("local.list[-1]", "error Invalid index"),
        ("{ a = 1 }[local.u]", "unknown(any)"),
        ("sensitive([1])[0]", "sensitive(1)"),
        ("[1, 2][sensitive(0)]", "sensitive(1)"),
        ("\"${1}${true}${\"a\"}\"", "\"1truea\""),
        ("\"${0.5}-${1e3}\"", "\"0.5-1000\""),
        ("\"x${local.u}\"", "unknown(string)"),
        ("\"-${local.u}-\"", "unknown(string \"-\"...)"),
        ("\"a1${local.u}\"", "unknown(string \"a1\"...)"),
        ("\"a=${local.u}\"", "unknown(string \"a\"...)"),
        ("\"${\"arn:${local.u}\"}:x\"", "unknown(string \"arn:\"...)"),
        ("\"x ${var.secret}\"", "sensitive(\"x 5\")"),
        ("\"${var.null}-\"", "error Invalid template interpolation value"),
        ("\"%{ if local.b }a%{ else }b%{ endif }\"", "unknown(string)"),
        ("\"-%{ if true }a%{ endif }${local.u}\"", "unknown(string \"-\"...)"),
        ("\"%{ for x in local.list }${x}%{ endfor }\"", "unknown(string)"),
        ("\"%{ for x in sensitive([1]) }${x}%{ endfor }\"", "sensitive(\"1\")"),
        ("coalesce(local.u, \"x\")", "unknown(string)"),
        ("coalesce(\"-${local.u}\", \"x\")", "unknown(string \"-\"...)"),
        ("coalesce(local.u, \"x\") == null", "false"),
        ("coalescelist(local.list, [\"x\"])", "unknown(list(string))"),
        ("try(local.list[0], \"x\")", "unknown(any)"),
    ]);
}
