#![allow(clippy::unwrap_used)]

//! Each row is an expression and what it gives, written as `console` shows it, or `error:` and the message.

use std::sync::Arc;

use sgp_model::{Kind, Type, json};

use super::*;
use crate::{
    eval::{Inputs, render_template},
    source::MemoryFiles,
};

mod cidr;
mod collection;
mod encoding;
mod file;
mod format;
mod numeric;
mod string;
mod time;
mod types;
mod unknown;
mod yaml;

fn files() -> MemoryFiles {
    let mut files = MemoryFiles::new([
        ("hello.txt", "hé\n"),
        ("greeting.tftpl", "Hello %{ for n in names ~}${n}, %{ endfor ~}bye"),
        ("list.tftpl", "${[for n in names : upper(n)]}"),
        ("nested.tftpl", "<${templatefile(\"greeting.tftpl\", { names = [who] })}>"),
        ("broken.tftpl", "line\n${nope}"),
        ("loop.tftpl", "${templatefile(\"loop.tftpl\", {})}"),
        ("conf/a.yaml", "a: 1"),
        ("conf/b.yml", "b: 1"),
        ("conf/sub/c.yaml", "c: 1"),
        ("conf/sub/deep/d.yaml", "d: 1"),
    ]);
    files.0.insert("bytes.bin".into(), vec![0xff, 0xfe]);
    files.0.insert("rsa.pem".into(), include_str!("tests/keys/pkcs1.pem").into());
    files.0.insert("rsa8.pem".into(), include_str!("tests/keys/pkcs8.pem").into());
    files.0.insert("openssh.pem".into(), include_str!("tests/keys/openssh.pem").into());
    files.0.insert("locked.pem".into(), include_str!("tests/keys/locked.pem").into());
    files.0.insert("ec.pem".into(), include_str!("tests/keys/ec.pem").into());
    files
}

/// Names that stand for values that are not known yet.
fn unknowns() -> BTreeMap<Arc<str>, Value> {
    let unknown = |name: &str, ty: Type| (Arc::from(name), Value::unknown(ty));
    BTreeMap::from([
        unknown("string", Type::String),
        unknown("number", Type::Number),
        unknown("truth", Type::Bool),
        unknown("any", Type::Dynamic),
        unknown("strings", Type::list(Type::String)),
        unknown("tags", Type::map(Type::String)),
        unknown("groups", Type::set(Type::String)),
        unknown("pair", Type::tuple([Type::String, Type::Number])),
        unknown("point", Type::object([("x", Type::Number), ("y", Type::Number)])),
    ])
}

fn evaluate(expression: &str) -> String {
    let source = format!("${{{expression}}}");
    let files: Arc<dyn Files + Send + Sync> = Arc::new(files());
    match render_template("t", &source, &unknowns(), files, &Inputs::default(), 1) {
        Ok(value) => show(&value),
        Err(message) => format!("error: {}", message.strip_prefix("t, line 1: ").unwrap_or(&message)),
    }
}

/// As `console` writes a value, on one line; an unknown value with its type.
fn show(value: &Value) -> String {
    if value.is_sensitive() {
        return "(sensitive value)".into();
    }
    let all = || value.elements().unwrap_or_default().into_iter().map(show).collect::<Vec<_>>().join(", ");
    match value.kind() {
        Kind::Null(Type::Dynamic) => "null".into(),
        Kind::Null(ty) => format!("{}(null)", conversion(ty)),
        Kind::Unknown(u) => match &u.prefix {
            Some(prefix) => format!("unknown {}: {prefix}...", u.ty),
            None => format!("unknown {}", u.ty),
        },
        Kind::List(..) => format!("tolist([{}])", all()),
        Kind::Set(..) => format!("toset([{}])", all()),
        Kind::Tuple(_) => format!("[{}]", all()),
        Kind::Map(_, fields) | Kind::Object(fields) => {
            let quoted = |k: &str| json::to_plain_json_text(&k.into()).unwrap();
            let fields: Vec<_> = fields.iter().map(|(k, v)| format!("{} = {}", quoted(k), show(v))).collect();
            let object = format!("{{{}}}", fields.join(", "));
            if matches!(value.kind(), Kind::Map(..)) { format!("tomap({object})") } else { object }
        }
        _ => json::to_plain_json_text(value).unwrap(),
    }
}

fn conversion(ty: &Type) -> String {
    match ty {
        Type::List(_) => "tolist".into(),
        Type::Set(_) => "toset".into(),
        Type::Map(_) => "tomap".into(),
        other => format!("to{}", other.friendly_name()),
    }
}

