use super::check;

#[rustfmt::skip]
pub(super) const ROWS: &[(&str, &str)] = &[
    (r#"tolist("a")"#, r#"error: Invalid value for "v" parameter: cannot convert string to list of any single type."#),
    ("tolist(null)", "tolist(null)"),
    (r#"toset(["b","a","b"])"#, r#"toset(["a", "b"])"#),
    (r#"toset("a")"#, r#"error: Invalid value for "v" parameter: cannot convert string to set of any single type."#),
    (r#"toset([1,"a"])"#, r#"toset(["1", "a"])"#),
    (r#"tomap({a=1,b="x"})"#, r#"tomap({"a" = "1", "b" = "x"})"#),
    ("tomap([])", r#"error: Invalid value for "v" parameter: cannot convert tuple to map of any single type."#),
    ("tomap(null)", "tomap(null)"),
    ("tostring(1.50)", r#""1.5""#),
    ("tostring(null)", "tostring(null)"),
    ("tostring(true)", r#""true""#),
    (r#"tobool("true")"#, "true"),
    ("tobool(1)", r#"error: Invalid value for "v" parameter: cannot convert number to bool."#),
    (r#"tobool("1")"#, "true"),
    ("tonumber(true)", r#"error: Invalid value for "v" parameter: cannot convert bool to number."#),
    (r#"tonumber("1.0")"#, "1"),
    ("tonumber(null)", "tonumber(null)"),
    (r#"sensitive("a")"#, "(sensitive value)"),
    (r#"nonsensitive(sensitive("a"))"#, r#""a""#),
    (r#"nonsensitive("a")"#, r#""a""#),
    (r#"issensitive(sensitive("a"))"#, "true"),
    (r#"issensitive([sensitive("a")])"#, "false"),
    (r#"issensitive("a")"#, "false"),
    (r#"toset([sensitive("a"),"b"])"#, "(sensitive value)"),
    (r#"tolist([sensitive("a"),"b"])"#, r#"tolist([(sensitive value), "b"])"#),
    (r#"tomap({a=sensitive("x"),b="y"})"#, r#"tomap({"a" = (sensitive value), "b" = "y"})"#),
    (r#"ephemeralasnull("a")"#, r#""a""#),
];

#[test]
fn rows() {
    check(ROWS);
}
