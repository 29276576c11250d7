//! Types of values: HCL's primitives, collections and structures.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// A type. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Type {
    /// Not known: `any` in a constraint, the type of `null` and of some unknown values.
    Dynamic,
    /// `true` or `false`.
    Bool,
    /// A number, see [`crate::Number`].
    Number,
    /// Unicode text in NFC.
    String,
    /// A sequence of one type.
    List(Arc<Type>),
    /// An unordered collection of distinct values of one type.
    Set(Arc<Type>),
    /// Strings to values of one type.
    Map(Arc<Type>),
    /// A sequence with a type for each place.
    Tuple(Arc<[Type]>),
    /// Names to values, each with its own type.
    Object(Arc<BTreeMap<Arc<str>, Field>>),
}

/// One attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Field {
    /// The attribute's type.
    pub ty: Type,
    /// Whether the attribute may be left out (`optional(...)` in a constraint; null takes its place).
    pub optional: bool,
}

impl Type {
    /// `list(element)`.
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// `set(element)`.
    pub fn set(element: Self) -> Self {
        Self::Set(Arc::new(element))
    }

    /// `map(element)`.
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(element))
    }

    /// `tuple([...])`.
    pub fn tuple(elements: impl IntoIterator<Item = Self>) -> Self {
        Self::Tuple(elements.into_iter().collect())
    }

    /// `object({...})` with required attributes only.
    pub fn object<K: Into<Arc<str>>>(fields: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Object(Arc::new(fields.into_iter().map(|(k, ty)| (k.into(), Field { ty, optional: false })).collect()))
    }

    /// Whether this is a string, number or bool.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// Whether no part of the type is [`Type::Dynamic`].
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Dynamic => false,
            Self::Bool | Self::Number | Self::String => true,
            Self::List(t) | Self::Set(t) | Self::Map(t) => t.is_wholly_known(),
            Self::Tuple(ts) => ts.iter().all(Self::is_wholly_known),
            Self::Object(fs) => fs.values().all(|f| f.ty.is_wholly_known()),
        }
    }

    /// The name that messages use: `string`, `list of string`, `object`.
    pub fn friendly_name(&self) -> String {
        match self {
            Self::Dynamic => "dynamic".into(),
            Self::Bool => "bool".into(),
            Self::Number => "number".into(),
            Self::String => "string".into(),
            Self::List(t) => format!("list of {}", t.friendly_name()),
            Self::Set(t) => format!("set of {}", t.friendly_name()),
            Self::Map(t) => format!("map of {}", t.friendly_name()),
            Self::Tuple(_) => "tuple".into(),
            Self::Object(_) => "object".into(),
        }
    }

    /// The friendly name with its article: `a list of string`, `an object`.
    pub fn with_article(&self) -> String {
        let article = if matches!(self, Self::Object(_)) { "an" } else { "a" };
        format!("{article} {}", self.friendly_name())
    }

    /// Terraform's JSON form: `"string"`, `["list","string"]`, `["object",{...}]` (with a third element that names the
    /// optional attributes when there are any).
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Dynamic => json!("dynamic"),
            Self::Bool => json!("bool"),
            Self::Number => json!("number"),
            Self::String => json!("string"),
            Self::List(t) => json!(["list", t.to_json()]),
            Self::Set(t) => json!(["set", t.to_json()]),
            Self::Map(t) => json!(["map", t.to_json()]),
            Self::Tuple(ts) => json!(["tuple", ts.iter().map(Self::to_json).collect::<Vec<_>>()]),
            Self::Object(fs) => {
                let fields: serde_json::Map<_, _> = fs.iter().map(|(k, f)| (k.to_string(), f.ty.to_json())).collect();
                let optional: Vec<_> = fs.iter().filter(|(_, f)| f.optional).map(|(k, _)| k.to_string()).collect();
                if optional.is_empty() { json!(["object", fields]) } else { json!(["object", fields, optional]) }
            }
        }
    }

    /// Reads Terraform's JSON form of a type; `None` for anything else.
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        use serde_json::Value as J;
        match json {
            J::String(s) => Some(match s.as_str() {
                "dynamic" => Self::Dynamic,
                "bool" => Self::Bool,
                "number" => Self::Number,
                "string" => Self::String,
                _ => return None,
            }),
            J::Array(parts) => {
                let inner = parts.get(1)?;
                Some(match parts.first()?.as_str()? {
                    "list" => Self::list(Self::from_json(inner)?),
                    "set" => Self::set(Self::from_json(inner)?),
                    "map" => Self::map(Self::from_json(inner)?),
                    "tuple" => Self::Tuple(inner.as_array()?.iter().map(Self::from_json).collect::<Option<_>>()?),
                    "object" => {
                        let optional: Vec<&str> = parts
                            .get(2)
                            .and_then(J::as_array)
                            .map(|names| names.iter().filter_map(J::as_str).collect())
                            .unwrap_or_default();
                        let fields = inner
                            .as_object()?
                            .iter()
                            .map(|(k, v)| {
                                let ty = Self::from_json(v)?;
                                Some((Arc::from(k.as_str()), Field { ty, optional: optional.contains(&k.as_str()) }))
                            })
                            .collect::<Option<_>>()?;
                        Self::Object(Arc::new(fields))
                    }
                    _ => return None,
                })
            }
            _ => None,
        }
    }
}

/// Shows the type as a constraint in HCL: `list(string)`, `object({a = number})`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dynamic => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::List(t) => write!(f, "list({t})"),
            Self::Set(t) => write!(f, "set({t})"),
            Self::Map(t) => write!(f, "map({t})"),
            Self::Tuple(ts) => {
                f.write_str("tuple([")?;
                for (i, t) in ts.iter().enumerate() {
                    write!(f, "{}{t}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("])")
            }
            Self::Object(fs) => {
                f.write_str("object({")?;
                for (i, (k, field)) in fs.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    if field.optional {
                        write!(f, "{comma}{k} = optional({})", field.ty)?;
                    } else {
                        write!(f, "{comma}{k} = {}", field.ty)?;
                    }
                }
                f.write_str("})")
            }
        }
    }
}
