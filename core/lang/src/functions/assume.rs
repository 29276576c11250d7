//! OpenTofu's `assume...`: promises about values that are not known yet, so that a plan can say more. A value that breaks
//! its promise is an error as soon as that shows.

use sgp_model::{
    Kind, Marks, Type,
    convert::convert,
    value::{Lengths, Unknown, stable_prefix},
};

use super::spec::{Args, Fail, Function, Outcome, Param, Ty, arg_error, param};

const VALUE: Param = param("value", Ty::Any).null().unknown();
const MIN: Param = param("min_length", Ty::Number);
const MAX: Param = param("max_length", Ty::Number);

/// The collections that a length can be assumed of.
const LIST: Param = Param { ty: Ty::ListOfAny, ..VALUE };
const MAP: Param = Param { ty: Ty::MapOfAny, ..VALUE };
const SET: Param = Param { ty: Ty::SetOfAny, ..VALUE };

const fn length(name: &'static str, params: &'static [Param], run: fn(&Args) -> Outcome) -> Function {
    Function { name, params, rest: None, returns: params[0].ty, run }
}

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "assumeequal",
        params: &[
            param("actual_value", Ty::Any).null().unknown().marks(),
            param("expected_value", Ty::Any).null().unknown().marks(),
        ],
        rest: None,
        returns: Ty::Any,
        run: equal,
    },
    length("assumelistlength", &[LIST, MIN, MAX], between),
    length("assumelistlengthmax", &[LIST, MAX], at_most),
    length("assumelistlengthmin", &[LIST, MIN], at_least),
    length("assumemaplength", &[MAP, MIN, MAX], between),
    length("assumemaplengthmax", &[MAP, MAX], at_most),
    length("assumemaplengthmin", &[MAP, MIN], at_least),
    Function { name: "assumenotnull", params: &[VALUE], rest: None, returns: Ty::Any, run: not_null },
    length("assumesetlength", &[SET, MIN, MAX], between),
    length("assumesetlengthmax", &[SET, MAX], at_most),
    length("assumesetlengthmin", &[SET, MIN], at_least),
    Function {
        name: "assumestringprefix",
        params: &[param("value", Ty::String).null().unknown(), param("prefix", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: prefix,
    },
];

fn broken() -> Fail {
    arg_error(0, "assumption was not upheld")
}

/// The expected value, as long as the actual one is not known to be another. That either is secret does not make the other
/// one so.
fn equal(a: &Args) -> Outcome {
    let (actual, expected) = (a.value(0), a.value(1));
    let converted = convert(actual, &expected.ty()).map_err(|_| {
        let (actual, assumed) = (actual.ty().friendly_name(), expected.ty().friendly_name());
        arg_error(0, format!("actual value type {actual} does not match assumed value type {assumed}"))
    })?;
    if converted.equals(expected) == Some(false) {
        return Err(arg_error(0, "the actual value does not match the assumed value"));
    }
    let broad = Marks::SENSITIVE.union(Marks::EPHEMERAL);
    Ok(expected.clone().mark(actual.deep_marks().without(broad)))
}

fn not_null(a: &Args) -> Outcome {
    let value = a.value(0);
    match value.kind() {
        Kind::Unknown(u) if u.ty == Type::Dynamic => open_type(),
        Kind::Null(Type::Dynamic) => open_type(),
        Kind::Null(_) => Err(broken()),
        Kind::Unknown(u) => Ok((**u).clone().not_null().into_value()),
        _ => Ok(value.clone()),
    }
}

fn open_type() -> Outcome {
    let advice =
        "given value must have a known type; consider using the \"convert\" function to specify a type to assume";
    Err(arg_error(0, advice))
}

fn prefix(a: &Args) -> Outcome {
    let (value, wanted) = (a.value(0), a.str(1));
    match value.kind() {
        Kind::Unknown(u) => {
            let known = u.prefix.as_deref().unwrap_or_default();
            let stable = stable_prefix(wanted);
            match (known.starts_with(stable), stable.starts_with(known)) {
                (true, _) => Ok((**u).clone().not_null().into_value()),
                (_, true) => Ok((**u).clone().begins_with(stable).into_value()),
                _ => Err(broken()),
            }
        }
        Kind::String(text) if text.starts_with(wanted) => Ok(value.clone()),
        _ => Err(broken()),
    }
}

fn between(a: &Args) -> Outcome {
    bounded(a, Lengths { min: count(a, 1)?, max: Some(count(a, 2)?) })
}

fn at_least(a: &Args) -> Outcome {
    bounded(a, Lengths { min: count(a, 1)?, max: None })
}

fn at_most(a: &Args) -> Outcome {
    bounded(a, Lengths { min: 0, max: Some(count(a, 1)?) })
}

fn count(a: &Args, place: usize) -> Result<usize, Fail> {
    let wrong = || arg_error(place, format!("must be a whole number between 0 and {}", i64::MAX));
    a.number(place).to_usize().ok_or_else(wrong)
}

fn bounded(a: &Args, assumed: Lengths) -> Outcome {
    let value = a.value(0);
    match value.kind() {
        Kind::Null(_) => Err(broken()),
        Kind::Unknown(u) => {
            let max = [u.lengths.max, assumed.max].into_iter().flatten().min();
            let both = Lengths { min: u.lengths.min.max(assumed.min), max };
            if max.is_some_and(|max| max < both.min) {
                return Err(broken());
            }
            Ok((**u).clone().with_lengths(both).into_value())
        }
        _ if Unknown::of(value.ty()).with_lengths(assumed).allows(value) => Ok(value.clone()),
        _ => Err(broken()),
    }
}
