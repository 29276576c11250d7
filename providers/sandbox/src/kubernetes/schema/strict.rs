//! Reads JSON and names members that are there twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a document; of members that are there twice the last counts, and their paths (`spec.replicas`) are answered.
///
/// # Errors
/// What is wrong with the JSON, and where.
pub fn parse_strict(text: &[u8]) -> Result<(Value, Vec<String>), String> {
    let mut found = Found::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Seed(&mut found).deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok((value, found.duplicates))
}

#[derive(Default)]
struct Found {
    path: String,
    duplicates: Vec<String>,
}

struct Seed<'a>(&'a mut Found);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        let length = self.0.path.len();
        loop {
            self.0.path.push_str(&format!("[{}]", items.len()));
            let item = access.next_element_seed(Seed(&mut *self.0))?;
            self.0.path.truncate(length);
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        let length = self.0.path.len();
        while let Some(name) = access.next_key::<String>()? {
            if length > 0 {
                self.0.path.push('.');
            }
            self.0.path.push_str(&name);
            let value = access.next_value_seed(Seed(&mut *self.0))?;
            if members.insert(name, value).is_some() {
                self.0.duplicates.push(self.0.path.clone());
            }
            self.0.path.truncate(length);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_that_are_there_twice_are_named() {
        let text = br#"{"a": 1, "spec": {"replicas": 1, "list": [{"x": 1}, {"x": 1.5, "x": -2}], "replicas": null}, "a": "b"}"#;
        let (value, duplicates) = parse_strict(text).unwrap();
        assert_eq!(value, json!({"a": "b", "spec": {"replicas": null, "list": [{"x": 1}, {"x": -2}]}}));
        assert_eq!(duplicates, ["spec.list[1].x", "spec.replicas", "a"]);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "{} x", "{\"a\" 1}", "nul"] {
            assert!(parse_strict(text.as_bytes()).is_err(), "{text}");
        }
    }
}
