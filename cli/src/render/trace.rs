//! The way between two ends, as people and programs read it.

mod drawing;

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use sgp_analysis::{
    reach::{Fix, Hop, Outcome, Trace, Verdict},
    topology::{Direction, Group, Id, Peer, Topology},
};

use super::paint::Paint;

/// The way, hop by hop, the verdict, what it is taken for granted, and what would open it.
pub fn render(trace: &Trace, topology: &Topology, paint: Paint) -> String {
    let mut out = String::new();
    let wanted = if trace.wanted.is_all() { String::new() } else { format!(" {}", trace.wanted) };
    let _ = writeln!(out, "{}", paint.bold(&format!("{} -> {}{wanted}", trace.from, trace.to)));
    let _ = writeln!(out);
    out.push_str(&drawing::draw(&trace.from, &trace.to, &trace.hops, paint));
    let _ = writeln!(out, "\n{}", verdict(trace, paint));
    if !trace.assumptions.is_empty() {
        let _ = writeln!(out, "\nTaken for granted, because nothing here says otherwise:");
        for assumption in &trace.assumptions {
            let _ = writeln!(out, "  - {}", shown(assumption));
        }
    }
    if !trace.fixes.is_empty() {
        let _ = writeln!(out, "\nTo open it:");
        for fix in &trace.fixes {
            let _ = writeln!(out, "  - {}", fixed(fix, topology));
        }
    }
    out
}

fn verdict(trace: &Trace, paint: Paint) -> String {
    let by = trace.decided_by().map(|hop| format!(": at {}, {}", shown(&hop.at), shown(&hop.what))).unwrap_or_default();
    match trace.verdict {
        // Without a port the question is what passes.
        Verdict::Reachable | Verdict::Depends if trace.wanted.is_all() => passes(trace, paint),
        Verdict::Reachable if !trace.assumptions.is_empty() => paint.green("Reachable, as far as is known."),
        Verdict::Reachable => paint.green("Reachable."),
        Verdict::Depends => paint.yellow("It depends, or cannot be said: see the marks ~ and ? above."),
        Verdict::Unreachable => paint.red(&format!("Not reachable{by}.")),
    }
}

fn passes(trace: &Trace, paint: Paint) -> String {
    let (certain, doubtful) = (&trace.passage.certain, trace.passage.doubtful());
    let mut parts = Vec::new();
    if !certain.is_empty() {
        parts.push(paint.green(&format!("Passes: {certain}.")));
    }
    if !doubtful.is_empty() {
        parts.push(paint.yellow(&format!("May pass, in some cases or as far as anybody can say: {doubtful}.")));
    }
    parts.join("\n")
}

/// A text without the marks of symbols.
fn shown(text: &str) -> String {
    sgp_model::symbol::readable(text).into_owned()
}

/// A change that opens a place, in words.
fn fixed(fix: &Fix, topology: &Topology) -> String {
    match fix {
        Fix::Other(text) => shown(text),
        Fix::Rule { group, direction, peer, traffic } => {
            let side = if *direction == Direction::Egress { "to" } else { "from" };
            let traffic = if traffic.is_all() { "the traffic".to_owned() } else { traffic.to_string() };
            let article = if *direction == Direction::Egress { "an egress" } else { "an ingress" };
            format!(
                "{article} rule in {} for {traffic} {side} {}",
                group_name(topology, group),
                peer_name(topology, peer)
            )
        }
    }
}

fn peer_name(topology: &Topology, peer: &Peer) -> String {
    match peer {
        Peer::Group(id) => group_name(topology, id),
        other => shown(&other.to_string()),
    }
}

/// A group by its address in the configuration, else by its name.
fn group_name(topology: &Topology, id: &Id) -> String {
    let name = |group: &Group| group.managed_by.as_ref().map_or_else(|| group.name.clone(), ToString::to_string);
    match topology.groups.get(id) {
        Some(group) if name(group) != id.to_string() => format!("{} ({id})", name(group)),
        _ => id.to_string(),
    }
}

/// The same for programs.
pub fn json(trace: &Trace, topology: &Topology) -> Json {
    let verdict = match trace.verdict {
        Verdict::Reachable => "reachable",
        Verdict::Depends => "depends",
        Verdict::Unreachable => "unreachable",
    };
    let hop = |hop: &Hop| {
        let outcome = match hop.outcome {
            Outcome::Passes => "passes",
            Outcome::Partly => "partly",
            Outcome::Unknown => "unknown",
            Outcome::Stops => "stops",
        };
        json!({ "at": shown(&hop.at), "what": shown(&hop.what), "by": hop.by.as_deref().map(shown), "outcome": outcome,
            "answer": hop.is_answer })
    };
    json!({
        "from": trace.from,
        "to": trace.to,
        "asked": trace.wanted.to_string(),
        "verdict": verdict,
        "passes": trace.passage.certain.to_string(),
        "may_pass": trace.passage.doubtful().to_string(),
        "hops": trace.hops.iter().map(hop).collect::<Vec<_>>(),
        "assumptions": trace.assumptions.iter().map(|it| shown(it)).collect::<Vec<_>>(),
        "fixes": trace.fixes.iter().map(|it| fixed(it, topology)).collect::<Vec<_>>(),
    })
}
