//! The type that several types have in common.

use std::collections::BTreeSet;

use super::{convert, convert_type};
use crate::{Kind, Type, Value};

/// The type that values of all these types can be converted to, or `None` when there is none.
///
/// Objects with the same attributes unify attribute by attribute, others become maps; tuples of one length unify element
/// by element, others become lists; among primitives string is common to all. [`Type::Dynamic`] beside a structure leaves
/// the result open; no types at all give [`Type::Dynamic`].
pub fn unify(types: &[Type]) -> Option<Type> {
    let Some(first) = types.first() else { return Some(Type::Dynamic) };
    if types.iter().all(|t| t == first) {
        return Some(first.clone());
    }
    let known: Vec<&Type> = types.iter().filter(|t| **t != Type::Dynamic).collect();
    let open = known.len() < types.len();
    let count = |is: fn(&Type) -> bool| known.iter().filter(|t| is(t)).count();
    let lists = count(|t| matches!(t, Type::List(_)));
    let sets = count(|t| matches!(t, Type::Set(_)));
    let maps = count(|t| matches!(t, Type::Map(_)));
    let tuples = count(|t| matches!(t, Type::Tuple(_)));
    let objects = count(|t| matches!(t, Type::Object(_)));
    let all = known.len();
    if objects > 0 && tuples > 0 {
        return None;
    }
    if open && [lists, sets, maps, tuples, objects].contains(&all) {
        return Some(Type::Dynamic);
    }
    match all {
        _ if lists == all => unify_elements(&known).map(Type::list),
        _ if sets == all => unify_elements(&known).map(Type::set),
        _ if maps == all => unify_elements(&known).map(Type::map),
        _ if objects == all => unify_objects(&known),
        _ if tuples == all => unify_tuples(&known),
        _ if maps > 0 && maps + objects == all => unify_elements(&known).map(Type::map).or_else(|| preferred(types)),
        _ if lists > 0 && lists + tuples == all => unify_elements(&known).map(Type::list).or_else(|| preferred(types)),
        _ => preferred(types),
    }
}

/// What everything inside these collections and structures has in common. An empty tuple or object has nothing inside.
fn unify_elements(types: &[&Type]) -> Option<Type> {
    let is_empty = |ty: &Type| match ty {
        Type::Tuple(ts) => ts.is_empty(),
        Type::Object(fs) => fs.is_empty(),
        _ => false,
    };
    let inner = types.iter().filter(|ty| !is_empty(ty)).map(|ty| {
        Some(match ty {
            Type::List(t) | Type::Set(t) | Type::Map(t) => (**t).clone(),
            Type::Tuple(ts) => unify(ts)?,
            Type::Object(fs) => unify(&fs.values().map(|f| f.ty.clone()).collect::<Vec<_>>())?,
            _ => return None,
        })
    });
    unify(&inner.collect::<Option<Vec<_>>>()?)
}

fn unify_objects(types: &[&Type]) -> Option<Type> {
    let fields: Vec<_> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Object(fs) => Some(fs),
            _ => None,
        })
        .collect();
    let names: BTreeSet<_> = fields.first()?.keys().collect();
    if fields.iter().any(|fs| fs.len() != names.len() || !fs.keys().all(|k| names.contains(k))) {
        let all: Vec<Type> = fields.iter().flat_map(|fs| fs.values().map(|f| f.ty.clone())).collect();
        return unify(&all).map(Type::map);
    }
    let unified = names.into_iter().map(|name| {
        let across: Vec<Type> = fields.iter().map(|fs| fs[name].ty.clone()).collect();
        Some((name.clone(), unify(&across)?))
    });
    Some(Type::object(unified.collect::<Option<Vec<_>>>()?))
}

fn unify_tuples(types: &[&Type]) -> Option<Type> {
    let tuples: Vec<_> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Tuple(ts) => Some(ts),
            _ => None,
        })
        .collect();
    let length = tuples.first()?.len();
    if tuples.iter().any(|ts| ts.len() != length) {
        let all: Vec<Type> = tuples.iter().flat_map(|ts| ts.iter().cloned()).collect();
        return unify(&all).map(Type::list);
    }
    let unified = (0..length).map(|i| unify(&tuples.iter().map(|ts| ts[i].clone()).collect::<Vec<_>>()));
    Some(Type::tuple(unified.collect::<Option<Vec<_>>>()?))
}

/// The best of the types themselves that all others convert to.
fn preferred(types: &[Type]) -> Option<Type> {
    let mut candidates: Vec<&Type> = types.iter().collect();
    candidates.sort_by_key(|ty| rank(ty));
    candidates.into_iter().find(|want| types.iter().all(|ty| convert_type(ty, want).is_ok())).cloned()
}

/// Lower is preferred: the more general of two convertible kinds comes first.
fn rank(ty: &Type) -> u8 {
    match ty {
        Type::String | Type::List(_) | Type::Map(_) => 0,
        Type::Tuple(_) | Type::Object(_) => 1,
        Type::Bool | Type::Number | Type::Set(_) => 2,
        Type::Dynamic => 3,
    }
}

/// The values converted to the type they have in common, and that type; `None` when there is none.
///
/// A null without a type takes any type, so it does not count.
pub fn unify_values(values: &[Value]) -> Option<(Type, Vec<Value>)> {
    let typed = values.iter().filter(|v| !matches!(v.kind(), Kind::Null(Type::Dynamic)));
    let ty = unify(&typed.map(Value::ty).collect::<Vec<_>>())?;
    let converted = values.iter().map(|v| convert(v, &ty).ok()).collect::<Option<Vec<_>>>()?;
    Some((ty, converted))
}
