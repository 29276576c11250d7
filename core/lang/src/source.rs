//! What the language needs of the file system, as a trait: the crate itself opens nothing.

use std::collections::BTreeMap;

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// The last part of the path.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// A file or directory could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct FileError {
    /// Whether the reason is that there is no such thing.
    pub not_found: bool,
    /// The system's words: `permission denied`.
    pub reason: String,
}

impl FileError {
    /// There is no such file or directory.
    pub fn not_found() -> Self {
        Self { not_found: true, reason: "no such file or directory".into() }
    }
}

/// Reads files for the loader and for functions such as `file` and `templatefile`.
///
/// Paths are as the person or the configuration wrote them: absolute, or relative to the working directory, with `/` between
/// parts. Paths that start with `sgp//` name the modules in the binary, see [`WithBundled`].
pub trait Files {
    /// The content of a file.
    ///
    /// # Errors
    /// When it does not exist or cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;

    /// The entries of a directory, sorted by name.
    ///
    /// # Errors
    /// When it does not exist, is not a directory or cannot be read.
    fn list(&self, dir: &str) -> Result<Vec<DirEntry>, FileError>;

    /// Whether there is a regular file at this path (symbolic links followed).
    fn is_file(&self, path: &str) -> bool;

    /// The manifests of fetched modules, `modules.json`, the one that counts first.
    fn module_manifests(&self) -> Vec<String> {
        vec![".sgp/modules/modules.json".into(), ".terraform/modules/modules.json".into()]
    }

    /// The home directory of the person, for `~` in paths.
    fn home(&self) -> Option<String> {
        None
    }

    /// The working directory as an absolute path, for `abspath` and `path.cwd`.
    fn cwd(&self) -> String {
        "/".into()
    }
}

/// The prefix of module sources and paths that live in the binary.
pub const BUNDLED: &str = "sgp//";

/// Files kept in memory, by path: bundled modules, and configurations in tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles(pub BTreeMap<String, Vec<u8>>);

impl MemoryFiles {
    /// Files of a test or bundle.
    pub fn new<P: Into<String>, C: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, C)>) -> Self {
        Self(files.into_iter().map(|(path, content)| (clean(&path.into()), content.into())).collect())
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.get(&clean(path)).cloned().ok_or_else(FileError::not_found)
    }

    fn list(&self, dir: &str) -> Result<Vec<DirEntry>, FileError> {
        let dir = clean(dir);
        let prefix = if dir == "." { String::new() } else { format!("{}/", dir.trim_end_matches('/')) };
        let mut entries: Vec<DirEntry> = self
            .0
            .keys()
            .filter(|path| dir != "." || !path.starts_with('/'))
            .filter_map(|path| path.strip_prefix(&prefix))
            .map(|rest| match rest.split_once('/') {
                Some((name, _)) => DirEntry { name: name.into(), is_dir: true },
                None => DirEntry { name: rest.into(), is_dir: false },
            })
            .collect();
        entries.sort();
        entries.dedup();
        if entries.is_empty() { Err(FileError::not_found()) } else { Ok(entries) }
    }

    fn is_file(&self, path: &str) -> bool {
        self.0.contains_key(&clean(path))
    }
}

/// Files of the file system with the modules in the binary under `sgp//`.
pub struct WithBundled<F> {
    files: F,
    bundled: MemoryFiles,
}

impl<F: Files> WithBundled<F> {
    /// `bundled` holds the files of all modules, with paths such as `irsa-role/main.tf`.
    pub fn new(files: F, bundled: MemoryFiles) -> Self {
        Self { files, bundled }
    }
}

impl<F: Files> Files for WithBundled<F> {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match path.strip_prefix(BUNDLED) {
            Some(inner) => self.bundled.read(inner),
            None => self.files.read(path),
        }
    }

    fn list(&self, dir: &str) -> Result<Vec<DirEntry>, FileError> {
        match dir.strip_prefix(BUNDLED) {
            Some(inner) => self.bundled.list(if inner.is_empty() { "." } else { inner }),
            None => self.files.list(dir),
        }
    }

    fn is_file(&self, path: &str) -> bool {
        match path.strip_prefix(BUNDLED) {
            Some(inner) => self.bundled.is_file(inner),
            None => self.files.is_file(path),
        }
    }

    fn module_manifests(&self) -> Vec<String> {
        self.files.module_manifests()
    }

    fn home(&self) -> Option<String> {
        self.files.home()
    }

    fn cwd(&self) -> String {
        self.files.cwd()
    }
}

