//! Values as JSON, in Terraform's way: numbers with all their digits, sets as lists, maps and objects with sorted keys.
//!
//! Text goes through our own reader and writer, because `serde_json` keeps numbers as doubles; the `serde` functions are
//! for documents whose other parts are `serde_json` values already.

use std::{fmt::Write, sync::Arc};

use serde_json::Value as Json;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{AttrPath, Kind, Number, PathStep, Type, Value, convert::ConvertError, convert::convert};

mod read;

pub use read::from_json_text;

/// JSON cannot be made from a value, or a value from JSON.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum JsonError {
    /// The value holds something that is not known yet.
    #[error("value is not known")]
    Unknown(AttrPath),
    /// The text is not JSON.
    #[error("{message} at line {line}, column {column}")]
    Syntax {
        /// What is wrong.
        message: &'static str,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
    },
    /// The document does not hold a value of the type.
    #[error(transparent)]
    Type(#[from] ConvertError),
}

/// The text in Unicode's composed form, which all strings of the language have.
pub fn nfc(text: &str) -> Arc<str> {
    if is_nfc(text) { text.into() } else { text.nfc().collect::<String>().into() }
}

/// Which characters a JSON string escapes beyond what JSON demands.
#[derive(Clone, Copy, PartialEq)]
enum Escape {
    /// `<`, `>`, `&`, as Terraform's `jsonencode` does.
    Html,
    /// None.
    Plain,
}

/// The value as compact JSON text, with `<`, `>` and `&` escaped as `jsonencode` does. Marks are not looked at.
///
/// # Errors
/// [`JsonError::Unknown`] with the place of the first unknown.
pub fn to_json_text(value: &Value) -> Result<String, JsonError> {
    to_text(value, Escape::Html)
}

/// The value as compact JSON text that escapes only what JSON demands.
///
/// # Errors
/// [`JsonError::Unknown`] with the place of the first unknown.
pub fn to_plain_json_text(value: &Value) -> Result<String, JsonError> {
    to_text(value, Escape::Plain)
}

fn to_text(value: &Value, escape: Escape) -> Result<String, JsonError> {
    let mut text = String::new();
    match write_value(&mut text, value, escape) {
        Ok(()) => Ok(text),
        Err(mut steps) => {
            steps.reverse();
            Err(JsonError::Unknown(AttrPath(steps)))
        }
    }
}

/// On failure the steps to the unknown value, innermost first.
fn write_value(out: &mut String, value: &Value, escape: Escape) -> Result<(), Vec<PathStep>> {
    let under = |step: PathStep| {
        move |mut steps: Vec<PathStep>| {
            steps.push(step);
            steps
        }
    };
    match value.kind() {
        Kind::Unknown(_) => return Err(Vec::new()),
        Kind::Null(_) => out.push_str("null"),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Number(n) => out.push_str(&n.to_string()),
        Kind::String(s) => write_string(out, s, escape),
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            out.push('[');
            for (i, element) in value.elements().unwrap_or_default().into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(out, element, escape).map_err(under(PathStep::Index(i)))?;
            }
            out.push(']');
        }
        Kind::Map(_, fields) | Kind::Object(fields) => {
            out.push('{');
            for (i, (key, field)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(out, key, escape);
                out.push(':');
                let step = match value.kind() {
                    Kind::Map(..) => PathStep::Key(key.clone()),
                    _ => PathStep::Attr(key.clone()),
                };
                write_value(out, field, escape).map_err(under(step))?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_string(out: &mut String, text: &str, escape: Escape) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' '
                || (escape == Escape::Html && matches!(c, '<' | '>' | '&'))
                || matches!(c, '\u{2028}' | '\u{2029}') =>
            {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The value in a JSON document. What is unknown becomes null; a number that neither 64-bit integers nor doubles hold to
/// the last digit becomes a string of its digits, which [`from_serde_typed`] reads back.
pub fn to_serde(value: &Value) -> Json {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => Json::Null,
        Kind::Bool(b) => Json::Bool(*b),
        Kind::Number(n) => number_to_serde(n),
        Kind::String(s) => Json::String(s.to_string()),
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            value.elements().unwrap_or_default().into_iter().map(to_serde).collect()
        }
        Kind::Map(_, fields) | Kind::Object(fields) => {
            Json::Object(fields.iter().map(|(k, v)| (k.to_string(), to_serde(v))).collect())
        }
    }
}

/// As [`to_serde`], but attributes and entries that are unknown are left out, as in `after` of a plan's JSON.
pub fn known_part(value: &Value) -> Json {
    match value.kind() {
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            value.elements().unwrap_or_default().into_iter().map(known_part).collect()
        }
        Kind::Map(_, fields) | Kind::Object(fields) => {
            let known = fields.iter().filter(|(_, v)| v.is_known());
            Json::Object(known.map(|(k, v)| (k.to_string(), known_part(v))).collect())
        }
        _ => to_serde(value),
    }
}

