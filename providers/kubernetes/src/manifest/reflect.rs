//! What an object as it is means for the manifest that made it: drift in its own fields, and nothing else.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value as Json, json};

use crate::{
    json::{at, without_nulls},
    owned::{self, Elements},
};

/// Names by which elements of a list are told apart where nobody's ownership tells, as Kubernetes' own merge keys.
const KEYS: [&str; 10] =
    ["name", "key", "type", "ip", "mountPath", "devicePath", "containerPort", "port", "uid", "topologyKey"];

/// The manifest as it holds now: where `live` differs from `before` (the object after the last apply), the live value; else
/// what the manifest says. So the server's own spelling (quantities, defaults) and fields that it never keeps
/// (`stringData`) are no drift. Paths in `computed` keep what the manifest says. Which lists are owned whole and which by
/// element, `live` tells by its field managers.
pub(crate) fn reflect(manifest: &Json, before: &Json, live: &Json, computed: &[String]) -> Json {
    let sets = owned::field_sets(live);
    let place = Place { path: String::new(), sets: &sets, inside: false };
    let computed: Vec<String> = computed.iter().map(|path| spelled(path)).collect();
    let (before, live) = (with_string_data(manifest, before), with_string_data(manifest, live));
    walk(manifest, Some(&before), Some(&live), &place, &computed).unwrap_or(Json::Null)
}

/// A path as the walk spells it: names in brackets after a dot, elements of lists without their number.
fn spelled(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, inner)) = rest.split_once('[') {
        text.push_str(before);
        let (step, after) = match inner.strip_prefix('"').and_then(|quoted| quoted.split_once("\"]")) {
            Some((name, after)) => (format!(".{name}"), after),
            None => ("[]".to_owned(), inner.split_once(']').map_or("", |(_, after)| after)),
        };
        text.push_str(&step);
        rest = after;
    }
    text.push_str(rest);
    text
}

/// A `Secret` keeps as `data` what its manifest says in `stringData`: shows it where it was said.
fn with_string_data(manifest: &Json, object: &Json) -> Json {
    let mut shown = object.clone();
    let said = manifest.get("stringData").and_then(Json::as_object).filter(|_| manifest["kind"] == "Secret");
    if let (Some(said), Some(data)) = (said, object.get("data").and_then(Json::as_object)) {
        let text = |name: &String| {
            let encoded = data.get(name)?.as_str()?;
            let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some((name.clone(), decoded.unwrap_or_else(|| encoded.to_owned()).into()))
        };
        shown["stringData"] = Json::Object(said.keys().filter_map(text).collect());
    }
    shown
}

/// Where the walk is: the path, and what the managers of the object own there.
struct Place<'a> {
    path: String,
    sets: &'a [&'a Json],
    /// Whether this is inside of something that is owned whole.
    inside: bool,
}

impl Place<'_> {
    /// Whether everybody owns what is here as one value, such as a selector: what others add to it is a change of ours.
    fn is_owned_whole(&self) -> bool {
        let named = !self.path.is_empty() && !self.sets.is_empty();
        self.inside || (named && self.sets.iter().all(|set| set.as_object().is_some_and(Map::is_empty)))
    }
}

/// `None` when the part is gone.
fn walk(
    manifest: &Json,
    before: Option<&Json>,
    live: Option<&Json>,
    place: &Place<'_>,
    computed: &[String],
) -> Option<Json> {
    let Some(before) = before.filter(|_| !manifest.is_null() && !is_computed(&place.path, computed)) else {
        return Some(manifest.clone());
    };
    let live = live?;
    match (manifest, before, live) {
        (Json::Object(fields), Json::Object(old), Json::Object(now)) => {
            let mut part: Map<String, Json> = fields
                .iter()
                .filter_map(|(name, m)| {
                    let path = if place.path.is_empty() { name.clone() } else { format!("{}.{name}", place.path) };
                    let sets: Vec<&Json> = place.sets.iter().filter_map(|s| s.get(format!("f:{name}"))).collect();
                    let below = Place { path, sets: &sets, inside: place.is_owned_whole() };
                    Some((name.clone(), walk(m, old.get(name), now.get(name), &below, computed)?))
                })
                .collect();
            if place.is_owned_whole() {
                let added = now.iter().filter(|(name, v)| !fields.contains_key(*name) && old.get(*name) != Some(v));
                part.extend(added.map(|(name, v)| (name.clone(), v.clone())));
            }
            Some(Json::Object(part))
        }
        (Json::Array(items), Json::Array(old), Json::Array(now)) => Some(elements(items, old, now, place, computed)),
        _ if before == live => Some(manifest.clone()),
        _ => Some(live.clone()),
    }
}

fn elements(manifest: &[Json], before: &[Json], live: &[Json], place: &Place<'_>, computed: &[String]) -> Json {
    if before == live {
        return manifest.into();
    }
    match ListKind::of(place, manifest) {
        ListKind::Whole => whole(manifest, before, live, place, computed),
        // Values that others add are theirs.
        ListKind::Set => manifest.iter().filter(|m| live.contains(m)).cloned().collect(),
        ListKind::Keyed(keys) => keyed(manifest, before, live, &keys, place, computed),
    }
}

