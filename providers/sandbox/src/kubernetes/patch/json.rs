//! JSON Patch (RFC 6902), with what the API server's library does where the RFC is silent.

use serde_json::{Map, Value};

use super::PatchError;

/// So many operations may be in one patch (`maxJSONPatchOperations` of the API server).
const MAX_OPERATIONS: usize = 10_000;

/// Applies the operations in order.
///
/// Negative array indices count from the end, and a `test` for null passes where there is no member, as in the API server.
///
/// # Errors
/// 400 when the patch is not a list of operations, 413 when it has too many, 422 when one of them fails.
pub fn json(mut document: Value, operations: &Value) -> Result<Value, PatchError> {
    let Some(operations) = operations.as_array() else {
        let kind = kind(operations);
        let message =
            format!("error decoding patch: json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp");
        return Err(PatchError::bad_request(message));
    };
    if operations.len() > MAX_OPERATIONS {
        let count = operations.len();
        let message = format!("The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}");
        return Err(PatchError {
            code: 413,
            reason: "RequestEntityTooLarge",
            detail: message.clone(),
            message: format!("Request entity too large: {message}"),
        });
    }
    for operation in operations {
        let Some(operation) = operation.as_object() else {
            let kind = kind(operation);
            let message = format!("json: cannot unmarshal {kind} into Go value of type jsonpatch.Operation");
            return Err(PatchError::bad_request(message));
        };
        run(&mut document, operation).map_err(PatchError::unprocessable)?;
    }
    Ok(document)
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn run(document: &mut Value, operation: &Map<String, Value>) -> Result<(), String> {
    let name = operation.get("op").and_then(Value::as_str).unwrap_or("unknown");
    let path = tokens(pointer(operation, "path")?)?;
    let value = || operation.get("value").cloned().ok_or_else(|| format!("{name} operation without a value"));
    match name {
        "add" => add(document, &path, value()?),
        "remove" => remove(document, &path).map(|_| ()),
        "replace" => replace(document, &path, value()?),
        "move" => {
            let from = tokens(pointer(operation, "from")?)?;
            if path.len() > from.len() && path.starts_with(&from) {
                return Err("a value cannot be moved into itself".to_owned());
            }
            let value = remove(document, &from)?;
            add(document, &path, value)
        }
        "copy" => {
            let from = tokens(pointer(operation, "from")?)?;
            let value = find(document, &from).cloned().ok_or_else(|| missing("copy", &from))?;
            add(document, &path, value)
        }
        "test" => {
            // A member that is not there equals null, as in the API server's library.
            let wanted = operation.get("value").unwrap_or(&Value::Null);
            let found = find(document, &path).unwrap_or(&Value::Null);
            let is_equal = equal(found, wanted);
            if is_equal { Ok(()) } else { Err(format!("testing value /{} failed: test failed", path.join("/"))) }
        }
        other => Err(format!("Unexpected kind: {other}")),
    }
}

fn pointer<'a>(operation: &'a Map<String, Value>, member: &str) -> Result<&'a str, String> {
    operation.get(member).and_then(Value::as_str).ok_or_else(|| format!("operation without {member}"))
}

/// A JSON pointer (RFC 6901) as its tokens.
fn tokens(pointer: &str) -> Result<Vec<String>, String> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let rest = pointer.strip_prefix('/').ok_or_else(|| format!("pointer {pointer:?} does not begin with /"))?;
    Ok(rest.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}

fn missing(operation: &str, path: &[String]) -> String {
    format!("{operation} operation does not apply: doc is missing path: \"/{}\": missing value", path.join("/"))
}

fn find<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, token| match value {
        Value::Object(members) => members.get(token),
        Value::Array(items) => items.get(index(token, items.len())?),
        _ => None,
    })
}

fn find_mut<'a>(document: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    path.iter().try_fold(document, |value, token| match value {
        Value::Object(members) => members.get_mut(token),
        Value::Array(items) => {
            let index = index(token, items.len())?;
            items.get_mut(index)
        }
        _ => None,
    })
}

