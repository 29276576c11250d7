//! Making something once for every test process on the machine.

use crate::world::error::{Attempt, Result};
use std::fs::{self, File};
use std::path::Path;

/// Runs `make` unless `target` was made from the same `recipe` before. Other processes that need it wait for the one that makes it.
pub(super) fn once(target: &Path, recipe: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
    let lock_file = target.with_extension("lock");
    let lock = File::create(&lock_file).attempt(|| format!("open {}", lock_file.display()))?;
    lock.lock().attempt(|| format!("lock {}", lock_file.display()))?;
    let stamp = target.with_extension("stamp");
    if target.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == recipe) {
        return Ok(());
    }
    make()?;
    fs::write(&stamp, recipe).attempt(|| format!("write {}", stamp.display()))
}
