//! Values as people read them: in `console`, `output` and state listings.

use std::collections::BTreeMap;
use std::sync::Arc;

use sgp_model::{Kind, Type, Value, address::quote};

/// What stands for a value that is not known yet.
pub const UNKNOWN: &str = "(known after apply)";
/// What stands for a value that must not be shown.
pub const SENSITIVE: &str = "(sensitive value)";

/// A value as the console answers it: an expression that would give the value again, sensitive and unknown parts aside.
pub fn expression(value: &Value) -> String {
    write(value, 0, false)
}

/// Like [`expression`], with sensitive parts in clear: for one named output.
pub fn expression_in_clear(value: &Value) -> String {
    write(value, 0, true)
}

fn write(value: &Value, depth: usize, clear: bool) -> String {
    if value.is_sensitive() && !clear {
        return SENSITIVE.to_owned();
    }
    match value.kind() {
        Kind::Null(ty) => typed_null(ty),
        Kind::Unknown(_) => UNKNOWN.to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) => n.to_string(),
        Kind::String(s) => string(s, depth),
        Kind::List(_, vs) => sequence("tolist([", vs.iter(), "])", depth, clear),
        Kind::Set(_, vs) => sequence("toset([", vs.iter(), "])", depth, clear),
        Kind::Tuple(vs) => sequence("[", vs.iter(), "]", depth, clear),
        Kind::Map(_, fs) => mapping("tomap({", fs, "})", depth, clear),
        Kind::Object(fs) => mapping("{", fs, "}", depth, clear),
    }
}

fn typed_null(ty: &Type) -> String {
    match ty {
        Type::String => "tostring(null)".to_owned(),
        Type::Number => "tonumber(null)".to_owned(),
        Type::Bool => "tobool(null)".to_owned(),
        Type::List(_) => "tolist(null)".to_owned(),
        Type::Set(_) => "toset(null)".to_owned(),
        Type::Map(_) => "tomap(null)".to_owned(),
        _ => "null".to_owned(),
    }
}

/// A quoted literal, or an indented heredoc for a text of several lines.
fn string(text: &str, depth: usize) -> String {
    let Some(lines) = heredoc_lines(text) else { return quote(text) };
    let marker = heredoc_marker(text);
    let indent = "  ".repeat(depth);
    let body: String =
        lines.iter().map(|l| if l.is_empty() { "\n".to_owned() } else { format!("{indent}{l}\n") }).collect();
    format!("<<{}{marker}\n{body}{indent}{marker}", if depth > 0 { "-" } else { "" })
}

/// The lines of a text that reads better as a heredoc: several lines, all of them ended, nothing invisible.
pub fn heredoc_lines(text: &str) -> Option<Vec<String>> {
    let body = text.strip_suffix('\n')?;
    if !body.contains('\n') || body.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        return None;
    }
    Some(body.split('\n').map(|l| l.replace("${", "$${").replace("%{", "%%{")).collect())
}

/// A heredoc marker that no line of the text is equal to.
pub fn heredoc_marker(text: &str) -> String {
    let mut marker = "EOT".to_owned();
    while text.lines().any(|l| l.trim() == marker) {
        marker.push('_');
    }
    marker
}

fn sequence<'a>(open: &str, vs: impl Iterator<Item = &'a Value>, close: &str, depth: usize, clear: bool) -> String {
    let lines = vs.map(|v| write(v, depth + 1, clear) + ",").collect();
    enclosed(open, lines, close, depth)
}

fn mapping(open: &str, fs: &BTreeMap<Arc<str>, Value>, close: &str, depth: usize, clear: bool) -> String {
    let lines = fs.iter().map(|(k, v)| format!("{} = {}", quote(k), write(v, depth + 1, clear))).collect();
    enclosed(open, lines, close, depth)
}

/// Lines between brackets, one step further in.
fn enclosed(open: &str, lines: Vec<String>, close: &str, depth: usize) -> String {
    if lines.is_empty() {
        return format!("{open}{close}");
    }
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    format!("{open}\n{inner}{}\n{outer}{close}", lines.join(&format!("\n{inner}")))
}

/// A key of an object as it can stand before `=`: bare where it is an identifier.
pub fn object_key(key: &str) -> String {
    let mut chars = key.chars();
    let starts = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if starts && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-') { key.to_owned() } else { quote(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_like_the_expressions_that_make_them() {
        let value = Value::object([
            ("empty", Value::list(Type::String, vec![])),
            ("list", Value::strings(["a", "b\"c"])),
            ("map", Value::map(Type::Number, [("k.x", Value::int(1))])),
            ("nothing", Value::null(Type::String)),
            ("password", Value::from("hunter2").sensitive()),
            ("set", Value::set(Type::String, ["b".into(), "a".into()])),
            ("text", Value::from("one\n  ${two}\n")),
            ("unended", Value::from("one\ntwo")),
            ("unknown", Value::unknown(Type::String)),
        ]);
        insta::assert_snapshot!(expression(&value), @r#"
        {
          "empty" = tolist([])
          "list" = tolist([
            "a",
            "b\"c",
          ])
          "map" = tomap({
            "k.x" = 1
          })
          "nothing" = tostring(null)
          "password" = (sensitive value)
          "set" = toset([
            "a",
            "b",
          ])
          "text" = <<-EOT
          one
            $${two}
          EOT
          "unended" = "one\ntwo"
          "unknown" = (known after apply)
        }
        "#);
        assert_eq!(expression(&value.get("password").cloned().unwrap_or_else(Value::dynamic_null)), SENSITIVE);
        assert!(expression_in_clear(&value).contains("hunter2"));
    }

    #[test]
    fn a_marker_never_ends_the_text_early() {
        assert_eq!(heredoc_marker("a\n EOT \nEOT_\n"), "EOT__");
    }

    #[test]
    fn keys_are_quoted_when_they_must_be() {
        for (key, shown) in [("a-b", "a-b"), ("1a", "\"1a\""), ("a.b", "\"a.b\""), ("", "\"\""), ("größe", "größe")]
        {
            assert_eq!(object_key(key), shown);
        }
    }
}
