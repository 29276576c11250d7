//! `sgp docs`: pages about resource types and checks, for the repository.

use std::{fs, path::Path};

use clap::ArgMatches;
use sgp_model::Diagnostic;

use super::Exit;
use crate::{args::text, docs, session::Room};

/// Writes the pages.
pub fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let dir = text(matches, "out").unwrap_or_default();
    let pages = docs::pages(&room.registry);
    let write = || {
        fs::create_dir_all(&dir)?;
        pages.iter().try_for_each(|(name, page)| fs::write(Path::new(&dir).join(name), page))?;
        // The checks have one page, beside the folder of the types.
        Path::new(&dir).parent().map_or(Ok(()), |above| fs::write(above.join("checks.md"), sgp_checks::page()))
    };
    write().map_err(|e| Diagnostic::error("Unwritable folder", format!("{dir}: {e}.")))?;
    room.ui.say(&format!("Wrote {} pages to {dir}.", pages.len()));
    Ok(0)
}
