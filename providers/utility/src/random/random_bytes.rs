//! `random_bytes`.

use std::sync::LazyLock;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{attrs, dice, digests, in_state::Logical};

pub(crate) struct RandomBytes;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("random_bytes", "Random bytes for keys and secrets. They are in the state in clear.")
        .attr("keepers", super::keepers())
        .attr("length", Attribute::number().required().force_new().doc("How many bytes; at least 1."))
        .attr("base64", Attribute::string().computed().sensitive().doc("The bytes in base64."))
        .attr("hex", Attribute::string().computed().sensitive().doc("The bytes in hexadecimal digits, two for each."))
        .example("resource \"random_bytes\" \"jwt\" {\n  length = 64\n}\n")
});

fn forms(object: &Value, bytes: &[u8]) -> Value {
    attrs::with(object, [("base64", STANDARD.encode(bytes).into()), ("hex", digests::hex(bytes).into())])
}

/// The object with so many bytes as its `length` says.
pub(super) fn drawn(object: &Value) -> Value {
    let length = attrs::int(object, "length").and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    forms(object, &dice::bytes(length))
}

#[async_trait]
impl Logical for RandomBytes {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        attrs::whole_numbers(config, &[("length", 1)])
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        Ok(drawn(planned))
    }

    /// The id is the bytes in base64.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        let bytes =
            STANDARD.decode(id).map_err(|_| attrs::wrong_id("random_bytes", "(hidden)", "the bytes in base64"))?;
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        Ok(forms(&attrs::object(&SCHEMA.block, [("length", Value::int(length))]), &bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made;

    #[tokio::test]
    async fn both_forms_hold_the_same_bytes() {
        let object = made(&RandomBytes, &[("length", Value::int(48))]).await;
        let base64 = attrs::text(&object, "base64").unwrap_or_default();
        let imported = RandomBytes.import(base64).expect("its own id");
        assert_eq!(imported, object);
        assert_eq!(attrs::text(&object, "hex").map(str::len), Some(96));
    }

    #[test]
    fn a_secret_is_not_in_the_error_about_it() {
        let problem = RandomBytes.import("no base64!").expect_err("not an id");
        assert!(!problem.detail.contains("no base64!"), "{}", problem.detail);
    }
}
