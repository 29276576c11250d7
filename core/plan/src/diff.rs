//! What a planned object means for the existing one: nothing, a change in place, or a replacement.

use std::collections::BTreeSet;

use sgp_model::{AttrPath, Block, PathStep, Value, plan::Action, schema::Nesting};

/// What has to happen to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// [`Action::NoOp`], [`Action::Create`], [`Action::Update`] or, for a replacement, [`Action::DeleteThenCreate`]
    /// (the order is decided elsewhere).
    pub action: Action,
    /// The attributes that cannot change in place.
    pub replace_paths: Vec<AttrPath>,
}

/// Compares an existing object with the planned one. `prior` is null when there is none. `also` names further attributes
/// whose change replaces the object, as its type said.
pub fn judge(block: &Block, prior: &Value, planned: &Value, also: &[AttrPath]) -> Judgement {
    if prior.is_null() {
        return Judgement { action: Action::Create, replace_paths: Vec::new() };
    }
    if prior.same(planned) {
        return Judgement { action: Action::NoOp, replace_paths: Vec::new() };
    }
    let mut replace_paths = Vec::new();
    forced(block, &AttrPath::root(), prior, planned, &mut replace_paths);
    for path in also {
        let changed = match (prior.at(path), planned.at(path)) {
            (Some(a), Some(b)) => !a.same(b),
            (a, b) => a.is_some() != b.is_some(),
        };
        if changed && !replace_paths.contains(path) {
            replace_paths.push(path.clone());
        }
    }
    let action = if replace_paths.is_empty() { Action::Update } else { Action::DeleteThenCreate };
    Judgement { action, replace_paths }
}

/// The names of the attributes and blocks that differ, at the top of an object.
pub fn changed_attributes(block: &Block, prior: &Value, planned: &Value) -> BTreeSet<&'static str> {
    block
        .names()
        .filter(|name| match (prior.get(name), planned.get(name)) {
            (Some(a), Some(b)) => !a.same(b),
            (a, b) => a.is_some() != b.is_some(),
        })
        .collect()
}

fn forced(block: &Block, path: &AttrPath, prior: &Value, planned: &Value, found: &mut Vec<AttrPath>) {
    for name in changed_attributes(block, prior, planned) {
        let at = path.with(PathStep::Attr(name.into()));
        if let Some(attribute) = block.attributes.get(name) {
            if attribute.force_new && attribute.is_settable() {
                found.push(at);
            }
            continue;
        }
        let nested = &block.blocks[name];
        if nested.force_new {
            found.push(at);
            continue;
        }
        let (before, after) = (prior.get(name), planned.get(name));
        let (Some(before), Some(after)) = (before, after) else { continue };
        match nested.nesting {
            Nesting::Single => forced_child(&nested.block, &at, before, after, found),
            Nesting::List => {
                let (before, after) = (before.elements().unwrap_or_default(), after.elements().unwrap_or_default());
                if before.len() != after.len() && any_force_new(&nested.block) {
                    found.push(at);
                    continue;
                }
                for (i, (b, a)) in before.iter().zip(&after).enumerate() {
                    forced_child(&nested.block, &at.with(PathStep::Index(i)), b, a, found);
                }
            }
            // Elements of a set have no identity beside their content, so a change is one of the set.
            Nesting::Set | Nesting::Map if any_force_new(&nested.block) => found.push(at),
            Nesting::Set | Nesting::Map => {}
        }
    }
}

fn forced_child(block: &Block, path: &AttrPath, prior: &Value, planned: &Value, found: &mut Vec<AttrPath>) {
    if prior.is_null() != planned.is_null() {
        if any_force_new(block) {
            found.push(path.clone());
        }
        return;
    }
    forced(block, path, prior, planned, found);
}

fn any_force_new(block: &Block) -> bool {
    block.attributes.values().any(|a| a.force_new && a.is_settable())
        || block.blocks.values().any(|b| b.force_new || any_force_new(&b.block))
}

#[cfg(test)]
mod tests {
    use sgp_model::{Attribute, NestedBlock, Type};

    use super::*;

    fn block() -> Block {
        Block::default()
            .attr("name", Attribute::string().required().force_new())
            .attr("size", Attribute::number())
            .attr("id", Attribute::string().computed())
            .block(
                "net",
                NestedBlock::list_of_one(
                    Block::default().attr("subnet", Attribute::string().force_new()).attr("public", Attribute::bool()),
                ),
            )
    }

    fn object(name: &str, size: i64, subnet: &str, public: bool) -> Value {
        let net = Value::object([("subnet", Value::from(subnet)), ("public", public.into())]);
        Value::object([
            ("name", name.into()),
            ("size", Value::int(size)),
            ("id", "i".into()),
            ("net", Value::list(net.ty(), vec![net])),
        ])
    }

    #[test]
    fn changes_are_judged_by_what_they_touch() {
        let prior = object("a", 1, "s", false);
        let rows = [
            (object("a", 1, "s", false), Action::NoOp, ""),
            (object("a", 2, "s", false), Action::Update, ""),
            (object("b", 1, "s", false), Action::DeleteThenCreate, "name"),
            (object("a", 1, "t", false), Action::DeleteThenCreate, "net[0].subnet"),
            (object("a", 1, "s", true), Action::Update, ""),
            (object("b", 1, "t", true), Action::DeleteThenCreate, "name net[0].subnet"),
            (prior.with_attr("name", Value::unknown(Type::String)), Action::DeleteThenCreate, "name"),
        ];
        for (planned, action, paths) in rows {
            let judged = judge(&block(), &prior, &planned, &[]);
            let shown: Vec<_> = judged.replace_paths.iter().map(ToString::to_string).collect();
            assert_eq!((judged.action, shown.join(" ").as_str()), (action, paths), "{planned:?}");
        }
    }

    #[test]
    fn a_type_may_name_further_attributes() {
        let prior = object("a", 1, "s", false);
        let planned = object("a", 2, "s", false);
        let judged = judge(&block(), &prior, &planned, &[AttrPath::attr("size")]);
        assert_eq!(judged.action, Action::DeleteThenCreate);
        assert_eq!(judge(&block(), &prior, &prior, &[AttrPath::attr("size")]).action, Action::NoOp);
    }
}
