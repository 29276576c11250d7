//! Reads a [`Schema`] from an OpenAPI v3 document or a custom resource definition.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde_json::Value;

use super::{Additional, GroupVersionKind, Kind, Limits, List, Reference, Rule, Schema, Strategy};

/// A schema as it is written. What is not named here (descriptions, above all) is never kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "that is how it is written")]
pub(super) struct Written {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    format: Option<String>,
    properties: BTreeMap<String, Written>,
    additional_properties: Option<WrittenAdditional>,
    items: Option<Box<Written>>,
    required: Vec<Box<str>>,
    default: Option<Value>,
    nullable: bool,
    #[serde(rename = "enum")]
    values: Vec<Value>,
    pattern: Option<String>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    exclusive_minimum: bool,
    exclusive_maximum: bool,
    multiple_of: Option<f64>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    unique_items: bool,
    min_properties: Option<u64>,
    max_properties: Option<u64>,
    all_of: Vec<Written>,
    any_of: Vec<Written>,
    one_of: Vec<Written>,
    not: Option<Box<Written>>,
    #[serde(rename = "x-kubernetes-preserve-unknown-fields")]
    preserves_unknown: bool,
    #[serde(rename = "x-kubernetes-embedded-resource")]
    is_embedded: bool,
    #[serde(rename = "x-kubernetes-int-or-string")]
    is_int_or_string: bool,
    #[serde(rename = "x-kubernetes-list-type")]
    list_type: Option<String>,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    list_keys: Vec<Box<str>>,
    #[serde(rename = "x-kubernetes-map-type")]
    map_type: Option<String>,
    #[serde(rename = "x-kubernetes-patch-strategy")]
    patch_strategy: Option<String>,
    #[serde(rename = "x-kubernetes-patch-merge-key")]
    merge_key: Option<Box<str>>,
    #[serde(rename = "x-kubernetes-validations")]
    rules: Vec<Rule>,
    #[serde(rename = "x-kubernetes-group-version-kind")]
    names: Vec<WrittenName>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum WrittenAdditional {
    Flag(bool),
    Schema(Box<Written>),
}

#[derive(Debug, Deserialize)]
struct WrittenName {
    group: Box<str>,
    version: Box<str>,
    kind: Box<str>,
}

/// Where the names of types begin in a reference.
const DEFINITIONS: &str = "#/components/schemas/";

impl Written {
    /// The schema of one of Kubernetes' own types.
    pub(super) fn builtin(self) -> Schema {
        self.read(true)
    }

    fn read(mut self, is_builtin: bool) -> Schema {
        let strategy = self.strategy();
        let list = self.list(&strategy);
        let limits = if is_builtin { None } else { self.limits() };
        let kind = self.kind(is_builtin);
        // A reference with anything beside it is written as the only member of allOf.
        let wrapped = self.all_of.first_mut().and_then(|first| first.reference.take()).filter(|_| is_builtin);
        let reference = self.reference.take().or(wrapped).map(|name| Reference {
            name: name.strip_prefix(DEFINITIONS).unwrap_or(&name).into(),
            found: OnceLock::new(),
        });
        let additional = match self.additional_properties.take() {
            Some(WrittenAdditional::Schema(schema)) => Additional::Of(Arc::new(schema.read(is_builtin))),
            Some(WrittenAdditional::Flag(true)) => Additional::Any,
            // An object of which nothing is said holds anything (RawExtension, FieldsV1).
            None if is_builtin && self.properties.is_empty() => Additional::Any,
            Some(WrittenAdditional::Flag(false)) | None => Additional::None,
        };
        let read = |(name, written): (String, Self)| (name.into_boxed_str(), Arc::new(written.read(is_builtin)));
        let is_bytes = is_builtin && self.format.as_deref() == Some("byte");
        Schema {
            is_bytes,
            reference,
            kind,
            properties: self.properties.into_iter().map(read).collect(),
            additional,
            items: self.items.map(|items| Arc::new(items.read(is_builtin))),
            required: self.required,
            default: self.default,
            nullable: self.nullable,
            preserves_unknown: self.preserves_unknown,
            is_embedded: self.is_embedded,
            list,
            map_is_atomic: self.map_type.map(|kind| kind == "atomic"),
            strategy,
            limits,
            names: self.names.into_iter().map(WrittenName::read).collect(),
            is_builtin,
            go: None,
            zero: OnceLock::new(),
            has_rules: OnceLock::new(),
        }
    }

    fn kind(&self, is_builtin: bool) -> Kind {
        if self.is_int_or_string || self.format.as_deref() == Some("int-or-string") {
            return Kind::IntOrString;
        }
        match self.kind.as_deref() {
            Some("object") => Kind::Object,
            Some("array") => Kind::Array,
            Some("string") => Kind::String,
            Some("integer") => Kind::Integer,
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            _ if is_builtin && self.one_of.len() == 2 => Kind::Quantity,
            _ => Kind::Any,
        }
    }

