//! One file a command: read the arguments, ask the engine for one thing, show what it answered.

mod apply;
mod approve;
mod audit;
mod capacity;
mod check;
mod console;
mod docs;
mod explain;
mod fmt;
mod force_unlock;
mod graph;
mod import;
mod init;
mod modules;
mod output;
mod page;
mod plan;
mod providers;
mod sandbox;
mod saved;
mod show;
mod state;
mod taint;
mod test;
pub mod topology;
mod trace;
mod validate;
mod version;
mod workspace;

use clap::ArgMatches;
use sgp_model::{Diagnostic, Diagnostics, plan::PlanMode};

use crate::{
    args::{self, flag},
    session::Room,
    ui::{Ui, error_text},
};

/// How a command ends: an exit code, or diagnostics that are shown and end it with 1.
pub type Exit = Result<u8, Diagnostics>;

/// Runs the command that was asked for; answers the exit code.
pub async fn run(matches: &ArgMatches) -> u8 {
    let Some((name, sub)) = matches.subcommand() else {
        if flag(matches, "version") {
            return version::run(&Ui::new(true, false), false);
        }
        error_text(&args::command().render_help().to_string());
        return 1;
    };
    if let Some(code) = sandbox::one_command::instead_of(matches, name, sub).await {
        return code;
    }
    let lines = ["plan", "apply", "destroy", "refresh", "test"].contains(&name) && flag(sub, "json");
    let mut ui = Ui::new(flag(sub, "no-color"), lines);
    ui.compact_warnings = flag(sub, "compact-warnings");
    let mut room = Room::new(ui);
    let exit = match one_workspace() {
        Ok(()) => dispatch(name, sub, &mut room).await,
        Err(other) => Err(other.into()),
    };
    exit.unwrap_or_else(|diagnostics| {
        room.ui.diagnostics(&diagnostics);
        1
    })
}

async fn dispatch(name: &str, sub: &ArgMatches, room: &mut Room) -> Exit {
    match name {
        "init" => init::run(room, sub).await,
        "get" => modules::get(room, flag(sub, "update")),
        "validate" => Ok(validate::run(room, sub)),
        "fmt" => Ok(fmt::run(room, sub)),
        "plan" => plan::run(room, sub).await,
        "apply" => apply::run(room, sub, apply::Kind::Apply).await,
        "destroy" => apply::run(room, sub, apply::Kind::Destroy).await,
        "refresh" => apply::run(room, sub, apply::Kind::Refresh).await,
        "show" => show::run(room, sub).await,
        "output" => output::run(room, sub).await,
        "state" => state::run(room, sub).await,
        "import" => import::run(room, sub).await,
        "graph" => graph::run(room, sub).await,
        "console" => console::run(room, sub).await,
        "taint" => taint::run(room, sub, taint::Wanted::Tainted).await,
        "untaint" => taint::run(room, sub, taint::Wanted::Ready).await,
        "test" => test::run(room, sub).await,
        "audit" => audit::run(room, sub).await,
        "capacity" => capacity::run(room, sub).await,
        "check" => check::run(room, sub).await,
        "explain" => explain::run(room, sub).await,
        "trace" => trace::run(room, sub).await,
        "force-unlock" => force_unlock::run(room, sub).await,
        "workspace" => workspace::run(room, sub),
        "providers" => Ok(providers::run(room, flag(sub, "json"))),
        "sandbox" => sandbox::run(room, sub).await,
        "version" => Ok(version::run(&room.ui, flag(sub, "json"))),
        "docs" => docs::run(room, sub),
        other => {
            error_text(&format!("There is no command {other:?}.\n"));
            Ok(1)
        }
    }
}

/// Refuses to work on the wrong state when the environment asks for another workspace.
fn one_workspace() -> Result<(), Diagnostic> {
    match std::env::var("TF_WORKSPACE") {
        Ok(name) if !name.is_empty() && name != "default" => {
            Err(workspace::refused(&format!("The environment variable TF_WORKSPACE asks for the workspace {name:?}. ")))
        }
        _ => Ok(()),
    }
}

/// The name of a mode as a command.
fn verb(mode: PlanMode) -> &'static str {
    match mode {
        PlanMode::Normal => "apply",
        PlanMode::Destroy => "destroy",
        PlanMode::RefreshOnly => "refresh",
    }
}
