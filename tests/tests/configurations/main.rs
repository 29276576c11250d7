//! Configurations through `sgp` and through OpenTofu: what each makes of them must be the same.
//!
//! A configuration is a text in `stacks`: its files, and for more than one plan the steps. What OpenTofu 1.12.6 did with each lies in
//! `recorded.json`; `SGP_TEST_OPENTOFU=FILE cargo test --workspace --test configurations` records it anew with that program. What differs and
//! is meant to is in `differences.yaml` with the reason; a difference that is listed and does not occur any more fails, too.
//!
//! The configurations hold `terraform_data` alone, which both have built in, so that nothing has to be fetched.
#![expect(clippy::unwrap_used, reason = "a test stops where it stands")]

mod differences;
mod life;
mod stack;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use self::{differences::Differences, stack::Stack};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configurations")
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let stacks = Stack::all(&here().join("stacks"));
    if let Some(program) = std::env::var_os("SGP_TEST_OPENTOFU") {
        record(&stacks, Path::new(&program));
    }
    let recorded: BTreeMap<String, Value> =
        serde_json::from_slice(&fs::read(here().join("recorded.json")).unwrap()).unwrap();
    let differences = Differences::read(&here().join("differences.yaml"));
    let mut trials = vec![Trial::test("every_stack_is_recorded_and_every_record_has_one", {
        let (names, records) = (names(&stacks), recorded.keys().cloned().collect::<Vec<_>>());
        move || {
            if names == records { Ok(()) } else { Err(Failed::from("record what OpenTofu makes of the stacks anew")) }
        }
    })];
    for stack in stacks {
        let theirs = recorded.get(&stack.name).cloned().unwrap_or_default();
        let expected = differences.of(&stack.name);
        trials.push(Trial::test(format!("stacks_are_as_in_opentofu::{}", stack.name), move || {
            let ours = life::of(&stack, &sgp_tests::binary::sgp().unwrap());
            expected.judge(&theirs, &ours).map_err(Failed::from)
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn names(stacks: &[Stack]) -> Vec<String> {
    stacks.iter().map(|stack| stack.name.clone()).collect()
}

/// Writes down what a program makes of the stacks.
fn record(stacks: &[Stack], program: &Path) {
    let recorded: BTreeMap<&str, Value> =
        stacks.iter().map(|stack| (stack.name.as_str(), life::of(stack, program))).collect();
    let text = serde_json::to_string_pretty(&recorded).unwrap();
    fs::write(here().join("recorded.json"), text + "\n").unwrap();
}
