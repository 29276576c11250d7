//! What goes when something else has gone: dependents of a deleted owner, the content of a deleted namespace, custom resources of a
//! deleted definition, events after an hour.
//!
//! Sources: "Garbage Collection" and "Namespaces" (kubernetes.io/docs); `--event-ttl` of the API server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::resources::{self, DEFINITIONS};
use crate::kubernetes::life::{self, Deletion, Propagation};
use crate::kubernetes::objects::{Event, Key, Kind};
use crate::world::World;

/// Events live so long.
const EVENT_SECS: i64 = 3600;

/// So often old events are looked for.
const SWEEP_SECS: i64 = 60;

/// How far the collector has read, by cluster; after a start everything is looked at once.
#[derive(Debug, Default)]
pub struct Collector {
    positions: BTreeMap<String, u64>,
    swept: Option<Timestamp>,
}

/// What is to be looked at.
#[derive(Debug, Default)]
struct Todo {
    /// Owners that are gone.
    gone: BTreeSet<String>,
    /// Objects whose owners may be gone, or that wait for their dependents.
    objects: BTreeSet<Key>,
    namespaces: BTreeSet<String>,
    /// Stored names of custom resources whose definition is gone.
    resources: BTreeSet<String>,
}

/// Does what the changes since the last time ask for.
pub fn work(world: &mut World) {
    let clusters: Vec<String> = world.kubernetes.clusters.iter().map(|(name, _)| name.to_owned()).collect();
    world.kubernetes.collector.positions.retain(|name, _| clusters.contains(name));
    for cluster in &clusters {
        let position = world.kubernetes.collector.positions.get(cluster).copied();
        let current = world.kubernetes.objects.revision(cluster);
        if position == Some(current) {
            continue;
        }
        let (todo, read) = read(world, cluster, position);
        world.kubernetes.collector.positions.insert(cluster.clone(), read);
        collect(world, cluster, todo);
    }
    sweep(world, &clusters);
}

fn read(world: &World, cluster: &str, position: Option<u64>) -> (Todo, u64) {
    let objects = &world.kubernetes.objects;
    let mut todo = Todo::default();
    let changes = position.and_then(|position| objects.changes_after(cluster, position).ok());
    let Some(changes) = changes else {
        for (key, object) in objects.all(cluster) {
            todo.note(&key, object);
        }
        return (todo, objects.revision(cluster));
    };
    let mut read = position.unwrap_or(0);
    for event in changes {
        read = event.revision;
        todo.change(world, event);
    }
    (todo, read)
}

impl Todo {
    fn note(&mut self, key: &Key, object: &Value) {
        let metadata = &object["metadata"];
        if !metadata["deletionTimestamp"].is_null() && key.resource == "namespaces" {
            self.namespaces.insert(key.name.clone());
        }
        let waits = |it: &Value| it == "foregroundDeletion" || it == "orphan";
        let is_waiting = metadata["finalizers"].as_array().is_some_and(|all| all.iter().any(waits));
        if is_waiting || metadata["ownerReferences"].as_array().is_some_and(|all| !all.is_empty()) {
            self.objects.insert(key.clone());
        }
    }

    fn change(&mut self, world: &World, event: &Event) {
        let metadata = &event.object["metadata"];
        match event.kind {
            Kind::Added => self.note(&event.key, &event.object),
            // An owner that is gone shows when it goes; a change matters to those that are being deleted.
            Kind::Modified if !metadata["deletionTimestamp"].is_null() => self.note(&event.key, &event.object),
            Kind::Modified => {}
            Kind::Deleted => {
                self.gone.extend(metadata["uid"].as_str().map(str::to_owned));
                let owners = metadata["ownerReferences"].as_array().into_iter().flatten();
                let owners = owners.filter_map(|owner| owner_key(world, &event.key, owner));
                self.objects.extend(owners);
                if event.key.resource == DEFINITIONS {
                    self.resources.insert(event.key.name.clone());
                }
                let namespaces = Key::new(&event.key.cluster, "namespaces", "", &event.key.namespace);
                let namespace = world.kubernetes.objects.get(&namespaces);
                if namespace.is_some_and(|it| !it["metadata"]["deletionTimestamp"].is_null()) {
                    self.namespaces.insert(event.key.namespace.clone());
                }
            }
        }
    }
}

