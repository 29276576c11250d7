//! `time_static`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Context, PlanRequest, PlanResponse};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use super::base;
use crate::{attrs, in_state::Logical, moment::Moment};

pub(crate) struct TimeStatic;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    base::parts(Schema::new("time_static", "The time of its creation, or a given one."))
        .attr("triggers", base::triggers())
        .attr(
            "rfc3339",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("The time, such as `2020-02-12T06:36:13Z`; without it that of the creation."),
        )
        .example("resource \"time_static\" \"made\" {}\n")
});

/// The object for a moment.
fn of(object: &Value, moment: &Moment) -> Value {
    let text = Value::from(moment.to_string());
    attrs::with(object, base::parts_of(moment).chain([("id", text.clone()), ("rfc3339", text)]))
}

#[async_trait]
impl Logical for TimeStatic {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        base::validate(config, "rfc3339")
    }

    /// A given moment is known before it is kept.
    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let moment = attrs::text(request.proposed, "rfc3339").and_then(Moment::parse);
        PlanResponse { planned: moment.map(|moment| of(request.proposed, &moment)), ..PlanResponse::default() }
    }

    async fn make(&self, cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        Ok(of(planned, &base::moment_or_now(planned, "rfc3339", cx)?))
    }

    /// The id is the time.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        let moment = Moment::parse(id)
            .ok_or_else(|| attrs::wrong_id("time_static", id, "a time such as 2020-02-12T06:36:13Z"))?;
        Ok(of(&SCHEMA.block.empty(), &moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made;

    #[tokio::test]
    async fn now_or_a_given_time() {
        let now = made(&TimeStatic, &[]).await;
        assert_eq!(attrs::text(&now, "rfc3339"), Some("2023-11-14T22:13:20Z"));
        let parts = ["year", "month", "day", "hour", "minute", "second", "unix"].map(|name| attrs::int(&now, name));
        assert_eq!(parts, [2023, 11, 14, 22, 13, 20, 1_700_000_000].map(Some));
        let given = made(&TimeStatic, &[("rfc3339", "2020-02-12T06:36:13+01:00".into())]).await;
        assert_eq!(attrs::text(&given, "id"), Some("2020-02-12T06:36:13+01:00"));
        assert_eq!((attrs::int(&given, "hour"), attrs::int(&given, "unix")), (Some(6), Some(1_581_485_773)));
        assert_eq!(TimeStatic.import("2020-02-12T06:36:13+01:00").expect("a time"), given);
        assert!(TimeStatic.import("yesterday").is_err());
    }
}
