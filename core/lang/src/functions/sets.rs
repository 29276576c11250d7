//! Set operations.

use std::{collections::BTreeSet, sync::Arc};

use sgp_model::{
    Kind, Marks, Type, Value,
    convert::{convert, unify, unify_values},
    value::Lengths,
};

use super::spec::{Args, Fail, Function, Outcome, Ty, arg_error, element_type, error, lengths, param, unknown_with};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "setintersection",
        params: &[param("first_set", Ty::SetOfAny).unknown()],
        rest: Some(param("other_sets", Ty::SetOfAny).unknown()),
        returns: Ty::SetOfAny,
        run: |a| {
            let least = |all: &[Lengths]| Lengths { min: 0, max: all.iter().filter_map(|l| l.max).min() };
            combine(a, true, least, |sets| {
                let (first, rest) = sets.split_first()?;
                Some(first.iter().filter(|e| rest.iter().all(|s| s.contains(*e))).cloned().collect())
            })
        },
    },
    Function {
        name: "setproduct",
        params: &[],
        rest: Some(param("sets", Ty::Any).unknown().marks()),
        returns: Ty::Any,
        run: product,
    },
    Function {
        name: "setsubtract",
        params: &[param("a", Ty::SetOfAny).unknown(), param("b", Ty::SetOfAny).unknown()],
        rest: None,
        returns: Ty::SetOfAny,
        run: |a| {
            let first = |all: &[Lengths]| Lengths { min: 0, max: all.first().and_then(|l| l.max) };
            combine(a, true, first, |sets| {
                let (first, rest) = sets.split_first()?;
                Some(first.iter().filter(|e| !rest.iter().any(|s| s.contains(*e))).cloned().collect())
            })
        },
    },
    Function {
        name: "setunion",
        params: &[param("first_set", Ty::SetOfAny).unknown()],
        rest: Some(param("other_sets", Ty::SetOfAny).unknown()),
        returns: Ty::SetOfAny,
        run: |a| {
            let together = |all: &[Lengths]| {
                let sum = all.iter().copied().fold(Lengths::exactly(0), Lengths::plus);
                Lengths { min: sum.min.min(1), ..sum }
            };
            combine(a, false, together, |sets| Some(sets.iter().flat_map(|s| s.iter().cloned()).collect()))
        },
    },
];

/// Brings all sets to one element type and combines them. Where `exact`, an unknown element leaves the result unknown,
/// because it may equal any other; `bounds` says how many elements it has then.
fn combine(
    a: &Args,
    exact: bool,
    bounds: fn(&[Lengths]) -> Lengths,
    operation: fn(&[Arc<BTreeSet<Value>>]) -> Option<BTreeSet<Value>>,
) -> Outcome {
    // An empty set of open type fits beside any other.
    let known: Vec<Type> =
        a.values.iter().filter_map(|s| element_type(&s.ty()).cloned()).filter(|t| *t != Type::Dynamic).collect();
    let element = unify(&known).ok_or_else(|| error("given sets must all have compatible element types"))?;
    let ty = Type::set(element.clone());
    let mut sets = Vec::with_capacity(a.len());
    for (place, set) in a.values.iter().enumerate() {
        let set = convert(set, &ty).map_err(|e| arg_error(place, e.to_string()))?;
        if !set.is_known() || (exact && !set.is_wholly_known()) {
            let all: Vec<Lengths> = a.values.iter().map(lengths).collect();
            return Ok(unknown_with(ty, bounds(&all)));
        }
        if let Kind::Set(_, elements) = set.kind() {
            sets.push(elements.clone());
        }
    }
    Ok(Value::set(element, operation(&sets).unwrap_or_default()))
}

/// The elements of one factor in one type.
fn factor(place: usize, value: &Value) -> Result<(Type, Option<Vec<Value>>), Fail> {
    let mixed = || arg_error(place, "all elements must be of the same type");
    match (value.kind(), value.ty()) {
        (Kind::Tuple(elements), _) => {
            let (ty, elements) = unify_values(elements).ok_or_else(mixed)?;
            Ok((ty, Some(elements)))
        }
        (_, Type::Tuple(ts)) => Ok((unify(&ts).ok_or_else(mixed)?, None)),
        (_, Type::List(t) | Type::Set(t)) => {
            Ok(((*t).clone(), value.elements().map(|es| es.into_iter().cloned().collect())))
        }
        _ => Err(arg_error(place, "a set or a list is required")),
    }
}

/// More would fill the memory before anything could use them.
const PRODUCT_LIMIT: usize = 1 << 22;

fn product(a: &Args) -> Outcome {
    if a.len() < 2 {
        return Err(error("at least two arguments are required"));
    }
    let marks = a.values.iter().fold(Marks::NONE, |m, v| m.union(v.marks()));
    if a.values.iter().any(|v| !v.is_known() && v.ty() == Type::Dynamic) {
        return Ok(Value::unknown(Type::Dynamic).mark(marks));
    }
    let factors = a.values.iter().enumerate().map(|(i, v)| factor(i, v)).collect::<Result<Vec<_>, _>>()?;
    let element = Type::tuple(factors.iter().map(|(ty, _)| ty.clone()));
    // One factor without an order leaves the whole without one.
    let unordered = a.values.iter().any(|v| matches!(v.ty(), Type::Set(_)));
    let ty = if unordered { Type::set(element.clone()) } else { Type::list(element.clone()) };
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for (_, elements) in factors {
        let Some(elements) = elements else {
            let all = a.values.iter().map(lengths).fold(Lengths::exactly(1), Lengths::times);
            let all = if unordered { Lengths { min: all.min.min(1), max: all.max } } else { all };
            return Ok(unknown_with(ty, all).mark(marks));
        };
        if rows.len().saturating_mul(elements.len()) > PRODUCT_LIMIT {
            return Err(error(format!("the product would have more than {PRODUCT_LIMIT} elements")));
        }
        rows = rows
            .into_iter()
            .flat_map(|row| {
                elements.iter().map(move |e| {
                    let mut longer = row.clone();
                    longer.push(e.clone());
                    longer
                })
            })
            .collect();
    }
    let rows = rows.into_iter().map(Value::tuple);
    let result = if unordered {
        Value::set(element, rows.collect::<BTreeSet<_>>())
    } else {
        Value::list(element, rows.collect())
    };
    Ok(result.mark(marks))
}
