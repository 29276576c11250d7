//! Reading a configuration: the files of the root folder and of every module that is called.

mod ahead;

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    sync::Arc,
};

use sgp_model::{Diagnostic, Diagnostics, SourceMap, Span};
use sha2::{Digest, Sha256};

use crate::{
    config::{self, Config, Module},
    manifest::Manifest,
    module_source::{GitSource, ModuleSource},
    source::{BUNDLED, Files, clean, join},
    suggest::{did_you_mean, list},
    syntax,
};

/// What reading came to. With errors the configuration holds what could be read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Arc<Config>,
    /// Syntax errors and everything else that is wrong with the blocks as such.
    pub diagnostics: Diagnostics,
    /// Whether the root folder holds no configuration file at all.
    pub is_empty: bool,
    /// Calls of modules that have to be fetched first, each told among the diagnostics.
    pub missing: Vec<MissingModule>,
    /// Calls of fetched modules that are in use, as the manifest names them.
    pub fetched: Vec<String>,
}

/// A module that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingModule {
    /// The calls that lead to it, from the root, with dots between them.
    pub key: String,
    /// Its source as written.
    pub source: String,
    /// Where it is fetched from.
    pub git: GitSource,
}

impl Loaded {
    /// The error for commands that need a configuration when there is none.
    pub fn require_files(&self) -> Result<(), Diagnostic> {
        if !self.is_empty {
            return Ok(());
        }
        Err(Diagnostic::error(
            "No configuration files",
            "This folder holds no configuration: files ending in .tf, .tf.json or .hcl. Run sgp init for a commented start, or change into the right folder.",
        ))
    }
}

/// Reads the configuration of a folder: every `*.tf`, `*.tf.json` and `*.hcl` in it, and the modules that they call.
///
/// `dir` is relative to the working directory (usually `.`) and is what `path.root` shows.
pub fn load(dir: &str, files: &dyn Files) -> Loaded {
    let (manifest, problems) = Manifest::read(files);
    let mut loader = Loader::new(files, manifest);
    for (path, why) in problems {
        let detail =
            format!("The list of fetched modules, {path:?}, cannot be read: {why}. Remove the file and run sgp init.");
        loader.diagnostics.push(Diagnostic::error("Unreadable list of modules", detail));
    }
    let (module, count) = loader.module(dir);
    let digest = digest(&loader.sources);
    Loaded {
        config: Arc::new(Config { root: Arc::new(module), sources: loader.sources, digest }),
        diagnostics: loader.diagnostics,
        is_empty: count == 0,
        missing: loader.missing,
        fetched: loader.fetched,
    }
}

fn digest(sources: &SourceMap) -> String {
    let mut hash = Sha256::new();
    for name in sources.files() {
        let content = sources.text(name).map_or("", |text| &**text);
        for part in [&**name, content] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
        hex
    })
}

struct Loader<'f> {
    files: &'f dyn Files,
    sources: SourceMap,
    /// Files that nobody asked for yet.
    ahead: HashMap<Arc<str>, ahead::Parsed>,
    modules: BTreeMap<String, Arc<Module>>,
    /// Folders of the modules that are being read, outermost first.
    open: Vec<String>,
    /// Labels of the calls that lead to them.
    calls: Vec<String>,
    manifest: Manifest,
    missing: Vec<MissingModule>,
    fetched: Vec<String>,
    diagnostics: Diagnostics,
}

/// How a file takes part in a configuration.
struct Role {
    /// In JSON rather than the native syntax.
    json: bool,
    /// Its blocks are merged into those of the other files.
    overrides: bool,
}

impl Role {
    /// What the name of a file says; `None` for files that are no configuration.
    fn of(name: &str) -> Option<Self> {
        let stem = |end: &str| name.strip_suffix(end).filter(|_| !name.starts_with('.'));
        let overrides = |stem: &str| stem == "override" || stem.ends_with("_override");
        if let Some(stem) = stem(".tf.json") {
            return Some(Self { json: true, overrides: overrides(stem) });
        }
        if let Some(stem) = stem(".tf") {
            return Some(Self { json: false, overrides: overrides(stem) });
        }
        let stem = stem(".hcl")?;
        let other = [".tftest", ".tfquery", ".tfmock", ".tofutest"].iter().any(|end| stem.ends_with(end));
        (!other).then_some(Self { json: false, overrides: false })
    }
}

