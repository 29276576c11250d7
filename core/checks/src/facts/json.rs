//! Looking into JSON.

use serde_json::Value as Json;

/// The elements of a list; none for anything else.
pub(crate) fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

/// The texts of a list.
pub(crate) fn strings(json: &Json) -> impl Iterator<Item = &str> {
    list(json).filter_map(Json::as_str)
}

/// A text, or the texts of a list: as IAM's documents have it.
pub(crate) fn texts_or_one(json: &Json) -> Vec<&str> {
    json.as_str().into_iter().chain(strings(json)).collect()
}
