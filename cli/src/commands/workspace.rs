//! `sgp workspace`: there is one.

use clap::ArgMatches;
use sgp_model::Diagnostic;

use super::Exit;
use crate::{args::text, session::Room};

/// Shows the workspace; others are refused with a reason.
pub fn run(room: &Room, matches: &ArgMatches) -> Exit {
    match matches.subcommand() {
        Some(("list", _)) => room.ui.output.line("* default"),
        Some(("select", sub)) if text(sub, "name").as_deref() == Some("default") => {
            room.ui.output.line("The workspace is \"default\".");
        }
        Some(("select" | "new" | "delete", _)) => {
            return Err(refused("").into());
        }
        _ => room.ui.output.line("default"),
    }
    Ok(0)
}

/// The error about any other workspace.
pub fn refused(why: &str) -> Diagnostic {
    Diagnostic::error(
        "One workspace",
        format!(
            "{why}A folder has one workspace, \"default\". For another set of the same objects use a folder of its own, or another state folder: SGP_DATA_DIR=.sgp-staging."
        ),
    )
}
