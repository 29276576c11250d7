//! Formats by name (`format.dns1123Label().validate(self.name)`).

use base64::Engine;

use super::super::super::schema::validate::names;
use super::super::meter::Meter;
use super::super::value::Value;
use super::{Answer, at_once, times, urls};

const NAMES: &[&str] = &[
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

fn named(name: &str) -> Option<Value<'static>> {
    NAMES.iter().find(|known| **known == name).map(|known| Value::Format(known))
}

pub fn call<'a>(function: &str, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    match (function, arguments) {
        ("format.named", [Value::Text(name)]) => {
            at_once(meter, || Ok(named(name).map_or(Value::Optional(None), Value::some)))
        }
        ("validate", [Value::Format(format), Value::Text(text)]) => {
            let cost = meter.charge_regex(text.chars().count(), 60);
            Some(cost.map(|()| {
                let wrong = wrong(format, text);
                if wrong.is_empty() {
                    return Value::Optional(None);
                }
                Value::some(Value::list(wrong.into_iter().map(Value::text).collect()))
            }))
        }
        (_, []) => {
            let format = named(function.strip_prefix("format.")?)?;
            at_once(meter, || Ok(format))
        }
        _ => None,
    }
}

/// What is wrong with a text.
fn wrong(format: &str, text: &str) -> Vec<String> {
    let unless = |is_right: bool, message: &str| if is_right { Vec::new() } else { vec![message.to_owned()] };
    match format {
        "dns1123Label" => names::label(text),
        "dns1123Subdomain" => names::subdomain(text),
        "dns1035Label" => names::label_1035(text),
        "dns1123LabelPrefix" => names::label(&without_dash(text)),
        "dns1123SubdomainPrefix" => names::subdomain(&without_dash(text)),
        "dns1035LabelPrefix" => names::label_1035(&without_dash(text)),
        "qualifiedName" => names::qualified(text),
        "labelValue" => names::label_value(text),
        "uri" => urls::check(text).err().into_iter().collect(),
        "uuid" => unless(is_uuid(text), "does not match the UUID format"),
        "byte" => unless(base64::engine::general_purpose::STANDARD.decode(text).is_ok(), "invalid base64"),
        "date" => unless(times::date(text).is_some(), "invalid date"),
        _ => unless(times::parse(text).is_some(), "invalid datetime"),
    }
}

/// A prefix may end in a dash, for something follows it.
fn without_dash(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => format!("{rest}a"),
        _ => text.to_owned(),
    }
}

fn is_uuid(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_placed =
        text.len() == 32 || (text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-'));
    is_placed && digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit())
}