/// Where the owner that a reference names would be; `None` for kinds that the cluster does not have.
fn owner_key(world: &World, dependent: &Key, owner: &Value) -> Option<Key> {
    let (api_version, kind) = (owner["apiVersion"].as_str()?, owner["kind"].as_str()?);
    let objects = &world.kubernetes.objects;
    let (group, _) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = resources::of_kind(objects, &dependent.cluster, api_version, kind)
        .or_else(|| resources::of_group_kind(objects, &dependent.cluster, group, kind))?;
    Some(resource.key(&dependent.cluster, &dependent.namespace, owner["name"].as_str()?))
}

/// Whether the owner is there: the same object, not one of its name. Of kinds that the cluster does not have nothing is known.
fn is_there(world: &World, dependent: &Key, owner: &Value) -> bool {
    let Some(key) = owner_key(world, dependent, owner) else { return true };
    world.kubernetes.objects.get(&key).is_some_and(|object| object["metadata"]["uid"] == owner["uid"])
}

fn collect(world: &mut World, cluster: &str, mut todo: Todo) {
    for uid in std::mem::take(&mut todo.gone) {
        let dependents = world.kubernetes.objects.with(cluster, &format!("owner={uid}"));
        todo.objects.extend(dependents.map(|(key, _)| key));
    }
    for resource in todo.resources {
        // A definition that was made again meanwhile has taken over what is there.
        if world.kubernetes.objects.get(&Key::new(cluster, DEFINITIONS, "", &resource)).is_none() {
            let all: Vec<Key> = keys_of(world, cluster, &resource);
            for key in all {
                life::delete(world, &key, Deletion::default());
            }
        }
    }
    for key in todo.objects {
        dependent(world, &key);
        waiting(world, &key);
    }
    for namespace in todo.namespaces {
        empty(world, cluster, &namespace);
    }
}

fn keys_of(world: &World, cluster: &str, resource: &str) -> Vec<Key> {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let all = world.kubernetes.objects.list(cluster, resource, None);
    all.map(|it| Key::new(cluster, resource, &text(&it["metadata"]["namespace"]), &text(&it["metadata"]["name"])))
        .collect()
}

/// Deletes an object none of whose owners is there, and forgets those that are not.
fn dependent(world: &mut World, key: &Key) {
    let Some(object) = world.kubernetes.objects.get(key).cloned() else { return };
    let owners = object["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
    let there: Vec<Value> = owners.iter().filter(|owner| is_there(world, key, owner)).cloned().collect();
    if there.len() == owners.len() {
        return;
    }
    if there.is_empty() {
        if object["metadata"]["deletionTimestamp"].is_null() {
            life::delete(world, key, Deletion::default());
        }
    } else {
        life::update(world, key, |it| {
            let there = if there.is_empty() { Value::Null } else { json!(there) };
            super::write::set(&mut it["metadata"], "ownerReferences", there);
        });
    }
}

/// Lets an object go that waits for its dependents, once they are gone or have been told that it goes.
fn waiting(world: &mut World, key: &Key) {
    let Some(object) = world.kubernetes.objects.get(key).cloned() else { return };
    let metadata = &object["metadata"];
    if metadata["deletionTimestamp"].is_null() {
        return;
    }
    let has = |name: &str| metadata["finalizers"].as_array().is_some_and(|all| all.iter().any(|it| it == name));
    let uid = metadata["uid"].as_str().unwrap_or("").to_owned();
    let dependents: Vec<(Key, Arc<Value>)> = {
        let all = world.kubernetes.objects.with(&key.cluster, &format!("owner={uid}"));
        all.map(|(key, object)| (key, Arc::clone(object))).collect()
    };
    if has("orphan") {
        for (dependent, _) in &dependents {
            life::update(world, dependent, |it| without_owner(it, &uid));
        }
        life::update(world, key, |it| without_finalizer(it, "orphan"));
    } else if has("foregroundDeletion") {
        let blocks = |it: &Value| {
            let owners = it["metadata"]["ownerReferences"].as_array().into_iter().flatten();
            owners.into_iter().any(|owner| owner["uid"] == uid.as_str() && owner["blockOwnerDeletion"] == true)
        };
        for (dependent, object) in dependents.iter().filter(|(_, it)| it["metadata"]["deletionTimestamp"].is_null()) {
            let propagation = if object["kind"] == "Pod" { Propagation::Background } else { Propagation::Foreground };
            life::delete(world, dependent, Deletion { propagation, grace: None });
        }
        let mut left = world.kubernetes.objects.with(&key.cluster, &format!("owner={uid}"));
        if !left.any(|(_, it)| blocks(it)) {
            drop(left);
            life::update(world, key, |it| without_finalizer(it, "foregroundDeletion"));
        }
    }
}

fn without_finalizer(object: &mut Value, name: &str) {
    if let Some(all) = object.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut) {
        all.retain(|it| it != name);
    }
}

