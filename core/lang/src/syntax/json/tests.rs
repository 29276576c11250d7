#![allow(clippy::unwrap_used)]

use super::*;

fn problems(text: &str) -> String {
    let (body, diagnostics) = parse_body(&"x.tf.json".into(), text);
    let nested = body.blocks.iter().map(|b| b.body.json.len()).sum::<usize>();
    let all = diagnostics.iter().map(|d| {
        let span = d.span.as_ref().unwrap();
        assert_eq!(&*span.file, "x.tf.json");
        format!("{}: `{}`", d.summary, &text[span.range.clone()])
    });
    all.chain((nested > 0).then(|| format!("{nested} undecided"))).collect::<Vec<_>>().join("; ")
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    for (text, expected) in [
        ("", "Invalid JSON: ``"),
        ("{", "Invalid JSON: `{`"),
        ("[{}, ", "Invalid JSON: ` `"),
        ("{} x", "Extra characters after the JSON value: `x`"),
        ("{\"locals\": {\"a\": 1,}}", "Invalid JSON: `}`"),
        ("{\"locals\": {\"a\": [1,]}}", "Invalid JSON: `]`"),
        ("{\"locals\": {\"a\" 1}}", "Invalid JSON: `1`"),
        ("{\"locals\": {a: 1}}", "Invalid JSON: `a`"),
        ("{\"locals\": {\"a\": 1 \"b\": 2}}", "Invalid JSON: `\"`"),
        ("{\"locals\": {\"a\": 'x'}}", "Invalid JSON: `'`"),
        ("{\"locals\": {\"a\": True}}", "Invalid JSON: `True`"),
        ("{\"locals\": {\"a\": 01}}", "Invalid JSON number: `01`"),
        ("{\"locals\": {\"a\": 1.}}", "Invalid JSON number: `1.`"),
        ("{\"locals\": {\"a\": -}}", "Invalid JSON number: `-`"),
        ("{\"locals\": {\"a\": 1e}}", "Invalid JSON number: `1e`"),
        ("{\"locals\": {\"a\": .5}}", "Invalid JSON: `.`"),
        ("{\"locals\": {\"a\": \"b}}", "Invalid JSON string: `\"`"),
        ("{\"locals\": {\"a\": \"b\n\"}}", "Invalid JSON string: `\"b`"),
        ("{\"locals\": {\"a\": \"b\tc\"}}", "Invalid JSON string: `\t`"),
        ("{\"locals\": {\"a\": \"\\x\"}}", "Invalid JSON string: `\\x`"),
        ("{\"locals\": {\"a\": \"\\ud800\"}}", "Invalid JSON string: `\\ud800`"),
        ("{\"locals\": {\"a\": \"\\u12\"}}", "Invalid JSON string: `\\u`"),
        ("// no\n{}", "Invalid JSON: `/`"),
        ("\u{feff}{}", ""),
        (" \t\r\n{ } ", ""),
    ] {
        assert_eq!(problems(text), expected, "{text}");
    }
}

#[test]
fn what_does_not_fit_the_language_is_told_with_its_place() {
    for (text, expected) in [
        ("1", "Invalid configuration: `1`"),
        ("[{}, 1]", "Invalid configuration: `1`"),
        ("[{\"locals\": {}}, {\"locals\": []}]", ""),
        ("{\"//\": \"any\", \"locals\": {\"//\": 1, \"a\": 2}}", ""),
        ("{\"locals\": {\"a\": 1, \"a\": 2}}", "Attribute redefined: `\"a\"`"),
        ("{\"locals\": {\"a\": {\"b\": 1, \"b\": 2}}}", "Duplicate object property: `\"b\"`"),
        ("{\"locals\": 1}", "Block expected: `1`"),
        ("{\"locals\": [1]}", "Block expected: `1`"),
        ("{\"locals\": null, \"resource\": {\"a\": {\"b\": null}}}", ""),
        ("{\"resource\": {\"a\": 1}}", "Missing block label: `1`"),
        ("{\"resource\": {\"a\": {\"b\": {\"c\": 1}}}}", "1 undecided"),
        ("{\"resource\": {\"a\": {\"b\": {\"c\": 1}, \"b\": [{\"c\": 1}, {}]}}}", "2 undecided"),
        ("{\"locals\": {\"a\": \"${b\"}}", "Unclosed template sequence: `${`"),
        ("{\"locals\": {\"a\": \"\\u0041\\\"${b c}\"}}", "Extra characters in template sequence: `c`"),
        ("{\"locals\": {\"a\": {\"x${\": 1}}}", "Invalid expression: `{`"),
        ("{\"resource\": {\"a\": {\"b\": {\"depends_on\": [\"c.\"]}}}}", "Invalid attribute name: `.`"),
        ("{\"variable\": {\"a\": {\"type\": \"list(\", \"default\": \"${\"}}}", "Invalid expression: `(`"),
    ] {
        assert_eq!(problems(text), expected, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert!(problems(&text).starts_with("Nested too deeply"), "{open}");
    }
    let text = format!("{{\"locals\": {{\"a\": \"${{{}1}}\"}}}}", "(".repeat(100_000));
    assert!(problems(&text).starts_with("Nested too deeply"));
}

#[test]
fn values_are_taken_as_they_are() {
    let text = "{\"//\": 0, \"a\": \"${x} %{ \\u00e9\", \"n\": 12345678901234567890.5, \"l\": [null, {\"k\": true}], \"a\": 1}";
    let (values, diagnostics) = parse_values(&"x.tfvars.json".into(), text);
    let shown: Vec<String> = values
        .iter()
        .map(|(n, v, s)| format!("{n} {} {}", sgp_model::json::to_json_text(v).unwrap(), &text[s.range.clone()]))
        .collect();
    assert_eq!(
        shown,
        [
            "a \"${x} %{ é\" \"${x} %{ \\u00e9\"",
            "n 12345678901234567890.5 12345678901234567890.5",
            "l [null,{\"k\":true}] [null, {\"k\": true}]",
        ]
    );
    assert_eq!(diagnostics.iter().map(|d| d.summary.as_str()).collect::<Vec<_>>(), ["Attribute redefined"]);
    assert_eq!(parse_values(&"x".into(), "[1]").1.0[0].summary, "Invalid variables file");
}
