//! Functions on lists, tuples and whatever else has elements in order.

use sgp_model::{
    Kind, Marks, Number, Type, Value,
    convert::{convert, unify},
};

use super::{
    spec::{Args, Fail, Function, Outcome, Ty, arg_error, element_type, equal, error, param, same_list, unknown_of},
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
        name: "chunklist",
        params: &[param("list", Ty::ListOfAny).marks(), param("size", Ty::Number).marks()],
        rest: None,
        returns: Ty::Any,
        run: chunk,
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
        name: "compact",
        params: &[param("list", Ty::ListOfString)],
        rest: None,
        returns: Ty::ListOfString,
        run: |a| Ok(compact(a)),
    },
    Function {
        name: "concat",
        params: &[],
        rest: Some(param("seqs", Ty::Any).unknown().marks()),
        returns: Ty::Any,
        run: concat,
    },
    Function {
        name: "contains",
        params: &[param("list", Ty::Any), param("value", Ty::Any).unknown()],
        rest: None,
        returns: Ty::Bool,
        run: contains,
    },
    Function {
        name: "distinct",
        params: &[param("list", Ty::ListOfAny).unknown()],
        rest: None,
        returns: Ty::ListOfAny,
        run: |a| Ok(distinct(a)),
    },
    Function {
        name: "element",
        params: &[param("list", Ty::Any).unknown().marks(), param("index", Ty::Number).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: element,
    },
    Function { name: "flatten", params: &[param("list", Ty::Any).marks()], rest: None, returns: Ty::Any, run: flatten },
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
    Function {
        name: "range",
        params: &[],
        rest: Some(param("params", Ty::Number)),
        returns: Ty::ListOfNumber,
        run: range,
    },
    Function {
        name: "reverse",
        params: &[param("list", Ty::Any).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: reverse,
    },
    Function {
        name: "slice",
        params: &[
            param("list", Ty::Any).unknown().marks(),
            param("start_index", Ty::Number).unknown(),
            param("end_index", Ty::Number).unknown(),
        ],
        rest: None,
        returns: Ty::Any,
        run: slice,
    },
    Function {
        name: "sort",
        params: &[param("list", Ty::ListOfString)],
        rest: None,
        returns: Ty::ListOfString,
        run: sort,
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

fn chunk(a: &Args) -> Outcome {
    let list = a.value(0);
    let inner = list.ty();
    let size = a.value(1).as_i64().ok_or_else(|| error("value must be a whole number"))?;
    let size = usize::try_from(size).map_err(|_| error("the size argument must be positive"))?;
    let elements = list.elements().unwrap_or_default();
    let chunks = match size {
        0 if elements.is_empty() => Vec::new(),
        0 => vec![list.clone().unmark().0],
        size => elements.chunks(size).map(|c| same_list(list, c.iter().copied().cloned().collect())).collect(),
    };
    Ok(Value::list(inner, chunks).mark(list.marks()).mark(a.value(1).marks()))
}

fn coalesce(a: &Args) -> Outcome {
    let typed: Vec<Type> =
        a.values.iter().filter(|v| !matches!(v.kind(), Kind::Null(Type::Dynamic))).map(Value::ty).collect();
    let ty = if a.values.is_empty() { None } else { unify(&typed) };
    let ty = ty.ok_or_else(|| error("all arguments must have the same type"))?;
    for (place, value) in a.values.iter().enumerate() {
        let value = convert(value, &ty).map_err(|e| arg_error(place, e.to_string()))?;
        if !value.is_known() {
            return Ok(Value::unknown(ty));
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
    for value in &a.values {
        match value.ty() {
            Type::Dynamic if !value.is_known() => return Ok(Value::unknown(Type::Dynamic)),
            Type::List(_) | Type::Tuple(_) => {}
            _ => return Err(error("coalescelist arguments must be lists or tuples")),
        }
        if !value.is_known() {
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

fn compact(a: &Args) -> Value {
    let elements = a.elements(0);
    if elements.iter().any(|e| !e.is_known()) {
        return unknown_of(Type::list(Type::String));
    }
    let kept = elements.into_iter().filter(|e| e.as_str().is_some_and(|s| !s.is_empty()));
    Value::list(Type::String, kept.cloned().collect())
}

fn concat(a: &Args) -> Outcome {
    if a.values.is_empty() {
        return Err(error("at least one argument is required"));
    }
    let mut marks = Marks::NONE;
    for (place, value) in a.values.iter().enumerate() {
        marks = marks.union(value.marks());
        match value.ty() {
            Type::Dynamic if !value.is_known() => return Ok(Value::unknown(Type::Dynamic).mark(all_marks(a))),
            Type::List(_) | Type::Tuple(_) => {}
            other => {
                let got = other.friendly_name();
                return Err(arg_error(place, format!("all arguments must be lists or tuples; got {got}")));
            }
        }
    }
    let open = a.values.iter().any(|v| !v.is_known());
    let types: Vec<Type> = a.values.iter().map(Value::ty).collect();
    if types.iter().all(|t| matches!(t, Type::List(_)))
        && let Some(ty) = unify(&types)
        && let Some(element) = element_type(&ty)
    {
        if open {
            return Ok(unknown_of(ty.clone()).mark(marks));
        }
        let lists = a.values.iter().map(|v| convert(v, &ty)).collect::<Result<Vec<_>, _>>();
        let lists = lists.map_err(|e| error(e.to_string()))?;
        let elements = lists.iter().flat_map(|l| l.elements().unwrap_or_default()).cloned().collect();
        return Ok(Value::list(element.clone(), elements).mark(marks));
    }
    if open {
        return Ok(Value::unknown(Type::Dynamic).mark(marks));
    }
    let elements = a.values.iter().flat_map(|v| v.elements().unwrap_or_default()).cloned().collect();
    Ok(Value::tuple(elements).mark(marks))
}

fn all_marks(a: &Args) -> Marks {
    a.values.iter().fold(Marks::NONE, |m, v| m.union(v.marks()))
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
        match equal(element, value) {
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
    if elements.iter().any(|e| equal(e, a.value(1)) == Some(true)) {
        return Ok(true.into());
    }
    Ok(match find(&elements, a.value(1)) {
        Found::Open => unknown_of(Type::Bool),
        found => matches!(found, Found::At(_)).into(),
    })
}

fn distinct(a: &Args) -> Value {
    let list = a.value(0);
    if !list.is_wholly_known() {
        return unknown_of(list.ty());
    }
    let mut seen = std::collections::BTreeSet::new();
    let kept = a.elements(0).into_iter().filter(|e| seen.insert(*e)).cloned().collect();
    same_list(list, kept)
}

fn element(a: &Args) -> Outcome {
    let list = a.value(0);
    let marks = list.marks().union(a.value(1).marks());
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
    let wrapped = |length: usize| {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        usize::try_from(index.rem_euclid(length)).unwrap_or(0)
    };
    let Some(elements) = list.elements() else {
        let ty = match list.ty() {
            Type::Tuple(ts) => ts[wrapped(ts.len())].clone(),
            _ => fallback,
        };
        return Ok(Value::unknown(ty).mark(marks));
    };
    if elements.is_empty() {
        return Err(error("cannot use element function with an empty list"));
    }
    Ok(elements[wrapped(elements.len())].clone().mark(marks))
}

fn flatten(a: &Args) -> Outcome {
    let list = a.value(0);
    if !list.is_known() {
        return Ok(Value::unknown(Type::Dynamic).mark(list.marks()));
    }
    if list.elements().is_none() {
        return Err(error("can only flatten lists, sets and tuples"));
    }
    let (mut flat, mut marks) = (Vec::new(), Marks::NONE);
    let known = flatten_into(list, &mut flat, &mut marks);
    let result = if known { Value::tuple(flat) } else { Value::unknown(Type::Dynamic) };
    Ok(result.mark(marks))
}

/// Whether it is known how many elements there are.
fn flatten_into(value: &Value, flat: &mut Vec<Value>, marks: &mut Marks) -> bool {
    *marks = marks.union(value.marks());
    let mut known = true;
    for element in value.elements().unwrap_or_default() {
        let sequence = matches!(element.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_));
        if element.elements().is_some() {
            known &= flatten_into(element, flat, marks);
        } else if !element.is_known() && (sequence || element.ty() == Type::Dynamic) {
            *marks = marks.union(element.marks());
            known = false;
        } else {
            flat.push(element.clone());
        }
    }
    known
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
        Found::Open => Ok(unknown_of(Type::Number)),
    }
}

fn length(a: &Args) -> Outcome {
    let value = a.value(0);
    let counted: Option<usize> = match (value.kind(), value.ty()) {
        (Kind::String(s), _) => return Ok(Value::from(string::graphemes(s)).mark(value.marks())),
        (_, Type::Tuple(ts)) => Some(ts.len()),
        (_, Type::Object(fs)) => Some(fs.len()),
        (Kind::Set(_, elements), _) => {
            // Unknown elements may turn out to equal others.
            (elements.len() < 2 || value.is_wholly_known()).then_some(elements.len())
        }
        (Kind::List(_, elements), _) => Some(elements.len()),
        (Kind::Map(_, entries), _) => Some(entries.len()),
        (_, Type::String | Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Map(_)) => None,
        _ => return Err(error("argument must be a string, a collection type, or a structural type")),
    };
    let result = counted.map_or_else(|| unknown_of(Type::Number), |n| Number::from(n).into());
    Ok(result.mark(value.marks()))
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

fn range(a: &Args) -> Outcome {
    const LIMIT: usize = 1024;
    let (zero, one) = (Number::from(0), Number::from(1));
    let (start, end) = match a.len() {
        1 => (zero.clone(), a.number(0).clone()),
        2 | 3 => (a.number(0).clone(), a.number(1).clone()),
        _ => return Err(error("must have one, two, or three arguments")),
    };
    let down = end < start;
    let step = match a.get(2).and_then(Value::as_number) {
        Some(step) => step.clone(),
        None if down => one.neg(),
        None => one,
    };
    if down && step > zero {
        return Err(arg_error(1, "end must be greater than start when step is positive"));
    }
    if end > start && step.is_negative() {
        return Err(arg_error(1, "end must be less than start when step is negative"));
    }
    let mut numbers = Vec::new();
    let mut at = start;
    while if down { at > end } else { at < end } {
        if numbers.len() == LIMIT {
            return Err(error(
                "more than 1024 values were generated; either decrease the difference between start and end or use a \
                 smaller step",
            ));
        }
        numbers.push(Value::from(at.clone()));
        at = at.add(&step).map_err(|e| error(e.to_string()))?;
    }
    Ok(Value::list(Type::Number, numbers))
}

fn reverse(a: &Args) -> Outcome {
    let list = a.value(0);
    let result = match (list.kind(), list.ty()) {
        (Kind::Unknown(_), Type::Dynamic) => Value::unknown(Type::Dynamic),
        (Kind::Unknown(_), Type::Tuple(ts)) => unknown_of(Type::tuple(ts.iter().rev().cloned())),
        (Kind::Unknown(_), Type::List(t) | Type::Set(t)) => unknown_of(Type::list((*t).clone())),
        (Kind::Tuple(es), _) => Value::tuple(es.iter().rev().cloned().collect()),
        (Kind::List(t, es), _) => Value::list(t.clone(), es.iter().rev().cloned().collect()),
        (Kind::Set(t, es), _) => Value::list(t.clone(), es.iter().rev().cloned().collect()),
        (_, other) => {
            let got = other.friendly_name();
            return Err(arg_error(0, format!("can only reverse list or tuple values, not {got}")));
        }
    };
    Ok(result.mark(list.marks()))
}

fn slice(a: &Args) -> Outcome {
    let list = a.value(0);
    match list.ty() {
        Type::Set(_) => {
            return Err(arg_error(
                0,
                "cannot slice a set, because its elements do not have indices; explicitly convert to a list if the \
                 ordering of the result is not important",
            ));
        }
        Type::List(_) | Type::Tuple(_) => {}
        Type::Dynamic if !list.is_known() => {}
        _ => return Err(arg_error(0, "must be a list or tuple value")),
    }
    let Some(elements) = list.elements().filter(|_| a.value(1).is_known() && a.value(2).is_known()) else {
        let ty = if matches!(list.ty(), Type::List(_)) { list.ty() } else { Type::Dynamic };
        return Ok(unknown_of(ty).mark(list.marks()));
    };
    let (start, end) = slice_bounds(a, elements.len())?;
    let part: Vec<Value> = elements[start..end].iter().copied().cloned().collect();
    let result = match list.kind() {
        Kind::List(t, _) => Value::list(t.clone(), part),
        _ => Value::tuple(part),
    };
    Ok(result.mark(list.marks()))
}

fn slice_bounds(a: &Args, length: usize) -> Result<(usize, usize), Fail> {
    let start = usize::try_from(a.int_arg(1)?).map_err(|_| arg_error(1, "start index must not be less than zero"))?;
    let end = usize::try_from(a.int_arg(2)?).map_err(|_| arg_error(2, "end index must not be less than zero"))?;
    if start > length {
        return Err(arg_error(1, "start index must not be greater than the length of the list"));
    }
    if end > length {
        return Err(arg_error(2, "end index must not be greater than the length of the list"));
    }
    if start > end {
        return Err(arg_error(1, "start index must not be greater than end index"));
    }
    Ok((start, end))
}

fn sort(a: &Args) -> Outcome {
    let elements = a.elements(0);
    if elements.iter().any(|e| !e.is_known()) {
        return Ok(unknown_of(Type::list(Type::String)));
    }
    if let Some(place) = elements.iter().position(|e| e.is_null()) {
        return Err(error(format!("given list element {place} is null; a null string cannot be sorted")));
    }
    let mut sorted: Vec<Value> = elements.into_iter().cloned().collect();
    sorted.sort();
    Ok(Value::list(Type::String, sorted))
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
