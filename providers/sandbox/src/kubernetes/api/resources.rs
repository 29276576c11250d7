//! Which resources a cluster serves: the built-in ones, and those of its CustomResourceDefinitions.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_json::Value;

use crate::kubernetes::objects::{Key, Objects};

/// The resource that CustomResourceDefinitions are.
pub const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// A resource in one version of its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `deployments`.
    pub plural: String,
    /// `deployment`.
    pub singular: String,
    /// `Deployment`.
    pub kind: String,
    /// `DeploymentList`.
    pub list_kind: String,
    /// Whether its objects live in namespaces.
    pub is_namespaced: bool,
    /// `deploy`.
    pub short_names: Vec<String>,
    /// `all`.
    pub categories: Vec<String>,
    /// `get`, `list`, ...
    pub verbs: Vec<String>,
    /// By name.
    pub subresources: Vec<Subresource>,
    /// The definition, when it is not a built-in one, and the place of this version in it.
    pub definition: Option<(Arc<Value>, usize)>,
}

/// A part of a resource that is read or written apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subresource {
    /// `status`.
    pub name: String,
    /// Group, version and kind of its bodies; empty ones are the resource's.
    pub group: String,
    /// See `group`.
    pub version: String,
    /// See `group`.
    pub kind: String,
    /// `get`, `patch`, `update`, `create`.
    pub verbs: Vec<String>,
}

impl Resource {
    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }

    /// The name with the group, as in messages: `pods`, `deployments.apps`.
    pub fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// The name under which its objects are stored. Events of both groups are the same objects.
    pub fn stored(&self) -> String {
        if self.group == "events.k8s.io" { self.plural.clone() } else { self.qualified() }
    }

    /// Whether a part is served.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|it| it.name == name)
    }

    /// Whether a verb is.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|it| it == verb)
    }

    /// The version's part of its definition.
    pub fn definition_version(&self) -> Option<&Value> {
        let (definition, version) = self.definition.as_ref()?;
        definition["spec"]["versions"].get(*version)
    }

    /// Where one of its objects is.
    pub fn key(&self, cluster: &str, namespace: &str, name: &str) -> Key {
        Key::new(cluster, &self.stored(), if self.is_namespaced { namespace } else { "" }, name)
    }
}

