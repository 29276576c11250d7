//! The functions that rules call, by what they work with. Each of them answers `None` for what it does not take.

pub mod addresses;
pub mod convert;
pub mod durations;
pub mod format_text;
pub mod formats;
pub mod lists;
pub mod operators;
pub mod quantities;
pub mod semver;
pub mod strings;
pub mod times;
pub mod urls;

use super::meter::Meter;
use super::value::{Evaluated, Failure, Value};

/// What a library says to a call.
type Answer<'a> = Option<Evaluated<'a>>;

/// Calls a function or operator; the target, if there is one, is the first of the arguments.
pub fn call<'a>(function: &str, is_member: bool, arguments: &[Value<'a>], meter: &mut Meter) -> Evaluated<'a> {
    let answer = operators::call(function, arguments, meter)
        .or_else(|| strings::call(function, arguments, meter))
        .or_else(|| lists::call(function, arguments, meter))
        .or_else(|| convert::call(function, is_member, arguments, meter))
        .or_else(|| times::call(function, arguments, meter))
        .or_else(|| optionals(function, arguments, meter))
        .or_else(|| quantities::call(function, arguments, meter))
        .or_else(|| addresses::call(function, is_member, arguments, meter))
        .or_else(|| urls::call(function, arguments, meter))
        .or_else(|| semver::call(function, arguments, meter))
        .or_else(|| formats::call(function, arguments, meter));
    answer.unwrap_or(Err(Failure::NoOverload))
}

/// Charges for a call that goes through a text, and answers.
fn over_text<'a>(text: &str, times: u64, meter: &mut Meter, answer: impl FnOnce() -> Evaluated<'a>) -> Answer<'a> {
    Some(meter.charge_text(text.chars().count(), times).and_then(|()| answer()))
}

/// Charges the usual cost of a call, and answers.
fn at_once<'a>(meter: &mut Meter, answer: impl FnOnce() -> Evaluated<'a>) -> Answer<'a> {
    Some(meter.charge(1).and_then(|()| answer()))
}

fn optionals<'a>(function: &str, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    match (function, arguments) {
        ("optional.of", [value]) => at_once(meter, || Ok(Value::some(value.clone()))),
        ("optional.ofNonZeroValue", [value]) => {
            at_once(meter, || Ok(if is_zero(value) { Value::Optional(None) } else { Value::some(value.clone()) }))
        }
        ("optional.none", []) => at_once(meter, || Ok(Value::Optional(None))),
        ("value", [Value::Optional(value)]) => at_once(meter, || match value {
            Some(value) => Ok((**value).clone()),
            None => Err(super::value::failure("optional.none() dereference")),
        }),
        ("hasValue", [Value::Optional(value)]) => at_once(meter, || Ok(Value::Bool(value.is_some()))),
        ("optional.unwrap" | "unwrapOpt", [Value::List(list)]) => at_once(meter, || {
            let mut values = Vec::new();
            for item in list.iter() {
                match item? {
                    Value::Optional(Some(value)) => values.push((*value).clone()),
                    Value::Optional(None) => {}
                    _ => return Err(Failure::NoOverload),
                }
            }
            Ok(Value::list(values))
        }),
        _ => None,
    }
}

fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) | Value::Duration(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::Text(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(_) | Value::Map(_) | Value::Object(_) => value.size() == 0,
        Value::Optional(value) => value.is_none(),
        _ => false,
    }
}
