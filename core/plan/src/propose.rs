//! The object that the schema alone makes of a configuration and what exists.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{
    Attribute, Block, Kind, NestedBlock, Type, Value,
    schema::{Nesting, Presence},
};

use crate::{changed_attributes, means_the_same};

/// Lays `config` over `prior`: what is configured wins, what the provider decides stays as it is (or is unknown when there
/// is no object yet), a text that means the same as the existing one stays the existing one.
///
/// `prior` is null for an object that does not exist. Computed attributes that follow a changed one become unknown.
pub fn propose(block: &Block, prior: &Value, config: &Value) -> Value {
    with_identity(block, proposed(block, prior, config))
}

fn proposed(block: &Block, prior: &Value, config: &Value) -> Value {
    if !config.is_known() || config.is_null() {
        return config.clone();
    }
    let proposed = laid_over(block, prior, config);
    if prior.is_null() { proposed } else { follow(block, prior, config, proposed) }
}

/// Whatever else a service decides: what it makes has an id, and where it has an ARN, that is there from the start.
const IDENTITY: [&str; 2] = ["arn", "id"];

/// The object, whose identity is not null even while it is not known.
fn with_identity(block: &Block, object: Value) -> Value {
    let Kind::Object(fields) = object.kind() else { return object };
    let is_open = |name: &str| {
        let decided =
            block.attributes.get(name).is_some_and(|a| a.presence == Presence::Computed && a.ty == Type::String);
        decided && fields.get(name).is_some_and(|v| !v.is_known() && !v.is_never_null())
    };
    let open: Vec<&str> = IDENTITY.into_iter().filter(|name| is_open(name)).collect();
    open.into_iter().fold(object.clone(), |object, name| object.with_attr(name, Value::unknown_not_null(Type::String)))
}

fn laid_over(block: &Block, prior: &Value, config: &Value) -> Value {
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        let configured = config.get(name).cloned().unwrap_or_else(|| Value::null(attribute.ty.clone()));
        (Arc::from(*name), attribute_value(attribute, prior_part(prior, name), configured))
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let configured = config.get(name).cloned().unwrap_or_else(|| nested.empty());
        (Arc::from(*name), nested_value(nested, prior_part(prior, name), configured))
    });
    let (_, marks) = config.clone().unmark();
    Value::object(attributes.chain(blocks).collect::<BTreeMap<Arc<str>, Value>>()).mark(marks)
}

/// The part of an existing object, or `None` when there is no object.
fn prior_part<'a>(prior: &'a Value, name: &str) -> Option<&'a Value> {
    prior.get(name)
}

fn attribute_value(attribute: &Attribute, prior: Option<&Value>, configured: Value) -> Value {
    if attribute.write_only {
        return Value::null(attribute.ty.clone());
    }
    if configured.is_null() || attribute.presence == Presence::Computed {
        return unconfigured(attribute, prior);
    }
    match prior {
        Some(prior) if means_the_same(attribute.semantics, prior, &configured) => {
            // What was a secret before may be none now, and the other way round.
            let (prior, _) = prior.clone().unmark_deep();
            prior.mark_paths(&configured.sensitive_paths()).mark(configured.marks())
        }
        _ => without_nulls(configured),
    }
}

/// An entry of a map whose value is null says nothing: `tags = { team = var.team }` with no team is as without it.
fn without_nulls(value: Value) -> Value {
    match value.kind() {
        Kind::Map(element, entries) if entries.values().any(Value::is_null) => {
            let said = entries.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone()));
            Value::map(element.clone(), said).mark(value.marks())
        }
        _ => value,
    }
}

fn unconfigured(attribute: &Attribute, prior: Option<&Value>) -> Value {
    if let Some(default) = &attribute.default {
        return default.clone();
    }
    match (attribute.is_computed(), prior) {
        (true, Some(prior)) => prior.clone(),
        (true, None) => Value::unknown(attribute.ty.clone()),
        (false, _) => Value::null(attribute.ty.clone()),
    }
}

