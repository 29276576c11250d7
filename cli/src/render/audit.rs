//! An audit, as people and programs read it.

pub mod between;

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use sgp_analysis::audit::{Audit, Row, RuleNote};
use sgp_model::symbol::readable;

use super::paint::Paint;
use crate::commands::topology::Looked;

/// The whole audit. Each part says what it found, or that it found nothing.
pub fn render(audit: &Audit, looked: &Looked, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.bold(&format!("Audit of {}", proof(looked))));
    part(&mut out, "Who could reach what", audit.passages.iter().flat_map(passage), paint);
    for (title, lines) in remarks(audit) {
        part(&mut out, title, lines.into_iter(), paint);
    }
    out
}

/// What of rules, policies and groups deserves a look: titles with their lines.
pub fn remarks(audit: &Audit) -> Vec<(&'static str, Vec<String>)> {
    let rule = |it: &RuleNote| format!("{} {}: {}", readable(&it.group), it.why, readable(&it.rule));
    let policies = audit.idle_policies.iter();
    let pods = audit.open_pods.iter();
    vec![
        ("Rules that deserve a look", audit.rules.iter().map(rule).collect()),
        (
            "Policies that give no pod its groups",
            policies.map(|(cluster, namespace, name, why)| format!("{cluster}: {namespace}/{name}: {why}")).collect(),
        ),
        (
            "Running pods that a policy is for and that have no interface of their own",
            pods.map(|(cluster, key, policies)| {
                format!("{cluster}: {}/{} (policies {})", key.namespace, key.name, policies.join(", "))
            })
            .collect(),
        ),
        (
            "Groups that nothing carries",
            audit.idle_groups.iter().map(|(id, name)| format!("{} ({id})", readable(name))).collect(),
        ),
    ]
}

fn part(out: &mut String, title: &str, lines: impl Iterator<Item = String>, paint: Paint) {
    let _ = writeln!(out, "\n{}", paint.bold(title));
    let mut any = false;
    for line in lines {
        any = true;
        let _ = writeln!(out, "  {line}");
    }
    if !any {
        out.push_str("  none\n");
    }
}

/// A line for what passes, and one for each rule that lets it.
fn passage(row: &Row) -> Vec<String> {
    let through = row.through.as_deref().map(|it| format!(" by {}", readable(it))).unwrap_or_default();
    let mut lines = vec![format!("{} -> {} {}{through}", readable(&row.from), readable(&row.to), traffic(row))];
    lines.extend(row.by.iter().map(|by| format!("  by {}", readable(by))));
    lines
}

fn traffic(row: &Row) -> String {
    let (certain, doubtful) = (&row.passage.certain, row.passage.doubtful());
    match (certain.is_empty(), doubtful.is_empty()) {
        (false, true) => certain.to_string(),
        (true, _) => format!("{doubtful} (may)"),
        (false, false) => format!("{certain}; {doubtful} (may)"),
    }
}

/// What was looked at: for the record.
fn proof(looked: &Looked) -> String {
    match &looked.of {
        Some(of) => format!("{}: serial {}, lineage {}, sha256 {}", looked.what, of.serial, of.lineage, of.digest),
        None => looked.what.to_owned(),
    }
}

/// The same for programs.
pub fn json(audit: &Audit, looked: &Looked) -> Json {
    let passages = audit.passages.iter().map(|row| {
        json!({
            "from": readable(&row.from), "to": readable(&row.to), "passes": row.passage.certain.to_string(),
            "may_pass": row.passage.doubtful().to_string(), "through": row.through.as_deref().map(readable), "by": row.by.iter().map(|it| readable(it)).collect::<Vec<_>>(),
        })
    });
    let rules = audit
        .rules
        .iter()
        .map(|it| json!({ "group": it.group, "rule": readable(&it.rule), "why": it.why.to_string() }));
    let policies = audit.idle_policies.iter().map(|(cluster, namespace, name, why)| {
        json!({ "cluster": cluster.as_str(), "namespace": namespace, "name": name, "why": why })
    });
    let pods = audit.open_pods.iter().map(|(cluster, key, policies)| {
        json!({ "cluster": cluster.as_str(), "namespace": key.namespace, "name": key.name, "policies": policies })
    });
    let groups = audit.idle_groups.iter().map(|(id, name)| json!({ "id": id.as_str(), "name": name }));
    json!({
        "looked_at": looked.what,
        "serial": looked.of.as_ref().map(|it| it.serial),
        "lineage": looked.of.as_ref().map(|it| it.lineage.as_str()),
        "sha256": looked.of.as_ref().map(|it| it.digest.as_str()),
        "passages": passages.collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
        "idle_policies": policies.collect::<Vec<_>>(),
        "open_pods": pods.collect::<Vec<_>>(),
        "idle_groups": groups.collect::<Vec<_>>(),
    })
}

/// Who could reach what as CSV (RFC 4180): a row for each rule, each with what was looked at.
pub fn csv(audit: &Audit, looked: &Looked) -> String {
    let (serial, digest) = looked.of.as_ref().map(|it| (it.serial.to_string(), it.digest.clone())).unwrap_or_default();
    let mut out = "from,to,passes,may_pass,through,by,serial,sha256\r\n".to_owned();
    for row in &audit.passages {
        let (passes, may) = (row.passage.certain.to_string(), row.passage.doubtful().to_string());
        let none = vec![String::new()];
        for by in if row.by.is_empty() { &none } else { &row.by } {
            let cells = [
                readable(&row.from).as_ref(),
                readable(&row.to).as_ref(),
                &passes,
                &may,
                readable(row.through.as_deref().unwrap_or_default()).as_ref(),
                readable(by).as_ref(),
                &serial,
                &digest,
            ]
            .map(csv_field);
            let _ = write!(out, "{}\r\n", cells.join(","));
        }
    }
    out
}

/// A cell of CSV.
fn csv_field(text: &str) -> String {
    // A cell that begins like a formula is text all the same.
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
