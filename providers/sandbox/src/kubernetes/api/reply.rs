//! Answers, and the forms that clients accept them in.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::path::Query;
use super::resources::Resource;
use super::status::Status;
use super::{table, watch};
use crate::server::body::{Body, typed};

/// An answer before it has a form.
#[derive(Debug)]
pub(super) struct Reply {
    pub code: u16,
    pub content: Content,
    /// For `Warning` headers.
    pub warnings: Vec<String>,
}

/// What is answered.
#[derive(Debug)]
pub(super) enum Content {
    /// One object of a resource.
    Object(Arc<Resource>, Arc<Value>, Timestamp),
    /// Some of them.
    List(List),
    /// What happens from now on.
    Watch(Box<watch::Plan>),
    /// Anything else in JSON.
    Json(Value),
    /// Bytes as they are.
    Bytes { media_type: &'static str, bytes: bytes::Bytes, etag: Option<String> },
}

/// Objects of a resource.
#[derive(Debug)]
pub(super) struct List {
    pub resource: Arc<Resource>,
    pub items: Vec<Arc<Value>>,
    pub revision: u64,
    pub next: Option<String>,
    pub remaining: Option<usize>,
    pub now: Timestamp,
}

impl Reply {
    pub fn new(code: u16, content: Content) -> Self {
        Self { code, content, warnings: Vec::new() }
    }

    pub fn json(code: u16, value: Value) -> Self {
        Self::new(code, Content::Json(value))
    }

    pub fn refusal(status: &Status) -> Self {
        if status.is_plain {
            let bytes = bytes::Bytes::from(format!("{}\n", status.message));
            let media_type = "text/plain; charset=utf-8";
            return Self::new(status.code, Content::Bytes { media_type, bytes, etag: None });
        }
        Self::json(status.code, status.body())
    }
}

/// The form of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The objects as they are.
    Plain,
    /// The same in YAML.
    Yaml,
    /// Only their metadata.
    Partial,
    /// Rows for people.
    Table(IncludeObject),
}

/// What of an object stands beside its row (`includeObject`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum IncludeObject {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl IncludeObject {
    fn read(query: &Query) -> Result<Self, Status> {
        match query.get("includeObject") {
            Some("None") => Ok(Self::None),
            Some("Object") => Ok(Self::Object),
            Some("Metadata") | None => Ok(Self::Metadata),
            Some(other) => Err(Status::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: \"{other}\": must be 'Metadata', 'Object', 'None', or empty"
            ))),
        }
    }
}

impl Shape {
    /// The first form of `Accept` that there is.
    ///
    /// # Errors
    /// `NotAcceptable` when there is none, `BadRequest` for a table with what there is not.
    pub fn read(headers: &HeaderMap, path: &str, query: &Query) -> Result<Self, Status> {
        let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accept = accept.collect::<Vec<_>>().join(",");
        if accept.trim().is_empty() {
            return Ok(Self::Plain);
        }
        let found = accept.split(',').find_map(|range| Self::of_range(range, path, query));
        found.unwrap_or_else(|| Err(not_acceptable(&accept, path)))
    }

    fn of_range(range: &str, path: &str, query: &Query) -> Option<Result<Self, Status>> {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next()?;
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let parameter = |name: &str| parameters.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
        let is_meta = parameter("g") == Some("meta.k8s.io") && parameter("v") == Some("v1");
        let tells_groups = matches!(path.trim_matches('/'), "api" | "apis");
        let is_api = tells_groups || path.starts_with("/api/") || path.starts_with("/apis/");
        match (media_type, parameter("as")) {
            ("application/json", Some("Table")) if is_meta => Some(IncludeObject::read(query).map(Self::Table)),
            ("application/json", Some("PartialObjectMetadata" | "PartialObjectMetadataList")) if is_meta => {
                Some(Ok(Self::Partial))
            }
            ("application/yaml", None) => Some(Ok(Self::Yaml)),
            // Discovery reads its parameter itself; documents have media types of their own.
            ("application/json", Some("APIGroupDiscoveryList")) if tells_groups => Some(Ok(Self::Plain)),
            ("application/json" | "*/*", None)
            | ("application/jwk-set+json" | "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", _) => {
                Some(Ok(Self::Plain))
            }
            ("application/*" | "text/plain" | "text/*" | "text/html", None) if !is_api => Some(Ok(Self::Plain)),
            _ => None,
        }
    }
}

/// What is said to who accepts nothing that there is. The media type is looked at before its parameters, by another part of the
/// server with other words; custom resources do not go that way.
fn not_acceptable(accept: &str, path: &str) -> Status {
    const TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
    let is_known = |range: &str| {
        let media_type = range.split(';').next().unwrap_or("").trim();
        media_type == "*/*" || TYPES.split(", ").any(|it| it == media_type)
    };
    let place = super::path::read(path);
    let group = place.as_ref().map_or_else(|| path.split('/').nth(2).unwrap_or(""), |place| &place.group);
    if !super::resources::is_builtin_group(group) {
        let message = "only the following media types are accepted: application/json, application/yaml";
        return Status::new(406, "NotAcceptable", message);
    }
    if path.trim_matches('/') == "apis" || accept.split(',').any(is_known) {
        return Status::new(406, "NotAcceptable", format!("only the following media types are accepted: {TYPES}"));
    }
    let streams = match place {
        Some(place) if place.name.is_empty() => {
            ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
        }
        _ => "",
    };
    let message = format!("406: Not Acceptable\n\nAvailable representations: {TYPES}{streams}");
    let mut status = Status::new(406, "NotAcceptable", message);
    status.details = json!({});
    status
}

