//! The objects of all clusters, with the history that watches read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::store::table::{Durable, Table};

/// So many changes of a cluster are kept for watches; an older resourceVersion is `410 Gone`, as when etcd was compacted.
const HISTORY: usize = 20_000;

/// Where an object is. Resources are named as kubectl names them: `pods`, `deployments.apps`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The cluster.
    pub cluster: String,
    /// Plural, and group when there is one.
    pub resource: String,
    /// Empty for objects of the whole cluster.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl Key {
    /// A key from its parts.
    pub fn new(cluster: &str, resource: &str, namespace: &str, name: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    fn id(&self) -> String {
        format!("{}/{}/{}/{}", self.cluster, self.resource, self.namespace, self.name)
    }

    fn read(id: &str) -> Option<Self> {
        let mut parts = id.splitn(4, '/');
        Some(Self::new(parts.next()?, parts.next()?, parts.next()?, parts.next()?))
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is new.
    Added,
    /// It changed.
    Modified,
    /// It is gone; the event holds it as it last was.
    Deleted,
}

/// One change.
#[derive(Clone, Debug)]
pub struct Event {
    /// The cluster's revision after it.
    pub revision: u64,
    /// What happened.
    pub kind: Kind,
    /// To which object.
    pub key: Key,
    /// The object after it; for [`Kind::Deleted`] as it last was, with the revision of the deletion.
    pub object: Arc<Value>,
    /// The object before it, so that a watch with a selector can tell what came into its view and what left it.
    pub before: Option<Arc<Value>>,
}

/// The asked revision is older than the history.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;

/// The objects of all clusters.
#[derive(Debug)]
pub struct Objects {
    rows: Table<Arc<Value>>,
    revisions: Table<u64>,
    history: BTreeMap<String, History>,
    /// What this transaction changed.
    pending: Vec<Event>,
}

#[derive(Debug, Default)]
struct History {
    /// Events up to this revision are not kept.
    since: u64,
    events: VecDeque<Event>,
}

impl Default for Objects {
    fn default() -> Self {
        Self {
            rows: Table::indexed("kubernetes-objects", index),
            revisions: Table::new("kubernetes-revisions"),
            history: BTreeMap::new(),
            pending: Vec::new(),
        }
    }
}

/// What objects are found by besides their place: `owner=UID`, and for pods `node=NAME`.
fn index(object: &Arc<Value>) -> Vec<String> {
    let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut keys: Vec<String> =
        owners.filter_map(|owner| owner["uid"].as_str()).map(|uid| format!("owner={uid}")).collect();
    if object["kind"] == "Pod"
        && let Some(node) = object["spec"]["nodeName"].as_str()
    {
        keys.push(format!("node={node}"));
    }
    keys
}

impl Objects {
    /// The cluster's revision: that of its last change.
    pub fn revision(&self, cluster: &str) -> u64 {
        self.revisions.get(cluster).copied().unwrap_or(1)
    }

    /// One object.
    pub fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.rows.get(&key.id())
    }

    /// The objects of a resource, by namespace and name; `None` is all namespaces.
    pub fn list<'a>(
        &'a self,
        cluster: &str,
        resource: &str,
        namespace: Option<&str>,
    ) -> impl Iterator<Item = &'a Arc<Value>> + use<'a> {
        let mut prefix = format!("{cluster}/{resource}/");
        if let Some(namespace) = namespace {
            prefix.push_str(namespace);
            prefix.push('/');
        }
        self.rows.starting_with(prefix).map(|(_, object)| object)
    }

    /// The objects of a cluster that have this key: `owner=UID`, `node=NAME`.
    pub fn with<'a>(&'a self, cluster: &'a str, key: &str) -> impl Iterator<Item = (Key, &'a Arc<Value>)> + use<'a> {
        let rows = self.rows.with(key);
        rows.filter_map(|(id, object)| Some((Key::read(id)?, object))).filter(move |(key, _)| key.cluster == cluster)
    }

    /// Everything in a cluster.
    pub fn all<'a>(&'a self, cluster: &str) -> impl Iterator<Item = (Key, &'a Arc<Value>)> + use<'a> {
        self.rows.starting_with(format!("{cluster}/")).filter_map(|(id, object)| Some((Key::read(id)?, object)))
    }

    /// Adds or replaces an object: sets its `metadata.resourceVersion` and records the change. Nothing is checked here and no
    /// other member is set; that is [`super::api`]'s.
    pub fn put(&mut self, key: &Key, mut object: Value) -> Arc<Value> {
        let before = self.get(key).cloned();
        let revision = self.next_revision(&key.cluster);
        object["metadata"]["resourceVersion"] = json!(revision.to_string());
        let object = Arc::new(object);
        self.rows.insert(key.id(), Arc::clone(&object));
        let kind = if before.is_some() { Kind::Modified } else { Kind::Added };
        self.pending.push(Event { revision, kind, key: key.clone(), object: Arc::clone(&object), before });
        object
    }

    /// Removes an object at once and records it; see [`super::api`] for deletions with finalizers.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.rows.remove(&key.id())?;
        let revision = self.next_revision(&key.cluster);
        let mut last = Value::clone(&before);
        last["metadata"]["resourceVersion"] = json!(revision.to_string());
        let object = Arc::new(last);
        self.pending.push(Event {
            revision,
            kind: Kind::Deleted,
            key: key.clone(),
            object: Arc::clone(&object),
            before: Some(before),
        });
        Some(object)
    }

    /// Removes everything of a cluster, without history.
    pub fn remove_cluster(&mut self, cluster: &str) {
        let keys: Vec<Key> = self.all(cluster).map(|(key, _)| key).collect();
        for key in keys {
            self.rows.remove(&key.id());
        }
        self.revisions.remove(cluster);
        self.history.remove(cluster);
        self.pending.retain(|event| event.key.cluster != cluster);
    }

    /// The committed changes of a cluster after a revision, oldest first.
    ///
    /// # Errors
    /// [`Gone`] when some of them are not kept any more.
    pub fn changes_after(&self, cluster: &str, revision: u64) -> Result<impl Iterator<Item = &Event>, Gone> {
        let history = self.history.get(cluster);
        if history.is_some_and(|history| revision < history.since) {
            return Err(Gone);
        }
        let events = history.map(|history| &history.events);
        let from = events.map_or(0, |events| events.partition_point(|event| event.revision <= revision));
        Ok(events.into_iter().flat_map(move |events| events.range(from..)))
    }

    fn next_revision(&mut self, cluster: &str) -> u64 {
        let next = self.revision(cluster) + 1;
        self.revisions.insert(cluster, next);
        next
    }

    pub(super) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        vec![&mut self.rows, &mut self.revisions]
    }

    /// After a start the history is empty: watches from before it must list again.
    pub(super) fn loaded(&mut self) {
        self.history = self
            .revisions
            .iter()
            .map(|(cluster, revision)| (cluster.to_owned(), History { since: *revision, events: VecDeque::new() }))
            .collect();
    }

    pub(super) fn publish(&mut self) {
        for event in std::mem::take(&mut self.pending) {
            let history = self.history.entry(event.key.cluster.clone()).or_default();
            history.events.push_back(event);
            if history.events.len() > HISTORY
                && let Some(dropped) = history.events.pop_front()
            {
                history.since = dropped.revision;
            }
        }
    }

    pub(super) fn withdraw(&mut self) {
        self.pending.clear();
    }

    pub(super) fn forget(&mut self) {
        self.pending.clear();
        self.history.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str) -> (Key, Value) {
        (
            Key::new("c", "pods", "default", name),
            json!({ "kind": "Pod", "metadata": { "name": name }, "spec": { "nodeName": "n" } }),
        )
    }

    #[test]
    fn changes_are_read_in_order_after_they_are_published() {
        let mut objects = Objects::default();
        let (a, object) = pod("a");
        objects.put(&a, object.clone());
        assert_eq!(objects.changes_after("c", 0).unwrap().count(), 0);
        objects.publish();
        objects.put(&a, object);
        objects.remove(&a);
        objects.publish();
        let kinds: Vec<Kind> = objects.changes_after("c", 2).unwrap().map(|event| event.kind).collect();
        assert_eq!(kinds, [Kind::Modified, Kind::Deleted]);
        assert_eq!(objects.revision("c"), 4);
    }

    #[test]
    fn a_start_forgets_the_history_and_says_so() {
        let mut objects = Objects::default();
        let (a, object) = pod("a");
        objects.put(&a, object);
        objects.publish();
        objects.loaded();
        assert_eq!(objects.changes_after("c", 1).map(Iterator::count), Err(Gone));
        assert_eq!(objects.changes_after("c", 2).map(Iterator::count), Ok(0));
    }

    #[test]
    fn objects_are_found_by_place_and_by_node() {
        let mut objects = Objects::default();
        for name in ["a", "b"] {
            let (key, object) = pod(name);
            objects.put(&key, object);
        }
        assert_eq!(objects.list("c", "pods", Some("default")).count(), 2);
        assert_eq!(objects.list("c", "pods", Some("other")).count(), 0);
        assert_eq!(objects.list("c", "pods", None).count(), 2);
        assert_eq!(objects.with("c", "node=n").count(), 2);
        assert_eq!(objects.with("other", "node=n").count(), 0);
    }
}
