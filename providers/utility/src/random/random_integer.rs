//! `random_integer`.

use std::sync::LazyLock;

use async_trait::async_trait;
use rand::RngExt;
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{
    attrs::{self, int, text},
    dice,
    in_state::Logical,
};

pub(crate) struct RandomInteger;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("random_integer", "A random whole number of a range.")
        .attr("keepers", super::keepers())
        .attr("min", Attribute::number().required().force_new().doc("The least number that it may be."))
        .attr("max", Attribute::number().required().force_new().doc("The greatest number that it may be."))
        .attr("seed", super::seed())
        .attr("id", Attribute::string().computed().doc("The number as a text."))
        .attr("result", Attribute::number().computed().doc("The number."))
        .example("resource \"random_integer\" \"port\" {\n  min = 30000\n  max = 32767\n}\n")
});

fn is_upside_down(min: i64, max: i64) -> Option<Diagnostic> {
    (min > max).then(|| attrs::wrong("min", format!("`min` ({min}) must not be greater than `max` ({max}).")))
}

#[async_trait]
impl Logical for RandomInteger {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = attrs::whole_numbers(config, &[("min", i64::MIN), ("max", i64::MIN)]);
        if let (Some(min), Some(max)) = (int(config, "min"), int(config, "max")) {
            problems.extend(is_upside_down(min, max));
        }
        problems
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let (min, max) = (int(planned, "min").unwrap_or_default(), int(planned, "max").unwrap_or_default());
        if let Some(problem) = is_upside_down(min, max) {
            return Err(problem);
        }
        let drawn = dice::seeded(text(planned, "seed")).random_range(min..=max);
        Ok(attrs::with(planned, [("result", Value::int(drawn)), ("id", drawn.to_string().into())]))
    }

    /// `result,min,max` or `result,min,max,seed`.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        let wrong = || attrs::wrong_id("random_integer", id, "`result,min,max` or `result,min,max,seed`");
        let parts: Vec<&str> = id.splitn(4, ',').collect();
        let [result, min, max] = parts.get(..3).ok_or_else(wrong)? else { return Err(wrong()) };
        let number = |text: &str| text.parse::<i64>().map(Value::int).map_err(|_| wrong());
        let (result, min, max) = (number(result)?, number(min)?, number(max)?);
        let id = result.as_i64().unwrap_or_default().to_string();
        let seed = parts.get(3).map(|seed| (*seed).to_owned());
        let fields = [("result", result), ("min", min), ("max", max), ("seed", seed.into()), ("id", id.into())];
        Ok(attrs::object(&SCHEMA.block, fields))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::made;

    async fn drawn(min: i64, max: i64, seed: Option<&str>) -> i64 {
        let seed = seed.map(str::to_owned).into();
        let object = made(&RandomInteger, &[("min", Value::int(min)), ("max", Value::int(max)), ("seed", seed)]).await;
        let result = int(&object, "result").expect("a number");
        assert_eq!(text(&object, "id"), Some(result.to_string().as_str()));
        result
    }

    #[tokio::test]
    async fn both_ends_belong_to_the_range() {
        let mut seen = BTreeSet::new();
        for _ in 0..200 {
            seen.insert(drawn(-1, 1, None).await);
        }
        assert_eq!(seen, BTreeSet::from([-1, 0, 1]));
        assert_eq!(drawn(7, 7, None).await, 7);
        drawn(i64::MIN, i64::MAX, None).await;
    }

    #[tokio::test]
    async fn a_seed_draws_the_same() {
        let first = drawn(0, i64::MAX, Some("orders")).await;
        assert_eq!(drawn(0, i64::MAX, Some("orders")).await, first);
        assert_ne!(drawn(0, i64::MAX, Some("carts")).await, first);
        // What a seed draws must not change with a release.
        assert_eq!(drawn(1, 50_000, Some("orders")).await, 23_495);
    }

    #[test]
    fn imports() {
        let object = RandomInteger.import("15390,1,50000").expect("as in the documentation");
        assert_eq!(
            (int(&object, "result"), int(&object, "min"), int(&object, "max")),
            (Some(15390), Some(1), Some(50000))
        );
        assert!(!attrs::is_set(&object, "seed"));
        let seeded = RandomInteger.import("5,1,9,a,b").expect("a seed with a comma");
        assert_eq!(text(&seeded, "seed"), Some("a,b"));
        for id in ["5", "5,1", "a,1,2", "5,1,"] {
            assert!(RandomInteger.import(id).is_err(), "{id}");
        }
    }

    #[test]
    fn a_range_has_a_direction() {
        let config =
            |min: i64, max: i64| attrs::object(&SCHEMA.block, [("min", Value::int(min)), ("max", Value::int(max))]);
        assert!(RandomInteger.validate(&config(2, 1)).has_errors());
        assert!(RandomInteger.validate(&config(1, 1)).is_empty());
        let half: sgp_model::Number = "1.5".parse().expect("a number");
        assert!(RandomInteger.validate(&config(1, 2).with_attr("max", half.into())).has_errors());
    }
}
