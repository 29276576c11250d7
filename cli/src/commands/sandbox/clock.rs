//! `sgp sandbox clock`.

use std::time::Duration;

use clap::ArgMatches;
use serde_json::json;

use super::{client, place::Place};
use crate::{commands::Exit, session::Room};

/// Shows the time, or moves it.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let runner = Place::meant(matches)?.needed().await?;
    let clock = match matches.get_one::<Duration>("by") {
        Some(by) => client::post(runner.address, "clock", &json!({ "advance_seconds": by.as_secs_f64() })).await?,
        None => client::get(runner.address, "clock").await?,
    };
    let offset = clock["offset_seconds"].as_f64().unwrap_or(0.0);
    room.ui.output.line(&format!("{} ({offset} s moved by hand)", clock["time"].as_str().unwrap_or("")));
    Ok(0)
}
