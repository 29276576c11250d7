//! What the types that keep a moment share.

use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{
    attrs,
    moment::{Moment, Way},
};

/// Adds the parts of the moment that the object keeps.
pub(super) fn parts(schema: Schema) -> Schema {
    let number = |doc| Attribute::number().computed().doc(doc);
    schema
        .attr(
            "id",
            Attribute::string().computed().doc("The moment that everything is reckoned from, when it was taken."),
        )
        .attr("year", number("Its year."))
        .attr("month", number("Its month, from 1."))
        .attr("day", number("Its day of the month."))
        .attr("hour", number("Its hour."))
        .attr("minute", number("Its minute."))
        .attr("second", number("Its second."))
        .attr("unix", number("It as seconds since 1970."))
}

/// The argument that every type here has.
pub(super) fn triggers() -> Attribute {
    Attribute::string_map().force_new().doc("Any texts under any names; a change takes the time anew.")
}

/// The parts of a moment.
pub(super) fn parts_of(moment: &Moment) -> impl Iterator<Item = (&'static str, Value)> {
    let parts = moment.fields().into_iter().chain([("unix", moment.unix())]);
    parts.map(|(name, number)| (name, Value::int(number)))
}

/// Says what is wrong with an argument that is a moment.
pub(super) fn validate(config: &Value, name: &str) -> Diagnostics {
    match attrs::text(config, name) {
        Some(text) if Moment::parse(text).is_none() => not_a_moment(name, text).into(),
        _ => Diagnostics::new(),
    }
}

fn not_a_moment(name: &str, text: &str) -> Diagnostic {
    attrs::wrong(
        name,
        format!("`{name}` must be a time as RFC 3339 writes it, such as 2020-02-12T06:36:13Z, not {text:?}."),
    )
}

/// The moment of an argument, or now when it is not said.
pub(super) fn moment_or_now(object: &Value, name: &str, cx: &Context) -> Result<Moment, Diagnostic> {
    match attrs::text(object, name) {
        Some(text) => Moment::parse(text).ok_or_else(|| not_a_moment(name, text)),
        None => Moment::at(cx.clock.now()).ok_or_else(|| {
            Diagnostic::error("The clock is wrong", "The clock of this machine shows a year that cannot be written.")
        }),
    }
}

/// The ways that the arguments with this prefix say: `offset_days`. The last one counts.
pub(super) fn way(object: &Value, prefix: &str) -> Option<Way> {
    let said = |unit: &str| attrs::int(object, &format!("{prefix}{unit}"));
    let calendar = |years, months, days| Way::Calendar { years, months, days };
    let seconds = |unit: &str, each: i64| said(unit).map(|n| Way::Seconds(n.saturating_mul(each)));
    None.or_else(|| said("years").map(|n| calendar(n, 0, 0)))
        .or_else(|| said("months").map(|n| calendar(0, n, 0)))
        .or_else(|| said("days").map(|n| calendar(0, 0, n)))
        .or_else(|| seconds("hours", 3600))
        .or_else(|| seconds("minutes", 60))
        .or_else(|| seconds("seconds", 1))
}

/// The error about a way that leads out of the calendar.
pub(super) fn too_far(from: &Moment) -> Diagnostic {
    Diagnostic::error("Time out of range", format!("So far from {from} lies no year that can be written."))
}
