//! The OpenAPI documents.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::discovery::{hash, with_etag};
use super::reply::{Content, Reply};
use super::resources::{self, Resource};
use super::status::Status;
use crate::kubernetes::schema::catalog;
use crate::world::World;

/// Answers a path that is neither a resource nor discovery.
pub(super) fn answer(
    world: &mut World,
    cluster: &str,
    request: &Request<Bytes>,
    segments: &[&str],
) -> Result<Reply, Status> {
    match segments {
        ["openapi", "v2"] => Ok(super::swagger::answer(world, cluster, request)),
        ["openapi", "v3"] => Ok(index(world, cluster, request)),
        ["openapi", "v3", rest @ ..] => document(world, cluster, request, &rest.join("/")),
        [".well-known", "openid-configuration"] => Ok(super::tokens::configuration(world, cluster)),
        ["openid", "v1", "jwks"] => super::tokens::keys(world, cluster),
        _ => Err(Status::no_such_place("no.such.group")),
    }
}

/// The archive's documents by path, without those of versions that are not served.
static DOCUMENTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let mut documents = BTreeMap::new();
    let mut versions: Vec<(&str, &str)> =
        resources::builtins().iter().map(|it| (it.group.as_str(), it.version.as_str())).collect();
    versions.dedup();
    for (group, version) in versions {
        let path = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
        documents.insert(path, catalog::document_name(group, version));
    }
    documents.insert("version".to_owned(), "version_openapi.json".to_owned());
    documents
});

/// The built-in documents.
pub(super) fn builtin() -> impl Iterator<Item = Value> {
    DOCUMENTS.values().filter_map(|name| serde_json::from_slice(&catalog::document(name)?).ok())
}

/// Where each document is, with its hash: clients keep them by it.
fn index(world: &World, cluster: &str, request: &Request<Bytes>) -> Reply {
    let url = |path: &str, hash: &str| json!({ "serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}") });
    // The built-in documents are those of the version.
    let builtin = hash(super::discovery::VERSION.as_bytes());
    let mut paths: serde_json::Map<String, Value> =
        DOCUMENTS.keys().map(|path| (path.clone(), url(path, &builtin))).collect();
    for (path, resources) in customs(world, cluster) {
        let definitions: Vec<u8> = resources
            .iter()
            .filter_map(|it| it.definition.as_ref())
            .flat_map(|(definition, _)| {
                let metadata = &definition["metadata"];
                format!("{}{}", metadata["uid"], metadata["generation"]).into_bytes()
            })
            .collect();
        let url = url(&path, &hash(&definitions));
        paths.insert(path, url);
    }
    with_etag(request, "application/json", json!({ "paths": paths }).to_string().into_bytes())
}

/// Custom resources by the path of their document.
pub(super) fn customs(world: &World, cluster: &str) -> BTreeMap<String, Vec<Resource>> {
    let mut paths: BTreeMap<String, Vec<Resource>> = BTreeMap::new();
    for resource in resources::customs(&world.kubernetes.objects, cluster) {
        let path = format!("apis/{}/{}", resource.group, resource.version);
        paths.entry(path).or_default().push(resource);
    }
    paths
}

fn document(world: &World, cluster: &str, request: &Request<Bytes>, path: &str) -> Result<Reply, Status> {
    if let Some(name) = DOCUMENTS.get(path) {
        let bytes = catalog::document(name).ok_or_else(Status::no_such_path)?;
        return Ok(Reply::new(200, Content::Bytes { media_type: "application/json", bytes: bytes.into(), etag: None }));
    }
    let resources = customs(world, cluster).remove(path).ok_or_else(Status::no_such_path)?;
    Ok(with_etag(request, "application/json", custom(&resources).to_string().into_bytes()))
}

/// The document of custom resources of one group and version: what `kubectl explain` and validation read of it.
pub(super) fn custom(resources: &[Resource]) -> Value {
    let (mut schemas, mut paths) = (serde_json::Map::new(), serde_json::Map::new());
    for resource in resources {
        let group: Vec<&str> = resource.group.rsplit('.').collect();
        let name = format!("{}.{}.{}", group.join("."), resource.version, resource.kind);
        schemas.insert(name.clone(), schema(resource));
        for (path, path_item) in operations(resource, &name) {
            paths.insert(path, path_item);
        }
    }
    schemas.extend(META.iter().map(|(name, schema)| (name.clone(), schema.clone())));
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes CRD Swagger", "version": "v0.1.0" },
        "components": { "schemas": schemas },
        "paths": paths,
    })
}

/// The types to which custom resources refer: `ObjectMeta` and its parts.
static META: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    const PREFIX: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
    let bytes = catalog::document("apis__node.k8s.io__v1_openapi.json").unwrap_or_default();
    let mut document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let schemas = document["components"]["schemas"].take();
    let schemas = schemas.as_object().cloned().unwrap_or_default().into_iter();
    let wanted = ["ObjectMeta", "ManagedFieldsEntry", "FieldsV1", "OwnerReference", "Time"];
    schemas.filter(|(name, _)| name.strip_prefix(PREFIX).is_some_and(|name| wanted.contains(&name))).collect()
});

const API_VERSION: &str = "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const KIND: &str = "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const METADATA: &str = "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

fn schema(resource: &Resource) -> Value {
    let version = resource.definition_version().unwrap_or(&Value::Null);
    let mut schema = version["schema"]["openAPIV3Schema"].clone();
    if !schema.is_object() {
        schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    }
    let properties = &mut schema["properties"];
    if !properties.is_object() {
        *properties = json!({});
    }
    properties["apiVersion"] = json!({ "type": "string", "description": API_VERSION });
    properties["kind"] = json!({ "type": "string", "description": KIND });
    properties["metadata"] = json!({
        "description": METADATA,
        "allOf": [{ "$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }],
    });
    schema["x-kubernetes-group-version-kind"] = json!([kind(resource)]);
    schema
}

fn kind(resource: &Resource) -> Value {
    json!({ "group": resource.group, "version": resource.version, "kind": resource.kind })
}

/// The paths: clients learn from them which kind is where and that changes take `fieldValidation`.
fn operations(resource: &Resource, name: &str) -> Vec<(String, Value)> {
    let scope = if resource.is_namespaced { "namespaces/{namespace}/" } else { "" };
    let collection = format!("/apis/{}/{}/{scope}{}", resource.group, resource.version, resource.plural);
    let content = json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } });
    let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation"]
        .iter()
        .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } }))
        .collect();
    let operation = |action: &str| {
        let mut operation = json!({
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": kind(resource),
            "responses": { "200": { "description": "OK", "content": content } },
        });
        if matches!(action, "post" | "put" | "patch") {
            operation["parameters"] = json!(parameters);
        }
        operation
    };
    vec![
        (collection.clone(), json!({ "get": operation("list"), "post": operation("post") })),
        (
            format!("{collection}/{{name}}"),
            json!({ "get": operation("get"), "put": operation("put"), "patch": operation("patch"), "delete": operation("delete") }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_served_version_has_a_document() {
        for name in DOCUMENTS.values() {
            assert!(catalog::document(name).is_some(), "{name}");
        }
        assert_eq!(META.len(), 5);
    }
}
