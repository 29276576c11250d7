//! The values that rules compute with. What an object holds stays where it is and is read when a rule asks for it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use ipnet::IpNet;
use serde_json::{Map, Value as Json};

use super::super::schema::{Kind, List as ListKind, Schema};
use super::library::quantities::Quantity;
use super::library::semver::Version;
use super::library::times::Time;
use super::library::urls::Url;
use super::library::{durations, times};
use super::types::{escape, unescape};

/// A value; `'a` is the time for which the object is held.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
    /// In nanoseconds.
    Duration(i64),
    Timestamp(Time),
    List(List<'a>),
    Map(Arc<BTreeMap<Key, (Value<'a>, Value<'a>)>>),
    Object(Members<'a>),
    Type(Arc<str>),
    Optional(Option<Arc<Value<'a>>>),
    Url(Arc<Url>),
    Quantity(Quantity),
    Ip(IpAddr),
    Cidr(IpNet),
    /// By its name (`dns1123Label`).
    Format(&'static str),
    Semver(Arc<Version>),
    /// What nothing is declared of.
    Unknown(&'a Json),
}

/// A list, and how its items are told apart.
#[derive(Clone, Debug)]
pub struct List<'a> {
    items: Items<'a>,
    pub kind: &'a ListKind,
}

#[derive(Clone, Debug)]
enum Items<'a> {
    Made(Arc<Vec<Value<'a>>>),
    Held(&'a [Json], &'a Schema),
}

/// An object or a map that an object holds.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    pub values: &'a Map<String, Json>,
    schema: &'a Schema,
    /// It has a kind, a version and metadata.
    is_root: bool,
    /// It has declared fields, whose names are escaped.
    pub is_object: bool,
}

/// A key of a map. Numbers that mean the same are the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Bool(bool),
    Number(i128),
    Text(Arc<str>),
}

/// Why a rule could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A function got what it does not take.
    NoOverload,
    /// It took too long.
    Cost,
    /// In cel-go's words.
    Other(String),
}

pub type Evaluated<'a> = Result<Value<'a>, Failure>;

/// What cel-go says of it.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoOverload => f.write_str("no such overload"),
            Self::Cost => f.write_str("operation cancelled: actual cost limit exceeded"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

/// A failure in cel-go's words.
pub fn failure(message: impl Into<String>) -> Failure {
    Failure::Other(message.into())
}

impl<'a> Value<'a> {
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::made(items, &ListKind::Atomic))
    }

    pub fn some(value: Self) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    pub fn int(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// What a custom resource holds, by the schema of its place.
    pub fn held(json: &'a Json, schema: &'a Schema, is_root: bool) -> Evaluated<'a> {
        let is_root = is_root || schema.is_embedded;
        let wrong = |expected: &str| Err(failure(format!("invalid data, expected {expected}")));
        if json.is_null() {
            if schema.nullable {
                return Ok(Self::Null);
            }
            return Err(failure("invalid data, got null for schema with nullable=false"));
        }
        match (schema.kind, json) {
            (Kind::IntOrString, Json::String(text)) => Ok(Self::text(text.as_str())),
            (Kind::IntOrString | Kind::Integer, Json::Number(number)) => whole(number),
            (Kind::IntOrString, _) => wrong("XIntOrString value to be either a string or integer"),
            (Kind::Object, Json::Object(values)) => Ok(Self::Object(Members::of(values, schema, is_root))),
            (Kind::Object, _) => wrong("a map for the provided schema with type=object"),
            (Kind::Array, Json::Array(items)) => Ok(Self::List(List::held(items, schema))),
            (Kind::Array, _) => wrong("an array for the provided schema with type=array"),
            (Kind::String, Json::String(text)) => formatted(text, schema.format()),
            (Kind::String, _) => wrong("string"),
            (Kind::Number, Json::Number(number)) => Ok(Self::Double(number.as_f64().unwrap_or(f64::NAN))),
            (Kind::Number, _) => wrong("float"),
            (Kind::Integer, _) => wrong("int"),
            (Kind::Boolean, Json::Bool(value)) => Ok(Self::Bool(*value)),
            (Kind::Boolean, _) => wrong("bool"),
            (Kind::Any | Kind::Quantity, Json::Object(values)) if is_root => {
                Ok(Self::Object(Members::of(values, schema, is_root)))
            }
            (Kind::Any | Kind::Quantity, other) => Ok(Self::Unknown(other)),
        }
    }

    /// The name of its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::List(_) => "list",
            Self::Map(_) | Self::Object(_) => "map",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Url(_) => "kubernetes.URL",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Format(_) => "kubernetes.NamedFormat",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Unknown(_) => "unknown",
        }
    }

    /// How large it is, as far as costs go.
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.chars().count(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(list) => list.len(),
            Self::Map(map) => map.len(),
            Self::Object(members) => members.values.len(),
            Self::Optional(Some(value)) => value.size(),
            _ => 1,
        }
    }

    /// As Go shows it within a message (`%v`).
    pub fn shown(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Uint(value) => value.to_string(),
            Self::Double(value) => value.to_string(),
            Self::Text(text) => text.to_string(),
            other => other.type_name().to_owned(),
        }
    }
}