/// The index of an existing item; no leading zeros (RFC 6901), negative ones from the end.
fn index(token: &str, length: usize) -> Option<usize> {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    let number: usize = digits.parse().ok()?;
    let index = if token.starts_with('-') { length.checked_sub(number)? } else { number };
    (index < length).then_some(index)
}

fn add(document: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let Some((last, parents)) = path.split_last() else {
        *document = value;
        return Ok(());
    };
    match find_mut(document, parents) {
        Some(Value::Object(members)) => {
            members.insert(last.clone(), value);
            Ok(())
        }
        Some(Value::Array(items)) => {
            // One more place than there are items: after the last.
            let place = if last == "-" { Some(items.len()) } else { index(last, items.len() + 1) };
            let place = place.ok_or_else(|| format!("Unable to access invalid index: {last}"))?;
            items.insert(place, value);
            Ok(())
        }
        _ => Err(missing("add", path)),
    }
}

fn remove(document: &mut Value, path: &[String]) -> Result<Value, String> {
    let Some((last, parents)) = path.split_last() else {
        return Err("the whole document cannot be removed".to_owned());
    };
    let removed = match find_mut(document, parents) {
        Some(Value::Object(members)) => members.remove(last),
        Some(Value::Array(items)) => index(last, items.len()).map(|index| items.remove(index)),
        _ => None,
    };
    removed.ok_or_else(|| missing("remove", path))
}

fn replace(document: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let place = find_mut(document, path).ok_or_else(|| missing("replace", path))?;
    *place = value;
    Ok(())
}

