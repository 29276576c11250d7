//! `sgp force-unlock`.

use clap::ArgMatches;
use sgp_model::Diagnostic;

use super::{Exit, approve};
use crate::{
    args::{flag, text},
    session::{Room, data_dir, store_error},
};

/// Takes away what a dead process left of its lock.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let Some(id) = text(matches, "id") else {
        return Err(Diagnostic::error(
            "Which lock?",
            "Name the lock by its id, as the error about the locked state shows it: sgp force-unlock ID.",
        )
        .into());
    };
    let explanation = "The lock of a process that has ended frees itself; this only clears what it left behind.\n  Only 'yes' will be accepted to confirm.";
    if !flag(matches, "force")
        && !approve::ask("Do you really want to unlock the state?", explanation, room.interrupt()).await?
    {
        room.ui.say("\nforce-unlock cancelled.");
        return Ok(1);
    }
    let holder = sgp_state::force_unlock(&data_dir(), &id).map_err(|e| store_error(&e, &data_dir()))?;
    room.ui.say(&format!("The lock of {} (process {}, `{}`) is gone.", holder.who, holder.pid, holder.operation));
    Ok(0)
}
