//! `random_shuffle`.

use std::sync::LazyLock;

use async_trait::async_trait;
use rand::{Rng, seq::SliceRandom};
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Type, Value};

use crate::{attrs, dice, in_state::Logical};

pub(crate) struct RandomShuffle;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("random_shuffle", "The elements of a list in a random order, all or some.")
        .attr("keepers", super::keepers())
        .attr("input", Attribute::strings().required().force_new().doc("The list."))
        .attr(
            "result_count",
            Attribute::number().force_new().doc(
                "How many to return; all without it. Of more than there are, none comes again before all have come.",
            ),
        )
        .attr("seed", super::seed())
        .attr("id", Attribute::string().computed().doc("Always `-`."))
        .attr("result", Attribute::strings().computed().doc("The elements in their new order."))
        .example(
            "resource \"random_shuffle\" \"zones\" {\n  input        = data.aws_availability_zones.all.names\n  result_count = 2\n}\n",
        )
});

/// Draws so many, in rounds over all of them.
fn shuffled(input: &[Value], count: usize, random: &mut dyn Rng) -> Vec<Value> {
    let mut drawn = Vec::new();
    while drawn.len() < count && !input.is_empty() {
        let mut round = input.to_vec();
        round.shuffle(random);
        drawn.extend(round);
    }
    drawn.truncate(count);
    drawn
}

#[async_trait]
impl Logical for RandomShuffle {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        attrs::whole_numbers(config, &[("result_count", 0)])
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let input: Vec<Value> =
            planned.get("input").and_then(Value::elements).unwrap_or_default().into_iter().cloned().collect();
        // Terraform's provider takes zero for "all", too.
        let count = attrs::int(planned, "result_count").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
        let mut random = dice::seeded(attrs::text(planned, "seed"));
        let result = shuffled(&input, count.unwrap_or(input.len()), &mut random);
        Ok(attrs::with(planned, [("id", "-".into()), ("result", Value::list(Type::String, result))]))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::made;

    async fn result(input: &[&str], count: Option<i64>, seed: Option<&str>) -> Vec<String> {
        let input = Value::strings(input.iter().copied());
        let count = count.map_or_else(|| Value::null(Type::Number), Value::int);
        let seed = seed.map(str::to_owned).into();
        let object = made(&RandomShuffle, &[("input", input), ("result_count", count), ("seed", seed)]).await;
        object.get("result").map(|v| v.str_elements().into_iter().map(str::to_owned).collect()).unwrap_or_default()
    }

    #[tokio::test]
    async fn counts() {
        let zones = ["a", "b", "c"];
        for (count, expected) in [(None, 3), (Some(0), 3), (Some(2), 2), (Some(7), 7)] {
            let found = result(&zones, count, None).await;
            assert_eq!(found.len(), expected, "{count:?}");
            for round in found.chunks(3) {
                assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), round.len(), "{found:?}");
            }
        }
        assert_eq!(result(&[], Some(3), None).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_seed_gives_the_same_order() {
        let zones = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let first = result(&zones, None, Some("x")).await;
        assert_eq!(result(&zones, None, Some("x")).await, first);
        assert_ne!(result(&zones, None, Some("y")).await, first);
    }
}
