//! `null_data_source`: hands its inputs on.

use std::sync::LazyLock;

use async_trait::async_trait;
use rand::Rng;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Type, Value};

use crate::{attrs, dice};

pub(crate) struct NullDataSource;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("null_data_source", "Hands its inputs on. A local value does the same with less.")
        .attr("id", Attribute::string().computed().doc("Always `static`."))
        .attr("inputs", Attribute::string_map().doc("Any texts under any names."))
        .attr("outputs", Attribute::string_map().computed().doc("The inputs, once it was read."))
        .attr(
            "has_computed_default",
            Attribute::string().optional_computed().doc("Any text; without one it becomes `default`."),
        )
        .attr("random", Attribute::string().computed().doc("A number, another one at each reading."))
        .example(
            "data \"null_data_source\" \"values\" {\n  inputs = {\n    cluster = aws_eks_cluster.this.name\n  }\n}\n",
        )
});

#[async_trait]
impl DataSource for NullDataSource {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        _client: &dyn Client,
        _scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        requests.iter().map(|request| Ok(answer(request.config))).collect()
    }
}

fn answer(config: &Value) -> Value {
    let inputs = config.get("inputs").cloned().unwrap_or_else(|| Value::null(Type::map(Type::String)));
    let said = attrs::text(config, "has_computed_default").unwrap_or("default");
    let fields = [
        ("id", Value::from("static")),
        ("outputs", inputs),
        ("has_computed_default", said.into()),
        ("random", (dice::system().next_u64() >> 1).to_string().into()),
    ];
    attrs::with(config, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_become_outputs() {
        let inputs = Value::map(Type::String, [("a", Value::from("1"))]);
        let read = answer(&attrs::object(&SCHEMA.block, [("inputs", inputs.clone())]));
        assert_eq!(read.get("outputs"), Some(&inputs));
        assert_eq!(attrs::text(&read, "has_computed_default"), Some("default"));
        let said = answer(&attrs::object(&SCHEMA.block, [("has_computed_default", "x".into())]));
        assert_eq!(attrs::text(&said, "has_computed_default"), Some("x"));
        assert!(said.get("outputs").is_some_and(Value::is_null));
        assert_ne!(read.get("random"), said.get("random"));
    }
}
