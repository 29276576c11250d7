//! Functions that make lists and tuples out of others.

use sgp_model::{
    Kind, Marks, Number, Type, Value,
    convert::{convert, unify},
    value::Lengths,
};

use super::spec::{
    Args, Fail, Function, Outcome, Ty, arg_error, element_type, error, lengths, param, same_list, unknown_of,
    unknown_with,
};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "chunklist",
        params: &[param("list", Ty::ListOfAny).unknown().marks(), param("size", Ty::Number).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: chunk,
    },
    Function {
        name: "compact",
        params: &[param("list", Ty::ListOfString).unknown()],
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
        name: "distinct",
        params: &[param("list", Ty::ListOfAny).unknown()],
        rest: None,
        returns: Ty::ListOfAny,
        run: |a| Ok(distinct(a)),
    },
    Function { name: "flatten", params: &[param("list", Ty::Any).marks()], rest: None, returns: Ty::Any, run: flatten },
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
        params: &[param("list", Ty::ListOfString).unknown()],
        rest: None,
        returns: Ty::ListOfString,
        run: sort,
    },
];
fn chunk(a: &Args) -> Outcome {
    let list = a.value(0);
    let inner = list.ty();
    if !(list.is_known() && a.value(1).is_known()) {
        let count = lengths(list);
        let chunks = match a.value(1).as_i64().and_then(|n| usize::try_from(n).ok()) {
            Some(size) if size > 0 => {
                Lengths { min: count.min.div_ceil(size), max: count.max.map(|max| max.div_ceil(size)) }
            }
            _ => Lengths { min: count.min.min(1), max: count.max },
        };
        return Ok(unknown_with(Type::list(inner), chunks).mark(all_marks(a)));
    }
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

fn compact(a: &Args) -> Value {
    if !a.value(0).is_known() {
        return unknown_with(Type::list(Type::String), Lengths { min: 0, max: lengths(a.value(0)).max });
    }
    let elements = a.elements(0);
    if elements.iter().any(|e| !e.is_known()) {
        // Those that are there stay.
        let min = elements.iter().filter(|e| e.as_str().is_some_and(|s| !s.is_empty())).count();
        let max = elements.iter().filter(|e| !(e.is_null() || e.as_str() == Some(""))).count();
        return unknown_with(Type::list(Type::String), Lengths { min, max: Some(max) });
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
            return Ok(unknown_with(ty.clone(), total(a)).mark(marks));
        }
        let lists = a.values.iter().map(|v| convert(v, &ty)).collect::<Result<Vec<_>, _>>();
        let lists = lists.map_err(|e| error(e.to_string()))?;
        let elements: Vec<Value> = lists.iter().flat_map(|l| l.elements().unwrap_or_default()).cloned().collect();
        return Ok(Value::list(told_by(&elements, element), elements).mark(marks));
    }
    if open {
        let ty = inner_types(a).map_or(Type::Dynamic, Type::tuple);
        return Ok(unknown_with(ty, total(a)).mark(marks));
    }
    let elements = a.values.iter().flat_map(|v| v.elements().unwrap_or_default()).cloned().collect();
    Ok(Value::tuple(elements).mark(marks))
}

/// The type of a list's elements: where the type for all of them leaves something open, as an empty list's does, the elements tell.
fn told_by(elements: &[Value], ty: &Type) -> Type {
    let mut types = elements.iter().map(Value::ty);
    let first = types.next().unwrap_or_else(|| ty.clone());
    if types.all(|other| other == first) { first } else { ty.clone() }
}

/// The types of all elements of all arguments, where it is known how many there are.
fn inner_types(a: &Args) -> Option<Vec<Type>> {
    let types = a.values.iter().map(|value| match (value.ty(), value.elements()) {
        (Type::Tuple(types), _) => Some(types.to_vec()),
        (Type::List(element), Some(elements)) => Some(vec![(*element).clone(); elements.len()]),
        _ => None,
    });
    types.collect::<Option<Vec<_>>>().map(|types| types.concat())
}

