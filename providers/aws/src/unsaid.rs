//! Arguments that nobody gave, in state that Terraform wrote.
//!
//! Terraform's SDK records an absent argument as the zero of its type: an empty text, 0, false, an empty list. The object has
//! nothing there, and the configuration says nothing: that is no change, least of all one that replaces the object.

use sgp_contract::PlanRequest;
use sgp_model::{
    Block, NestedBlock, Schema, Value,
    schema::{Nesting, Presence},
};

/// The planned object with the recorded zero wherever it was planned to become null, and with what follows such a change only
/// (the next version of a launch template) as it is.
#[must_use]
pub fn keep(schema: &Schema, request: &PlanRequest<'_>, planned: Value) -> Value {
    if request.prior.is_null() {
        return planned;
    }
    let kept = keep_in(&schema.block, request.prior, &planned);
    still(&schema.block, request.prior, kept)
}

fn keep_in(block: &Block, prior: &Value, planned: &Value) -> Value {
    if prior.as_fields().is_none() || planned.as_fields().is_none() {
        return planned.clone();
    }
    let mut kept = planned.clone();
    for (name, attribute) in &block.attributes {
        let (Some(before), Some(after)) = (prior.get(name), planned.get(name)) else { continue };
        if attribute.presence == Presence::Optional && after.is_known() && after.is_null() && is_zero(before) {
            kept = kept.with_attr(name, before.clone());
        }
    }
    for (name, nested) in &block.blocks {
        let (Some(before), Some(after)) = (prior.get(name), planned.get(name)) else { continue };
        kept = kept.with_attr(name, keep_nested(nested, before, after));
    }
    kept
}

fn keep_nested(nested: &NestedBlock, prior: &Value, planned: &Value) -> Value {
    let (Some(before), Some(after)) = (prior.elements(), planned.elements()) else { return planned.clone() };
    let element = nested.block.ty();
    match nested.nesting {
        Nesting::List => {
            let kept = after.iter().enumerate().map(|(i, e)| match before.get(i) {
                Some(prior) => keep_in(&nested.block, prior, e),
                None => (*e).clone(),
            });
            Value::list(element, kept.collect()).mark(planned.marks())
        }
        // An element of a set is the recorded one when nothing but zeros tells them apart.
        Nesting::Set => {
            let same = |e: &&Value| before.iter().find(|prior| keep_in(&nested.block, prior, e).same(prior));
            let kept = after.iter().map(|e| same(e).map_or_else(|| (*e).clone(), |prior| (*prior).clone()));
            Value::set(element, kept).mark(planned.marks())
        }
        Nesting::Single | Nesting::Map => planned.clone(),
    }
}

/// Whether a recorded value is what Terraform's SDK writes for an absent argument.
fn is_zero(value: &Value) -> bool {
    value.as_str() == Some("")
        || value.as_bool() == Some(false)
        || value.as_i64() == Some(0)
        || value.elements().is_some_and(|e| e.is_empty())
        || value.as_fields().is_some_and(|f| f.is_empty())
}

/// Takes back what became unknown only because of a change that is none.
fn still(block: &Block, prior: &Value, planned: Value) -> Value {
    let differs = |planned: &Value, name: &str| match (prior.get(name), planned.get(name)) {
        (Some(a), Some(b)) => !a.same(b),
        (a, b) => a.is_some() != b.is_some(),
    };
    let followers: Vec<_> = block.attributes.iter().filter(|(_, a)| a.is_computed() && !a.follows.is_empty()).collect();
    let is_follower = |name: &str| followers.iter().any(|(n, _)| **n == name);
    let any = block.names().any(|name| !is_follower(name) && differs(&planned, name));
    followers.iter().fold(planned, |planned, (name, attribute)| {
        let moved = attribute.follows.iter().any(|f| if *f == "*" { any } else { differs(&planned, f) });
        match prior.get(name) {
            Some(before) if !moved && planned.get(name).is_some_and(|v| !v.is_known()) => {
                planned.with_attr(name, before.clone())
            }
            _ => planned,
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_model::{Attribute, Type};

    use super::*;

    fn schema() -> Schema {
        let part = || {
            Block::default()
                .attr("key", Attribute::string().required())
                .attr("value", Attribute::string())
                .attr("size", Attribute::number())
        };
        Schema::new("t", "A thing.")
            .attr("text", Attribute::string().force_new())
            .attr("flag", Attribute::bool())
            .attr("tags", Attribute::string_map())
            .attr("ids", Attribute::string_set())
            .attr("default", Attribute::number().default(Value::int(3)))
            .attr("version", Attribute::number().computed().follows(&["text", "part"]))
            .attr("changed", Attribute::number().computed().follows(&["*"]))
            .block("part", NestedBlock::list(part()))
            .block("taint", NestedBlock::set(part()))
    }

    fn part(key: &str, value: Value, size: Value) -> Value {
        Value::object([("key", Value::from(key)), ("value", value), ("size", size)])
    }

    fn object(text: Value, flag: Value, part_value: Value, part_size: Value, versions: (Value, Value)) -> Value {
        let parts = part("k", part_value, part_size);
        schema()
            .block
            .empty()
            .with_attr("text", text)
            .with_attr("flag", flag)
            .with_attr("part", Value::list(parts.ty(), vec![parts.clone()]))
            .with_attr("taint", Value::set(parts.ty(), [parts]))
            .with_attr("version", versions.0)
            .with_attr("changed", versions.1)
    }

    fn planned(prior: &Value, proposed: Value) -> Value {
        let none = Value::object::<&str>([]);
        let request = PlanRequest { prior, config: &none, proposed: &none, provider_config: &none };
        keep(&schema(), &request, proposed)
    }

    #[test]
    fn zeros_that_terraform_recorded_are_no_change() {
        let (text, number, flag) = (Value::null(Type::String), Value::null(Type::Number), Value::null(Type::Bool));
        let open = || (Value::unknown(Type::Number), Value::unknown(Type::Number));
        let prior = object("".into(), false.into(), "".into(), Value::int(0), (Value::int(1), Value::int(7)))
            .with_attr("tags", Value::map::<&str>(Type::String, []))
            .with_attr("ids", Value::set(Type::String, []));
        let silent = object(text.clone(), flag.clone(), text.clone(), number.clone(), open());
        assert_eq!(planned(&prior, silent), prior);
        // What is said is a change, and so is what goes away.
        let said = object("a".into(), flag, text, number, open());
        let said = planned(&prior, said);
        assert_eq!(said.get("text").unwrap().as_str(), Some("a"));
        assert!(!said.get("version").unwrap().is_known() && !said.get("changed").unwrap().is_known());
        let full = prior.with_attr("text", "a".into());
        let gone = planned(&full, prior.with_attr("text", Value::null(Type::String)));
        assert!(gone.get("text").unwrap().is_null());
    }
}
