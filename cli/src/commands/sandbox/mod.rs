//! `sgp sandbox`: a simulated region on this machine. One file a verb; each finds the sandbox's folder ([`place`]) and asks the
//! sandbox that runs on it ([`client`]), or holds one itself ([`held`]).

mod client;
mod clock;
mod env;
mod held;
mod kubeconfig;
pub mod one_command;
mod place;
mod pods;
mod probe;
mod reset;
mod run;
mod start;
mod status;
mod stop;

use clap::ArgMatches;
use sgp_model::Diagnostic;

use super::Exit;
use crate::session::Room;

/// Runs a verb.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    match matches.subcommand() {
        Some(("start", sub)) => start::run(room, sub).await,
        Some(("stop", sub)) => stop::run(room, sub).await,
        Some(("status", sub)) => status::run(room, sub).await,
        Some(("reset", sub)) => reset::run(room, sub).await,
        Some(("clock", sub)) => clock::run(room, sub).await,
        Some(("run", sub)) => run::run(sub).await,
        Some(("env", sub)) => env::run(room, sub).await,
        Some(("pods", sub)) => pods::run(room, sub).await,
        Some(("probe", sub)) => probe::run(room, sub).await,
        Some(("kubeconfig", sub)) => kubeconfig::run(room, sub).await,
        _ => Err(Diagnostic::error("No such command", "See sgp sandbox -help.").into()),
    }
}
