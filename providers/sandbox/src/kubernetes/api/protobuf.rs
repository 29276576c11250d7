//! Bodies in protobuf, which Go clients prefer for Kubernetes' own types. Answers are in JSON, which they accept as well.

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::status::Status;

/// Every body begins with it. Source: apimachinery's `runtime/serializer/protobuf`.
const MAGIC: &[u8] = b"k8s\0";

/// A field of a type.
#[expect(clippy::struct_excessive_bools, reason = "the flags of the table, one by one")]
struct Field {
    /// `-` for one whose members stand among its owner's.
    name: &'static str,
    is_pointer: bool,
    is_omitted_empty: bool,
    is_inline: bool,
    is_repeated: bool,
    kind: &'static str,
}

struct Types {
    /// Folders of types by API version.
    folders: HashMap<&'static str, &'static str>,
    fields: HashMap<&'static str, HashMap<u64, Field>>,
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let mut types = Types { folders: HashMap::new(), fields: HashMap::new() };
    let mut current = "";
    for line in include_str!("../../../data/kubernetes/protobuf.txt").lines() {
        if let Some((version, folder)) = line.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
            types.folders.insert(version, folder);
        } else if let Some(name) = line.strip_prefix('=') {
            current = name;
            types.fields.entry(name).or_default();
        } else if let [number, name, flags, kind] = line.split(' ').collect::<Vec<_>>()[..]
            && let Ok(number) = number.parse()
        {
            let field = Field {
                name,
                is_pointer: flags.contains('*'),
                is_omitted_empty: flags.contains('o'),
                is_inline: flags.contains('i'),
                is_repeated: flags.contains('r'),
                kind,
            };
            types.fields.entry(current).or_default().insert(number, field);
        }
    }
    types
});

/// Reads a body as the object that it would be in JSON.
///
/// # Errors
/// `BadRequest` for what is no such body, or of a type that Kubernetes does not have.
pub(super) fn object(bytes: &[u8]) -> Result<Value, Status> {
    let broken = || {
        Status::bad_request("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    };
    let envelope = bytes.strip_prefix(MAGIC).and_then(wire).ok_or_else(broken)?;
    let part = |number: u64| envelope.iter().find(|(it, _)| *it == number).and_then(|(_, value)| value.bytes());
    let names = part(1).and_then(wire).unwrap_or_default();
    let text = |number: u64| {
        let found = names.iter().find(|(it, _)| *it == number).and_then(|(_, value)| value.bytes());
        String::from_utf8_lossy(found.unwrap_or_default()).into_owned()
    };
    let (api_version, kind) = (text(1), text(2));
    let raw = part(2).unwrap_or_default();
    let name = type_name(&api_version, &kind).ok_or_else(|| {
        Status::bad_request(format!("no kind \"{kind}\" is registered for version \"{api_version}\" in protobuf"))
    })?;
    let mut object = message(name, raw).ok_or_else(broken)?;
    object.insert("apiVersion".to_owned(), json!(api_version));
    object.insert("kind".to_owned(), json!(kind));
    Ok(Value::Object(object))
}

fn type_name(api_version: &str, kind: &str) -> Option<&'static str> {
    let folder = match kind {
        "DeleteOptions" | "CreateOptions" | "PatchOptions" | "UpdateOptions" => "meta/v1",
        _ => TYPES.folders.get(api_version)?,
    };
    TYPES.fields.get_key_value(format!("{folder}.{kind}").as_str()).map(|(name, _)| *name)
}

/// A value as it stands on the wire.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Number(_) => None,
        }
    }
}

/// The fields of a message in the order of the wire; `None` for what is none.
fn wire(mut bytes: &[u8]) -> Option<Vec<(u64, Wire<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Wire::Number(varint(&mut bytes)?),
            1 => Wire::Number(u64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                Wire::Bytes(take(&mut bytes, length)?)
            }
            5 => Wire::Number(u64::from(u32::from_le_bytes(take(&mut bytes, 4)?.try_into().ok()?))),
            _ => return None,
        };
        fields.push((key >> 3, value));
    }
    Some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn message(name: &str, bytes: &[u8]) -> Option<Map<String, Value>> {
    let fields = TYPES.fields.get(name)?;
    let mut members = Map::new();
    for (number, value) in wire(bytes)? {
        // A field of a newer version than this one is not known here.
        let Some(field) = fields.get(&number) else { continue };
        if let Some(map) = field.kind.strip_prefix("m:") {
            let (key, value) = entry(map, value.bytes()?)?;
            let entries = members.entry(field.name).or_insert_with(|| json!({}));
            entries.as_object_mut()?.insert(key, value);
        } else if field.is_inline {
            members.extend(message(field.kind, value.bytes()?)?);
        } else if field.is_repeated {
            let item = read(field.kind, &value)?;
            members.entry(field.name).or_insert_with(|| json!([])).as_array_mut()?.push(item);
        } else {
            let value = read(field.kind, &value)?;
            if !(field.is_omitted_empty && !field.is_pointer && is_zero(&value)) {
                members.insert(field.name.to_owned(), value);
            }
        }
    }
    Some(members)
}

/// What `omitempty` leaves out; structures are always written.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

