//! Kubernetes' own types, out of the OpenAPI v3 documents that the binary carries.
//!
//! A document is read when one of its types is first asked for, and only what [`Schema`] keeps stays in memory: for all of
//! them together about 770 types with 3,100 members.

use std::collections::{BTreeSet, HashMap};
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;
use zip::ZipArchive;

use super::{GroupVersionKind, Schema, read::Written};

/// The documents; see `data/kubernetes/README.md`.
static ARCHIVE: &[u8] = include_bytes!("../../../data/kubernetes/openapi-v3.zip");

#[derive(Default)]
struct Catalog {
    /// By full name: `io.k8s.api.core.v1.PodSpec`.
    definitions: HashMap<Box<str>, Arc<Schema>>,
    kinds: HashMap<GroupVersionKind, Arc<Schema>>,
    /// Documents that were read, or that are not there.
    read: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    components: Components,
}

#[derive(Default, Deserialize)]
struct Components {
    #[serde(default)]
    schemas: HashMap<Box<str>, Written>,
}

fn catalog() -> &'static Mutex<Catalog> {
    static CATALOG: OnceLock<Mutex<Catalog>> = OnceLock::new();
    CATALOG.get_or_init(Mutex::default)
}

/// The form of one of Kubernetes' own kinds; `None` for what is not one of them.
pub fn schema(group: &str, version: &str, kind: &str) -> Option<Arc<Schema>> {
    let mut catalog = catalog().lock().unwrap_or_else(PoisonError::into_inner);
    catalog.read(group, version);
    let name = GroupVersionKind { group: group.into(), version: version.into(), kind: kind.into() };
    catalog.kinds.get(&name).cloned()
}

/// A document of the archive as it was written, JSON: `api__v1_openapi.json`, `apis__apps__v1_openapi.json`, `discovery.json`.
pub fn document(name: &str) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(ARCHIVE)).ok()?;
    let mut file = archive.by_name(name).ok()?;
    let mut content = Vec::with_capacity(usize::try_from(file.size()).unwrap_or(0));
    file.read_to_end(&mut content).ok()?;
    Some(content)
}

/// The document's name of a group and version.
pub fn document_name(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api__{version}_openapi.json")
    } else {
        format!("apis__{group}__{version}_openapi.json")
    }
}

/// A type by its full name. A document holds all that its types refer to, so that it is there once anything refers to it;
/// `ObjectMeta`, to which custom resources refer, is in the core document.
pub(super) fn definition(name: &str) -> Option<Arc<Schema>> {
    let mut catalog = catalog().lock().unwrap_or_else(PoisonError::into_inner);
    if !catalog.definitions.contains_key(name) {
        catalog.read("", "v1");
    }
    catalog.definitions.get(name).cloned()
}

impl Catalog {
    fn read(&mut self, group: &str, version: &str) {
        let name = document_name(group, version);
        if !self.read.insert(name.clone()) {
            return;
        }
        let Some(document) = document(&name) else { return };
        let Document { components } = serde_json::from_slice(&document).expect("the archive holds OpenAPI documents");
        for (name, written) in components.schemas {
            if self.definitions.contains_key(&name) {
                continue;
            }
            let mut schema = written.builtin();
            // What it holds is owned as one value (k8s.io/kube-openapi/pkg/schemaconv).
            schema.map_is_atomic = schema.map_is_atomic.or(name.ends_with(".runtime.RawExtension").then_some(true));
            schema.go = super::go_defaults::of(&name);
            let schema = Arc::new(schema);
            // Types of all groups (DeleteOptions, Status) are told apart by their only name.
            for name in &schema.names {
                self.kinds.insert(name.clone(), Arc::clone(&schema));
            }
            self.definitions.insert(name, schema);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, List};
    use super::*;

    #[test]
    fn types_are_found_by_group_version_and_kind() {
        let rows = [
            ("", "v1", "Pod", true),
            ("apps", "v1", "Deployment", true),
            ("rbac.authorization.k8s.io", "v1", "ClusterRole", true),
            ("networking.k8s.io", "v1", "NetworkPolicy", true),
            ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", true),
            ("", "v1", "Deployment", false),
            ("apps", "v2", "Deployment", false),
            ("example.com", "v1", "Widget", false),
        ];
        for (group, version, kind, is_there) in rows {
            assert_eq!(schema(group, version, kind).is_some(), is_there, "{group}/{version} {kind}");
        }
    }

    #[test]
    fn members_keep_what_patches_and_apply_need() {
        let pod = schema("", "v1", "Pod").unwrap();
        let spec = pod.property("spec").unwrap();
        let containers = spec.property("containers").unwrap();
        assert_eq!(containers.kind(), Kind::Array);
        assert_eq!(*containers.list(), List::Map(vec!["name".into()]));
        assert_eq!(containers.strategy.merge_key.as_deref(), Some("name"));
        let container = containers.items().unwrap();
        let ports = container.property("ports").unwrap();
        assert_eq!(*ports.list(), List::Map(vec!["containerPort".into(), "protocol".into()]));
        assert_eq!(ports.strategy.merge_key.as_deref(), Some("containerPort"));
        assert_eq!(*container.property("command").unwrap().list(), List::Atomic);
        let limits = container.property("resources").unwrap().property("limits").unwrap();
        assert_eq!(limits.values().unwrap().kind(), Kind::Quantity);
        assert_eq!(pod.property("metadata").unwrap().property("finalizers").map(|it| it.list()), Some(&List::Set));
        let deployment = schema("apps", "v1", "Deployment").unwrap();
        let spec = deployment.property("spec").unwrap();
        assert!(spec.property("selector").unwrap().is_atomic_map());
        assert!(spec.property("strategy").unwrap().strategy.retains_keys);
    }

    #[test]
    fn types_may_hold_themselves() {
        let definition = schema("apiextensions.k8s.io", "v1", "CustomResourceDefinition").unwrap();
        let versions = definition.property("spec").unwrap().property("versions").unwrap();
        let mut schema =
            versions.items().unwrap().property("schema").unwrap().property("openAPIV3Schema").unwrap().clone();
        for _ in 0..5 {
            let next = schema.property("properties").unwrap().values().unwrap();
            schema = Arc::clone(next);
        }
        assert!(schema.property("x-kubernetes-list-type").is_some());
    }

    #[test]
    fn an_empty_object_has_what_go_always_writes() {
        let deployment = schema("apps", "v1", "Deployment").unwrap();
        let zero = deployment.zero();
        assert_eq!(zero["spec"]["template"]["spec"], serde_json::json!({ "containers": null }));
        assert_eq!(zero["spec"]["selector"], serde_json::Value::Null);
        assert_eq!(zero["spec"]["strategy"], serde_json::json!({}));
    }
}
