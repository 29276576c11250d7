use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::kubernetes::schema::{self, catalog};

mod properties;
mod rows;

/// A kind with every sort of list and map.
fn widget() -> Arc<Schema> {
    let keyed = json!({
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "value": {"type": "integer"}, "other": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        }},
    });
    let ports = json!({
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"],
        "items": {"type": "object", "required": ["port"], "properties": {
            "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "name": {"type": "string"},
        }},
    });
    let spec = json!({"type": "object", "properties": {
        "n": {"type": "integer"}, "s": {"type": "string"}, "b": {"type": "boolean"},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "struct": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
        "atomicMap": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
        "list": {"type": "array", "items": {"type": "string"}},
        "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "keyed": keyed,
        "ports": ports,
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }});
    let status = json!({"type": "object", "properties": {"ready": {"type": "boolean"}}});
    Schema::structural(&json!({"type": "object", "properties": {"spec": spec, "status": status}})).unwrap()
}

/// An object and what is asked of it.
struct Story {
    schema: Arc<Schema>,
    api_version: &'static str,
    kind: &'static str,
    live: Option<Value>,
    seconds: u32,
}

impl Story {
    fn widgets() -> Self {
        Self { schema: widget(), api_version: "example.com/v1", kind: "Widget", live: None, seconds: 0 }
    }

    fn builtin(group: &str, api_version: &'static str, kind: &'static str) -> Self {
        let schema = catalog::schema(group, "v1", kind).unwrap();
        Self { schema, api_version, kind, live: None, seconds: 0 }
    }

    fn whole(&self, part: &Value) -> Value {
        let mut object = json!({"apiVersion": self.api_version, "kind": self.kind, "metadata": {"name": "w"}});
        merge::merge(&mut object, part, &self.schema);
        object
    }

    /// One step: `[what, manager, object]`.
    fn step(&mut self, step: &Value) -> Result<(), ApplyError> {
        self.seconds += 1;
        let now = format!("2026-01-01T00:00:{:02}Z", self.seconds);
        let what = step[0].as_str().unwrap();
        let (name, subresource) = step[1].as_str().unwrap().split_once('/').unwrap_or((step[1].as_str().unwrap(), ""));
        let manager = Manager { name, subresource, api_version: self.api_version, now: &now, has_status: true };
        let object = self.whole(&step[2]);
        match what {
            "update" => {
                let mut after = object;
                let before = self.live.take();
                record_update(before.as_ref(), &mut after, &manager, &self.schema);
                self.live = Some(after);
            }
            // The object as it was made before managers were known.
            "untracked" => self.live = Some(object),
            _ => {
                let applied = apply(self.live.as_ref(), &object, &manager, what == "force", &self.schema);
                let mut applied = applied?;
                schema::prune(&mut applied, &self.schema);
                schema::default(&mut applied, &self.schema);
                self.live = Some(applied);
            }
        }
        Ok(())
    }

    /// The object without what every row has.
    fn object(&self) -> Value {
        let mut object = self.live.clone().unwrap();
        let members = object.as_object_mut().unwrap();
        members.remove("apiVersion");
        members.remove("kind");
        let metadata = members["metadata"].as_object_mut().unwrap();
        metadata.remove("name");
        metadata.remove("managedFields");
        if metadata.is_empty() {
            members.remove("metadata");
        }
        object
    }

    /// Paths by manager; managers that update have a star.
    fn owners(&self) -> Value {
        let mut owners = Map::new();
        for (id, owned) in Managers::read(self.live.as_ref().unwrap()).unwrap().0 {
            let mut name = id.manager.clone();
            if !id.is_apply {
                name.push('*');
            }
            if !id.subresource.is_empty() {
                name = format!("{name}/{}", id.subresource);
            }
            let paths: Vec<Value> = owned.set.paths().iter().map(|path| json!(set::display(path))).collect();
            owners.insert(name, Value::Array(paths));
        }
        Value::Object(owners)
    }
}

fn conflicts(error: ApplyError) -> Value {
    match error {
        ApplyError::Conflicts { conflicts, .. } => {
            json!(conflicts.into_iter().map(|it| it.field).collect::<Vec<_>>())
        }
        other => json!(other.to_string()),
    }
}

