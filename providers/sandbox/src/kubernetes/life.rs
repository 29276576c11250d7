//! How objects come, change and go: what the API server does to `metadata` whoever asks.
//!
//! Nothing is validated here. The API server comes here after admission; the simulated controllers come here directly.

use std::sync::Arc;

use serde_json::{Value, json};

use super::objects::Key;
use crate::world::World;

/// What becomes of an object's dependents when it is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// The garbage collector deletes them afterwards.
    #[default]
    Background,
    /// The object waits for them (finalizer `foregroundDeletion`).
    Foreground,
    /// They stay, without their owner (finalizer `orphan`).
    Orphan,
}

/// How to delete.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deletion {
    /// Seconds that a pod has to end; `None` takes `spec.terminationGracePeriodSeconds`. Other kinds have none.
    pub grace: Option<u64>,
    /// What becomes of dependents.
    pub propagation: Propagation,
}

/// Makes an object: `uid`, `creationTimestamp`, `generation`, `name` out of `generateName`.
pub fn create(world: &mut World, key: &Key, mut object: Value) -> Arc<Value> {
    // A job needs its own before it is made, for its selector.
    let uid = object["metadata"]["uid"].as_str().map_or_else(|| world.ids.uuid(), str::to_owned);
    let metadata = &mut object["metadata"];
    metadata["name"] = json!(key.name);
    if !key.namespace.is_empty() {
        metadata["namespace"] = json!(key.namespace);
    }
    metadata["uid"] = json!(uid);
    metadata["creationTimestamp"] = json!(seconds(world));
    if has_generation(&key.resource) {
        metadata["generation"] = json!(1);
    }
    world.kubernetes.objects.put(key, object)
}

/// Changes an object in place; `None` when there is none. What changes nothing leaves `resourceVersion` alone. `generation` rises
/// with everything but `metadata` and `status`. An object that waits for its last finalizer goes.
pub fn update(world: &mut World, key: &Key, change: impl FnOnce(&mut Value)) -> Option<Arc<Value>> {
    let old = Arc::clone(world.kubernetes.objects.get(key)?);
    let mut new = Value::clone(&old);
    change(&mut new);
    if new == *old {
        return Some(old);
    }
    if has_generation(&key.resource) && desired(&new) != desired(&old) {
        raise_generation(&mut new);
    }
    if is_finished(&new) {
        world.kubernetes.objects.put(key, new);
        return world.kubernetes.objects.remove(key);
    }
    Some(world.kubernetes.objects.put(key, new))
}

