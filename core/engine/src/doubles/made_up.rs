//! Values that are made up: what somebody gave, else eight characters, 0, false and nothing.

use std::sync::Arc;

use sgp_model::{Kind, Type, Value, convert::convert};

/// The value with everything unknown in it replaced: by what is given for its place, else by something of its type.
///
/// `given` for the elements of a list, set or map of objects is one object for all of them, or a list with one for each.
pub(super) fn filled(value: &Value, given: Option<&Value>, text: &mut dyn FnMut() -> String) -> Value {
    let marks = value.marks();
    let filled: Value = match value.kind() {
        Kind::Unknown(unknown) => {
            let fitting = given.and_then(|given| shaped(&unknown.ty, given, text).ok());
            fitting.unwrap_or_else(|| made_up(&unknown.ty, text))
        }
        Kind::Object(fields) => {
            let fields = fields.iter().map(|(k, v)| (k.clone(), filled(v, given.and_then(|g| g.get(k)), text)));
            Value::object(fields.collect::<Vec<_>>())
        }
        Kind::Map(ty, entries) => {
            let entries = entries.iter().map(|(k, v)| (k.clone(), filled(v, entry(given, k, v), text)));
            Value::map(ty.clone(), entries.collect::<Vec<_>>())
        }
        Kind::List(ty, elements) => Value::list(ty.clone(), each(elements.iter(), given, text)),
        Kind::Tuple(elements) => Value::tuple(each(elements.iter(), given, text)),
        Kind::Set(ty, elements) => Value::set(ty.clone(), each(elements.iter(), given, text)),
        _ => return value.clone(),
    };
    filled.mark(marks)
}

/// A given value in its type; attributes that an object leaves out are made up.
///
/// # Errors
/// Why it does not fit.
pub(super) fn shaped(ty: &Type, given: &Value, text: &mut dyn FnMut() -> String) -> Result<Value, String> {
    if given.is_null() || !given.is_known() {
        return convert(given, ty).map_err(|e| e.to_string());
    }
    let elements = |element: &Type, text: &mut dyn FnMut() -> String| -> Result<Vec<Value>, String> {
        let all = given.elements().ok_or_else(|| format!("{} is needed", ty.with_article()))?;
        all.into_iter().map(|e| shaped(element, e, text)).collect()
    };
    Ok(match ty {
        Type::Object(fields) => {
            let given = given.as_fields().ok_or_else(|| format!("{} is needed", ty.with_article()))?;
            if let Some(name) = given.keys().find(|name| !fields.contains_key(*name)) {
                return Err(format!("there is no attribute {:?}", &**name));
            }
            let mut all = Vec::new();
            for (name, field) in fields.iter() {
                let value = match given.get(name) {
                    Some(value) => shaped(&field.ty, value, text).map_err(|e| format!("{name}: {e}"))?,
                    None => made_up(&field.ty, text),
                };
                all.push((name.clone(), value));
            }
            Value::object(all)
        }
        Type::List(element) if holds_objects(element) => Value::list((**element).clone(), elements(element, text)?),
        Type::Set(element) if holds_objects(element) => Value::set((**element).clone(), elements(element, text)?),
        _ => convert(given, ty).map_err(|e| e.to_string())?,
    })
}

fn holds_objects(ty: &Type) -> bool {
    match ty {
        Type::Object(_) => true,
        Type::List(inner) | Type::Set(inner) | Type::Map(inner) => holds_objects(inner),
        _ => false,
    }
}

fn each<'v>(
    elements: impl Iterator<Item = &'v Value>,
    given: Option<&Value>,
    text: &mut dyn FnMut() -> String,
) -> Vec<Value> {
    let one_each = given.and_then(Value::elements);
    let given_for = |at: usize| match &one_each {
        Some(list) => list.get(at).copied(),
        None => given,
    };
    elements.enumerate().map(|(at, element)| filled(element, given_for(at), text)).collect()
}

/// Blocks by label take one object for all of them; other maps are given by key.
fn entry<'g>(given: Option<&'g Value>, key: &Arc<str>, value: &Value) -> Option<&'g Value> {
    match value.kind() {
        Kind::Object(_) => given?.get(key).or(given),
        _ => given?.get(key),
    }
}

/// A value of a type that nobody gave.
fn made_up(ty: &Type, text: &mut dyn FnMut() -> String) -> Value {
    match ty {
        Type::String => Value::from(text()),
        Type::Number => Value::int(0),
        Type::Bool => Value::from(false),
        Type::List(element) => Value::list((**element).clone(), Vec::new()),
        Type::Set(element) => Value::set((**element).clone(), []),
        Type::Map(element) => Value::map::<&str>((**element).clone(), []),
        Type::Tuple(elements) => Value::tuple(elements.iter().map(|ty| made_up(ty, text)).collect()),
        Type::Object(fields) => {
            Value::object(fields.iter().map(|(k, f)| (k.clone(), made_up(&f.ty, text))).collect::<Vec<_>>())
        }
        Type::Dynamic => Value::dynamic_null(),
    }
}