/// Puts an answer into its form.
pub(super) fn render(reply: Reply, shape: &Shape) -> Response<Body> {
    let bytes = match &reply.content {
        Content::Object(resource, object, now) => match shape {
            Shape::Table(include) => {
                let mut table = table::of(resource, std::slice::from_ref(object), *now, *include);
                table["metadata"] = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
                table.to_string().into_bytes()
            }
            Shape::Partial => partial(object).to_string().into_bytes(),
            Shape::Plain | Shape::Yaml => present(resource, object).to_string().into_bytes(),
        },
        Content::List(list) => list_bytes(list, shape),
        Content::Json(value) => value.to_string().into_bytes(),
        Content::Watch(_) => Vec::new(),
        Content::Bytes { media_type, bytes, etag } => {
            let mut response = typed(reply.code, media_type, bytes.clone());
            if let Some(etag) = etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok()) {
                response.headers_mut().insert(header::ETAG, etag);
                response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
            }
            return response;
        }
    };
    let mut response = match shape {
        Shape::Yaml => typed(reply.code, "application/yaml", yaml(&bytes)),
        _ => typed(reply.code, "application/json", bytes),
    };
    for warning in reply.warnings {
        let text = warning.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{text}\"")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}

/// The same content in YAML; JSON is YAML where that fails.
fn yaml(bytes: &[u8]) -> Vec<u8> {
    let value: Option<Value> = serde_json::from_slice(bytes).ok();
    value.and_then(|value| serde_norway::to_string(&value).ok()).map_or_else(|| bytes.to_vec(), String::into_bytes)
}

/// An object in the version that was asked for.
pub(super) fn present(resource: &Resource, object: &Arc<Value>) -> Arc<Value> {
    let api_version = resource.api_version();
    if object["apiVersion"] == api_version.as_str() && object["kind"] == resource.kind.as_str() {
        return Arc::clone(object);
    }
    Arc::new(super::versions::convert(Value::clone(object), resource))
}

/// The metadata of an object.
pub(super) fn partial(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

fn list_bytes(list: &List, shape: &Shape) -> Vec<u8> {
    let mut metadata = json!({ "resourceVersion": list.revision.to_string() });
    if let Some(next) = &list.next {
        metadata["continue"] = json!(next);
    } else if list.resource.definition.is_some() && matches!(shape, Shape::Plain | Shape::Yaml) {
        // Lists of custom resources have it in any case.
        metadata["continue"] = json!("");
    }
    if let Some(remaining) = list.remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    match shape {
        Shape::Table(include) => {
            let mut table = table::of(&list.resource, &list.items, list.now, *include);
            table["metadata"] = metadata;
            table.to_string().into_bytes()
        }
        Shape::Partial => {
            let items: Vec<Value> = list.items.iter().map(|object| partial(object)).collect();
            let list = json!({ "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items });
            list.to_string().into_bytes()
        }
        Shape::Plain | Shape::Yaml => plain_list(list, &metadata),
    }
}

/// A list written item by item: 5,000 pods are not copied to be written.
fn plain_list(list: &List, metadata: &Value) -> Vec<u8> {
    let resource = &list.resource;
    let head = format!(
        "{{\"kind\":{},\"apiVersion\":{},\"metadata\":{metadata},\"items\":[",
        json!(resource.list_kind),
        json!(resource.api_version())
    );
    let mut bytes = head.into_bytes();
    for (at, object) in list.items.iter().enumerate() {
        if at > 0 {
            bytes.push(b',');
        }
        write_item(&mut bytes, resource, object);
    }
    bytes.extend_from_slice(b"]}");
    bytes
}

/// Built-in kinds leave `kind` and `apiVersion` to the list; custom ones repeat them.
fn write_item(bytes: &mut Vec<u8>, resource: &Resource, object: &Arc<Value>) {
    let object = present(resource, object);
    let write = |bytes: &mut Vec<u8>, value: &Value| {
        serde_json::to_writer(bytes, value).expect("JSON values are always written to memory");
    };
    let Some(members) = object.as_object().filter(|_| resource.definition.is_none()) else {
        return write(bytes, &object);
    };
    bytes.push(b'{');
    let mut is_first = true;
    for (name, value) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "kind" | "apiVersion")) {
        if !std::mem::take(&mut is_first) {
            bytes.push(b',');
        }
        write(bytes, &json!(name));
        bytes.push(b':');
        write(bytes, value);
    }
    bytes.push(b'}');
}
