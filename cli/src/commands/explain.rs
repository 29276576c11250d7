//! `sgp explain`.

use clap::ArgMatches;
use sgp_analysis::explain;
use sgp_model::Diagnostic;

use super::{Exit, topology};
use crate::{args::text, render::explain as render, session::Room};

/// Something is not as it should be.
const HAS_FAILED: u8 = 3;

/// Prints the page of a rule, or follows the way of a pod, a policy or a node; exits with 3 when it stops somewhere.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let name = text(matches, "name").unwrap_or_default();
    if let Some(page) = sgp_checks::explain(&name) {
        room.ui.output.text(&page);
        return Ok(0);
    }
    if !name.contains('/') {
        let detail = format!(
            "{name} is no rule and no object: write SGP301 (docs/checks.md lists the rules), NAMESPACE/POD, policy/NAMESPACE/NAME or node/NAME."
        );
        return Err(Diagnostic::error("Nothing to explain", detail).into());
    }
    let topology = topology::of(room, matches, "explain").await?;
    let Some(told) = explain::explain(&topology, &name) else {
        let detail = format!("No pod, policy or node is called {name} in the clusters that were looked at.");
        return Err(Diagnostic::error("Nothing to explain", detail).into());
    };
    room.ui.output.text(&render::render(&told, room.ui.paint));
    Ok(if told.has_failed() { HAS_FAILED } else { 0 })
}
