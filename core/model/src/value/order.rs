//! The order of values: that of the elements of a set, and so of every list that is made of one.
//!
//! Bools, numbers and strings have their natural order. Collections and structures are ordered by how they are written,
//! as Terraform has it: a set of `{ port = 443 }` and `{ port = 80 }` begins with 443, because it is written `4...`.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use super::{Kind, Value};
use crate::Number;

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        self.kind.cmp(&other.kind).then_with(|| self.marks.cmp(&other.marks))
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            _ => {
                rank(self).cmp(&rank(other)).then_with(|| by_text(self, other)).then_with(|| by_structure(self, other))
            }
        }
    }
}

/// Kinds in the order in which a set shows them: what is there, what is not known, nothing.
fn rank(kind: &Kind) -> u8 {
    match kind {
        Kind::Bool(_) => 0,
        Kind::Number(_) => 1,
        Kind::String(_) => 2,
        Kind::List(..) => 3,
        Kind::Set(..) => 4,
        Kind::Map(..) => 5,
        Kind::Tuple(_) => 6,
        Kind::Object(_) => 7,
        Kind::Unknown(_) => 8,
        Kind::Null(_) => 9,
    }
}

/// How the texts of two values compare, without writing more of them than decides. In its text every element ends with a
/// semicolon, so that a longer number or sequence comes before its own beginning.
fn by_text(a: &Kind, b: &Kind) -> Ordering {
    match (a, b) {
        (Kind::List(_, a), Kind::List(_, b)) => elements(a.iter(), b.iter(), ']'),
        (Kind::Set(_, a), Kind::Set(_, b)) => elements(a.iter(), b.iter(), ']'),
        (Kind::Tuple(a), Kind::Tuple(b)) => elements(a.iter(), b.iter(), '>'),
        (Kind::Object(a), Kind::Object(b)) => elements(a.values(), b.values(), '>'),
        (Kind::Map(_, a), Kind::Map(_, b)) => entries(a, b),
        (Kind::String(a), Kind::String(b)) => quoted(a).cmp(&quoted(b)),
        (Kind::Number(a), Kind::Number(b)) => (ten_digits(a) + ";").cmp(&(ten_digits(b) + ";")),
        _ => first(a).cmp(&first(b)).then_with(|| rank(a).cmp(&rank(b))),
    }
}

fn elements<'a>(mut a: impl Iterator<Item = &'a Value>, mut b: impl Iterator<Item = &'a Value>, end: char) -> Ordering {
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) => by_text(&a.kind, &b.kind),
            (a, b) => a.map_or(end, |a| first(&a.kind)).cmp(&b.map_or(end, |b| first(&b.kind))),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn entries(a: &BTreeMap<Arc<str>, Value>, b: &BTreeMap<Arc<str>, Value>) -> Ordering {
    for ((key, value), (other_key, other)) in a.iter().zip(b) {
        let order = quoted(key).cmp(&quoted(other_key)).then_with(|| by_text(&value.kind, &other.kind));
        if order.is_ne() {
            return order;
        }
    }
    // A closing brace comes after every quote.
    b.len().cmp(&a.len())
}

/// The character that the text of a value begins with.
fn first(kind: &Kind) -> char {
    match kind {
        Kind::Unknown(_) => '?',
        Kind::Null(_) => '~',
        Kind::Bool(true) => 'T',
        Kind::Bool(false) => 'F',
        Kind::Number(n) => ten_digits(n).chars().next().unwrap_or('0'),
        Kind::String(_) => '"',
        Kind::List(..) | Kind::Set(..) => '[',
        Kind::Tuple(_) | Kind::Object(_) => '<',
        Kind::Map(..) => '{',
    }
}

