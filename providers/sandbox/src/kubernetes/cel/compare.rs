//! Equality and order of values.

use std::cmp::Ordering;

use super::super::schema::List as ListKind;
use super::meter::Meter;
use super::value::{Failure, Key, List, Members, Value};

/// Whether two values are equal. Values of different types are not; numbers are compared by what they mean.
pub fn equal(one: &Value<'_>, other: &Value<'_>, meter: &mut Meter) -> Result<bool, Failure> {
    meter.step(1)?;
    super::deeper(|| equal_values(one, other, meter))
}

fn equal_values(one: &Value<'_>, other: &Value<'_>, meter: &mut Meter) -> Result<bool, Failure> {
    Ok(match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Text(one), Value::Text(other)) | (Value::Type(one), Value::Type(other)) => one == other,
        (Value::Bytes(one), Value::Bytes(other)) => one == other,
        (Value::Duration(one), Value::Duration(other)) => one == other,
        (Value::Timestamp(one), Value::Timestamp(other)) => one == other,
        (Value::List(one), Value::List(other)) => return equal_lists(one, other, meter),
        (Value::Map(_) | Value::Object(_), Value::Map(_) | Value::Object(_)) => return equal_maps(one, other, meter),
        (Value::Optional(one), Value::Optional(other)) => match (one, other) {
            (None, None) => true,
            (Some(one), Some(other)) => return equal(one, other, meter),
            _ => false,
        },
        (Value::Url(one), Value::Url(other)) => one.text == other.text,
        (Value::Quantity(one), Value::Quantity(other)) => one.order(*other) == Ordering::Equal,
        (Value::Ip(one), Value::Ip(other)) => one == other,
        (Value::Cidr(one), Value::Cidr(other)) => one == other,
        (Value::Format(one), Value::Format(other)) => one == other,
        (Value::Semver(one), Value::Semver(other)) => one.order(other) == Ordering::Equal,
        (Value::Unknown(one), Value::Unknown(other)) => one == other,
        _ => numbers(one, other) == Some(Ordering::Equal),
    })
}

fn equal_lists(one: &List<'_>, other: &List<'_>, meter: &mut Meter) -> Result<bool, Failure> {
    if one.len() != other.len() {
        return Ok(false);
    }
    if *one.kind == ListKind::Atomic {
        for (one, other) in one.iter().zip(other.iter()) {
            if !equal(&one?, &other?, meter)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    // The order of sets and of lists that are maps means nothing.
    let items = one.values()?;
    for item in other.iter() {
        if find(&items, &item?, meter)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The place of an item.
pub fn find(items: &[Value<'_>], wanted: &Value<'_>, meter: &mut Meter) -> Result<Option<usize>, Failure> {
    for (index, item) in items.iter().enumerate() {
        if equal(item, wanted, meter)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn equal_maps(one: &Value<'_>, other: &Value<'_>, meter: &mut Meter) -> Result<bool, Failure> {
    if one.size() != other.size() {
        return Ok(false);
    }
    for key in keys(one) {
        match (entry(one, &key), entry(other, &key)) {
            (None, None) => {}
            (Some(value), Some(other)) => {
                if !equal(&value?, &other?, meter)? {
                    return Ok(false);
                }
            }
            _ => return Ok(false),
        }
    }
    if let (Value::Object(one), Value::Object(other)) = (one, other) {
        return Ok(undeclared_are_equal(one, other));
    }
    Ok(true)
}

/// What nobody declared is compared as it is.
fn undeclared_are_equal(one: &Members<'_>, other: &Members<'_>) -> bool {
    one.values.iter().all(|(name, value)| {
        let is_declared = super::types::escape(name).is_some_and(|name| one.find(&name).is_some());
        is_declared || other.values.get(name).is_none_or(|other| other == value)
    })
}

/// The keys of a map.
pub fn keys<'a>(map: &Value<'a>) -> Vec<Value<'a>> {
    match map {
        Value::Map(entries) => entries.values().map(|(key, _)| key.clone()).collect(),
        Value::Object(members) => members.names().map(Value::text).collect(),
        _ => Vec::new(),
    }
}

/// The value of a key of a map.
pub fn entry<'a>(map: &Value<'a>, key: &Value<'a>) -> Option<Result<Value<'a>, Failure>> {
    match (map, key) {
        (Value::Map(entries), key) => entries.get(&Key::of(key)?).map(|(_, value)| Ok(value.clone())),
        (Value::Object(members), Value::Text(name)) => members.find(name),
        (Value::Object(_), _) => Some(Err(Failure::NoOverload)),
        _ => None,
    }
}

/// The order of two numbers of any types; `None` when they are none, or not comparable.
#[expect(clippy::cast_precision_loss, reason = "what is compared with a double is compared as one")]
fn numbers(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    let whole = |value: &Value<'_>| match value {
        Value::Int(value) => Some(i128::from(*value)),
        Value::Uint(value) => Some(i128::from(*value)),
        _ => None,
    };
    match (one, other) {
        (Value::Double(one), Value::Double(other)) => one.partial_cmp(other),
        (Value::Double(one), other) => one.partial_cmp(&(whole(other)? as f64)),
        (one, Value::Double(other)) => (whole(one)? as f64).partial_cmp(other),
        (one, other) => Some(whole(one)?.cmp(&whole(other)?)),
    }
}

/// The order of two values.
pub fn order(one: &Value<'_>, other: &Value<'_>) -> Result<Ordering, Failure> {
    Ok(match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Bytes(one), Value::Bytes(other)) => one.cmp(other),
        (Value::Duration(one), Value::Duration(other)) => one.cmp(other),
        (Value::Timestamp(one), Value::Timestamp(other)) => one.cmp(other),
        (Value::Double(one), Value::Int(_) | Value::Uint(_) | Value::Double(_)) if one.is_nan() => {
            return Err(super::value::failure("NaN values cannot be ordered"));
        }
        _ => return numbers(one, other).ok_or(Failure::NoOverload),
    })
}
