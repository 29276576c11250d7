//! Who owns which fields: what a manager applied, and what a change leaves behind.

use serde_json::{Map, Value as Json};

use crate::json::at;

/// Our field manager.
pub(crate) const MANAGER: &str = "sgp";

fn entries(live: &Json) -> &[Json] {
    at(live, &["metadata", "managedFields"]).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// What each manager owns, as `fieldsV1`.
pub(crate) fn field_sets(live: &Json) -> Vec<&Json> {
    entries(live).iter().filter_map(|e| e.get("fieldsV1")).collect()
}

/// The entry of a manager that wrote by server-side apply.
pub(crate) fn applied_by<'a>(live: &'a Json, manager: &str) -> Option<&'a Json> {
    entries(live)
        .iter()
        .find(|e| e["manager"] == manager && e["operation"] == "Apply" && e.get("subresource").is_none_or(|s| s == ""))?
        .get("fieldsV1")
}

/// The fields of the only manager that applied; `None` where several did, or none.
pub(crate) fn only_applied(live: &Json) -> Option<&Json> {
    let mut applied =
        entries(live).iter().filter(|e| e["operation"] == "Apply" && e.get("subresource").is_none_or(|s| s == ""));
    applied.next().filter(|_| applied.next().is_none())?.get("fieldsV1")
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
/// co-owns it; `None` when there is nothing of the kind. What nobody owns is the server's default, and what was written
/// through a subresource (the replicas of what an autoscaler scales) was handed over: both stay, and so does what others own
/// beside.
pub(crate) fn leftovers(old: &Json, new: &Json, live: &Json) -> Option<Json> {
    let direct = entries(live).iter().filter(|e| e.get("subresource").is_none_or(|s| s == ""));
    let owners: Vec<&Json> = direct.filter_map(|e| e.get("fieldsV1")).collect();
    match rest(old, new, live, &owners) {
        Rest::Changed(left) => Some(merge_patch(live, &left)),
        Rest::Same | Rest::Gone => None,
    }
}

/// What is left of a part.
enum Rest {
    Same,
    Gone,
    Changed(Json),
}

/// `owners` are the field sets at this place; an empty one owns everything below.
fn rest(old: &Json, new: &Json, live: &Json, owners: &[&Json]) -> Rest {
    match (old, live) {
        (Json::Object(old), Json::Object(now)) => rest_of_object(old, new, now, owners),
        (Json::Array(old), Json::Array(now)) => match elements(owners) {
            Some(how) => rest_of_list(&how, old, new, now, owners),
            None if new.is_null() && !owners.is_empty() => Rest::Gone,
            None => Rest::Same,
        },
        _ if new.is_null() && !owners.is_empty() => Rest::Gone,
        _ => Rest::Same,
    }
}

fn rest_of_object(old: &Map<String, Json>, new: &Json, now: &Map<String, Json>, owners: &[&Json]) -> Rest {
    let mut left = now.clone();
    let mut changed = false;
    for (name, before) in old {
        let Some(value) = now.get(name) else { continue };
        let field = format!("f:{name}");
        let below: Vec<&Json> =
            owners.iter().filter_map(|set| if is_whole(set) { Some(*set) } else { set.get(&field) }).collect();
        match rest(before, new.get(name).unwrap_or(&Json::Null), value, &below) {
            Rest::Same => continue,
            Rest::Gone => drop(left.remove(name)),
            Rest::Changed(value) => drop(left.insert(name.clone(), value)),
        }
        changed = true;
    }
    if changed { Rest::Changed(Json::Object(left)) } else { Rest::Same }
}

fn rest_of_list(how: &Elements, old: &[Json], new: &Json, now: &[Json], owners: &[&Json]) -> Rest {
    let wanted = new.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut changed = false;
    let left = now.iter().filter_map(|item| {
        let below: Vec<&Json> = owners.iter().filter_map(|set| element_set(set, item)).collect();
        let what = match (how.find(old, item), how.find(wanted, item)) {
            (Some(_), None) if !below.is_empty() => Rest::Gone,
            (Some(before), Some(wanted)) => rest(before, wanted, item, &below),
            _ => Rest::Same,
        };
        changed |= !matches!(what, Rest::Same);
        match what {
            Rest::Same => Some(item.clone()),
            Rest::Gone => None,
            Rest::Changed(item) => Some(item),
        }
    });
    let left: Vec<Json> = left.collect();
    match changed {
        false => Rest::Same,
        true if left.is_empty() && new.is_null() => Rest::Gone,
        true => Rest::Changed(left.into()),
    }
}

/// The JSON merge patch from one object to another that has less. Lists are replaced as a whole, so the patch holds for that
/// version of the object only.
fn merge_patch(live: &Json, left: &Json) -> Json {
    let mut patch = removals(live, left);
    let version = at(live, &["metadata", "resourceVersion"]);
    if let Some(version) = version.filter(|_| has_list(&patch)) {
        patch["metadata"]["resourceVersion"] = version.clone();
    }
    patch
}

fn removals(live: &Json, left: &Json) -> Json {
    let (Json::Object(now), Json::Object(fields)) = (live, left) else { return left.clone() };
    let part = now.iter().filter(|(name, v)| fields.get(*name) != Some(v)).map(|(name, v)| {
        let value = fields.get(name).map_or(Json::Null, |left| removals(v, left));
        (name.clone(), value)
    });
    Json::Object(part.collect())
}

fn has_list(patch: &Json) -> bool {
    match patch {
        Json::Array(_) => true,
        Json::Object(fields) => fields.values().any(has_list),
        _ => false,
    }
}

fn is_whole(set: &Json) -> bool {
    set.as_object().is_some_and(Map::is_empty)
}

/// How the elements of a list are owned one by one.
pub(crate) enum Elements {
    /// By their values.
    Values,
    /// By the values of these names.
    Keyed(Vec<String>),
}

impl Elements {
    /// The element that stands for the same as `item`. A key that is left out has a default.
    pub(crate) fn find<'a>(&self, list: &'a [Json], item: &Json) -> Option<&'a Json> {
        list.iter().find(|other| match self {
            Self::Values => *other == item,
            Self::Keyed(keys) => {
                keys.iter().all(|k| other.get(k).is_none_or(|v| item.get(k).is_none_or(|now| now == v)))
            }
        })
    }
}

