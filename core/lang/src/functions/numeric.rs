//! Functions on numbers.

use sgp_model::{Number, Type, Value, value::Unknown};

use super::{
    float,
    spec::{Args, Function, Outcome, Param, Ty, arg_error, error, param},
};

const fn of_number(name: &'static str, run: fn(&Args) -> Outcome) -> Function {
    const PARAMS: &[Param] = &[param("num", Ty::Number)];
    Function { name, params: PARAMS, rest: None, returns: Ty::Number, run }
}

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "abs",
        params: &[param("num", Ty::Number).unknown()],
        rest: None,
        returns: Ty::Number,
        run: |a| {
            let zero = || Unknown::of(Type::Number).at_least(0).into_value();
            Ok(a.value(0).as_number().map_or_else(zero, |n| n.abs().into()))
        },
    },
    of_number("ceil", |a| Ok(a.number(0).ceil().into())),
    of_number("floor", |a| Ok(a.number(0).floor().into())),
    Function {
        name: "log",
        params: &[param("num", Ty::Number), param("base", Ty::Number)],
        rest: None,
        returns: Ty::Number,
        run: |a| finite(float::ln(a.number(0).to_f64()) / float::ln(a.number(1).to_f64())),
    },
    Function {
        name: "max",
        params: &[],
        rest: Some(param("numbers", Ty::Number).unknown()),
        returns: Ty::Number,
        run: |a| extreme(a, Number::max, |unknown, known| unknown.at_least(known)),
    },
    Function {
        name: "min",
        params: &[],
        rest: Some(param("numbers", Ty::Number).unknown()),
        returns: Ty::Number,
        run: |a| extreme(a, Number::min, |unknown, known| unknown.at_most(known)),
    },
    Function {
        name: "parseint",
        params: &[param("number", Ty::Any), param("base", Ty::Number)],
        rest: None,
        returns: Ty::Number,
        run: parse_int,
    },
    Function {
        name: "pow",
        params: &[param("num", Ty::Number), param("power", Ty::Number)],
        rest: None,
        returns: Ty::Number,
        run: |a| finite(float::pow(a.number(0).to_f64(), a.number(1).to_f64())),
    },
    of_number("signum", |a| Ok(Value::int(a.int(0)?.signum()))),
];

fn finite(float: f64) -> Outcome {
    Number::from_f64(float).map(Value::from).ok_or_else(|| error("the result is not a finite number"))
}

/// The largest or smallest number; where one is not known, the others are a limit all the same.
fn extreme(a: &Args, pick: fn(Number, Number) -> Number, limit: fn(Unknown, Number) -> Unknown) -> Outcome {
    let picked = a.values.iter().filter_map(Value::as_number).cloned().reduce(pick);
    if a.values.iter().all(Value::is_known) {
        return picked.map(Value::from).ok_or_else(|| error("must pass at least one number"));
    }
    let unknown = Unknown::of(Type::Number).not_null();
    Ok(picked.map_or(unknown.clone(), |known| limit(unknown, known)).into_value())
}

/// Bases up to 36 do not look at the case; beyond, large letters follow the small ones.
fn parse_int(a: &Args) -> Outcome {
    let Some(text) = a.value(0).as_str() else {
        let got = a.value(0).ty().friendly_name();
        return Err(arg_error(0, format!("first argument must be a string, not {got}")));
    };
    let base = a.int_arg(1)?;
    if !(2..=62).contains(&base) {
        return Err(arg_error(1, "base must be a whole number between 2 and 62 inclusive"));
    }
    read_int(text, base)
        .map(Value::from)
        .ok_or_else(|| arg_error(0, format!("cannot parse {text:?} as a base {base} integer")))
}

fn read_int(text: &str, base: i64) -> Option<Number> {
    if base <= 36 {
        return Number::from_radix(text, u32::try_from(base).ok()?).ok();
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() {
        return None;
    }
    let radix = Number::from(base);
    let mut total = Number::from(0);
    for byte in digits.bytes() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' => byte - b'A' + 36,
            _ => return None,
        };
        if i64::from(digit) >= base {
            return None;
        }
        total = total.mul(&radix).ok()?.add(&Number::from(i64::from(digit))).ok()?;
    }
    Some(if negative { total.neg() } else { total })
}
