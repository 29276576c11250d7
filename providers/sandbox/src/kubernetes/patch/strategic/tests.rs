use serde_json::json;

use super::*;
use crate::kubernetes::schema::catalog;

/// Patches the spec of a pod.
fn pod(spec: Value, patch: Value) -> Result<Value, PatchError> {
    let schema = catalog::schema("", "v1", "Pod").unwrap();
    strategic(json!({ "spec": spec }), &json!({ "spec": patch }), &schema).map(|mut pod| pod["spec"].take())
}

/// Rows of name, pod spec, patch, result; a number stands for a refusal with that code.
fn rows() -> Vec<(&'static str, Value, Value, Value)> {
    let c = |names: &[&str]| Value::Array(names.iter().map(|name| json!({ "name": name })).collect());
    vec![
        ("scalar", json!({"a": 1, "nodeName": "x"}), json!({"nodeName": "y"}), json!({"a": 1, "nodeName": "y"})),
        ("null removes", json!({"nodeName": "x"}), json!({"nodeName": null}), json!({})),
        ("null of nothing", json!({}), json!({"nodeName": null}), json!({})),
        (
            "map merges",
            json!({"nodeSelector": {"a": "1"}}),
            json!({"nodeSelector": {"b": "2"}}),
            json!({"nodeSelector": {"a": "1", "b": "2"}}),
        ),
        (
            "map member removed",
            json!({"nodeSelector": {"a": "1", "b": "2"}}),
            json!({"nodeSelector": {"a": null}}),
            json!({"nodeSelector": {"b": "2"}}),
        ),
        (
            "map replaced",
            json!({"nodeSelector": {"a": "1"}}),
            json!({"nodeSelector": {"$patch": "replace", "b": "2"}}),
            json!({"nodeSelector": {"b": "2"}}),
        ),
        (
            "map emptied",
            json!({"nodeSelector": {"a": "1"}}),
            json!({"nodeSelector": {"$patch": "delete"}}),
            json!({"nodeSelector": {}}),
        ),
        (
            "unknown directive",
            json!({"nodeSelector": {"a": "1"}}),
            json!({"nodeSelector": {"$patch": "x"}}),
            json!(500),
        ),
        (
            "map directive may not be merge",
            json!({"nodeSelector": {"a": "1"}}),
            json!({"nodeSelector": {"$patch": "merge", "b": "2"}}),
            json!(500),
        ),
        (
            "nulls do not become members",
            json!({}),
            json!({"securityContext": {"runAsUser": null, "fsGroup": 1}}),
            json!({"securityContext": {"fsGroup": 1}}),
        ),
        ("directives do not become members", json!({}), json!({"securityContext": {"$patch": "delete"}}), json!({})),
        (
            "new list without directing items",
            json!({}),
            json!({"containers": [{"name": "a"}, {"name": "b", "$patch": "delete"}]}),
            json!({"containers": c(&["a"])}),
        ),
        (
            "item merged by key",
            json!({"containers": [{"name": "a", "image": "1"}, {"name": "b"}]}),
            json!({"containers": [{"name": "a", "image": "2"}]}),
            json!({"containers": [{"name": "a", "image": "2"}, {"name": "b"}]}),
        ),
        (
            "item added",
            json!({"containers": c(&["a"])}),
            json!({"containers": c(&["b"])}),
            json!({"containers": c(&["b", "a"])}),
        ),
        (
            "items added in the patch's order",
            json!({"containers": c(&["a"])}),
            json!({"containers": c(&["c", "b"])}),
            json!({"containers": c(&["c", "b", "a"])}),
        ),
        (
            "item that was there keeps its place",
            json!({"containers": c(&["a", "b", "c"])}),
            json!({"containers": c(&["b"])}),
            json!({"containers": c(&["a", "b", "c"])}),
        ),
        (
            "patch's order wins",
            json!({"containers": c(&["a", "b", "c"])}),
            json!({"containers": c(&["c", "a"])}),
            json!({"containers": c(&["b", "c", "a"])}),
        ),
        (
            "item deleted",
            json!({"containers": c(&["a", "b"])}),
            json!({"containers": [{"name": "a", "$patch": "delete"}]}),
            json!({"containers": c(&["b"])}),
        ),
        (
            "missing item deleted",
            json!({"containers": c(&["b"])}),
            json!({"containers": [{"name": "a", "$patch": "delete"}]}),
            json!({"containers": c(&["b"])}),
        ),
        (
            "deletion without key",
            json!({"containers": c(&["a"])}),
            json!({"containers": [{"$patch": "delete"}]}),
            json!(500),
        ),
        (
            "list replaced",
            json!({"containers": c(&["a", "b"])}),
            json!({"containers": [{"name": "c"}, {"$patch": "replace"}]}),
            json!({"containers": c(&["c"])}),
        ),
        (
            "list emptied",
            json!({"containers": c(&["a", "b"])}),
            json!({"containers": [{"$patch": "replace"}]}),
            json!({"containers": []}),
        ),
        (
            "list directive may not be merge",
            json!({"containers": c(&["a"])}),
            json!({"containers": [{"$patch": "merge", "name": "a"}]}),
            json!(500),
        ),
        (
            "unknown list directive",
            json!({"containers": c(&["a"])}),
            json!({"containers": [{"$patch": "x", "name": "a"}]}),
            json!(500),
        ),
        ("item without key", json!({"containers": c(&["a"])}), json!({"containers": [{"image": "x"}]}), json!(500)),
        (
            "empty patch of a merged list",
            json!({"containers": c(&["a"])}),
            json!({"containers": []}),
            json!({"containers": c(&["a"])}),
        ),
        ("both lists empty", json!({"containers": []}), json!({"containers": []}), json!({"containers": []})),
        ("mixed items", json!({"containers": c(&["a"])}), json!({"containers": ["x"]}), json!(500)),
        ("list of lists", json!({"containers": [["a"]]}), json!({"containers": [["x"]]}), json!(422)),
        (
            "lists without strategy are replaced",
            json!({"tolerations": [{"key": "a"}]}),
            json!({"tolerations": [{"key": "b"}]}),
            json!({"tolerations": [{"key": "b"}]}),
        ),
        (
            "other kind replaces",
            json!({"containers": c(&["a"])}),
            json!({"containers": {"x": 1}}),
            json!({"containers": {"x": 1}}),
        ),
        (
            "nested merge",
            json!({"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "1"}]}]}),
            json!({"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}, {"name": "X", "$patch": "delete"}]}]}),
            json!({"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}]}),
        ),
        (
            "key that is a number",
            json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "x"}]}]}),
            json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "y"}]}]}),
            json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "y"}]}]}),
        ),
        (
            "atomic list in an item",
            json!({"containers": [{"name": "a", "command": ["x", "y"]}]}),
            json!({"containers": [{"name": "a", "command": ["z"]}]}),
            json!({"containers": [{"name": "a", "command": ["z"]}]}),
        ),
        (
            "order of all",
            json!({"containers": c(&["a", "b"])}),
            json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}),
            json!({"containers": c(&["b", "a"])}),
        ),
        (
            "order with a new item",
            json!({"containers": c(&["a", "b"])}),
            json!({"$setElementOrder/containers": c(&["b", "c", "a"]), "containers": c(&["c"])}),
            json!({"containers": c(&["b", "c", "a"])}),
        ),
        (
            "order leaves the server's own in place",
            json!({"containers": c(&["a", "s", "b"])}),
            json!({"$setElementOrder/containers": c(&["a", "b"])}),
            json!({"containers": c(&["a", "s", "b"])}),
        ),
        (
            "order against the server's own",
            json!({"containers": c(&["a", "s", "b"])}),
            json!({"$setElementOrder/containers": c(&["b", "a"])}),
            json!({"containers": c(&["s", "b", "a"])}),
        ),
        (
            "order with a deletion",
            json!({"containers": c(&["a", "b", "c"])}),
            json!({"$setElementOrder/containers": c(&["c", "a"]), "containers": [{"name": "b", "$patch": "delete"}]}),
            json!({"containers": c(&["c", "a"])}),
        ),
        ("order of nothing", json!({}), json!({"$setElementOrder/containers": c(&["a"])}), json!({})),
        (
            "order and a new list",
            json!({}),
            json!({"$setElementOrder/containers": c(&["b", "a"]), "containers": c(&["b", "a"])}),
            json!({"containers": c(&["b", "a"])}),
        ),
        (
            "order that the items contradict",
            json!({"containers": c(&["a"])}),
            json!({"$setElementOrder/containers": c(&["a", "b"]), "containers": c(&["b", "a"])}),
            json!(500),
        ),
        (
            "order that misses an item",
            json!({"containers": c(&["a"])}),
            json!({"$setElementOrder/containers": c(&["a"]), "containers": c(&["b"])}),
            json!(500),
        ),
        (
            "order that is no list",
            json!({"containers": c(&["a"])}),
            json!({"$setElementOrder/containers": "a"}),
            json!(500),
        ),
        (
            "volume sources retain their keys",
            json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
            json!({"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]}),
            json!({"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]}),
        ),
        (
            "retained keys must name the patch's",
            json!({"volumes": [{"name": "v"}]}),
            json!({"volumes": [{"name": "v", "$retainKeys": ["name"], "hostPath": {"path": "/x"}}]}),
            json!(400),
        ),
        (
            "retained keys that are no list",
            json!({"volumes": [{"name": "v"}]}),
            json!({"volumes": [{"name": "v", "$retainKeys": "name"}]}),
            json!(400),
        ),
        ("member without a place is taken where nothing is merged", json!({}), json!({"spam": 1}), json!({"spam": 1})),
        ("member without a place cannot be merged", json!({"spam": {"a": 1}}), json!({"spam": {"b": 1}}), json!(500)),
    ]
}

#[test]
fn pods_are_patched() {
    let rows = rows();
    assert!(rows.len() >= 40);
    for (name, spec, patch, expected) in rows {
        match pod(spec, patch) {
            Ok(result) => assert_eq!(result, expected, "{name}"),
            Err(error) => assert_eq!(json!(error.code), expected, "{name}: {error:?}"),
        }
    }
}

#[test]
fn lists_of_strings_are_merged() {
    let f = |finalizers: &[&str]| json!({ "metadata": { "finalizers": finalizers } });
    let rows = [
        (f(&["a", "b"]), f(&["c"]), f(&["c", "a", "b"])),
        (f(&["a", "b"]), f(&["b"]), f(&["a", "b"])),
        (f(&["a", "a"]), f(&["b", "b"]), f(&["b", "a"])),
        (f(&["a", "b"]), json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}), f(&["b"])),
        (f(&["a"]), json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["x"]}}), f(&["a"])),
        (
            json!({"metadata": {}}),
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["x"]}}),
            json!({"metadata": {}}),
        ),
        (
            f(&["a", "b"]),
            json!({"metadata": {"$setElementOrder/finalizers": ["b", "c"], "$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}}),
            f(&["b", "c"]),
        ),
    ];
    let schema = catalog::schema("", "v1", "ConfigMap").unwrap();
    for (object, patch, expected) in rows {
        assert_eq!(strategic(object, &patch, &schema).unwrap(), expected, "{patch}");
    }
}

#[test]
fn a_deployment_strategy_is_exchanged() {
    let schema = catalog::schema("apps", "v1", "Deployment").unwrap();
    let object = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    let result = strategic(object, &patch, &schema).unwrap();
    assert_eq!(result, json!({"spec": {"strategy": {"type": "Recreate"}}}));
}

#[test]
fn conditions_are_told_apart_by_type() {
    let schema = catalog::schema("", "v1", "Node").unwrap();
    let object = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "DiskPressure", "status": "False"}]}});
    let patch = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    let result = strategic(object, &patch, &schema).unwrap();
    let expected = json!([{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "False"}]);
    assert_eq!(result["status"]["conditions"], expected);
}

#[test]
fn messages_are_those_of_the_api_server() {
    let rows = [
        (json!({"containers": [{"image": "x"}]}), "map: map[image:x] does not contain declared merge key: name"),
        (json!({"containers": [{"name": "a", "$patch": "x"}]}), "unknown patch type: x in map: map[$patch:x name:a]"),
    ];
    for (patch, message) in rows {
        assert_eq!(pod(json!({"containers": [{"name": "a"}]}), patch).unwrap_err().message, message);
    }
}
