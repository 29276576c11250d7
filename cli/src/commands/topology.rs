//! What commands that judge look at: the state, a saved plan as it will be, or what exists now.

use std::{path::Path, time::Duration};

use clap::ArgMatches;
use sgp_analysis::{build, topology::Topology};
use sgp_engine::{Session, foresight};
use sgp_model::{Diagnostic, Diagnostics};
use sgp_state::Access;

use super::saved;
use crate::{
    args::{flag, text, var_args},
    session::Room,
};

/// The topology that the flags `-plan`, `-live` and `-state` mean; without one of them the state's. `command` is who asks.
///
/// # Errors
/// When it cannot be read, or there is nothing to look at.
pub async fn of(room: &Room, matches: &ArgMatches, command: &str) -> Result<Topology, Diagnostics> {
    if let Some(path) = text(matches, "plan") {
        let (plan, _) = saved::read(Path::new(&path))?;
        return Ok(build::build(&foresight::after(&plan)));
    }
    let session = room.looking(command, Access::Read, Duration::ZERO)?;
    let state = sgp_engine::load_state(&session).await?;
    if state.instances.is_empty() {
        let detail = format!(
            "sgp {command} looks at the state, and it is empty. To look at what an apply would make, save a plan (sgp plan -out FILE) \
             and ask with -plan FILE."
        );
        return Err(Diagnostic::error("Nothing is recorded yet", detail).into());
    }
    if flag(matches, "live") {
        let configured = room.configured(&var_args(matches), false)?;
        let session = Session { config: configured.config.clone(), inputs: configured.inputs.clone(), ..session };
        let (sources, told) = sgp_engine::live(&session, &state).await?;
        room.ui.diagnostics(&told);
        return Ok(build::build(&sources));
    }
    Ok(build::build(&foresight::of_state(&state)))
}
