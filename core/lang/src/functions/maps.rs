//! Functions on maps and objects.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sgp_model::{Kind, Marks, Type, Value, convert::convert, value::Lengths};

use super::spec::{
    Args, Function, Outcome, Ty, arg_error, element_type, error, lengths, param, same_list, unknown_of, unknown_with,
};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "keys",
        params: &[param("inputMap", Ty::Any).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: keys,
    },
    Function {
        name: "list",
        params: &[],
        rest: Some(param("vals", Ty::Any).null().unknown().marks()),
        returns: Ty::Any,
        run: |_| Err(error("there is no function \"list\"; use tolist([ ... ]) syntax to write a literal list")),
    },
    Function {
        name: "lookup",
        params: &[param("inputMap", Ty::Any).unknown().marks(), param("key", Ty::String).unknown().marks()],
        rest: Some(param("default", Ty::Any).null().unknown().marks()),
        returns: Ty::Any,
        run: lookup,
    },
    Function {
        name: "map",
        params: &[],
        rest: Some(param("vals", Ty::Any).null().unknown().marks()),
        returns: Ty::Any,
        run: |_| Err(error("there is no function \"map\"; use tomap({ ... }) syntax to write a literal map")),
    },
    Function {
        name: "matchkeys",
        params: &[
            param("values", Ty::ListOfAny).unknown(),
            param("keys", Ty::ListOfAny).unknown(),
            param("searchset", Ty::ListOfAny).unknown(),
        ],
        rest: None,
        returns: Ty::ListOfAny,
        run: match_keys,
    },
    Function {
        name: "merge",
        params: &[],
        rest: Some(param("maps", Ty::Any).null().unknown().marks()),
        returns: Ty::Any,
        run: merge,
    },
    Function {
        name: "transpose",
        params: &[param("values", Ty::MapOfStrings)],
        rest: None,
        returns: Ty::MapOfStrings,
        run: transpose,
    },
    Function {
        name: "values",
        params: &[param("mapping", Ty::Any).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: values,
    },
    Function {
        name: "zipmap",
        params: &[param("keys", Ty::ListOfString).unknown().marks(), param("values", Ty::Any).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: zip,
    },
];

fn keys(a: &Args) -> Outcome {
    let map = a.value(0);
    let result = match (map.kind(), map.ty()) {
        (_, Type::Object(fs)) => Value::tuple(fs.keys().map(|k| Value::string(k.clone())).collect()),
        (Kind::Map(_, entries), _) => Value::strings(entries.keys().cloned()),
        (Kind::Unknown(_), Type::Map(_)) => unknown_with(Type::list(Type::String), lengths(map)),
        (Kind::Unknown(_), Type::Dynamic) => Value::unknown(Type::Dynamic),
        _ => return Err(arg_error(0, "must have map or object type")),
    };
    Ok(result.mark(map.marks()))
}

fn values(a: &Args) -> Outcome {
    let map = a.value(0);
    let result = match (map.kind(), map.ty()) {
        (Kind::Object(fs), _) => Value::tuple(fs.values().cloned().collect()),
        (Kind::Map(t, entries), _) => Value::list(t.clone(), entries.values().cloned().collect()),
        (Kind::Unknown(_), Type::Object(fs)) => {
            Value::tuple(fs.values().map(|f| Value::unknown(f.ty.clone())).collect())
        }
        (Kind::Unknown(_), Type::Map(t)) => unknown_with(Type::list((*t).clone()), lengths(map)),
        (Kind::Unknown(_), Type::Dynamic) => Value::unknown(Type::Dynamic),
        _ => return Err(error("values() requires a map as the first argument")),
    };
    Ok(result.mark(map.marks()))
}

fn lookup(a: &Args) -> Outcome {
    let (map, key) = (a.value(0), a.value(1));
    if a.len() > 3 {
        return Err(error(format!("lookup() takes two or three arguments, got {}", a.len())));
    }
    let default = a.get(2);
    let marks = map.marks().union(key.marks());
    // What is there is picked without asking for the type of everything else: instances by the thousand do this.
    if let (Kind::Object(fields), Some(name)) = (map.kind(), key.as_str())
        && let Some(found) = fields.get(name).or(default)
    {
        return Ok(found.clone().mark(marks));
    }
    match map.ty() {
        Type::Object(fs) => {
            let Some(name) = key.as_str() else { return Ok(Value::unknown(Type::Dynamic).mark(marks)) };
            match (fs.get(name), map.get(name), default) {
                (Some(_), Some(value), _) => Ok(value.clone().mark(marks)),
                (Some(field), None, _) => Ok(Value::unknown(field.ty.clone()).mark(marks)),
                (None, _, Some(default)) => Ok(default.clone().mark(marks)),
                (None, ..) => Err(arg_error(0, format!("the given object has no attribute {name:?}"))),
            }
        }
        Type::Map(element) => {
            let default = default
                .map(|d| convert(d, &element))
                .transpose()
                .map_err(|_| arg_error(2, "the default value must have the same type as the map elements"))?;
            let (Some(name), Some(entries)) = (key.as_str(), map.as_fields()) else {
                return Ok(Value::unknown((*element).clone()).mark(marks));
            };
            match (entries.get(name), default) {
                (Some(value), _) => Ok(value.clone().mark(marks)),
                (None, Some(default)) => Ok(default.mark(marks)),
                (None, None) => Err(error(format!("lookup failed to find key {name:?}"))),
            }
        }
        Type::Dynamic if !map.is_known() => Ok(Value::unknown(Type::Dynamic).mark(marks)),
        _ => Err(arg_error(0, "lookup() requires a map as the first argument")),
    }
}

/// Maps of one type stay that map; anything else becomes an object, in which later arguments win.
fn merge(a: &Args) -> Outcome {
    let mut marks = Marks::NONE;
    let mut merged: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let (mut open_map, mut open_type) = (false, false);
    for value in &a.values {
        marks = marks.union(value.marks());
        match (value.kind(), value.ty()) {
            (Kind::Null(_), Type::Dynamic | Type::Map(_) | Type::Object(_)) => {}
            (Kind::Map(_, fields) | Kind::Object(fields), _) => {
                merged.extend(fields.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            (_, Type::Object(fs)) => {
                merged.extend(fs.iter().map(|(k, f)| (k.clone(), Value::unknown(f.ty.clone()))));
            }
            (_, Type::Map(_)) => open_map = true,
            (_, Type::Dynamic) => open_type = true,
            (_, other) => {
                let got = other.friendly_name();
                return Err(error(format!("arguments must be maps or objects, got {got:?}")));
            }
        }
    }
    let first = a.values.first().map(Value::ty);
    let uniform = first.filter(|ty| a.values.iter().all(|v| v.ty() == *ty));
    let result = match uniform {
        _ if open_type => Value::unknown(Type::Dynamic),
        Some(ty @ Type::Map(_)) if open_map => {
            let all = || a.values.iter().filter(|v| !v.is_null()).map(lengths);
            let min = all().map(|l| l.min).max().unwrap_or(0);
            unknown_with(ty, Lengths { min, ..all().fold(Lengths::exactly(0), Lengths::plus) })
        }
        _ if open_map => Value::unknown(Type::Dynamic),
        Some(Type::Map(element)) => Value::map((*element).clone(), merged),
        _ => Value::object(merged),
    };
    Ok(result.mark(marks))
}

fn match_keys(a: &Args) -> Outcome {
    let types = [a.value(1).ty(), a.value(2).ty()];
    let comparable = types.each_ref().map(|ty| element_type(ty).cloned().unwrap_or(Type::Dynamic));
    let different = || error("keys and searchset must be of the same type");
    // Keys and search set may have different primitive types, which compare in the type they have in common.
    let common = Type::list(sgp_model::convert::unify(&comparable).ok_or_else(different)?);
    let open = |at_least| unknown_with(a.value(0).ty(), Lengths { min: at_least, max: lengths(a.value(0)).max });
    if a.values.iter().any(|v| !v.is_known()) {
        return Ok(open(0));
    }
    let in_common = |place: usize| convert(a.value(place), &common).map_err(|_| different());
    let (keys, search) = (in_common(1)?, in_common(2)?);
    let (values, keys) = (a.elements(0), keys.elements().unwrap_or_default());
    if values.len() != keys.len() {
        return Err(error("length of keys and values should be equal"));
    }
    let search: BTreeSet<&Value> = search.elements().unwrap_or_default().into_iter().collect();
    let undecided: Vec<&Value> = search.iter().copied().filter(|s| !s.is_wholly_known()).collect();
    let mut kept = Vec::new();
    for (value, key) in values.into_iter().zip(keys) {
        let found = if search.contains(key) && key.is_wholly_known() {
            Some(true)
        } else {
            // What is not known, in the key or among what it is looked for in, may turn out to be equal.
            let others = if key.is_wholly_known() { &undecided } else { &search.iter().copied().collect() };
            if others.iter().all(|s| key.equals(s) == Some(false)) { Some(false) } else { None }
        };
        match found {
            Some(true) => kept.push(value.clone()),
            Some(false) => {}
            None => return Ok(open(kept.len())),
        }
    }
    Ok(same_list(a.value(0), kept))
}

fn transpose(a: &Args) -> Outcome {
    let ty = Ty::MapOfStrings.get();
    if !a.value(0).is_wholly_known() {
        return Ok(unknown_of(ty));
    }
    let mut turned: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (key, list) in a.value(0).as_fields().into_iter().flatten() {
        if list.is_null() {
            return Err(error("input must not contain null list"));
        }
        for element in list.elements().unwrap_or_default() {
            let name = element.as_str().ok_or_else(|| error("input list must not contain null string"))?;
            turned.entry(name.into()).or_default().push(Value::string(key.clone()));
        }
    }
    let lists = turned.into_iter().map(|(k, vs)| (k, Value::list(Type::String, vs)));
    Ok(Value::map(Type::list(Type::String), lists))
}

fn zip(a: &Args) -> Outcome {
    let (keys, values) = (a.value(0), a.value(1));
    let marks = keys.deep_marks().union(values.marks());
    let names = a.elements(0);
    let ty = values.ty();
    if !matches!(ty, Type::List(_) | Type::Tuple(_) | Type::Dynamic) {
        return Err(error("values argument must be a list or tuple value"));
    }
    let map_type = element_type(&ty).map_or(Type::Dynamic, |t| Type::map(t.clone()));
    if !keys.is_wholly_known() {
        return Ok(unknown_of(map_type).mark(marks));
    }
    let elements: Vec<Value> = match (values.elements(), &ty) {
        (Some(elements), _) => elements.into_iter().cloned().collect(),
        (None, Type::Tuple(ts)) => ts.iter().map(|t| Value::unknown(t.clone())).collect(),
        // A list that has not as many elements as there are keys would be an error.
        (None, Type::List(t)) => vec![Value::unknown((**t).clone()); names.len()],
        (None, _) => return Ok(unknown_of(map_type).mark(marks)),
    };
    if names.len() != elements.len() {
        return Err(error(format!(
            "number of keys ({}) does not match number of values ({})",
            names.len(),
            elements.len()
        )));
    }
    if let Some(place) = names.iter().position(|n| n.is_null()) {
        return Err(error(format!("keys list has null value at index {place}")));
    }
    let pairs = names.iter().map(|n| n.as_str().unwrap_or_default()).zip(elements);
    let result = match element_type(&ty) {
        Some(element) => Value::map(element.clone(), pairs),
        None => Value::object(pairs),
    };
    Ok(result.mark(marks))
}
