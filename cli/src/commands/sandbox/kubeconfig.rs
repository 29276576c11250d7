//! `sgp sandbox kubeconfig`.

use clap::ArgMatches;

use super::{client, place::Place};
use crate::{args::text, commands::Exit, session::Room};

/// Writes a kubeconfig to standard output.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let runner = Place::meant(matches)?.needed().await?;
    let command =
        text(matches, "name").map_or_else(|| "kubeconfig".to_owned(), |name| format!("kubeconfig?cluster={name}"));
    room.ui.output.text(&client::text(runner.address, "GET", &command, "").await?);
    Ok(0)
}
