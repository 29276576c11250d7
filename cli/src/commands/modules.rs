//! Fetching modules from Git repositories: `sgp get`, and a part of `sgp init`.
//!
//! A repository lies in `.sgp/modules/NAME-DIGEST`, where the digest is that of its address and of what was asked of it, so that
//! calls of the same one share it. `.sgp/modules/modules.json` says which call found what; Terraform's file of that name has the
//! same form.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sgp_lang::{
    load::MissingModule,
    manifest::{self, Installed},
    module_source::GitSource,
};
use sgp_model::{Diagnostic, Diagnostics};
use sha2::{Digest as _, Sha256};

use super::Exit;
use crate::{
    files::{MANIFEST, modules_dir},
    render::paint::plural,
    session::Room,
};

/// Modules call modules: more rounds than anybody nests.
const ROUNDS_MAX: usize = 64;
/// Hexadecimal digits in the name of a folder.
const DIGITS: usize = 12;

/// `sgp get`: fetches what is missing; with `update` everything anew.
pub fn get(room: &Room, update: bool) -> Exit {
    let loaded = room.load();
    loaded.require_files()?;
    let fetched = install(room, update)?;
    told(room, &fetched);
    if fetched.is_empty() {
        room.ui.say("All modules are here.");
    }
    Ok(0)
}

/// Says what was fetched.
pub fn told(room: &Room, fetched: &[Installed]) {
    for it in fetched {
        let commit: String = it.version.chars().take(DIGITS).collect();
        room.ui.say(&format!("Fetched module.{} from {} ({commit}).", it.key, it.source));
    }
    if !fetched.is_empty() {
        room.ui.say(&format!("{} fetched into {}.", plural(fetched.len(), "module"), modules_dir().display()));
    }
}

/// Fetches modules until every call leads somewhere; with `anew` those that are here, too.
///
/// # Errors
/// When the list of modules cannot be read or written, or a repository cannot be fetched.
pub fn install(room: &Room, anew: bool) -> Result<Vec<Installed>, Diagnostics> {
    let place = modules_dir();
    let path = place.join(MANIFEST);
    let before = read(&path)?;
    let mut entries = if anew { Vec::new() } else { before.clone() };
    if anew && !before.is_empty() {
        write(&path, &entries)?;
    }
    let mut fetched = Vec::new();
    let result = rounds(room, &place, anew, &mut entries, &mut fetched);
    if let Err(problem) = result {
        // What was here is as good as before.
        let known: BTreeSet<&str> = entries.iter().map(|it| it.key.as_str()).collect();
        let kept: Vec<Installed> = before.into_iter().filter(|it| !known.contains(it.key.as_str())).collect();
        if !entries.is_empty() || !kept.is_empty() {
            write(&path, &entries.iter().cloned().chain(kept).collect::<Vec<_>>())?;
        }
        return Err(problem.into());
    }
    Ok(fetched)
}

fn rounds(
    room: &Room,
    place: &Path,
    anew: bool,
    entries: &mut Vec<Installed>,
    fetched: &mut Vec<Installed>,
) -> Result<(), Diagnostic> {
    let mut fresh: BTreeSet<PathBuf> = BTreeSet::new();
    for _ in 0..ROUNDS_MAX {
        let loaded = room.load();
        if loaded.missing.is_empty() {
            if fetched.is_empty() {
                return Ok(());
            }
            // Calls that are gone need nothing any more.
            entries.retain(|it| loaded.fetched.contains(&it.key));
            return write(&place.join(MANIFEST), entries);
        }
        for missing in loaded.missing {
            let folder = place.join(folder_of(&missing.git));
            if anew && fresh.insert(folder.clone()) && folder.exists() {
                fs::remove_dir_all(&folder).map_err(|e| unwritable(&folder, &e))?;
            }
            let one = fetch(&missing, &folder)?;
            entries.retain(|it| it.key != one.key);
            entries.push(one.clone());
            fetched.push(one);
        }
        write(&place.join(MANIFEST), entries)?;
    }
    Err(Diagnostic::error(
        "Modules without end",
        format!("After {ROUNDS_MAX} rounds there still are modules to fetch."),
    ))
}

