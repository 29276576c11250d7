//! `sgp audit -between FIRST..LAST`: how reachability changed from serial to serial of the state.

use std::time::Duration;

use sgp_analysis::{build::build, reach::Succession};
use sgp_contract::{StateStore as _, StoreError};
use sgp_engine::foresight;
use sgp_model::{Diagnostic, Diagnostics, State};
use sgp_state::{Access, SerialSummary, SledStore};

use crate::{
    commands::{Exit, topology::Recorded},
    render::audit::between::{self as render, Course, Stage},
    session::Room,
};

/// Tells what opened and what closed, and which run did it.
pub async fn run(room: &Room, range: &str, format: Option<&str>) -> Exit {
    let store = room.store("audit", Access::Read, Duration::ZERO)?;
    let mut history = store.history().await.map_err(|e| unread(&e))?;
    history.reverse();
    let (first, last) = chosen(range, &history)?;
    let course = course(room, &store, &history, first, last).await?;
    match format {
        Some("json") => room.ui.output.line(&render::json(&course).pretty()),
        Some("csv") => room.ui.output.text(&render::csv(&course)),
        _ => room.ui.output.text(&render::render(&course, room.ui.paint)),
    }
    Ok(0)
}

/// The serials at both ends. An end that is left out is the oldest or the newest one that is kept.
fn chosen(range: &str, history: &[SerialSummary]) -> Result<(u64, u64), Diagnostics> {
    let (Some(oldest), Some(newest)) = (history.first(), history.last()) else {
        let detail = "The history of the state begins with the first apply, and there was none here.";
        return Err(Diagnostic::error("Nothing is recorded yet", detail).into());
    };
    // Before the first serial of all there was nothing.
    let oldest = if oldest.serial == 1 { 0 } else { oldest.serial };
    let number = |text: &str, otherwise| if text.is_empty() { Some(otherwise) } else { text.parse::<u64>().ok() };
    let ends = range.split_once("..").and_then(|(a, b)| Some((number(a, oldest)?, number(b, newest.serial)?)));
    let Some((first, last)) = ends else {
        let detail = format!(
            "\"{range}\" is not a range of serials. Write -between={oldest}..{}; without one of the numbers it goes from the oldest or \
             to the newest serial that is kept.",
            newest.serial
        );
        return Err(Diagnostic::error("Which serials?", detail).into());
    };
    if first >= last {
        let detail = format!(
            "The second serial comes after the first one: what serial {first} and those before it made is the start."
        );
        return Err(Diagnostic::error("Which serials?", detail).into());
    }
    for serial in [first, last] {
        if serial != oldest && !history.iter().any(|it| it.serial == serial) {
            return Err(not_kept(serial, oldest, newest.serial));
        }
    }
    Ok((first, last))
}

fn not_kept(serial: u64, oldest: u64, newest: u64) -> Diagnostics {
    let detail =
        format!("The history of the state goes from serial {oldest} to {newest}, and serial {serial} is not in it.");
    Diagnostic::error("No such serial", detail).into()
}

/// Looks at each serial from the first to the last one.
async fn course(
    room: &Room,
    store: &SledStore,
    history: &[SerialSummary],
    first: u64,
    last: u64,
) -> Result<Course, Diagnostics> {
    let lineage = store.load().await.map_err(|e| unread(&e))?.lineage;
    let start = match first {
        0 => State { lineage: lineage.clone(), ..State::default() },
        _ => state_at(store, first).await?,
    };
    let mut course = Course { lineage, start: Recorded::of(room, &start)?, stages: Vec::new(), altogether: Vec::new() };
    let mut succession = Succession::default();
    succession.then(build(&foresight::of_state(&start)));
    for summary in history.iter().filter(|it| it.serial > first && it.serial <= last) {
        let state = state_at(store, summary.serial).await?;
        let lines = succession.then(build(&foresight::of_state(&state))).lines;
        course.stages.push(Stage { summary: summary.clone(), of: Recorded::of(room, &state)?, lines });
    }
    if course.stages.len() > 1 {
        course.altogether = succession.altogether().lines;
    }
    Ok(course)
}

async fn state_at(store: &SledStore, serial: u64) -> Result<State, Diagnostics> {
    let found = store.state_at(serial).await.map_err(|e| unread(&e))?;
    found.ok_or_else(|| {
        let detail = format!("Serial {serial} was dropped from the history while it was looked at. Ask again.");
        Diagnostic::error("No such serial", detail).into()
    })
}

fn unread(error: &StoreError) -> Diagnostics {
    Diagnostic::error("The history cannot be read", error.to_string()).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn history(serials: &[u64]) -> Vec<SerialSummary> {
        let of = |serial: &u64| SerialSummary {
            serial: *serial,
            at: 0,
            operation: "apply".into(),
            who: String::new(),
            added: 0,
            changed: 0,
            removed: 0,
            records: 0,
        };
        serials.iter().map(of).collect()
    }

    #[test]
    fn a_range_is_of_serials_that_are_kept() {
        let (young, old) = (history(&[1, 2, 3]), history(&[7, 8, 12]));
        let rows: [(&[SerialSummary], &str, Result<(u64, u64), &str>); 12] = [
            (&young, "1..3", Ok((1, 3))),
            (&young, "0..1", Ok((0, 1))),
            (&young, "..", Ok((0, 3))),
            (&old, "..", Ok((7, 12))),
            (&old, "8..", Ok((8, 12))),
            (&old, "..8", Ok((7, 8))),
            (&old, "6..8", Err("goes from serial 7 to 12, and serial 6")),
            (&old, "7..9", Err("serial 9 is not in it")),
            (&old, "8..8", Err("comes after the first one")),
            (&old, "12..7", Err("comes after the first one")),
            (&old, "8", Err("-between=7..12")),
            (&[], "..", Err("begins with the first apply")),
        ];
        for (history, range, expected) in rows {
            match (chosen(range, history), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{range}"),
                (Err(told), Err(expected)) => assert!(told.0[0].detail.contains(expected), "{range}: {told:?}"),
                (found, _) => panic!("{range}: {found:?}"),
            }
        }
    }
}
