#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

fn file() -> Arc<str> {
    "x.tf".into()
}

fn parsed(text: &str) -> Body {
    let (body, diagnostics) = parse_body(&file(), text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    body
}

#[test]
fn everything_knows_its_place() {
    let text = "resource \"a\" b {\n  x = y.z[0] # note\n  inner {}\n}\n";
    let body = parsed(text);
    let at = |span: &sgp_model::Span| &text[span.range.clone()];
    let block = &body.blocks[0];
    assert_eq!(at(&block.header()), "resource \"a\" b");
    assert_eq!(at(&block.labels[0].span), "\"a\"");
    let attr = block.body.attr("x").unwrap();
    assert_eq!((at(&attr.name_span), at(&attr.expr.span)), ("x", "y.z[0]"));
    assert_eq!(at(&block.body.blocks[0].body.span), "{}");
}

#[test]
fn spans_of_expressions() {
    let text = "f(a.b, [1 + 2], \"x${c ? d : e}\")";
    let expr = parse_expression(&file(), text).unwrap();
    let mut found = Vec::new();
    expr.walk(&mut |e| {
        found.push(&text[e.span.range.clone()]);
        true
    });
    assert_eq!(
        found,
        [text, "a.b", "a", "[1 + 2]", "1 + 2", "1", "2", "\"x${c ? d : e}\"", "c ? d : e", "c", "d", "e"]
    );
}

#[test]
fn bodies_in_all_shapes() {
    for (text, attrs, blocks) in [
        ("", 0, 0),
        ("\u{feff}a = 1", 1, 0),
        ("a = 1\r\nb = 2\r\n", 2, 0),
        ("# c\n// d\n/* e\n f */ a = 1 # g", 1, 0),
        ("a {}\nb \"x\" \"y\" {\n}\nc { d = 1 }", 0, 3),
        ("a = [\n  1, # one\n  2,\n]\nb = {\n  c = 1\n\n  d = 2\n}", 2, 0),
        ("a = b ? {\n  x = 1\n} : {}\n", 1, 0),
        ("a-b = 1\n_c = 2\nü = 3", 3, 0),
    ] {
        let body = parsed(text);
        assert_eq!((body.attrs.len(), body.blocks.len()), (attrs, blocks), "{text:?}");
    }
}

/// The first error of a text, with what it underlines.
fn refused(text: &str) -> (String, String) {
    let (_, diagnostics) = parse_body(&file(), text);
    let first = diagnostics.0.first().unwrap_or_else(|| panic!("{text:?} is read"));
    (first.summary.clone(), text[first.span.clone().unwrap().range].to_owned())
}

#[test]
fn a_block_on_one_line_holds_one_argument_and_no_block() {
    for text in [
        "a {}\n",
        "a { }",
        "a { b = 1 }\n",
        "a \"x\" { /* c */ b = [\n1,\n2\n] }",
        "a { # c\n b = 1\n}",
        "a { b = {\n} }",
    ] {
        assert_eq!(parsed(text).blocks.len(), 1, "{text:?}");
    }
    for (text, at) in [
        ("a { b = 1, c = 2 }\n", ","),
        ("a { b = 1 c = 2 }\n", "c"),
        ("a { b {} }\n", "b"),
        ("a { b = 1\n}\n", "1"),
        ("a { b = 1 # c\n}\n", "c"),
    ] {
        assert_eq!(refused(text), ("Invalid single-line block".to_owned(), at.to_owned()), "{text:?}");
    }
    assert_eq!(refused("a { b = 1"), ("Unclosed block".to_owned(), "{".to_owned()));
}

#[test]
fn each_item_of_a_block_has_lines_of_its_own() {
    for text in ["a {\n  b = 1 }\n", "a {\n  b {} }\n", "a {\n  b {\n  } }\n", "a = 1 }\n"] {
        assert_eq!(refused(text), ("Missing newline".to_owned(), "}".to_owned()), "{text:?}");
    }
    assert_eq!(refused("a = 1,\nb = 2\n"), ("Missing newline".to_owned(), ",".to_owned()));
}

#[test]
fn a_heredoc_ends_at_a_line_outside_of_its_sequences() {
    for (text, expected) in [
        ("x = <<E\na\nE\n", "a\n"),
        ("x = <<E\r\na\r\n  E  \r\n", "a\r\n"),
        ("x = <<E\n E1\nE E\n$E\nE\n", " E1\nE E\n$E\n"),
    ] {
        assert_eq!(parsed(text).attrs[0].expr.as_literal_str(), Some(expected), "{text:?}");
    }
    let nested = parsed("x = <<E\n${\nE\n}\n${<<E\nb\nE\n}\nE\ny = 1\n");
    assert_eq!(nested.attrs.len(), 2);
    for text in ["x = <<E\na\nE", "x = <<E\na\n", "x = <<E\n", "x = <<E\n${a}E\n"] {
        assert_eq!(refused(text), ("Unterminated heredoc".to_owned(), "<<E".to_owned()), "{text:?}");
    }
    assert_eq!(refused("x = <<E\na\rb\nE\n").0, "Invalid character");
    assert_eq!(refused("x = <<E\n\rE\n").0, "Invalid character");
}

#[test]
fn numbers_are_read_as_long_as_they_look_like_one() {
    for text in ["1.2.3", "1..2", "1e5e5", "1e5.5", "1...2"] {
        assert_eq!(refused(&format!("x = {text}\n")), ("Invalid number".to_owned(), text.to_owned()), "{text}");
    }
    for text in ["1.a", "1.5.a", "a.0e1", "[for x in y : 1if x]", "{for x in y : x => 1...}"] {
        assert_eq!(parsed(&format!("x = {text}\n")).attrs.len(), 1, "{text}");
    }
    assert_eq!(refused("x = a.0.1\n").0, "Invalid legacy index syntax");
}

#[test]
fn brackets_take_what_the_grammar_gives_them() {
    for text in ["a[ * ]", "a[/* c */*]", "(a[\n*\n])", "{ a = 1, for = 2 }", "f(a...)", "f(a, b,)", "{\r\n}"] {
        assert_eq!(parsed(&format!("x = {text}\n")).attrs.len(), 1, "{text:?}");
    }
    for (text, summary) in [
        ("a[\n*]", "Invalid expression"),
        ("a[*0]", "Missing close bracket on splat index"),
        ("{ for = 1 }", "Invalid 'for' expression"),
        ("[for]", "Invalid 'for' expression"),
        ("f(a...,)", "Missing closing parenthesis"),
        ("[1,\r2]", "Invalid expression"),
    ] {
        assert_eq!(refused(&format!("x = {text}\n")).0, summary, "{text:?}");
    }
}

#[test]
fn after_a_mistake_reading_goes_on_at_the_next_item() {
    let text = "a {\n  x = \n}\nb {\n  y = 1\n}\nc {\n  z = [\n}\nd = 4\n";
    let (body, diagnostics) = parse_body(&file(), text);
    let blocks: Vec<&str> = body.blocks.iter().map(|b| &*b.ty).collect();
    assert_eq!(blocks, ["b"]);
    assert_eq!(body.attrs[0].name, "d".into());
    let summaries: Vec<&str> = diagnostics.iter().map(|d| d.summary.as_str()).collect();
    assert_eq!(summaries, ["Missing value", "Invalid expression"]);
}

#[test]
fn inside_of_a_block_reading_goes_on_where_the_indentation_says() {
    let lines = |text: &str| -> Vec<usize> {
        let (_, diagnostics) = parse_body(&file(), text);
        diagnostics.iter().map(|d| text[..d.span.as_ref().unwrap().range.start].matches('\n').count() + 1).collect()
    };
    for (text, expected) in [
        ("a {\n  x = \n  y = 1\n  z = [1 2]\n}\nb = )\n", vec![2, 4, 6]),
        ("a {\n  x = {\n    y = ]\n  }\n  z = (\n}\n", vec![3, 6]),
        ("a {\n  b {\n    x = ;\n    y = '1'\n  }\n  z = &\n}\nc = 1\n", vec![3, 4, 6]),
        ("a {\n\tx = ]\n\n\t# note\n\ty = ]\n}\n", vec![2, 5]),
        // Without indentation there is only the next item of the file.
        ("a {\nx = ]\ny = ]\n}\nb = ]\n", vec![2, 3, 5]),
        ("a { x = ] }\nb = ]\n", vec![1, 2]),
    ] {
        assert_eq!(lines(text), expected, "{text}");
    }
    let (body, _) = parse_body(&file(), "a {\n  x = ]\n  y = 1\n}\nb {}\n");
    assert_eq!(body.blocks.iter().map(|b| &*b.ty).collect::<Vec<_>>(), ["b"], "a block that is not whole is left out");
}

#[test]
fn what_is_missing_at_the_end_of_a_line_is_shown_there() {
    for (text, expected) in
        [("a = 1 +\n", "+"), ("a = b.  \nc = 1\n", "."), ("a = 1 *", "*"), ("a = {\n  b =\n}\n", "=")]
    {
        let (_, diagnostics) = parse_body(&file(), text);
        assert_eq!(&text[diagnostics.0[0].span.as_ref().unwrap().range.clone()], expected, "{text}");
    }
}

#[test]
fn a_comment_without_end_swallows_nothing_in_silence() {
    for text in ["a = 1\n/* x\nb = 2\n", "a {\n  b = 1 /* x\n}\n", "a = [1, /* x\n2]\n", "/*/\n"] {
        let (_, diagnostics) = parse_body(&file(), text);
        let summaries: Vec<&str> = diagnostics.iter().map(|d| d.summary.as_str()).collect();
        assert_eq!(summaries, ["Unclosed comment"], "{text}");
    }
    assert_eq!(parse_expression(&file(), "1 /* x").unwrap_err().summary, "Unclosed comment");
    assert_eq!(parse_expression(&file(), "/*/ x */ 2").unwrap().as_literal_str(), None);
}

#[test]
fn names_of_all_scripts() {
    for name in ["²", "a²", "Ⓐ", "\u{93e}a", "a\u{20dd}"] {
        assert!(!is_identifier(name), "{name}");
    }
    for name in ["नाम", "cafe\u{301}", "a‿b", "ชื่อ", "имя", "名前", "a\u{b7}".trim_end_matches('\u{b7}')]
    {
        assert!(is_identifier(name), "{name}");
        assert_eq!(parsed(&format!("{name} = 1")).attrs[0].name, name.into());
    }
}

#[test]
fn usual_slips_are_named() {
    for (text, advice) in [
        ("'x'", "double quotes"),
        ("\u{201c}x\u{201d}", "typographic"),
        ("a & b", "&&"),
        ("a | b", "||"),
        ("a;", "semicolon"),
        ("`x`", "heredoc"),
        ("1 +\u{a0}2", "no-break space"),
    ] {
        let (_, diagnostics) = parse_body(&file(), &format!("x = {text}\n"));
        assert!(diagnostics.0[0].detail.contains(advice), "{text}: {diagnostics:?}");
    }
}

#[test]
fn nesting_has_a_limit_that_is_told() {
    let text = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(parse_expression(&file(), &text).unwrap_err().summary, "Nested too deeply");
    let chain = "a".to_owned() + &".a".repeat(100_000);
    assert_eq!(parse_expression(&file(), &chain).unwrap_err().summary, "Nested too deeply");
    for (open, close) in [("[*]", ""), (".x[*]", "")] {
        let splats = format!("a{}{close}", open.repeat(1_000_000));
        assert_eq!(parse_expression(&file(), &splats).unwrap_err().summary, "Nested too deeply");
    }
    for (open, close) in [("%{ if true }", "%{ endif }"), ("%{ for x in y }", "%{ endfor }")] {
        let text = format!("{}{}", open.repeat(200_000), close.repeat(200_000));
        assert_eq!(parse_template(&file(), &text).unwrap_err().summary, "Nested too deeply");
    }
    let sum = "1".to_owned() + &" + 1".repeat(100_000);
    assert_eq!(parse_expression(&file(), &sum).unwrap_err().summary, "Nested too deeply");
    for splat in ["[*]", ".*[0]"] {
        let splats = format!("a{}", splat.repeat(100_000));
        assert_eq!(parse_expression(&file(), &splats).unwrap_err().summary, "Nested too deeply");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[a-z0-9 \\n\"${}%~<=>?:.,*+/()\\[\\]#!&|\\\\-]{0,60}|\\PC{0,30}") {
        let _ = parse_body(&file(), &text);
        let _ = parse_expression(&file(), &text);
        let _ = parse_template(&file(), &text);
    }

    #[test]
    fn any_text_survives_as_a_literal(text in "\\PC{0,20}") {
        let quoted = sgp_model::address::quote(&text);
        let expr = parse_expression(&file(), &quoted).unwrap();
        prop_assert_eq!(expr.as_literal_str().unwrap(), text.nfc().collect::<String>());
    }
}
