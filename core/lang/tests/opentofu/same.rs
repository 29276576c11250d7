//! Whether our answer will do for OpenTofu's: the same, or the same but for more that we know about values that are not known
//! there.

const ERROR: &str = "error: ";

/// Whether one of two answers will do for the other.
pub fn same(ours: &str, theirs: &str) -> bool {
    if ours.starts_with(ERROR) || theirs.starts_with(ERROR) {
        return ours.starts_with(ERROR) && theirs.starts_with(ERROR);
    }
    says_as_much(ours, theirs)
}

/// Whether the first value is the second, or one of those that the second may turn out to be.
pub fn says_as_much(mut ours: &str, mut theirs: &str) -> bool {
    let open = theirs.contains("unknown(");
    while let Some((before, rest)) = theirs.split_once("unknown(") {
        let Some(mine) = after_text(ours, before) else { return false };
        let (their, after) = inside(rest);
        let (mine, my_rest) = item(mine);
        let fits = match mine.strip_prefix("unknown(") {
            Some(unknown) => implies(unknown.strip_suffix(')').unwrap_or(unknown), their),
            None => is_one(mine, their),
        };
        if !fits {
            return false;
        }
        (ours, theirs) = (my_rest, &after[1..]);
    }
    ours == theirs || open && after_text(ours, theirs).is_some_and(str::is_empty)
}

/// Whether the second answer is the first with types for what the first leaves open, whatever else is promised.
pub fn types_are_in(open: &str, typed: &str) -> bool {
    let (open, typed) = (without_promises(open), without_promises(typed));
    says_as_much(&typed, &open) || after_text(&typed, &open).is_some_and(str::is_empty)
}

fn without_promises(text: &str) -> String {
    let Some((before, rest)) = text.split_once("unknown(") else { return text.to_owned() };
    let (promises, after) = inside(rest);
    format!("{before}unknown({}){}", promises.split("; ").next().unwrap_or_default(), without_promises(&after[1..]))
}

/// What stands in a bracket, and what follows from its closing on.
fn inside(text: &str) -> (&str, &str) {
    let mut at = item(text).0.len();
    while text[at..].starts_with(',') {
        at += 1 + item(&text[at + 1..]).0.len();
    }
    text.split_at(at)
}

/// What follows the text in ours, where a type may stand for an `any` of the text.
fn after_text<'t>(ours: &'t str, text: &str) -> Option<&'t str> {
    if let Some(rest) = ours.strip_prefix(text) {
        return Some(rest);
    }
    let same = ours.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    let at = text.get(..same).unwrap_or_default().rfind(['(', ' ']).map_or(0, |at| at + 1);
    let rest = text[at..].strip_prefix("any")?;
    after_text(item(&ours[at..]).1, rest)
}

/// Whether the answers are the same but for secrets.
pub fn differ_in_secrets(ours: &str, theirs: &str) -> bool {
    ours != theirs && says_as_much(&disclosed(ours), &disclosed(theirs))
}

/// The text without the marks of secrets.
fn disclosed(text: &str) -> String {
    let Some((before, rest)) = text.split_once("sensitive(") else { return text.to_owned() };
    let (inner, after) = inside(rest);
    format!("{before}{}{}", disclosed(inner), disclosed(after.get(1..).unwrap_or_default()))
}

/// The text up to the comma or the bracket that ends it, and what follows.
fn item(text: &str) -> (&str, &str) {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    let end = text.find(|c| {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            return false;
        }
        quoted = c == '"';
        depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
        depth < 0 || depth == 0 && c == ','
    });
    text.split_at(end.unwrap_or(text.len()))
}

/// Whether everything that is promised about their unknown value is promised about ours.
fn implies(ours: &str, theirs: &str) -> bool {
    let ours: Vec<&str> = ours.split("; ").collect();
    let mut theirs = theirs.split("; ");
    fits(ours[0], theirs.next().unwrap_or_default())
        && theirs.all(|wanted| ours.iter().any(|found| is_as_strong(found, wanted)))
}

/// Whether a type is the other one, or says what that one leaves open.
fn fits(ours: &str, theirs: &str) -> bool {
    let Some((before, after)) = theirs.split_once("any") else { return ours == theirs };
    ours.strip_prefix(before).is_some_and(|rest| fits(item(rest).1, after))
}

