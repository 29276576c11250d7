//! JSON Merge Patch (RFC 7386).

use serde_json::{Map, Value};

use super::PatchError;

/// Merges `patch` into `document`: objects member by member, null removes, everything else replaces.
///
/// # Errors
/// 400 when the patch is not an object: a Kubernetes object cannot become anything else.
pub fn merge(mut document: Value, patch: &Value) -> Result<Value, PatchError> {
    if !patch.is_object() {
        let kind = super::json::kind(patch);
        return Err(PatchError::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        )));
    }
    merge_into(&mut document, patch);
    Ok(document)
}

fn merge_into(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge_into(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The cases of RFC 7386, appendix A, each one level down, because a patch here is an object.
    #[test]
    fn cases_of_the_rfc() {
        let rows = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (target, patch, expected) in rows {
            let result = merge(json!({ "x": target }), &json!({ "x": patch })).unwrap();
            assert_eq!(result, json!({ "x": expected }), "{patch}");
        }
    }

    #[test]
    fn the_whole_object_stays_an_object() {
        for patch in [json!(null), json!([]), json!("x")] {
            assert_eq!(merge(json!({"a": 1}), &patch).unwrap_err().code, 400, "{patch}");
        }
    }
}