fn nested_value(nested: &NestedBlock, prior: Option<&Value>, configured: Value) -> Value {
    if !configured.is_known() {
        return configured;
    }
    if configured.is_null() {
        return match (nested.computed, prior) {
            (true, Some(prior)) => prior.clone(),
            (true, None) => Value::unknown(nested.ty()),
            (false, _) => configured,
        };
    }
    let none = Value::null(nested.block.ty());
    let marks = configured.marks();
    let value = match nested.nesting {
        Nesting::Single => proposed(&nested.block, prior.unwrap_or(&none), &configured),
        Nesting::List => {
            let before = prior.and_then(Value::elements).unwrap_or_default();
            let after = configured.elements().unwrap_or_default();
            let elements = after
                .iter()
                .enumerate()
                .map(|(i, e)| proposed(&nested.block, before.get(i).copied().unwrap_or(&none), e))
                .collect();
            Value::list(nested.block.ty(), elements)
        }
        Nesting::Set => {
            let before = prior.and_then(Value::elements).unwrap_or_default();
            let after = configured.elements().unwrap_or_default();
            let elements = after.iter().map(|e| {
                let same = before.iter().find(|b| same_arguments(&nested.block, b, e)).copied();
                proposed(&nested.block, same.unwrap_or(&none), e)
            });
            Value::set(nested.block.ty(), elements)
        }
        Nesting::Map => {
            let entries = configured.as_fields().into_iter().flatten().map(|(key, e)| {
                let before = prior.and_then(|p| p.get(key)).unwrap_or(&none);
                (key.clone(), proposed(&nested.block, before, e))
            });
            Value::map(nested.block.ty(), entries)
        }
    };
    value.mark(marks)
}

/// Whether an existing element of a set is the one that is configured: every argument that is said is the same.
fn same_arguments(block: &Block, existing: &Value, configured: &Value) -> bool {
    let attributes = block.attributes.iter().all(|(name, attribute)| match configured.get(name) {
        Some(value) if !value.is_null() => {
            existing.get(name).is_some_and(|e| means_the_same(attribute.semantics, e, value))
        }
        _ => attribute.is_computed() || existing.get(name).is_none_or(|e| is_default(attribute, e)),
    });
    attributes
        && block.blocks.keys().all(|name| match (existing.get(name), configured.get(name)) {
            (Some(e), Some(c)) => e.same(c),
            (e, c) => e.is_none() == c.is_none(),
        })
}

fn is_default(attribute: &Attribute, value: &Value) -> bool {
    value.is_null() || attribute.default.as_ref().is_some_and(|d| d.same(value))
}

/// Makes computed attributes unknown that follow something that changes, unless the configuration says what they are.
fn follow(block: &Block, prior: &Value, config: &Value, proposed: Value) -> Value {
    let changed = changed_attributes(block, prior, &proposed);
    if changed.is_empty() {
        return proposed;
    }
    let Kind::Object(fields) = proposed.kind() else { return proposed };
    let mut fields = (**fields).clone();
    for (name, attribute) in &block.attributes {
        let follows = attribute.follows.iter().any(|f| *f == "*" || changed.contains(f));
        let is_said = attribute.is_settable() && config.get(name).is_some_and(|value| !value.is_null());
        if follows && attribute.is_computed() && !is_said && !changed.contains(name) {
            fields.insert(Arc::from(*name), Value::unknown(attribute.ty.clone()));
        }
    }
    Value::from(Kind::Object(Arc::new(fields))).mark(proposed.marks())
}

/// The object without the values of write-only attributes, at any depth: what may be kept of an object.
pub fn without_write_only(block: &Block, value: &Value) -> Value {
    each_write_only(block, value, &|attribute, _| Value::null(attribute.ty.clone()))
}

/// What may be kept of a configuration: write-only arguments, at any depth, are unknown where they are set.
pub fn with_write_only_hidden(block: &Block, config: &Value) -> Value {
    each_write_only(block, config, &|attribute, said| {
        if said.is_null() { Value::null(attribute.ty.clone()) } else { Value::unknown(attribute.ty.clone()) }
    })
}

