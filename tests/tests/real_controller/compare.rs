//! What differs between the sides, and what of it is meant to.

use super::seen::Seen;
use super::table::Row;
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A difference on purpose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// A pattern of where: row, then members, by ` / `.
    at: String,
    /// A pattern of what the real side shows; `-` when it shows nothing.
    real: String,
    /// A pattern of what the sandbox shows; `-` when it shows nothing.
    sandbox: String,
    /// Why, with the source.
    because: String,
}

/// What differs and should not, what is not as the table says, and what the list of differences has for nothing; empty when all is well.
pub fn report(rows: &[Row], real: &Seen, simulated: &Seen) -> String {
    let known: Vec<Difference> = serde_norway::from_str(include_str!("differences.yaml")).unwrap();
    let known: Vec<(Regex, Regex, Regex, Difference)> =
        known.into_iter().map(|it| (whole(&it.at), whole(&it.real), whole(&it.sandbox), it)).collect();
    let mut used = vec![false; known.len()];
    let mut report = String::new();
    for (side, seen) in [("real", real), ("sandbox", simulated)] {
        for (row, seen) in seen.iter().filter(|(_, seen)| !seen["problem"].is_null()) {
            let _ = writeln!(report, "{row}\n    {side}: {}", seen["problem"]);
        }
    }
    let (real, simulated) = (flat(real), flat(simulated));
    let mut places: Vec<&String> =
        real.keys().chain(simulated.keys()).filter(|it| !it.ends_with(" / problem")).collect();
    places.sort();
    places.dedup();
    for at in places {
        let of = |side: &BTreeMap<String, String>| side.get(at).cloned().unwrap_or_else(|| "-".to_owned());
        let (real, simulated) = (of(&real), of(&simulated));
        if real == simulated {
            continue;
        }
        let fits = |it: &(Regex, Regex, Regex, Difference)| {
            it.0.is_match(at) && it.1.is_match(&real) && it.2.is_match(&simulated)
        };
        match known.iter().position(fits) {
            Some(at) => used[at] = true,
            None => {
                let _ = writeln!(report, "{at}\n    real:    {real}\n    sandbox: {simulated}");
            }
        }
    }
    for ((.., difference), _) in known.iter().zip(&used).filter(|(_, used)| !**used) {
        assert!(!difference.because.is_empty(), "{difference:?}");
        let _ = writeln!(report, "no such difference any more: {}", difference.at);
    }
    if rows.is_empty() {
        report.push_str("no rows");
    }
    report
}

/// A schema without what is for people.
pub fn rules(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, it)| *name != "description" || !it.is_string());
            kept.map(|(name, it)| (name.clone(), rules(it))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Array(list) => list.iter().map(rules).collect(),
        other => other.clone(),
    }
}

/// A pattern of a whole text.
fn whole(pattern: &str) -> Regex {
    Regex::new(&format!("(?s)^(?:{pattern})$")).unwrap()
}

/// The texts in what is seen by where they are.
fn flat(seen: &Seen) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (row, seen) in seen {
        flatten(row, seen, &mut all);
    }
    all
}

fn flatten(at: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, it)| flatten(&format!("{at} / {name}"), it, all));
        }
        Value::Array(list) if !list.is_empty() => {
            list.iter().enumerate().for_each(|(number, it)| flatten(&format!("{at} / {number}"), it, all));
        }
        Value::String(text) => drop(all.insert(at.to_owned(), text.clone())),
        other => drop(all.insert(at.to_owned(), other.to_string())),
    }
}
