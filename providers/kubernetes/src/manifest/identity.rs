//! What a manifest must say, what makes it another object, and how one is named for import.

use serde_json::json;
use sgp_model::{AttrPath, Diagnostic, PathStep, Value};

use crate::{
    attrs,
    json::{at, from_json},
};

/// Paths of what makes an object another one: its kind, group, name and namespace.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<AttrPath> {
    let path = |names: &[&str]| {
        names.iter().fold(AttrPath::attr("manifest"), |path, name| path.with(PathStep::Attr((*name).into())))
    };
    let at = |value: &Value, names: &[&str]| names.iter().try_fold(value.clone(), |v, name| v.get(name).cloned());
    let differs = |names: &[&str]| match (at(before, names), at(after, names)) {
        (Some(a), Some(b)) => a.is_known() && b.is_known() && !a.same(&b),
        (None, Some(b)) => b.is_known() && !b.is_null(),
        (Some(a), None) => !a.is_null(),
        (None, None) => false,
    };
    let group = |value: &Value| {
        let version = at(value, &["apiVersion"])?;
        Some(version.as_str()?.rsplit_once('/').map_or("", |(group, _)| group).to_owned())
    };
    let mut paths = Vec::new();
    if let (Some(a), Some(b)) = (group(before), group(after))
        && a != b
    {
        paths.push(path(&["apiVersion"]));
    }
    if !before.is_known() || before.is_null() || !after.is_known() {
        return paths;
    }
    let metadata_known = at(after, &["metadata"]).is_some_and(|m| m.is_known());
    for names in [&["kind"][..], &["metadata", "name"], &["metadata", "namespace"]] {
        // A namespace that is left out may be the one that the object is in.
        let left_out = names.last() == Some(&"namespace")
            && (at(before, names).is_none() || at(after, names).is_none_or(|v| v.is_null()))
            && [before, after]
                .iter()
                .all(|v| at(v, names).is_none_or(|n| n.is_null() || n.as_str() == Some("default")));
        if (names.len() == 1 || metadata_known) && !left_out && differs(names) {
            paths.push(path(names));
        }
    }
    paths
}

/// Mistakes that no server need be asked about. Unknown parts pass.
pub(super) fn mistakes(manifest: &Value) -> Vec<Diagnostic> {
    let root = AttrPath::attr("manifest");
    let error = |text: String, path: AttrPath| Diagnostic::error("Invalid manifest", text).attribute(path);
    if manifest.as_fields().is_none() {
        return vec![error("A manifest is an object such as `{ apiVersion = \"v1\", kind = ... }`.".into(), root)];
    }
    let mut found = Vec::new();
    for (names, hint) in [
        (&["apiVersion"][..], "such as `v1` or `apps/v1`"),
        (&["kind"], "such as `ConfigMap`"),
        (&["metadata", "name"], "the object's name"),
    ] {
        let value = names.iter().try_fold(manifest, |v, name| if v.is_known() { v.get(name) } else { Some(v) });
        if value.is_none_or(|v| v.is_known() && v.as_str().is_none_or(str::is_empty)) {
            found.push(error(format!("The manifest needs `{}`: {hint}.", names.join(".")), root.clone()));
        }
    }
    if attrs::text(manifest, "kind").is_some_and(|kind| kind.ends_with("List")) && manifest.get("items").is_some() {
        return vec![error(
            "A list is not one object: make a `kubernetes_manifest` of each of its `items`, with `for_each`.".into(),
            root,
        )];
    }
    for names in [
        &["status"][..],
        &["metadata", "uid"],
        &["metadata", "resourceVersion"],
        &["metadata", "generation"],
        &["metadata", "creationTimestamp"],
        &["metadata", "managedFields"],
    ] {
        let value = names.iter().try_fold(manifest, |v, name| v.get(name));
        if value.is_some_and(|v| !v.is_null()) {
            let path = names.iter().fold(root.clone(), |p, name| p.with(PathStep::Attr((*name).into())));
            found.push(error(
                format!("`{}` is not for a manifest: the server writes it. Leave it out.", names.join(".")),
                path,
            ));
        }
    }
    if manifest.get("metadata").and_then(|m| m.get("generateName")).is_some_and(|v| !v.is_null()) {
        let path = root.with(PathStep::Attr("metadata".into())).with(PathStep::Attr("generateName".into()));
        found.push(error("Server-side apply needs the whole name: use `metadata.name`.".into(), path));
    }
    found
}

