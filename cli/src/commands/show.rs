//! `sgp show`: the state, or a saved plan.

use std::path::Path;

use clap::ArgMatches;
use sgp_state::Access;

use super::{Exit, saved};
use crate::{
    args::{flag, text},
    render::{self, config_json, plan_json, state_json, state_show},
    session::Room,
};

/// Shows.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let json = flag(matches, "json");
    if let Some(path) = text(matches, "file") {
        show_plan(room, &path, json)?;
        return Ok(0);
    }
    let session = room.looking("show", Access::Read, std::time::Duration::ZERO)?;
    let state = sgp_engine::load_state(&session).await?;
    if json {
        let json = room.with_facts(|facts| state_json::state(&state, std::iter::empty(), facts));
        room.ui.output.line(&json.to_string());
        return Ok(0);
    }
    let schemas = |mode, name: &str| room.schema(mode, name);
    room.ui.output.text(&state_show::state(&state, &schemas, room.ui.paint));
    Ok(0)
}

fn show_plan(room: &Room, path: &str, json: bool) -> Result<(), sgp_model::Diagnostics> {
    let (plan, _) = saved::read(Path::new(path))?;
    if json {
        let config = room.load().config;
        let json = room.with_facts(|facts| {
            // Only the configuration that the plan was made from belongs to it.
            let configuration =
                (config.digest == plan.config_digest).then(|| config_json::configuration(&config, facts));
            plan_json::plan(&plan, configuration, facts)
        });
        room.ui.output.line(&json.to_string());
        return Ok(());
    }
    let schemas = |mode, name: &str| room.schema(mode, name);
    room.ui.output.text(&render::plan::render(&plan, &schemas, room.ui.paint));
    Ok(())
}
