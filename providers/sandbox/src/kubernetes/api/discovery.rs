//! What a server says of itself: versions, groups, resources, health.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::reply::{Content, Reply};
use super::resources::{self, Resource, Subresource};
use super::status::Status;
use crate::world::World;

/// Kubernetes' version.
pub const VERSION: &str = "v1.36.3";

/// Paths that anybody may read.
pub(super) fn is_public(path: &str) -> bool {
    let first = path.trim_matches('/').split('/').next().unwrap_or("");
    matches!(first, "healthz" | "livez" | "readyz" | "version")
}

/// Paths that say how the server is, in plain text.
pub(super) fn is_health(path: &str) -> bool {
    is_public(path) && !path.starts_with("/version")
}

/// Answers a path that names no resource.
pub(super) fn answer(world: &mut World, cluster: &str, request: &Request<Bytes>) -> Result<Reply, Status> {
    let path = request.uri().path();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let served = all(world, cluster);
    let all = || served.as_slice();
    match segments[..] {
        [""] => Ok(Reply::json(200, json!({ "paths": paths(all()) }))),
        ["version"] => Ok(Reply::json(200, version())),
        [check @ ("healthz" | "livez" | "readyz")] => Ok(health(check, request.uri().query().unwrap_or(""))),
        ["healthz" | "livez" | "readyz", "ping" | "etcd"] => Ok(text("ok")),
        ["api"] if is_aggregated(request) => Ok(aggregated(request, all(), |group| group.is_empty())),
        ["apis"] if is_aggregated(request) => Ok(aggregated(request, all(), |group| !group.is_empty())),
        ["api"] => {
            let address = world.kubernetes.clusters.get(cluster).map(|row| format!("127.0.0.1:{}", row.port));
            let addresses = json!([{ "clientCIDR": "0.0.0.0/0", "serverAddress": address }]);
            Ok(Reply::json(
                200,
                json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses }),
            ))
        }
        ["apis"] => {
            let groups: Vec<Value> = groups(all()).iter().filter(|it| !it.name.is_empty()).map(Group::legacy).collect();
            Ok(Reply::json(200, json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })))
        }
        ["apis", name] => {
            let found = groups(all()).into_iter().find(|it| it.name == name);
            let group = found.ok_or_else(|| Status::no_such_place(name))?;
            let mut group = group.legacy();
            (group["kind"], group["apiVersion"]) = (json!("APIGroup"), json!("v1"));
            Ok(Reply::json(200, group))
        }
        ["api", version] => resource_list(all(), "", version),
        ["apis", group, version] => resource_list(all(), group, version),
        _ => super::documents::answer(world, cluster, request, &segments),
    }
}

/// `ok`, or with `?verbose` what was looked at.
fn health(check: &str, query: &str) -> Reply {
    if query.split('&').any(|pair| pair == "verbose" || pair.starts_with("verbose=")) {
        let bytes = Bytes::from(format!("[+]ping ok\n[+]etcd ok\n{check} check passed\n"));
        let media_type = "text/plain; charset=utf-8";
        return Reply::new(200, Content::Bytes { media_type, bytes, etag: None });
    }
    text("ok")
}

/// An answer in plain text.
pub(super) fn text(text: &'static str) -> Reply {
    Reply::new(
        200,
        Content::Bytes {
            media_type: "text/plain; charset=utf-8",
            bytes: Bytes::from_static(text.as_bytes()),
            etag: None,
        },
    )
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35", "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.26", "compiler": "gc", "platform": "linux/amd64",
    })
}

/// Everything that a cluster serves, in the order of discovery.
pub(super) fn all(world: &World, cluster: &str) -> Vec<Arc<Resource>> {
    let custom = resources::customs(&world.kubernetes.objects, cluster).map(Arc::new);
    resources::builtins().iter().cloned().chain(custom).collect()
}

/// A group with its versions, the preferred one first.
struct Group<'a> {
    name: &'a str,
    versions: Vec<(&'a str, Vec<&'a Arc<Resource>>)>,
}

impl Group<'_> {
    fn legacy(&self) -> Value {
        let version =
            |version: &str| json!({ "groupVersion": resources::api_version(self.name, version), "version": version });
        let versions: Vec<Value> = self.versions.iter().map(|(name, _)| version(name)).collect();
        json!({ "name": self.name, "versions": versions, "preferredVersion": versions[0] })
    }
}

/// Built-in groups in their order, then custom ones by name.
fn groups(all: &[Arc<Resource>]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in all {
        let place = *places.entry(&resource.group).or_insert_with(|| {
            groups.push(Group { name: &resource.group, versions: Vec::new() });
            groups.len() - 1
        });
        let versions = &mut groups[place].versions;
        match versions.iter_mut().find(|(version, _)| *version == resource.version) {
            Some((_, resources)) => resources.push(resource),
            None => versions.push((&resource.version, vec![resource])),
        }
    }
    for group in groups.iter_mut().filter(|group| !resources::is_builtin_group(group.name)) {
        group.versions.sort_by_key(|(version, _)| std::cmp::Reverse(resources::priority(version)));
    }
    groups
}

