//! Functions that look into lists, tuples and sets, or choose among values.

use sgp_model::{
    Kind, Number, Type, Value,
    convert::{convert, unify},
    value::{Lengths, Unknown},
};

use super::{
    spec::{Args, Function, Outcome, Ty, arg_error, error, lengths, param, unknown_of},
    string,
};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "alltrue",
        params: &[param("list", Ty::ListOfBool)],
        rest: None,
        returns: Ty::Bool,
        run: |a| Ok(fold_bools(a, false)),
    },
    Function {
        name: "anytrue",
        params: &[param("list", Ty::ListOfBool)],
        rest: None,
        returns: Ty::Bool,
        run: |a| Ok(fold_bools(a, true)),
    },
    Function {
        name: "coalesce",
        params: &[],
        rest: Some(param("vals", Ty::Any).null().unknown()),
        returns: Ty::Any,
        run: coalesce,
    },
    Function {
        name: "coalescelist",
        params: &[],
        rest: Some(param("vals", Ty::Any).null().unknown()),
        returns: Ty::Any,
        run: coalesce_list,
    },
    Function {
        name: "contains",
        params: &[param("list", Ty::Any), param("value", Ty::Any).unknown()],
        rest: None,
        returns: Ty::Bool,
        run: contains,
    },
    Function {
        name: "element",
        params: &[param("list", Ty::Any).unknown().marks(), param("index", Ty::Number).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: element,
    },
    Function {
        name: "index",
        params: &[param("list", Ty::Any), param("value", Ty::Any).unknown()],
        rest: None,
        returns: Ty::Number,
        run: index,
    },
    Function {
        name: "length",
        params: &[param("value", Ty::Any).unknown().marks()],
        rest: None,
        returns: Ty::Number,
        run: length,
    },
    Function {
        name: "one",
        params: &[param("list", Ty::Any).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: one,
    },
    Function { name: "sum", params: &[param("list", Ty::Any)], rest: None, returns: Ty::Number, run: sum },
];

/// Whether one element equals `decisive`; null counts as false.
fn fold_bools(a: &Args, decisive: bool) -> Value {
    let mut open = false;
    for element in a.elements(0) {
        match element.as_bool() {
            Some(b) if b == decisive => return decisive.into(),
            None if !element.is_known() => open = true,
            None if !decisive => return false.into(),
            _ => {}
        }
    }
    if open { unknown_of(Type::Bool) } else { (!decisive).into() }
}

fn coalesce(a: &Args) -> Outcome {
    let typed: Vec<Type> =
        a.values.iter().filter(|v| !matches!(v.kind(), Kind::Null(Type::Dynamic))).map(Value::ty).collect();
    let ty = if a.values.is_empty() { None } else { unify(&typed) };
    let ty = ty.ok_or_else(|| error("all arguments must have the same type"))?;
    for (place, value) in a.values.iter().enumerate() {
        let value = convert(value, &ty).map_err(|e| arg_error(place, e.to_string()))?;
        if let Kind::Unknown(unknown) = value.kind() {
            // What is certainly not passed over is the result, whatever it turns out to be.
            let taken = unknown.not_null && (unknown.prefix.is_some() || !matches!(ty, Type::String | Type::Dynamic));
            return Ok(if taken { value } else { unknown_of(ty) });
        }
        if !value.is_null() && value.as_str() != Some("") {
            return Ok(value);
        }
    }
    Err(error("no non-null, non-empty-string arguments"))
}

fn coalesce_list(a: &Args) -> Outcome {
    if a.values.is_empty() {
        return Err(error("at least one argument is required"));
    }
    let fits = |v: &Value| match v.ty() {
        Type::List(_) | Type::Tuple(_) => true,
        Type::Dynamic => !v.is_known(),
        _ => false,
    };
    // Those after the one that is taken must fit too, so that the mistake shows before it matters.
    if !a.values.iter().all(fits) {
        return Err(error("coalescelist arguments must be lists or tuples"));
    }
    for value in &a.values {
        if !value.is_known() {
            if lengths(value).min > 0 && value.is_never_null() {
                return Ok(value.clone());
            }
            // Which argument is taken decides the type, unless all have this one.
            let ty = if a.values.iter().all(|v| v.ty() == value.ty()) { value.ty() } else { Type::Dynamic };
            return Ok(Value::unknown(ty));
        }
        if value.elements().is_some_and(|es| !es.is_empty()) {
            return Ok(value.clone());
        }
    }
    Err(error("no non-null arguments"))
}

/// The place of the first element that equals a value.
enum Found {
    At(usize),
    Nowhere,
    /// An unknown element may be it.
    Open,
}

fn find(elements: &[&Value], value: &Value) -> Found {
    for (place, element) in elements.iter().enumerate() {
        match element.equals(value) {
            Some(true) => return Found::At(place),
            Some(false) => {}
            None => return Found::Open,
        }
    }
    Found::Nowhere
}

fn contains(a: &Args) -> Outcome {
    let Some(elements) = a.value(0).elements() else {
        return Err(error("argument must be list, tuple, or set"));
    };
    // An unknown element before the one that is equal does not matter here.
    if elements.iter().any(|e| e.equals(a.value(1)) == Some(true)) {
        return Ok(true.into());
    }
    Ok(match find(&elements, a.value(1)) {
        Found::Open => unknown_of(Type::Bool),
        found => matches!(found, Found::At(_)).into(),
    })
}

fn element(a: &Args) -> Outcome {
    let list = a.value(0);
    let marks = list.marks().union(a.value(1).marks());
    let wrapped = |index: i64, length: usize| {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        usize::try_from(index.rem_euclid(length)).unwrap_or(0)
    };
    // What is there is picked without asking for the type of everything else: instances by the thousand do this.
    if let (Kind::List(_, found) | Kind::Tuple(found), Some(index)) = (list.kind(), a.value(1).as_i64())
        && !found.is_empty()
    {
        return Ok(found[wrapped(index, found.len())].clone().mark(marks));
    }
    let fallback = match list.ty() {
        Type::List(t) => (*t).clone(),
        Type::Tuple(ts) if !ts.is_empty() => {
            if ts.iter().all(|t| *t == ts[0]) {
                ts[0].clone()
            } else {
                Type::Dynamic
            }
        }
        Type::Tuple(_) => return Err(error("cannot use element function with an empty list")),
        Type::Dynamic if !list.is_known() => Type::Dynamic,
        other => return Err(error(format!("cannot read elements from {}", other.friendly_name()))),
    };
    if !a.value(1).is_known() {
        return Ok(Value::unknown(fallback).mark(marks));
    }
    let whole = "invalid index: value must be a whole number, between -9223372036854775808 and 9223372036854775807";
    let index = a.value(1).as_i64().ok_or_else(|| error(whole))?;
    let Some(elements) = list.elements() else {
        let ty = match list.ty() {
            Type::Tuple(ts) => ts[wrapped(index, ts.len())].clone(),
            _ => fallback,
        };
        return Ok(Value::unknown(ty).mark(marks));
    };
    if elements.is_empty() {
        return Err(error("cannot use element function with an empty list"));
    }
    Ok(elements[wrapped(index, elements.len())].clone().mark(marks))
}

fn index(a: &Args) -> Outcome {
    let list = a.value(0);
    if !matches!(list.kind(), Kind::List(..) | Kind::Tuple(_)) {
        return Err(error("argument must be a list or tuple"));
    }
    let elements = a.elements(0);
    if elements.is_empty() {
        return Err(error("cannot search an empty list"));
    }
    match find(&elements, a.value(1)) {
        Found::At(place) => Ok(Number::from(place).into()),
        Found::Nowhere => Err(error("item not found")),
        Found::Open => Ok(Unknown::of(Type::Number).at_least(0).at_most(elements.len() - 1).into_value()),
    }
}

const UNCOUNTABLE: &str = "argument must be a string, a collection type, or a structural type";

fn length(a: &Args) -> Outcome {
    let value = a.value(0);
    let count = match value.kind() {
        Kind::String(s) => return Ok(Value::from(string::graphemes(s)).mark(value.marks())),
        // Whatever follows makes the last character of what a text begins with longer at most.
        Kind::Unknown(u) if u.ty == Type::String => {
            let prefix = u.prefix.as_deref().unwrap_or_default();
            Lengths { min: string::graphemes(prefix).to_usize().unwrap_or_default(), max: None }
        }
        Kind::Bool(_) | Kind::Number(_) => return Err(error(UNCOUNTABLE)),
        Kind::Unknown(u) if matches!(u.ty, Type::Bool | Type::Number) => return Err(error(UNCOUNTABLE)),
        _ => lengths(value),
    };
    let result = Unknown::of(Type::Number).at_least(count.min);
    let result = match count.max {
        Some(max) => result.at_most(max),
        None => result,
    };
    Ok(result.into_value().mark(value.marks()))
}

fn one(a: &Args) -> Outcome {
    const WRONG: &str = "must be a list, set, or tuple value with either zero or one elements";
    let list = a.value(0);
    let result = match list.ty() {
        Type::Dynamic => Value::unknown(Type::Dynamic),
        Type::List(t) | Type::Set(t) => match list.elements() {
            None => Value::unknown((*t).clone()),
            Some(elements) => match elements.as_slice() {
                [] => Value::null((*t).clone()),
                [only] => (*only).clone(),
                // Several unknown elements of a set may turn out to be one.
                _ if matches!(list.kind(), Kind::Set(..)) && !list.is_wholly_known() => Value::unknown((*t).clone()),
                _ => return Err(arg_error(0, WRONG)),
            },
        },
        Type::Tuple(ts) => match (&*ts, list.elements()) {
            ([], _) => Value::dynamic_null(),
            ([ty], None) => Value::unknown(ty.clone()),
            ([_], Some(elements)) => elements[0].clone(),
            _ => return Err(arg_error(0, WRONG)),
        },
        _ => return Err(arg_error(0, WRONG)),
    };
    Ok(result.mark(list.marks()))
}

fn sum(a: &Args) -> Outcome {
    let list = a.value(0);
    let Some(elements) = list.elements() else {
        return Err(arg_error(
            0,
            match list.ty() {
                ty @ (Type::Map(_) | Type::Object(_)) => {
                    format!("argument must be list, set, or tuple. Received {}", ty.friendly_name())
                }
                _ => "cannot sum noniterable".to_owned(),
            },
        ));
    };
    if elements.is_empty() {
        return Err(arg_error(0, "cannot sum an empty list"));
    }
    let mut total = Number::from(0);
    let mut open = false;
    for element in elements {
        let number = convert(element, &Type::Number);
        match number.as_ref().map(|n| (n.is_known(), n.as_number())) {
            Ok((false, _)) => open = true,
            Ok((true, Some(n))) => total = total.add(n).map_err(|e| error(e.to_string()))?,
            _ => return Err(arg_error(0, "argument must be list, set, or tuple of number values")),
        }
    }
    Ok(if open { unknown_of(Type::Number) } else { total.into() })
}
