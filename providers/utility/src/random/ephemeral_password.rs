//! `ephemeral "random_password"`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use super::{characters, random_password};
use crate::{attrs, in_run::Passing};

pub(crate) struct EphemeralPassword;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new(
        "random_password",
        "A random text that nobody may see, another one in each run. It is written nowhere: hand it to a write-only argument.",
    );
    characters::recipe(schema, |argument| argument)
        .attr("numeric", Attribute::bool().default(true).doc("Whether it may have `0` to `9`."))
        .attr("result", Attribute::string().computed().sensitive().doc("The text."))
        .attr("bcrypt_hash", Attribute::string().computed().sensitive().doc(random_password::HASH))
        .example("ephemeral \"random_password\" \"db\" {\n  length           = 24\n  override_special = \"!#$%&*()-_=+[]{}<>:?\"\n}\n")
});

#[async_trait]
impl Passing for EphemeralPassword {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        characters::validate(config)
    }

    async fn make(&self, config: &Value) -> Result<Value, Diagnostics> {
        let password = characters::draw(config);
        let hash = random_password::hashed(&password)?;
        Ok(attrs::with(config, [("result", password.into()), ("bcrypt_hash", hash.into())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attrs::text, testing::opened};

    #[tokio::test]
    async fn each_one_is_another_with_its_own_hash() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..3 {
            let object = opened(EphemeralPassword, &[("length", Value::int(20)), ("special", false.into())]).await;
            let object = object.expect("it can be drawn");
            let password = text(&object, "result").unwrap_or_default().to_owned();
            assert!(password.len() == 20 && password.chars().all(|c| c.is_ascii_alphanumeric()), "{password}");
            assert!(bcrypt::verify(&password, text(&object, "bcrypt_hash").unwrap_or_default()).unwrap_or(false));
            seen.insert(password);
        }
        assert_eq!(seen.len(), 3);
    }

    #[tokio::test]
    async fn arguments_are_judged() {
        let problems = opened(EphemeralPassword, &[("length", Value::int(0))]).await.expect_err("too short");
        assert!(problems.iter().any(|d| d.detail.contains("at least 1")), "{problems:?}");
    }
}
