//! How a plan changes who reaches whom.

use std::fmt::Write as _;

use sgp_analysis::{
    build::build,
    reach::{Change, Interest, Line, changes},
};
use sgp_engine::foresight;
use sgp_model::{Plan, plan::PlanMode, symbol::readable};

use super::{json::Json, paint::Paint};

/// At most a screen; all of it is in the JSON form.
const MOST_LINES: usize = 20;

/// What changes when a plan is applied.
pub fn of_plan(plan: &Plan) -> Change {
    if plan.mode == PlanMode::RefreshOnly {
        return Change::default();
    }
    changes(&build(&foresight::before(plan)), &build(&foresight::after(plan)))
}

/// The section of a plan; empty when nothing changes.
pub fn section(change: &Change, paint: Paint) -> String {
    if change.lines.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", paint.bold("Reachability:"));
    for line in change.lines.iter().take(MOST_LINES) {
        let _ = writeln!(out, "  {}", shown(line, paint));
    }
    if let Some(more) = change.lines.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
        let _ = writeln!(out, "  ... and {more} more (sgp show -json PLAN, \"reachability\")");
    }
    out
}

/// One line for people.
pub fn shown(line: &Line, paint: Paint) -> String {
    let may = if line.may { " (may)" } else { "" };
    let by = line.by.as_deref().map(|by| format!(" by {}", readable(by))).unwrap_or_default();
    let text = format!("{} -> {} {}{by}{may}", readable(&line.from), readable(&line.to), line.traffic);
    match (line.opens, line.interest == Interest::FromAnywhere) {
        // Opened to everybody: as loud as a deletion.
        (true, true) => format!("{} {}", paint.red("+"), paint.red(&text)),
        (true, false) => format!("{} {text}", paint.green("+")),
        (false, _) => format!("{} {text}", paint.red("-")),
    }
}

/// The same for programs.
pub fn json(change: &Change) -> Json {
    json_of(&change.lines)
}

/// `opens` or `closes`.
pub fn action(line: &Line) -> &'static str {
    if line.opens { "opens" } else { "closes" }
}

/// Lines for programs.
pub fn json_of(lines: &[Line]) -> Json {
    Json::array(lines.iter().map(|line| {
        let told = Json::object([
            ("action", Json::from(action(line))),
            ("from", readable(&line.from).as_ref().into()),
            ("to", readable(&line.to).as_ref().into()),
            ("traffic", line.traffic.to_string().as_str().into()),
            ("certain", (!line.may).into()),
        ]);
        match &line.by {
            Some(by) => told.with("by", readable(by).as_ref()),
            None => told,
        }
    }))
}
