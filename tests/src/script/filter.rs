//! What a script can do with the output of a command before it is shown.
//!
//! - `only TEXT`: the lines that contain the text;
//! - `without TEXT`: the lines that do not;
//! - `from TEXT`: from the first line that contains the text, all lines when none does, so that an error is seen;
//! - `json PATH`: what lies at `a.b[0]` of a JSON document, texts bare;
//! - `shape`: a JSON document with its values replaced by their types;
//! - `json-lines`: how many lines there are of each type, when every line is a JSON object of Terraform's machine-readable UI;
//! - `count`: how many lines there are;
//! - `sha256`: the SHA-256 of it, hexadecimal.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, fmt::Write as _};

/// Sends text through a filter.
///
/// # Panics
/// When there is no such filter, or the text is not what it takes.
pub fn apply(words: &[String], text: &str) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["only", part] => lines(text, |line| line.contains(part)),
        ["without", part] => lines(text, |line| !line.contains(part)),
        ["from", part] => from(text, part),
        ["json", path] => json(text, path),
        ["shape"] => pretty(&shape(&parse(text))),
        ["json-lines"] => json_lines(text),
        ["sha256"] => Sha256::digest(text).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")) + "\n",
        ["count"] => format!("{}\n", text.lines().count()),
        _ => panic!("there is no filter {words:?}"),
    }
}

fn lines(text: &str, keep: impl Fn(&str) -> bool) -> String {
    text.lines().filter(|line| keep(line)).fold(String::new(), |all, line| all + line + "\n")
}

fn from(text: &str, part: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| line.contains(part)).unwrap_or(0);
    lines[first..].join("\n") + "\n"
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn json(text: &str, path: &str) -> String {
    let pointer = path.replace('[', ".").replace(']', "").split('.').fold(String::new(), |all, part| all + "/" + part);
    match parse(text).pointer(&pointer) {
        Some(Value::String(found)) => found.clone() + "\n",
        Some(found) => pretty(found),
        None => panic!("nothing lies at {path} of {text}"),
    }
}

/// A list of objects of one shape is shown as one of them.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Array(items) => {
            let mut shapes: Vec<Value> = Vec::new();
            for shape in items.iter().map(shape) {
                if !shapes.contains(&shape) {
                    shapes.push(shape);
                }
            }
            Value::Array(shapes)
        }
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
    }
}

/// Lines that only say that time passes come as often as time passes: they are checked and not counted.
fn json_lines(text: &str) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines() {
        let value = parse(line);
        for member in ["@level", "@message", "@module", "@timestamp", "type"] {
            assert!(value[member].is_string(), "{member} is missing in {line}");
        }
        let kind = value["type"].as_str().unwrap_or_default();
        if kind != "apply_progress" {
            *counts.entry(kind.to_owned()).or_default() += 1;
        }
    }
    counts.iter().fold(String::new(), |mut all, (kind, count)| {
        let _ = writeln!(all, "{count} {kind}");
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], text: &str, expected: &str) {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        assert_eq!(apply(&words, text), expected, "{words:?}");
    }

    #[test]
    fn filters() {
        check(&["only", "b"], "abc\nx\n", "abc\n");
        check(&["without", "b"], "abc\nx\n", "x\n");
        check(&["from", "x"], "abc\nx\ny\n", "x\ny\n");
        check(&["from", "z"], "abc\nx\n", "abc\nx\n");
        check(&["json", "a.b[1]"], r#"{"a":{"b":[1,"two"]}}"#, "two\n");
        check(&["shape"], r#"[{"a":1},{"a":2}]"#, "[\n  {\n    \"a\": \"number\"\n  }\n]\n");
        check(&["count"], "a\nb\n", "2\n");
        let line = r#"{"@level":"info","@message":"m","@module":"sgp.ui","@timestamp":"t","type":"version"}"#;
        check(&["json-lines"], line, "1 version\n");
    }

    #[test]
    #[should_panic(expected = "@level is missing")]
    fn a_line_of_another_kind_is_seen() {
        check(&["json-lines"], "{}", "");
    }
}
