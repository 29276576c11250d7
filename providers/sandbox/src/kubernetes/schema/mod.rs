//! What Kubernetes knows about the form of an object: of its own types ([`catalog`]) and of custom resources ([`Schema::structural`]).
//!
//! One compact type serves both. What works with it lies beside it: [`default`] sets defaults, [`prune`] drops what has no place,
//! `validate` says what is wrong. All of them are functions over JSON; nothing here knows a cluster.

pub mod catalog;
mod defaults;
mod go_defaults;
mod prune;
pub mod quantity;
mod read;
pub mod rules;
mod strict;
pub mod validate;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

pub use self::defaults::default;
pub use self::prune::prune;
pub use self::strict::parse_strict;
pub use self::validate::{Cause, validate};

/// The form of a value.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
pub struct Schema {
    reference: Option<Reference>,
    /// What JSON it is.
    pub kind: Kind,
    /// Declared members, by name.
    properties: BTreeMap<Box<str>, Arc<Schema>>,
    additional: Additional,
    items: Option<Arc<Schema>>,
    /// Members that must be there.
    pub required: Vec<Box<str>>,
    /// What the member is when it is missing.
    pub default: Option<Value>,
    /// Null is a value.
    pub nullable: bool,
    /// Members that are not declared stay (`x-kubernetes-preserve-unknown-fields`).
    pub preserves_unknown: bool,
    /// It is a Kubernetes object of its own (`x-kubernetes-embedded-resource`).
    pub is_embedded: bool,
    list: Option<List>,
    map_is_atomic: Option<bool>,
    /// How a strategic merge patch treats it.
    pub strategy: Strategy,
    /// What is rarely said.
    pub limits: Option<Box<Limits>>,
    /// Group, version and kind when it is an object of its own.
    pub names: Vec<GroupVersionKind>,
    /// Whether it is one of Kubernetes' own types, which Go decodes.
    pub is_builtin: bool,
    /// A text of Kubernetes' own types that holds bytes in base64.
    pub is_bytes: bool,
    /// What Go sets where nothing is said.
    go: Option<fn(&mut Map<String, Value>)>,
    zero: OnceLock<Value>,
    has_rules: OnceLock<bool>,
}

/// `group`, `version`, `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupVersionKind {
    /// Empty for the core group.
    pub group: Box<str>,
    /// `v1`.
    pub version: Box<str>,
    /// `Pod`.
    pub kind: Box<str>,
}

/// What JSON a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Anything.
    #[default]
    Any,
    /// An object.
    Object,
    /// A list.
    Array,
    /// A string.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A whole number or a string (ports, `maxUnavailable`).
    IntOrString,
    /// A string or a number (amounts of resources).
    Quantity,
}

/// Members beside the declared ones.
#[derive(Debug, Default)]
enum Additional {
    /// There may be none.
    #[default]
    None,
    /// There may be any.
    Any,
    /// All of this form: a map.
    Of(Arc<Schema>),
}

/// How the items of a list are told apart (`x-kubernetes-list-type`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// Not at all: the list is one value.
    Atomic,
    /// By value.
    Set,
    /// By these members.
    Map(Vec<Box<str>>),
}

/// How a strategic merge patch treats a member (`x-kubernetes-patch-strategy`, `x-kubernetes-patch-merge-key`).
#[derive(Clone, Debug, Default)]
pub struct Strategy {
    /// Lists are merged item by item; other lists are replaced.
    pub merges: bool,
    /// The object is replaced as a whole.
    pub replaces: bool,
    /// Only members that the patch names stay.
    pub retains_keys: bool,
    /// The member by which items of a merged list are told apart.
    pub merge_key: Option<Box<str>>,
}

/// Limits on values, as custom resources state them.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "they are named as in the OpenAPI specification")]
pub struct Limits {
    pub format: Option<Box<str>>,
    pub one_of_values: Vec<Value>,
    pub pattern: Option<(Box<str>, regex::Regex)>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub exclusive_minimum: bool,
    pub exclusive_maximum: bool,
    pub multiple_of: Option<f64>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
    pub unique_items: bool,
    pub min_properties: Option<u64>,
    pub max_properties: Option<u64>,
    pub all_of: Vec<Schema>,
    pub any_of: Vec<Schema>,
    pub one_of: Vec<Schema>,
    pub not: Option<Schema>,
    pub rules: Vec<Rule>,
}