/// Reports every row that is wrong, not only the first.
#[track_caller]
fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(expression, expected)| (expression, expected, evaluate(expression)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(expression, expected, found)| format!("{expression}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows are wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn tables_are_sorted_and_names_unique() {
    for family in families() {
        let names: Vec<_> = family.iter().map(|f| f.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
    assert_eq!(names().len(), families().iter().map(|f| f.len()).sum::<usize>());
}

/// More rows, by subject: an expression on a line of its own, and on the next, indented, what it gives.
const TABLES: &[(&str, &str)] = &[
    ("assume", include_str!("tests/rows/assume.txt")),
    ("attempt", include_str!("tests/rows/attempt.txt")),
    ("cidr", include_str!("tests/rows/cidr.txt")),
    ("collection", include_str!("tests/rows/collection.txt")),
    ("digest", include_str!("tests/rows/digest.txt")),
    ("encoding", include_str!("tests/rows/encoding.txt")),
    ("file", include_str!("tests/rows/file.txt")),
    ("format", include_str!("tests/rows/format.txt")),
    ("map", include_str!("tests/rows/map.txt")),
    ("numeric", include_str!("tests/rows/numeric.txt")),
    ("pattern", include_str!("tests/rows/pattern.txt")),
    ("rsa", include_str!("tests/rows/rsa.txt")),
    ("set", include_str!("tests/rows/set.txt")),
    ("string", include_str!("tests/rows/string.txt")),
    ("template", include_str!("tests/rows/template.txt")),
    ("time", include_str!("tests/rows/time.txt")),
    ("types", include_str!("tests/rows/types.txt")),
];

/// The rows of a table; line breaks in what an expression gives are written as `\n`.
fn rows_of(table: &str) -> Vec<(&str, &str)> {
    let mut lines = table.lines();
    let mut rows = Vec::new();
    while let Some(expression) = lines.next() {
        let expected = lines.next().and_then(|l| l.strip_prefix("    "));
        rows.push((expression, expected.unwrap_or_else(|| panic!("what does {expression} give?"))));
    }
    rows
}

#[test]
fn tables_hold() {
    let mut wrong = Vec::new();
    for (table, text) in TABLES {
        for (expression, expected) in rows_of(text) {
            let found = evaluate(expression).replace('\n', "\\n");
            if found != expected {
                wrong.push(format!("{table}: {expression}\n  expected {expected}\n  found    {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A function that is told apart by few cases still has some; those without arguments have one.
#[test]
fn every_function_has_rows() {
    let tables = TABLES.iter().flat_map(|(_, text)| rows_of(text));
    let rows = [
        cidr::ROWS,
        collection::ROWS,
        collection::MAP_ROWS,
        encoding::ROWS,
        file::ROWS,
        format::ROWS,
        numeric::ROWS,
        string::ROWS,
        string::PATTERN_ROWS,
        time::ROWS,
        types::ROWS,
        unknown::ROWS,
        yaml::ROWS,
    ]
    .concat();
    let rows: Vec<_> = rows.into_iter().chain(tables).collect();
    let calls = |row: &str, name: &str| {
        row.match_indices(&format!("{name}(")).any(|(at, _)| !row[..at].ends_with(|c: char| c.is_alphanumeric()))
    };
    let few: Vec<_> = names()
        .into_iter()
        .map(|name| (name, rows.iter().filter(|(row, _)| calls(row, name)).count()))
        .filter(|(name, count)| *count < if TABLE[name].params.is_empty() { 2 } else { 3 })
        .collect();
    assert!(few.is_empty(), "too few rows: {few:?}");
}

#[test]
fn calls_are_checked_before_the_function_sees_them() {
    check(&[
        (r#"upper("a", "b")"#, "error: Function \"upper\" expects only 1 argument(s)."),
        (r#"substr("a")"#, "error: Function \"substr\" expects 3 argument(s). Missing value for \"offset\"."),
        (r#"uper("a")"#, "error: There is no function named \"uper\". Did you mean \"upper\"?"),
        (r#"core::upper("a")"#, "\"A\""),
        ("upper([])", "error: Invalid value for \"str\" parameter: string required."),
        ("upper(null)", "error: Invalid value for \"str\" parameter: argument must not be null."),
        (r#"join(",", ["a", 1], [true])"#, "\"a,1,true\""),
    ]);
}

#[test]
fn impure_functions_use_what_the_apply_phase_gives() {
    let files = files();
    let random = |bytes: &mut [u8]| bytes.fill(7);
    let cx = FunctionContext {
        files: &files,
        plan_timestamp: Some("2026-01-02T03:04:05Z"),
        impure: Some(Impure { timestamp: "2026-01-02T03:05:00Z", random: &random }),
        render_template: &|_, _, _| Err("no template".into()),
    };
    let call = |name: &str, args: &[Value]| show(&call(name, args.to_vec(), &cx).unwrap());
    assert_eq!(call("timestamp", &[]), "\"2026-01-02T03:05:00Z\"");
    assert_eq!(call("plantimestamp", &[]), "\"2026-01-02T03:04:05Z\"");
    assert_eq!(call("uuid", &[]), "\"07070707-0707-4707-8707-070707070707\"");
    let hash = call("bcrypt", &["secret".into(), Value::int(4)]);
    assert!(hash.starts_with("\"$2a$04$"), "{hash}");
    assert!(bcrypt::verify("secret", hash.trim_matches('"')).unwrap());
}

#[test]
fn secrets_are_not_repeated_in_messages() {
    check(&[(
        r#"tonumber(sensitive("hunter2"))"#,
        "error: Invalid value for \"v\" parameter: cannot convert string to number; given string must be a decimal \
         representation of a number.",
    )]);
}
