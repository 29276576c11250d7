//! `sgp explain`.

use clap::ArgMatches;
use sgp_analysis::explain;
use sgp_model::{Diagnostic, Diagnostics};

use super::{Exit, topology};
use crate::{args::text, render::explain as render, session::Room};

/// Something is not as it should be.
const HAS_FAILED: u8 = 3;

/// Prints the page of a rule, or follows the way of a pod, a policy, a node or whatever else has a part in it; exits with 3 when it
/// stops somewhere.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let name = text(matches, "name").unwrap_or_default();
    if let Some(page) = sgp_checks::explain(&name) {
        room.ui.output.text(&page);
        return Ok(0);
    }
    // Whoever writes this means a rule, whether there is one or not: no need to look at clusters.
    if name.get(..3).is_some_and(|it| it.eq_ignore_ascii_case("SGP")) && name[3..].bytes().all(|it| it.is_ascii_digit())
    {
        let detail = format!("There is no rule {name}; docs/checks.md lists them.");
        return Err(Diagnostic::error("Nothing to explain", detail).into());
    }
    let topology = topology::of(room, matches, "explain").await?;
    let Some(told) = explain::explain(&topology, &name) else { return Err(unknown(&name)) };
    room.ui.output.text(&render::render(&told, room.ui.paint));
    Ok(if told.has_failed() { HAS_FAILED } else { 0 })
}

fn unknown(name: &str) -> Diagnostics {
    let detail = format!(
        "Nothing of what was looked at is called {name}. Write NAMESPACE/NAME of a pod or workload, policy/NAMESPACE/NAME, node/NAME, a \
         security group's id or name, the address of a cluster, sgp_pod_eni, node group, workload, service account, policy or group, or \
         the number of a rule (SGP301)."
    );
    Diagnostic::error("Nothing to explain", detail).into()
}
