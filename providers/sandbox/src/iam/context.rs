//! The request context: what conditions ask about.

use std::collections::BTreeMap;

/// Condition keys with their values. Keys are the same in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// The values of a key; none when the request has no such key.
    pub fn values(&self, key: &str) -> &[String] {
        self.0.get(&key.to_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// Whether the request has the key.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(&key.to_lowercase())
    }

    /// Gives a key one value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.0.insert(key.to_lowercase(), vec![value.into()]);
    }

    /// Gives a key one value when it has none.
    pub fn set_default(&mut self, key: &str, value: impl Into<String>) {
        self.0.entry(key.to_lowercase()).or_insert_with(|| vec![value.into()]);
    }

    /// Gives a key one more value.
    pub fn add(&mut self, key: &str, value: impl Into<String>) {
        self.0.entry(key.to_lowercase()).or_default().push(value.into());
    }

    /// Takes over all keys of a map.
    pub fn extend(&mut self, more: &BTreeMap<String, Vec<String>>) {
        for (key, values) in more {
            self.0.insert(key.to_lowercase(), values.clone());
        }
    }
}