fn paths(all: &[Arc<Resource>]) -> Vec<String> {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    for group in groups(all).iter().filter(|group| !group.name.is_empty()) {
        paths.push(format!("/apis/{}", group.name));
        paths.extend(group.versions.iter().map(|(version, _)| format!("/apis/{}/{version}", group.name)));
    }
    paths.extend(
        ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/openid/v1/jwks", "/readyz", "/version"]
            .map(str::to_owned),
    );
    paths
}

fn resource_list(all: &[Arc<Resource>], group: &str, version: &str) -> Result<Reply, Status> {
    let mut resources = Vec::new();
    for it in all.iter().filter(|it| it.group == group && it.version == version) {
        let mut described = json!({
            "name": it.plural, "singularName": it.singular, "namespaced": it.is_namespaced, "kind": it.kind, "verbs": it.verbs,
        });
        for (member, values) in [("shortNames", &it.short_names), ("categories", &it.categories)] {
            if !values.is_empty() {
                described[member] = json!(values);
            }
        }
        resources.push(described);
        resources.extend(it.subresources.iter().map(|part| legacy_part(it, part)));
    }
    if resources.is_empty() {
        return Err(Status::no_such_place(group));
    }
    let version = resources::api_version(group, version);
    let mut list = json!({ "kind": "APIResourceList", "groupVersion": version, "resources": resources });
    // The core group's list has none, for clients that are older than groups.
    if !group.is_empty() {
        list["apiVersion"] = json!("v1");
    }
    Ok(Reply::json(200, list))
}

fn legacy_part(resource: &Resource, part: &Subresource) -> Value {
    let mut described = json!({
        "name": format!("{}/{}", resource.plural, part.name), "singularName": "", "namespaced": resource.is_namespaced,
        "kind": part.kind, "verbs": part.verbs,
    });
    for (member, value) in [("group", &part.group), ("version", &part.version)] {
        if !value.is_empty() {
            described[member] = json!(value);
        }
    }
    described
}

fn is_aggregated(request: &Request<Bytes>) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    accept.split(',').map(|range| range.replace(' ', "")).any(|range| {
        ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList", "application/json"]
            .iter()
            .all(|part| range.split(';').any(|it| it == *part))
    })
}

fn aggregated(request: &Request<Bytes>, all: &[Arc<Resource>], is_asked: impl Fn(&str) -> bool) -> Reply {
    let items: Vec<Value> = groups(all).iter().filter(|group| is_asked(group.name)).map(aggregated_group).collect();
    let list = json!({ "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items });
    let bytes = list.to_string().into_bytes();
    with_etag(request, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", bytes)
}

/// An answer that a client need not read again while it is the same.
pub(super) fn with_etag(request: &Request<Bytes>, media_type: &'static str, bytes: Vec<u8>) -> Reply {
    let etag = format!("\"{}\"", hash(&bytes));
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| known == etag);
    let (code, bytes) = if is_known { (304, Bytes::new()) } else { (200, Bytes::from(bytes)) };
    Reply::new(code, Content::Bytes { media_type, bytes, etag: Some(etag) })
}

/// SHA-512 is what the API server takes; half of it tells as much.
pub(super) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn aggregated_group(group: &Group<'_>) -> Value {
    let versions = group.versions.iter().map(|(version, resources)| {
        let resources: Vec<Value> = resources.iter().map(|it| aggregated_resource(it)).collect();
        json!({ "version": version, "freshness": "Current", "resources": resources })
    });
    let mut metadata = json!({});
    if !group.name.is_empty() {
        metadata["name"] = json!(group.name);
    }
    json!({ "metadata": metadata, "versions": versions.collect::<Vec<_>>() })
}

fn aggregated_resource(it: &Resource) -> Value {
    let mut described = json!({
        "resource": it.plural,
        "responseKind": response_kind(it, "", "", &it.kind),
        "scope": if it.is_namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": it.singular,
        "verbs": it.verbs,
    });
    for (member, values) in [("shortNames", &it.short_names), ("categories", &it.categories)] {
        if !values.is_empty() {
            described[member] = json!(values);
        }
    }
    let part = |part: &Subresource| {
        json!({
            "subresource": part.name, "responseKind": response_kind(it, &part.group, &part.version, &part.kind),
            "verbs": part.verbs,
        })
    };
    if !it.subresources.is_empty() {
        described["subresources"] = it.subresources.iter().map(part).collect();
    }
    described
}

/// The kind of answers. Kubernetes' own resources leave out that it is of their group and version.
fn response_kind(it: &Resource, group: &str, version: &str, kind: &str) -> Value {
    let is_own = version.is_empty();
    let (group, version) =
        if is_own && it.definition.is_some() { (it.group.as_str(), it.version.as_str()) } else { (group, version) };
    json!({ "group": group, "version": version, "kind": kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_order_and_their_preferred_version() {
        let groups = groups(resources::builtins());
        let names: Vec<&str> = groups.iter().map(|group| group.name).collect();
        assert_eq!(names[..4], ["", "apiregistration.k8s.io", "apps", "events.k8s.io"]);
        let autoscaling = groups.iter().find(|group| group.name == "autoscaling").unwrap();
        assert_eq!(autoscaling.legacy()["preferredVersion"]["version"], "v2");
    }
}