/// Plays steps; the last may be refused.
fn check(name: &str, mut story: Story, steps: &Value, expected: &Value, owners: &Value) {
    for step in steps.as_array().unwrap() {
        if let Err(error) = story.step(step) {
            assert_eq!(json!({ "refused": conflicts(error) }), *expected, "{name}: {step}");
            return;
        }
    }
    assert_eq!(story.object(), *expected, "{name}");
    assert_eq!(story.owners(), *owners, "{name}");
}

#[test]
fn widgets_are_applied() {
    let rows = rows::rows();
    assert!(rows.len() >= 60, "{}", rows.len());
    for (name, steps, expected, owners) in rows {
        check(name, Story::widgets(), &steps, &expected, &owners);
    }
}

/// The examples of the page "Server-Side Apply" of Kubernetes' documentation.
#[test]
fn the_documentations_examples_hold() {
    let mut story = Story::builtin("", "v1", "ConfigMap");
    story.step(&json!(["apply", "kubectl", {"metadata": {"labels": {"test-label": "test"}}, "data": {"key": "some value"}}])).unwrap();
    assert_eq!(
        story.live.as_ref().unwrap()["metadata"]["managedFields"],
        json!([{
            "manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:01Z", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {"f:test-label": {}}}, "f:data": {"f:key": {}}},
        }])
    );
    // Somebody changes it meanwhile, and takes the field.
    story.step(&json!(["update", "kube-controller-manager", {"metadata": {"labels": {"test-label": "test"}}, "data": {"key": "new value"}}])).unwrap();
    assert_eq!(
        story.owners(),
        json!({"kubectl": [".metadata.labels.test-label"], "kube-controller-manager*": [".data.key"]})
    );

    // Giving replicas up to an autoscaler.
    let template = json!({"metadata": {"labels": {"app": "nginx"}}, "spec": {"containers": [{"name": "nginx", "image": "nginx:1.14.2"}]}});
    let with = json!({"spec": {"replicas": 3, "selector": {"matchLabels": {"app": "nginx"}}, "template": template}});
    let without = json!({"spec": {"selector": {"matchLabels": {"app": "nginx"}}, "template": template}});
    let mut story = Story::builtin("apps", "apps/v1", "Deployment");
    story.step(&json!(["apply", "kubectl", with])).unwrap();
    story.step(&json!(["apply", "handover-to-hpa", {"spec": {"replicas": 3}}])).unwrap();
    story.step(&json!(["apply", "kubectl", without])).unwrap();
    assert_eq!(story.object()["spec"]["replicas"], 3);
    assert_eq!(story.owners()["handover-to-hpa"], json!([".spec.replicas"]));
    story.step(&json!(["apply", "handover-to-hpa", {}])).unwrap();
    // Nobody wants a number any more: the default it is.
    assert_eq!(story.object()["spec"]["replicas"], 1);
}

#[test]
fn conflicts_are_worded_as_kubernetes_does() {
    let mut story = Story::builtin("apps", "apps/v1", "Deployment");
    story.step(&json!(["update", "kubectl-client-side-apply", {"spec": {"replicas": 1, "paused": true}}])).unwrap();
    let error = story.step(&json!(["apply", "sgp", {"spec": {"replicas": 2}}])).unwrap_err();
    let ApplyError::Conflicts { message, conflicts } = error else { panic!("no conflict") };
    let expected =
        r#"Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas"#;
    assert_eq!(message, expected);
    assert_eq!(conflicts[0].message, r#"conflict with "kubectl-client-side-apply" using apps/v1"#);
    assert_eq!(conflicts[0].field, ".spec.replicas");
    let error = story.step(&json!(["apply", "sgp", {"spec": {"replicas": 2, "paused": false}}])).unwrap_err();
    let expected = "Apply failed with 2 conflicts: conflicts with \"kubectl-client-side-apply\" using apps/v1:\n- .spec.paused\n- .spec.replicas";
    assert_eq!(error.to_string(), expected);
    story.step(&json!(["force", "sgp", {"spec": {"replicas": 2}}])).unwrap();
    let error = story.step(&json!(["apply", "other", {"spec": {"replicas": 3}}])).unwrap_err();
    assert_eq!(error.to_string(), r#"Apply failed with 1 conflict: conflict with "sgp": .spec.replicas"#);
}

#[test]
fn a_creation_owns_what_was_sent_and_defaulted() {
    let mut story = Story::builtin("apps", "apps/v1", "Deployment");
    let spec = json!({
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "strategy": {"type": "Recreate"},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {
            "containers": [{"name": "web", "image": "nginx", "resources": {}, "ports": [{"containerPort": 80, "protocol": "TCP"}]}],
            "restartPolicy": "Always", "securityContext": {},
        }},
    });
    story.step(&json!(["update", "kubectl-create", {"metadata": {"labels": {"app": "web"}, "uid": "u", "creationTimestamp": "t"}, "spec": spec, "status": {}}])).unwrap();
    assert_eq!(
        story.live.as_ref().unwrap()["metadata"]["managedFields"][0]["fieldsV1"],
        json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:replicas": {}, "f:selector": {}, "f:strategy": {"f:type": {}},
                "f:template": {
                    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                    "f:spec": {
                        "f:containers": {"k:{\"name\":\"web\"}": {
                            ".": {}, "f:name": {}, "f:image": {}, "f:resources": {},
                            "f:ports": {".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}}},
                        }},
                        "f:restartPolicy": {}, "f:securityContext": {},
                    },
                },
            },
        })
    );
}

