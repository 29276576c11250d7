//! What is made once and used by every test process: the Python environment and the Go programs, under cargo's target folder.

mod folder;
mod go;
mod once;
mod python;

pub(crate) use folder::{crate_folder, new_logs_folder, tests_folder};
pub use go::test_cluster_program;
pub(crate) use go::{controller_crds, controller_program};
pub use python::python;

use super::error::{Attempt, Error, Result};
use std::process::Command;

/// Runs a command to its end and answers its output; its error output is the error's detail.
fn run(command: &mut Command, missing: &'static str) -> Result<String> {
    let output = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Error::Missing(missing)),
        output => output.attempt(|| format!("run {command:?}"))?,
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::failed(format!("{command:?}"), String::from_utf8_lossy(&output.stderr)))
}
