//! Writing a page to a file.

use std::{
    fs::{self, Permissions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sgp_model::{Diagnostic, Diagnostics, Plan, State};
use sgp_report::page::{Page, render};

use super::topology::Recorded;
use crate::{render::page, session::Room};

/// What a file may be that the browser of whoever runs this opens; the process' mask takes from it.
#[cfg(unix)]
const MODE: u32 = 0o666;

/// Says what stands in the way of a page, before any work is done for it. `other` is a file that it must not be.
///
/// # Errors
/// When the folder is not there, or the path is a folder or the other file.
pub fn check(path: &Path, other: Option<&Path>) -> Result<(), Diagnostics> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        let detail =
            format!("There is no folder {0}. Make it first (mkdir -p {0}), or name another file.", folder.display());
        return Err(trouble("No folder for the page", &detail));
    }
    if path.is_dir() {
        let detail = format!("{0} is a folder. Name a file in it: -html={0}/page.html.", path.display());
        return Err(trouble("A page is a file", &detail));
    }
    if other.is_some_and(|other| is_same(path, other)) {
        let detail =
            format!("{} is the plan itself: the page would take its place. Name another file.", path.display());
        return Err(trouble("The page and the plan are one file", &detail));
    }
    Ok(())
}

/// Writes the page of a plan.
///
/// # Errors
/// When the file cannot be written.
pub fn of_plan(room: &Room, plan: &Plan, path: &Path) -> Result<(), Diagnostics> {
    let of = Recorded::of(room, &plan.refreshed)?;
    let schemas = |mode, name: &str| room.schema(mode, name);
    write(path, &page::plan(plan, &of, &schemas))
}

/// Writes the page of a state.
///
/// # Errors
/// When the file cannot be written.
pub fn of_state(room: &Room, state: &State, path: &Path) -> Result<(), Diagnostics> {
    let of = Recorded::of(room, state)?;
    let schemas = |mode, name: &str| room.schema(mode, name);
    write(path, &page::state(state, of, &schemas))
}

fn write(path: &Path, page: &Page) -> Result<(), Diagnostics> {
    save(path, &render(page))
        .map_err(|cause| trouble("The page cannot be written", &format!("{}: {cause}.", path.display())))
}

/// All of it or nothing: whoever opens the file never sees half a page.
fn save(path: &Path, text: &str) -> io::Result<()> {
    // A pipe or a device stays what it is.
    if fs::metadata(path).is_ok_and(|it| !it.is_file()) {
        return fs::write(path, text);
    }
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(MODE));
    let mut file = builder.tempfile_in(folder_of(path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| fs::canonicalize(folder_of(path)).ok().zip(path.file_name().map(ToOwned::to_owned));
    place(one).is_some_and(|it| Some(it) == place(other))
}

fn trouble(summary: &str, detail: &str) -> Diagnostics {
    Diagnostic::error(summary, detail.to_owned()).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_page_takes_the_place_of_the_one_before_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        save(&path, "one").unwrap();
        save(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        save(Path::new("/dev/null"), "three").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_stands_in_the_way_is_said_before() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let summary = |path: &Path, other: Option<&Path>| check(path, other).unwrap_err().0[0].summary.clone();
        assert_eq!(summary(&at("none/page.html"), None), "No folder for the page");
        assert_eq!(summary(folder.path(), None), "A page is a file");
        assert_eq!(summary(&at("plan"), Some(&at("./plan"))), "The page and the plan are one file");
        assert!(check(&at("page.html"), Some(&at("plan"))).is_ok());
        assert!(check(Path::new("page.html"), None).is_ok());
    }
}
