//! An OpenAPI 2 document in the protobuf form that `client-go` reads.
//!
//! Source: `openapiv2/OpenAPIv2.proto` of github.com/google/gnostic-models.

use serde_json::Value;

/// What a member is on the wire.
enum Form {
    Text,
    Texts,
    Flag,
    Double,
    Integer,
    /// A value of any form, as YAML.
    Any,
    Anys,
    One(Write),
    Each(Write),
}

type Write = fn(&Value, &mut Vec<u8>);
/// A member's name in JSON, its number, and its form.
type Member = (&'static str, u32, Form);

const DOCUMENT: &[Member] = &[
    ("swagger", 1, Form::Text),
    ("info", 2, Form::One(|it, out| members(it, &[("title", 1, Form::Text), ("version", 2, Form::Text)], 0, out))),
    ("paths", 8, Form::One(|it, out| named(it, 2, path_item, out))),
    ("definitions", 9, Form::One(|it, out| named(it, 1, schema, out))),
];

const PATH_ITEM: &[Member] = &[
    ("get", 2, Form::One(operation)),
    ("put", 3, Form::One(operation)),
    ("post", 4, Form::One(operation)),
    ("delete", 5, Form::One(operation)),
    ("options", 6, Form::One(operation)),
    ("head", 7, Form::One(operation)),
    ("patch", 8, Form::One(operation)),
    ("parameters", 9, Form::Each(parameter)),
];

const OPERATION: &[Member] = &[
    ("tags", 1, Form::Texts),
    ("description", 3, Form::Text),
    ("operationId", 5, Form::Text),
    ("produces", 6, Form::Texts),
    ("consumes", 7, Form::Texts),
    ("parameters", 8, Form::Each(parameter)),
    ("responses", 9, Form::One(|it, out| named(it, 1, |it, out| message(1, it, response, out), out))),
];

const RESPONSE: &[Member] =
    &[("description", 1, Form::Text), ("schema", 2, Form::One(|it, out| message(1, it, schema, out)))];

const BODY_PARAMETER: &[Member] = &[
    ("description", 1, Form::Text),
    ("name", 2, Form::Text),
    ("in", 3, Form::Text),
    ("required", 4, Form::Flag),
    ("schema", 5, Form::One(schema)),
];

const QUERY_PARAMETER: &[Member] = &[
    ("required", 1, Form::Flag),
    ("in", 2, Form::Text),
    ("description", 3, Form::Text),
    ("name", 4, Form::Text),
    ("type", 6, Form::Text),
    ("uniqueItems", 20, Form::Flag),
];

const PATH_PARAMETER: &[Member] = &[
    ("required", 1, Form::Flag),
    ("in", 2, Form::Text),
    ("description", 3, Form::Text),
    ("name", 4, Form::Text),
    ("type", 5, Form::Text),
    ("uniqueItems", 19, Form::Flag),
];

const SCHEMA: &[Member] = &[
    ("$ref", 1, Form::Text),
    ("format", 2, Form::Text),
    ("title", 3, Form::Text),
    ("description", 4, Form::Text),
    ("default", 5, Form::Any),
    ("multipleOf", 6, Form::Double),
    ("maximum", 7, Form::Double),
    ("exclusiveMaximum", 8, Form::Flag),
    ("minimum", 9, Form::Double),
    ("exclusiveMinimum", 10, Form::Flag),
    ("maxLength", 11, Form::Integer),
    ("minLength", 12, Form::Integer),
    ("pattern", 13, Form::Text),
    ("maxItems", 14, Form::Integer),
    ("minItems", 15, Form::Integer),
    ("uniqueItems", 16, Form::Flag),
    ("maxProperties", 17, Form::Integer),
    ("minProperties", 18, Form::Integer),
    ("required", 19, Form::Texts),
    ("enum", 20, Form::Anys),
    ("additionalProperties", 21, Form::One(additional)),
    ("type", 22, Form::One(|it, out| text(1, it, out))),
    ("items", 23, Form::One(|it, out| message(1, it, schema, out))),
    ("allOf", 24, Form::Each(schema)),
    ("properties", 25, Form::One(|it, out| named(it, 1, schema, out))),
    ("example", 30, Form::Any),
];

/// A document, or a part of one.
pub(super) fn document(document: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    members(document, DOCUMENT, 0, &mut out);
    out
}

fn path_item(it: &Value, out: &mut Vec<u8>) {
    members(it, PATH_ITEM, 10, out);
}

fn operation(it: &Value, out: &mut Vec<u8>) {
    members(it, OPERATION, 13, out);
}

fn response(it: &Value, out: &mut Vec<u8>) {
    members(it, RESPONSE, 5, out);
}

fn schema(it: &Value, out: &mut Vec<u8>) {
    members(it, SCHEMA, 31, out);
}

/// `ParametersItem` > `Parameter` > `BodyParameter`, or `NonBodyParameter` > the form of its place.
fn parameter(it: &Value, out: &mut Vec<u8>) {
    let inner: Write = match it["in"].as_str() {
        Some("body") => |it, out| message(1, it, |it, out| members(it, BODY_PARAMETER, 6, out), out),
        Some("path") => |it, out| {
            message(2, it, |it, out| message(4, it, |it, out| members(it, PATH_PARAMETER, 22, out), out), out);
        },
        _ => |it, out| {
            message(2, it, |it, out| message(3, it, |it, out| members(it, QUERY_PARAMETER, 23, out), out), out);
        },
    };
    message(1, it, inner, out);
}

fn additional(it: &Value, out: &mut Vec<u8>) {
    match it {
        Value::Bool(is_allowed) => flag(2, *is_allowed, out),
        _ => message(1, it, schema, out),
    }
}

/// Writes the members that a message has; those that begin with `x-` go to its extensions, when it has a number for these.
fn members(value: &Value, table: &[Member], extensions: u32, out: &mut Vec<u8>) {
    let Some(object) = value.as_object() else { return };
    for (name, number, form) in table {
        let Some(it) = object.get(*name) else { continue };
        let items = || it.as_array().into_iter().flatten();
        match form {
            Form::Text => text(*number, it, out),
            Form::Texts => items().for_each(|item| text(*number, item, out)),
            Form::Flag => flag(*number, *it == true, out),
            Form::Double => {
                if let Some(it) = it.as_f64() {
                    tag(*number, 1, out);
                    out.extend(it.to_le_bytes());
                }
            }
            Form::Integer => {
                if let Some(it) = it.as_u64() {
                    tag(*number, 0, out);
                    varint(it, out);
                }
            }
            Form::Any => message(*number, it, any, out),
            Form::Anys => items().for_each(|item| message(*number, item, any, out)),
            Form::One(write) => message(*number, it, *write, out),
            Form::Each(write) => items().for_each(|item| message(*number, item, *write, out)),
        }
    }
    for (name, it) in object.iter().filter(|(name, _)| extensions > 0 && name.starts_with("x-")) {
        bytes(extensions, &pair(name, it, any), out);
    }
}

/// The members of a map, as messages of a name and a value.
fn named(map: &Value, number: u32, write: Write, out: &mut Vec<u8>) {
    for (name, value) in map.as_object().into_iter().flatten() {
        bytes(number, &pair(name, value, write), out);
    }
}

fn pair(name: &str, value: &Value, write: Write) -> Vec<u8> {
    let mut inner = Vec::new();
    bytes(1, name.as_bytes(), &mut inner);
    message(2, value, write, &mut inner);
    inner
}

/// `Any`: JSON is YAML.
fn any(it: &Value, out: &mut Vec<u8>) {
    bytes(2, it.to_string().as_bytes(), out);
}

fn message(number: u32, it: &Value, write: Write, out: &mut Vec<u8>) {
    let mut inner = Vec::new();
    write(it, &mut inner);
    bytes(number, &inner, out);
}

fn text(number: u32, it: &Value, out: &mut Vec<u8>) {
    bytes(number, it.as_str().unwrap_or("").as_bytes(), out);
}

fn flag(number: u32, is_set: bool, out: &mut Vec<u8>) {
    tag(number, 0, out);
    out.push(u8::from(is_set));
}

fn bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    tag(number, 2, out);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn tag(number: u32, wire: u32, out: &mut Vec<u8>) {
    varint(u64::from(number << 3 | wire), out);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_and_extensions_have_their_numbers() {
        let mut out = Vec::new();
        schema(&json!({ "type": "object", "x-a": [1], "unknown": 1 }), &mut out);
        // type = TypeItem { value: ["object"] }; vendor_extension = NamedAny { name: "x-a", value: Any { yaml: "[1]" } }
        let extension = b"\x0a\x03x-a\x12\x05\x12\x03[1]";
        let expected =
            [&b"\xb2\x01\x08\x0a\x06object"[..], b"\xfa\x01", &[u8::try_from(extension.len()).unwrap()], extension]
                .concat();
        assert_eq!(out, expected);
    }

    #[test]
    fn numbers_are_as_long_as_they_need() {
        let mut out = Vec::new();
        varint(300, &mut out);
        assert_eq!(out, [0xac, 0x02]);
    }
}
