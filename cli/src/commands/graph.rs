//! `sgp graph`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use clap::ArgMatches;
use sgp_lang::{Answer, Configured, DepsView, Evaluator, Inputs, World};
use sgp_model::{Diagnostics, Plan, Value, plan::PlanMode};
use sgp_state::Access;

use super::{Exit, plan, saved};
use crate::{
    args::{PlanArgs, flag, text, var_args},
    render::graph::Graph,
    session::Room,
};

/// Writes a graph of the configuration, or of the steps of a plan.
pub async fn run(room: &mut Room, matches: &ArgMatches) -> Exit {
    let kind = text(matches, "type").unwrap_or_default();
    let graph = if let Some(path) = text(matches, "plan") {
        Graph::of_plan(&saved::read(Path::new(&path))?.0)
    } else {
        match kind.as_str() {
            "plan-destroy" => Graph::of_plan(&made(room, matches, PlanMode::Destroy).await?),
            "plan-refresh-only" => Graph::of_plan(&made(room, matches, PlanMode::RefreshOnly).await?),
            "plan" | "apply" => Graph::of_plan(&made(room, matches, PlanMode::Normal).await?),
            _ => configuration(room)?,
        }
    };
    let mermaid = text(matches, "format").as_deref() == Some("mermaid");
    room.ui.output.text(&if mermaid { graph.mermaid() } else { graph.dot() });
    Ok(0)
}

async fn made(room: &mut Room, matches: &ArgMatches, mode: PlanMode) -> Result<Plan, Diagnostics> {
    let vars = var_args(matches);
    let configured = room.configured_for(mode, &vars, false)?;
    let store = room.store("graph", Access::Write, Duration::ZERO)?;
    let mut session = room.session(&configured, store);
    // Only the graph belongs on standard output.
    session.events = Arc::new(|_| {});
    let args = PlanArgs {
        refresh: flag(matches, "refresh"),
        input: false,
        // A drawing tells nothing of what runs.
        live: Some(false),
        ..PlanArgs::new(mode, vars)
    };
    plan::make(room, &session, &args).await
}

/// Which resource refers to which, through locals, variables and modules.
fn configuration(room: &Room) -> Result<Graph, Diagnostics> {
    let loaded = room.load();
    loaded.require_files()?;
    if loaded.diagnostics.has_errors() {
        return Err(loaded.diagnostics);
    }
    let inputs = Inputs { validating: true, cwd: sgp_lang::Files::cwd(&*room.files), ..Inputs::default() };
    let world = Collecting { room, found: BTreeMap::new() };
    let mut evaluator = Evaluator::new(loaded.config, inputs, room.registry.clone(), room.files.clone(), world);
    for resource in evaluator.resources() {
        for key in evaluator.instances(&resource).unwrap_or_default() {
            // What is wrong with it is collected by the evaluator.
            let _ = evaluator.object(&resource.instance(key));
        }
    }
    let problems = evaluator.take_diagnostics();
    if problems.has_errors() {
        return Err(problems);
    }
    Ok(to_graph(&evaluator.world().found))
}

fn to_graph(found: &BTreeMap<String, BTreeSet<String>>) -> Graph {
    let names: Vec<&String> = found.keys().collect();
    let number = |name: &String| names.binary_search(&name).ok();
    let edges =
        found.iter().enumerate().flat_map(|(i, (_, needs))| needs.iter().filter_map(number).map(move |n| (i, n)));
    Graph { edges: edges.collect(), nodes: names.iter().map(|n| Some((*n).clone())).collect() }
}

/// Notes what each resource refers to, and has no objects.
struct Collecting<'a> {
    room: &'a Room,
    found: BTreeMap<String, BTreeSet<String>>,
}

impl World for Collecting<'_> {
    fn object(&mut self, configured: Configured<'_>, deps: &DepsView<'_>) -> Answer {
        let resource = configured.addr.resource.without_keys();
        let own = resource.to_string();
        let needs = deps.instances().into_iter().map(|a| a.resource.without_keys().to_string()).filter(|n| *n != own);
        self.found.entry(own.clone()).or_default().extend(needs);
        match self.room.schema(resource.mode, &resource.type_name) {
            Some(schema) => Answer::Value(Value::unknown_not_null(schema.ty())),
            None => Answer::Failed(Diagnostics::new()),
        }
    }
}
