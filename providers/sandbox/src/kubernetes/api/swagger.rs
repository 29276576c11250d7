//! The OpenAPI 2 document, made of those of OpenAPI 3: kubectl validates lists and kinds it does not find with it.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{Request, header};
use serde_json::{Map, Value, json};

use super::reply::{Content, Reply};
use super::{documents, gnostic};
use crate::world::World;

/// The document's two big members, as the text between their braces, and all of it in gnostic's form.
struct Parts {
    paths: String,
    definitions: String,
    protobuf: Vec<u8>,
}

/// What is built in, which is the most of it and the same for all clusters.
static BUILTIN: LazyLock<Parts> = LazyLock::new(|| {
    let mut document = json!({
        "swagger": "2.0", "info": { "title": "Kubernetes", "version": super::discovery::VERSION },
        "paths": {}, "definitions": {},
    });
    documents::builtin().for_each(|it| add(&mut document, it));
    parts(&document)
});

/// Makes what takes long, before a lock is held.
pub(super) fn prepare() {
    LazyLock::force(&BUILTIN);
}

/// Answers the document, in JSON or in protobuf.
pub(super) fn answer(world: &World, cluster: &str, request: &Request<Bytes>) -> Reply {
    let mut custom = json!({ "paths": {}, "definitions": {} });
    for (_, resources) in documents::customs(world, cluster) {
        add(&mut custom, documents::custom(&resources));
    }
    if let Some(definitions) = custom["definitions"].as_object_mut() {
        // What custom resources refer to is built in.
        definitions.retain(|name, _| !name.starts_with("io.k8s.apimachinery."));
    }
    let custom = parts(&custom);
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    if accept.split(',').next().is_some_and(|first| first.contains("proto-openapi.spec.v2")) {
        // Messages one after the other are one message.
        let bytes = [&BUILTIN.protobuf[..], &custom.protobuf].concat();
        let media_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
        return Reply::new(200, Content::Bytes { media_type, bytes: bytes.into(), etag: None });
    }
    let both = |one: &str, other: &str| if other.is_empty() { one.to_owned() } else { format!("{one},{other}") };
    let version = super::discovery::VERSION;
    let text = format!(
        "{{\"swagger\":\"2.0\",\"info\":{{\"title\":\"Kubernetes\",\"version\":\"{version}\"}},\"paths\":{{{}}},\"definitions\":{{{}}}}}",
        both(&BUILTIN.paths, &custom.paths),
        both(&BUILTIN.definitions, &custom.definitions),
    );
    Reply::new(200, Content::Bytes { media_type: "application/json", bytes: text.into(), etag: None })
}

fn parts(document: &Value) -> Parts {
    let inner = |member: &str| {
        let text = document[member].to_string();
        text[1..text.len() - 1].to_owned()
    };
    Parts { paths: inner("paths"), definitions: inner("definitions"), protobuf: gnostic::document(document) }
}

/// Adds what a document of OpenAPI 3 has.
fn add(document: &mut Value, mut other: Value) {
    let take = |value: &mut Value| match value.take() {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (name, mut written) in take(&mut other["components"]["schemas"]) {
        convert(&mut written);
        document["definitions"][name] = written;
    }
    for (path, mut item) in take(&mut other["paths"]) {
        for (member, value) in item.as_object_mut().into_iter().flatten() {
            if member == "parameters" { parameters(value) } else { operation(value) }
        }
        document["paths"][path] = item;
    }
}

fn operation(operation: &mut Value) {
    let Some(members) = operation.as_object_mut() else { return };
    let body = members.remove("requestBody");
    let sent = members.entry("parameters").or_insert_with(|| json!([]));
    parameters(sent);
    if let Some(body) = body
        && let Some((schema, types)) = content(&body)
        && let Some(all) = sent.as_array_mut()
    {
        all.push(json!({ "name": "body", "in": "body", "required": body["required"] == true, "schema": schema }));
        members.insert("consumes".to_owned(), types);
    }
    for response in members.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten().map(|(_, it)| it)
    {
        let mut answered = json!({ "description": response["description"] });
        if let Some((schema, _)) = content(response) {
            answered["schema"] = schema;
        }
        *response = answered;
    }
    members.insert("produces".to_owned(), json!(["application/json", "application/yaml"]));
}

/// The schema of a body, with the media types that it comes in.
fn content(body: &Value) -> Option<(Value, Value)> {
    let content = body["content"].as_object()?;
    let mut schema = content.values().next()?["schema"].clone();
    convert(&mut schema);
    Some((schema, content.keys().cloned().collect()))
}

/// Parameters have the form of their schema in themselves.
fn parameters(all: &mut Value) {
    for parameter in all.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(Value::Object(schema)) = parameter.remove("schema") {
            parameter.extend(schema);
        }
    }
}

/// A schema as OpenAPI 2 has it: without alternatives, and with references beside their descriptions.
fn convert(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some([only]) = members.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
        && only.get("$ref").is_some()
    {
        let reference = only["$ref"].clone();
        members.remove("allOf");
        members.remove("default");
        members.insert("$ref".to_owned(), reference);
    }
    for member in ["oneOf", "anyOf", "not", "nullable"] {
        members.remove(member);
    }
    if members.get("format").is_some_and(|format| format == "int-or-string") {
        members.insert("type".to_owned(), json!("string"));
    }
    if let Some(Value::String(reference)) = members.get_mut("$ref") {
        *reference = reference.replace("#/components/schemas/", "#/definitions/");
    }
    for member in ["items", "additionalProperties"] {
        members.get_mut(member).into_iter().for_each(convert);
    }
    members.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten().for_each(convert);
    let properties = members.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flatten().for_each(|(_, property)| convert(property));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_those_of_openapi_2() {
        let mut schema = json!({ "type": "object", "oneOf": [], "properties": {
            "a": { "allOf": [{ "$ref": "#/components/schemas/x.Y" }], "default": {}, "description": "d" },
            "b": { "format": "int-or-string", "oneOf": [{ "type": "integer" }, { "type": "string" }] },
            "oneOf": { "type": "array", "items": { "$ref": "#/components/schemas/x.Y" } },
        } });
        convert(&mut schema);
        let expected = json!({ "type": "object", "properties": {
            "a": { "$ref": "#/definitions/x.Y", "description": "d" },
            "b": { "format": "int-or-string", "type": "string" },
            "oneOf": { "type": "array", "items": { "$ref": "#/definitions/x.Y" } },
        } });
        assert_eq!(schema, expected);
    }

    #[test]
    fn operations_are_those_of_openapi_2() {
        let mut document = json!({});
        add(
            &mut document,
            json!({ "paths": { "/x": { "post": {
                "parameters": [{ "name": "dryRun", "in": "query", "schema": { "type": "string" } }],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/x.Y" } } } },
                "responses": { "200": { "description": "OK", "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/x.Y" } } } } },
            } } } }),
        );
        let post = &document["paths"]["/x"]["post"];
        assert_eq!(post["parameters"][0], json!({ "name": "dryRun", "in": "query", "type": "string" }));
        assert_eq!(post["parameters"][1]["schema"]["$ref"], "#/definitions/x.Y");
        assert_eq!(post["responses"]["200"], json!({ "description": "OK", "schema": { "$ref": "#/definitions/x.Y" } }));
    }
}
