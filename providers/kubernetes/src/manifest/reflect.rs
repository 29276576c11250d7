//! What an object as it is means for the manifest that made it: drift in its own fields, and nothing else.

use serde_json::{Map, Value as Json, json};

use crate::{json::at, owned};

/// Names by which elements of a list are told apart, as Kubernetes' own merge keys.
const KEYS: [&str; 10] =
    ["name", "key", "type", "ip", "mountPath", "devicePath", "containerPort", "port", "uid", "topologyKey"];

/// The manifest as it holds now: where `live` differs from `before` (the object after the last apply), the live value; else
/// what the manifest says. So the server's own spelling (quantities, defaults) and fields that it never keeps
/// (`stringData`) are no drift. Paths in `computed` keep what the manifest says. `None` when the part is gone.
pub(crate) fn reflect(manifest: &Json, before: &Json, live: &Json, computed: &[String]) -> Json {
    walk(manifest, Some(before), Some(live), "", computed).unwrap_or(Json::Null)
}

fn walk(manifest: &Json, before: Option<&Json>, live: Option<&Json>, path: &str, computed: &[String]) -> Option<Json> {
    let Some(before) = before.filter(|_| !manifest.is_null() && !is_computed(path, computed)) else {
        return Some(manifest.clone());
    };
    let live = live?;
    match (manifest, before, live) {
        (Json::Object(fields), Json::Object(old), Json::Object(now)) => {
            let part: Map<String, Json> = fields
                .iter()
                .filter_map(|(name, m)| {
                    let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    Some((name.clone(), walk(m, old.get(name), now.get(name), &below, computed)?))
                })
                .collect();
            Some(Json::Object(part))
        }
        (Json::Array(items), Json::Array(old), Json::Array(now)) => Some(elements(items, old, now, path, computed)),
        _ if before == live => Some(manifest.clone()),
        _ => Some(live.clone()),
    }
}

fn elements(manifest: &[Json], before: &[Json], live: &[Json], path: &str, computed: &[String]) -> Json {
    if before == live {
        return manifest.into();
    }
    if let Some(key) = key_of(manifest) {
        let same = |list: &'_ [Json], item: &Json| list.iter().find(|other| other.get(key) == item.get(key)).cloned();
        let part = manifest
            .iter()
            .filter_map(|m| walk(m, same(before, m).as_ref(), same(live, m).as_ref(), &format!("{path}[]"), computed));
        return part.collect();
    }
    if manifest.len() != before.len() || before.len() != live.len() {
        return live.into();
    }
    let each = manifest.iter().zip(before).zip(live);
    each.filter_map(|((m, b), l)| walk(m, Some(b), Some(l), &format!("{path}[]"), computed)).collect()
}

/// The name whose values tell all elements apart.
fn key_of(items: &[Json]) -> Option<&'static str> {
    KEYS.into_iter().find(|key| {
        let values: Vec<Option<&Json>> = items.iter().map(|item| item.get(key)).collect();
        values.iter().enumerate().all(|(i, v)| v.is_some() && !values[..i].contains(v))
    })
}

fn is_computed(path: &str, computed: &[String]) -> bool {
    computed.iter().any(|c| path == c || path.strip_prefix(c.as_str()).is_some_and(|rest| rest.starts_with(['.', '['])))
}

/// The manifest of an object that nobody wrote a manifest for yet: what our manager applied, or all that a person may say.
pub(crate) fn adopt(live: &Json, manager: &str) -> Json {
    let mut manifest = match owned::applied_by(live, manager).and_then(|fields| owned::extract(live, fields)) {
        Some(part) if part.is_object() => part,
        _ => cleaned(live),
    };
    for name in ["apiVersion", "kind"] {
        manifest[name] = live[name].clone();
    }
    for name in ["name", "namespace"] {
        if let Some(value) = at(live, &["metadata", name]) {
            manifest["metadata"][name] = value.clone();
        }
    }
    manifest
}

/// An object without what only the server writes.
fn cleaned(live: &Json) -> Json {
    let mut object = live.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Json::as_object_mut) {
        for name in [
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "deletionTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        ] {
            metadata.remove(name);
        }
    }
    object
}

/// An object for the attribute `object`: everything but the book-keeping of field managers.
pub(crate) fn without_managed_fields(live: &Json) -> Json {
    let mut object = live.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Json::as_object_mut) {
        metadata.remove("managedFields");
    }
    if object.is_object() { object } else { json!({}) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_our_own_fields_are_drift() {
        let manifest = json!({
            "metadata": {"name": "a", "labels": {"x": "1"}}, "stringData": {"p": "q"},
            "spec": {"cpu": "1000m", "replicas": 1, "list": ["a", "b"], "containers": [{"name": "c", "image": "i"}], "null": null},
        });
        let before = json!({
            "metadata": {"name": "a", "labels": {"x": "1"}, "uid": "u"}, "data": {"p": "cQ=="},
            "spec": {"cpu": "1", "replicas": 1, "list": ["a", "b"], "containers": [{"name": "c", "image": "i", "pull": "Always"}]},
        });
        let edit = |path: &[&str], value: Json| {
            let mut live = before.clone();
            let mut place = &mut live;
            for step in path {
                place = match step.parse::<usize>() {
                    Ok(i) => &mut place[i],
                    Err(_) => &mut place[*step],
                };
            }
            *place = value;
            reflect(&manifest, &before, &live, &["metadata.labels".to_owned()])
        };
        let changed = |path: &[&str], value: Json| {
            let mut m = manifest.clone();
            let place = path.iter().fold(&mut m, |m, step| match step.parse::<usize>() {
                Ok(i) => &mut m[i],
                Err(_) => &mut m[*step],
            });
            *place = value;
            m
        };
        for (path, value) in [
            (&["status"][..], json!({"phase": "x"})),
            (&["metadata", "uid"], json!("other")),
            (&["metadata", "labels", "x"], json!("2")),
            (&["spec", "containers"], json!([{"name": "sidecar"}, {"name": "c", "image": "i", "pull": "Never"}])),
            (&["data", "p"], json!("other")),
        ] {
            assert_eq!(edit(path, value), manifest, "{path:?} is not ours");
        }
        for (path, value) in [
            (&["spec", "replicas"][..], json!(2)),
            (&["spec", "cpu"], json!("2")),
            (&["spec", "list"], json!(["a"])),
            (&["spec", "containers", "0", "image"], json!("j")),
        ] {
            assert_eq!(edit(path, value.clone()), changed(path, value), "{path:?} is ours");
        }
        assert_eq!(edit(&["spec", "containers"], json!([])), changed(&["spec", "containers"], json!([])));
    }

    #[test]
    fn an_adopted_object_gives_the_manifest_that_was_applied() {
        let live = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "theirs": "2"}, "metadata": {
            "name": "c", "namespace": "n", "uid": "u", "resourceVersion": "1", "managedFields": [
                {"manager": "sgp", "operation": "Apply", "fieldsV1": {"f:data": {"f:a": {}}}}]}});
        let ours = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}, "metadata": {"name": "c", "namespace": "n"}});
        assert_eq!(adopt(&live, "sgp"), ours);
        let all = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "theirs": "2"}, "metadata": {"name": "c", "namespace": "n"}});
        assert_eq!(adopt(&live, "other"), all);
    }
}
