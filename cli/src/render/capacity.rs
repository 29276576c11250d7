//! How many pods there is room for, as people and programs read it.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use sgp_analysis::{
    capacity::{Amount, NodesRow, QuotaRow, Report, Resource, SubnetRow, Use},
    topology::{Fact, Id},
};
use sgp_model::symbol::readable;

use super::paint::Paint;

/// Whether so many pods more fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// They do.
    Yes,
    /// They do not.
    No,
    /// It depends on what is not known.
    Depends,
}

/// Whether so many pods with groups of their own fit beside what is wanted already.
pub fn fits(report: &Report, pods: u64) -> Fit {
    let room = &report.branches.more;
    match room.most() {
        _ if room.least() >= pods => Fit::Yes,
        Some(most) if most < pods => Fit::No,
        _ => Fit::Depends,
    }
}

/// The tables of a cluster.
pub fn render(id: &Id, report: &Report, pods: Option<u64>, paint: Paint) -> String {
    let (version, date) = &report.table;
    let mut out = format!("{}\n", paint.bold(&format!("Cluster {id}")));
    let _ =
        writeln!(out, "{}", paint.dim(&format!("Limits of instance types: VPC resource controller {version}, {date}")));
    let nodes: Vec<Vec<String>> = report.nodes.iter().map(nodes_row).collect();
    let titles = ["NODES", "TYPES", "COUNT", "BRANCH INTERFACES", "PODS", "ROOM", "RUNS OUT FIRST"];
    out.push_str(&table(&titles, &nodes, paint));
    let subnets: Vec<Vec<String>> = report.subnets.iter().map(subnet_row).collect();
    out.push_str(&table(&["SUBNET", "ADDRESSES", "WANTED BY PODS", "IN AN UPDATE", "LEFT"], &subnets, paint));
    let quotas: Vec<Vec<String>> = report.quotas.iter().map(quota_row).collect();
    out.push_str(&table(&["QUOTA", "LIMIT", "USED", "WANTED"], &quotas, paint));
    let _ = writeln!(out, "\n{}", room(report));
    for note in report.nodes.iter().flat_map(|it| &it.notes) {
        let _ = writeln!(out, "{} {note}", paint.yellow("Note:"));
    }
    for update in report.updates.iter().filter(|it| it.waits == Fact::Known(true)) {
        let (namespace, kind, name) = &update.maker;
        let _ = writeln!(
            out,
            "{} an update of {kind} {namespace}/{name} waits for branch interfaces in cool-down: room for {} more pods during it, its surge is {}.",
            paint.yellow("Note:"),
            update.room,
            update.surge
        );
    }
    if let Some(pods) = pods {
        let _ = writeln!(out, "\n{}", answer(report, pods, paint));
    }
    if !report.unknown.is_empty() {
        let _ = writeln!(out, "\nNot known:");
        for why in &report.unknown {
            let _ = writeln!(out, "  - {}", readable(why));
        }
    }
    out.push('\n');
    out
}

fn room(report: &Report) -> String {
    let room = &report.branches;
    let mut text = format!("Room for {} more pods with groups of their own", room.more);
    if !room.first.is_empty() {
        let _ = write!(text, "; first runs out: {}", names(&room.first));
    }
    if room.pending.most() != Some(0) {
        let _ = write!(text, "; wanted and without a place: {}", room.pending);
    }
    text.push('.');
    text
}

fn answer(report: &Report, pods: u64, paint: Paint) -> String {
    let first =
        if report.branches.first.is_empty() { String::new() } else { format!(": {}", names(&report.branches.first)) };
    match fits(report, pods) {
        Fit::Yes => paint.green(&format!("{pods} more fit.")),
        Fit::No => paint.red(&format!("{pods} more do not fit{first}.")),
        Fit::Depends => paint.yellow(&format!("Whether {pods} more fit depends on what is not known{first}.")),
    }
}

fn names(resources: &[Resource]) -> String {
    resources.iter().map(|it| readable(&it.to_string()).into_owned()).collect::<Vec<_>>().join(", ")
}