/// Fetches the repository of a module unless it is here.
fn fetch(missing: &MissingModule, folder: &Path) -> Result<Installed, Diagnostic> {
    let MissingModule { key, source, git: wanted } = missing;
    if !folder.exists() {
        clone(key, wanted, folder)?;
    }
    let dir = if wanted.folder.is_empty() { folder.to_owned() } else { folder.join(&wanted.folder) };
    if !dir.is_dir() {
        let detail = format!("module.{key}: the repository {} has no folder {:?}.", wanted.url, wanted.folder);
        return Err(Diagnostic::error("Module not found", detail));
    }
    let version = fs::read_to_string(folder.join(COMMIT)).unwrap_or_default().trim().to_owned();
    let dir = dir.to_string_lossy().replace('\\', "/");
    Ok(Installed { key: key.clone(), source: source.clone(), version, dir })
}

/// The file in a fetched repository that holds its commit.
const COMMIT: &str = ".sgp-commit";

/// Fetches a repository. The folder is there as a whole or not at all.
fn clone(key: &str, wanted: &GitSource, folder: &Path) -> Result<(), Diagnostic> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| unwritable(parent, &e))?;
    let temporary = tempfile::tempdir_in(parent).map_err(|e| unwritable(parent, &e))?;
    let here = temporary.path().join("repository");
    let failed = |why: String| {
        let detail = format!("module.{key}: Git could not fetch {wanted}:\n{why}");
        Diagnostic::error("Module could not be fetched", detail)
    };
    let commit = match wanted.depth {
        Some(depth) => shallow(wanted, depth, &here),
        None => whole(wanted, &here),
    }
    .map_err(failed)?;
    // The history is not needed, and a folder of the working tree is no repository of its own.
    fs::remove_dir_all(here.join(".git")).map_err(|e| unwritable(&here, &e))?;
    fs::write(here.join(COMMIT), &commit).map_err(|e| unwritable(&here, &e))?;
    fs::rename(&here, folder).map_err(|e| unwritable(folder, &e))
}

/// Fetches the whole history and checks out what was asked for: a branch, a tag or a commit, abbreviated or not.
fn whole(wanted: &GitSource, here: &Path) -> Result<String, String> {
    run_git(None, &["clone", "--quiet", "--", &wanted.url, &here.to_string_lossy()])?;
    if let Some(reference) = &wanted.reference {
        let remote = format!("refs/remotes/origin/{reference}^{{commit}}");
        let verify = |name: &str| run_git(Some(here), &["rev-parse", "--verify", "--quiet", "--end-of-options", name]);
        let commit = verify(&remote)
            .or_else(|_| verify(&format!("{reference}^{{commit}}")))
            .map_err(|_| format!("there is no branch, tag or commit {reference:?}"))?;
        run_git(Some(here), &["checkout", "--quiet", "--detach", commit.trim()])?;
    }
    submodules(here)?;
    head(here)
}

/// Fetches a part of the history, which the server does for branches and tags, and mostly for whole commit ids.
fn shallow(wanted: &GitSource, depth: u32, here: &Path) -> Result<String, String> {
    run_git(None, &["init", "--quiet", "--", &here.to_string_lossy()])?;
    let (depth, reference) = (depth.to_string(), wanted.reference.as_deref().unwrap_or("HEAD"));
    run_git(Some(here), &["fetch", "--quiet", "--depth", &depth, "--", &wanted.url, reference])?;
    run_git(Some(here), &["checkout", "--quiet", "--detach", "FETCH_HEAD"])?;
    submodules(here)?;
    head(here)
}

fn submodules(here: &Path) -> Result<(), String> {
    if here.join(".gitmodules").is_file() {
        run_git(Some(here), &["submodule", "--quiet", "update", "--init", "--recursive"])?;
    }
    Ok(())
}

fn head(here: &Path) -> Result<String, String> {
    run_git(Some(here), &["rev-parse", "HEAD"]).map(|text| text.trim().to_owned())
}