/// `v1`, `apps/v1`.
pub fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// Aggregated discovery, as upstream publishes it.
#[derive(Debug, Deserialize)]
struct Discovery {
    items: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    metadata: Metadata,
    versions: Vec<Version>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Version {
    version: String,
    resources: Vec<Described>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    resource: String,
    response_kind: ResponseKind,
    scope: String,
    singular_resource: String,
    #[serde(default)]
    short_names: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    verbs: Vec<String>,
    #[serde(default)]
    subresources: Vec<DescribedPart>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribedPart {
    subresource: String,
    response_kind: ResponseKind,
    verbs: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ResponseKind {
    group: String,
    version: String,
    kind: String,
}

struct Builtin {
    /// In the order of discovery, which decides for clients where two groups have a resource of the same name.
    all: Vec<Arc<Resource>>,
    by_place: BTreeMap<(String, String, String), Arc<Resource>>,
}

static BUILTIN: LazyLock<Builtin> = LazyLock::new(|| {
    let text = include_str!("../../../data/kubernetes/discovery.json");
    let discovery: Discovery = serde_json::from_str(text).expect("the file is what a test reads");
    let mut all = Vec::new();
    for group in discovery.items {
        for version in group.versions {
            for described in version.resources {
                all.push(Arc::new(read(&group.metadata.name, &version.version, described)));
            }
        }
    }
    let place = |it: &Arc<Resource>| (it.group.clone(), it.version.clone(), it.plural.clone());
    Builtin { by_place: all.iter().map(|it| (place(it), Arc::clone(it))).collect(), all }
});

fn read(group: &str, version: &str, it: Described) -> Resource {
    let part = |part: DescribedPart| Subresource {
        name: part.subresource,
        group: part.response_kind.group,
        version: part.response_kind.version,
        kind: part.response_kind.kind,
        verbs: part.verbs,
    };
    Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: it.resource,
        singular: it.singular_resource,
        list_kind: format!("{}List", it.response_kind.kind),
        kind: it.response_kind.kind,
        is_namespaced: it.scope == "Namespaced",
        short_names: it.short_names,
        categories: it.categories,
        verbs: it.verbs,
        subresources: it.subresources.into_iter().map(part).collect(),
        definition: None,
    }
}

/// A built-in resource.
pub fn builtin(group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
    BUILTIN.by_place.get(&(group.to_owned(), version.to_owned(), plural.to_owned())).cloned()
}

/// The built-in resource that objects are stored as (`pods`, `deployments.apps`), in its preferred version.
pub fn builtin_stored(stored: &str) -> Option<Arc<Resource>> {
    let (plural, group) = stored.split_once('.').unwrap_or((stored, ""));
    BUILTIN.all.iter().find(|it| it.plural == plural && it.group == group).cloned()
}

/// All built-in resources, in the order of discovery.
pub fn builtins() -> &'static [Arc<Resource>] {
    &BUILTIN.all
}

/// Whether the group belongs to Kubernetes itself.
pub fn is_builtin_group(group: &str) -> bool {
    BUILTIN.all.iter().any(|it| it.group == group)
}

/// A resource of a cluster.
pub fn find(objects: &Objects, cluster: &str, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
    builtin(group, version, plural).or_else(|| {
        let key = Key::new(cluster, DEFINITIONS, "", &format!("{plural}.{group}"));
        let definition = objects.get(&key)?;
        custom(definition).into_iter().find(|it| it.version == version).map(Arc::new)
    })
}

/// The resource of a cluster that an object's `apiVersion` and `kind` mean.
pub fn of_kind(objects: &Objects, cluster: &str, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let fits = |it: &Resource| it.group == group && it.version == version && it.kind == kind;
    let builtin = BUILTIN.all.iter().find(|it| fits(it)).cloned();
    builtin.or_else(|| customs(objects, cluster).find(|it| fits(it)).map(Arc::new))
}

/// The resource of a cluster that a kind means in any version of its group.
pub fn of_group_kind(objects: &Objects, cluster: &str, group: &str, kind: &str) -> Option<Arc<Resource>> {
    let fits = |it: &Resource| it.group == group && it.kind == kind;
    let builtin = BUILTIN.all.iter().find(|it| fits(it)).cloned();
    builtin.or_else(|| customs(objects, cluster).find(|it| fits(it)).map(Arc::new))
}

/// The resource of a cluster under which objects are stored.
pub fn of_stored(objects: &Objects, cluster: &str, stored: &str) -> Option<Arc<Resource>> {
    builtin_stored(stored).or_else(|| {
        let definition = objects.get(&Key::new(cluster, DEFINITIONS, "", stored))?;
        custom(definition).into_iter().next().map(Arc::new)
    })
}

/// The served versions of all definitions of a cluster, by definition, the preferred version first.
pub fn customs(objects: &Objects, cluster: &str) -> impl Iterator<Item = Resource> {
    objects.list(cluster, DEFINITIONS, None).flat_map(custom)
}

/// The served versions of a definition, the preferred one first; none while its names are not accepted.
pub fn custom(definition: &Arc<Value>) -> Vec<Resource> {
    let conditions = definition["status"]["conditions"].as_array().into_iter().flatten();
    let mut established = conditions.filter(|it| it["type"] == "Established");
    if established.any(|it| it["status"] != "True") {
        return Vec::new();
    }
    let versions = definition["spec"]["versions"].as_array().into_iter().flatten().enumerate();
    let served = versions.filter(|(_, version)| version["served"] == true);
    let mut resources: Vec<Resource> =
        served.map(|(place, version)| custom_version(definition, place, version)).collect();
    resources.sort_by_key(|it| std::cmp::Reverse(priority(&it.version)));
    resources
}

fn custom_version(definition: &Arc<Value>, place: usize, version: &Value) -> Resource {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let texts = |value: &Value| value.as_array().into_iter().flatten().map(text).collect();
    let kind = text(&names["kind"]);
    let or = |value: &Value, default: String| value.as_str().map_or(default, str::to_owned);
    let verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
    let verbs_of_part = ["get", "patch", "update"];
    let part = |name: &str, group: &str, version: &str, kind: &str| Subresource {
        name: name.to_owned(),
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        verbs: verbs_of_part.map(str::to_owned).to_vec(),
    };
    let parts = &version["subresources"];
    let status = (!parts["status"].is_null()).then(|| part("status", "", "", &kind));
    let scale = (!parts["scale"].is_null()).then(|| part("scale", "autoscaling", "v1", "Scale"));
    Resource {
        group: text(&spec["group"]),
        version: text(&version["name"]),
        plural: text(&names["plural"]),
        singular: or(&names["singular"], kind.to_lowercase()),
        list_kind: or(&names["listKind"], format!("{kind}List")),
        is_namespaced: spec["scope"] == "Namespaced",
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        verbs: verbs.map(str::to_owned).to_vec(),
        subresources: status.into_iter().chain(scale).collect(),
        definition: Some((Arc::clone(definition), place)),
        kind,
    }
}

/// Kubernetes' order of versions: GA before beta before alpha, then by number; others last, by name.
/// Source: "CustomResourceDefinition Versioning", Version priority.
pub fn priority(version: &str) -> (u8, u64, u64, std::cmp::Reverse<String>) {
    let other = || (0, 0, 0, std::cmp::Reverse(version.to_owned()));
    let Some(rest) = version.strip_prefix('v') else { return other() };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let Ok(major) = rest[..digits].parse() else { return other() };
    let stage = |name: &str| rest[digits..].strip_prefix(name).and_then(|minor| minor.parse().ok());
    let none = std::cmp::Reverse(String::new());
    match (&rest[digits..], stage("beta"), stage("alpha")) {
        ("", _, _) => (3, major, 0, none),
        (_, Some(minor), _) => (2, major, minor, none),
        (_, _, Some(minor)) => (1, major, minor, none),
        _ => other(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_resources_are_found_by_place() {
        let deployments = builtin("apps", "v1", "deployments").unwrap();
        assert_eq!((deployments.kind.as_str(), deployments.stored().as_str()), ("Deployment", "deployments.apps"));
        assert_eq!(deployments.subresource("scale").unwrap().group, "autoscaling");
        assert_eq!(builtin("events.k8s.io", "v1", "events").unwrap().stored(), "events");
        assert!(builtin("storagemigration.k8s.io", "v1beta1", "storageversionmigrations").is_none());
        assert_eq!(builtin_stored("horizontalpodautoscalers.autoscaling").unwrap().version, "v2");
    }

    #[test]
    fn versions_are_ordered_as_kubernetes_does() {
        let mut versions =
            ["foo10", "v11alpha2", "v1", "v3beta1", "v10", "foo1", "v12alpha1", "v2", "v10beta3", "v11beta2"];
        versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        assert_eq!(
            versions,
            ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"]
        );
    }
}
