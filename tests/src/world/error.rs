//! What can go wrong between asking for a world and having one.

use std::path::{Path, PathBuf};

/// Why a part of the world did not start or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that the world needs is not installed; suites that need it are skipped by name, unless `CI=true`.
    #[error("{0} is not installed")]
    Missing(&'static str),
    /// The operating system refused.
    #[error("{what}")]
    Io {
        /// What was being attempted.
        what: String,
        /// The refusal.
        #[source]
        source: std::io::Error,
    },
    /// A program ran and failed, or a service refused.
    #[error("{what}: {detail}")]
    Failed {
        /// What was being attempted.
        what: String,
        /// Its own words.
        detail: String,
    },
    /// A program was started and is not ready in time.
    #[error("{what} is not ready after {seconds} s; its output is in {}", log.display())]
    NotReady {
        /// The program, or what was waited for.
        what: String,
        /// How long it was given.
        seconds: u64,
        /// Where it writes.
        log: PathBuf,
    },
}

/// A result of the world.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Says whether a suite may be skipped for this error: something is not installed, and this is not CI.
    pub fn is_skippable(&self) -> bool {
        matches!(self, Self::Missing(_)) && std::env::var("CI").as_deref() != Ok("true")
    }

    #[expect(clippy::needless_pass_by_value, reason = "what is told here is not needed any more")]
    pub(crate) fn failed(what: impl Into<String>, detail: impl ToString) -> Self {
        Self::Failed { what: what.into(), detail: detail.to_string() }
    }

    pub(crate) fn not_ready(what: &str, seconds: u64, log: &Path) -> Self {
        Self::NotReady { what: what.to_owned(), seconds, log: log.to_owned() }
    }
}

/// Adds what was being attempted to an error of the operating system.
pub(crate) trait Attempt<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Attempt<T> for std::io::Result<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { what: what(), source })
    }
}