    fn strategy(&mut self) -> Strategy {
        let mut strategy = Strategy { merge_key: self.merge_key.take(), ..Strategy::default() };
        for word in self.patch_strategy.as_deref().unwrap_or("").split(',') {
            match word {
                "merge" => strategy.merges = true,
                "replace" => strategy.replaces = true,
                "retainKeys" => strategy.retains_keys = true,
                _ => {}
            }
        }
        strategy
    }

    /// Lists without a type take it from the older patch strategy, as `k8s.io/kube-openapi/pkg/schemaconv` does.
    fn list(&mut self, strategy: &Strategy) -> Option<List> {
        match self.list_type.as_deref() {
            Some("set") => Some(List::Set),
            Some("map") => Some(List::Map(std::mem::take(&mut self.list_keys))),
            Some(_) => Some(List::Atomic),
            None if strategy.merges => Some(match &strategy.merge_key {
                Some(key) => List::Map(vec![key.clone()]),
                None => List::Set,
            }),
            None => None,
        }
    }

    fn limits(&mut self) -> Option<Box<Limits>> {
        let read = |some: &mut Vec<Self>| std::mem::take(some).into_iter().map(|it| it.read(false)).collect();
        let limits = Limits {
            // What RE2 takes and this library does not is caught when the definition is checked.
            pattern: self.pattern.take().and_then(|text| {
                let pattern = regex::Regex::new(&text).ok()?;
                Some((text.into_boxed_str(), pattern))
            }),
            format: self.format.clone().map(String::into_boxed_str),
            one_of_values: std::mem::take(&mut self.values),
            minimum: self.minimum,
            maximum: self.maximum,
            exclusive_minimum: self.exclusive_minimum,
            exclusive_maximum: self.exclusive_maximum,
            multiple_of: self.multiple_of,
            min_length: self.min_length,
            max_length: self.max_length,
            min_items: self.min_items,
            max_items: self.max_items,
            unique_items: self.unique_items,
            min_properties: self.min_properties,
            max_properties: self.max_properties,
            all_of: read(&mut self.all_of),
            any_of: read(&mut self.any_of),
            one_of: read(&mut self.one_of),
            not: self.not.take().map(|not| not.read(false)),
            rules: std::mem::take(&mut self.rules),
        };
        (!limits.is_empty()).then(|| Box::new(limits))
    }
}

impl Limits {
    fn is_empty(&self) -> bool {
        let bounds = [self.minimum, self.maximum, self.multiple_of];
        let sizes = [self.min_length, self.max_length, self.min_items, self.max_items];
        self.format.is_none()
            && self.one_of_values.is_empty()
            && self.pattern.is_none()
            && bounds.iter().all(Option::is_none)
            && sizes.iter().all(Option::is_none)
            && self.min_properties.is_none()
            && self.max_properties.is_none()
            && !self.unique_items
            && self.all_of.is_empty()
            && self.any_of.is_empty()
            && self.one_of.is_empty()
            && self.not.is_none()
            && self.rules.is_empty()
    }
}

impl WrittenName {
    fn read(self) -> GroupVersionKind {
        GroupVersionKind { group: self.group, version: self.version, kind: self.kind }
    }
}

impl Schema {
    /// Reads the `openAPIV3Schema` of a version of a custom resource definition; the members that every object has are added.
    ///
    /// # Errors
    /// What cannot be read, in words. Whether it is structural is another question (that of the definition's own check).
    pub fn structural(schema: &Value) -> Result<Arc<Self>, String> {
        let mut schema = Self::read(schema)?;
        add_object_members(&mut schema);
        Ok(Arc::new(schema))
    }

    /// Reads a part of a definition's schema as it stands there.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub(super) fn read(schema: &Value) -> Result<Self, String> {
        let written = Written::deserialize(schema).map_err(|error| error.to_string())?;
        Ok(written.read(false))
    }
}

/// Every object has a kind, a version and metadata, whatever its definition says of them.
pub(super) fn add_object_members(schema: &mut Schema) {
    let string = || Arc::new(Schema { kind: Kind::String, ..Schema::default() });
    for name in ["apiVersion", "kind"] {
        schema.properties.entry(name.into()).or_insert_with(string);
    }
    let name: Box<str> = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta".into();
    let reference = Some(Reference { name, found: OnceLock::new() });
    let metadata = Schema { reference, kind: Kind::Object, ..Schema::default() };
    schema.properties.insert("metadata".into(), Arc::new(metadata));
}
