//! `time_offset`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Context, PlanRequest, PlanResponse};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use super::base;
use crate::{attrs, in_state::Logical, moment::Moment};

pub(crate) struct TimeOffset;

/// The arguments that say how far.
const OFFSETS: [&str; 6] =
    ["offset_years", "offset_months", "offset_days", "offset_hours", "offset_minutes", "offset_seconds"];

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let offset = |doc| Attribute::number().doc(doc);
    base::parts(Schema::new("time_offset", "A time so far from that of its creation, or from a given one."))
        .attr("triggers", base::triggers())
        .attr(
            "base_rfc3339",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("The time to go from, such as `2020-02-12T06:36:13Z`; without it that of the creation."),
        )
        .attr("offset_years", offset("How many years, back below zero. One `offset_*` must be set."))
        .attr("offset_months", offset("How many months."))
        .attr("offset_days", offset("How many days."))
        .attr("offset_hours", offset("How many hours."))
        .attr("offset_minutes", offset("How many minutes."))
        .attr("offset_seconds", offset("How many seconds."))
        .attr("rfc3339", Attribute::string().computed().doc("The time so far from there."))
        .example("resource \"time_offset\" \"next_week\" {\n  offset_days = 7\n}\n")
});

/// The object for a base.
fn of(object: &Value, start: &Moment) -> Result<Value, Diagnostic> {
    let there = base::way(object, "offset_").map_or(Some(*start), |way| start.after(way));
    let there = there.ok_or_else(|| base::too_far(start))?;
    let text = Value::from(start.to_string());
    let own = [("id", text.clone()), ("base_rfc3339", text), ("rfc3339", there.to_string().into())];
    Ok(attrs::with(object, base::parts_of(&there).chain(own)))
}

#[async_trait]
impl Logical for TimeOffset {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = base::validate(config, "base_rfc3339");
        problems.extend(attrs::whole_numbers(config, &OFFSETS.map(|name| (name, i64::MIN))));
        problems.extend(attrs::exclusive(config, &OFFSETS, true));
        problems
    }

    /// With the base, the time is known.
    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let is_open = OFFSETS.iter().any(|name| !attrs::is_known(request.proposed, name));
        if is_open {
            let names = SCHEMA.block.attributes.iter().filter(|(name, a)| !a.is_settable() && **name != "id");
            let unknown = names.map(|(name, a)| (*name, Value::unknown(a.ty.clone())));
            return PlanResponse { planned: Some(attrs::with(request.proposed, unknown)), ..PlanResponse::default() };
        }
        let Some(start) = attrs::text(request.proposed, "base_rfc3339").and_then(Moment::parse) else {
            return PlanResponse::default();
        };
        match of(request.proposed, &start) {
            Ok(planned) => PlanResponse { planned: Some(planned), ..PlanResponse::default() },
            Err(problem) => PlanResponse { diagnostics: problem.into(), ..PlanResponse::default() },
        }
    }

    async fn make(&self, cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        of(planned, &base::moment_or_now(planned, "base_rfc3339", cx)?)
    }

    fn change(&self, planned: &Value) -> Result<Value, Diagnostic> {
        let start = attrs::text(planned, "base_rfc3339").and_then(Moment::parse);
        start.map_or_else(|| Ok(planned.clone()), |start| of(planned, &start))
    }

    /// The base, then years, months, days, hours, minutes and seconds, with commas between; zero says nothing.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        let wrong =
            || attrs::wrong_id("time_offset", id, "the base time and six numbers: `2020-02-12T06:36:13Z,0,0,7,0,0,0`");
        let parts: Vec<&str> = id.split(',').collect();
        let (Some(start), 7) = (Moment::parse(parts[0]), parts.len()) else { return Err(wrong()) };
        let mut object = SCHEMA.block.empty();
        for (name, text) in OFFSETS.iter().zip(&parts[1..]) {
            match text.parse::<i64>() {
                Ok(0) => {}
                Ok(n) => object = object.with_attr(name, Value::int(n)),
                Err(_) if text.is_empty() => {}
                Err(_) => return Err(wrong()),
            }
        }
        of(&object, &start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made;

    #[tokio::test]
    async fn offsets() {
        let base = "2020-02-12T06:36:13Z";
        for (name, n, expected) in [
            ("offset_years", 1, "2021-02-12T06:36:13Z"),
            ("offset_months", -2, "2019-12-12T06:36:13Z"),
            ("offset_days", 7, "2020-02-19T06:36:13Z"),
            ("offset_hours", 20, "2020-02-13T02:36:13Z"),
            ("offset_minutes", 24, "2020-02-12T07:00:13Z"),
            ("offset_seconds", -13, "2020-02-12T06:36:00Z"),
        ] {
            let object = made(&TimeOffset, &[("base_rfc3339", base.into()), (name, Value::int(n))]).await;
            assert_eq!(attrs::text(&object, "rfc3339"), Some(expected), "{name}");
            assert_eq!(attrs::text(&object, "id"), Some(base));
            let units = OFFSETS.map(|unit| if unit == name { n.to_string() } else { "0".to_owned() });
            assert_eq!(TimeOffset.import(&format!("{base},{}", units.join(","))).expect(name), object);
        }
        let now = made(&TimeOffset, &[("offset_days", Value::int(1))]).await;
        assert_eq!(attrs::text(&now, "base_rfc3339"), Some("2023-11-14T22:13:20Z"));
        assert_eq!(attrs::text(&now, "rfc3339"), Some("2023-11-15T22:13:20Z"));
    }

    #[test]
    fn exactly_one_offset() {
        let config = |fields: Vec<(&'static str, Value)>| attrs::object(&SCHEMA.block, fields);
        for (fields, is_wrong) in [
            (vec![], true),
            (vec![("offset_days", Value::int(1))], false),
            (vec![("offset_days", Value::int(1)), ("offset_hours", Value::int(1))], true),
            (vec![("offset_days", Value::unknown(sgp_model::Type::Number))], false),
            (vec![("offset_days", Value::int(1)), ("base_rfc3339", "now".into())], true),
        ] {
            assert_eq!(TimeOffset.validate(&config(fields.clone())).has_errors(), is_wrong, "{fields:?}");
        }
    }

    #[test]
    fn a_new_offset_is_known_before_it_is_applied() {
        let prior = TimeOffset.import("2020-02-12T06:36:13Z,0,0,7,0,0,0").expect("an id");
        let proposed = prior.with_attr("offset_days", Value::int(8));
        let none = Value::dynamic_null();
        let request = PlanRequest { prior: &prior, config: &proposed, proposed: &proposed, provider_config: &none };
        let planned = TimeOffset.plan(&request).planned.expect("it is known");
        assert_eq!(attrs::text(&planned, "rfc3339"), Some("2020-02-20T06:36:13Z"));
        assert_eq!(TimeOffset.change(&planned).expect("it fits"), planned);
        let far = prior.with_attr("offset_days", Value::int(i64::MAX));
        let request = PlanRequest { prior: &prior, config: &far, proposed: &far, provider_config: &none };
        assert!(TimeOffset.plan(&request).diagnostics.has_errors());
    }
}