/// As [`known_part`], with a member `mark` that is true in every object that members were left out of.
pub fn known_part_marked(value: &Value, mark: &str) -> Json {
    match value.kind() {
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            value.elements().unwrap_or_default().into_iter().map(|it| known_part_marked(it, mark)).collect()
        }
        Kind::Map(_, fields) | Kind::Object(fields) => {
            let known = fields.iter().filter(|(_, v)| v.is_known());
            let known = known.map(|(k, v)| (k.to_string(), known_part_marked(v, mark)));
            let open = fields.values().any(|v| !v.is_known()).then(|| (mark.to_owned(), Json::Bool(true)));
            Json::Object(known.chain(open).collect())
        }
        _ => to_serde(value),
    }
}

/// As [`to_serde`] for a value that was converted to the type: where the type is [`Type::Dynamic`] the document says
/// which type the value has, as `{"type": ..., "value": ...}`, so that [`from_serde_typed`] restores it.
pub fn to_serde_typed(value: &Value, ty: &Type) -> Json {
    match (value.kind(), ty) {
        (Kind::Null(_) | Kind::Unknown(_), _) => Json::Null,
        (_, Type::Dynamic) => {
            let actual = value.ty();
            serde_json::json!({ "type": actual.to_json(), "value": to_serde_typed(value, &actual) })
        }
        (Kind::Object(fields), Type::Object(types)) => Json::Object(
            fields.iter().filter_map(|(k, v)| Some((k.to_string(), to_serde_typed(v, &types.get(k)?.ty)))).collect(),
        ),
        (Kind::Map(_, entries), Type::Map(t)) => {
            Json::Object(entries.iter().map(|(k, v)| (k.to_string(), to_serde_typed(v, t))).collect())
        }
        (Kind::List(..) | Kind::Set(..), Type::List(t) | Type::Set(t)) => {
            value.elements().unwrap_or_default().into_iter().map(|v| to_serde_typed(v, t)).collect()
        }
        (Kind::Tuple(vs), Type::Tuple(ts)) => vs.iter().zip(ts.iter()).map(|(v, t)| to_serde_typed(v, t)).collect(),
        _ => to_serde(value),
    }
}

fn number_to_serde(n: &Number) -> Json {
    let text = n.to_string();
    if let Ok(n) = text.parse::<i64>() {
        return n.into();
    }
    if let Ok(n) = text.parse::<u64>() {
        return n.into();
    }
    let float = n.to_f64();
    match serde_json::Number::from_f64(float) {
        Some(number) if Number::from_f64(float).as_ref() == Some(n) => Json::Number(number),
        _ => Json::String(text),
    }
}

/// The value that a JSON document holds: arrays are tuples, objects are objects, null has no type.
pub fn from_serde(json: &Json) -> Value {
    match json {
        Json::Null => Value::dynamic_null(),
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => number_from_serde(n),
        Json::String(s) => Value::string(nfc(s)),
        Json::Array(elements) => Value::tuple(elements.iter().map(from_serde).collect()),
        Json::Object(fields) => Value::object(fields.iter().map(|(k, v)| (nfc(k), from_serde(v)))),
    }
}

fn number_from_serde(n: &serde_json::Number) -> Value {
    n.to_string().parse::<Number>().map_or_else(|_| Value::null(Type::Number), Value::from)
}

