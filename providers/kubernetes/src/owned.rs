//! Who owns which fields: what a manager applied, and what a change leaves behind.

use serde_json::{Map, Value as Json};

use crate::json::at;

/// Our field manager.
pub(crate) const MANAGER: &str = "sgp";

/// The entry of a manager that wrote by server-side apply.
pub(crate) fn applied_by<'a>(live: &'a Json, manager: &str) -> Option<&'a Json> {
    let entries = at(live, &["metadata", "managedFields"])?.as_array()?;
    entries
        .iter()
        .find(|e| e["manager"] == manager && e["operation"] == "Apply" && e.get("subresource").is_none_or(|s| s == ""))?
        .get("fieldsV1")
}

/// The part of `live` that a `fieldsV1` set names, as it was applied; `None` where nothing of it is there any more.
///
/// `f:` names a field, `k:` an element of a list by its keys, `v:` an element of a set; an empty set means the whole.
pub(crate) fn extract(live: &Json, fields: &Json) -> Option<Json> {
    let names: Vec<(&str, &Json)> =
        fields.as_object()?.iter().map(|(k, v)| (k.as_str(), v)).filter(|(k, _)| *k != ".").collect();
    if names.is_empty() {
        return Some(live.clone());
    }
    match live {
        Json::Object(object) => {
            let part: Map<String, Json> = names
                .iter()
                .filter_map(|(k, sub)| {
                    let name = k.strip_prefix("f:")?;
                    Some((name.to_owned(), extract(object.get(name)?, sub)?))
                })
                .collect();
            Some(Json::Object(part))
        }
        Json::Array(items) => Some(items.iter().filter_map(|item| extract_element(item, &names)).collect()),
        _ => None,
    }
}

fn extract_element(item: &Json, names: &[(&str, &Json)]) -> Option<Json> {
    names.iter().find_map(|(k, sub)| {
        let parsed = |text: &str| serde_json::from_str::<Json>(text).ok();
        if let Some(value) = k.strip_prefix("v:") {
            return (parsed(value)? == *item).then(|| item.clone());
        }
        let keys = parsed(k.strip_prefix("k:")?)?;
        let keys = keys.as_object()?;
        if !keys.iter().all(|(name, value)| item.get(name) == Some(value)) {
            return None;
        }
        let mut part = extract(item, sub)?;
        keys.iter().for_each(|(name, value)| part[name.as_str()] = value.clone());
        Some(part)
    })
}

/// A JSON merge patch that takes away what `old` said, `new` does not say, and `live` still has because another manager
/// co-owns it; `None` when there is nothing of the kind. Lists are not looked into: they are replaced or merged by the
/// apply itself.
pub(crate) fn leftovers(old: &Json, new: &Json, live: &Json) -> Option<Json> {
    let (Json::Object(old), Json::Object(live)) = (old, live) else { return None };
    let none = Json::Null;
    let mut patch = Map::new();
    for (name, before) in old {
        let Some(now) = live.get(name) else { continue };
        let wanted = new.get(name).unwrap_or(&none);
        if wanted.is_null() && !before.is_object() {
            patch.insert(name.clone(), Json::Null);
        } else if let Some(inner) = leftovers(before, wanted, now) {
            patch.insert(name.clone(), inner);
        }
    }
    (!patch.is_empty()).then_some(Json::Object(patch))
}

/// Whether a field of a conflict (`.spec.template.spec.containers[name="a"].image`) is part of `body`.
///
/// Names of fields may hold dots themselves, so the text is walked along the body and not split beforehand.
pub(crate) fn holds(body: &Json, field: &str) -> bool {
    if field.is_empty() {
        return true;
    }
    if let Some(rest) = field.strip_prefix('.') {
        let Some(object) = body.as_object() else { return false };
        return object.iter().any(|(name, inner)| {
            rest.strip_prefix(name.as_str())
                .is_some_and(|rest| (rest.is_empty() || rest.starts_with(['.', '['])) && holds(inner, rest))
        });
    }
    let Some((step, rest)) = field.strip_prefix('[').and_then(split_bracket) else { return false };
    let Some(items) = body.as_array() else { return false };
    if let Ok(index) = step.parse::<usize>() {
        return items.get(index).is_some_and(|item| holds(item, rest));
    }
    if let Some(value) = step.strip_prefix('=') {
        return items.iter().any(|item| is_json(item, value));
    }
    items.iter().any(|item| matches_keys(item, step) && holds(item, rest))
}