/// Equal as RFC 6902 says: numbers by value (1 and 1.0).
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(name, value)| other.get(name).is_some_and(|other| equal(value, other));
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as value;

    /// Rows of document, operations, result; null stands for a refusal.
    fn rows() -> Vec<(&'static str, Value, Value, Value)> {
        vec![
            (
                "A.1",
                value!({"foo": "bar"}),
                value!([{"op": "add", "path": "/baz", "value": "qux"}]),
                value!({"baz": "qux", "foo": "bar"}),
            ),
            (
                "A.2",
                value!({"foo": ["bar", "baz"]}),
                value!([{"op": "add", "path": "/foo/1", "value": "qux"}]),
                value!({"foo": ["bar", "qux", "baz"]}),
            ),
            (
                "A.3",
                value!({"baz": "qux", "foo": "bar"}),
                value!([{"op": "remove", "path": "/baz"}]),
                value!({"foo": "bar"}),
            ),
            (
                "A.4",
                value!({"foo": ["bar", "qux", "baz"]}),
                value!([{"op": "remove", "path": "/foo/1"}]),
                value!({"foo": ["bar", "baz"]}),
            ),
            (
                "A.5",
                value!({"baz": "qux", "foo": "bar"}),
                value!([{"op": "replace", "path": "/baz", "value": "boo"}]),
                value!({"baz": "boo", "foo": "bar"}),
            ),
            (
                "A.6",
                value!({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}),
                value!([{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]),
                value!({"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
            ),
            (
                "A.7",
                value!({"foo": ["all", "grass", "cows", "eat"]}),
                value!([{"op": "move", "from": "/foo/1", "path": "/foo/3"}]),
                value!({"foo": ["all", "cows", "eat", "grass"]}),
            ),
            (
                "A.8",
                value!({"baz": "qux", "foo": ["a", 2, "c"]}),
                value!([{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}]),
                value!({"baz": "qux", "foo": ["a", 2, "c"]}),
            ),
            ("A.9", value!({"baz": "qux"}), value!([{"op": "test", "path": "/baz", "value": "bar"}]), Value::Null),
            (
                "A.10",
                value!({"foo": "bar"}),
                value!([{"op": "add", "path": "/child", "value": {"grandchild": {}}}]),
                value!({"foo": "bar", "child": {"grandchild": {}}}),
            ),
            (
                "A.11",
                value!({"foo": "bar"}),
                value!([{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}]),
                value!({"foo": "bar", "baz": "qux"}),
            ),
            ("A.12", value!({"foo": "bar"}), value!([{"op": "add", "path": "/baz/bat", "value": "qux"}]), Value::Null),
            (
                "A.14",
                value!({"/": 9, "~1": 10}),
                value!([{"op": "test", "path": "/~01", "value": 10}]),
                value!({"/": 9, "~1": 10}),
            ),
            ("A.15", value!({"/": 9, "~1": 10}), value!([{"op": "test", "path": "/~01", "value": "10"}]), Value::Null),
            (
                "A.16",
                value!({"foo": ["bar"]}),
                value!([{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}]),
                value!({"foo": ["bar", ["abc", "def"]]}),
            ),
            (
                "copy",
                value!({"a": {"b": 1}}),
                value!([{"op": "copy", "from": "/a", "path": "/c"}]),
                value!({"a": {"b": 1}, "c": {"b": 1}}),
            ),
            ("copy of nothing", value!({}), value!([{"op": "copy", "from": "/a", "path": "/c"}]), Value::Null),
            (
                "the whole document",
                value!({"a": 1}),
                value!([{"op": "replace", "path": "", "value": {"b": 2}}]),
                value!({"b": 2}),
            ),
            ("remove nothing", value!({}), value!([{"op": "remove", "path": "/a"}]), Value::Null),
            ("replace nothing", value!({}), value!([{"op": "replace", "path": "/a", "value": 1}]), Value::Null),
            (
                "index past the end",
                value!({"a": [1]}),
                value!([{"op": "add", "path": "/a/2", "value": 1}]),
                Value::Null,
            ),
            (
                "index with a leading zero",
                value!({"a": [1, 2]}),
                value!([{"op": "remove", "path": "/a/01"}]),
                Value::Null,
            ),
            ("negative index", value!({"a": [1, 2]}), value!([{"op": "remove", "path": "/a/-1"}]), value!({"a": [1]})),
            (
                "into itself",
                value!({"a": {"b": 1}}),
                value!([{"op": "move", "from": "/a", "path": "/a/b"}]),
                Value::Null,
            ),
            ("onto itself", value!({"a": 1}), value!([{"op": "move", "from": "/a", "path": "/a"}]), value!({"a": 1})),
            (
                "test null where nothing is",
                value!({}),
                value!([{"op": "test", "path": "/a", "value": null}]),
                value!({}),
            ),
            (
                "numbers by value",
                value!({"a": 1.0}),
                value!([{"op": "test", "path": "/a", "value": 1}]),
                value!({"a": 1.0}),
            ),
            ("unknown operation", value!({}), value!([{"op": "spam", "path": "/a"}]), Value::Null),
            ("no path", value!({}), value!([{"op": "add", "value": 1}]), Value::Null),
            ("no value", value!({}), value!([{"op": "add", "path": "/a"}]), Value::Null),
            (
                "annotation with a slash",
                value!({"metadata": {"annotations": {"a/b": "1"}}}),
                value!([{"op": "replace", "path": "/metadata/annotations/a~1b", "value": "2"}]),
                value!({"metadata": {"annotations": {"a/b": "2"}}}),
            ),
        ]
    }

    #[test]
    fn operations_do_as_the_rfc_says() {
        for (name, document, operations, expected) in rows() {
            match json(document, &operations) {
                Ok(result) => assert_eq!(result, expected, "{name}"),
                Err(error) => {
                    assert_eq!(expected, Value::Null, "{name}: {}", error.detail);
                    assert_eq!((error.code, error.reason), (422, "Invalid"), "{name}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_patch_is_a_bad_request() {
        for operations in [value!({}), value!("x"), value!([1])] {
            assert_eq!(json(value!({}), &operations).unwrap_err().code, 400);
        }
        let many = Value::Array(vec![value!({"op": "test", "path": "/a"}); MAX_OPERATIONS + 1]);
        assert_eq!(json(value!({}), &many).unwrap_err().code, 413);
    }
}
