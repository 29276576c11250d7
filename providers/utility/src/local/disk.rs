//! Files, read and written where waiting for a disk holds up nobody.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use sgp_model::Diagnostic;

/// Permissions as the arguments have them: bits before the umask.
#[derive(Clone, Copy)]
pub(super) struct Modes {
    /// Of the file.
    pub(super) file: u32,
    /// Of folders that are made for it.
    pub(super) folder: u32,
}

/// Reads a whole file; `None` when it is not there.
pub(super) async fn read(path: &str) -> Result<Option<Vec<u8>>, Diagnostic> {
    let at = PathBuf::from(path);
    match off_the_threads(move || std::fs::read(at)).await {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Diagnostic::error("Unreadable file", format!("{path}: {error}."))),
    }
}

/// Writes a whole file, and the folders above it. One that is there is overwritten and keeps its permissions.
pub(super) async fn write(path: &str, content: Vec<u8>, modes: Modes) -> Result<(), Diagnostic> {
    let at = PathBuf::from(path);
    let write = move || {
        if let Some(folder) = at.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            make_folders(folder, modes.folder)?;
        }
        open(&at, modes.file)?.write_all(&content)
    };
    off_the_threads(write).await.map_err(|error| Diagnostic::error("Unwritable file", format!("{path}: {error}.")))
}

/// Deletes a file; one that is not there is gone already.
pub(super) async fn delete(path: &str) -> Result<(), Diagnostic> {
    let at = PathBuf::from(path);
    match off_the_threads(move || std::fs::remove_file(at)).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Diagnostic::error("File cannot be deleted", format!("{path}: {error}.")))
        }
        _ => Ok(()),
    }
}

async fn off_the_threads<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(unix)]
fn make_folders(folder: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(mode).create(folder)
}

#[cfg(not(unix))]
fn make_folders(folder: &Path, _mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

#[cfg(unix)]
fn open(path: &Path, mode: u32) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path, _mode: u32) -> io::Result<std::fs::File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}