/// The value of a type that a JSON document holds.
///
/// Primitives may be written as each other, an attribute that is missing is null, one that the type does not name is
/// passed over. Where the type is [`Type::Dynamic`], `{"type": ..., "value": ...}` gives the type and anything else its own.
///
/// # Errors
/// [`JsonError::Type`] with the place that does not fit.
pub fn from_serde_typed(json: &Json, ty: &Type) -> Result<Value, JsonError> {
    Ok(typed(json, ty)?)
}

fn typed(json: &Json, ty: &Type) -> Result<Value, ConvertError> {
    let at = |step: PathStep| {
        move |mut e: ConvertError| {
            e.path.0.insert(0, step);
            e
        }
    };
    let indexed = |elements: &[Json], ty: &Type| {
        let each = elements.iter().enumerate();
        each.map(|(i, v)| typed(v, ty).map_err(at(PathStep::Index(i)))).collect::<Result<Vec<_>, _>>()
    };
    match (ty, json) {
        (Type::Dynamic, Json::Object(fields)) if fields.len() == 2 => {
            match (fields.get("type").and_then(Type::from_json), fields.get("value")) {
                (Some(ty), Some(value)) => typed(value, &ty),
                _ => Ok(from_serde(json)),
            }
        }
        (Type::List(t), Json::Array(vs)) if t.is_wholly_known() => Ok(Value::list((**t).clone(), indexed(vs, t)?)),
        (Type::Set(t), Json::Array(vs)) if t.is_wholly_known() => Ok(Value::set((**t).clone(), indexed(vs, t)?)),
        (Type::List(t) | Type::Set(t), Json::Array(vs)) => convert(&Value::tuple(indexed(vs, t)?), ty),
        (Type::Tuple(ts), Json::Array(vs)) if ts.len() == vs.len() => {
            let each = vs.iter().zip(ts.iter()).enumerate();
            let elements = each.map(|(i, (v, t))| typed(v, t).map_err(at(PathStep::Index(i))));
            Ok(Value::tuple(elements.collect::<Result<_, _>>()?))
        }
        (Type::Map(t), Json::Object(fields)) => {
            let entries = fields.iter().map(|(k, v)| {
                let key = nfc(k);
                Ok((key.clone(), typed(v, t).map_err(at(PathStep::Key(key)))?))
            });
            let entries = entries.collect::<Result<Vec<_>, ConvertError>>()?;
            if t.is_wholly_known() {
                return Ok(Value::map((**t).clone(), entries));
            }
            convert(&Value::object(entries), ty)
        }
        (Type::Object(types), Json::Object(fields)) => {
            let attributes = types.iter().map(|(name, field)| {
                let json = fields.get(&**name).unwrap_or(&Json::Null);
                Ok((name.clone(), typed(json, &field.ty).map_err(at(PathStep::Attr(name.clone())))?))
            });
            Ok(Value::object(attributes.collect::<Result<Vec<_>, ConvertError>>()?))
        }
        _ => convert(&from_serde(json), ty),
    }
}

/// Which parts are unknown, as `after_unknown` in a plan's JSON: `true` for what is unknown; objects and maps hold only
/// the names that lead to something, lists keep a place for each element.
pub fn unknown_mask(value: &Value) -> Json {
    mask(value, &|v| !v.is_known())
}

/// Which parts are sensitive, as `after_sensitive` in a plan's JSON; shaped as [`unknown_mask`].
pub fn sensitive_mask(value: &Value) -> Json {
    mask(value, &Value::is_sensitive)
}

fn mask(value: &Value, hit: &dyn Fn(&Value) -> bool) -> Json {
    if hit(value) {
        return Json::Bool(true);
    }
    match value.kind() {
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            value.elements().unwrap_or_default().into_iter().map(|v| mask(v, hit)).collect()
        }
        Kind::Map(_, fields) | Kind::Object(fields) => {
            let masks = fields.iter().map(|(k, v)| (k.to_string(), mask(v, hit)));
            Json::Object(masks.filter(|(_, m)| *m != Json::Bool(false)).collect())
        }
        _ => Json::Bool(false),
    }
}

#[cfg(test)]
mod tests;
