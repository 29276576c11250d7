//! The Python environment with the AWS emulators.

use super::{once, run, tests_folder};
use crate::world::error::{Error, Result};
use std::path::PathBuf;
use std::process::Command;

/// The versions that `emulators.md` was measured with.
const PACKAGES: [&str; 4] = ["moto[server]==5.2.5", "ministack==1.5.33", "cryptography", "microburst==0.10.0"];

/// The interpreter of an environment that has the emulators; made on first use.
///
/// # Errors
/// Python is missing, or the packages cannot be installed.
pub fn python() -> Result<PathBuf> {
    let folder = tests_folder()?.join("venv");
    let interpreter = folder.join("bin").join("python");
    once::once(&folder, &PACKAGES.join("\n"), || {
        let system = system_python().ok_or(Error::Missing("python3"))?;
        run(Command::new(system).args(["-m", "venv", "--clear"]).arg(&folder), "python3")?;
        let mut install = Command::new(&interpreter);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
        run(&mut install, "python3").map(drop)
    })?;
    Ok(interpreter)
}

fn system_python() -> Option<&'static str> {
    ["python3", "python"].into_iter().find(|name| {
        Command::new(name)
            .args(["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"])
            .output()
            .is_ok_and(|output| output.status.success())
    })
}