fn entry(kind: &str, bytes: &[u8]) -> Option<(String, Value)> {
    let (mut key, mut value) = (String::new(), None);
    for (number, part) in wire(bytes)? {
        match number {
            1 => key = String::from_utf8(part.bytes()?.to_vec()).ok()?,
            2 => value = Some(read(kind, &part)?),
            _ => {}
        }
    }
    let empty = || match kind {
        "s" | "y" => json!(""),
        "L" => json!([]),
        _ => Value::Null,
    };
    Some((key, value.unwrap_or_else(empty)))
}

/// A value of a type, by its letter in the table.
fn read(kind: &str, value: &Wire<'_>) -> Option<Value> {
    match (kind, value) {
        ("b", Wire::Number(number)) => Some(json!(*number != 0)),
        ("i", Wire::Number(number)) => Some(json!(number.cast_signed())),
        ("d", Wire::Number(number)) => Some(json!(f64::from_bits(*number))),
        ("s", Wire::Bytes(bytes)) => Some(json!(std::str::from_utf8(bytes).ok()?)),
        ("y", Wire::Bytes(bytes)) => Some(json!(STANDARD.encode(bytes))),
        (_, Wire::Bytes(bytes)) => special(kind, bytes),
        _ => None,
    }
}

/// Types that JSON writes otherwise than as their fields.
fn special(kind: &str, bytes: &[u8]) -> Option<Value> {
    if !matches!(kind, "T" | "M" | "D" | "Q" | "I" | "R" | "L" | "X" | "Y" | "Z") {
        return message(kind, bytes).map(Value::Object);
    }
    let fields = wire(bytes)?;
    let number = |field: u64| {
        let found = fields.iter().find_map(|(it, value)| match value {
            Wire::Number(number) if *it == field => Some(number.cast_signed()),
            _ => None,
        });
        found.unwrap_or(0)
    };
    let part = |field: u64| fields.iter().find(|(it, _)| *it == field).and_then(|(_, value)| value.bytes());
    let text = |field: u64| part(field).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let schema = |bytes: &[u8]| message("apiextensions/v1.JSONSchemaProps", bytes).map(Value::Object);
    let schemas = |field: u64| {
        let all = fields.iter().filter(|(it, _)| *it == field).filter_map(|(_, value)| value.bytes());
        all.map(schema).collect::<Option<Vec<_>>>()
    };
    match kind {
        "T" | "M" if fields.is_empty() => Some(Value::Null),
        "T" => Some(json!(Timestamp::from_second(number(1)).ok()?.to_string())),
        "M" => {
            let time = Timestamp::new(number(1), i32::try_from(number(2)).ok()?).ok()?;
            Some(json!(format!("{time:.6}")))
        }
        "D" => Some(json!(format!("{}ns", number(1)))),
        "Q" => Some(json!(text(1).unwrap_or("0"))),
        "I" if number(1) == 1 => Some(json!(text(3).unwrap_or(""))),
        "I" => Some(json!(number(2))),
        "R" => part(1).map_or(Some(Value::Null), |raw| serde_json::from_slice(raw).ok()),
        "L" => {
            let items = fields.iter().filter(|(it, _)| *it == 1).filter_map(|(_, value)| value.bytes());
            Some(items.map(|bytes| json!(String::from_utf8_lossy(bytes))).collect())
        }
        "X" => part(2).map_or_else(|| Some(json!(number(1) != 0)), schema),
        "Y" => part(1).map_or_else(|| schemas(2).map(Value::Array), schema),
        _ => part(1).map_or_else(
            || {
                let names = fields.iter().filter(|(it, _)| *it == 2).filter_map(|(_, value)| value.bytes());
                Some(names.map(|bytes| json!(String::from_utf8_lossy(bytes))).collect())
            },
            schema,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).unwrap();
        [&[number << 3 | 2, length][..], bytes].concat()
    }

    #[test]
    fn a_body_reads_as_in_json() {
        let container = [field(1, b"c"), field(2, b"nginx")].concat();
        let port = [[0x18, 80].to_vec(), field(4, b"")].concat();
        let container = [container, field(6, &port)].concat();
        let labels = field(11, &[field(1, b"a"), field(2, b"b")].concat());
        let metadata = [field(1, b"p"), field(2, b""), field(8, b""), labels].concat();
        // terminationGracePeriodSeconds is a pointer: its zero is meant.
        let spec = [field(2, &container), vec![0x20, 0], field(10, b"")].concat();
        let pod = [field(1, &metadata), field(2, &spec), field(3, b"")].concat();
        let names = [field(1, b"v1"), field(2, b"Pod")].concat();
        let body = [MAGIC, &field(1, &names), &field(2, &pod)].concat();
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": "p", "labels": { "a": "b" } },
            "spec": {
                "containers": [{ "name": "c", "image": "nginx", "ports": [{ "containerPort": 80 }] }],
                "terminationGracePeriodSeconds": 0,
            },
            "status": {},
        });
        assert_eq!(object(&body).unwrap(), expected);
        assert_eq!(object(b"{}").unwrap_err().code, 400);
    }

    #[test]
    fn every_type_that_a_field_names_is_there() {
        for (name, fields) in &TYPES.fields {
            for field in fields.values() {
                let kind = field.kind.strip_prefix("m:").unwrap_or(field.kind);
                assert!(kind.len() == 1 || TYPES.fields.contains_key(kind), "{name}: {kind}");
            }
        }
    }
}
