//! Values as text that tells all about them: the same form that the program writes.

use std::fmt::Write as _;

use sgp_model::{
    Kind, Marks, Type, Value,
    value::{Bound, Unknown},
};

fn ty(it: &Type) -> String {
    match it {
        Type::Dynamic | Type::Bool | Type::Number | Type::String => it.to_string(),
        Type::List(element) => format!("list({})", ty(element)),
        Type::Set(element) => format!("set({})", ty(element)),
        Type::Map(element) => format!("map({})", ty(element)),
        Type::Tuple(elements) => format!("tuple([{}])", elements.iter().map(ty).collect::<Vec<_>>().join(", ")),
        Type::Object(fields) => {
            let field = |(name, field): (_, &sgp_model::types::Field)| format!("{} = {}", quoted(name), ty(&field.ty));
            format!("object({{{}}})", sorted(fields.iter().map(|(k, f)| field((&**k, f)))))
        }
    }
}

fn sorted(all: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = all.collect();
    all.sort();
    all.join(", ")
}

/// All there is to know about a value.
pub fn text(value: &Value) -> String {
    let marks = value.marks();
    if !marks.is_empty() {
        let names =
            [(Marks::DEPRECATED, "deprecated"), (Marks::EPHEMERAL, "ephemeral"), (Marks::SENSITIVE, "sensitive")];
        let names: Vec<&str> = names.iter().filter(|(mark, _)| marks.contains(*mark)).map(|(_, name)| *name).collect();
        return format!("{}({})", names.join("+"), text(&value.clone().unmark_deep().0));
    }
    let all = |values: Vec<&Value>| values.into_iter().map(text).collect::<Vec<_>>().join(", ");
    match value.kind() {
        Kind::Unknown(unknown) => format!("unknown({})", refinements(unknown)),
        Kind::Null(of) => format!("null({})", ty(of)),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) => n.to_string(),
        Kind::String(s) => quoted(s),
        Kind::Tuple(_) => format!("[{}]", all(value.elements().unwrap_or_default())),
        // Elements that are not known yet have no place.
        Kind::Set(_, elements) if !value.is_wholly_known() => {
            format!("{}[{}]", ty(&value.ty()), sorted(elements.iter().map(text)))
        }
        Kind::List(..) | Kind::Set(..) => format!("{}[{}]", ty(&value.ty()), all(value.elements().unwrap_or_default())),
        Kind::Map(_, fields) | Kind::Object(fields) => {
            let fields = sorted(fields.iter().map(|(k, v)| format!("{} = {}", quoted(k), text(v))));
            if matches!(value.kind(), Kind::Map(..)) {
                format!("{}{{{fields}}}", ty(&value.ty()))
            } else {
                format!("{{{fields}}}")
            }
        }
    }
}

fn refinements(unknown: &Unknown) -> String {
    let mut all = vec![ty(&unknown.ty)];
    if unknown.ty == Type::Dynamic {
        return all.remove(0);
    }
    let bound =
        |sign: &str, bound: &Bound| format!("{sign}{} {}", if bound.inclusive { "=" } else { "" }, bound.number);
    all.extend(unknown.not_null.then(|| "not null".into()));
    all.extend(unknown.prefix.as_ref().map(|p| format!("begins with {}", quoted(p))));
    all.extend(unknown.min.as_ref().map(|b| bound(">", b)));
    all.extend(unknown.max.as_ref().map(|b| bound("<", b)));
    all.extend((unknown.lengths.min > 0).then(|| format!("length >= {}", unknown.lengths.min)));
    all.extend(unknown.lengths.max.map(|max| format!("length <= {max}")));
    all.join("; ")
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' || c == '\u{7f}' => write!(out, "\\u{:04x}", u32::from(c)).unwrap(),
            c => out.push(c),
        }
    }
    out + "\""
}
