//! `sgp sandbox start`.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use clap::ArgMatches;
use sgp_model::Diagnostic;

use super::{
    held::{self, Held},
    place::{Place, Runner},
};
use crate::{args::flag, commands::Exit, interrupt, session::Room};

/// How long a sandbox in the background may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(10);

/// Starts a sandbox and serves until somebody stops it; with `-background` another process does.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let place = Place::meant(matches)?;
    let settings = held::settings(matches)?;
    if flag(matches, "background") {
        let runner = in_background(&place).await?;
        tell(room, &place, &runner, "Stop it with: sgp sandbox stop");
        return Ok(0);
    }
    let is_backed = settings.backing.is_some();
    let held = Held::start(place, settings).await?;
    if is_backed {
        room.ui.say("The clusters are those of your API server: simulated nodes, pods and branch interfaces do not work in them.");
    }
    tell(room, &held.place, &held.runner(), "Ctrl-C stops it.");
    tokio::select! {
        () = held.sandbox.stopped() => {}
        () = interrupt::signal() => {}
    }
    room.ui.say(&format!("The sandbox has stopped. Its state stays in {}.", held.place.folder().display()));
    Ok(0)
}

fn tell(room: &Room, place: &Place, runner: &Runner, last: &str) {
    let (address, folder) = (runner.address, place.folder().display());
    room.ui.say(&format!(
        "The sandbox answers at http://{address} (process {}); its state is kept in {folder}.\n\
         In another shell: eval \"$(sgp sandbox env)\". Or for one command: sgp sandbox run -- COMMAND\n{last}",
        runner.pid
    ));
}

/// Starts this program once more, in a process group of its own, and waits until it answers.
async fn in_background(place: &Place) -> Result<Runner, Diagnostic> {
    if let Some(runner) = place.runner().await {
        return Err(held::taken(place, &runner));
    }
    let cannot = |why: String| Diagnostic::error("The sandbox cannot start", format!("{why}."));
    fs::create_dir_all(place.folder()).map_err(|error| cannot(format!("{}: {error}", place.folder().display())))?;
    let log = fs::File::create(place.log()).map_err(|error| cannot(format!("{}: {error}", place.log().display())))?;
    let mut command = again(place, log).map_err(|error| cannot(error.to_string()))?;
    let mut child = command.spawn().map_err(|error| cannot(error.to_string()))?;
    let start = Instant::now();
    loop {
        if let Some(runner) = place.runner().await
            && runner.pid == child.id()
        {
            return Ok(runner);
        }
        if let Ok(Some(status)) = child.try_wait() {
            let said = fs::read_to_string(place.log()).unwrap_or_default();
            return Err(cannot(format!("It ended with {status}. It said:\n\n{}", said.trim_end())));
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            return Err(cannot(format!(
                "It did not answer within {} s; see {}",
                PATIENCE.as_secs(),
                place.log().display()
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// This command without `-background`, for the same folder.
fn again(place: &Place, log: fs::File) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments(std::env::args().skip(1), place.folder()));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // The arguments of the environment are among those already.
    for name in ["TF_CLI_ARGS", "SGP_CLI_ARGS"] {
        command.env_remove(name);
    }
    // Ctrl-C in the terminal is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Ok(command)
}

fn arguments(args: impl Iterator<Item = String>, folder: &Path) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        let name = arg.trim_start_matches('-');
        let is_flag = arg.starts_with('-');
        if is_flag && (name == "background" || name.starts_with("background=")) {
            continue;
        }
        if is_flag && matches!(name, "dir" | "chdir") {
            args.next();
            continue;
        }
        if is_flag && (name.starts_with("dir=") || name.starts_with("chdir=")) {
            continue;
        }
        kept.push(arg);
    }
    kept.push(format!("-dir={}", folder.display()));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_background_gets_the_same_flags() {
        let args = "-chdir=x sandbox start -background --dir d -port=1 -seed 7 --background=true -chdir y -dir=z";
        let kept = arguments(args.split(' ').map(str::to_owned), Path::new("/f"));
        assert_eq!(kept.join(" "), "sandbox start -port=1 -seed 7 -dir=/f");
    }
}