#[test]
fn kubectl_takes_over_what_the_client_applied() {
    let annotation =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "w"}, "data": {"a": "1"}}).to_string();
    let metadata = json!({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": annotation}});
    let mut story = Story::builtin("", "v1", "ConfigMap");
    story
        .step(&json!(["update", "kubectl-client-side-apply", {"metadata": metadata, "data": {"a": "1", "b": "1"}}]))
        .unwrap();
    let refused = story.step(&json!(["apply", "kubectl", {"data": {"a": "2", "b": "2"}}])).unwrap_err();
    assert_eq!(conflicts(refused), json!([".data.b"]));
    story.step(&json!(["apply", "kubectl", {"data": {"a": "2"}}])).unwrap();
    let object = story.object();
    let annotation = &object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
    assert!(annotation.as_str().unwrap().contains(r#""data":{"a":"2"}"#), "{annotation}");
    let mut story = Story::builtin("", "v1", "ConfigMap");
    story.step(&json!(["update", "kubectl-client-side-apply", {"metadata": metadata, "data": {"a": "1"}}])).unwrap();
    assert!(story.step(&json!(["apply", "other", {"data": {"a": "2"}}])).is_err());
}

#[test]
fn too_many_updaters_become_one() {
    let mut story = Story::widgets();
    for number in 0..14 {
        story.step(&json!(["update", format!("u{number:02}"), {"spec": {"n": number, "map": {format!("k{number}"): "x"}}}])).unwrap();
        let mut part = story.object();
        part["spec"]["map"][format!("m{number}")] = json!("x");
        story.step(&json!(["update", format!("v{number:02}"), part])).unwrap();
    }
    let entries = story.live.as_ref().unwrap()["metadata"]["managedFields"].as_array().unwrap().len();
    assert!(entries <= 10, "{entries}");
}

#[test]
fn managers_are_kept_forgotten_and_given() {
    let manager =
        Manager { name: "u", subresource: "", api_version: "v1", now: "2026-01-01T00:00:00Z", has_status: false };
    let schema = catalog::schema("", "v1", "ConfigMap").unwrap();
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}});
    record_update(None, &mut object, &manager, &schema);
    let tracked = object.clone();
    // Clients that do not know managedFields do not lose them.
    let mut after = tracked.clone();
    after["metadata"].as_object_mut().unwrap().remove("managedFields");
    record_update(Some(&tracked), &mut after, &manager, &schema);
    assert_eq!(after, tracked);
    for reset in [json!([]), json!([{}])] {
        let mut after = tracked.clone();
        after["metadata"]["managedFields"] = reset;
        after["data"]["y"] = json!("1");
        record_update(Some(&tracked), &mut after, &manager, &schema);
        assert!(after["metadata"]["managedFields"][0].is_null(), "{after}");
    }
    let mut after = tracked.clone();
    after["metadata"]["managedFields"][0]["manager"] = json!("renamed");
    record_update(Some(&tracked), &mut after, &manager, &schema);
    assert_eq!(after["metadata"]["managedFields"][0]["manager"], "renamed");
    // A subresource cannot change them.
    let status = Manager { subresource: "status", ..manager };
    let mut after = tracked.clone();
    after["metadata"]["managedFields"] = json!([]);
    record_update(Some(&tracked), &mut after, &status, &schema);
    assert_eq!(after, tracked);
}
