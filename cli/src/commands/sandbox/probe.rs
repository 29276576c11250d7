//! `sgp sandbox probe`.

use clap::ArgMatches;
use serde_json::Value;

use super::{held, place::Place};
use crate::{
    args::{flag, text},
    commands::Exit,
    session::Room,
};

/// Walks a packet and shows its way. Exits with 0 when it arrives and its answer comes back, with 3 when not.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let place = Place::meant(matches)?;
    let asked = |name: &str| text(matches, name).unwrap_or_default();
    let mut command =
        format!("probe?from={}&to={}&protocol={}", encoded(&asked("from")), encoded(&asked("to")), asked("protocol"));
    if let Some(port) = matches.get_one::<u16>("packet-port") {
        command.push_str(&format!("&port={port}"));
    }
    let trace = held::look(place, &command).await?;
    let text = if flag(matches, "json") { format!("{trace:#}") } else { shown(&trace) };
    room.ui.output.line(&text);
    Ok(if trace["verdict"] == "reachable" { 0 } else { 3 })
}

/// Text as a value in a query.
fn encoded(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(byte);
    text.bytes()
        .map(|byte| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn shown(trace: &Value) -> String {
    let mut lines = Vec::new();
    for (title, way) in [("There", "hops"), ("Back", "reply")] {
        let hops = trace[way].as_array().map_or(&[][..], Vec::as_slice);
        if !hops.is_empty() {
            lines.push(format!("{title}:"));
            lines.extend(hops.iter().map(hop));
        }
    }
    let verdict = match trace["verdict"].as_str() {
        Some("reachable") => "Reachable",
        Some("blocked") => "Blocked",
        _ => "It cannot be said",
    };
    let by = trace["decided_by"].as_str().map(|by| format!(", decided by: {by}")).unwrap_or_default();
    lines.push(format!("{verdict}{by}"));
    lines.join("\n")
}

fn hop(hop: &Value) -> String {
    let text = |name: &str| hop[name].as_str().unwrap_or_default();
    let mark = match text("outcome") {
        "passes" => "  ",
        "stops" => "x ",
        _ => "? ",
    };
    let by = hop["by"].as_str().map(|by| format!(" [{by}]")).unwrap_or_default();
    format!("  {mark}{}: {}{by}", text("at"), text("what"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_reads_from_hop_to_hop() {
        let trace = serde_json::json!({
            "verdict": "blocked", "decided_by": "acl-1 rule 100",
            "hops": [
                { "at": "pod app/a", "what": "It leaves.", "outcome": "passes" },
                { "at": "acl-1", "what": "It is denied.", "outcome": "stops", "by": "rule 100" },
            ],
            "reply": [],
        });
        assert_eq!(
            shown(&trace),
            "There:\n    pod app/a: It leaves.\n  x acl-1: It is denied. [rule 100]\nBlocked, decided by: acl-1 rule 100"
        );
        assert_eq!(encoded("c:svc/app/a b&"), "c:svc/app/a%20b%26");
    }
}