/// How a list is owned.
enum ListKind {
    /// As a whole: any change is one of ours.
    Whole,
    /// Value by value.
    Set,
    /// Element by element, told apart by the values of these names.
    Keyed(Vec<String>),
}

impl ListKind {
    fn of(place: &Place<'_>, manifest: &[Json]) -> Self {
        if place.is_owned_whole() {
            return Self::Whole;
        }
        match owned::elements(place.sets) {
            Some(Elements::Values) => Self::Set,
            Some(Elements::Keyed(keys)) => Self::Keyed(keys),
            None => key_of(manifest)
                .filter(|_| place.sets.is_empty())
                .map_or(Self::Whole, |key| Self::Keyed(vec![key.to_owned()])),
        }
    }
}

fn whole(manifest: &[Json], before: &[Json], live: &[Json], place: &Place<'_>, computed: &[String]) -> Json {
    if manifest.len() != before.len() {
        return live.into();
    }
    let inside = Place { path: format!("{}[]", place.path), sets: &[], inside: place.is_owned_whole() };
    if before.len() == live.len() {
        let each = manifest.iter().zip(before).zip(live);
        return each.filter_map(|((m, b), l)| walk(m, Some(b), Some(l), &inside, computed)).collect();
    }
    // What is still there keeps its spelling.
    let said = |l: &Json| before.iter().position(|b| b == l).map_or_else(|| l.clone(), |i| manifest[i].clone());
    live.iter().map(said).collect()
}

