//! What may differ, and why.

use std::{collections::BTreeMap, fs, path::Path};

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// The table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Differences {
    /// What is called otherwise here: theirs, ours.
    summaries: BTreeMap<String, String>,
    /// What differs wherever it occurs.
    everywhere: Vec<General>,
    /// What differs in one stack.
    stacks: BTreeMap<String, Vec<Difference>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct General {
    /// A pattern of a whole place: `/0/changes/1/after`.
    place: String,
    /// Why it is meant.
    reason: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// The place, or one that it is below.
    place: String,
    /// Why it is meant.
    reason: String,
}

/// What may differ in one stack.
pub struct Expected {
    summaries: BTreeMap<String, String>,
    everywhere: Vec<Regex>,
    listed: Vec<Difference>,
}

impl Differences {
    /// Reads the table.
    pub fn read(path: &Path) -> Self {
        let table: Self = serde_norway::from_slice(&fs::read(path).unwrap()).unwrap();
        let mut reasons =
            table.everywhere.iter().map(|d| &d.reason).chain(table.stacks.values().flatten().map(|d| &d.reason));
        assert!(reasons.all(|reason| !reason.is_empty()), "a difference is listed without a reason");
        table
    }

    /// What concerns one stack.
    pub fn of(&self, stack: &str) -> Expected {
        Expected {
            summaries: self.summaries.clone(),
            everywhere: self.everywhere.iter().map(|d| Regex::new(&format!("^{}$", d.place)).unwrap()).collect(),
            listed: self.stacks.get(stack).cloned().unwrap_or_default(),
        }
    }
}

impl Expected {
    /// # Errors
    /// What differs and is not listed, and what is listed and does not differ.
    pub fn judge(&self, theirs: &Value, ours: &Value) -> Result<(), String> {
        let mut found = Vec::new();
        compare(String::new(), &self.renamed(theirs), &ours.clone(), &mut found);
        found.retain(|(place, ..)| !self.everywhere.iter().any(|pattern| pattern.is_match(place)));
        let is_at = |listed: &Difference, place: &str| {
            place.strip_prefix(&listed.place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let stale = self.listed.iter().filter(|listed| !found.iter().any(|(place, ..)| is_at(listed, place)));
        let mut problems: Vec<String> = stale
            .map(|listed| format!("{} does not differ any more: take it out of the table", listed.place))
            .collect();
        let new = found.iter().filter(|(place, ..)| !self.listed.iter().any(|listed| is_at(listed, place)));
        problems.extend(new.map(|(place, theirs, ours)| format!("{place}\n  OpenTofu: {theirs}\n  sgp:      {ours}")));
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    }

    /// Summaries as they are called here, each once, sorted.
    fn renamed(&self, value: &Value) -> Value {
        match value {
            Value::Array(elements) if elements.iter().all(Value::is_string) => {
                let name = |text: &str| self.summaries.get(text).cloned().unwrap_or_else(|| text.to_owned());
                let mut names: Vec<String> = elements.iter().filter_map(Value::as_str).map(name).collect();
                if elements.iter().any(|e| e.as_str().is_some_and(|e| self.summaries.contains_key(e))) {
                    names.sort();
                    names.dedup();
                }
                names.into()
            }
            Value::Array(elements) => elements.iter().map(|element| self.renamed(element)).collect(),
            Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), self.renamed(value))).collect(),
            other => other.clone(),
        }
    }
}

/// The places where two values differ, as deep as they can be told.
fn compare(place: String, theirs: &Value, ours: &Value, found: &mut Vec<(String, Value, Value)>) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let nothing = Value::String("(nothing)".into());
                let (a, b) = (a.get(name).unwrap_or(&nothing), b.get(name).unwrap_or(&nothing));
                compare(format!("{place}/{name}"), a, b, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                compare(format!("{place}/{i}"), a, b, found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push((place, a.clone(), b.clone())),
    }
}