/// The object with something else for the values of write-only attributes.
fn each_write_only(block: &Block, value: &Value, change: &dyn Fn(&Attribute, &Value) -> Value) -> Value {
    if !has_write_only(block) {
        return value.clone();
    }
    let Kind::Object(fields) = value.kind() else { return value.clone() };
    let mut fields = (**fields).clone();
    for (name, field) in &mut fields {
        if let Some(attribute) = block.attributes.get(&**name) {
            if attribute.write_only {
                *field = change(attribute, field);
            }
        } else if let Some(nested) = block.blocks.get(&**name) {
            *field = each_write_only_below(nested, field, change);
        }
    }
    Value::from(Kind::Object(Arc::new(fields))).mark(value.marks())
}

fn each_write_only_below(nested: &NestedBlock, value: &Value, change: &dyn Fn(&Attribute, &Value) -> Value) -> Value {
    let element = nested.block.ty();
    let inner = |value: &Value| each_write_only(&nested.block, value, change);
    let kept = match value.kind() {
        Kind::Object(_) => inner(value),
        Kind::List(_, elements) => Value::list(element, elements.iter().map(inner).collect()),
        Kind::Set(_, elements) => Value::set(element, elements.iter().map(inner)),
        Kind::Map(_, entries) => Value::map(element, entries.iter().map(|(key, entry)| (key.clone(), inner(entry)))),
        _ => return value.clone(),
    };
    kept.mark(value.marks())
}

/// The planned object with an unknown value for each write-only argument that the change sends: what a plan shows of them. A
/// creation sends all that are set; a change in place sends those whose `_version` changes. `config` is that of the change.
#[must_use]
pub fn with_write_only_sent(block: &Block, before: &Value, after: &Value, config: &Value) -> Value {
    let Kind::Object(fields) = after.kind() else { return after.clone() };
    if !has_write_only(block) {
        return after.clone();
    }
    let is_new_version = |name: &str| {
        let version = format!("{name}_version");
        before.is_null() || before.get(&version) != after.get(&version)
    };
    let mut fields = (**fields).clone();
    for (name, field) in &mut fields {
        let said = config.get(name).filter(|said| !said.is_null());
        let Some(said) = said else { continue };
        if let Some(attribute) = block.attributes.get(&**name) {
            if attribute.write_only && is_new_version(name) {
                *field = Value::unknown(attribute.ty.clone());
            }
        } else if let Some(nested) = block.blocks.get(&**name) {
            *field = sent_below(nested, before.get(name), field, said);
        }
    }
    Value::from(Kind::Object(Arc::new(fields))).mark(after.marks())
}

/// The same for nested blocks, side by side. Those of a set have no places, and what they send is not told.
fn sent_below(nested: &NestedBlock, before: Option<&Value>, after: &Value, config: &Value) -> Value {
    let none = Value::dynamic_null();
    let one = |before: Option<&Value>, after: &Value, config: Option<&Value>| {
        with_write_only_sent(&nested.block, before.unwrap_or(&none), after, config.unwrap_or(&none))
    };
    let sent = match (after.kind(), config.kind()) {
        (Kind::Object(_), Kind::Object(_)) => one(before, after, Some(config)),
        (Kind::List(element, afters), Kind::List(_, configs)) => {
            let befores = before.and_then(Value::elements).unwrap_or_default();
            let each = afters.iter().enumerate().map(|(at, it)| one(befores.get(at).copied(), it, configs.get(at)));
            Value::list(element.clone(), each.collect())
        }
        _ => return after.clone(),
    };
    sent.mark(after.marks())
}

fn has_write_only(block: &Block) -> bool {
    block.attributes.values().any(|a| a.write_only) || block.blocks.values().any(|b| has_write_only(&b.block))
}