/// Whether of two promises in the same words the first is as strong as the second.
fn is_as_strong(ours: &str, theirs: &str) -> bool {
    if let Some((ours, theirs)) = prefix(ours).zip(prefix(theirs)) {
        return ours.starts_with(theirs);
    }
    let bound = |text: &str, sign: &str| text.strip_prefix(sign).and_then(|n| n.parse::<f64>().ok());
    let (least, most) = (["length >= ", ">= ", "> "], ["length <= ", "<= ", "< "]);
    let holds = |sign: &str, is: fn(f64, f64) -> bool| {
        bound(ours, sign).zip(bound(theirs, sign)).is_some_and(|(ours, theirs)| is(ours, theirs))
    };
    ours == theirs || least.iter().any(|s| holds(s, |a, b| a >= b)) || most.iter().any(|s| holds(s, |a, b| a <= b))
}

fn prefix(promise: &str) -> Option<&str> {
    promise.strip_prefix("begins with ").and_then(|p| p.strip_suffix('"'))
}

/// Whether a value may be what is not known yet.
fn is_one(value: &str, unknown: &str) -> bool {
    let mut promises = unknown.split("; ");
    let ty = promises.next().unwrap_or_default();
    if let Some(null) = value.strip_prefix("null(") {
        return fits(null.strip_suffix(')').unwrap_or(null), ty) && promises.next().is_none();
    }
    if let Some(value) = value.strip_prefix("sensitive(") {
        return is_one(value.strip_suffix(')').unwrap_or(value), unknown);
    }
    let number: Option<f64> = value.parse().ok();
    let is_of_type = match ty {
        "any" => true,
        "string" => value.starts_with('"'),
        "number" => number.is_some(),
        "bool" => matches!(value, "true" | "false"),
        _ if ty.starts_with("tuple") => value.starts_with('['),
        _ if ty.starts_with("object") => value.starts_with('{'),
        _ => value.find(['[', '{']).is_some_and(|_| fits(collection(value), ty)),
    };
    let bound = |text: &str, sign: &str| text.strip_prefix(sign).and_then(|n| n.parse::<f64>().ok()).zip(number);
    is_of_type
        && promises.all(|promise| {
            prefix(promise).is_none_or(|prefix| value.starts_with(prefix))
                && bound(promise, ">= ").is_none_or(|(least, n)| n >= least)
                && bound(promise, "<= ").is_none_or(|(most, n)| n <= most)
        })
}

/// The type that a collection's text begins with.
fn collection(value: &str) -> &str {
    let Some((open, _)) = value.match_indices('(').next() else { return value };
    let (inner, _) = item(&value[open + 1..]);
    // An object's type has commas: the whole stands in brackets, one deeper than those.
    &value[..(open + inner.len() + 2).min(value.len())]
}

#[test]
fn an_answer_that_knows_more_will_do() {
    for (ours, theirs, expected) in [
        ("1", "1", true),
        ("1", "2", false),
        ("error: a", "error: b", true),
        ("error: a", "1", false),
        ("unknown(string; not null)", "unknown(string)", true),
        ("unknown(string)", "unknown(string; not null)", false),
        ("unknown(string)", "unknown(any)", true),
        ("unknown(list(string))", "unknown(list(any))", true),
        ("unknown(any)", "unknown(string)", false),
        ("[1, unknown(object({\"a\" = number, \"b\" = bool}); not null), 2]", "[1, unknown(any), 2]", true),
        ("[1, {\"a\" = \"),\"}, 2]", "[1, unknown(object({\"a\" = string})), 2]", true),
        ("[1, 3]", "[unknown(string), 3]", false),
        ("unknown(number; not null; >= 1)", "unknown(number; not null; >= 0)", true),
        ("unknown(number; not null; >= 0)", "unknown(number; not null; >= 1)", false),
        ("unknown(string; not null; begins with \"ab\")", "unknown(string; not null; begins with \"a\")", true),
        ("\"ab\"", "unknown(string; not null; begins with \"a\")", true),
        ("\"b\"", "unknown(string; not null; begins with \"a\")", false),
        ("null(string)", "unknown(string; not null)", false),
        (
            "list(object({\"a\" = number, \"b\" = bool}))[]",
            "unknown(list(object({\"a\" = number, \"b\" = bool})))",
            true,
        ),
        ("list(string)[\"a\"]", "unknown(list(number))", false),
    ] {
        assert_eq!(same(ours, theirs), expected, "{ours}, {theirs}");
    }
}
