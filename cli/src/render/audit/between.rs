//! The course of reachability from serial to serial, as people and programs read it.

use std::fmt::Write as _;

use sgp_analysis::reach::Line;
use sgp_model::symbol::readable;
use sgp_state::SerialSummary;

use super::csv_field;
use crate::{
    commands::topology::Recorded,
    render::{
        json::Json,
        paint::{Paint, plural},
        plan_json::timestamp,
        reachability,
    },
};

/// What happened between two serials.
pub struct Course {
    /// The state's lineage.
    pub lineage: String,
    /// Where it starts.
    pub start: Recorded,
    /// Each serial after that, oldest first.
    pub stages: Vec<Stage>,
    /// What the last one has otherwise than the start; empty where there is one serial only.
    pub altogether: Vec<Line>,
}

/// One serial.
pub struct Stage {
    /// When and by what it was made.
    pub summary: SerialSummary,
    /// The state at its end.
    pub of: Recorded,
    /// What opened and closed.
    pub lines: Vec<Line>,
}

/// For people.
pub fn render(course: &Course, paint: Paint) -> String {
    let last = course.stages.last().map_or(&course.start, |it| &it.of);
    let title = format!("Reachability from serial {} to {}", course.start.serial, last.serial);
    let mut out = format!("{}\n", paint.bold(&title));
    let _ = writeln!(out, "  lineage {}", course.lineage);
    for of in [&course.start, last] {
        let _ = writeln!(out, "  serial {}: sha256 {}", of.serial, of.digest);
    }
    let loud = course.stages.iter().filter(|it| !it.lines.is_empty());
    for stage in loud.clone() {
        let _ = writeln!(out, "\n{}", paint.bold(&heading(&stage.summary)));
        lines(&mut out, &stage.lines, paint);
    }
    let quiet = course.stages.len() - loud.count();
    if quiet > 0 {
        let _ = writeln!(out, "\n{} changed nothing about who reaches whom.", plural(quiet, "serial"));
    }
    if course.stages.len() > 1 {
        let _ = writeln!(out, "\n{}", paint.bold("Altogether"));
        lines(&mut out, &course.altogether, paint);
    }
    out
}

fn heading(summary: &SerialSummary) -> String {
    let by = if summary.who.is_empty() { String::new() } else { format!(" by {}", summary.who) };
    let SerialSummary { serial, operation, added, changed, removed, .. } = summary;
    format!(
        "Serial {serial}: {operation}{by} at {} ({added} added, {changed} changed, {removed} removed)",
        timestamp(summary.at)
    )
}

fn lines(out: &mut String, lines: &[Line], paint: Paint) {
    if lines.is_empty() {
        out.push_str("  nothing opened and nothing closed\n");
    }
    for line in lines {
        let _ = writeln!(out, "  {}", reachability::shown(line, paint));
    }
}

/// For programs.
pub fn json(course: &Course) -> Json {
    let proof = |of: &Recorded| Json::object([("serial", of.serial.into()), ("sha256", of.digest.as_str().into())]);
    let stages = course.stages.iter().map(|stage| {
        let SerialSummary { serial, operation, who, added, changed, removed, at, .. } = &stage.summary;
        Json::object([
            ("serial", Json::from(*serial)),
            ("sha256", stage.of.digest.as_str().into()),
            ("operation", operation.as_str().into()),
            ("by", if who.is_empty() { Json::Null } else { who.as_str().into() }),
            ("at", timestamp(*at).as_str().into()),
            ("added", (*added as u64).into()),
            ("changed", (*changed as u64).into()),
            ("removed", (*removed as u64).into()),
            ("reachability", reachability::json_of(&stage.lines)),
        ])
    });
    Json::object([
        ("lineage", Json::from(course.lineage.as_str())),
        ("from", proof(&course.start)),
        ("to", proof(course.stages.last().map_or(&course.start, |it| &it.of))),
        ("serials", Json::array(stages)),
        ("altogether", reachability::json_of(&course.altogether)),
    ])
}

/// As CSV (RFC 4180): a row for each line of each serial.
pub fn csv(course: &Course) -> String {
    let mut out = "serial,at,operation,by,action,from,to,traffic,certain,through,sha256\r\n".to_owned();
    for Stage { summary, of, lines } in &course.stages {
        for line in lines {
            let cells = [
                summary.serial.to_string().as_str(),
                &timestamp(summary.at),
                &summary.operation,
                &summary.who,
                reachability::action(line),
                &readable(&line.from),
                &readable(&line.to),
                &line.traffic.to_string(),
                if line.may { "false" } else { "true" },
                &readable(line.by.as_deref().unwrap_or_default()),
                &of.digest,
            ]
            .map(csv_field);
            let _ = write!(out, "{}\r\n", cells.join(","));
        }
    }
    out
}
