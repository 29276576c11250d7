//! What of an object is owned as one value and what member by member.

use serde_json::{Map, Value};

use super::set::{Element, Scalar};
use crate::kubernetes::schema::{Kind, List, Schema};

/// The form of a value: of a schema, or, where a schema says nothing, deduced from the value. Then objects are owned member by
/// member and lists as one value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form<'a>(pub(super) Option<&'a Schema>);

/// How a value is owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// As one.
    Leaf,
    /// Member by member.
    Map,
    /// Item by item.
    List,
}

impl<'a> Form<'a> {
    /// How this value is owned. A missing or null one is a leaf.
    pub(super) fn shape(self, value: Option<&Value>) -> Shape {
        match value {
            Some(Value::Object(_)) if self.is_map() => Shape::Map,
            Some(Value::Array(_)) if self.list().is_some() => Shape::List,
            _ => Shape::Leaf,
        }
    }

    fn is_map(self) -> bool {
        self.0.is_none_or(|schema| matches!(schema.kind(), Kind::Object | Kind::Any) && !schema.is_atomic_map())
    }

    /// How the items of a list are told apart; `None` when the list is one value.
    fn list(self) -> Option<&'a List> {
        let schema = self.0.filter(|schema| matches!(schema.kind(), Kind::Array | Kind::Any))?;
        Some(schema.list()).filter(|list| **list != List::Atomic)
    }

    /// The form of a member.
    pub(super) fn member(self, name: &str) -> Self {
        Self(self.0.and_then(|schema| schema.member(name)))
    }

    /// Whether the member is one that the type names.
    pub(super) fn names(self, name: &str) -> bool {
        self.0.is_some_and(|schema| schema.property(name).is_some())
    }

    /// Whether there is a place for the member.
    pub(super) fn takes(self, name: &str) -> bool {
        self.0.is_none_or(|schema| schema.member(name).is_some() || schema.keeps_unknown() || schema.is_untyped())
    }

    /// The form of the items.
    pub(super) fn items(self) -> Self {
        Self(self.0.and_then(Schema::items))
    }

    /// What tells an item of a list apart, or why nothing does.
    pub(super) fn element(self, item: &Value) -> Result<Element, String> {
        match self.list() {
            Some(List::Map(keys)) => match item {
                Value::Object(members) => self.key(keys, members),
                Value::Null => Err("associative list with keys may not have a null element".to_owned()),
                _ => Err("associative list with keys may not have non-map elements".to_owned()),
            },
            _ => match item {
                Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
                Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
                Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
                scalar => Ok(Element::Value(Scalar(scalar.clone()))),
            },
        }
    }

    fn key(self, keys: &[Box<str>], members: &Map<String, Value>) -> Result<Element, String> {
        let items = self.items();
        let default = |key: &str| items.0?.property(key)?.default.clone();
        let value = |key: &str| {
            let value = members.get(key).cloned().or_else(|| default(key))?;
            Some((key.into(), Scalar(value)))
        };
        let mut found: Vec<(Box<str>, Scalar)> = keys.iter().filter_map(|key| value(key)).collect();
        if found.is_empty() {
            let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
                keys.join(" ")
            ));
        }
        found.sort();
        Ok(Element::Key(found))
    }

    /// What tells the items of a list apart, in order; what nothing tells apart is left out.
    pub(super) fn elements(self, items: &[Value]) -> Vec<(Element, &Value)> {
        items.iter().filter_map(|item| Some((self.element(item).ok()?, item))).collect()
    }
}
