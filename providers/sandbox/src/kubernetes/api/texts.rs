//! Texts that Go does not decode: base64, amounts, times.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::kubernetes::schema::quantity::Quantity;
use crate::kubernetes::schema::{Kind, Schema};

/// The decoder's words about a text of the right kind that does not say what its type holds.
pub(super) fn wrong(value: &Value, schema: &Schema) -> Option<String> {
    if schema.kind() == Kind::Quantity {
        return quantity(value);
    }
    let text = value.as_str()?;
    if schema.resolve().is_bytes {
        return base64(text);
    }
    match schema.type_name() {
        Some("Time") => time(text, "2006-01-02T15:04:05Z07:00", false),
        Some("MicroTime") => time(text, "2006-01-02T15:04:05.000000Z07:00", true),
        _ => None,
    }
}

fn quantity(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let wrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    Quantity::parse(&text).is_none().then(|| wrong.to_owned())
}

/// Go names the first byte that does not belong, or the group of four that is not whole.
fn base64(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    if STANDARD.decode(&text).is_ok() {
        return None;
    }
    let is_digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    let at = text.find(|c| !is_digit(c)).filter(|at| !text[*at..].chars().all(|c| c == '='));
    let at = at.unwrap_or(text.len() / 4 * 4);
    Some(format!("illegal base64 data at input byte {at}"))
}

fn time(text: &str, layout: &str, has_parts: bool) -> Option<String> {
    let is_time = text.parse::<jiff::Timestamp>().is_ok();
    let part = text.split_once('.').map(|(_, part)| part.chars().take_while(char::is_ascii_digit).count());
    if is_time && (!has_parts || part == Some(6)) {
        return None;
    }
    // Times that are not whole in the middle are told from the beginning on, too.
    let (rest, wanted) = match (is_time, part) {
        (true, None) => (text.trim_start_matches(|c: char| c != 'Z' && c != '+'), ".000000"),
        (true, Some(_)) => (text.find('.').map_or("", |at| &text[at..]), ".000000"),
        _ => (text, "2006"),
    };
    Some(format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{rest}\" as \"{wanted}\""))
}
