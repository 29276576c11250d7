//! `sgp sandbox pods`.

use clap::ArgMatches;
use serde_json::Value;

use super::{held, place::Place};
use crate::{
    args::{flag, text},
    commands::Exit,
    session::Room,
};

/// Shows the pods of the clusters with their branch interfaces and groups.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let place = Place::meant(matches)?;
    let command = text(matches, "cluster").map_or_else(|| "pods".to_owned(), |name| format!("pods?cluster={name}"));
    let answer = held::look(place, &command).await?;
    if flag(matches, "json") {
        room.ui.output.line(&format!("{answer:#}"));
        return Ok(0);
    }
    let pods = answer["pods"].as_array().cloned().unwrap_or_default();
    room.ui.output.line(&table(&pods));
    Ok(0)
}

const COLUMNS: [&str; 8] = ["CLUSTER", "NAMESPACE", "POD", "PHASE", "NODE", "ADDRESS", "INTERFACE", "GROUPS"];

fn table(pods: &[Value]) -> String {
    if pods.is_empty() {
        return "There are no pods.".to_owned();
    }
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(pods.iter().map(row));
    let widths = (0..COLUMNS.len()).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let widths: Vec<usize> = widths.collect();
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn row(pod: &Value) -> [String; 8] {
    let text = |name: &str| pod[name].as_str().filter(|text| !text.is_empty()).unwrap_or("-").to_owned();
    let groups = pod["groups"].as_array().into_iter().flatten();
    let groups: Vec<String> = groups
        .map(|group| {
            let (id, name) = (group["id"].as_str().unwrap_or("-"), group["name"].as_str().unwrap_or("-"));
            format!("{id} ({name})")
        })
        .collect();
    let groups = if groups.is_empty() { "-".to_owned() } else { groups.join(", ") };
    [
        text("cluster"),
        text("namespace"),
        text("name"),
        text("phase"),
        text("node"),
        text("address"),
        text("branch_interface"),
        groups,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_stand_in_columns() {
        let pods = serde_json::json!([
            { "cluster": "c", "namespace": "app", "name": "backend", "phase": "Running", "node": "n", "address": "10.0.0.4",
              "branch_interface": "eni-1", "groups": [{ "id": "sg-1", "name": "backend" }, { "id": "sg-2", "name": null }] },
            { "cluster": "c", "namespace": "app", "name": "b", "phase": "Pending", "node": null, "address": null,
              "branch_interface": null, "groups": [] },
        ]);
        assert_eq!(
            table(pods.as_array().map_or(&[], Vec::as_slice)),
            "CLUSTER  NAMESPACE  POD      PHASE    NODE  ADDRESS   INTERFACE  GROUPS\n\
             c        app        backend  Running  n     10.0.0.4  eni-1      sg-1 (backend), sg-2 (-)\n\
             c        app        b        Pending  -     -         -          -"
        );
        assert_eq!(table(&[]), "There are no pods.");
    }
}