/// How field sets own the elements of the list at their place; `None` when they own it as a whole, or not at all.
pub(crate) fn elements(sets: &[&Json]) -> Option<Elements> {
    sets.iter().filter_map(|s| s.as_object()).flat_map(Map::keys).find_map(|name| {
        if name.starts_with("v:") {
            return Some(Elements::Values);
        }
        let keys = serde_json::from_str::<Json>(name.strip_prefix("k:")?).ok()?;
        Some(Elements::Keyed(keys.as_object()?.keys().cloned().collect()))
    })
}

/// What a set owns of an element of a list.
pub(crate) fn element_set<'a>(set: &'a Json, item: &Json) -> Option<&'a Json> {
    set.as_object()?.iter().find_map(|(name, below)| {
        let parsed = |text: &str| serde_json::from_str::<Json>(text).ok();
        if let Some(value) = name.strip_prefix("v:") {
            return (parsed(value)? == *item).then_some(below);
        }
        let keys = parsed(name.strip_prefix("k:")?)?;
        keys.as_object()?.iter().all(|(k, v)| item.get(k) == Some(v)).then_some(below)
    })
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
        let owned = |subresource: &str, fields: Json| json!([{"manager": "x", "operation": "Update", "subresource": subresource, "fieldsV1": fields}]);
        let b = json!({"f:metadata": {"f:labels": {".": {}, "f:b": {}}}});
        let list = json!({"f:spec": {"f:list": {}}});
        let labels = json!({"a": "1", "b": "2", "c": "4"});
        for (labels, spec, owners, expected) in [
            (&labels, json!({"x": 1}), owned("", b.clone()), Some(json!({"metadata": {"labels": {"b": null}}}))),
            (
                &labels,
                json!({"x": 1}),
                owned("", json!({"f:metadata": {"f:labels": {}}})),
                Some(json!({"metadata": {"labels": {"b": null}}})),
            ),
            (&labels, json!({"x": 1}), owned("", list.clone()), None),
            (
                &json!({"a": "1"}),
                json!({"x": 1, "list": [1]}),
                owned("", list.clone()),
                Some(json!({"spec": {"list": null}})),
            ),
            (&json!({"a": "1"}), json!({"x": 1, "list": [1]}), owned("scale", list), None),
            (&json!({"a": "1"}), json!({"x": 1, "list": [1]}), json!([]), None),
            (&json!({"a": "1", "c": "4"}), json!({"x": 1}), owned("", b), None),
        ] {
            let live = json!({"metadata": {"labels": labels, "managedFields": owners}, "spec": spec});
            assert_eq!(leftovers(&old, &new, &live), expected, "{live}");
        }
    }

    #[test]
    fn leftovers_in_lists_go_element_by_element() {
        let containers = |list: Json| json!({"containers": list});
        let old = containers(
            json!([{"name": "c", "image": "i", "env": [{"name": "A", "value": "1"}], "ports": [{"containerPort": 80}]}, {"name": "gone"}]),
        );
        let new = containers(json!([{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]));
        let port = || json!([{"containerPort": 80, "protocol": "TCP"}]);
        let live = json!({"metadata": {"resourceVersion": "7", "managedFields": [{"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:containers": {
            "k:{\"name\":\"c\"}": {".": {}, "f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:value": {}}, "k:{\"name\":\"B\"}": {".": {}}},
                "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}}}},
            "k:{\"name\":\"gone\"}": {".": {}}}}}]},
            "containers": [
                {"name": "c", "image": "i", "pull": "Always", "env": [{"name": "A", "value": "1"}, {"name": "B"}], "ports": port()},
                {"name": "gone"}, {"name": "theirs"}]});
        assert_eq!(
            leftovers(&old, &new, &live),
            Some(json!({"metadata": {"resourceVersion": "7"}, "containers": [
                {"name": "c", "image": "i", "pull": "Always", "env": [{"name": "B"}], "ports": port()}, {"name": "theirs"}]}))
        );
        assert_eq!(leftovers(&old, &old, &live), None);
        let finalizers = |list: Json| json!({"finalizers": list});
        let mut live = finalizers(json!(["a", "b"]));
        live["metadata"] = json!({"managedFields": [{"manager": "x", "fieldsV1": {"f:finalizers": {"v:\"a\"": {}}}}]});
        assert_eq!(leftovers(&finalizers(json!(["a"])), &json!({}), &live), Some(finalizers(json!(["b"]))));
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