/// Deletes an object, or marks it as being deleted where it has finalizers, dependents to wait for, or, being a pod on a node, time to end.
/// Answers it as it is then; `None` when there is none.
pub fn delete(world: &mut World, key: &Key, how: Deletion) -> Option<Arc<Value>> {
    let old = Arc::clone(world.kubernetes.objects.get(key)?);
    let mut new = Value::clone(&old);
    add_propagation(&mut new, how.propagation);
    let grace = grace(&new, how.grace);
    if !is_held(&new) && grace == 0 {
        return world.kubernetes.objects.remove(key);
    }
    let is_marked = !new["metadata"]["deletionTimestamp"].is_null();
    let left = new["metadata"]["deletionGracePeriodSeconds"].as_u64();
    if !is_marked || how.grace.is_some() && left.is_some_and(|left| grace < left) {
        let at = world.now.as_second().saturating_add(i64::try_from(grace).unwrap_or(i64::MAX));
        let at = jiff::Timestamp::from_second(at).unwrap_or(world.now);
        new["metadata"]["deletionTimestamp"] = json!(at.to_string());
        // A namespace goes by its content and not by time.
        if key.resource != "namespaces" {
            new["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        }
        if has_generation(&key.resource) && !is_marked {
            raise_generation(&mut new);
        }
        if key.resource == "namespaces" {
            new["status"]["phase"] = json!("Terminating");
        }
    }
    if new == *old { Some(old) } else { Some(world.kubernetes.objects.put(key, new)) }
}

/// Whether `generation` is kept: by everything that has a desired state of its own.
fn has_generation(resource: &str) -> bool {
    !matches!(
        resource,
        "events"
            | "events.events.k8s.io"
            | "configmaps"
            | "secrets"
            | "serviceaccounts"
            | "nodes"
            | "namespaces"
            | "endpoints"
            | "services"
            | "leases.coordination.k8s.io"
            | "horizontalpodautoscalers.autoscaling"
            | "persistentvolumes"
            | "persistentvolumeclaims"
            | "resourcequotas"
            | "limitranges"
            | "controllerrevisions.apps"
            | "storageclasses.storage.k8s.io"
            | "ipaddresses.networking.k8s.io"
            | "servicecidrs.networking.k8s.io"
            | "certificatesigningrequests.certificates.k8s.io"
            | "runtimeclasses.node.k8s.io"
            | "volumeattachments.storage.k8s.io"
            | "csinodes.storage.k8s.io"
            | "apiservices.apiregistration.k8s.io"
    ) && !resource.ends_with(".rbac.authorization.k8s.io")
}

/// An object without `metadata` and `status`.
fn desired(object: &Value) -> Value {
    let mut desired = object.clone();
    if let Some(members) = desired.as_object_mut() {
        members.remove("metadata");
        members.remove("status");
    }
    desired
}

fn raise_generation(object: &mut Value) {
    let generation = object["metadata"]["generation"].as_u64().unwrap_or(0);
    object["metadata"]["generation"] = json!(generation + 1);
}

/// Whether it is being deleted and nothing holds it any more. A pod with time left goes when kubelet says so.
fn is_finished(object: &Value) -> bool {
    let metadata = &object["metadata"];
    !metadata["deletionTimestamp"].is_null()
        && !is_held(object)
        && metadata["deletionGracePeriodSeconds"].as_u64().unwrap_or(0) == 0
}

/// Whether something is to be done before it goes; a namespace has finalizers of its own.
fn is_held(object: &Value) -> bool {
    let has = |finalizers: &Value| finalizers.as_array().is_some_and(|some| !some.is_empty());
    has(&object["metadata"]["finalizers"]) || (object["kind"] == "Namespace" && has(&object["spec"]["finalizers"]))
}

/// Only a pod that runs on a node has time to end.
fn grace(object: &Value, asked: Option<u64>) -> u64 {
    let phase = object["status"]["phase"].as_str().unwrap_or("Pending");
    if object["kind"] != "Pod" || object["spec"]["nodeName"].is_null() || matches!(phase, "Succeeded" | "Failed") {
        return 0;
    }
    asked.unwrap_or_else(|| object["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap_or(30))
}

fn add_propagation(object: &mut Value, propagation: Propagation) {
    let finalizer = match propagation {
        Propagation::Background => return,
        Propagation::Foreground => "foregroundDeletion",
        Propagation::Orphan => "orphan",
    };
    let finalizers = &mut object["metadata"]["finalizers"];
    if !finalizers.is_array() {
        *finalizers = json!([]);
    }
    if let Some(some) = finalizers.as_array_mut()
        && !some.iter().any(|it| it == finalizer)
    {
        some.push(json!(finalizer));
    }
}

/// The time in whole seconds, as Kubernetes writes it.
pub fn seconds(world: &World) -> String {
    jiff::Timestamp::from_second(world.now.as_second()).unwrap_or(world.now).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn world() -> World {
        World::new(Settings { seed: Some(1), ..Settings::default() }, jiff::Timestamp::UNIX_EPOCH)
    }

    fn key(resource: &str) -> Key {
        Key::new("c", resource, "default", "a")
    }

    #[test]
    fn generation_follows_the_desired_state() {
        let (mut world, key) = (world(), key("deployments.apps"));
        create(&mut world, &key, json!({ "spec": { "replicas": 1 } }));
        update(&mut world, &key, |object| object["status"] = json!({ "replicas": 1 }));
        let object = update(&mut world, &key, |object| object["metadata"]["labels"] = json!({ "a": "b" })).unwrap();
        assert_eq!(object["metadata"]["generation"], 1);
        let object = update(&mut world, &key, |object| object["spec"]["replicas"] = json!(2)).unwrap();
        assert_eq!(object["metadata"]["generation"], 2);
        assert_eq!(object["metadata"]["creationTimestamp"], "1970-01-01T00:00:00Z");
        let same = update(&mut world, &key, |_| ()).unwrap();
        assert_eq!(same["metadata"]["resourceVersion"], object["metadata"]["resourceVersion"]);
    }

    #[test]
    fn finalizers_hold_an_object_until_the_last_is_gone() {
        let (mut world, key) = (world(), key("configmaps"));
        create(&mut world, &key, json!({ "metadata": { "finalizers": ["x"] } }));
        let marked = delete(&mut world, &key, Deletion::default()).unwrap();
        assert!(!marked["metadata"]["deletionTimestamp"].is_null());
        assert!(world.kubernetes.objects.get(&key).is_some());
        update(&mut world, &key, |object| object["metadata"]["finalizers"] = json!([]));
        assert!(world.kubernetes.objects.get(&key).is_none());
    }

    #[test]
    fn a_pod_on_a_node_has_time_to_end() {
        let (mut world, key) = (world(), key("pods"));
        create(
            &mut world,
            &key,
            json!({ "kind": "Pod", "spec": { "nodeName": "n", "terminationGracePeriodSeconds": 5 } }),
        );
        let marked = delete(&mut world, &key, Deletion::default()).unwrap();
        assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 5);
        delete(&mut world, &key, Deletion { grace: Some(0), ..Deletion::default() });
        assert!(world.kubernetes.objects.get(&key).is_none());
    }
}