/// Elements that others add are theirs.
fn keyed(
    manifest: &[Json],
    before: &[Json],
    live: &[Json],
    keys: &[String],
    place: &Place<'_>,
    computed: &[String],
) -> Json {
    let mut taken: Vec<usize> = Vec::new();
    let part = manifest.iter().filter_map(|m| {
        // A key that the manifest leaves out has a default.
        let is_it = |b: &Json| keys.iter().all(|k| m.get(k).is_none_or(|v| b.get(k) == Some(v)));
        let i = before.iter().enumerate().position(|(i, b)| !taken.contains(&i) && is_it(b));
        let old = i.map(|i| {
            taken.push(i);
            &before[i]
        });
        let identity = old.unwrap_or(m);
        let now = live.iter().find(|l| keys.iter().all(|k| l.get(k) == identity.get(k)));
        let sets: Vec<&Json> = place.sets.iter().filter_map(|set| owned::element_set(set, identity)).collect();
        walk(m, old, now, &Place { path: format!("{}[]", place.path), sets: &sets, inside: false }, computed)
    });
    part.collect()
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

/// Where `kubectl apply` keeps what it was given.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The manifest of an object that nobody wrote a manifest for yet: what our manager applied; else what somebody else applied, as
/// far as that is on record; else all that a person may say.
pub(crate) fn adopt(live: &Json, manager: &str) -> Json {
    let part_of = |fields: &Json| owned::extract(live, fields).filter(Json::is_object);
    let ours = owned::applied_by(live, manager).and_then(part_of);
    let last_applied = || {
        let text = at(live, &["metadata", "annotations", LAST_APPLIED])?.as_str()?;
        let said = serde_json::from_str::<Json>(text).ok().filter(Json::is_object)?;
        Some(now_of(without_nulls(said), live))
    };
    let theirs = || owned::only_applied(live).and_then(part_of);
    let mut manifest = ours.or_else(last_applied).or_else(theirs).unwrap_or_else(|| cleaned(live));
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

/// What is said, with the values that it has now; what is not there any more goes.
fn now_of(said: Json, live: &Json) -> Json {
    match (said, live) {
        (Json::Object(fields), Json::Object(now)) => {
            let part = fields.into_iter().filter_map(|(name, s)| Some((name.clone(), now_of(s, now.get(&name)?))));
            // `kubectl apply` writes maps of nothing.
            Json::Object(part.filter(|(name, v)| name != "annotations" || *v != json!({})).collect())
        }
        (Json::Array(items), Json::Array(now)) if items.len() == now.len() => {
            items.into_iter().zip(now).map(|(s, l)| now_of(s, l)).collect()
        }
        (_, live) => live.clone(),
    }
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
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Json::as_object_mut) {
            annotations.remove(LAST_APPLIED);
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
    fn paths_are_spelled_alike() {
        for (path, expected) in [
            ("metadata.labels", "metadata.labels"),
            (r#"metadata.annotations["example.com/a"]"#, "metadata.annotations.example.com/a"),
            ("spec.containers[0].image", "spec.containers[].image"),
            ("spec.ports[*]", "spec.ports[]"),
        ] {
            assert_eq!(spelled(path), expected);
        }
        let said = json!({"metadata": {"annotations": {"example.com/a": "1", "b": "1"}}});
        let live = json!({"metadata": {"annotations": {"example.com/a": "2", "b": "2"}}});
        let now = reflect(&said, &said, &live, &[r#"metadata.annotations["example.com/a"]"#.to_owned()]);
        assert_eq!(now, json!({"metadata": {"annotations": {"example.com/a": "1", "b": "2"}}}));
    }

    #[test]
    fn string_data_is_seen_through_data() {
        let said = json!({"kind": "Secret", "stringData": {"p": "q", "r": "s"}});
        let before = json!({"kind": "Secret", "data": {"p": "cQ==", "r": "cw=="}});
        for (data, expected) in [
            (json!({"p": "cQ==", "r": "cw==", "theirs": "eA=="}), json!({"p": "q", "r": "s"})),
            (json!({"p": "eA==", "r": "cw=="}), json!({"p": "x", "r": "s"})),
            (json!({"r": "/w=="}), json!({"r": "/w=="})),
        ] {
            let now = reflect(&said, &before, &json!({"kind": "Secret", "data": data}), &[]);
            assert_eq!(now["stringData"], expected);
        }
    }

    #[test]
    fn managers_tell_how_lists_are_owned() {
        let ports = |list: Json| json!({"ports": list});
        let said = ports(json!([{"port": 53}, {"port": 53, "protocol": "UDP"}]));
        let tcp = || json!({"port": 53, "protocol": "TCP"});
        let udp = || json!({"port": 53, "protocol": "UDP"});
        let by_port = json!({"f:ports": {"k:{\"port\":53,\"protocol\":\"TCP\"}": {".": {}}}});
        let values = |list: Json| json!({"finalizers": list});
        let by_value = json!({"f:finalizers": {"v:\"a\"": {}}});
        let subjects = |list: Json| json!({"subjects": list});
        let whole = json!({"f:subjects": {}});
        for (said, before, live, fields, expected) in [
            (
                said.clone(),
                ports(json!([tcp(), udp()])),
                ports(json!([{"port": 80, "protocol": "TCP"}, udp(), tcp()])),
                by_port.clone(),
                said.clone(),
            ),
            (
                said,
                ports(json!([tcp(), udp()])),
                ports(json!([udp()])),
                by_port,
                ports(json!([{"port": 53, "protocol": "UDP"}])),
            ),
            (
                values(json!(["a"])),
                values(json!(["a"])),
                values(json!(["b", "a"])),
                by_value.clone(),
                values(json!(["a"])),
            ),
            (values(json!(["a"])), values(json!(["a"])), values(json!(["b"])), by_value, values(json!([]))),
            (
                json!({"selector": {"app": "a"}}),
                json!({"selector": {"app": "a"}}),
                json!({"selector": {"app": "a", "extra": "b"}}),
                json!({"f:selector": {}}),
                json!({"selector": {"app": "a", "extra": "b"}}),
            ),
            (
                json!({"podSelector": {"matchLabels": {"app": "a"}}}),
                json!({"podSelector": {"matchLabels": {"app": "a"}}}),
                json!({"podSelector": {"matchLabels": {"app": "a", "extra": "b"}}}),
                json!({"f:podSelector": {}}),
                json!({"podSelector": {"matchLabels": {"app": "a", "extra": "b"}}}),
            ),
            (
                json!({"emptyDir": {}}),
                json!({"emptyDir": {}}),
                json!({"emptyDir": {"medium": "Memory"}}),
                json!({"f:emptyDir": {"f:medium": {}}}),
                json!({"emptyDir": {}}),
            ),
            // Somebody who gives himself a role is seen.
            (
                subjects(json!([{"name": "us"}])),
                subjects(json!([{"name": "us", "apiGroup": "x"}])),
                subjects(json!([{"name": "us", "apiGroup": "x"}, {"name": "intruder"}])),
                whole,
                subjects(json!([{"name": "us"}, {"name": "intruder"}])),
            ),
        ] {
            let mut live = live;
            live["metadata"] = json!({"managedFields": [{"manager": "x", "fieldsV1": fields}]});
            assert_eq!(reflect(&said, &before, &live, &[]), expected, "{live}");
        }
    }

    #[test]
    fn an_adopted_object_gives_the_manifest_that_was_applied() {
        let live = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "theirs": "2"}, "metadata": {
            "name": "c", "namespace": "n", "uid": "u", "resourceVersion": "1", "managedFields": [
                {"manager": "sgp", "operation": "Apply", "fieldsV1": {"f:data": {"f:a": {}}}}]}});
        let ours = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}, "metadata": {"name": "c", "namespace": "n"}});
        assert_eq!(adopt(&live, "sgp"), ours);
        let all = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "theirs": "2"}, "metadata": {"name": "c", "namespace": "n"}});
        assert_eq!(adopt(&live, "other"), ours, "what another one applied, such as Terraform");
        let mut created = live.clone();
        created["metadata"]["managedFields"][0]["operation"] = "Update".into();
        assert_eq!(adopt(&created, "sgp"), all);
        created["metadata"]["annotations"] = json!({LAST_APPLIED: r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{},"name":"c","namespace":"n"},"data":{"a":"0","gone":"x"}}"#});
        assert_eq!(adopt(&created, "sgp"), ours, "with the values of now");
    }
}
