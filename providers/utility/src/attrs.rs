//! Looking into evaluated objects, and judging their arguments.

use sgp_model::{AttrPath, Block, Diagnostic, Diagnostics, Value};

/// The text of an attribute; `None` when it is null, unknown or not there.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

/// A bool attribute; `None` when it is null, unknown or not there.
pub(crate) fn flag(object: &Value, name: &str) -> Option<bool> {
    object.get(name)?.as_bool()
}

/// A whole number; `None` when it is null, unknown, not there or has a fraction.
pub(crate) fn int(object: &Value, name: &str) -> Option<i64> {
    object.get(name)?.as_i64()
}

/// Whether an attribute is said: neither null nor absent (it may be unknown).
pub(crate) fn is_set(object: &Value, name: &str) -> bool {
    object.get(name).is_some_and(|v| !v.is_null())
}

/// Whether an attribute is known; null is.
pub(crate) fn is_known(object: &Value, name: &str) -> bool {
    object.get(name).is_none_or(Value::is_wholly_known)
}

/// An object of a block with these attributes set; the others are null, blocks absent.
pub(crate) fn object<'a>(block: &Block, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    with(&block.empty(), fields)
}

/// The same object with these attributes set.
pub(crate) fn with<'a>(object: &Value, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    fields.into_iter().fold(object.clone(), |object, (name, value)| object.with_attr(name, value))
}

/// The object with the defaults of a block's attributes where nothing is said.
pub(crate) fn with_defaults(block: &Block, object: &Value) -> Value {
    let missing = block.attributes.iter().filter(|(name, _)| !is_set(object, name));
    with(object, missing.filter_map(|(name, attribute)| Some((*name, attribute.default.clone()?))))
}

/// An error about one argument.
pub(crate) fn wrong(name: &str, detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("Invalid argument", detail).attribute(AttrPath::attr(name))
}

/// Says which of these arguments are not whole numbers of at least so much.
pub(crate) fn whole_numbers(config: &Value, least: &[(&str, i64)]) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for (name, least) in least {
        let Some(number) = config.get(name).and_then(Value::as_number) else { continue };
        match number.to_i64() {
            None => problems.push(wrong(name, format!("`{name}` must be a whole number of 64 bits, not {number}."))),
            Some(n) if n < *least => {
                problems.push(wrong(name, format!("`{name}` must be at least {least}, not {n}.")));
            }
            Some(_) => {}
        }
    }
    problems
}

/// Says when more than one of these arguments is set, or none where one must be. Unknown ones may turn out to be null.
pub(crate) fn exclusive(config: &Value, names: &[&str], one_is_needed: bool) -> Diagnostics {
    let said: Vec<&&str> = names.iter().filter(|name| is_set(config, name) && is_known(config, name)).collect();
    let all = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match said[..] {
        [] if one_is_needed && names.iter().all(|name| is_known(config, name)) => {
            Diagnostic::error("Missing argument", format!("One of {all} must be set.")).into()
        }
        [_, second, ..] => wrong(second, format!("Only one of {all} can be set.")).into(),
        _ => Diagnostics::new(),
    }
}

/// The error about an id that cannot be imported; `form` is what it should be: `prefix,b64_url`.
pub(crate) fn wrong_id(type_name: &str, id: &str, form: &str) -> Diagnostic {
    Diagnostic::error("Import failed", format!("{id:?} is no id of a {type_name}: it should be {form}."))
}
