//! `random_string`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Context, PlanRequest, PlanResponse};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use super::characters;
use crate::{attrs, in_state::Logical};

pub(crate) struct RandomString;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema =
        Schema::new("random_string", "A random text that anybody may see. For secrets there is `random_password`.");
    characters::arguments(schema)
        .version(2)
        .attr("id", Attribute::string().computed().doc("The text."))
        .attr("result", Attribute::string().computed().doc("The text."))
        .example("resource \"random_string\" \"suffix\" {\n  length  = 6\n  upper   = false\n  special = false\n}\n")
});

#[async_trait]
impl Logical for RandomString {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        characters::validate(config)
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        characters::plan(request)
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let drawn = Value::from(characters::draw(planned));
        Ok(attrs::with(planned, [("id", drawn.clone()), ("result", drawn)]))
    }

    /// The id is the text.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        Ok(attrs::with(&characters::imported(&SCHEMA, id), [("id", id.into()), ("result", id.into())]))
    }

    fn upgrade(&self, _from: u64, attributes: Value) -> Result<Value, Diagnostic> {
        Ok(characters::upgraded(&SCHEMA, &attributes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made;

    #[tokio::test]
    async fn the_id_is_the_text() {
        let arguments = [("length", Value::int(6)), ("numeric", true.into()), ("lower", true.into())];
        let object = made(&RandomString, &arguments).await;
        assert_eq!(attrs::text(&object, "result").map(str::len), Some(6));
        assert_eq!(object.get("id"), object.get("result"));
    }

    #[test]
    fn an_import_has_the_length_of_its_text() {
        let object = RandomString.import("tüv").expect("every text is one");
        assert_eq!((attrs::int(&object, "length"), attrs::text(&object, "result")), (Some(3), Some("tüv")));
        assert_eq!((attrs::flag(&object, "upper"), attrs::int(&object, "min_upper")), (Some(true), Some(0)));
    }
}
