//! Texts that are deep or large beyond reason: a value or a diagnostic in a time that grows with the length, on the stack of a
//! thread as programs have it.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, thread};

use sgp_lang::{constant, fmt, syntax};
use sgp_model::Diagnostic;

/// Runs on two megabytes of stack, as every thread of a program but the first one has.
fn on_a_small_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| thread::Builder::new().stack_size(2 << 20).spawn_scoped(scope, run).unwrap().join().unwrap())
}

/// The first error of reading a file, which formatting refuses with the same.
fn refused(text: &str) -> String {
    on_a_small_stack(|| {
        let (_, diagnostics) = syntax::parse_body(&Arc::from("main.tf"), text);
        let first = diagnostics.iter().find(|d| d.is_error()).cloned().expect("an error");
        let formatted = fmt::format_file(&Arc::from("main.tf"), text).expect_err("an error");
        assert_eq!(formatted.summary, first.summary);
        assert!(text.get(first.span.unwrap().range).is_some());
        first.summary
    })
}

/// Reads and formats a file of one argument, and evaluates that.
fn value(text: &str) -> Result<sgp_model::Value, Diagnostic> {
    on_a_small_stack(|| {
        let (body, diagnostics) = syntax::parse_body(&Arc::from("main.tf"), text);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        fmt::format(text)?;
        constant(&body.attrs[0].expr)
    })
}

const DEEP: usize = 100_000;

#[test]
fn deep_nesting_is_refused() {
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{ a = ", "1", "}"),
        ("{\na = ", "1", "\n}"),
        ("{(", "1", ") = 1}"),
        ("f(", "1", ")"),
        ("\"${", "1", "}\""),
        ("\"%{ if ", "true", "}%{ endif }\""),
        ("!", "true", ""),
        ("-", "1", ""),
        ("- -", "1", ""),
        ("a ? b : ", "c", ""),
        ("a ? ", "b", " : c"),
        ("[for x in ", "y", " : x]"),
        ("{for k, v in y : k => ", "v", "}"),
        ("a[", "1", "]"),
        ("1 + (", "1", ")"),
        ("a.*.b[", "1", "]"),
        ("[\n(", "1", ")\n]"),
    ] {
        for text in [
            format!("x = {}{inner}{}\n", open.repeat(DEEP), close.repeat(DEEP)),
            // Without ends, too.
            format!("x = {}", open.repeat(DEEP)),
        ] {
            assert_eq!(refused(&text), "Nested too deeply", "{open}");
        }
    }
}

#[test]
fn deep_blocks_and_heredocs_are_refused() {
    for (open, close) in [("a {\n", "}\n"), ("a \"b\" {\n", "}\n"), ("a { ", "}"), ("  a {\n", "  }\n")] {
        for text in [format!("{}{}", open.repeat(DEEP), close.repeat(DEEP)), open.repeat(DEEP)] {
            let summary = refused(&text);
            assert!(["Nested too deeply", "Invalid single-line block"].contains(&&*summary), "{open}: {summary}");
        }
    }
    let heredocs = format!("x = {}1{}\n", "<<E\n${".repeat(2_000), "}\nE\n".repeat(2_000));
    assert_eq!(refused(&heredocs), "Nested too deeply");
    let markers: String = (0..2_000).map(|i| format!("<<E{i}\n${{")).collect();
    let ends: String = (0..2_000).rev().map(|i| format!("}}\nE{i}\n")).collect();
    assert_eq!(refused(&format!("x = {markers}1\n{ends}")), "Nested too deeply");
}

#[test]
fn long_chains_are_refused() {
    for (start, link) in [
        ("1", " + 1"),
        ("1", " == 1"),
        ("true", " && true"),
        ("a", ".b"),
        ("a", "[0]"),
        ("a", "[*]"),
        ("a", ".*"),
        ("a", ".0"),
        ("f()", ".b"),
        ("[]", "[0]"),
    ] {
        let text = format!("x = {start}{}\n", link.repeat(DEEP));
        let summary = refused(&text);
        assert!(
            ["Nested too deeply", "Invalid attribute name", "Invalid legacy index syntax"].contains(&&*summary),
            "{link}: {summary}"
        );
    }
}

/// Each by itself is short enough; together they would be as deep as they are many.
#[test]
fn chains_within_chains_are_refused() {
    let link = " + 1".repeat(900);
    let text = format!("x = {}1{}\n", "(".repeat(80), format!("{link})").repeat(80));
    assert_eq!(refused(&text), "Nested too deeply");
    let link = ".b".repeat(900);
    let text = format!("x = {}a{}\n", "(".repeat(80), format!("{link})").repeat(80));
    assert_eq!(refused(&text), "Nested too deeply");
}

#[test]
fn what_is_just_within_the_limits_is_read_and_evaluated() {
    let sum = value(&format!("x = 1{}\n", " + 1".repeat(900))).unwrap();
    assert_eq!(sum.as_i64(), Some(901));
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("-(", "1", ")"),
        ("\"${", "1", "}\""),
        ("[", "1", "][0]"),
        ("{ a = ", "1", " }.a"),
        ("true ? ", "1", " : 2"),
        ("[for x in [1] : ", "1", "][0]"),
        ("[1][1 - ", "1", "]"),
        ("(", "{ a = 1 }.a", ")"),
    ] {
        let found = value(&format!("x = {}{inner}{}\n", open.repeat(900), close.repeat(900)));
        let found = found.unwrap_or_else(|d| panic!("{open}: {d:?}"));
        assert_eq!(found.as_i64(), Some(1), "{open}");
    }
    let list = value(&format!("x = {}1{}\n", "[".repeat(900), "]".repeat(900))).unwrap();
    on_a_small_stack(|| assert_eq!(list.ty().to_string().matches("tuple").count(), 900));
}

#[test]
fn large_literals_are_values() {
    let digits = "1234567890".repeat(10_000);
    let long = value(&format!("x = {digits}\n")).unwrap();
    assert!(long.as_number().unwrap().to_string().starts_with("12345678901234567890"));
    let fraction = value(&format!("x = 0.{digits}\n")).unwrap();
    assert!(fraction.as_number().unwrap().to_string().starts_with("0.12345678901234567890"));
    let text = "é0123456789\\n".repeat(1 << 18);
    assert_eq!(value(&format!("x = \"{text}\"\n")).unwrap().as_str().unwrap().len(), 13 * (1 << 18));
    let lines = "é0123456789\n".repeat(1 << 18);
    assert_eq!(value(&format!("x = <<E\n{lines}E\n")).unwrap().as_str().unwrap().len(), 13 * (1 << 18));
}

#[test]
fn numbers_beyond_what_can_be_represented_are_refused() {
    for number in [&*"9".repeat(10 << 20), "1e9999999999", "1e99999999999999999999999999", "1e-9999999999"] {
        assert_eq!(refused(&format!("x = {number}\n")), "Invalid number");
    }
}

#[test]
fn a_file_full_of_mistakes_is_left_at_some_of_them() {
    for text in ["a = \n".repeat(50_000), format!("a {{\n{}}}\n", "  b = \n".repeat(50_000))] {
        let (_, diagnostics) = syntax::parse_body(&Arc::from("main.tf"), &text);
        assert_eq!(diagnostics.iter().count(), 101);
    }
    let (_, diagnostics) = syntax::parse_body(&Arc::from("main.tf"), &"a = 1\n".repeat(50_000));
    assert_eq!(diagnostics.iter().count(), 100);
}
