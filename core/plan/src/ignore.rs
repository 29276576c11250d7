//! `lifecycle { ignore_changes }`: what exists stands in for what is configured.

use sgp_model::{AttrPath, Block, PathStep, Value};

/// What to ignore.
#[derive(Clone, Debug, PartialEq)]
pub enum IgnoreChanges {
    /// Every argument.
    All,
    /// These, at any depth.
    Paths(Vec<AttrPath>),
}

/// The configuration in which ignored arguments are as they exist. Without an object nothing is ignored: arguments count on
/// creation.
pub fn ignore_changes(block: &Block, prior: &Value, config: &Value, ignore: &IgnoreChanges) -> Value {
    if prior.is_null() || !config.is_known() {
        return config.clone();
    }
    match ignore {
        IgnoreChanges::All => block.names().fold(config.clone(), |config, name| match prior.get(name) {
            Some(value) if is_settable(block, name) => config.with_attr(name, value.clone()),
            _ => config,
        }),
        IgnoreChanges::Paths(paths) => paths.iter().fold(config.clone(), |config, path| put(&config, &path.0, prior)),
    }
}

fn is_settable(block: &Block, name: &str) -> bool {
    block.attributes.get(name).is_none_or(sgp_model::Attribute::is_settable)
}

/// `target` with the part at `path` as it is in `source`; a part that is missing in `source` is taken out of a map.
fn put(target: &Value, path: &[PathStep], source: &Value) -> Value {
    let Some((step, rest)) = path.split_first() else { return source.clone() };
    let one = AttrPath(vec![step.clone()]);
    match step {
        PathStep::Attr(name) | PathStep::Key(name) => put_named(target, name, rest, source.at(&one)),
        PathStep::Index(index) => {
            let (Some(elements), Some(existing)) = (target.elements(), source.at(&one)) else { return target.clone() };
            let Some(_) = elements.get(*index) else { return target.clone() };
            let replaced = elements
                .iter()
                .enumerate()
                .map(|(i, e)| if i == *index { put(e, rest, existing) } else { (*e).clone() });
            same_collection(target, replaced.collect())
        }
        PathStep::Element(_) => target.clone(),
    }
}

fn put_named(target: &Value, name: &str, rest: &[PathStep], existing: Option<&Value>) -> Value {
    use sgp_model::Kind;
    match (target.kind(), existing) {
        (Kind::Object(_), Some(existing)) => {
            let old = target.get(name).cloned().unwrap_or_else(|| Value::null(existing.ty()));
            target.with_attr(name, put(&old, rest, existing))
        }
        (Kind::Map(element, entries), existing) => {
            let mut entries = (**entries).clone();
            match existing {
                Some(existing) => {
                    let old = entries.get(name).cloned().unwrap_or_else(|| existing.clone());
                    entries.insert(name.into(), put(&old, rest, existing));
                }
                None => {
                    entries.remove(name);
                }
            }
            Value::map(element.clone(), entries).mark(target.marks())
        }
        // A null map has no entries, so ignoring one of them brings back what exists.
        (Kind::Null(sgp_model::Type::Map(element)), Some(existing)) => {
            Value::map((**element).clone(), [(name, existing.clone())])
        }
        _ => target.clone(),
    }
}

fn same_collection(like: &Value, elements: Vec<Value>) -> Value {
    use sgp_model::Kind;
    match like.kind() {
        Kind::List(ty, _) => Value::list(ty.clone(), elements),
        Kind::Tuple(_) => Value::tuple(elements),
        _ => like.clone(),
    }
    .mark(like.marks())
}

#[cfg(test)]
mod tests {
    use sgp_model::{Attribute, Type};

    use super::*;

    fn block() -> Block {
        Block::default()
            .attr("size", Attribute::number())
            .attr("tags", Attribute::string_map())
            .attr("id", Attribute::string().computed())
    }

    fn object(size: i64, tags: &[(&str, &str)]) -> Value {
        let tags = Value::map(Type::String, tags.iter().map(|(k, v)| (*k, Value::from(*v))));
        Value::object([("size", Value::int(size)), ("tags", tags), ("id", Value::null(Type::String))])
    }

    fn key(attr: &str, key: &str) -> AttrPath {
        AttrPath(vec![PathStep::Attr(attr.into()), PathStep::Key(key.into())])
    }

    #[test]
    fn ignored_parts_are_as_they_exist() {
        let prior = object(1, &[("a", "1"), ("b", "2")]);
        let config = object(5, &[("a", "9"), ("c", "3")]);
        let rows = [
            (IgnoreChanges::Paths(vec![AttrPath::attr("size")]), object(1, &[("a", "9"), ("c", "3")])),
            (IgnoreChanges::Paths(vec![key("tags", "a")]), object(5, &[("a", "1"), ("c", "3")])),
            (IgnoreChanges::Paths(vec![key("tags", "b")]), object(5, &[("a", "9"), ("b", "2"), ("c", "3")])),
            (IgnoreChanges::Paths(vec![key("tags", "c")]), object(5, &[("a", "9")])),
            (IgnoreChanges::All, object(1, &[("a", "1"), ("b", "2")])),
        ];
        for (ignore, expected) in rows {
            assert_eq!(ignore_changes(&block(), &prior, &config, &ignore), expected, "{ignore:?}");
        }
    }

    #[test]
    fn a_creation_ignores_nothing() {
        let config = object(5, &[]);
        let none = Value::null(config.ty());
        assert_eq!(ignore_changes(&block(), &none, &config, &IgnoreChanges::All), config);
    }
}