fn without_owner(object: &mut Value, uid: &str) {
    if let Some(all) = object.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut) {
        all.retain(|it| it["uid"] != uid);
        if all.is_empty() {
            super::write::set(&mut object["metadata"], "ownerReferences", Value::Null);
        }
    }
}

/// Deletes what is in a namespace, and the namespace when nothing is.
fn empty(world: &mut World, cluster: &str, namespace: &str) {
    let content = |world: &World| -> Vec<(Key, bool)> {
        let all = world.kubernetes.objects.all(cluster).filter(|(key, _)| key.namespace == namespace);
        all.map(|(key, object)| (key, object["metadata"]["deletionTimestamp"].is_null())).collect()
    };
    for (key, _) in content(world).into_iter().filter(|(_, is_new)| *is_new) {
        life::delete(world, &key, Deletion::default());
    }
    if content(world).is_empty() {
        let key = Key::new(cluster, "namespaces", "", namespace);
        life::update(world, &key, |it| it["spec"]["finalizers"] = json!([]));
    }
}

fn sweep(world: &mut World, clusters: &[String]) {
    let now = world.now.as_second();
    let swept = world.kubernetes.collector.swept;
    if swept.is_some_and(|at| now - at.as_second() < SWEEP_SECS) {
        return;
    }
    world.kubernetes.collector.swept = Some(world.now);
    for cluster in clusters {
        let is_old = |event: &Value| {
            let times = [
                &event["lastTimestamp"],
                &event["series"]["lastObservedTime"],
                &event["metadata"]["creationTimestamp"],
            ];
            let times = times.into_iter().filter_map(|time| time.as_str()?.parse::<Timestamp>().ok());
            times.max().is_some_and(|last| now - last.as_second() > EVENT_SECS)
        };
        let all = world.kubernetes.objects.list(cluster, "events", None).filter(|event| is_old(event));
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let old: Vec<Key> = all
            .map(|it| Key::new(cluster, "events", &text(&it["metadata"]["namespace"]), &text(&it["metadata"]["name"])))
            .collect();
        for key in old {
            world.kubernetes.objects.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::cluster::Cluster;
    use crate::testing::{commit, world};

    fn clustered() -> World {
        let mut world = world();
        world.kubernetes.clusters.insert("c", Cluster::new("c").unwrap());
        world
    }

    fn settle(world: &mut World) {
        for _ in 0..8 {
            commit(world);
            work(world);
        }
        commit(world);
    }

    fn make(world: &mut World, resource: &str, name: &str, mut object: Value) -> (Key, String) {
        let key = Key::new("c", resource, "ns", name);
        let kind = resources::builtin_stored(resource).unwrap();
        (object["apiVersion"], object["kind"]) = (json!(kind.api_version()), json!(kind.kind));
        let uid = life::create(world, &key, object)["metadata"]["uid"].as_str().unwrap().to_owned();
        (key, uid)
    }

    fn owned(kind: &str, name: &str, uid: &str) -> Value {
        let owner =
            json!({ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "blockOwnerDeletion": true });
        json!({ "metadata": { "ownerReferences": [owner] } })
    }

    /// A Deployment with a ReplicaSet with a Pod.
    fn family(world: &mut World) -> [Key; 3] {
        let (deployment, uid) = make(world, "deployments.apps", "d", json!({}));
        let (set, set_uid) = make(world, "replicasets.apps", "r", owned("Deployment", "d", &uid));
        let (pod, _) = make(world, "pods", "p", owned("ReplicaSet", "r", &set_uid));
        settle(world);
        [deployment, set, pod]
    }

    fn left(world: &World, keys: &[Key]) -> Vec<String> {
        keys.iter().filter(|key| world.kubernetes.objects.get(key).is_some()).map(|key| key.name.clone()).collect()
    }

    #[test]
    fn dependents_follow_their_owner_or_stay() {
        for (propagation, stays) in
            [(Propagation::Background, &[][..]), (Propagation::Foreground, &[]), (Propagation::Orphan, &["r", "p"])]
        {
            let mut world = clustered();
            let keys = family(&mut world);
            assert_eq!(left(&world, &keys), ["d", "r", "p"]);
            life::delete(&mut world, &keys[0], Deletion { propagation, grace: None });
            settle(&mut world);
            assert_eq!(left(&world, &keys), stays, "{propagation:?}");
        }
    }

    #[test]
    fn an_object_with_another_owner_stays() {
        let mut world = clustered();
        let (first, a) = make(&mut world, "replicasets.apps", "a", json!({}));
        let (_, b) = make(&mut world, "replicasets.apps", "b", json!({}));
        let mut pod = owned("ReplicaSet", "a", &a);
        let other = owned("ReplicaSet", "b", &b)["metadata"]["ownerReferences"][0].clone();
        pod["metadata"]["ownerReferences"].as_array_mut().unwrap().push(other);
        let (pod, _) = make(&mut world, "pods", "p", pod);
        settle(&mut world);
        life::delete(&mut world, &first, Deletion::default());
        settle(&mut world);
        let owners = &world.kubernetes.objects.get(&pod).unwrap()["metadata"]["ownerReferences"];
        assert_eq!(owners.as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_namespace_goes_with_its_content() {
        let mut world = clustered();
        let namespace = Key::new("c", "namespaces", "", "ns");
        life::create(&mut world, &namespace, json!({ "kind": "Namespace", "spec": { "finalizers": ["kubernetes"] } }));
        let (map, _) = make(&mut world, "configmaps", "m", json!({ "metadata": { "finalizers": ["x/y"] } }));
        settle(&mut world);
        life::delete(&mut world, &namespace, Deletion::default());
        settle(&mut world);
        let keys = [namespace, map];
        assert_eq!(left(&world, &keys), ["ns", "m"], "a finalizer holds it");
        assert_eq!(world.kubernetes.objects.get(&keys[0]).unwrap()["status"]["phase"], "Terminating");
        life::update(&mut world, &keys[1], |it| it["metadata"]["finalizers"] = json!([]));
        settle(&mut world);
        assert!(left(&world, &keys).is_empty());
    }

    #[test]
    fn events_go_after_an_hour() {
        let mut world = clustered();
        let (event, _) = make(&mut world, "events", "e", json!({}));
        settle(&mut world);
        crate::testing::pass(&mut world, 3500);
        settle(&mut world);
        assert_eq!(left(&world, std::slice::from_ref(&event)), ["e"]);
        crate::testing::pass(&mut world, 200);
        settle(&mut world);
        assert!(left(&world, &[event]).is_empty());
    }
}
