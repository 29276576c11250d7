//! What a provider answered against what was planned.

use sgp_model::{AttrPath, Block, Kind, Value, schema::Semantics};

use crate::means_the_same;

/// The attributes where the answer breaks the plan's promise: known in the plan, but something else now. Unknown parts of
/// the plan promise only what was known of them.
pub fn broken_promises(block: &Block, planned: &Value, actual: &Value) -> Vec<AttrPath> {
    let mut broken = Vec::new();
    let mut compare = |name: &'static str, semantics: Semantics| {
        let (Some(p), Some(a)) = (planned.get(name), actual.get(name)) else { return };
        let kept = keeps(p, a) || means_the_same(semantics, p, a);
        if !kept {
            broken.push(AttrPath::attr(name));
        }
    };
    block.attributes.iter().filter(|(_, a)| !a.write_only).for_each(|(name, a)| compare(name, a.semantics));
    block.blocks.keys().for_each(|name| compare(name, Semantics::Exact));
    broken
}

/// Whether `actual` is what `planned` promised, unknown parts aside.
fn keeps(planned: &Value, actual: &Value) -> bool {
    match (planned.kind(), actual.kind()) {
        (Kind::Unknown(unknown), _) => unknown.allows(actual),
        (Kind::List(_, p) | Kind::Tuple(p), Kind::List(_, a) | Kind::Tuple(a)) => {
            p.len() == a.len() && p.iter().zip(a.iter()).all(|(p, a)| keeps(p, a))
        }
        (Kind::Map(_, p) | Kind::Object(p), Kind::Map(_, a) | Kind::Object(a)) => {
            p.len() == a.len() && p.iter().all(|(k, p)| a.get(k).is_some_and(|a| keeps(p, a)))
        }
        // Elements with unknown parts have no identity yet, so each needs some element that it could have become.
        (Kind::Set(_, p), Kind::Set(_, a)) => {
            if p.iter().all(Value::is_wholly_known) {
                p == a
            } else {
                p.iter().all(|p| a.iter().any(|a| keeps(p, a)))
            }
        }
        _ => planned.same(actual),
    }
}

#[cfg(test)]
mod tests {
    use sgp_model::{Attribute, Type};

    use super::*;

    #[test]
    fn only_known_parts_bind() {
        let block = Block::default()
            .attr("a", Attribute::string())
            .attr("b", Attribute::string().computed())
            .attr("set", Attribute::string_set());
        let planned = Value::object([
            ("a", Value::from("x")),
            ("b", Value::unknown(Type::String)),
            ("set", Value::set(Type::String, [Value::from("p")])),
        ]);
        let kept = Value::object([
            ("a", Value::from("x")),
            ("b", "anything".into()),
            ("set", Value::set(Type::String, [Value::from("p")])),
        ]);
        assert!(broken_promises(&block, &planned, &kept).is_empty());
        let broken = kept.with_attr("a", "y".into()).with_attr("set", Value::set(Type::String, []));
        let names: Vec<_> = broken_promises(&block, &planned, &broken).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a", "set"]);
    }

    #[test]
    fn what_was_known_of_an_unknown_part_binds_too() {
        let block = Block::default().attr("id", Attribute::string().computed());
        let planned = Value::object([("id", Value::unknown_not_null(Type::String))]);
        let answered = |id: Value| broken_promises(&block, &planned, &Value::object([("id", id)])).len();
        assert_eq!(answered("i-1".into()), 0);
        assert_eq!(answered(Value::null(Type::String)), 1);
    }
}
