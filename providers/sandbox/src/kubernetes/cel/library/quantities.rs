//! Amounts of resources (`quantity("500m")`).

use std::cmp::Ordering;

use super::super::super::schema::quantity;
use super::super::meter::Meter;
use super::super::value::{Failure, Value, failure};
use super::{Answer, at_once, over_text};

/// An amount in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity(i128);

const NANO: i128 = 1_000_000_000;

impl Quantity {
    fn parse(text: &str) -> Option<Self> {
        quantity::Quantity::parse(text).map(|quantity| Self(quantity.nanos()))
    }

    pub fn order(self, other: Self) -> Ordering {
        self.0.cmp(&other.0)
    }

    fn whole(self) -> Option<i64> {
        if self.0 % NANO == 0 { i64::try_from(self.0 / NANO).ok() } else { None }
    }
}

const FORM: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

pub fn call<'a>(function: &str, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    match arguments {
        [Value::Text(text)] => match function {
            "quantity" => {
                over_text(text, 1, meter, || Quantity::parse(text).map(Value::Quantity).ok_or_else(|| failure(FORM)))
            }
            "isQuantity" => over_text(text, 1, meter, || Ok(Value::Bool(Quantity::parse(text).is_some()))),
            _ => None,
        },
        [Value::Quantity(amount)] => alone(function, *amount, meter),
        [Value::Quantity(one), Value::Quantity(other)] => pair(function, *one, *other, meter),
        [Value::Quantity(one), Value::Int(number)] if matches!(function, "add" | "sub") => {
            pair(function, *one, Quantity(i128::from(*number) * NANO), meter)
        }
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is asked for an approximation")]
fn alone<'a>(function: &str, amount: Quantity, meter: &mut Meter) -> Answer<'a> {
    let value = match function {
        "sign" => Ok(Value::Int(i64::try_from(amount.0.signum()).unwrap_or(0))),
        "isInteger" => Ok(Value::Bool(amount.whole().is_some())),
        "asInteger" => amount.whole().map(Value::Int).ok_or_else(|| failure("cannot convert value to integer")),
        "asApproximateFloat" => Ok(Value::Double(amount.0 as f64 / NANO as f64)),
        _ => return None,
    };
    at_once(meter, || value)
}

fn pair<'a>(function: &str, one: Quantity, other: Quantity, meter: &mut Meter) -> Answer<'a> {
    let order = one.order(other);
    let value = match function {
        "isGreaterThan" => Ok(Value::Bool(order.is_gt())),
        "isLessThan" => Ok(Value::Bool(order.is_lt())),
        "compareTo" => Ok(Value::Int(order as i64)),
        "add" => one.0.checked_add(other.0).map(|sum| Value::Quantity(Quantity(sum))).ok_or(Failure::NoOverload),
        "sub" => one.0.checked_sub(other.0).map(|rest| Value::Quantity(Quantity(rest))).ok_or(Failure::NoOverload),
        _ => return None,
    };
    at_once(meter, || value)
}
