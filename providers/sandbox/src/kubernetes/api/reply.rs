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
    fn read(query: &Query) -> Self {
        match query.get("includeObject") {
            Some("None") => Self::None,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

impl Shape {
    /// The first form of `Accept` that there is.
    ///
    /// # Errors
    /// `NotAcceptable` when there is none.
    pub fn read(headers: &HeaderMap, query: &Query) -> Result<Self, Status> {
        let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accept = accept.collect::<Vec<_>>().join(",");
        if accept.trim().is_empty() {
            return Ok(Self::Plain);
        }
        accept.split(',').find_map(|range| Self::of_range(range, query)).ok_or_else(|| {
            let message = "only the following media types are accepted: application/json, application/yaml";
            Status::new(406, "NotAcceptable", message)
        })
    }

    fn of_range(range: &str, query: &Query) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next()?;
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let parameter = |name: &str| parameters.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
        let is_meta = parameter("g") == Some("meta.k8s.io") && parameter("v") == Some("v1");
        match (media_type, parameter("as")) {
            ("application/json", Some("Table")) if is_meta => Some(Self::Table(IncludeObject::read(query))),
            ("application/json", Some("PartialObjectMetadata" | "PartialObjectMetadataList")) if is_meta => {
                Some(Self::Partial)
            }
            ("application/yaml", None) => Some(Self::Yaml),
            // Discovery reads its parameter itself; documents have media types of their own.
            ("application/json", Some("APIGroupDiscoveryList"))
            | ("application/json" | "application/*" | "*/*" | "text/plain" | "text/*" | "text/html", None)
            | ("application/jwk-set+json" | "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", _) => {
                Some(Self::Plain)
            }
            _ => None,
        }
    }
}

/// Puts an answer into its form.
pub(super) fn render(reply: Reply, shape: &Shape) -> Response<Body> {
    let bytes = match &reply.content {
        Content::Object(resource, object, now) => match shape {
            Shape::Table(include) => {
                table::of(resource, std::slice::from_ref(object), *now, *include).to_string().into_bytes()
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
