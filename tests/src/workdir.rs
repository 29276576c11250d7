//! A folder with a configuration, and `sgp` run in it against a world.

use std::{
    fs,
    path::Path,
    process::{Child, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    binary,
    world::{Error, Options, World},
};

/// Starts a world. None when something is not installed, which is said by name; with `CI=true` that is a failure.
///
/// # Panics
/// When the world does not start for another reason.
pub fn start(options: &Options) -> Option<World> {
    match World::start(options) {
        Ok(world) => Some(world),
        Err(error) if error.is_skippable() => {
            skipped(&error);
            None
        }
        Err(error) => panic!("{error}: {error:?}"),
    }
}

#[expect(clippy::print_stderr, reason = "a person must see what was not tested")]
fn skipped(error: &Error) {
    eprintln!("skipped: {error}");
}

/// A working folder. Its state is in it.
pub struct Workdir {
    folder: TempDir,
}

/// What a command ended with.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Workdir {
    /// A folder with these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let workdir = Self { folder: tempfile::tempdir().unwrap() };
        files.iter().for_each(|(name, text)| workdir.write(name, text));
        workdir
    }

    /// A copy of an example's configuration.
    pub fn example(name: &str) -> Self {
        let workdir = Self::new(&[]);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "tf") {
                fs::copy(&path, workdir.folder.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        workdir
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Forgets the state.
    pub fn forget_state(&self) {
        let _ = fs::remove_dir_all(self.folder.path().join(".sgp"));
    }

    /// Runs `sgp` to its end.
    pub fn sgp(&self, world: &World, args: &[&str]) -> Ran {
        Ran::of(self.spawn(world, args, &[]).wait_with_output().unwrap())
    }

    /// Runs `sgp`; anything but exit code 0 is a failure of the test.
    pub fn must(&self, world: &World, args: &[&str]) -> Ran {
        let ran = self.sgp(world, args);
        assert_eq!(ran.code, Some(0), "sgp {}: {ran}", args.join(" "));
        ran
    }

    /// `sgp plan` must find no change.
    pub fn must_be_settled(&self, world: &World, when: &str) {
        let ran = self.sgp(world, &["plan", "-detailed-exitcode"]);
        assert_eq!(ran.code, Some(0), "{when}: the plan is not empty: {ran}");
    }

    /// Starts `sgp` with more environment.
    pub fn spawn(&self, world: &World, args: &[&str], env: &[(&str, &str)]) -> Child {
        let mut command = world.command(binary::sgp().unwrap());
        command.args(args).envs(env.iter().copied()).env("NO_COLOR", "1").current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// An object of the state, as `sgp state show -json` has it: its attributes.
    pub fn attributes(&self, world: &World, address: &str) -> Value {
        let ran = self.must(world, &["state", "show", "-json", address]);
        let mut shown: Value = serde_json::from_str(&ran.stdout).unwrap();
        shown["values"].take()
    }
}

impl Ran {
    /// What a process answered.
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// What a plan or an apply with `-json` planned: address and action, in its order.
    pub fn planned(&self) -> Vec<(String, String)> {
        let lines = self.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let changes = lines.filter(|line| line["type"] == "planned_change");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        changes.map(|line| (text(&line["change"]["resource"]["addr"]), text(&line["change"]["action"]))).collect()
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}
