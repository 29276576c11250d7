//! The file system, and the modules in the binary, as the language sees them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use include_dir::{Dir, DirEntry as Bundled, include_dir};
use sgp_lang::source::{DirEntry, FileError, Files, MemoryFiles, WithBundled};

/// The list of fetched modules in [`modules_dir`].
pub const MANIFEST: &str = "modules.json";

/// Where fetched modules lie.
pub fn modules_dir() -> PathBuf {
    crate::session::data_dir().join("modules")
}

static MODULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../modules");

/// The files that a run sees.
pub type RunFiles = WithBundled<Disk>;

/// The disk with the bundled modules under `sgp//`.
pub fn files() -> RunFiles {
    WithBundled::new(Disk, bundled())
}

/// Every file of the modules in the binary, such as `irsa-role/main.tf`.
fn bundled() -> MemoryFiles {
    fn collect(dir: &Dir<'_>, out: &mut Vec<(String, Vec<u8>)>) {
        for entry in dir.entries() {
            match entry {
                Bundled::Dir(inner) => collect(inner, out),
                Bundled::File(file) => {
                    out.push((file.path().to_string_lossy().replace('\\', "/"), file.contents().to_vec()));
                }
            }
        }
    }
    let mut all = Vec::new();
    collect(&MODULES, &mut all);
    MemoryFiles::new(all)
}

/// The file system.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        fs::read(path).map_err(|e| error(&e))
    }

    fn list(&self, dir: &str) -> Result<Vec<DirEntry>, FileError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir).map_err(|e| error(&e))? {
            let entry = entry.map_err(|e| error(&e))?;
            // A name that is not Unicode cannot be written in a configuration either.
            let Ok(name) = entry.file_name().into_string() else { continue };
            entries.push(DirEntry { is_dir: entry.path().is_dir(), name });
        }
        entries.sort();
        Ok(entries)
    }

    fn is_file(&self, path: &str) -> bool {
        Path::new(path).is_file()
    }

    fn module_manifests(&self) -> Vec<String> {
        let theirs =
            std::env::var_os("TF_DATA_DIR").filter(|dir| !dir.is_empty()).unwrap_or_else(|| ".terraform".into());
        let theirs = PathBuf::from(theirs).join("modules");
        [modules_dir(), theirs].into_iter().map(|dir| dir.join(MANIFEST).to_string_lossy().into_owned()).collect()
    }

    fn home(&self) -> Option<String> {
        std::env::home_dir().and_then(|p| p.into_os_string().into_string().ok())
    }

    fn cwd(&self) -> String {
        std::env::current_dir().map_or_else(|_| "/".to_owned(), |p| p.to_string_lossy().into_owned())
    }
}

fn error(cause: &io::Error) -> FileError {
    let not_found = cause.kind() == io::ErrorKind::NotFound;
    let reason = if not_found { "no such file or directory".to_owned() } else { cause.kind().to_string() };
    FileError { not_found, reason }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn modules_are_in_the_binary() {
        let files = files();
        assert!(files.is_file("sgp//irsa-role/main.tf"));
        let names: Vec<_> = files.list("sgp//irsa-role").unwrap().into_iter().map(|e| e.name).collect();
        assert!(
            ["README.md", "main.tf", "outputs.tf", "variables.tf"].iter().all(|n| names.contains(&(*n).to_owned()))
        );
    }

    #[test]
    fn the_disk_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        assert!(Disk.read(&path("none")).unwrap_err().not_found);
        assert!(!Disk.read(folder.path().to_str().unwrap()).unwrap_err().not_found);
        fs::write(path("b.tf"), "x").unwrap();
        fs::create_dir(path("a")).unwrap();
        let entries = Disk.list(folder.path().to_str().unwrap()).unwrap();
        assert_eq!(
            entries.iter().map(|e| (e.name.as_str(), e.is_dir)).collect::<Vec<_>>(),
            [("a", true), ("b.tf", false)]
        );
    }
}
