//! `sgp sandbox run -- COMMAND`.

use std::{ffi::OsString, io::IsTerminal as _, process::ExitStatus};

use clap::ArgMatches;
use sgp_model::{Diagnostic, Diagnostics};
use sgp_sandbox::Settings;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{
    env,
    held::{self, Held},
    place::{self, Place, Runner},
};
use crate::{
    args::{flag, texts},
    commands::Exit,
    interrupt,
};

/// Runs a command with a sandbox: the one that runs already, or one for the command.
pub async fn run(matches: &ArgMatches) -> Exit {
    let settings = held::settings(matches)?;
    let meant = Place::meant(matches)?;
    let command: Vec<OsString> = texts(matches, "command").into_iter().map(OsString::from).collect();
    if let Some(runner) = meant.runner().await {
        return with(&meant, &runner, &command).await;
    }
    if place::chosen(matches).is_some() || Place::beside_the_state().is_dir() {
        return on(meant, settings, &command).await;
    }
    let folder = TempDir::with_prefix("sgp-sandbox-").map_err(|error| {
        Diagnostic::error(
            "No folder for the sandbox",
            format!("A temporary folder cannot be made: {error}. Name one with -dir=DIR."),
        )
    })?;
    let code = on(Place::new(folder.path().to_owned()), settings, &command).await;
    if flag(matches, "keep") {
        crate::ui::error_text(&format!("The sandbox's folder is kept: {}\n", folder.keep().display()));
    }
    code
}

/// Runs a command with a sandbox on a folder, started for it where none runs there.
///
/// # Errors
/// The sandbox cannot start, or the command cannot.
pub async fn on(place: Place, settings: Settings, command: &[OsString]) -> Exit {
    if let Some(runner) = place.runner().await {
        return with(&place, &runner, command).await;
    }
    let held = Held::start(place, settings).await?;
    with(&held.place, &held.runner(), command).await
}

async fn with(place: &Place, runner: &Runner, command: &[OsString]) -> Exit {
    let Some((program, args)) = command.split_first() else { return Ok(0) };
    let mut child = Command::new(program);
    child.args(args).env(env::INSIDE, "1");
    for name in env::strangers() {
        child.env_remove(name);
    }
    child.envs(env::variables(place, runner).await?);
    let child = child.spawn().map_err(|error| -> Diagnostics {
        let program = program.to_string_lossy();
        Diagnostic::error("The command cannot start", format!("{program}: {error}.")).into()
    })?;
    Ok(code(
        finish(child)
            .await
            .map_err(|error| -> Diagnostics { Diagnostic::error("The command is lost", format!("{error}.")).into() })?,
    ))
}

/// Waits for the command, and hands on the signals that it does not get itself.
async fn finish(mut child: Child) -> std::io::Result<ExitStatus> {
    let pid = child.id();
    loop {
        tokio::select! {
            status = child.wait() => return status,
            name = interrupt::any() => {
                // A terminal sends Ctrl-C to the command as well; a second one would mean something else.
                if let Some(pid) = pid.filter(|_| name != "INT" || !std::io::stdin().is_terminal()) {
                    let _ = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().await;
                }
            }
        }
    }
}

/// The exit code, as a shell tells it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(1);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