/// A CEL rule of `x-kubernetes-validations`; see [`rules`].
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// The expression.
    pub rule: String,
    /// What is said when it does not hold.
    pub message: Option<String>,
    /// The same as an expression.
    pub message_expression: Option<String>,
    /// Where it is said, below the value.
    pub field_path: Option<String>,
    /// The cause's reason instead of `FieldValueInvalid`.
    pub reason: Option<String>,
    /// The rule runs without an old value, too; `oldSelf` is optional then.
    pub optional_old_self: Option<bool>,
    #[serde(skip)]
    compiled: OnceLock<Arc<rules::Compiled>>,
}

/// A type of Kubernetes' own by its full name, found when it is first needed: types may hold themselves.
#[derive(Debug)]
struct Reference {
    name: Box<str>,
    found: OnceLock<Option<Arc<Schema>>>,
}

impl Schema {
    /// A schema that takes anything.
    pub fn any() -> Arc<Self> {
        Arc::new(Self { preserves_unknown: true, ..Self::default() })
    }

    /// The type that a reference means, or this one.
    pub fn resolve(&self) -> &Self {
        let Some(reference) = &self.reference else { return self };
        let found = reference.found.get_or_init(|| catalog::definition(&reference.name));
        found.as_deref().map_or(self, Self::resolve)
    }

    /// The name of the type of Kubernetes' own that it is (`PodSpec`).
    pub fn type_name(&self) -> Option<&str> {
        self.reference.as_ref().and_then(|reference| reference.name.rsplit('.').next())
    }

    /// What JSON it is, behind references.
    pub fn kind(&self) -> Kind {
        self.resolve().kind
    }

    /// The declared members.
    pub fn properties(&self) -> &BTreeMap<Box<str>, Arc<Schema>> {
        &self.resolve().properties
    }

    /// A declared member.
    pub fn property(&self, name: &str) -> Option<&Arc<Schema>> {
        self.resolve().properties.get(name)
    }

    /// The form of a map's values; `None` for what is no map.
    pub fn values(&self) -> Option<&Arc<Schema>> {
        match &self.resolve().additional {
            Additional::Of(values) => Some(values),
            Additional::None | Additional::Any => None,
        }
    }

    /// The form of a member, declared or not; `None` where there is no place for it.
    pub fn member(&self, name: &str) -> Option<&Schema> {
        self.property(name).or_else(|| self.values()).map(|schema| &**schema)
    }

    /// The form of a list's items.
    pub fn items(&self) -> Option<&Schema> {
        self.resolve().items.as_deref()
    }

    /// The format that its texts are to have.
    pub fn format(&self) -> Option<&str> {
        self.limits.as_ref()?.format.as_deref()
    }

    /// Whether members that are not declared stay.
    pub fn keeps_unknown(&self) -> bool {
        let schema = self.resolve();
        schema.preserves_unknown || self.preserves_unknown || matches!(schema.additional, Additional::Any)
    }

    /// Whether nothing is said about it: what it holds shows its form.
    pub fn is_untyped(&self) -> bool {
        let schema = self.resolve();
        let says_nothing = schema.properties.is_empty() && schema.items.is_none() && self.values().is_none();
        says_nothing && matches!(schema.kind, Kind::Any | Kind::Object)
    }

    /// Whether the map or object is owned as one value (`x-kubernetes-map-type: atomic`).
    pub fn is_atomic_map(&self) -> bool {
        self.map_is_atomic.or(self.resolve().map_is_atomic).unwrap_or(false)
    }

    /// How the items of the list are told apart.
    pub fn list(&self) -> &List {
        self.list.as_ref().or(self.resolve().list.as_ref()).unwrap_or(&List::Atomic)
    }

    /// Whether rules in CEL stand here or below.
    pub fn has_rules(&self) -> bool {
        !self.is_builtin
            && *self.has_rules.get_or_init(|| {
                let here = self.limits.as_ref();
                here.is_some_and(|limits| !limits.rules.is_empty())
                    || self.properties.values().any(|member| member.has_rules())
                    || self.items.as_ref().is_some_and(|items| items.has_rules())
                    || matches!(&self.additional, Additional::Of(values) if values.has_rules())
            })
    }

    /// An object of this type that nobody has filled in, as Go encodes it: every member that is always written, empty. Custom
    /// resources have none.
    pub fn zero(&self) -> &Value {
        let schema = self.resolve();
        schema.zero.get_or_init(|| {
            if !schema.is_builtin {
                return Value::Object(Map::new());
            }
            let members = schema.properties.iter().filter_map(|(name, member)| {
                let value = match &member.default {
                    Some(Value::Object(_)) if member.kind() == Kind::Object => member.zero().clone(),
                    Some(Value::Object(_)) | None if schema.required.contains(name) => Value::Null,
                    Some(Value::Object(_)) | None => return None,
                    Some(default) => default.clone(),
                };
                Some((name.to_string(), value))
            });
            Value::Object(members.collect())
        })
    }
}
