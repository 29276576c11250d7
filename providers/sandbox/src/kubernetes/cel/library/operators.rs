//! Operators, `size` and `type`.

use std::cmp::Ordering;

use super::super::super::schema::List as ListKind;
use super::super::compare::{self, equal, order};
use super::super::meter::Meter;
use super::super::value::{Evaluated, Failure, List, Value, failure};
use super::{Answer, at_once};

pub fn call<'a>(function: &str, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    match (function, arguments) {
        ("_==_", [one, other]) => Some(compared(one, other, meter).map(Value::Bool)),
        ("_!=_", [one, other]) => Some(compared(one, other, meter).map(|it| Value::Bool(!it))),
        ("_<_", [one, other]) => Some(ordered(one, other, meter, Ordering::is_lt)),
        ("_<=_", [one, other]) => Some(ordered(one, other, meter, Ordering::is_le)),
        ("_>_", [one, other]) => Some(ordered(one, other, meter, Ordering::is_gt)),
        ("_>=_", [one, other]) => Some(ordered(one, other, meter, Ordering::is_ge)),
        ("!_", [Value::Bool(value)]) => at_once(meter, || Ok(Value::Bool(!value))),
        ("-_", [value]) => at_once(meter, || negated(value)),
        ("_+_", [one, other]) => Some(added(one, other, meter)),
        ("_-_" | "_*_" | "_/_" | "_%_", [one, other]) => at_once(meter, || reckoned(function, one, other)),
        ("_[_]", [range, index]) => Some(indexed(range, index)),
        ("_[?_]", [range, index]) => Some(found(range, index)),
        ("@in", [item, range]) => Some(contained(item, range, meter)),
        ("size", [value @ (Value::Text(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Object(_))]) => {
            at_once(meter, || Ok(Value::int(value.size())))
        }
        ("type", [value]) => at_once(meter, || Ok(Value::Type(value.type_name().into()))),
        ("dyn", [value]) => at_once(meter, || Ok(value.clone())),
        _ => None,
    }
}

fn compared(one: &Value<'_>, other: &Value<'_>, meter: &mut Meter) -> Result<bool, Failure> {
    meter.charge_text(one.size().min(other.size()), 1)?;
    equal(one, other, meter)
}

fn ordered<'a>(one: &Value<'a>, other: &Value<'a>, meter: &mut Meter, holds: fn(Ordering) -> bool) -> Evaluated<'a> {
    let is_text = matches!(one, Value::Text(_) | Value::Bytes(_));
    if is_text {
        meter.charge_text(one.size().min(other.size()), 1)?;
    } else {
        meter.charge(1)?;
    }
    order(one, other).map(|order| Value::Bool(holds(order)))
}

fn negated<'a>(value: &Value<'a>) -> Evaluated<'a> {
    match value {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or_else(overflow),
        Value::Double(value) => Ok(Value::Double(-value)),
        _ => Err(Failure::NoOverload),
    }
}

fn overflow() -> Failure {
    failure("integer overflow")
}

fn unsigned_overflow() -> Failure {
    failure("unsigned integer overflow")
}

fn duration_overflow() -> Failure {
    failure("duration overflow")
}

fn added<'a>(one: &Value<'a>, other: &Value<'a>, meter: &mut Meter) -> Evaluated<'a> {
    match (one, other) {
        (Value::Text(left), Value::Text(right)) => {
            meter.charge_text(one.size() + other.size(), 1)?;
            Ok(Value::text(format!("{left}{right}")))
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            meter.charge_text(left.len() + right.len(), 1)?;
            Ok(Value::Bytes([&**left, &**right].concat().into()))
        }
        (Value::List(left), Value::List(right)) => {
            meter.charge(1)?;
            joined(left, right, meter)
        }
        (Value::Duration(_) | Value::Timestamp(_), _) => at_once_value(meter, || moved(one, other)),
        (one, other) => at_once_value(meter, || reckoned("_+_", one, other)),
    }
}

fn at_once_value<'a>(meter: &mut Meter, answer: impl FnOnce() -> Evaluated<'a>) -> Evaluated<'a> {
    meter.charge(1).and_then(|()| answer())
}

/// Lists one after the other; sets are united, and maps take what is on the right over what is on the left.
fn joined<'a>(left: &List<'a>, right: &List<'a>, meter: &mut Meter) -> Evaluated<'a> {
    meter.step(left.len() + right.len())?;
    let mut items = left.values()?;
    for item in right.iter() {
        let item = item?;
        let place = match left.kind {
            ListKind::Atomic => None,
            ListKind::Set => compare::find(&items, &item, meter)?,
            ListKind::Map(keys) => place_of(&items, &item, keys, meter)?,
        };
        match place {
            Some(place) => items[place] = item,
            None => items.push(item),
        }
    }
    Ok(Value::List(List::made(items, left.kind)))
}

