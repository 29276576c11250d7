//! `configurationValues` of add-ons: JSON or YAML, held against the add-on's schema.

use serde_json::Value;

/// Reads JSON or YAML; nothing is an empty object.
///
/// # Errors
/// The parser's words.
pub fn read(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) => serde_norway::from_str(text).map_err(|error| error.to_string()),
    }
}
