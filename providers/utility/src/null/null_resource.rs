//! `null_resource`: nothing, replaced when its triggers change.

use std::sync::LazyLock;

use async_trait::async_trait;
use rand::Rng;
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Schema, Value};

use crate::{dice, in_state::Logical};

pub(crate) struct NullResource;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("null_resource", "Follows the life cycle of a resource and does nothing.")
        .attr("id", Attribute::string().computed().doc("A random number, another one after each replacement."))
        .attr(
            "triggers",
            Attribute::string_map().force_new().doc("Any texts under any names; a change replaces the resource."),
        )
        .example(
            "resource \"null_resource\" \"cluster\" {\n  triggers = {\n    endpoint = aws_eks_cluster.this.endpoint\n  }\n}\n",
        )
});

#[async_trait]
impl Logical for NullResource {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        // A positive number of 63 bits, as Terraform's provider writes it.
        Ok(planned.with_attr("id", (dice::system().next_u64() >> 1).to_string().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made;

    #[tokio::test]
    async fn each_one_has_an_id_of_its_own() {
        let [first, second] = [made(&NullResource, &[]).await, made(&NullResource, &[]).await];
        assert_ne!(first.get("id"), second.get("id"));
        assert!(first.get("id").and_then(Value::as_str).is_some_and(|id| id.parse::<i64>().is_ok()));
    }
}
