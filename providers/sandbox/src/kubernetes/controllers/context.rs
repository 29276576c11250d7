//! What a controller has in its hands: the world, its cluster, its queue.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::queue::{Item, Queue};
use super::{Caches, Name};
use crate::kubernetes::life::{self, Deletion};
use crate::kubernetes::objects::Key;
use crate::world::World;

/// A cluster as its controllers see it.
pub(crate) struct Context<'a> {
    /// Everything.
    pub world: &'a mut World,
    /// The cluster's name.
    pub cluster: &'a str,
    /// What there is to do.
    pub queue: &'a mut Queue,
    /// What controllers remember between two looks; all of it follows from the objects.
    pub caches: &'a mut Caches,
}

impl Context<'_> {
    /// The time.
    pub fn now(&self) -> Timestamp {
        self.world.now
    }

    /// The time in whole seconds, as text.
    pub fn time(&self) -> String {
        life::seconds(self.world)
    }

    /// A key in this cluster.
    pub fn key(&self, resource: &str, namespace: &str, name: &str) -> Key {
        Key::new(self.cluster, resource, namespace, name)
    }

    /// An object.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.world.kubernetes.objects.get(&self.key(resource, namespace, name)).cloned()
    }

    /// The objects of a resource; `None` is all namespaces.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.world.kubernetes.objects.list(self.cluster, resource, namespace).cloned().collect()
    }

    /// The objects of a resource that an owner controls, by its uid.
    pub fn owned(&self, resource: &str, uid: &str) -> Vec<Arc<Value>> {
        let key = format!("owner={uid}");
        let owned = self.world.kubernetes.objects.with(self.cluster, &key);
        let is_controlled = |object: &Value| controller_of(object).is_some_and(|owner| owner["uid"] == uid);
        owned
            .filter(|(key, object)| key.resource == resource && is_controlled(object))
            .map(|(_, object)| Arc::clone(object))
            .collect()
    }

    /// The pods of a node.
    pub fn pods_on(&self, node: &str) -> Vec<Arc<Value>> {
        let key = format!("node={node}");
        let pods = self.world.kubernetes.objects.with(self.cluster, &key);
        pods.map(|(_, pod)| Arc::clone(pod)).collect()
    }

    /// Makes an object; nothing is checked.
    pub fn create(&mut self, resource: &str, namespace: &str, name: &str, object: Value) -> Arc<Value> {
        let key = self.key(resource, namespace, name);
        life::create(self.world, &key, object)
    }

    /// Changes an object.
    pub fn update(
        &mut self,
        resource: &str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Option<Arc<Value>> {
        let key = self.key(resource, namespace, name);
        life::update(self.world, &key, change)
    }

    /// Deletes an object as `kubectl delete` does.
    pub fn delete(&mut self, resource: &str, namespace: &str, name: &str) {
        let key = self.key(resource, namespace, name);
        life::delete(self.world, &key, Deletion::default());
    }

    /// Deletes an object at once.
    pub fn delete_now(&mut self, resource: &str, namespace: &str, name: &str) {
        let key = self.key(resource, namespace, name);
        life::delete(self.world, &key, Deletion { grace: Some(0), ..Deletion::default() });
    }

    /// Lets a controller look at something now.
    pub fn enqueue(&mut self, controller: Name, namespace: &str, name: &str) {
        self.queue.add(Item::new(controller, namespace, name));
    }

    /// Lets a controller look at something after a while.
    pub fn enqueue_after(&mut self, controller: Name, namespace: &str, name: &str, after: Duration) {
        let at = self.world.now.checked_add(after).unwrap_or(Timestamp::MAX);
        self.queue.add_at(Item::new(controller, namespace, name), at);
    }
}

/// An object's text at `metadata.NAME`; empty when there is none.
pub(crate) fn meta<'a>(object: &'a Value, name: &str) -> &'a str {
    object["metadata"][name].as_str().unwrap_or_default()
}

/// The owner that controls an object.
pub(crate) fn controller_of(object: &Value) -> Option<&Value> {
    object["metadata"]["ownerReferences"].as_array()?.iter().find(|owner| owner["controller"] == true)
}

/// A reference to an owner that controls.
pub(crate) fn owner_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

/// Whether an object is being deleted.
pub(crate) fn is_going(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// A time that an object has; `None` when it is missing or no time.
pub(crate) fn time_of(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Sets a condition in a list of them; `lastTransitionTime` changes with the status only.
pub(crate) fn set_condition(conditions: &mut Value, now: &str, mut condition: Value) {
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(list) = conditions.as_array_mut() else { return };
    match list.iter_mut().find(|it| it["type"] == condition["type"]) {
        Some(old) => {
            let is_same = old["status"] == condition["status"];
            condition["lastTransitionTime"] = if is_same { old["lastTransitionTime"].clone() } else { json!(now) };
            *old = condition;
        }
        None => {
            condition["lastTransitionTime"] = json!(now);
            list.push(condition);
        }
    }
}

/// Whether a condition is `True`.
pub(crate) fn has_condition(object: &Value, name: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|it| it["type"] == name && it["status"] == "True")
}
