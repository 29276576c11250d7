//! What commands that judge look at: the state, a saved plan as it will be, or what exists now.

use std::{path::Path, time::Duration};

use clap::ArgMatches;
use sgp_analysis::{
    build::{self, Sources},
    topology::Topology,
};
use sgp_engine::{Session, foresight};
use sgp_model::{Diagnostic, Diagnostics, State};
use sgp_report::picture::Names;
use sgp_state::Access;
use sha2::{Digest as _, Sha256};

use super::{saved, state::as_v4};
use crate::{
    args::{flag, text, var_args},
    session::Room,
};

/// What is looked at.
pub struct Looked {
    /// The model.
    pub topology: Topology,
    /// Names of what has ids.
    pub names: Names,
    /// In words: `the state`.
    pub what: &'static str,
    /// The state that it was made from.
    pub of: Option<Recorded>,
}

impl Looked {
    /// What these objects are.
    pub fn at(sources: &Sources, what: &'static str, of: Option<Recorded>) -> Self {
        Self { topology: build::build(sources), names: Names::of(&sources.objects), what, of }
    }
}

/// A state, for the record.
pub struct Recorded {
    /// Its serial.
    pub serial: u64,
    /// Its lineage.
    pub lineage: String,
    /// SHA-256 over the state as `sgp state pull` writes it, hexadecimal.
    pub digest: String,
}

impl Recorded {
    /// Of this state.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(room: &Room, state: &State) -> Result<Self, Diagnostics> {
        let json = as_v4(room, state)?;
        let digest = Sha256::digest(json.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { serial: state.serial, lineage: state.lineage.clone(), digest })
    }
}

/// The topology that the flags `-plan`, `-live` and `-state` mean; without one of them the state's. `command` is who asks.
///
/// # Errors
/// When it cannot be read, or there is nothing to look at.
pub async fn of(room: &Room, matches: &ArgMatches, command: &str) -> Result<Topology, Diagnostics> {
    Ok(looked_at(room, matches, command).await?.topology)
}

/// Whether a command is about what runs, which no state tells.
fn is_about_now(command: &str) -> bool {
    command == "explain"
}

/// The same, with what it was made from.
///
/// # Errors
/// When it cannot be read, or there is nothing to look at.
pub async fn looked_at(room: &Room, matches: &ArgMatches, command: &str) -> Result<Looked, Diagnostics> {
    if let Some(path) = text(matches, "plan") {
        let (plan, _) = saved::read(Path::new(&path))?;
        let of = Some(Recorded::of(room, &plan.refreshed)?);
        return Ok(Looked::at(&foresight::after(&plan), "what there will be after a plan", of));
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
    let of = Some(Recorded::of(room, &state)?);
    if flag(matches, "live") || is_about_now(command) && !flag(matches, "state") {
        let configured = room.configured(&var_args(matches), false)?;
        let session = Session { config: configured.config.clone(), inputs: configured.inputs.clone(), ..session };
        let (sources, told) = sgp_engine::live(&session, &state).await?;
        room.ui.diagnostics(&told);
        return Ok(Looked::at(&sources, "what exists now", of));
    }
    Ok(Looked::at(&foresight::of_state(&state), "the state", of))
}
