//! `random_pet`.

use std::sync::LazyLock;

use async_trait::async_trait;
use petname::Petnames;
use rand::seq::IndexedRandom;
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{
    attrs::{self, int, text},
    dice,
    in_state::Logical,
};

pub(crate) struct RandomPet;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("random_pet", "A name that people can remember: `amused-lemur`.")
        .attr("keepers", super::keepers())
        .attr("length", Attribute::number().default(Value::int(2)).force_new().doc("How many words; at least 1."))
        .attr("prefix", Attribute::string().force_new().doc("A text before it, with a separator after."))
        .attr("separator", Attribute::string().default("-").force_new().doc("What stands between the words."))
        .attr("id", Attribute::string().computed().doc("The name."))
        .example("resource \"random_pet\" \"cluster\" {\n  prefix = \"try\"\n}\n")
});

/// An animal; before it an adjective, and before that adverbs.
fn words(length: i64) -> Vec<&'static str> {
    let lists = Petnames::default();
    let mut random = dice::system();
    let mut one_of = |words: &[&'static str]| words.choose(&mut random).copied().unwrap_or_default();
    (0..length)
        .map(|at| match length - at {
            1 => one_of(&lists.nouns),
            2 => one_of(&lists.adjectives),
            _ => one_of(&lists.adverbs),
        })
        .collect()
}

#[async_trait]
impl Logical for RandomPet {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        attrs::whole_numbers(config, &[("length", 1)])
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let separator = text(planned, "separator").unwrap_or("-");
        let prefix = text(planned, "prefix").filter(|prefix| !prefix.is_empty());
        let words = words(int(planned, "length").unwrap_or(2));
        let name: Vec<&str> = prefix.into_iter().chain(words).collect();
        Ok(planned.with_attr("id", name.join(separator).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made;

    #[tokio::test]
    async fn as_many_words_as_are_asked_for() {
        for (length, prefix, words) in [(1, "", 1), (2, "", 2), (4, "", 4), (2, "web", 3)] {
            let arguments = [("length", Value::int(length)), ("prefix", prefix.into()), ("separator", "_".into())];
            let object = made(&RandomPet, &arguments).await;
            let name = text(&object, "id").unwrap_or_default().to_owned();
            assert_eq!(name.split('_').filter(|word| !word.is_empty()).count(), words, "{name}");
            assert!(name.starts_with(prefix) && name.chars().all(|c| c == '_' || c.is_ascii_lowercase()), "{name}");
        }
    }
}
