//! `sgp import ADDR ID`.

use clap::ArgMatches;
use sgp_model::{Diagnostic, address::parse_instance};
use sgp_state::Access;

use super::Exit;
use crate::{
    args::{flag, lock_timeout, text, var_args},
    session::{Room, sentence},
};

/// Adopts one object.
pub async fn run(room: &mut Room, matches: &ArgMatches) -> Exit {
    let (given, id) = (text(matches, "addr").unwrap_or_default(), text(matches, "id").unwrap_or_default());
    let addr = parse_instance(&given).map_err(|e| bad_address(&given, &e))?;
    room.listen();
    let configured = room.configured(&var_args(matches), flag(matches, "input"))?;
    let store = room.store("import", Access::Write, lock_timeout(matches))?;
    let session = room.session(&configured, store);
    room.ui.say(&format!("{addr}: Importing from ID {id:?}..."));
    let imported = sgp_engine::import(&session, &addr, &id).await;
    if imported.object.is_none() || imported.diagnostics.has_errors() {
        return Err(imported.diagnostics);
    }
    room.ui.diagnostics(&imported.diagnostics);
    let text = format!("Import successful! {addr} is in the state now and managed from here on.");
    room.ui.say(&format!(
        "\n{}\n\nRun sgp plan to see whether the configuration says the same.",
        room.ui.paint.green(&text)
    ));
    Ok(0)
}

/// The error for an address that cannot be read.
pub fn bad_address(given: &str, why: &str) -> Diagnostic {
    Diagnostic::error("Invalid address", format!("{given:?} is not an address: {}.", sentence(why)))
}
