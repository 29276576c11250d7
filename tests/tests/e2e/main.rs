//! Everything together: scripts with their transcripts, and what a script cannot say. One world for all of them, one after the other.
//!
//! They run against the sandbox, and in CI against the emulators and a real Kubernetes API server, too. The transcript is the sandbox's;
//! where the emulators' differs, the difference lies beside it. `SGP_TEST_WORLD` chooses: `sandbox`, `emulators` or `both`.
#![expect(clippy::unwrap_used, reason = "a test stops where it stands")]
#![expect(clippy::print_stderr, reason = "a person must see what was not tested")]

mod modules;
mod pod;
mod stage;
mod state;
mod terminal;

use libtest_mimic::{Arguments, Failed, Trial};
use sgp_tests::world::{Backing, Error, Options, World};
use similar::TextDiff;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

/// The world that all tests share, once one needs it.
static WORLD: Mutex<Option<World>> = Mutex::new(None);
/// Tests that were not run, with the reason.
static SKIPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What the emulators' transcript has that the sandbox's has not lies in `NAME.emulators.snap`.
const EMULATED: &str = ".emulators";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They share a world, and the machine has one VPC resource controller.
    arguments.test_threads = Some(1);
    let mut trials = vec![Trial::test("every_transcript_has_its_script", every_transcript_has_its_script)];
    for backing in backings() {
        let scripts = scripts().into_iter().filter(|script| backing == Backing::Sandbox || !is_for_sandbox(script));
        trials.extend(
            scripts.map(|script| Trial::test(named(backing, &name_of(&script)), move || play(backing, &script))),
        );
        trials.push(with_world(backing, "terminal::colour_and_live_lines_are_for_terminals", terminal::test));
        trials.push(with_world(backing, "modules::their_tests_pass", modules::test));
        trials.push(with_world(backing, "state::pull_is_terraforms_version_4", state::test));
        // A running controller keeps the VPC that it was started with: nothing comes after it.
        trials.push(with_world(backing, "pod::carries_the_groups_of_its_policy", pod::test));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    lock(&WORLD).take();
    for skipped in &*lock(&SKIPPED) {
        eprintln!("skipped: {skipped}");
    }
    if conclusion.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
}

/// What the tests run against.
fn backings() -> Vec<Backing> {
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    match std::env::var("SGP_TEST_WORLD").as_deref() {
        Ok("sandbox") => vec![Backing::Sandbox],
        Ok("emulators") => vec![Backing::Emulators],
        Ok("both") => vec![Backing::Sandbox, Backing::Emulators],
        Ok(other) => panic!("SGP_TEST_WORLD is sandbox, emulators or both, not {other}"),
        Err(_) if is_ci => vec![Backing::Sandbox, Backing::Emulators],
        Err(_) => vec![Backing::Sandbox],
    }
}

fn named(backing: Backing, test: &str) -> String {
    match backing {
        Backing::Sandbox => format!("sandbox::{test}"),
        Backing::Emulators => format!("emulators::{test}"),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

fn files(extension: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    files
}

fn scripts() -> Vec<PathBuf> {
    files("script")
}

/// What a script says in its first line when it plays in the sandbox alone.
const ONLY_SANDBOX: &str = "# Only in the sandbox";

fn is_for_sandbox(script: &Path) -> bool {
    std::fs::read_to_string(script).is_ok_and(|text| text.starts_with(ONLY_SANDBOX))
}

fn name_of(file: &Path) -> String {
    file.file_stem().unwrap().to_string_lossy().into_owned()
}

/// A script without a transcript fails when it is played; this is the other way round.
fn every_transcript_has_its_script() -> Result<(), Failed> {
    let scripts: BTreeSet<String> = scripts().iter().map(|file| name_of(file)).collect();
    let is_orphan = |name: &String| !scripts.contains(name.strip_suffix(EMULATED).unwrap_or(name));
    let orphans: Vec<String> = files("snap").iter().map(|file| name_of(file)).filter(is_orphan).collect();
    if orphans.is_empty() { Ok(()) } else { Err(format!("transcripts without a script: {orphans:?}").into()) }
}

/// Plays a script in an empty world and compares the transcript with the one that lies beside it.
fn play(backing: Backing, file: &Path) -> Result<(), Failed> {
    let script = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let name = name_of(file);
    in_world(backing, &name, |world| {
        let transcript = sgp_tests::script::run(&script, &mut stage::Live::new(world));
        match backing {
            Backing::Sandbox => assert_lies_beside(&name, &transcript),
            Backing::Emulators => assert_emulated(&name, &transcript),
        }
    })
}

fn assert_lies_beside(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Compares with the sandbox's transcript. What differs must be the difference that lies beside it.
fn assert_emulated(name: &str, transcript: &str) {
    let file = folder().join(format!("{name}.snap"));
    let snapshot = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let (_, expected) = snapshot.split_once("\n---\n").unwrap_or_default();
    let differing = format!("{name}{EMULATED}");
    if expected.trim_end() == transcript.trim_end() {
        let stale = folder().join(format!("{differing}.snap"));
        assert!(!stale.exists(), "{} is not needed any more: nothing differs", stale.display());
        return;
    }
    let diff = TextDiff::from_lines(expected.trim_end(), transcript.trim_end());
    assert_lies_beside(&differing, &diff.unified_diff().context_radius(1).missing_newline_hint(false).to_string());
}

fn with_world(backing: Backing, name: &'static str, test: impl FnOnce(&mut World) + Send + 'static) -> Trial {
    Trial::test(named(backing, name), move || in_world(backing, name, test))
}

/// Gives the test the world, emptied; notes it as skipped when there can be none.
fn in_world(backing: Backing, name: &str, test: impl FnOnce(&mut World)) -> Result<(), Failed> {
    let mut held = lock(&WORLD);
    if held.as_ref().is_some_and(|world| world.backing() != backing) {
        held.take();
    }
    let emptied = match held.as_mut() {
        Some(world) => world.reset(),
        // EKS settles at the second look: what takes its time is proven elsewhere.
        None => {
            let options = Options { backing, pending_describes: 1, ..Options::default() };
            World::start(&options).map(|world| *held = Some(world))
        }
    };
    match emptied {
        Ok(()) => test(held.as_mut().unwrap()),
        Err(error) if error.is_skippable() => lock(&SKIPPED).push(format!("{} ({error})", named(backing, name))),
        Err(error) => return Err(told(&error).into()),
    }
    Ok(())
}

fn told(error: &Error) -> String {
    format!("{error}: {error:?}")
}

/// A test that failed held the lock; the next one empties the world.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