/// Tells values apart that are written alike, such as numbers that differ after their tenth digit.
fn by_structure(a: &Kind, b: &Kind) -> Ordering {
    match (a, b) {
        (Kind::List(t, a), Kind::List(u, b)) => a.cmp(b).then_with(|| t.cmp(u)),
        (Kind::Set(t, a), Kind::Set(u, b)) => a.cmp(b).then_with(|| t.cmp(u)),
        (Kind::Map(t, a), Kind::Map(u, b)) => a.cmp(b).then_with(|| t.cmp(u)),
        (Kind::Tuple(a), Kind::Tuple(b)) => a.cmp(b),
        (Kind::Object(a), Kind::Object(b)) => a.cmp(b),
        (Kind::Null(a), Kind::Null(b)) => a.cmp(b),
        (Kind::Unknown(a), Kind::Unknown(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The number with at most ten digits, in scientific notation where it is very large or very small.
fn ten_digits(number: &Number) -> String {
    const DIGITS: i64 = 10;
    let exponent = number.decimal_exponent();
    let trimmed =
        |s: &str| if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_owned() } else { s.to_owned() };
    if number.is_whole() && exponent < DIGITS {
        return number.to_string();
    }
    if (-4..DIGITS).contains(&exponent) {
        return trimmed(&number.to_fixed(usize::try_from(DIGITS - 1 - exponent).unwrap_or(0)));
    }
    let scientific = number.to_scientific(usize::try_from(DIGITS - 1).ok(), 'e');
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
    format!("{}e{power}", trimmed(mantissa))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Type;

    fn set(element: Type, elements: Vec<Value>) -> String {
        let set = Value::set(element, elements);
        crate::json::to_plain_json_text(&set).expect("everything is known")
    }

    #[test]
    fn plain_elements_have_their_natural_order() {
        let numbers = [10, 9, -1].map(Value::int).to_vec();
        assert_eq!(set(Type::Number, numbers), "[-1,9,10]");
        assert_eq!(
            set(Type::String, vec!["b".into(), "B".into(), "é".into(), "10".into(), "9".into()]),
            r#"["10","9","B","b","é"]"#
        );
        assert_eq!(set(Type::Bool, vec![true.into(), Value::null(Type::Bool), false.into()]), "[false,true,null]");
    }

    #[test]
    fn collections_and_structures_are_ordered_as_they_are_written() {
        let object = |text: &str| Value::object([("a", text.parse::<Number>().expect("a number").into())]);
        let ty = Type::object([("a", Type::Number)]);
        let ordered = |texts: &[&str]| set(ty.clone(), texts.iter().map(|t| object(t)).collect());
        assert_eq!(ordered(&["10", "9"]), r#"[{"a":10},{"a":9}]"#);
        assert_eq!(ordered(&["1", "1.5", "10"]), r#"[{"a":1.5},{"a":10},{"a":1}]"#);
        assert_eq!(
            ordered(&["2", "1e30", "0.00001", "12345678901"]),
            r#"[{"a":12345678901},{"a":1000000000000000000000000000000},{"a":0.00001},{"a":2}]"#
        );
        let text = |s: &str| Value::object([("a", s.into())]);
        let texts = ["x", "x y", "x!", "x#", "\"", "\\"].map(text).to_vec();
        assert_eq!(
            set(Type::object([("a", Type::String)]), texts),
            r#"[{"a":"\""},{"a":"\\"},{"a":"x y"},{"a":"x!"},{"a":"x"},{"a":"x#"}]"#
        );
        let lists = [vec!["b"], vec!["a"], vec!["a", "b"], vec![]].map(Value::strings).to_vec();
        assert_eq!(set(Type::list(Type::String), lists), r#"[["a","b"],["a"],["b"],[]]"#);
        let maps = vec![Value::map(Type::String, [("a", "z".into())]), Value::map::<&str>(Type::String, [])];
        assert_eq!(set(Type::map(Type::String), maps), r#"[{"a":"z"},{}]"#);
    }

    #[test]
    fn what_is_written_alike_is_still_told_apart() {
        let tuple = |text: &str| Value::tuple(vec![text.parse::<Number>().expect("a number").into()]);
        let close = [tuple("0.12345678901"), tuple("0.12345678902")];
        assert_eq!(close[0].cmp(&close[1]), Ordering::Less);
        assert_eq!(Value::set(Type::tuple([Type::Number]), close).elements().map(|e| e.len()), Some(2));
    }
}
