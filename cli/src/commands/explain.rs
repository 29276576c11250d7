//! `sgp explain`.

use clap::ArgMatches;
use sgp_model::Diagnostic;

use super::Exit;
use crate::{args::text, session::Room};

/// Prints the page of a rule.
pub fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let name = text(matches, "name").unwrap_or_default();
    if let Some(page) = sgp_checks::explain(&name) {
        room.ui.output.text(&page);
        return Ok(0);
    }
    if name.to_ascii_uppercase().starts_with("SGP") {
        let detail = format!(
            "There is no rule {name}. docs/checks.md lists them; sgp check says which of them find something here."
        );
        return Err(Diagnostic::error("No such rule", detail).into());
    }
    let detail = format!(
        "sgp explain knows rules (sgp explain SGP301). Pods, nodes, policies and resources such as {name} are not supported yet: \
         sgp trace shows what a pod reaches, sgp check what is wrong with a configuration."
    );
    Err(Diagnostic::error("Not supported", detail).into())
}