/// `apiVersion=v1,kind=ConfigMap,namespace=app,name=settings`.
pub(super) fn parse_id(id: &str) -> Result<Value, Diagnostic> {
    let wrong = || {
        Diagnostic::error(
            "Invalid import id",
            format!(
                "{id:?} does not name an object: give `apiVersion=v1,kind=ConfigMap,namespace=app,name=settings` (without \
                 namespace for an object that has none)."
            ),
        )
    };
    let mut object = json!({"metadata": {}});
    for pair in id.split(',') {
        let (name, value) = pair.split_once('=').filter(|(_, v)| !v.is_empty()).ok_or_else(wrong)?;
        match name.trim() {
            "apiVersion" | "kind" => object[name.trim()] = value.trim().into(),
            "name" | "namespace" => object["metadata"][name.trim()] = value.trim().into(),
            _ => return Err(wrong()),
        }
    }
    let complete =
        [&["apiVersion"][..], &["kind"], &["metadata", "name"]].iter().all(|path| at(&object, path).is_some());
    if complete { Ok(from_json(&object)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::Value as Json;
    use sgp_model::Type;

    use super::*;
    use crate::json::to_json;

    fn manifest(api_version: &str, kind: &str, metadata: &Json) -> Value {
        from_json(&json!({"apiVersion": api_version, "kind": kind, "metadata": metadata}))
    }

    #[test]
    fn identity_decides_about_replacement() {
        let base = || manifest("apps/v1", "Deployment", &json!({"name": "a", "namespace": "default"}));
        for (after, expected) in [
            (manifest("apps/v1", "Deployment", &json!({"name": "a", "namespace": "default", "labels": {}})), &[][..]),
            (manifest("apps/v2", "Deployment", &json!({"name": "a", "namespace": "default"})), &[]),
            (manifest("apps/v1", "Deployment", &json!({"name": "a"})), &[]),
            (
                manifest("extensions/v1", "Deployment", &json!({"name": "a", "namespace": "default"})),
                &["manifest.apiVersion"],
            ),
            (
                manifest("apps/v1", "DaemonSet", &json!({"name": "b", "namespace": "x"})),
                &["manifest.kind", "manifest.metadata.name", "manifest.metadata.namespace"],
            ),
            (Value::unknown(Type::Dynamic), &[]),
        ] {
            let paths: Vec<String> = changes(&base(), &after).iter().map(ToString::to_string).collect();
            assert_eq!(paths, expected);
        }
    }

    #[test]
    fn manifests_are_checked_before_any_call() {
        let found = mistakes(&from_json(&json!({"kind": "A", "metadata": {"uid": "u"}, "status": {}})));
        insta::assert_snapshot!(found.iter().map(|d| d.detail.clone()).collect::<Vec<_>>().join("\n"), @r"
        The manifest needs `apiVersion`: such as `v1` or `apps/v1`.
        The manifest needs `metadata.name`: the object's name.
        `status` is not for a manifest: the server writes it. Leave it out.
        `metadata.uid` is not for a manifest: the server writes it. Leave it out.
        ");
        assert!(mistakes(&manifest("v1", "A", &json!({"name": "a"}))).is_empty());
        let list = mistakes(&from_json(&json!({"apiVersion": "v1", "kind": "List", "items": []})));
        assert_eq!((list.len(), list[0].detail.contains("for_each")), (1, true));
        let open = Value::object([
            ("apiVersion", "v1".into()),
            ("kind", "A".into()),
            ("metadata", Value::unknown(Type::Dynamic)),
        ]);
        assert!(mistakes(&open).is_empty());
        assert_eq!(mistakes(&Value::from("x")).len(), 1);
    }

    #[test]
    fn import_ids() {
        let value = parse_id("apiVersion=v1,kind=ConfigMap,namespace=app,name=a").unwrap();
        assert_eq!(
            to_json(&value),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "app"}})
        );
        for id in ["", "app/a", "apiVersion=v1,kind=ConfigMap", "apiVersion=v1,kind=,name=a", "x=y"] {
            assert!(parse_id(id).is_err(), "{id}");
        }
    }
}