/// The text up to the bracket that closes, outside of quotes, and what follows.
fn split_bracket(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.char_indices().find_map(|(i, c)| {
        quoted ^= c == '"';
        (c == ']' && !quoted).then_some(i)
    })?;
    Some((&text[..end], &text[end + 1..]))
}

/// `name="a",port=80`: an element whose keys have these values. A key that is left out in the body has its default.
fn matches_keys(item: &Json, keys: &str) -> bool {
    keys.split(',')
        .all(|pair| pair.split_once('=').is_some_and(|(name, value)| item.get(name).is_none_or(|v| is_json(v, value))))
}

fn is_json(value: &Json, text: &str) -> bool {
    serde_json::from_str::<Json>(text).is_ok_and(|parsed| parsed == *value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_applied_comes_back_as_it_was() {
        let live = json!({
            "metadata": {"name": "a", "labels": {"ours": "1", "theirs": "2"}, "uid": "u", "managedFields": [
                {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {"f:theirs": {}}}}},
                {"manager": "sgp", "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}},
                {"manager": "sgp", "operation": "Apply", "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:ours": {}}, "f:finalizers": {"v:\"x/y\"": {}}},
                    "f:spec": {"f:atomic": {}, "f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}}}},
                }},
            ], "finalizers": ["other", "x/y"]},
            "spec": {"atomic": [1, {"a": null}], "defaulted": true,
                     "containers": [{"name": "b", "image": "z"}, {"name": "c", "image": "i", "port": 1}]},
        });
        assert_eq!(
            extract(&live, applied_by(&live, "sgp").unwrap()).unwrap(),
            json!({
                "metadata": {"labels": {"ours": "1"}, "finalizers": ["x/y"]},
                "spec": {"atomic": [1, {"a": null}], "containers": [{"name": "c", "image": "i"}]},
            })
        );
        assert!(applied_by(&live, "argocd").is_none());
    }

    #[test]
    fn leftovers_are_what_only_others_keep_alive() {
        let old = json!({"metadata": {"labels": {"a": "1", "b": "2", "gone": "3"}}, "spec": {"x": 1, "list": [1]}});
        let new = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"x": 1}});
        for (live, expected) in [
            (
                json!({"metadata": {"labels": {"a": "1", "b": "2", "c": "4"}}, "spec": {"x": 1}}),
                Some(json!({"metadata": {"labels": {"b": null}}})),
            ),
            (
                json!({"metadata": {"labels": {"a": "1"}}, "spec": {"x": 1, "list": [1]}}),
                Some(json!({"spec": {"list": null}})),
            ),
            (json!({"metadata": {"labels": {"a": "1", "c": "4"}}, "spec": {"x": 1}}), None),
        ] {
            assert_eq!(leftovers(&old, &new, &live), expected);
        }
    }

    #[test]
    fn fields_of_conflicts_are_found_in_bodies() {
        let body = json!({"metadata": {"labels": {"app.kubernetes.io/name": "a"}, "finalizers": ["x/y"]},
            "spec": {"containers": [{"name": "a]b", "image": "i"}, {"name": "c"}], "list": [{"v": 1}]}});
        for (field, expected) in [
            (".metadata.labels.app.kubernetes.io/name", true),
            (".metadata.labels.app", false),
            (".metadata.labels", true),
            (r#".spec.containers[name="a]b"].image"#, true),
            (r#".spec.containers[name="c"].image"#, false),
            (".spec.list[0].v", true),
            (".spec.list[1].v", false),
            (r#".metadata.finalizers[="x/y"]"#, true),
            (".status", false),
        ] {
            assert_eq!(holds(&body, field), expected, "{field}");
        }
    }
}