/// Runs Git, which asks nobody and speaks only the protocols that sources are written with; answers what it wrote.
fn run_git(here: Option<&Path>, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    if let Some(here) = here {
        command.arg("-C").arg(here);
    }
    // The environment of a hook would make it work on another repository.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
        command.env_remove(variable);
    }
    command.args(args).env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", "file:https:ssh").stdin(Stdio::null());
    let output = command.output().map_err(|e| format!("the program git cannot be started: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// The name of the folder of a repository.
fn folder_of(wanted: &GitSource) -> String {
    let name = wanted.url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let name: String =
        name.trim_end_matches(".git").chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let whole = format!("{}\n{}\n{:?}", wanted.url, wanted.reference.as_deref().unwrap_or_default(), wanted.depth);
    let digest = Sha256::digest(whole.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("{}-{}", if name.is_empty() { "module" } else { &name }, &digest[..DIGITS])
}

fn read(path: &Path) -> Result<Vec<Installed>, Diagnostic> {
    match fs::read(path) {
        Ok(content) => manifest::parse(&content).ok_or_else(|| {
            let detail =
                format!("{} is not a list of modules. Remove the file and run sgp init again.", path.display());
            Diagnostic::error("Unreadable list of modules", detail)
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => {
            Err(Diagnostic::error("Unreadable list of modules", format!("{} cannot be read: {e}.", path.display())))
        }
    }
}

/// Replaces the list as a whole or not at all.
fn write(path: &Path, entries: &[Installed]) -> Result<(), Diagnostic> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| unwritable(parent, &e))?;
    let temporary = path.with_added_extension("new");
    fs::write(&temporary, manifest::write(entries))
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|e| unwritable(path, &e))
}

fn unwritable(path: &Path, cause: &std::io::Error) -> Diagnostic {
    Diagnostic::error("Unwritable folder", format!("{} cannot be written: {cause}.", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn source(url: &str, reference: Option<&str>, depth: Option<u32>) -> GitSource {
        GitSource { url: url.into(), folder: String::new(), reference: reference.map(str::to_owned), depth }
    }

    #[test]
    fn folders_are_told_apart_by_what_was_asked_for() {
        let a = folder_of(&source("https://e.com/team/net.git", Some("v1"), None));
        assert!(a.starts_with("net-") && a.len() == 4 + DIGITS, "{a}");
        assert_ne!(a, folder_of(&source("https://e.com/team/net.git", Some("v2"), None)));
        assert_ne!(a, folder_of(&source("https://e.com/team/net.git", Some("v1"), Some(1))));
        assert!(folder_of(&source("git@e.com:net.git", None, None)).starts_with("net-"));
        assert!(folder_of(&source("file:///", None, None)).starts_with("module-"));
    }

    #[test]
    fn a_repository_is_fetched_at_what_was_asked_for() {
        let room = tempfile::tempdir().unwrap();
        let origin = room.path().join("origin");
        let git = |args: &[&str]| run_git(Some(&origin), args).unwrap();
        fs::create_dir_all(origin.join("net")).unwrap();
        git(&["init", "--quiet", "--initial-branch=main"]);
        git(&["config", "user.email", "a@example.com"]);
        git(&["config", "user.name", "a"]);
        let commit = |text: &str| {
            fs::write(origin.join("net/main.tf"), text).unwrap();
            git(&["add", "."]);
            git(&["commit", "--quiet", "-m", text]);
            git(&["rev-parse", "HEAD"]).trim().to_owned()
        };
        let first = commit("# one");
        git(&["tag", "v1"]);
        let second = commit("# two");
        git(&["branch", "next"]);
        let url = format!("file://{}", origin.display());
        let rows = [
            (None, None, &second),
            (Some("v1"), None, &first),
            (Some("v1"), Some(1), &first),
            (Some("next"), None, &second),
            (Some(&first[..8]), None, &first),
            (None, Some(1), &second),
        ];
        for (reference, depth, expected) in rows {
            let wanted = GitSource { folder: "net".into(), ..source(&url, reference, depth) };
            let folder = room.path().join("modules").join(folder_of(&wanted));
            let missing = MissingModule { key: "m".into(), source: wanted.to_string(), git: wanted };
            let found = fetch(&missing, &folder).unwrap();
            assert_eq!(&found.version, expected, "{reference:?} {depth:?}");
            assert!(Path::new(&found.dir).join("main.tf").is_file() && !folder.join(".git").exists());
        }
        let wanted = source(&url, Some("nowhere"), None);
        let missing = |git: GitSource| MissingModule { key: "m".into(), source: String::new(), git };
        let problem = fetch(&missing(wanted), &room.path().join("x")).unwrap_err();
        assert!(problem.detail.contains("no branch, tag or commit \"nowhere\""), "{}", problem.detail);
        let wanted = GitSource { folder: "none".into(), ..source(&url, None, None) };
        assert_eq!(fetch(&missing(wanted), &room.path().join("y")).unwrap_err().summary, "Module not found");
    }
}
