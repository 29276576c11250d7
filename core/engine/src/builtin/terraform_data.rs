//! `terraform_data`: keeps a value, and is replaced when its triggers change.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Kind, Schema, Type, Value, state::Intent};

pub(super) struct TerraformData;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("terraform_data", "Keeps a value in the state and follows the life cycle of a resource.")
        .attr("id", Attribute::string().computed().doc("A UUID, given on creation."))
        .attr("input", Attribute::of(Type::Dynamic).doc("Any value."))
        .attr("output", Attribute::of(Type::Dynamic).computed().doc("The value of `input` as last applied."))
        .attr(
            "triggers_replace",
            Attribute::of(Type::Dynamic).force_new().doc("Any value; a change replaces the resource."),
        )
        .example("resource \"terraform_data\" \"revision\" {\n  input = var.revision\n}\n")
});

/// `output` repeats `input` once applied, so until then only its type is known.
fn output_of(input: &Value) -> Value {
    if input.is_null() { input.clone() } else { Value::unknown(input.ty()) }
}

#[async_trait]
impl ResourceType for TerraformData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        ""
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let input = request.proposed.get("input").cloned().unwrap_or_else(Value::dynamic_null);
        let unchanged = request.prior.get("input").is_some_and(|prior| prior.same(&input));
        // What was a secret before may be none now.
        let kept = request.proposed.get("output").filter(|_| unchanged).map(|kept| kept.clone().unmark_deep().0);
        let output = kept.unwrap_or_else(|| output_of(&input));
        // A secret stays one when it is repeated; parts of an unknown value cannot be told apart.
        let output = if input.sensitive_paths().is_empty() { output } else { output.sensitive() };
        PlanResponse { planned: Some(request.proposed.with_attr("output", output)), ..PlanResponse::default() }
    }

    async fn read(&self, _client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        requests.iter().map(|r| ReadOutcome::Present(r.prior.clone())).collect()
    }

    async fn create(&self, _client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        let made = request.planned.with_attr("id", cx.token.as_str().into());
        Applied::done(with_output(made))
    }

    async fn update(&self, _client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        Applied::done(with_output(request.planned.clone()))
    }

    async fn delete(&self, _client: &dyn Client, _cx: &Context, _request: DeleteRequest<'_>) -> Applied {
        Applied::gone()
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        Ok(SCHEMA.block.empty().with_attr("id", request.id.into()))
    }

    fn takes_over(&self) -> &'static [&'static str] {
        &["null_resource"]
    }

    /// What was a trigger stays one, and nothing is replaced.
    fn take_over(&self, _type_name: &str, attributes: &Value) -> Value {
        let of = |name: &str| attributes.get(name).cloned().unwrap_or_else(Value::dynamic_null);
        SCHEMA.block.empty().with_attr("id", of("id")).with_attr("triggers_replace", of("triggers"))
    }

    /// The state is the only place where one exists, so a lost creation made nothing.
    async fn find(&self, _client: &dyn Client, _intent: &Intent) -> Result<Found, Diagnostic> {
        Ok(Found::Nothing)
    }
}

fn with_output(object: Value) -> Value {
    let input = object.get("input").cloned().unwrap_or_else(|| Kind::Null(Type::Dynamic).into());
    object.with_attr("output", input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned_output(prior: Option<&str>, input: Value) -> Value {
        planned_output_of(&prior.map_or_else(Value::dynamic_null, Value::from), input)
    }

    fn planned_output_of(prior: &Value, input: Value) -> Value {
        let object = || SCHEMA.block.empty().with_attr("input", prior.clone()).with_attr("output", prior.clone());
        let prior = if prior.is_null() { Value::dynamic_null() } else { object() };
        let proposed = if prior.is_null() { SCHEMA.block.empty() } else { prior.clone() }.with_attr("input", input);
        let none = Value::dynamic_null();
        let request = PlanRequest { prior: &prior, config: &proposed, proposed: &proposed, provider_config: &none };
        TerraformData.plan(&request).planned.and_then(|p| p.get("output").cloned()).unwrap_or(none)
    }

    #[test]
    fn the_output_of_a_secret_is_one() {
        let secret = || Value::from("hunter2").sensitive();
        assert!(planned_output(None, secret()).is_sensitive());
        assert!(planned_output(Some("hunter2"), secret()).is_sensitive());
        let nested = Value::object([("password", secret())]);
        assert!(planned_output(None, nested).is_sensitive());
        assert!(!planned_output(None, "plain".into()).is_sensitive());
        assert_eq!(planned_output(Some("plain"), "plain".into()).as_str(), Some("plain"));
        assert!(!planned_output_of(&secret(), "hunter2".into()).is_sensitive(), "it is none any more");
    }
}
