//! Values as people read them: in `console`, `output` and state listings.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use sgp_model::{Kind, Marks, Type, Value, address::quote};

/// What stands for a value that is not known yet.
pub const UNKNOWN: &str = "(known after apply)";
/// What stands for a value that must not be shown.
pub const SENSITIVE: &str = "(sensitive value)";
/// What stands for a value that is sent to the provider and written nowhere.
pub const WRITE_ONLY: &str = "(write-only attribute)";
/// What stands for a value that is for one run only.
pub const EPHEMERAL: &str = "(ephemeral value)";

/// A value as the console answers it, in the form that Terraform's users know: close to the language, with conversions
/// and comments that tell the type.
pub fn expression(value: &Value) -> String {
    write(value, 0, false)
}

/// Like [`expression`], with sensitive parts in clear: for one named output.
pub fn expression_in_clear(value: &Value) -> String {
    write(value, 0, true)
}

fn write(value: &Value, depth: usize, clear: bool) -> String {
    if value.is_sensitive() && value.is_known() && !clear {
        return SENSITIVE.to_owned();
    }
    if value.marks().contains(Marks::EPHEMERAL) && value.is_known() {
        return EPHEMERAL.to_owned();
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
        Type::List(t) => format!("tolist(null) /* of {} */", t.friendly_name()),
        Type::Set(t) => format!("toset(null) /* of {} */", t.friendly_name()),
        Type::Map(t) => format!("tomap(null) /* of {} */", t.friendly_name()),
        Type::Tuple(_) | Type::Object(_) => format!("null /* {} */", ty.friendly_name()),
        Type::Dynamic => "null".to_owned(),
    }
}

/// A type as the console answers `type(...)`: structures over several lines.
pub fn type_text(ty: &Type) -> String {
    write_type(ty, 0)
}

fn write_type(ty: &Type, depth: usize) -> String {
    let indent = |steps: usize| "    ".repeat(steps);
    let lines = |open: &str, lines: Vec<String>, close: &str| {
        let inner = lines.join(&format!(",\n{}", indent(depth + 1)));
        format!("{open}\n{}{inner},\n{}{close}", indent(depth + 1), indent(depth))
    };
    match ty {
        Type::Tuple(types) if types.is_empty() => "tuple([])".to_owned(),
        Type::Tuple(types) => lines("tuple([", types.iter().map(|t| write_type(t, depth + 1)).collect(), "])"),
        Type::Object(fields) if fields.is_empty() => "object({})".to_owned(),
        Type::Object(fields) => {
            let fields = fields.iter().map(|(name, field)| format!("{name}: {}", write_type(&field.ty, depth + 1)));
            lines("object({", fields.collect(), "})")
        }
        Type::List(element) | Type::Set(element) | Type::Map(element) => {
            let word = match ty {
                Type::List(_) => "list",
                Type::Set(_) => "set",
                _ => "map",
            };
            // A structure gets lines of its own, so that what surrounds it is seen.
            if matches!(**element, Type::Tuple(_) | Type::Object(_)) {
                lines(&format!("{word}("), vec![write_type(element, depth + 1)], ")")
            } else {
                format!("{word}({})", write_type(element, depth))
            }
        }
        Type::Dynamic | Type::Bool | Type::Number | Type::String => ty.friendly_name(),
    }
}

/// A quoted text, or an indented heredoc for one of several lines. Templates are not escaped: this is the text itself.
fn string(text: &str, depth: usize) -> String {
    if !text.contains('\n') {
        return visible(text);
    }
    let marker = heredoc_marker(text);
    let indent = "  ".repeat(depth);
    let body = text.replace('\n', &format!("\n{indent}"));
    format!("<<{}{marker}\n{indent}{body}\n{indent}{marker}", if depth > 0 { "-" } else { "" })
}

/// The text in quotes, with escapes for what nobody could see.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_invisible(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Control characters, and marks such as the joiner of emoji that have no picture of their own.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
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
    let lines = fs.iter().map(|(k, v)| format!("{} = {}", visible(k), write(v, depth + 1, clear))).collect();
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
            ("lines", Value::from("one\n${two}\n")),
            ("nothing", Value::null(Type::String)),
            ("nothing listed", Value::null(Type::list(Type::String))),
            ("nothing named", Value::null(Type::object([("a", Type::String)]))),
            ("password", Value::from("hunter2").sensitive()),
            ("set", Value::set(Type::String, ["b".into(), "a".into()])),
            ("text", Value::from("\u{feff}${two}\u{7}")),
            ("unended", Value::from("one\n\ntwo")),
            ("unknown", Value::unknown(Type::String)),
            ("unknown secret", Value::unknown(Type::String).sensitive()),
        ]);
        insta::assert_snapshot!(expression(&value), @r#"
        {
          "empty" = tolist([])
          "lines" = <<-EOT
          one
          ${two}
          
          EOT
          "list" = tolist([
            "a",
            "b\"c",
          ])
          "map" = tomap({
            "k.x" = 1
          })
          "nothing" = tostring(null)
          "nothing listed" = tolist(null) /* of string */
          "nothing named" = null /* object */
          "password" = (sensitive value)
          "set" = toset([
            "a",
            "b",
          ])
          "text" = "\ufeff${two}\u0007"
          "unended" = <<-EOT
          one
          
          two
          EOT
          "unknown" = (known after apply)
          "unknown secret" = (known after apply)
        }
        "#);
        assert_eq!(expression(&value.get("password").cloned().unwrap_or_else(Value::dynamic_null)), SENSITIVE);
        assert!(expression_in_clear(&value).contains("hunter2"));
    }

    #[test]
    fn structures_in_types_have_lines_of_their_own() {
        let object = Type::object([("a", Type::Number), ("b", Type::tuple([Type::list(Type::Dynamic)]))]);
        insta::assert_snapshot!(type_text(&Type::map(object)), @r"
        map(
            object({
                a: number,
                b: tuple([
                    list(dynamic),
                ]),
            }),
        )
        ");
        assert_eq!(type_text(&Type::set(Type::list(Type::String))), "set(list(string))");
        assert_eq!(type_text(&Type::tuple([])), "tuple([])");
        assert_eq!(type_text(&Type::object::<&str>([])), "object({})");
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
