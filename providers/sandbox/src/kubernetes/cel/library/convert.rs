//! Conversions between types: `int`, `uint`, `double`, `string`, `bytes`, `bool`, `timestamp`, `duration`.

use super::super::meter::Meter;
use super::super::value::{Evaluated, Failure, Value, failure};
use super::format_text::shortest;
use super::{Answer, at_once, durations, over_text, times};

pub fn call<'a>(function: &str, is_member: bool, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    let [value] = arguments else { return None };
    if is_member {
        return None;
    }
    match function {
        "string" => match value {
            Value::Bytes(bytes) => over_text(&"x".repeat(bytes.len()), 1, meter, || text(value)),
            _ => at_once(meter, || text(value)),
        },
        "bytes" => match value {
            Value::Text(text) => over_text(text, 1, meter, || Ok(Value::Bytes(text.as_bytes().into()))),
            Value::Bytes(_) => at_once(meter, || Ok(value.clone())),
            _ => None,
        },
        "int" => at_once(meter, || int(value)),
        "uint" => at_once(meter, || uint(value)),
        "double" => at_once(meter, || double(value)),
        "bool" => at_once(meter, || bool(value)),
        "timestamp" => at_once(meter, || timestamp(value)),
        "duration" => at_once(meter, || duration(value)),
        _ => None,
    }
}

/// A value as a text; `None` for what has none.
pub fn to_text(value: &Value<'_>) -> Result<Option<String>, Failure> {
    Ok(Some(match value {
        Value::Text(text) => text.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => shortest(*value),
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec())
            .map_err(|_| failure("invalid UTF-8 in bytes, cannot convert to string"))?,
        Value::Duration(nanos) => durations::written(*nanos),
        Value::Timestamp(time) => times::written(*time),
        Value::Type(name) => name.to_string(),
        Value::Ip(address) => address.to_string(),
        Value::Cidr(block) => block.to_string(),
        _ => return Ok(None),
    }))
}

fn text<'a>(value: &Value<'a>) -> Evaluated<'a> {
    to_text(value)?.map(Value::text).ok_or(Failure::NoOverload)
}

fn wrong(value: &Value<'_>, to: &str) -> Failure {
    failure(format!("type conversion error from '{}' to '{to}'", value.type_name()))
}

#[expect(clippy::cast_possible_truncation, reason = "it is within the bounds")]
fn int<'a>(value: &Value<'a>) -> Evaluated<'a> {
    let overflow = || failure("integer overflow");
    match value {
        Value::Int(_) => Ok(value.clone()),
        Value::Uint(number) => i64::try_from(*number).map(Value::Int).map_err(|_| overflow()),
        Value::Double(number) if number.is_finite() && number.abs() < 9_223_372_036_854_775_000.0 => {
            Ok(Value::Int(*number as i64))
        }
        Value::Double(_) => Err(overflow()),
        Value::Text(text) => text.parse().map(Value::Int).map_err(|_| wrong(value, "int")),
        Value::Duration(nanos) => Ok(Value::Int(*nanos)),
        Value::Timestamp(time) => Ok(Value::Int(time.second())),
        _ => Err(Failure::NoOverload),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within the bounds")]
fn uint<'a>(value: &Value<'a>) -> Evaluated<'a> {
    let overflow = || failure("unsigned integer overflow");
    match value {
        Value::Uint(_) => Ok(value.clone()),
        Value::Int(number) => u64::try_from(*number).map(Value::Uint).map_err(|_| overflow()),
        Value::Double(number) if number.is_finite() && *number >= 0.0 && *number < 18_446_744_073_709_550_000.0 => {
            Ok(Value::Uint(*number as u64))
        }
        Value::Double(_) => Err(overflow()),
        Value::Text(text) => text.parse().map(Value::Uint).map_err(|_| wrong(value, "uint")),
        _ => Err(Failure::NoOverload),
    }
}

#[expect(clippy::cast_precision_loss, reason = "that is what the conversion does")]
fn double<'a>(value: &Value<'a>) -> Evaluated<'a> {
    match value {
        Value::Double(_) => Ok(value.clone()),
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Uint(number) => Ok(Value::Double(*number as f64)),
        Value::Text(text) => text.parse().map(Value::Double).map_err(|_| wrong(value, "double")),
        _ => Err(Failure::NoOverload),
    }
}

fn bool<'a>(value: &Value<'a>) -> Evaluated<'a> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::Text(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(wrong(value, "bool")),
        },
        _ => Err(Failure::NoOverload),
    }
}

fn timestamp<'a>(value: &Value<'a>) -> Evaluated<'a> {
    match value {
        Value::Timestamp(_) => Ok(value.clone()),
        Value::Int(seconds) => times::of_seconds(*seconds),
        Value::Text(text) => {
            times::strict(text).map(Value::Timestamp).ok_or_else(|| wrong(value, "google.protobuf.Timestamp"))
        }
        _ => Err(Failure::NoOverload),
    }
}

fn duration<'a>(value: &Value<'a>) -> Evaluated<'a> {
    match value {
        Value::Duration(_) => Ok(value.clone()),
        Value::Int(nanos) => Ok(Value::Duration(*nanos)),
        Value::Text(text) => {
            durations::parse(text).map(Value::Duration).ok_or_else(|| wrong(value, "google.protobuf.Duration"))
        }
        _ => Err(Failure::NoOverload),
    }
}
