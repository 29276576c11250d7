//! The types of expressions, and which types the values of a schema have (`k8s.io/apiserver/pkg/cel/common`, `SchemaDeclType`).

use std::fmt;
use std::sync::Arc;

use super::super::schema::{Kind, Schema};

/// A type.
#[derive(Clone, Debug)]
pub enum Type<'s> {
    /// Anything; what it is shows when the rule runs.
    Dyn,
    /// Something that was already reported.
    Error,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Duration,
    Timestamp,
    List(Arc<Type<'s>>),
    Map(Arc<Type<'s>>, Arc<Type<'s>>),
    Object(Object<'s>),
    /// The type of a type.
    Meta(Arc<Type<'s>>),
    /// A type by its name, with its parameter if it has one: `optional_type`, `kubernetes.URL`.
    Named(&'static str, Option<Arc<Type<'s>>>),
    /// Stands for a type that is not known yet.
    Variable(usize),
}

/// An object with declared fields.
#[derive(Clone, Debug)]
pub enum Object<'s> {
    /// By its schema, whether it has a kind, a version and metadata, and its name in messages.
    Declared(&'s Schema, bool, Arc<str>),
    /// The metadata of an object.
    Metadata,
}

/// What the type of `self` is called. The API server gives it a number of its own each time, so that nobody relies on it.
const SELF: &str = "selfType";

/// The type of what is optional.
pub const OPTIONAL: &str = "optional_type";

impl<'s> Type<'s> {
    pub fn list(items: Self) -> Self {
        Self::List(Arc::new(items))
    }

    pub fn optional(value: Self) -> Self {
        Self::Named(OPTIONAL, Some(Arc::new(value)))
    }

    /// The type of the values of a schema; `None` where rules do not see them. `is_root` is said of the object itself.
    pub fn of(schema: &'s Schema, is_root: bool) -> Option<Self> {
        Self::named(schema, is_root, SELF)
    }

    fn named(schema: &'s Schema, is_root: bool, name: &str) -> Option<Self> {
        let is_root = is_root || schema.is_embedded;
        Some(match schema.kind {
            Kind::IntOrString => Self::Dyn,
            Kind::Any | Kind::Quantity if !is_root => return None,
            Kind::Array => Self::list(Self::named(schema.items()?, false, &format!("{name}.@idx"))?),
            Kind::Object | Kind::Any | Kind::Quantity => match schema.values() {
                Some(values) if !is_root => {
                    let of = Self::named(values, false, &format!("{name}.@elem"))?;
                    Self::Map(Arc::new(Self::Text), Arc::new(of))
                }
                _ => Self::Object(Object::Declared(schema, is_root, name.into())),
            },
            Kind::String => match schema.format() {
                Some("byte") => Self::Bytes,
                Some("duration") => Self::Duration,
                Some("date" | "date-time") => Self::Timestamp,
                _ => Self::Text,
            },
            Kind::Integer => Self::Int,
            Kind::Number => Self::Double,
            Kind::Boolean => Self::Bool,
        })
    }

    /// Whether null is a value of the type.
    pub fn takes_null(&self) -> bool {
        matches!(
            self,
            Self::Null | Self::Dyn | Self::Error | Self::Duration | Self::Timestamp | Self::Object(_) | Self::Named(..)
        )
    }
}

impl<'s> Object<'s> {
    /// The type of a field by the name by which rules call it; `None` where there is none.
    pub fn field(&self, name: &str) -> Option<Type<'s>> {
        let Self::Declared(schema, is_root, of) = self else {
            return matches!(name, "name" | "generateName").then_some(Type::Text);
        };
        if *is_root {
            match name {
                "apiVersion" | "kind" => return Some(Type::Text),
                "metadata" => return Some(Type::Object(Self::Metadata)),
                _ => {}
            }
        }
        let plain = unescape(name)?;
        // What has to be escaped is found only so; the words of the language may stand as they are behind a point.
        if escape(&plain).as_deref() != Some(name) && !KEYWORDS.contains(&name) {
            return None;
        }
        Type::named(schema.property(&plain)?, false, &format!("{of}.{name}"))
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Metadata, Self::Metadata) => true,
            (Self::Declared(one, ..), Self::Declared(other, ..)) => std::ptr::eq(*one, *other),
            _ => false,
        }
    }
}

impl PartialEq for Type<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(one), Self::List(other)) | (Self::Meta(one), Self::Meta(other)) => one == other,
            (Self::Map(key, value), Self::Map(other_key, other_value)) => key == other_key && value == other_value,
            (Self::Object(one), Self::Object(other)) => one.is(other),
            (Self::Named(one, of), Self::Named(other, other_of)) => one == other && of == other_of,
            (Self::Variable(one), Self::Variable(other)) => one == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Dyn => "dyn",
            Self::Error => "!error!",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::List(items) => return write!(f, "list({items})"),
            Self::Map(key, value) => return write!(f, "map({key}, {value})"),
            Self::Object(Object::Metadata) => "selfType.metadata",
            Self::Object(Object::Declared(_, _, name)) => name,
            Self::Meta(of) => return write!(f, "type({of})"),
            Self::Named(name, Some(of)) => return write!(f, "{name}({of})"),
            Self::Named(name, None) => name,
            Self::Variable(_) => "_var",
        };
        f.write_str(name)
    }
}

/// Words that are no names of fields.
const KEYWORDS: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// A property as rules call it (`a-b` is `a__dash__b`); `None` when they cannot.
pub fn escape(name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if KEYWORDS.contains(&name) {
        return Some(format!("__{name}__"));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')) {
        return None;
    }
    let escaped = name.replace("__", "__underscores__");
    Some(escaped.replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__"))
}

/// The property that rules call so; `None` where the escape is none.
pub fn unescape(name: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = name;
    while let Some(start) = rest.find("__") {
        let inner = &rest[start + 2..];
        let end = inner.find('_').filter(|end| *end > 0 && inner[*end..].starts_with("__"));
        let Some(end) = end else {
            // No escape begins here: an underscore more, and on.
            plain.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
            continue;
        };
        plain.push_str(&rest[..start]);
        match &inner[..end] {
            "underscores" => plain.push_str("__"),
            "dot" => plain.push('.'),
            "dash" => plain.push('-'),
            "slash" => plain.push('/'),
            word if KEYWORDS.contains(&word) && name.len() == word.len() + 4 => plain.push_str(word),
            _ => return None,
        }
        rest = &inner[end + 2..];
    }
    plain.push_str(rest);
    Some(plain)
}
