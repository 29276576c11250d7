//! `time_rotating`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Context, PlanRequest, PlanResponse};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Type, Value};

use super::base;
use crate::{attrs, in_state::Logical, moment::Moment};

pub(crate) struct TimeRotating;

/// The arguments that say how far.
const ROTATIONS: [&str; 5] =
    ["rotation_years", "rotation_months", "rotation_days", "rotation_hours", "rotation_minutes"];

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let rotation = |doc| Attribute::number().doc(doc);
    let schema =
        Schema::new("time_rotating", "A time that is taken anew by the first run after another time has passed.");
    base::parts(schema)
        .attr("triggers", base::triggers())
        .attr(
            "rfc3339",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("The time, such as `2020-02-12T06:36:13Z`; without it that of the creation."),
        )
        .attr("rotation_years", rotation("After how many years. One `rotation_*` must be set."))
        .attr("rotation_months", rotation("After how many months."))
        .attr("rotation_days", rotation("After how many days."))
        .attr("rotation_hours", rotation("After how many hours."))
        .attr("rotation_minutes", rotation("After how many minutes."))
        .attr("rotation_rfc3339", Attribute::string().optional_computed().doc("The time after which it is taken anew."))
        .example("resource \"time_rotating\" \"month\" {\n  rotation_days = 30\n}\n")
});

/// The object for a start. What the configuration does not say of the end follows from the start.
fn of(object: &Value, start: &Moment) -> Result<Value, Diagnostic> {
    let end = match base::way(object, "rotation_") {
        Some(way) => Some(start.after(way).ok_or_else(|| base::too_far(start))?),
        None => attrs::text(object, "rotation_rfc3339").and_then(Moment::parse),
    };
    let end = end.map_or_else(|| Value::null(Type::String), |end| end.to_string().into());
    let text = Value::from(start.to_string());
    let own = [("id", text.clone()), ("rfc3339", text), ("rotation_rfc3339", end)];
    Ok(attrs::with(object, base::parts_of(start).chain(own)))
}

