//! The program under test.

use crate::world::Error;
use cargo_metadata::Message;
use std::{
    io::BufReader,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

/// The file of `sgp`, built from these sources on first use in a process, as `cargo` that runs the tests builds it.
///
/// `SGP_TEST_BINARY` names another file to test in its place, and nothing is built.
///
/// # Errors
/// When it does not compile.
pub fn sgp() -> Result<PathBuf, Error> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| match std::env::var_os("SGP_TEST_BINARY") {
        Some(file) => Ok(file.into()),
        None => build().map_err(|error| error.to_string()),
    });
    built.clone().map_err(|detail| Error::Failed { what: "build sgp".to_owned(), detail })
}

/// All members are named so that dependencies have the features that they have in `cargo test`: they are compiled once.
fn build() -> std::io::Result<PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--workspace", "--bin", "sgp", "--message-format=json-render-diagnostics"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let mut child =
        command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().expect("standard output is piped");
    let mut found = None;
    for message in Message::parse_stream(BufReader::new(output)) {
        if let Message::CompilerArtifact(artifact) = message? {
            found = artifact.executable.filter(|_| artifact.target.name == "sgp").or(found);
        }
    }
    let status = child.wait()?;
    let failed = || std::io::Error::other(format!("cargo build ended with {status}"));
    found.filter(|_| status.success()).map(Into::into).ok_or_else(failed)
}