/// The object that is known when nothing but the schema is: every attribute unknown, for a data source that is read later.
pub fn unknown_object(block: &Block, config: &Value) -> Value {
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        let configured = config.get(name).filter(|v| !v.is_null() && !attribute.write_only).cloned();
        let value = match (configured, attribute.presence) {
            (Some(value), Presence::Required | Presence::Optional | Presence::OptionalComputed) => value,
            (None, Presence::Optional) if attribute.default.is_none() => Value::null(attribute.ty.clone()),
            _ => attribute.default.clone().unwrap_or_else(|| Value::unknown(attribute.ty.clone())),
        };
        (Arc::<str>::from(*name), value)
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let configured = config.get(name).cloned().unwrap_or_else(|| nested.empty());
        let value = if nested.computed && configured.is_null() { Value::unknown(nested.ty()) } else { configured };
        (Arc::from(*name), value)
    });
    Value::object(attributes.chain(blocks).collect::<BTreeMap<_, _>>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::{
        Type,
        schema::{Schema, Semantics},
    };

    use super::*;

    fn schema() -> Schema {
        Schema::new("t", "A thing.")
            .attr("name", Attribute::string().required().force_new())
            .attr("size", Attribute::number().default(Value::int(1)))
            .attr("policy", Attribute::string().semantics(Semantics::Json))
            .attr("id", Attribute::string().computed())
            .attr("etag", Attribute::string().computed().follows(&["*"]))
            .attr("release", Attribute::string().optional_computed().follows(&["size"]))
            .block(
                "part",
                NestedBlock::list(
                    Block::default()
                        .attr("label", Attribute::string().required())
                        .attr("serial", Attribute::string().computed())
                        .attr("from", Attribute::string().optional_computed().follows(&["label"])),
                ),
            )
    }

    fn config(fields: &[(&str, Value)]) -> Value {
        fields.iter().fold(schema().block.empty(), |c, (k, v)| c.with_attr(k, v.clone()))
    }

    fn part(label: &str, serial: Value, from: Value) -> Value {
        Value::list(
            schema().block.blocks["part"].block.ty(),
            vec![Value::object([("label", Value::from(label)), ("serial", serial), ("from", from)])],
        )
    }

    #[test]
    fn a_new_object_has_defaults_and_unknowns() {
        let none = Value::null(schema().ty());
        let new = propose(&schema().block, &none, &config(&[("name", "a".into())]));
        assert_eq!(new.get("size"), Some(&Value::int(1)));
        assert_eq!(new.get("id"), Some(&Value::unknown_not_null(Type::String)), "whatever it is, there will be one");
        assert_eq!(new.get("etag"), Some(&Value::unknown(Type::String)));
        assert!(new.get("policy").unwrap().is_null());
    }

    #[test]
    fn nothing_said_differently_changes_nothing() {
        let prior = config(&[
            ("name", "a".into()),
            ("size", Value::int(1)),
            ("policy", r#"{"a": 1}"#.into()),
            ("id", "i-1".into()),
            ("etag", "e".into()),
            ("part", part("x", "s1".into(), "here".into())),
        ]);
        let wanted = config(&[
            ("name", "a".into()),
            ("policy", r#"{"a":1}"#.into()),
            ("part", part("x", Value::null(Type::String), Value::null(Type::String))),
        ]);
        assert_eq!(propose(&schema().block, &prior, &wanted), prior);
    }

    #[test]
    fn what_follows_a_change_becomes_unknown() {
        let prior = config(&[("name", "a".into()), ("size", Value::int(1)), ("id", "i".into()), ("etag", "e".into())]);
        let new = propose(&schema().block, &prior, &config(&[("name", "a".into()), ("size", Value::int(2))]));
        assert!(!new.get("etag").unwrap().is_known());
        assert_eq!(new.get("id"), Some(&"i".into()));
    }

    #[test]
    fn what_follows_a_change_inside_a_block_becomes_unknown() {
        let null = || Value::null(Type::String);
        let prior = config(&[("name", "a".into()), ("part", part("x", "s1".into(), "here".into()))]);
        let new = propose(&schema().block, &prior, &config(&[("part", part("y", null(), null()))]));
        assert_eq!(new.get("part"), Some(&part("y", "s1".into(), Value::unknown(Type::String))));
        let said = propose(&schema().block, &prior, &config(&[("part", part("y", null(), "here".into()))]));
        assert_eq!(said.get("part"), Some(&part("y", "s1".into(), "here".into())));
    }

    #[test]
    fn what_is_said_follows_nothing() {
        let prior = config(&[("size", Value::int(1)), ("release", "r1".into())]);
        let new = propose(&schema().block, &prior, &config(&[("size", Value::int(2)), ("release", "r1".into())]));
        assert_eq!(new.get("release"), Some(&"r1".into()));
    }

    #[test]
    fn entries_without_a_value_say_nothing() {
        let block = Block::default().attr("tags", Attribute::string_map());
        let of = |entries: Vec<(&str, Value)>| Value::object([("tags", Value::map(Type::String, entries))]);
        let none = Value::null(block.ty());
        let null = || Value::null(Type::String);
        let new =
            propose(&block, &none, &of(vec![("a", null()), ("b", "x".into()), ("c", Value::unknown(Type::String))]));
        assert_eq!(new, of(vec![("b", "x".into()), ("c", Value::unknown(Type::String))]));
        assert_eq!(
            propose(&block, &of(vec![("b", "x".into())]), &of(vec![("a", null()), ("b", "x".into())])),
            of(vec![("b", "x".into())])
        );
    }

    #[test]
    fn marks_of_the_configuration_reach_the_proposal() {
        let none = Value::null(schema().ty());
        let new = propose(&schema().block, &none, &config(&[("name", Value::from("a").sensitive())]));
        assert!(new.get("name").unwrap().is_sensitive());
        let again = propose(&schema().block, &new, &config(&[("name", "a".into())]));
        assert!(!again.get("name").unwrap().is_sensitive(), "it is no secret any more");
    }

    #[test]
    fn what_is_written_only_is_shown_where_it_is_sent() {
        let part = Block::default()
            .attr("label", Attribute::string())
            .attr("key_wo", Attribute::string().write_only())
            .attr("key_wo_version", Attribute::number());
        let block = Schema::new("t", "A thing.")
            .attr("key_wo", Attribute::string().write_only())
            .attr("key_wo_version", Attribute::number())
            .block("part", NestedBlock::list(part.clone()))
            .block("bag", NestedBlock::set(part.clone()))
            .block;
        let object = |key: Option<&str>, version: i64| {
            let fields = [("key_wo", Value::from(key.map(str::to_owned))), ("key_wo_version", Value::int(version))];
            let inner = fields.iter().fold(part.empty(), |it, (name, value)| it.with_attr(name, value.clone()));
            let fields = fields.into_iter().chain([
                ("part", Value::list(part.ty(), vec![inner.clone()])),
                ("bag", Value::set(part.ty(), [inner])),
            ]);
            fields.fold(block.empty(), |it, (name, value)| it.with_attr(name, value))
        };
        let first = |value: &Value| value.get("part").unwrap().elements().unwrap()[0].clone();
        let config = with_write_only_hidden(&block, &object(Some("hunter2"), 2));
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(without_write_only(&block, &config), object(None, 2));
        let none = Value::dynamic_null();
        for (before, config, is_sent) in [
            (&none, &config, true),
            (&object(None, 1), &config, true),
            (&object(None, 2), &config, false),
            (&none, &object(None, 2), false),
        ] {
            let sent = with_write_only_sent(&block, before, &object(None, 2), config);
            for of in [sent.clone(), first(&sent)] {
                assert_eq!(!of.get("key_wo").unwrap().is_null(), is_sent, "{before:?} {config:?}");
            }
            assert_eq!(without_write_only(&block, &sent), object(None, 2), "nothing else changes");
        }
    }
}
