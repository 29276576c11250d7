//! Everything together: scripts with their transcripts, and what a script cannot say. One world for all of them, one after the other.
#![expect(clippy::unwrap_used, reason = "a test stops where it stands")]
#![expect(clippy::print_stderr, reason = "a person must see what was not tested")]

mod pod;
mod stage;
mod state;
mod terminal;

use libtest_mimic::{Arguments, Failed, Trial};
use sgp_tests::world::{Error, Options, World};
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

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They share a world, and the machine has one VPC resource controller.
    arguments.test_threads = Some(1);
    let mut trials = vec![Trial::test("every_transcript_has_its_script", every_transcript_has_its_script)];
    trials.extend(scripts().into_iter().map(|script| Trial::test(name_of(&script), move || play(&script))));
    trials.push(with_world("terminal::colour_and_live_lines_are_for_terminals", terminal::test));
    trials.push(with_world("state::pull_is_terraforms_version_4", state::test));
    // A running controller keeps the VPC that it was started with: nothing comes after it.
    trials.push(with_world("pod::carries_the_groups_of_its_policy", pod::test));
    let conclusion = libtest_mimic::run(&arguments, trials);
    lock(&WORLD).take();
    for skipped in &*lock(&SKIPPED) {
        eprintln!("skipped: {skipped}");
    }
    if conclusion.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
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

fn name_of(file: &Path) -> String {
    file.file_stem().unwrap().to_string_lossy().into_owned()
}

/// A script without a transcript fails when it is played; this is the other way round.
fn every_transcript_has_its_script() -> Result<(), Failed> {
    let names = |extension| files(extension).iter().map(|file| name_of(file)).collect::<BTreeSet<_>>();
    let orphans: Vec<String> = names("snap").difference(&names("script")).cloned().collect();
    if orphans.is_empty() { Ok(()) } else { Err(format!("transcripts without a script: {orphans:?}").into()) }
}

/// Plays a script in an empty world and compares the transcript with the one that lies beside it.
fn play(file: &Path) -> Result<(), Failed> {
    let script = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let name = name_of(file);
    in_world(&name, |world| {
        let transcript = sgp_tests::script::run(&script, &mut stage::Live::new(world));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name.as_str(), transcript));
    })
}

fn with_world(name: &'static str, test: impl FnOnce(&mut World) + Send + 'static) -> Trial {
    Trial::test(name, move || in_world(name, test))
}

/// Gives the test the world, emptied; notes it as skipped when there can be none.
fn in_world(name: &str, test: impl FnOnce(&mut World)) -> Result<(), Failed> {
    let mut held = lock(&WORLD);
    let emptied = match held.as_mut() {
        Some(world) => world.reset(),
        // EKS settles at the second look: what takes its time is proven elsewhere.
        None => World::start(&Options { pending_describes: 1, ..Options::default() }).map(|world| *held = Some(world)),
    };
    match emptied {
        Ok(()) => test(held.as_mut().unwrap()),
        Err(error) if error.is_skippable() => lock(&SKIPPED).push(format!("{name} ({error})")),
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
