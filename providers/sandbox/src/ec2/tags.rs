//! Tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A `tagSet`.
pub fn tag_set(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}