/// Files with one more in the working directory.
pub struct WithExtra<'f> {
    /// The others.
    pub files: &'f dyn Files,
    /// The name of the file.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
}

impl Files for WithExtra<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        if clean(path) == self.name { Ok(self.content.clone()) } else { self.files.read(path) }
    }

    fn list(&self, dir: &str) -> Result<Vec<DirEntry>, FileError> {
        let mut entries = self.files.list(dir)?;
        if !dir.starts_with(BUNDLED) && clean(dir) == "." {
            entries.push(DirEntry { name: self.name.clone(), is_dir: false });
            entries.sort();
            entries.dedup();
        }
        Ok(entries)
    }

    fn is_file(&self, path: &str) -> bool {
        clean(path) == self.name || self.files.is_file(path)
    }

    fn module_manifests(&self) -> Vec<String> {
        self.files.module_manifests()
    }

    fn home(&self) -> Option<String> {
        self.files.home()
    }

    fn cwd(&self) -> String {
        self.files.cwd()
    }
}

/// Removes `.` parts and resolves `..` where that is possible without looking at the disk; `.` for an empty path.
pub fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".into(),
        (false, false) => parts.join("/"),
    }
}

/// Joins a path to a directory; an absolute path stands alone. `..` stays inside a bundled module's root.
pub fn join(dir: &str, path: &str) -> String {
    if path.starts_with('/') {
        return clean(path);
    }
    match dir.strip_prefix(BUNDLED) {
        Some(inner) => format!("{BUNDLED}{}", clean(&format!("{inner}/{path}"))),
        None if dir.is_empty() || dir == "." => clean(path),
        None => clean(&format!("{dir}/{path}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_without_looking_at_the_disk() {
        for (path, expected) in [
            ("./a/../b", "b"),
            ("", "."),
            ("a/./b//c", "a/b/c"),
            ("../x", "../x"),
            ("/a/../../b", "/b"),
            ("a/..", "."),
            ("../../a/../b", "../../b"),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
        assert_eq!(join("modules/net", "../dns"), "modules/dns");
        assert_eq!(join("sgp//irsa-role", "./policies"), "sgp//irsa-role/policies");
        assert_eq!(join(".", "./modules/a"), "modules/a");
    }

    #[test]
    fn one_file_more() {
        let memory = MemoryFiles::new([("main.tf", "a"), ("m/main.tf", "b")]);
        let files = WithExtra { files: &memory, name: "new.tf".into(), content: b"c".to_vec() };
        let names = |dir: &str| files.list(dir).map(|es| es.into_iter().map(|e| e.name).collect::<Vec<_>>());
        assert_eq!(names("."), Ok(vec!["m".into(), "main.tf".into(), "new.tf".into()]));
        assert_eq!(names("m"), Ok(vec!["main.tf".into()]));
        assert_eq!(files.read("./new.tf"), Ok(b"c".to_vec()));
        assert!(files.is_file("new.tf") && !files.is_file("m/new.tf"));
    }

    #[test]
    fn memory_lists_directories() {
        let files = MemoryFiles::new([("main.tf", ""), ("modules/a/main.tf", ""), ("modules/b/x.tf", "")]);
        let names = |dir: &str| files.list(dir).map(|es| es.into_iter().map(|e| e.name).collect::<Vec<_>>());
        assert_eq!(names("."), Ok(vec!["main.tf".into(), "modules".into()]));
        assert_eq!(names("./modules"), Ok(vec!["a".into(), "b".into()]));
        assert_eq!(names("none"), Err(FileError::not_found()));
        assert!(files.is_file("./modules/a/main.tf") && !files.is_file("modules"));
    }
}