/// How many elements all arguments have together.
fn total(a: &Args) -> Lengths {
    a.values.iter().map(lengths).fold(Lengths::exactly(0), Lengths::plus)
}

fn all_marks(a: &Args) -> Marks {
    a.values.iter().fold(Marks::NONE, |m, v| m.union(v.marks()))
}

fn distinct(a: &Args) -> Value {
    let list = a.value(0);
    if !list.is_wholly_known() {
        let count = lengths(list);
        return unknown_with(list.ty(), Lengths { min: count.min.min(1), max: count.max });
    }
    let mut seen = std::collections::BTreeSet::new();
    let kept = a.elements(0).into_iter().filter(|e| seen.insert(*e)).cloned().collect();
    same_list(list, kept)
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
        (Kind::Unknown(_), Type::List(t) | Type::Set(t)) => unknown_with(Type::list((*t).clone()), lengths(list)),
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
        return slice_unknown(a).map(|v| v.mark(list.marks()));
    };
    let (start, end) = slice_bounds(a, elements.len())?;
    let part: Vec<Value> = elements[start..end].iter().copied().cloned().collect();
    let result = match list.kind() {
        Kind::List(t, _) => Value::list(t.clone(), part),
        _ => Value::tuple(part),
    };
    Ok(result.mark(list.marks()))
}

/// Where the list or a bound is not known yet: whatever is known is checked, and says how long the result is.
fn slice_unknown(a: &Args) -> Outcome {
    let list = a.value(0);
    let lists = matches!(list.ty(), Type::List(_));
    let ty = if lists { list.ty() } else { Type::Dynamic };
    let longest = lengths(list).max.unwrap_or(usize::MAX);
    if !(a.value(1).is_known() && a.value(2).is_known()) {
        let bounds = [(1, "start index"), (2, "end index")];
        for (place, what) in bounds.into_iter().filter(|(place, _)| a.value(*place).is_known()) {
            slice_bound(a, place, what, longest)?;
        }
        let longest = Lengths { min: 0, max: lengths(list).max };
        return Ok(unknown_with(ty, longest));
    }
    let (start, end) = slice_bounds(a, longest)?;
    Ok(match list.ty() {
        Type::Tuple(ts) => unknown_of(Type::tuple(ts[start..end].iter().cloned())),
        _ => unknown_with(ty, Lengths::exactly(end - start)),
    })
}

fn slice_bounds(a: &Args, length: usize) -> Result<(usize, usize), Fail> {
    let (start, end) = (slice_bound(a, 1, "start index", length)?, slice_bound(a, 2, "end index", length)?);
    if start > end {
        return Err(arg_error(1, "start index must not be greater than end index"));
    }
    Ok((start, end))
}

fn slice_bound(a: &Args, place: usize, what: &str, length: usize) -> Result<usize, Fail> {
    let bound = a.int_arg(place)?;
    let bound = usize::try_from(bound).map_err(|_| arg_error(place, format!("{what} must not be less than zero")))?;
    if bound > length {
        return Err(arg_error(place, format!("{what} must not be greater than the length of the list")));
    }
    Ok(bound)
}

fn sort(a: &Args) -> Outcome {
    if !a.value(0).is_known() {
        return Ok(unknown_with(Type::list(Type::String), lengths(a.value(0))));
    }
    let elements = a.elements(0);
    if elements.iter().any(|e| !e.is_known()) {
        // Any may come first, but how many there are is certain.
        return Ok(Value::list(Type::String, vec![unknown_of(Type::String); elements.len()]));
    }
    if let Some(place) = elements.iter().position(|e| e.is_null()) {
        return Err(error(format!("given list element {place} is null; a null string cannot be sorted")));
    }
    let mut sorted: Vec<Value> = elements.into_iter().cloned().collect();
    sorted.sort();
    Ok(Value::list(Type::String, sorted))
}