/// Whether a file of this name belongs to the configuration.
pub fn is_config_file(name: &str) -> bool {
    Role::of(name).is_some()
}

/// The folder that the source of a module in a test names, seen from a folder.
pub(crate) fn resolve(files: &dyn Files, from: &str, source: &str) -> Result<String, Diagnostic> {
    Loader::new(files, Manifest::read(files).0).resolve(from, source)
}

impl<'f> Loader<'f> {
    fn new(files: &'f dyn Files, manifest: Manifest) -> Self {
        Self {
            files,
            manifest,
            calls: Vec::new(),
            missing: Vec::new(),
            fetched: Vec::new(),
            sources: SourceMap::default(),
            ahead: HashMap::new(),
            modules: BTreeMap::new(),
            open: Vec::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    /// Reads the module of a folder; answers with the number of its files.
    fn module(&mut self, dir: &str) -> (Module, usize) {
        let mut names: Vec<String> = match self.files.list(dir) {
            Ok(entries) => entries.into_iter().filter(|e| !e.is_dir).map(|e| e.name).collect(),
            Err(e) if e.not_found && self.open.is_empty() => Vec::new(),
            Err(e) => {
                self.diagnostics
                    .push(Diagnostic::error("Unreadable folder", format!("The folder {dir:?} cannot be read: {e}.")));
                Vec::new()
            }
        };
        self.other_files(dir, &names);
        names.retain(|name| is_config_file(name));
        let before = self.diagnostics.0.len();
        let (mut bodies, mut overrides) = (Vec::new(), Vec::new());
        self.parse_ahead(dir, &names);
        for name in &names {
            let Some(role) = Role::of(name) else { continue };
            let body = self.file(&join(dir, name));
            if role.overrides { overrides.extend(body) } else { bodies.extend(body) }
        }
        let unread = self.diagnostics.0[before..].iter().any(Diagnostic::is_error);
        self.diagnostics.extend(config::overridden(&mut bodies, overrides, unread));
        self.parse_called(dir, &bodies);
        self.open.push(dir.to_owned());
        let (mut module, diagnostics) =
            config::build(dir, &bodies, &mut |name, source, span| self.call(dir, name, source, span));
        self.open.pop();
        module.unread.files |= unread;
        self.diagnostics.extend(diagnostics);
        (module, names.len())
    }

    /// Files that Terraform would read and sgp does not: nothing of a configuration is left out in silence.
    fn other_files(&mut self, dir: &str, names: &[String]) {
        for name in names.iter().filter(|n| !n.starts_with('.')) {
            let path = join(dir, name);
            if [".tofu", ".tofu.json"].iter().any(|end| name.ends_with(end)) {
                self.diagnostics.push(Diagnostic::warning(
                    "File is not read",
                    format!("sgp reads configuration from files that end in .tf, .tf.json or .hcl; {path:?} is left out. Rename it, or put its content into another file."),
                ));
            }
        }
    }

    fn file(&mut self, path: &str) -> Option<syntax::Body> {
        let Some(ahead::Parsed { path: name, text, body, diagnostics }) = self.ahead.remove(path) else {
            let problem = self.unreadable(path);
            self.diagnostics.push(problem);
            return None;
        };
        self.sources.insert(name, text);
        self.diagnostics.extend(diagnostics);
        Some(body)
    }

    /// Why a file could not be parsed at all.
    fn unreadable(&self, path: &str) -> Diagnostic {
        match self.files.read(path).map(String::from_utf8) {
            Ok(Ok(_)) => Diagnostic::error(
                "Unreadable file",
                format!("The file {path:?} changed while it was read. Run the command again."),
            ),
            Err(e) => Diagnostic::error("Unreadable file", format!("The file {path:?} cannot be read: {e}.")),
            Ok(Err(e)) => {
                let at = e.utf8_error().valid_up_to();
                let line = std::str::from_utf8(&e.as_bytes()[..at]).map_or(0, |t| t.matches('\n').count()) + 1;
                Diagnostic::error(
                    "Invalid character encoding",
                    format!(
                        "The file {path:?} is not UTF-8: byte {at}, on line {line}, does not belong to a character. Save it as UTF-8."
                    ),
                )
            }
        }
    }

    /// The module behind a `source`.
    fn call(&mut self, from: &str, name: &str, source: &str, span: &Span) -> Option<Arc<Module>> {
        self.calls.push(name.to_owned());
        let module = self.called(from, source, span);
        self.calls.pop();
        module
    }

    fn called(&mut self, from: &str, source: &str, span: &Span) -> Option<Arc<Module>> {
        let dir = match self.resolve(from, source) {
            Ok(dir) => dir,
            Err(d) => {
                self.diagnostics.push(d.at(span.clone()));
                return None;
            }
        };
        if let Some(known) = self.modules.get(&dir) {
            return Some(known.clone());
        }
        if self.open.contains(&dir) {
            self.diagnostics.push(
                Diagnostic::error(
                    "Module calls itself",
                    format!(
                        "The module in {dir:?} would contain itself: {}.",
                        self.open.iter().chain([&dir]).map(String::as_str).collect::<Vec<_>>().join(" -> ")
                    ),
                )
                .at(span.clone()),
            );
            return None;
        }
        let (module, count) = self.module(&dir);
        if count == 0 {
            self.diagnostics.push(
                Diagnostic::error(
                    "Module not found",
                    format!("The folder {dir:?} holds no configuration: no file ends in .tf, .tf.json or .hcl."),
                )
                .at(span.clone()),
            );
            return None;
        }
        let module = Arc::new(module);
        self.modules.insert(dir, module.clone());
        Some(module)
    }

    /// The folder of a module.
    fn resolve(&mut self, from: &str, source: &str) -> Result<String, Diagnostic> {
        let parsed = ModuleSource::parse(source).map_err(|why| Diagnostic::error("Invalid module source", why))?;
        match parsed {
            ModuleSource::Bundled(name) => self.bundled(source, &name),
            ModuleSource::Local(path) => self.local(from, &path),
            ModuleSource::Git(_) | ModuleSource::Registry { .. }
                if self.manifest.find(&self.key(), source).is_some() =>
            {
                self.installed(source)
            }
            ModuleSource::Git(git) => {
                let key = self.key();
                let why = match self.manifest.other(&key) {
                    Some(other) => format!(
                        "What is installed for module.{key} came from {:?}, and the source is {source:?} now.",
                        other.source
                    ),
                    None => format!("{source:?} is fetched by Git, and that was not done yet."),
                };
                self.missing.push(MissingModule { key, source: source.to_owned(), git });
                Err(Diagnostic::error("Module not installed", format!("{why} Run sgp init.")))
            }
            ModuleSource::Registry { address, .. } => Err(Diagnostic::error(
                "Module not installed",
                format!(
                    "{address:?} comes from a module registry, and sgp fetches nothing from registries. Either name the repository of the module, which sgp init fetches: source = \"git::https://HOST/REPOSITORY.git?ref=VERSION\". Or copy the module into a folder and name that: source = \"./modules/NAME\". Or let terraform init fetch it here: what it leaves in .terraform/modules is used."
                ),
            )),
            ModuleSource::Other(text) => Err(Diagnostic::error(
                "Unsupported module source",
                format!(
                    "{text:?} is neither a local folder (it would start with ./ or ../) nor a module in sgp (sgp//name) nor a Git repository (git::https://host/repository.git). Archives and buckets are not fetched: copy the module into a folder."
                ),
            )),
        }
    }

    /// The calls that lead to the module in question, as manifests write them.
    fn key(&self) -> String {
        self.calls.join(".")
    }

    fn bundled(&self, source: &str, name: &str) -> Result<String, Diagnostic> {
        let known: Vec<String> = self.files.list(BUNDLED).unwrap_or_default().into_iter().map(|e| e.name).collect();
        let names = || known.iter().map(String::as_str);
        if names().any(|n| n == name.split('/').next().unwrap_or_default()) {
            return Ok(source.to_owned());
        }
        let hint = did_you_mean(name, names());
        Err(Diagnostic::error(
            "Module not found",
            format!("sgp has no module named {name:?}.{hint} There are: {}.", list(names())),
        ))
    }

    fn local(&self, from: &str, path: &str) -> Result<String, Diagnostic> {
        let dir = join(from, path);
        match self.files.list(&dir) {
            Ok(_) => Ok(dir),
            Err(e) if e.not_found => Err(Diagnostic::error(
                "Module not found",
                format!("There is no folder {dir:?}. The path counts from the folder of the file that names it."),
            )),
            Err(e) => Err(Diagnostic::error("Module not found", format!("The folder {dir:?} cannot be read: {e}."))),
        }
    }

    /// The folder of a module that was fetched.
    fn installed(&mut self, source: &str) -> Result<String, Diagnostic> {
        let key = self.key();
        let dir = self.manifest.find(&key, source).map(|it| clean(&it.dir)).unwrap_or_default();
        if let (Err(problem), Ok(ModuleSource::Git(git))) = (self.files.list(&dir), ModuleSource::parse(source)) {
            let why = format!("module.{key} should be in {dir:?}, which cannot be read: {problem}.");
            self.missing.push(MissingModule { key, source: source.to_owned(), git });
            return Err(Diagnostic::error("Module not installed", format!("{why} Run sgp init.")));
        }
        self.fetched.push(key);
        Ok(dir)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::{MemoryFiles, WithBundled};

    fn summaries(loaded: &Loaded) -> Vec<&str> {
        loaded.diagnostics.iter().map(|d| d.summary.as_str()).collect()
    }

    #[test]
    fn every_file_of_the_folder_belongs_to_the_module() {
        let files = MemoryFiles::new([
            ("main.tf", "locals { a = 1 }"),
            ("more.hcl", "locals { b = 1 }"),
            (".hidden.tf", "nonsense {"),
            ("x.tftest.hcl", "nonsense {"),
            (".terraform.lock.hcl", "nonsense {"),
            ("notes.txt", "nonsense {"),
        ]);
        let loaded = load(".", &files);
        assert_eq!(summaries(&loaded), [""; 0]);
        assert_eq!(loaded.config.root.locals.len(), 2);
        assert_eq!(loaded.config.digest.len(), 64);
    }

    #[test]
    fn names_say_what_a_file_is() {
        for (name, expected) in [
            ("a.tf", true),
            ("a.hcl", true),
            ("a.tf.json", true),
            ("override.tf", true),
            ("a_override.tf.json", true),
            (".a.tf", false),
            (".tf.json", false),
            ("a.tf~", false),
            ("#a.tf#", false),
            ("a.tftest.hcl", false),
            ("a.tftest.json", false),
            ("a.tfmock.hcl", false),
            ("a.tfvars.json", false),
            ("a.json", false),
            ("a.tofu", false),
        ] {
            assert_eq!(is_config_file(name), expected, "{name}");
        }
    }

    #[test]
    fn what_opentofu_would_read_beside_is_told() {
        let files = MemoryFiles::new([("main.tf", "locals { a = 1 }"), ("x.tofu", ""), ("y.tofu.json", "{}")]);
        let loaded = load(".", &files);
        assert_eq!(summaries(&loaded), ["File is not read", "File is not read"]);
        assert!(!loaded.diagnostics.has_errors());
    }

    #[test]
    fn the_digest_sees_names_and_content() {
        let digest = |files: &[(&str, &str)]| load(".", &MemoryFiles::new(files.iter().copied())).config.digest.clone();
        let base = digest(&[("main.tf", "locals { a = 1 }")]);
        assert_eq!(base, digest(&[("main.tf", "locals { a = 1 }")]));
        assert_ne!(base, digest(&[("main.tf", "locals { a = 2 }")]));
        assert_ne!(base, digest(&[("mine.tf", "locals { a = 1 }")]));
    }

    #[test]
    fn modules_are_found_and_what_is_not_is_named() {
        let bundled = MemoryFiles::new([("irsa-role/main.tf", "output \"x\" { value = 1 }")]);
        let files = WithBundled::new(
            MemoryFiles::new([
                (
                    "main.tf",
                    r#"
module "a" { source = "./modules/a" }
module "b" { source = "sgp//irsa-role" }
module "c" { source = "sgp//irsa-rol" }
module "d" { source = "terraform-aws-modules/eks/aws" }
module "e" { source = "./nowhere" }
"#,
                ),
                ("modules/a/main.tf", "module \"again\" { source = \"../a\" }"),
            ]),
            bundled,
        );
        let loaded = load(".", &files);
        assert_eq!(
            summaries(&loaded),
            ["Module calls itself", "Module not found", "Module not installed", "Module not found"]
        );
        assert!(loaded.diagnostics.0[1].detail.contains("Did you mean \"irsa-role\"?"));
        let root = &loaded.config.root;
        assert_eq!(root.calls.keys().map(|k| &**k).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(root.calls["b"].module.dir, "sgp//irsa-role");
    }

    #[test]
    fn fetched_modules_are_used_and_missing_ones_are_named() {
        let ours = r#"{"Modules":[{"Key":"a","Source":"git::https://e.com/a.git//net?ref=v1","Dir":".sgp/modules/a/net"},{"Key":"moved","Source":"git::https://e.com/old.git","Dir":".sgp/modules/moved"},{"Key":"gone","Source":"git::https://e.com/gone.git","Dir":".sgp/modules/gone"},{"Key":"a.deep","Source":"git::https://e.com/deep.git","Dir":".sgp/modules/a.deep"}]}"#;
        let theirs = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"vpc","Source":"registry.terraform.io/tf/vpc/aws","Version":"1.0.0","Dir":".terraform/modules/vpc"}]}"#;
        let files = MemoryFiles::new([
            (
                "main.tf",
                r#"
module "a" { source = "git::https://e.com/a.git//net?ref=v1" }
module "vpc" {
  source  = "tf/vpc/aws"
  version = "~> 1.0"
}
module "moved" { source = "git::https://e.com/new.git" }
module "gone" { source = "git::https://e.com/gone.git" }
module "fresh" { source = "git::ssh://git@e.com/fresh.git?ref=x" }
module "bad" { source = "git::ext::sh" }
module "zip" { source = "https://e.com/x.zip" }
"#,
            ),
            (".sgp/modules/modules.json", ours),
            (".terraform/modules/modules.json", theirs),
            (
                ".sgp/modules/a/net/main.tf",
                "module \"near\" { source = \"../near\" }\nmodule \"deep\" { source = \"git::https://e.com/deep.git\" }",
            ),
            (".sgp/modules/a/near/main.tf", "module \"unknown\" { source = \"git::https://e.com/unknown.git\" }"),
            (".sgp/modules/a.deep/main.tf", "output \"x\" { value = 1 }"),
            (".terraform/modules/vpc/main.tf", "output \"x\" { value = 1 }"),
        ]);
        let loaded = load(".", &files);
        let missing: Vec<&str> = loaded.missing.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(missing, ["a.near.unknown", "moved", "gone", "fresh"]);
        assert_eq!(loaded.fetched, ["a", "a.deep", "vpc"]);
        let expected = [
            "Module not installed",
            "Module not installed",
            "Module not installed",
            "Module not installed",
            "Invalid module source",
            "Unsupported module source",
        ];
        assert_eq!(summaries(&loaded), expected, "{:#?}", loaded.diagnostics);
        assert!(loaded.diagnostics.0[1].detail.contains("came from \"git::https://e.com/old.git\""));
        assert!(loaded.diagnostics.iter().all(|d| d.span.is_some()));
        assert_eq!(loaded.config.root.calls["vpc"].module.dir, ".terraform/modules/vpc");
    }

    #[test]
    fn a_list_of_modules_that_is_none_is_told() {
        let files = MemoryFiles::new([("main.tf", ""), (".sgp/modules/modules.json", "{")]);
        assert_eq!(summaries(&load(".", &files)), ["Unreadable list of modules"]);
    }

    #[test]
    fn an_empty_folder_is_told_apart() {
        let loaded = load(".", &MemoryFiles::default());
        assert!(loaded.is_empty && loaded.diagnostics.is_empty());
        assert_eq!(loaded.require_files().unwrap_err().summary, "No configuration files");
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused() {
        let loaded = load(".", &MemoryFiles::new([("main.tf", vec![b'a', 0xff])]));
        assert_eq!(summaries(&loaded), ["Invalid character encoding"]);
    }
}
