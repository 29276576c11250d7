//! A value and the one that it replaces (`k8s.io/apiserver/pkg/cel/common/equality.go`).

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::Value;

use super::super::{List, Schema};

/// A value with the old one.
#[derive(Debug)]
pub(super) struct Correlated<'a> {
    new: &'a Value,
    old: &'a Value,
    schema: &'a Schema,
    is_equal: OnceCell<bool>,
}

impl<'a> Correlated<'a> {
    pub fn new(new: &'a Value, old: &'a Value, schema: &'a Schema) -> Rc<Self> {
        Rc::new(Self { new, old, schema, is_equal: OnceCell::new() })
    }

    /// Whether nothing changed.
    pub fn is_equal(&self) -> bool {
        *self.is_equal.get_or_init(|| same(self.new, self.old, self.schema))
    }

    /// A member that was there before, too.
    pub fn member(&self, name: &str) -> Option<Rc<Self>> {
        let schema = self.schema.member(name)?;
        Some(Self::new(self.new.get(name)?, self.old.get(name)?, schema))
    }

    /// An item that was there before, by its keys.
    pub fn item(&self, index: usize) -> Option<Rc<Self>> {
        let List::Map(keys) = self.schema.list() else { return None };
        let item = self.new.get(index)?;
        Some(Self::new(item, with_keys(self.old, item, keys)?, self.schema.items()?))
    }
}

/// The item of a list that has the same keys.
pub(super) fn with_keys<'a>(list: &'a Value, item: &Value, keys: &[Box<str>]) -> Option<&'a Value> {
    let is_same = |other: &&Value| keys.iter().all(|key| other.get(&**key) == item.get(&**key));
    list.as_array()?.iter().find(is_same)
}

/// The order of keyed items means nothing.
fn same(new: &Value, old: &Value, schema: &Schema) -> bool {
    match (new, old, schema.list()) {
        (Value::Array(new), Value::Array(olds), List::Map(keys)) => {
            let of_items = schema.items();
            new.len() == olds.len()
                && new.iter().all(|item| match (with_keys(old, item, keys), of_items) {
                    (Some(other), Some(schema)) => same(item, other, schema),
                    _ => false,
                })
        }
        (Value::Object(new), Value::Object(old), _) => {
            new.len() == old.len()
                && new.iter().all(|(name, value)| match (old.get(name), schema.member(name)) {
                    (Some(other), Some(schema)) => same(value, other, schema),
                    (Some(other), None) => value == other,
                    (None, _) => false,
                })
        }
        _ => new == old,
    }
}
