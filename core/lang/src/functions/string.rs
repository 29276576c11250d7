//! Functions on text. What people see as one character counts as one: lengths and places are in grapheme clusters.

use sgp_model::{Kind, Number, Type, Value, value::Lengths};
use unicode_segmentation::UnicodeSegmentation;

use super::{
    pattern,
    spec::{
        Args, Function, Outcome, Param, Ty, arg_error, error, param, text, texts, unknown_of, unknown_text,
        unknown_with,
    },
};

const fn of_text(name: &'static str, run: fn(&Args) -> Outcome) -> Function {
    const PARAMS: &[Param] = &[param("str", Ty::String)];
    Function { name, params: PARAMS, rest: None, returns: Ty::String, run }
}

pub(super) const TABLE: &[Function] = &[
    of_text("chomp", |a| Ok(text(a.str(0).trim_end_matches(['\r', '\n'])))),
    Function {
        name: "endswith",
        params: &[param("str", Ty::String), param("suffix", Ty::String)],
        rest: None,
        returns: Ty::Bool,
        run: |a| Ok(a.str(0).ends_with(a.str(1)).into()),
    },
    Function {
        name: "indent",
        params: &[param("spaces", Ty::Number), param("str", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: indent,
    },
    Function {
        name: "join",
        params: &[param("separator", Ty::String)],
        rest: Some(param("lists", Ty::ListOfString)),
        returns: Ty::String,
        run: join,
    },
    of_text("lower", |a| Ok(text(&a.str(0).chars().map(lower).collect::<String>()))),
    Function {
        name: "regex",
        params: &[param("pattern", Ty::String), param("string", Ty::String).unknown()],
        rest: None,
        returns: Ty::Any,
        run: pattern::regex,
    },
    Function {
        name: "regexall",
        params: &[param("pattern", Ty::String), param("string", Ty::String).unknown()],
        rest: None,
        returns: Ty::ListOfAny,
        run: pattern::regexall,
    },
    Function {
        name: "replace",
        params: &[param("str", Ty::String), param("substr", Ty::String), param("replace", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: replace,
    },
    Function {
        name: "split",
        params: &[param("separator", Ty::String), param("str", Ty::String).unknown()],
        rest: None,
        returns: Ty::ListOfString,
        run: |a| Ok(split(a)),
    },
    Function {
        name: "startswith",
        params: &[param("str", Ty::String).unknown(), param("prefix", Ty::String)],
        rest: None,
        returns: Ty::Bool,
        run: |a| Ok(starts_with(a)),
    },
    Function {
        name: "strcontains",
        params: &[param("str", Ty::String).unknown(), param("substr", Ty::String)],
        rest: None,
        returns: Ty::Bool,
        run: |a| Ok(contains(a)),
    },
    of_text("strrev", |a| Ok(text(&a.str(0).graphemes(true).rev().collect::<String>()))),
    Function {
        name: "substr",
        params: &[param("str", Ty::String), param("offset", Ty::Number), param("length", Ty::Number)],
        rest: None,
        returns: Ty::String,
        run: substr,
    },
    of_text("title", |a| Ok(text(&titled(a.str(0))))),
    Function {
        name: "trim",
        params: &[param("str", Ty::String), param("cutset", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: |a| Ok(text(a.str(0).trim_matches(|c| a.str(1).contains(c)))),
    },
    Function {
        name: "trimprefix",
        params: &[param("str", Ty::String), param("prefix", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: |a| Ok(text(a.str(0).strip_prefix(a.str(1)).unwrap_or(a.str(0)))),
    },
    of_text("trimspace", |a| Ok(text(a.str(0).trim()))),
    Function {
        name: "trimsuffix",
        params: &[param("str", Ty::String), param("suffix", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: |a| Ok(text(a.str(0).strip_suffix(a.str(1)).unwrap_or(a.str(0)))),
    },
    of_text("upper", |a| Ok(text(&a.str(0).chars().map(upper).collect::<String>()))),
];

/// The number of characters as people see them.
pub(super) fn graphemes(s: &str) -> Number {
    s.graphemes(true).count().into()
}

fn indent(a: &Args) -> Outcome {
    let spaces = usize::try_from(a.int(0)?).map_err(|_| arg_error(0, "must not be negative"))?;
    if spaces > 1000 {
        return Err(arg_error(0, "must not be above 1000"));
    }
    Ok(text(&a.str(1).replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

fn join(a: &Args) -> Outcome {
    if a.len() < 2 {
        return Err(error("at least one list is required"));
    }
    let mut parts = Vec::new();
    // How much of it is certain: up to the first element that is not known.
    let mut certain = None;
    for place in 1..a.len() {
        for (i, element) in a.elements(place).into_iter().enumerate() {
            if element.is_null() {
                let of_list = if a.len() > 2 { format!(" of list {place}") } else { String::new() };
                return Err(arg_error(place, format!("element {i}{of_list} is null; cannot concatenate null values")));
            }
            match element.as_str() {
                Some(s) => parts.push(s),
                None => drop(certain.get_or_insert(parts.len())),
            }
        }
    }
    Ok(match certain {
        None => text(&parts.join(a.str(0))),
        Some(0) => unknown_of(Type::String),
        Some(known) => unknown_text(&(parts[..known].join(a.str(0)) + a.str(0))),
    })
}

fn replace(a: &Args) -> Outcome {
    let (whole, search, with) = (a.str(0), a.str(1), a.str(2));
    match search.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(expression) => {
            let regex =
                pattern::compile(expression).map_err(|reason| error(format!("invalid regexp pattern: {reason}")))?;
            Ok(text(&regex.replace_all(whole, with)))
        }
        None => Ok(text(&whole.replace(search, with))),
    }
}

fn split(a: &Args) -> Value {
    let separator = a.str(0);
    let Some(whole) = a.value(1).as_str() else {
        // Even an empty text has one part, unless it is taken apart into characters.
        return unknown_with(Type::list(Type::String), Lengths { min: usize::from(!separator.is_empty()), max: None });
    };
    if separator.is_empty() {
        let mut buffer = [0; 4];
        return Value::list(Type::String, whole.chars().map(|c| text(c.encode_utf8(&mut buffer))).collect());
    }
    texts(whole.split(separator))
}

fn contains(a: &Args) -> Value {
    match a.value(0).kind() {
        Kind::Unknown(unknown) if unknown.prefix.as_deref().unwrap_or_default().contains(a.str(1)) => true.into(),
        Kind::Unknown(_) => unknown_of(Type::Bool),
        _ => a.str(0).contains(a.str(1)).into(),
    }
}

/// A known beginning of an unknown string can be enough to tell.
fn starts_with(a: &Args) -> Value {
    let prefix = a.str(1);
    let Kind::Unknown(unknown) = a.value(0).kind() else {
        return a.str(0).starts_with(prefix).into();
    };
    let known = unknown.prefix.as_deref().unwrap_or_default();
    if known.starts_with(prefix) {
        true.into()
    } else if !prefix.starts_with(known) {
        false.into()
    } else {
        unknown_of(Type::Bool)
    }
}

fn substr(a: &Args) -> Outcome {
    let (offset, length) = (a.int(1)?, a.int(2)?);
    let clusters: Vec<&str> = a.str(0).graphemes(true).collect();
    let start = if offset < 0 {
        let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        clusters.len().saturating_sub(back)
    } else {
        usize::try_from(offset).unwrap_or(usize::MAX).min(clusters.len())
    };
    // A negative length means all that is left.
    let end = usize::try_from(length).map_or(clusters.len(), |l| start.saturating_add(l).min(clusters.len()));
    Ok(text(&clusters[start..end].concat()))
}

/// The simple mapping of Unicode: one character becomes one, so `ﬄ` and `ß` stay.
fn upper(c: char) -> char {
    single(c.to_uppercase(), c).unwrap_or_else(|| match c {
        // Greek with iota subscript: one character by the simple mapping, two by the full one.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => offset(c, 8),
        'ᾳ' | 'ῃ' | 'ῳ' => offset(c, 9),
        other => other,
    })
}

fn lower(c: char) -> char {
    // The full mapping of İ is two characters, the simple one is `i`.
    if c == 'İ' { 'i' } else { single(c.to_lowercase(), c).unwrap_or(c) }
}

/// As [`upper`], but digraphs such as `ǆ` have a form with only the first letter large.
fn title(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        // Georgian has large letters for whole words only.
        '\u{10d0}'..='\u{10ff}' => c,
        other => upper(other),
    }
}

fn single(mut mapped: impl Iterator<Item = char>, original: char) -> Option<char> {
    let first = mapped.next().unwrap_or(original);
    if mapped.next().is_some() { None } else { Some(first) }
}

fn offset(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

fn titled(s: &str) -> String {
    let mut previous = ' ';
    s.chars()
        .map(|c| {
            let starts = separates(previous);
            previous = c;
            if starts { title(c) } else { c }
        })
        .collect()
}

/// Every ASCII character but letters, digits and the underscore separates words; beyond ASCII only space does.
fn separates(c: char) -> bool {
    if c.is_ascii() { !(c.is_ascii_alphanumeric() || c == '_') } else { !c.is_alphanumeric() && c.is_whitespace() }
}