fn place_of<'a>(
    items: &[Value<'a>],
    wanted: &Value<'a>,
    keys: &[Box<str>],
    meter: &mut Meter,
) -> Result<Option<usize>, Failure> {
    for (index, item) in items.iter().enumerate() {
        let mut is_same = true;
        for key in keys {
            let name = Value::text(super::super::types::escape(key).unwrap_or_else(|| key.to_string()));
            let (one, other) = (compare::entry(item, &name).transpose()?, compare::entry(wanted, &name).transpose()?);
            is_same &= match (one, other) {
                (Some(one), Some(other)) => equal(&one, &other, meter)?,
                (None, None) => true,
                _ => false,
            };
        }
        if is_same {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Times and durations.
fn moved<'a>(one: &Value<'a>, other: &Value<'a>) -> Evaluated<'a> {
    match (one, other) {
        (Value::Duration(one), Value::Duration(other)) => {
            one.checked_add(*other).map(Value::Duration).ok_or_else(duration_overflow)
        }
        (Value::Timestamp(time), Value::Duration(nanos)) | (Value::Duration(nanos), Value::Timestamp(time)) => {
            super::times::later(*time, i128::from(*nanos))
        }
        _ => Err(Failure::NoOverload),
    }
}

fn reckoned<'a>(operator: &str, one: &Value<'a>, other: &Value<'a>) -> Evaluated<'a> {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => whole(operator, *one, *other),
        (Value::Uint(one), Value::Uint(other)) => unsigned(operator, *one, *other),
        (Value::Double(one), Value::Double(other)) => Ok(Value::Double(match operator {
            "_+_" => one + other,
            "_-_" => one - other,
            "_*_" => one * other,
            "_/_" => one / other,
            _ => return Err(Failure::NoOverload),
        })),
        (Value::Duration(one), Value::Duration(other)) if operator == "_-_" => {
            one.checked_sub(*other).map(Value::Duration).ok_or_else(duration_overflow)
        }
        (Value::Timestamp(time), Value::Duration(nanos)) if operator == "_-_" => {
            super::times::later(*time, -i128::from(*nanos))
        }
        (Value::Timestamp(one), Value::Timestamp(other)) if operator == "_-_" => {
            let nanos = one.nanos() - other.nanos();
            i64::try_from(nanos).map(Value::Duration).map_err(|_| duration_overflow())
        }
        _ => Err(Failure::NoOverload),
    }
}

fn whole<'a>(operator: &str, one: i64, other: i64) -> Evaluated<'a> {
    let result = match operator {
        "_+_" => one.checked_add(other),
        "_-_" => one.checked_sub(other),
        "_*_" => one.checked_mul(other),
        "_/_" if other == 0 => return Err(failure("division by zero")),
        "_/_" => one.checked_div(other),
        "_%_" if other == 0 => return Err(failure("modulus by zero")),
        "_%_" => one.checked_rem(other),
        _ => return Err(Failure::NoOverload),
    };
    result.map(Value::Int).ok_or_else(overflow)
}

fn unsigned<'a>(operator: &str, one: u64, other: u64) -> Evaluated<'a> {
    let result = match operator {
        "_+_" => one.checked_add(other),
        "_-_" => one.checked_sub(other),
        "_*_" => one.checked_mul(other),
        "_/_" if other == 0 => return Err(failure("division by zero")),
        "_/_" => one.checked_div(other),
        "_%_" if other == 0 => return Err(failure("modulus by zero")),
        "_%_" => one.checked_rem(other),
        _ => return Err(Failure::NoOverload),
    };
    result.map(Value::Uint).ok_or_else(unsigned_overflow)
}

/// A number that says a place.
#[expect(clippy::cast_possible_truncation, reason = "it is whole, and any place is far below its bounds")]
fn place(index: &Value<'_>) -> Result<i64, Failure> {
    match index {
        Value::Int(index) => Ok(*index),
        Value::Uint(index) => Ok(i64::try_from(*index).unwrap_or(i64::MAX)),
        Value::Double(index) if index.fract() == 0.0 => Ok(*index as i64),
        other => Err(failure(format!("unsupported index type '{}' in list", other.type_name()))),
    }
}

fn item<'a>(list: &List<'a>, index: &Value<'a>) -> Result<Option<Value<'a>>, Failure> {
    let index = usize::try_from(place(index)?).ok();
    index.and_then(|index| list.get(index)).transpose()
}

fn indexed<'a>(range: &Value<'a>, index: &Value<'a>) -> Evaluated<'a> {
    match range {
        Value::List(list) => {
            item(list, index)?.ok_or_else(|| failure(format!("index out of bounds: {}", index.shown())))
        }
        Value::Map(_) | Value::Object(_) => match compare::entry(range, index) {
            Some(value) => value,
            None => Err(failure(format!("no such key: {}", index.shown()))),
        },
        Value::Optional(_) => found(range, index),
        _ => Err(failure(format!("no such key: {}", index.shown()))),
    }
}

fn found<'a>(range: &Value<'a>, index: &Value<'a>) -> Evaluated<'a> {
    Ok(match range {
        Value::Optional(None) => Value::Optional(None),
        Value::Optional(Some(range)) => return found(range, index),
        Value::List(list) => item(list, index)?.map_or(Value::Optional(None), Value::some),
        Value::Map(_) | Value::Object(_) => {
            compare::entry(range, index).transpose()?.map_or(Value::Optional(None), Value::some)
        }
        _ => return Err(Failure::NoOverload),
    })
}

fn contained<'a>(item: &Value<'a>, range: &Value<'a>, meter: &mut Meter) -> Evaluated<'a> {
    match range {
        Value::List(list) => {
            meter.charge(u64::try_from(list.len()).unwrap_or(u64::MAX))?;
            for other in list.iter() {
                if equal(&other?, item, meter)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        Value::Map(_) | Value::Object(_) => {
            meter.charge(1)?;
            Ok(Value::Bool(compare::entry(range, item).transpose()?.is_some()))
        }
        _ => Err(Failure::NoOverload),
    }
}
