//! `sgp show`: the state, or a saved plan, for a terminal, for programs, or as a page.

use std::path::Path;

use clap::ArgMatches;
use sgp_state::Access;

use super::{Exit, page, saved};
use crate::{
    args::{flag, text},
    render::{self, config_json, plan_json, state_json, state_show},
    session::Room,
};

/// Shows.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let json = flag(matches, "json");
    let (plan, html) = (text(matches, "file"), text(matches, "html"));
    if let Some(html) = &html {
        page::check(Path::new(html), plan.as_ref().map(Path::new))?;
    }
    if let Some(path) = plan {
        show_plan(room, &path, json, html.as_deref())?;
        return Ok(0);
    }
    let session = room.looking("show", Access::Read, std::time::Duration::ZERO)?;
    let state = sgp_engine::load_state(&session).await?;
    if let Some(html) = &html {
        page::of_state(room, &state, Path::new(html))?;
        told(room, html, json);
        if !json {
            return Ok(0);
        }
    }
    if json {
        let json = room.with_facts(|facts| state_json::state(&state, std::iter::empty(), facts));
        room.ui.output.line(&json.to_string());
        return Ok(0);
    }
    let schemas = |mode, name: &str| room.schema(mode, name);
    room.ui.output.text(&state_show::state(&state, &schemas, room.ui.paint));
    Ok(0)
}

/// Says where the page is, unless standard output is a program's.
fn told(room: &Room, html: &str, json: bool) {
    if !json {
        room.ui.say(&format!("Wrote the page to: {html}"));
    }
}

fn show_plan(room: &Room, path: &str, json: bool, html: Option<&str>) -> Result<(), sgp_model::Diagnostics> {
    let (plan, _) = saved::read(Path::new(path))?;
    if let Some(html) = html {
        page::of_plan(room, &plan, Path::new(html))?;
        told(room, html, json);
        if !json {
            return Ok(());
        }
    }
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
