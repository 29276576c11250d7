//! The folder of a sandbox, and the note in it that says who runs it.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::ArgMatches;
use serde_json::{Value, json};
use sgp_model::Diagnostic;

use super::client;
use crate::session::data_dir;

/// The variable that names a folder.
pub const VARIABLE: &str = "SGP_SANDBOX_DIR";

/// A sandbox's folder.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
}

/// Who runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// Its AWS endpoint.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
}

impl Place {
    /// A folder; relative ones are those of the working directory.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: std::path::absolute(&folder).unwrap_or(folder) }
    }

    /// The folder that a command means.
    ///
    /// # Errors
    /// When there is no home folder to keep one in.
    pub fn meant(matches: &ArgMatches) -> Result<Self, Diagnostic> {
        let given = chosen(matches).or_else(|| Some(Self::beside_the_state()).filter(|it| it.is_dir()));
        match given.or_else(user_data) {
            Some(folder) => Ok(Self::new(folder)),
            None => {
                Err(Diagnostic::error("No folder for the sandbox", "There is no home folder; name one with -dir=DIR."))
            }
        }
    }

    /// The folder of `sgp apply -sandbox`.
    pub fn beside_the_state() -> PathBuf {
        data_dir().join("sandbox")
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the simulated world is kept.
    pub fn world(&self) -> PathBuf {
        self.folder.join("world")
    }

    /// Where a sandbox in the background writes what it has to say.
    pub fn log(&self) -> PathBuf {
        self.folder.join("sandbox.log")
    }

    /// The kubeconfig of all clusters, kept up to date while the sandbox runs.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// The port of the last time.
    pub fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.folder.join("port")).ok()?.trim().parse().ok()
    }

    /// Notes who runs it.
    pub fn write(&self, runner: &Runner) -> io::Result<()> {
        fs::write(self.folder.join("port"), format!("{}\n", runner.address.port()))?;
        let note = json!({ "address": runner.address.to_string(), "pid": runner.pid });
        let new = self.folder.join(format!("sandbox.json.{}", runner.pid));
        fs::write(&new, format!("{note:#}\n"))?;
        fs::rename(new, self.note())
    }

    /// Takes the note away.
    pub fn clear(&self) {
        let _ = fs::remove_file(self.note());
    }

    fn note(&self) -> PathBuf {
        self.folder.join("sandbox.json")
    }

    /// What the note says, whether it is still true or not.
    pub fn noted(&self) -> Option<Runner> {
        let note: Value = serde_json::from_str(&fs::read_to_string(self.note()).ok()?).ok()?;
        Some(Runner {
            address: note["address"].as_str()?.parse().ok()?,
            pid: u32::try_from(note["pid"].as_u64()?).ok()?,
        })
    }

    /// Who runs it: the note names it, and it answers as that process.
    pub async fn runner(&self) -> Option<Runner> {
        let runner = self.noted()?;
        let status = client::get(runner.address, "status").await.ok()?;
        (status["pid"].as_u64() == Some(u64::from(runner.pid))).then_some(runner)
    }

    /// The same, for commands that need one.
    ///
    /// # Errors
    /// When none runs; says how to start one.
    pub async fn needed(&self) -> Result<Runner, Diagnostic> {
        let why = format!("No sandbox runs on {}. Start one with: sgp sandbox start", self.folder.display());
        self.runner().await.ok_or_else(|| Diagnostic::error("No sandbox runs", why))
    }
}

/// The folder that the person chose: `-dir`, or `SGP_SANDBOX_DIR`.
pub fn chosen(matches: &ArgMatches) -> Option<PathBuf> {
    let of_variable = || std::env::var_os(VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    matches.try_get_one::<PathBuf>("dir").ok().flatten().cloned().or_else(of_variable)
}

/// The user's folder for data of programs, as the platform has it.
fn user_data() -> Option<PathBuf> {
    let absolute = |dir: &PathBuf| dir.is_absolute();
    let named = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(absolute);
    let below = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
    let data = named.or_else(|| std::env::home_dir().filter(absolute).map(|home| home.join(below)))?;
    Some(data.join("sgp").join("sandbox"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_note_says_who_runs() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().to_owned());
        assert_eq!((place.noted(), place.last_port()), (None, None));
        let runner = Runner { address: "127.0.0.1:4321".parse().unwrap(), pid: 7 };
        place.write(&runner).unwrap();
        assert_eq!((place.noted(), place.last_port()), (Some(runner), Some(4321)));
        place.clear();
        assert_eq!((place.noted(), place.last_port()), (None, Some(4321)));
    }
}
