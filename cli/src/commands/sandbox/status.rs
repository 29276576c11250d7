//! `sgp sandbox status`.

use clap::ArgMatches;
use serde_json::Value;

use super::{client, place::Place};
use crate::{args::flag, commands::Exit, session::Room};

/// Shows where the sandbox listens and what is in it.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let place = Place::meant(matches)?;
    let runner = place.needed().await?;
    let status = client::get(runner.address, "status").await?;
    let text = if flag(matches, "json") {
        format!("{status:#}")
    } else {
        shown(&status, &place.folder().display().to_string())
    };
    room.ui.output.line(&text);
    Ok(0)
}

fn shown(status: &Value, folder: &str) -> String {
    let text = |name: &str| status[name].as_str().unwrap_or("").to_owned();
    let (pid, uptime) = (&status["pid"], &status["uptime_seconds"]);
    let mut rows = vec![
        ("endpoint", format!("http://{}", text("address"))),
        ("process", format!("{pid}, for {uptime} s")),
        ("version", text("version")),
        ("folder", folder.to_owned()),
        ("account", format!("{} in {}", text("account"), text("region"))),
        ("time", format!("{} ({} s moved by hand)", text("time"), status["clock_offset_seconds"])),
        ("calls", status["calls"].to_string()),
    ];
    let clusters = status["clusters"].as_array().into_iter().flatten();
    rows.extend(clusters.map(|cluster| {
        let text = |name: &str| cluster[name].as_str().unwrap_or("").to_owned();
        ("cluster", format!("{} at {}", text("name"), text("endpoint")))
    }));
    let objects = status["objects"].as_object().into_iter().flatten();
    let objects: Vec<String> = objects.map(|(name, count)| format!("{name} {count}")).collect();
    rows.push(("objects", objects.join(", ")));
    rows.iter().map(|(name, value)| format!("{name:<9} {value}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_as_lines() {
        let status = serde_json::json!({
            "address": "127.0.0.1:1", "pid": 7, "uptime_seconds": 3, "version": "1", "account": "1", "region": "r", "time": "T",
            "clock_offset_seconds": 90.0, "calls": 2, "clusters": [{ "name": "c", "endpoint": "https://127.0.0.1:2" }],
            "objects": { "vpcs": 1, "subnets": 3 },
        });
        let lines = shown(&status, "/f");
        for line in
            ["endpoint  http://127.0.0.1:1", "cluster   c at https://127.0.0.1:2", "objects   subnets 3, vpcs 1"]
        {
            assert!(lines.lines().any(|l| l == line), "{line} in\n{lines}");
        }
    }
}
