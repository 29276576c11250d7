//! Reading arguments out of model values, and building objects that follow a schema.
//!
//! Readers answer `None` for what is absent, null or unknown alike: at the time of a call every argument is known.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{Kind, Schema, Type, Value};

/// A string that is set; an empty one counts as set.
pub fn str_opt<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

/// A string that is set and not empty, owned: what most API builders take.
pub fn text(object: &Value, name: &str) -> Option<String> {
    str_opt(object, name).filter(|s| !s.is_empty()).map(str::to_owned)
}

/// A string, or an empty one.
pub fn string(object: &Value, name: &str) -> String {
    str_opt(object, name).unwrap_or_default().to_owned()
}

/// A bool that is set.
pub fn bool_opt(object: &Value, name: &str) -> Option<bool> {
    object.get(name)?.as_bool()
}

/// A bool; absent means false.
pub fn flag(object: &Value, name: &str) -> bool {
    bool_opt(object, name).unwrap_or_default()
}

/// A whole number that is set and fits 64 bits.
pub fn i64_opt(object: &Value, name: &str) -> Option<i64> {
    object.get(name)?.as_i64()
}

/// A whole number that is set and fits 32 bits.
pub fn i32_opt(object: &Value, name: &str) -> Option<i32> {
    i64_opt(object, name)?.try_into().ok()
}

/// The strings of a list or set; absent means none.
pub fn strs(object: &Value, name: &str) -> Vec<String> {
    object.get(name).map(|v| v.str_elements().into_iter().map(str::to_owned).collect()).unwrap_or_default()
}

/// The strings of a list or set, `None` when it is absent or empty: for API builders that tell the two apart.
pub fn strs_opt(object: &Value, name: &str) -> Option<Vec<String>> {
    Some(strs(object, name)).filter(|s| !s.is_empty())
}

/// The known strings of a map; absent means none.
pub fn str_map(object: &Value, name: &str) -> BTreeMap<String, String> {
    let Some(fields) = object.get(name).and_then(Value::as_fields) else { return BTreeMap::new() };
    fields.iter().filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned()))).collect()
}

/// The nested blocks of a name, whatever their nesting (single, list or set).
pub fn blocks<'a>(object: &'a Value, name: &str) -> Vec<&'a Value> {
    match object.get(name) {
        Some(v) if matches!(v.kind(), Kind::Object(_)) => vec![v],
        Some(v) => v.elements().unwrap_or_default().into_iter().filter(|e| !e.is_null()).collect(),
        None => Vec::new(),
    }
}

/// The one nested block of a name, if there is one.
pub fn block<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    blocks(object, name).into_iter().next()
}

/// Whether an argument is present and neither null nor unknown.
pub fn is_set(object: &Value, name: &str) -> bool {
    object.get(name).is_some_and(|v| v.is_known() && !v.is_null())
}

/// Whether an argument differs between two objects (marks aside).
pub fn changed(prior: &Value, planned: &Value, name: &str) -> bool {
    match (prior.get(name), planned.get(name)) {
        (Some(a), Some(b)) => !a.same(b),
        (a, b) => a.is_some_and(|v| !v.is_null()) != b.is_some_and(|v| !v.is_null()),
    }
}

/// Whether any of the arguments differs between two objects.
pub fn any_changed(prior: &Value, planned: &Value, names: &[&str]) -> bool {
    names.iter().any(|name| changed(prior, planned, name))
}

/// The object with null in place of what is unknown, however deep.
#[must_use]
pub fn known(object: &Value) -> Value {
    object.map_deep(&mut |_, v| if v.is_known() { v } else { Value::null(v.ty()) })
}

/// A string, or null.
pub fn opt_str(text: Option<&str>) -> Value {
    text.map_or_else(|| Value::null(Type::String), Value::from)
}

/// A string, or null for an absent or empty one.
pub fn non_empty(text: Option<&str>) -> Value {
    opt_str(text.filter(|s| !s.is_empty()))
}

/// One of the SDK's enumerated words, or null.
pub fn word<T: AsRef<str>>(word: Option<&T>) -> Value {
    opt_str(word.map(AsRef::as_ref))
}

