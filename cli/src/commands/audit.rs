//! `sgp audit`.

mod between;

use clap::ArgMatches;
use sgp_analysis::audit;
use sgp_model::Diagnostic;

use super::{Exit, topology};
use crate::{
    args::text,
    render::{audit as render, page},
    session::Room,
};

/// Shows who could reach what and by which rules, and which rules and policies do nothing or too much; with `-between` what
/// opened and closed in the course of the state's history.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    if let Some(range) = text(matches, "between") {
        if text(matches, "format").as_deref() == Some("html") {
            let detail = "A page shows one state. Leave out -between, or ask for -format=text, json or csv.";
            return Err(Diagnostic::error("No page of a history", detail).into());
        }
        return between::run(room, &range, text(matches, "format").as_deref()).await;
    }
    let looked = topology::looked_at(room, matches, "audit").await?;
    if text(matches, "format").as_deref() == Some("html") {
        room.ui.output.text(&sgp_report::page::render(&page::audit(&looked)));
        return Ok(0);
    }
    let audit = audit::audit(&looked.topology);
    match text(matches, "format").as_deref() {
        Some("json") => room.ui.output.line(&format!("{:#}", render::json(&audit, &looked))),
        Some("csv") => room.ui.output.text(&render::csv(&audit, &looked)),
        _ => room.ui.output.text(&render::render(&audit, &looked, room.ui.paint)),
    }
    Ok(0)
}
