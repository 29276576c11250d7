//! `sgp sandbox reset`.

use clap::ArgMatches;
use serde_json::Value;

use super::{client, place::Place};
use crate::{commands::Exit, session::Room};

/// Makes the account new again.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let runner = Place::meant(matches)?.needed().await?;
    client::post(runner.address, "reset", &Value::Null).await?;
    room.ui.say("The sandbox is as a new account is.");
    Ok(0)
}