fn whole<'a>(number: &serde_json::Number) -> Evaluated<'a> {
    if let Some(value) = number.as_i64() {
        return Ok(Value::Int(value));
    }
    // `1.0` is a whole number, too, and Go reads it as one.
    #[expect(clippy::cast_possible_truncation, reason = "it is within the bounds")]
    match number.as_f64() {
        Some(value) if value.fract() == 0.0 && value.abs() < 9.2e18 => Ok(Value::Int(value as i64)),
        _ => Err(failure("invalid data, expected int, got float64")),
    }
}

fn formatted<'a>(text: &str, format: Option<&str>) -> Evaluated<'a> {
    match format {
        Some("duration") => durations::of_format(text)
            .map(Value::Duration)
            .ok_or_else(|| failure(format!("Invalid duration {text}: time: invalid duration {text:?}"))),
        Some("date") => times::date(text)
            .map(Value::Timestamp)
            .ok_or_else(|| failure(format!("Invalid date formatted string {text}"))),
        Some("date-time") => times::parse(text)
            .map(Value::Timestamp)
            .ok_or_else(|| failure(format!("Invalid date-time formatted string {text}"))),
        Some("byte") => base64::engine::general_purpose::STANDARD
            .decode(text)
            .map(|bytes| Value::Bytes(bytes.into()))
            .map_err(|error| failure(format!("Invalid byte formatted string {text}: {error}"))),
        _ => Ok(Value::text(text)),
    }
}

impl<'a> List<'a> {
    pub fn made(items: Vec<Value<'a>>, kind: &'a ListKind) -> Self {
        Self { items: Items::Made(Arc::new(items)), kind }
    }

    fn held(items: &'a [Json], schema: &'a Schema) -> Self {
        Self { items: Items::Held(items, schema), kind: schema.list() }
    }

    pub fn len(&self) -> usize {
        match &self.items {
            Items::Made(items) => items.len(),
            Items::Held(items, _) => items.len(),
        }
    }

    pub fn get(&self, index: usize) -> Option<Evaluated<'a>> {
        match &self.items {
            Items::Made(items) => items.get(index).cloned().map(Ok),
            Items::Held(items, schema) => items.get(index).map(|item| match schema.items() {
                Some(schema) => Value::held(item, schema, false),
                None => Ok(Value::Unknown(item)),
            }),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Evaluated<'a>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    pub fn values(&self) -> Result<Vec<Value<'a>>, Failure> {
        self.iter().collect()
    }
}

impl<'a> Members<'a> {
    fn of(values: &'a Map<String, Json>, schema: &'a Schema, is_root: bool) -> Self {
        let is_object = is_root || !schema.properties().is_empty();
        Self { values, schema, is_root, is_object }
    }

    /// The value of a field or key by the name by which rules call it.
    pub fn find(&self, name: &str) -> Option<Evaluated<'a>> {
        if !self.is_object {
            let value = self.values.get(name)?;
            return Some(Value::held(value, self.schema.values()?, false));
        }
        let name = unescape(name)?;
        let value = self.values.get(&name).filter(|value| !value.is_null())?;
        if self.is_root && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            return Some(match value {
                Json::String(text) => Ok(Value::text(text.as_str())),
                // Rules only get to its name: its schema has nothing else that they could name.
                Json::Object(values) => {
                    Ok(Value::Object(Members { values, schema: metadata_schema(), is_root: false, is_object: true }))
                }
                other => Ok(Value::Unknown(other)),
            });
        }
        Some(Value::held(value, self.schema.property(&name)?, false))
    }

    /// The names of what is declared and there, as rules call them.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.values.keys().filter_map(|name| {
            if self.is_object {
                let is_known = self.schema.property(name).is_some() || self.is_root;
                return is_known.then(|| escape(name).unwrap_or_else(|| name.clone()));
            }
            self.schema.values().map(|_| name.clone())
        })
    }
}

/// The part of metadata that rules see.
fn metadata_schema() -> &'static Schema {
    static SCHEMA: std::sync::OnceLock<Arc<Schema>> = std::sync::OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = serde_json::json!({ "type": "string" });
        let members = serde_json::json!({ "type": "object", "properties": { "name": text, "generateName": text } });
        let schema = serde_json::json!({ "type": "object", "properties": { "it": members } });
        let read = Schema::structural(&schema).ok().and_then(|it| it.property("it").cloned());
        read.unwrap_or_default()
    })
}

impl Key {
    /// The key that a value is; `None` for what cannot be one.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Number(i128::from(*value)),
            Value::Uint(value) => Self::Number(i128::from(*value)),
            #[expect(clippy::cast_possible_truncation, reason = "it is within the bounds")]
            Value::Double(value) if value.fract() == 0.0 && value.abs() < 1e19 => Self::Number(*value as i128),
            Value::Text(text) => Self::Text(Arc::clone(text)),
            _ => return None,
        })
    }
}
