//! The sandbox beside endpoints that we did not write: the same calls go to it and to moto and ministack, and every answer is compared.
//!
//! The calls are the scripts of `tests/comparison`. What differs is in `differences.yaml` with the line of AWS's reference that
//! decides; a difference that is not there fails the test, and so does a line that is none any more.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops where it stands, and says what was not tested"
)]

mod differ;
mod kubernetes;
mod play;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use play::Answers;
use table::Table;

/// The emulators answer at least so many calls: a script that stops early proves nothing.
const COMPARED_MIN: usize = 600;

const EMULATORS: [&str; 2] = ["moto", "ministack"];

#[test]
fn every_difference_is_in_the_table() {
    let answers = match play::all() {
        Ok(answers) => answers,
        Err(error) if error.is_skippable() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}: {error:?}"),
    };
    covers_what_the_provider_calls(&answers);
    let mut found = BTreeMap::new();
    for emulator in EMULATORS {
        let theirs = &answers.emulators[emulator];
        let compared = theirs.iter().filter(|step| !step.is_not_reached()).count();
        assert!(compared >= COMPARED_MIN, "{emulator}: {compared} calls");
        let differences = differ::differences(theirs, &answers.sandbox);
        println!("{emulator}: {compared} answers, {} differences", differences.values().map(Vec::len).sum::<usize>());
        found.insert(emulator, differences);
    }
    if let Some(file) = std::env::var_os("SGP_COMPARISON_FOUND") {
        std::fs::write(file, serde_json::to_string_pretty(&found).unwrap()).unwrap();
    }
    let wrong = Table::read().check(&found);
    assert!(wrong.is_empty(), "{} lines do not agree:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every operation that the provider calls is played, done once and refused once, and so that an emulator has a word on it.
fn covers_what_the_provider_calls(answers: &Answers) {
    let mut missing = Vec::new();
    for operation in play::operations_of_the_provider() {
        let played: Vec<_> = answers.sandbox.iter().filter(|step| step.operation == operation).collect();
        if !played.iter().any(|step| step.is_done()) {
            missing.push(format!("{operation} is never done"));
        }
        if !played.iter().any(|step| !step.is_done()) && !NEVER_REFUSED.contains(&operation.as_str()) {
            missing.push(format!("{operation} is never refused"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    let unreached: BTreeSet<_> =
        answers.sandbox.iter().filter(|step| step.is_not_reached()).map(|step| &step.case).collect();
    assert!(unreached.is_empty(), "the sandbox lacks what these calls need: {unreached:?}");
}

/// Reads that take no argument that could be wrong.
const NEVER_REFUSED: [&str; 2] = ["sts:GetCallerIdentity", "iam:ListOpenIDConnectProviders"];
