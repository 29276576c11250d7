//! Every folder of `examples`, and every stack of `tests/stacks`, which are written as people write theirs, is planned, applied, judged
//! and destroyed, each in a sandbox of its own.
//!
//! What an example is held to lies beside it in `judged.yaml`, see [`judged`]. The plan has no error and only the warnings that are
//! named there with a reason; a plan after the apply is empty; who reaches whom is what is written there, by the plan, by the state, by
//! what exists, and, packet by packet, by the sandbox's probe, which shares no code with the analysis; and what was there before the
//! apply is what is there after the destroy.
#![expect(clippy::unwrap_used, reason = "a test stops where it stands")]

mod judged;
mod life;
mod walks;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each is a sandbox, and one after the other `sgp`: two of them keep a small machine busy.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let examples = trials("examples_are_applied_and_judged", "../examples");
    assert!(examples.iter().any(|it| it.name().ends_with("::backend-to-rds")), "the examples are not found");
    let stacks = trials("stacks_are_applied_and_judged", "stacks");
    libtest_mimic::run(&arguments, examples.into_iter().chain(stacks).collect()).exit_code()
}

/// A trial for each folder in a folder of this crate.
fn trials(test: &str, folder: &str) -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).canonicalize().unwrap();
    let mut all: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    all.retain(|it| it.is_dir());
    all.sort();
    let trial = |folder: PathBuf| {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        Trial::test(format!("{test}::{name}"), move || {
            life::of(&folder);
            Ok(())
        })
    };
    all.into_iter().map(trial).collect()
}