fn nodes_row(row: &NodesRow) -> Vec<String> {
    let most = row.nodes_most.as_ref().map(|most| format!(" (at most {most})")).unwrap_or_default();
    vec![
        readable(&row.nodes_of.to_string()).into_owned(),
        row.instance_types.join(", "),
        format!("{}{most}", row.nodes),
        of(&row.branches),
        of(&row.pods),
        row.room.more.to_string(),
        names(&row.room.first),
    ]
}

/// `2 of 18`.
fn of(it: &Use) -> String {
    format!("{} of {}", it.wanted, it.capacity)
}

fn subnet_row(row: &SubnetRow) -> Vec<String> {
    let amounts = [&row.addresses, &row.wanted, &row.updating, &row.left].map(ToString::to_string);
    std::iter::once(readable(row.subnet.as_str()).into_owned()).chain(amounts).collect()
}

fn quota_row(row: &QuotaRow) -> Vec<String> {
    let name = row.of.as_ref().map_or_else(|| row.quota.to_string(), |of| format!("{} ({})", row.quota, readable(of)));
    vec![name, row.limit.to_string(), row.used.to_string(), row.wanted.to_string()]
}

/// Columns as wide as what is in them; nothing for a table without rows.
fn table(titles: &[&str], rows: &[Vec<String>], paint: Paint) -> String {
    use unicode_width::UnicodeWidthStr as _;
    if rows.is_empty() {
        return String::new();
    }
    let width = |at: usize| rows.iter().map(|row| row[at].width()).chain([titles[at].width()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut out = format!("\n{}\n", paint.bold(&line(titles.to_vec())));
    for row in rows {
        let _ = writeln!(out, "{}", line(row.iter().map(String::as_str).collect()));
    }
    out
}

/// The same for programs.
pub fn json(id: &Id, report: &Report, pods: Option<u64>) -> Json {
    let resources = |all: &[Resource]| all.iter().map(|it| readable(&it.to_string()).into_owned()).collect::<Vec<_>>();
    let used = |it: &Use| {
        json!({ "capacity": amount(&it.capacity), "used": amount(&it.used), "wanted": amount(&it.wanted),
            "updating_one": amount(&it.updating_one), "updating_all": amount(&it.updating_all) })
    };
    let nodes = |row: &NodesRow| {
        json!({ "nodes_of": readable(&row.nodes_of.to_string()), "instance_types": row.instance_types, "nodes": amount(&row.nodes),
            "branch_interfaces": used(&row.branches), "pods": used(&row.pods), "addresses": used(&row.addresses),
            "cooling": amount(&row.cooling), "room": amount(&row.room.more), "first": resources(&row.room.first),
            "notes": row.notes.iter().map(ToString::to_string).collect::<Vec<_>>() })
    };
    let subnet = |row: &SubnetRow| {
        json!({ "subnet": readable(row.subnet.as_str()), "addresses": amount(&row.addresses), "wanted": amount(&row.wanted),
            "updating": amount(&row.updating), "left": amount(&row.left) })
    };
    let quota = |row: &QuotaRow| {
        json!({ "quota": row.quota.to_string(), "limit": row.limit, "used": amount(&row.used), "wanted": amount(&row.wanted),
            "of": row.of, "is_exceeded": row.is_exceeded() })
    };
    let asked = pods.map(|pods| {
        let verdict = match fits(report, pods) {
            Fit::Yes => "fits",
            Fit::No => "does_not_fit",
            Fit::Depends => "depends",
        };
        json!({ "pods": pods, "verdict": verdict })
    });
    json!({
        "cluster": readable(id.as_str()),
        "limits": { "controller": report.table.0, "date": report.table.1 },
        "nodes": report.nodes.iter().map(nodes).collect::<Vec<_>>(),
        "subnets": report.subnets.iter().map(subnet).collect::<Vec<_>>(),
        "quotas": report.quotas.iter().map(quota).collect::<Vec<_>>(),
        "room": amount(&report.branches.more),
        "first": resources(&report.branches.first),
        "asked": asked,
        "unknown": report.unknown.iter().map(|it| readable(it)).collect::<Vec<_>>(),
    })
}

/// Both ends of what it can be; no upper end when nobody knows one.
fn amount(amount: &Amount) -> Json {
    json!({ "least": amount.least(), "most": amount.most() })
}
