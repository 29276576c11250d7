//! Where the answers of the two sides differ, as lines.
//!
//! - `[request] THEIRS -> OURS`: another outcome.
//! - `[request] path: THEIRS -> OURS`: another value where the outcome is the same; without the request where several of the subject
//!   differ in the same way. `absent` is no value.

use std::collections::BTreeMap;

use serde_json::Value;

use super::play::Step;

/// The differing lines of each subject, the real API server's side first.
pub type Differences = BTreeMap<String, Vec<String>>;

/// So much of a value is shown.
const SHOWN_MAX: usize = 300;

/// Compares the answers to the same requests.
pub fn differences(theirs: &[Step], ours: &[Step]) -> Differences {
    assert_eq!(theirs.len(), ours.len());
    let mut subjects: BTreeMap<String, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for (their, our) in theirs.iter().zip(ours) {
        assert_eq!((&their.subject, &their.name), (&our.subject, &our.name));
        let lines = subjects.entry(their.subject.clone()).or_default();
        for line in of(their, our) {
            lines.entry(line).or_default().push(&their.name);
        }
    }
    let with_name = |(line, names): (String, Vec<&str>)| match names[..] {
        [name] => format!("[{name}] {line}"),
        _ => line,
    };
    let named = subjects.into_iter().map(|(subject, lines)| (subject, lines.into_iter().map(with_name).collect()));
    named.filter(|(_, lines): &(String, Vec<String>)| !lines.is_empty()).collect()
}

fn of(their: &Step, our: &Step) -> Vec<String> {
    let (theirs, ours) = (&their.seen, &our.seen);
    if theirs.outcome != ours.outcome {
        let said = |step: &Step| {
            let message = step.seen.shown["body"]["message"].as_str().map(|it| format!(": {it}"));
            cut(format!("{}{}", step.seen.outcome, message.unwrap_or_default()))
        };
        return vec![format!("{} -> {}", said(their), said(our))];
    }
    let mut lines = Vec::new();
    values("", &theirs.shown, &ours.shown, &mut lines);
    if theirs.is_shared_only {
        lines.retain(|line| !line.contains(": absent -> {") && !line.ends_with(" -> absent"));
    }
    lines
}

fn values(path: &str, theirs: &Value, ours: &Value, lines: &mut Vec<String>) {
    match (theirs, ours) {
        _ if theirs == ours => {}
        (Value::Object(their), Value::Object(our)) => {
            let names: std::collections::BTreeSet<&String> = their.keys().chain(our.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                match (their.get(name), our.get(name)) {
                    (Some(their), Some(our)) => values(&path, their, our, lines),
                    (their, our) => lines.push(format!("{path}: {} -> {}", shown(their), shown(our))),
                }
            }
        }
        (Value::Array(their), Value::Array(our)) if their.len() == our.len() => {
            for (number, (their, our)) in their.iter().zip(our).enumerate() {
                values(&format!("{path}/{number}"), their, our, lines);
            }
        }
        _ => lines.push(format!("{path}: {} -> {}", shown(Some(theirs)), shown(Some(ours)))),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), |value| cut(value.to_string()))
}

fn cut(text: String) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[test]
fn lines_say_what_differs() {
    use super::normal::Seen;
    let step = |outcome: &str, shown: Value| Step {
        subject: "pods".to_owned(),
        name: "plain".to_owned(),
        seen: Seen { outcome: outcome.to_owned(), shown, is_shared_only: false },
    };
    let check = |theirs: Step, ours: Step, expected: &[&str]| {
        let found = differences(&[theirs], &[ours]);
        assert_eq!(found.get("pods").cloned().unwrap_or_default(), expected);
    };
    let body = |it: Value| serde_json::json!({ "body": it });
    check(step("200", body(1.into())), step("200", body(1.into())), &[]);
    check(step("200", body(1.into())), step("200", body(2.into())), &["[plain] body: 1 -> 2"]);
    let (list, longer) = (serde_json::json!({ "a": [1] }), serde_json::json!({ "a": [1, 2] }));
    check(step("200", body(list)), step("200", body(longer)), &["[plain] body/a: [1] -> [1,2]"]);
    let refused = serde_json::json!({ "message": "no" });
    check(step("200", Value::Null), step("409 Conflict", body(refused)), &["[plain] 200 -> 409 Conflict: no"]);
}
