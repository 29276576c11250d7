//! Types whose objects exist nowhere but in the state: made once, kept as recorded, gone when the record is.

use async_trait::async_trait;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Block, Diagnostic, Diagnostics, Schema, Value, schema::Presence, state::Intent};

use crate::{attrs, tools::Tools};

/// Such a type. Nothing is sent to anybody, so a creation that was interrupted made nothing.
#[async_trait]
pub(crate) trait Logical: Send + Sync {
    /// What it accepts and answers.
    fn schema(&self) -> &'static Schema;

    /// Judges the configuration beyond what the schema says; unknown values pass.
    fn validate(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Judges a change beyond what the schema says.
    fn plan(&self, _request: &PlanRequest<'_>) -> PlanResponse {
        PlanResponse::default()
    }

    /// The object with every attribute known.
    async fn make(&self, cx: &Context, planned: &Value) -> Result<Value, Diagnostic>;

    /// The object after a change in place.
    fn change(&self, planned: &Value) -> Result<Value, Diagnostic> {
        Ok(planned.clone())
    }

    /// What has to pass before it is gone.
    async fn end(&self, _cx: &Context, _prior: &Value) -> Result<(), Diagnostic> {
        Ok(())
    }

    /// The object as it is at a time, in seconds since the epoch; `None` when its time is over.
    fn at(&self, _now: i64, recorded: &Value) -> Option<Value> {
        Some(recorded.clone())
    }

    /// The whole object out of the id that a person gave.
    fn import(&self, _id: &str) -> Result<Value, Diagnostic> {
        Err(Diagnostic::error(
            "Import is not supported",
            format!("An object of the type {} holds what no id tells. Let an apply make it.", self.schema().name),
        ))
    }

    /// Brings attributes that an older schema version recorded to the current shape.
    fn upgrade(&self, _from: u64, attributes: Value) -> Result<Value, Diagnostic> {
        Ok(attributes)
    }
}

/// A [`Logical`] type as the engine knows it.
pub(crate) struct InState<T>(pub(crate) T);

#[async_trait]
impl<T: Logical> ResourceType for InState<T> {
    fn schema(&self) -> &'static Schema {
        self.0.schema()
    }

    fn endpoint(&self) -> &'static str {
        ""
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        self.0.validate(config)
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let response = self.0.plan(request);
        let planned = response.planned.unwrap_or_else(|| request.proposed.clone());
        let planned = empty_as_recorded(self.schema(), request.prior, planned);
        PlanResponse { planned: Some(planned), ..response }
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let now = Tools::of(client).clock.now();
        requests.iter().map(|r| self.0.at(now, &r.prior).map_or(ReadOutcome::Gone, ReadOutcome::Present)).collect()
    }

    async fn create(&self, _client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        let block = &self.schema().block;
        let made = self.0.make(cx, &with_written(block, request.planned, request.config)).await;
        made.map_or_else(Applied::failed, |object| Applied::done(without_written(block, object)))
    }

    async fn update(&self, _client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let kept = |problem| Applied::partly(request.prior.clone(), problem);
        self.0.change(request.planned).map_or_else(kept, Applied::done)
    }

    async fn delete(&self, _client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        match self.0.end(cx, request.prior).await {
            Ok(()) => Applied::gone(),
            Err(problem) => Applied::partly(request.prior.clone(), problem),
        }
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        self.0.import(request.id)
    }

    async fn find(&self, _client: &dyn Client, _intent: &Intent) -> Result<Found, Diagnostic> {
        Ok(Found::Nothing)
    }

    fn upgrade(&self, from: u64, attributes: Value) -> Result<Value, Diagnostic> {
        self.0.upgrade(from, attributes)
    }
}

fn written(block: &Block) -> impl Iterator<Item = (&'static str, &Attribute)> {
    block.attributes.iter().filter(|(_, attribute)| attribute.write_only).map(|(name, attribute)| (*name, attribute))
}

/// The planned object with what is written only, which is in the configuration alone.
fn with_written(block: &Block, planned: &Value, config: &Value) -> Value {
    attrs::with(planned, written(block).filter_map(|(name, _)| Some((name, config.get(name)?.clone()))))
}

/// The object as it is recorded.
fn without_written(block: &Block, object: Value) -> Value {
    written(block).fold(object, |object, (name, attribute)| object.with_attr(name, Value::null(attribute.ty.clone())))
}

/// Older versions of Terraform's providers recorded an empty text where nothing was said; that is no change.
fn empty_as_recorded(schema: &Schema, prior: &Value, planned: Value) -> Value {
    let names = schema.block.attributes.iter().filter(|(_, a)| a.presence == Presence::Optional && a.default.is_none());
    names.fold(planned, |planned, (name, _)| match prior.get(name) {
        Some(before) if before.as_str() == Some("") && !attrs::is_set(&planned, name) => {
            planned.with_attr(name, before.clone())
        }
        _ => planned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_that_nobody_said_is_no_change() {
        let schema = Schema::new("t", "A thing.").attr("prefix", Attribute::string().force_new());
        let object = |prefix: Option<&str>| Value::object([("prefix", Value::from(prefix.map(str::to_owned)))]);
        for (prior, planned, expected) in
            [(Some(""), None, Some("")), (Some("a"), None, None), (None, None, None), (Some(""), Some("b"), Some("b"))]
        {
            assert_eq!(empty_as_recorded(&schema, &object(prior), object(planned)), object(expected), "{prior:?}");
        }
    }
}