#[async_trait]
impl Logical for TimeRotating {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = base::validate(config, "rfc3339");
        problems.extend(base::validate(config, "rotation_rfc3339"));
        problems.extend(attrs::whole_numbers(config, &ROTATIONS.map(|name| (name, 1))));
        let names: Vec<&str> = ROTATIONS.into_iter().chain(["rotation_rfc3339"]).collect();
        problems.extend(attrs::exclusive(config, &names, true));
        problems
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let is_open = ROTATIONS.iter().any(|name| !attrs::is_known(request.proposed, name));
        let is_said = attrs::is_set(request.config, "rotation_rfc3339");
        let start = attrs::text(request.proposed, "rfc3339").and_then(Moment::parse);
        let Some(start) = start.filter(|_| !is_open) else {
            let unknown = [("rotation_rfc3339", Value::unknown(Type::String))];
            let planned = is_said.then(|| request.proposed.clone());
            let planned = planned.unwrap_or_else(|| attrs::with(request.proposed, unknown));
            return PlanResponse { planned: Some(planned), ..PlanResponse::default() };
        };
        if is_said && !attrs::is_known(request.proposed, "rotation_rfc3339") {
            return PlanResponse::default();
        }
        match of(request.proposed, &start) {
            Ok(planned) => PlanResponse { planned: Some(planned), ..PlanResponse::default() },
            Err(problem) => PlanResponse { diagnostics: problem.into(), ..PlanResponse::default() },
        }
    }

    async fn make(&self, cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        of(planned, &base::moment_or_now(planned, "rfc3339", cx)?)
    }

    fn change(&self, planned: &Value) -> Result<Value, Diagnostic> {
        let start = attrs::text(planned, "rfc3339").and_then(Moment::parse);
        start.map_or_else(|| Ok(planned.clone()), |start| of(planned, &start))
    }

    /// Once its time has passed it counts as gone, and the plan makes it anew.
    fn at(&self, now: i64, recorded: &Value) -> Option<Value> {
        let end = attrs::text(recorded, "rotation_rfc3339").and_then(Moment::parse);
        end.is_none_or(|end| now <= end.unix()).then(|| recorded.clone())
    }

    /// The start, then years, months, days, hours and minutes, with commas between; or the start and the end.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        let wrong = || {
            let form =
                "the time and five numbers, `2020-02-12T06:36:13Z,0,0,30,0,0`, or the time and that of the rotation";
            attrs::wrong_id("time_rotating", id, form)
        };
        let parts: Vec<&str> = id.split(',').collect();
        let start = Moment::parse(parts[0]).ok_or_else(wrong)?;
        let mut object = SCHEMA.block.empty();
        match parts[1..] {
            [end] => {
                let end = Moment::parse(end).ok_or_else(wrong)?;
                object = object.with_attr("rotation_rfc3339", end.to_string().into());
            }
            [_, _, _, _, _] => {
                for (name, text) in ROTATIONS.iter().zip(&parts[1..]) {
                    match text.parse::<i64>() {
                        Ok(0) => {}
                        Ok(n) if n > 0 => object = object.with_attr(name, Value::int(n)),
                        Err(_) if text.is_empty() => {}
                        _ => return Err(wrong()),
                    }
                }
                base::way(&object, "rotation_").ok_or_else(wrong)?;
            }
            _ => return Err(wrong()),
        }
        of(&object, &start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, made};

    #[tokio::test]
    async fn it_is_there_until_its_time_has_passed() {
        let object = made(&TimeRotating, &[("rotation_minutes", Value::int(10))]).await;
        assert_eq!(attrs::text(&object, "rfc3339"), Some("2023-11-14T22:13:20Z"));
        assert_eq!(attrs::text(&object, "rotation_rfc3339"), Some("2023-11-14T22:23:20Z"));
        assert_eq!(TimeRotating.at(NOW + 600, &object), Some(object.clone()));
        assert_eq!(TimeRotating.at(NOW + 601, &object), None);
        let given = [("rfc3339", "2020-02-12T06:36:13Z".into()), ("rotation_rfc3339", "2020-02-13T00:00:00Z".into())];
        let given = made(&TimeRotating, &given).await;
        assert_eq!(TimeRotating.at(NOW, &given), None);
        assert_eq!(TimeRotating.import("2020-02-12T06:36:13Z,2020-02-13T00:00:00Z").expect("an id"), given);
    }

    #[test]
    fn imports() {
        let object = TimeRotating.import("2020-02-12T06:36:13Z,0,0,30,0,0").expect("as in the documentation");
        assert_eq!(attrs::int(&object, "rotation_days"), Some(30));
        assert_eq!(attrs::text(&object, "rotation_rfc3339"), Some("2020-03-13T06:36:13Z"));
        for id in
            ["", "2020-02-12T06:36:13Z", "2020-02-12T06:36:13Z,0,0,0,0,0", "2020-02-12T06:36:13Z,1,2", "x,0,0,30,0,0"]
        {
            assert!(TimeRotating.import(id).is_err(), "{id}");
        }
    }

    #[test]
    fn another_rotation_is_reckoned_from_the_same_time() {
        let prior = TimeRotating.import("2020-02-12T06:36:13Z,0,0,30,0,0").expect("an id");
        let config = attrs::object(&SCHEMA.block, [("rotation_days", Value::int(1))]);
        let proposed = prior.with_attr("rotation_days", Value::int(1));
        let none = Value::dynamic_null();
        let request = PlanRequest { prior: &prior, config: &config, proposed: &proposed, provider_config: &none };
        let planned = TimeRotating.plan(&request).planned.expect("it is known");
        assert_eq!(attrs::text(&planned, "rotation_rfc3339"), Some("2020-02-13T06:36:13Z"));
        assert_eq!(planned.get("rfc3339"), prior.get("rfc3339"));
    }

    #[test]
    fn exactly_one_rotation() {
        for (fields, is_wrong) in [
            (vec![], true),
            (vec![("rotation_days", Value::int(0))], true),
            (vec![("rotation_days", Value::int(1))], false),
            (vec![("rotation_days", Value::int(1)), ("rotation_rfc3339", "2020-02-12T06:36:13Z".into())], true),
            (vec![("rotation_rfc3339", "tomorrow".into())], true),
        ] {
            let config = attrs::object(&SCHEMA.block, fields.clone());
            assert_eq!(TimeRotating.validate(&config).has_errors(), is_wrong, "{fields:?}");
        }
    }
}
