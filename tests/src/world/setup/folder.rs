//! Where things lie.

use crate::world::error::{Attempt, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The folder of this crate's sources.
pub(crate) fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `sgp-tests` under cargo's target folder, made if need be.
pub(crate) fn tests_folder() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate_folder().join("../target"), PathBuf::from);
    make(&target.join("sgp-tests"))
}

/// A new folder for the output of one world's programs.
pub(crate) fn new_logs_folder() -> Result<PathBuf> {
    static WORLDS: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::Relaxed));
    make(&tests_folder()?.join("logs").join(name))
}

fn make(folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).attempt(|| format!("make {}", folder.display()))?;
    folder.canonicalize().attempt(|| format!("find {}", folder.display()))
}
