//! `sgp capacity`.

use clap::ArgMatches;
use sgp_analysis::capacity::{self, Facts};
use sgp_model::{Diagnostic, Diagnostics};

use super::{Exit, topology};
use crate::{
    args::{flag, text},
    render::capacity as render,
    session::Room,
};

/// There is no room for all of the pods that were asked for, or nobody can say.
const DOES_NOT_FIT: u8 = 3;

/// Shows what there is room for in each cluster, and what runs out first; with `-pods` exits with 3 when so many more do not fit.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let topology = topology::of(room, matches, "capacity").await?;
    let asked = text(matches, "cluster");
    let pods = matches.get_one::<u64>("pods").copied();
    let clusters: Vec<_> =
        topology.clusters.keys().filter(|id| asked.as_deref().is_none_or(|it| it == id.as_str())).collect();
    if clusters.is_empty() {
        return Err(none(asked.as_deref()));
    }
    let facts = Facts::default();
    let reports = clusters.into_iter().filter_map(|id| Some((id, capacity::report(&topology, id, &facts)?)));
    let reports: Vec<_> = reports.collect();
    if flag(matches, "json") {
        let all = reports.iter().map(|(id, report)| render::json(id, report, pods)).collect();
        room.ui.output.line(&format!("{:#}", serde_json::Value::Array(all)));
    } else {
        for (id, report) in &reports {
            room.ui.output.text(&render::render(id, report, pods, room.ui.paint));
        }
    }
    let fits = pods.is_none_or(|pods| reports.iter().all(|(_, it)| render::fits(it, pods) == render::Fit::Yes));
    Ok(if fits { 0 } else { DOES_NOT_FIT })
}

fn none(asked: Option<&str>) -> Diagnostics {
    let detail = match asked {
        Some(name) => format!("No cluster {name} is known here."),
        None => "No cluster is known here.".to_owned(),
    };
    Diagnostic::error("No such cluster", detail).into()
}