/// A number, or null.
pub fn opt_int(number: Option<impl Into<i64>>) -> Value {
    number.map_or_else(|| Value::null(Type::Number), |n| Value::int(n.into()))
}

/// A bool, or null.
pub fn opt_bool(flag: Option<bool>) -> Value {
    flag.map_or_else(|| Value::null(Type::Bool), Value::from)
}

/// A set of strings.
pub fn string_set<S: Into<Arc<str>>>(texts: impl IntoIterator<Item = S>) -> Value {
    Value::set(Type::String, texts.into_iter().map(Value::string))
}

/// A map of strings.
pub fn string_map<K: Into<Arc<str>>, V: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, V)>) -> Value {
    Value::map(Type::String, entries.into_iter().map(|(k, v)| (k, Value::string(v))))
}

/// Builds an object with every attribute of a schema: what is not set stays as it was carried over, or null.
#[derive(Clone, Debug)]
pub struct ObjectBuilder {
    fields: BTreeMap<Arc<str>, Value>,
}

impl ObjectBuilder {
    /// Starts with every attribute null and every block absent.
    pub fn new(schema: &Schema) -> Self {
        let fields = schema.block.empty().as_fields().cloned().unwrap_or_default();
        Self { fields }
    }

    /// Starts with what `prior` says about attributes of the schema; unknown parts become null or absent.
    #[must_use]
    pub fn carrying(schema: &Schema, prior: &Value) -> Self {
        let mut builder = Self::new(schema);
        for (name, value) in &mut builder.fields {
            if let Some(known) = prior.get(name).filter(|v| v.is_wholly_known()) {
                *value = known.clone();
            }
        }
        builder
    }

    /// Starts with a block's shape, for objects inside the object.
    pub fn of_block(block: &sgp_model::Block) -> Self {
        Self { fields: block.empty().as_fields().cloned().unwrap_or_default() }
    }

    /// Sets an attribute that the schema has.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        debug_assert!(self.fields.contains_key(name), "{name} is not in the schema");
        self.fields.insert(name.into(), value.into());
        self
    }

    /// Sets an attribute when there is something to say, and leaves what was carried over otherwise.
    #[must_use]
    pub fn set_opt(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// The object.
    pub fn build(self) -> Value {
        Value::object(self.fields)
    }
}

/// The attributes that an import starts from: named ones, nothing else.
pub fn identity<const N: usize>(fields: [(&str, &str); N]) -> Value {
    Value::object(fields.map(|(name, value)| (name, Value::from(value))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_model::{Attribute, Block, NestedBlock};

    use super::*;

    fn schema() -> Schema {
        Schema::new("t", "A test.")
            .attr("a", Attribute::string().optional())
            .attr("b", Attribute::number().optional())
            .block("c", NestedBlock::list(Block::default().attr("x", Attribute::string().optional())))
    }

    #[test]
    fn unknown_parts_are_not_carried_over() {
        let prior = Value::object([("a", Value::unknown(Type::String)), ("b", Value::int(3)), ("z", "gone".into())]);
        let object = ObjectBuilder::carrying(&schema(), &prior).build();
        assert!(object.get("a").unwrap().is_null());
        assert_eq!(i32_opt(&object, "b"), Some(3));
        assert!(object.get("z").is_none());
        assert!(blocks(&object, "c").is_empty());
    }

    #[test]
    fn readers_treat_null_unknown_and_absent_alike() {
        let object =
            Value::object([("n", Value::null(Type::String)), ("u", Value::unknown(Type::String)), ("e", "".into())]);
        for name in ["n", "u", "absent"] {
            assert_eq!(str_opt(&object, name), None, "{name}");
            assert!(!is_set(&object, name), "{name}");
        }
        assert_eq!(str_opt(&object, "e"), Some(""));
        assert_eq!(text(&object, "e"), None);
    }

    #[test]
    fn a_null_equals_an_absent_argument() {
        let a = Value::object([("x", Value::null(Type::String))]);
        let b = Value::object([("y", Value::from("1"))]);
        assert!(!changed(&a, &b, "x"));
        assert!(changed(&a, &b, "y"));
    }
}
