//! `sgp sandbox stop`.

use std::time::{Duration, Instant};

use clap::ArgMatches;
use serde_json::Value;
use sgp_model::Diagnostic;

use super::{client, place::Place};
use crate::{commands::Exit, session::Room};

const PATIENCE: Duration = Duration::from_secs(10);

/// Stops the sandbox, and waits until it is gone.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let place = Place::meant(matches)?;
    let runner = place.needed().await?;
    // Whoever is about to end may do so before it has answered: what counts is whether it is gone.
    let asked = client::post(runner.address, "stop", &Value::Null).await;
    let start = Instant::now();
    while place.runner().await.is_some() {
        if start.elapsed() > PATIENCE {
            asked?;
            let why = format!("Process {} still answers at http://{}.", runner.pid, runner.address);
            return Err(Diagnostic::error("The sandbox does not stop", why).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    room.ui.say(&format!("The sandbox has stopped. Its state stays in {}.", place.folder().display()));
    Ok(0)
}
