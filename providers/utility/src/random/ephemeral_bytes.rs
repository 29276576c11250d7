//! `ephemeral "random_bytes"`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use super::random_bytes;
use crate::{attrs, in_run::Passing};

pub(crate) struct EphemeralBytes;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "random_bytes",
        "Random bytes for keys and secrets, others in each run. They are written nowhere: hand them to a write-only argument.",
    )
    .attr("length", Attribute::number().required().doc("How many bytes; at least 1."))
    .attr("base64", Attribute::string().computed().sensitive().doc("The bytes in base64."))
    .attr("hex", Attribute::string().computed().sensitive().doc("The bytes in hexadecimal digits, two for each."))
    .example("ephemeral \"random_bytes\" \"jwt\" {\n  length = 64\n}\n")
});

#[async_trait]
impl Passing for EphemeralBytes {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        attrs::whole_numbers(config, &[("length", 1)])
    }

    async fn make(&self, config: &Value) -> Result<Value, Diagnostics> {
        Ok(random_bytes::drawn(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attrs::text, testing::opened};

    #[tokio::test]
    async fn as_many_bytes_as_are_asked_for() {
        let object = opened(EphemeralBytes, &[("length", Value::int(48))]).await.expect("they can be drawn");
        assert_eq!((text(&object, "hex").map(str::len), text(&object, "base64").map(str::len)), (Some(96), Some(64)));
        assert!(opened(EphemeralBytes, &[("length", Value::int(0))]).await.is_err());
    }
}
