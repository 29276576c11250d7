//! FieldsV1: a [`Set`] as it stands in `metadata.managedFields`.

use serde_json::{Map, Value};

use super::set::{Element, Node, Scalar, Set};

/// The set as JSON.
pub fn encode(set: &Set) -> Value {
    let mut fields = Map::new();
    for (element, node) in &set.0 {
        let mut below = match encode(&node.below) {
            Value::Object(below) => below,
            _ => Map::new(),
        };
        if node.is_member && !below.is_empty() {
            below.insert(".".to_owned(), Value::Object(Map::new()));
        }
        if node.is_member || !below.is_empty() {
            fields.insert(name(element), Value::Object(below));
        }
    }
    Value::Object(fields)
}

fn name(element: &Element) -> String {
    match element {
        Element::Field(name) => format!("f:{name}"),
        Element::Key(members) => {
            let members = members.iter().map(|(name, value)| (name.to_string(), value.0.clone()));
            format!("k:{}", Value::Object(members.collect()))
        }
        Element::Value(value) => format!("v:{}", value.0),
        Element::Index(index) => format!("i:{index}"),
    }
}

/// Reads a set; `None` when it is none.
pub fn decode(fields: &Value) -> Option<Set> {
    let mut set = Set::default();
    for (name, below) in fields.as_object()? {
        if name == "." {
            continue;
        }
        let below = below.as_object()?;
        let is_member = below.is_empty() || below.contains_key(".");
        let below = below.iter().filter(|(name, _)| *name != ".");
        let below: Map<String, Value> = below.map(|(name, value)| (name.clone(), value.clone())).collect();
        set.0.insert(element(name)?, Node { is_member, below: decode(&Value::Object(below))? });
    }
    Some(set)
}

fn element(name: &str) -> Option<Element> {
    let (kind, rest) = name.split_once(':')?;
    match kind {
        "f" => Some(Element::field(rest)),
        "v" => Some(Element::Value(Scalar(serde_json::from_str(rest).ok()?))),
        "i" => Some(Element::Index(rest.parse().ok()?)),
        "k" => {
            let members: Map<String, Value> = serde_json::from_str(rest).ok()?;
            let mut members: Vec<(Box<str>, Scalar)> =
                members.into_iter().map(|(name, value)| (name.into_boxed_str(), Scalar(value))).collect();
            members.sort();
            Some(Element::Key(members))
        }
        _ => None,
    }
}
