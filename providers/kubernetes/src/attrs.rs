//! Looking into evaluated objects: attributes by name, nested blocks, maps of strings.

use std::collections::BTreeMap;

use sgp_model::{Block, Kind, Type, Value};

/// The text of an attribute; `None` when it is null, unknown or not there.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

/// A bool attribute; `None` when it is null, unknown or not there.
pub(crate) fn flag(object: &Value, name: &str) -> Option<bool> {
    object.get(name)?.as_bool()
}

/// The one block of this name, whether it nests as a list or as an object; `None` when there is none.
pub(crate) fn block<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let value = object.get(name)?;
    match value.kind() {
        Kind::Object(_) => Some(value),
        _ => value.elements()?.into_iter().next().filter(|v| !v.is_null()),
    }
}

/// All blocks or elements of this name.
pub(crate) fn blocks<'a>(object: &'a Value, name: &str) -> Vec<&'a Value> {
    object.get(name).and_then(Value::elements).unwrap_or_default()
}

/// The known texts in a list or set attribute, in order.
pub(crate) fn texts(object: &Value, name: &str) -> Vec<String> {
    object.get(name).map(|v| v.str_elements().into_iter().map(str::to_owned).collect()).unwrap_or_default()
}

/// The known entries of a map of strings; empty when it is null or not there.
pub(crate) fn string_map(object: &Value, name: &str) -> BTreeMap<String, String> {
    let Some(fields) = object.get(name).and_then(Value::as_fields) else { return BTreeMap::new() };
    fields.iter().filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned()))).collect()
}

/// Whether an attribute is said: neither null nor absent (it may be unknown).
pub(crate) fn is_set(object: &Value, name: &str) -> bool {
    object.get(name).is_some_and(|v| !v.is_null())
}

/// A map of strings as a value.
pub(crate) fn map_value(entries: impl IntoIterator<Item = (String, String)>) -> Value {
    Value::map(Type::String, entries.into_iter().map(|(k, v)| (k, Value::from(v))))
}

/// An object of a block with these attributes set; the others are null, blocks absent.
pub(crate) fn object<'a>(block: &Block, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    fields.into_iter().fold(block.empty(), |object, (name, value)| object.with_attr(name, value))
}

/// The same value with null in the place of everything unknown.
pub(crate) fn known(value: &Value) -> Value {
    value.map_deep(&mut |_, v| if v.is_known() { v } else { Value::null(v.ty()) })
}

/// Keeps how `prior` says "nothing": null and an empty collection mean the same to Kubernetes, but not to a diff.
pub(crate) fn align(new: Value, prior: &Value) -> Value {
    let nothing = |v: &Value| v.is_null() || v.elements().is_some_and(|e| e.is_empty()) || is_empty_map(v);
    if nothing(&new) && nothing(prior) && !matches!(prior.ty(), Type::Dynamic) {
        return prior.clone();
    }
    match (new.kind(), prior.kind()) {
        (Kind::Object(fields), Kind::Object(before)) => Value::object(
            fields.iter().map(|(k, v)| (k.clone(), before.get(k).map_or_else(|| v.clone(), |p| align(v.clone(), p)))),
        ),
        (Kind::List(ty, elements), Kind::List(_, before)) if elements.len() == before.len() => {
            Value::list(ty.clone(), elements.iter().zip(before.iter()).map(|(v, p)| align(v.clone(), p)).collect())
        }
        _ => new,
    }
}

fn is_empty_map(value: &Value) -> bool {
    matches!(value.kind(), Kind::Map(_, entries) if entries.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_as_before() {
        let empty = Value::map::<&str>(Type::String, []);
        let null = Value::null(Type::map(Type::String));
        let full = map_value([("a".to_owned(), "b".to_owned())]);
        let object = |v: &Value| Value::list(v.ty(), vec![Value::object([("labels", v.clone())])]);
        for (new, prior, expected) in
            [(&null, &empty, &empty), (&empty, &null, &null), (&null, &full, &null), (&full, &null, &full)]
        {
            let aligned = align(object(new), &object(prior));
            assert_eq!(
                block(&Value::object([("x", aligned)]), "x"),
                Some(&Value::object([("labels", expected.clone())]))
            );
        }
    }

    #[test]
    fn unknown_parts_become_null() {
        let value = Value::object([("a", Value::unknown(Type::Number)), ("b", Value::from("c"))]);
        assert_eq!(known(&value), Value::object([("a", Value::null(Type::Number)), ("b", Value::from("c"))]));
    }
}
