//! Finding and reading test files: those beside the configuration and in its folder of tests, with the modules and mocks that
//! they name.

mod bind;

use std::sync::Arc;

use sgp_model::{Diagnostic, Diagnostics, SourceMap, Span};

pub use self::bind::bind;
pub use crate::config::testing::{
    Command, Expected, Mock, MockedType, Override, Run, RunModule, RunOptions, Subject, TestFile, TestProvider,
    TestProviderKind,
};
use crate::{
    Config,
    config::testing::{decode, mock_source},
    load::{self, Loaded},
    source::{Files, join},
    suggest::{did_you_mean, list},
    syntax,
};

/// The configuration under test and its test files.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What is in the folder itself.
    pub loaded: Loaded,
    /// The test files that were asked for, by path.
    pub files: Vec<TestFile>,
    /// The text of everything that was read.
    pub sources: SourceMap,
    /// What is wrong with test files, and with the modules and mocks that they name.
    pub diagnostics: Diagnostics,
}

/// Whether a file of this name holds tests.
pub fn is_test_file(name: &str) -> bool {
    !name.starts_with('.') && (name.ends_with(".tftest.hcl") || name.ends_with(".tftest.json"))
}

/// Reads the configuration of the folder `.`, and the test files in it and in `test_directory`; with a `filter` only those
/// files.
pub fn load_suite(test_directory: &str, filter: &[String], files: &dyn Files) -> Suite {
    let loaded = load::load(".", files);
    let mut reader = Reader { files, sources: loaded.config.sources.clone(), diagnostics: Diagnostics::new() };
    let paths = reader.paths(test_directory);
    let paths = reader.filtered(paths, filter);
    let test_files = paths.iter().filter_map(|path| reader.test_file(path)).collect();
    Suite { loaded, files: test_files, sources: reader.sources, diagnostics: reader.diagnostics }
}

/// Text to body.
type Parse = fn(&Arc<str>, &str) -> (syntax::Body, Diagnostics);

struct Reader<'f> {
    files: &'f dyn Files,
    sources: SourceMap,
    diagnostics: Diagnostics,
}

impl Reader<'_> {
    /// All test files, sorted.
    fn paths(&mut self, test_directory: &str) -> Vec<String> {
        let test_directory = test_directory.trim_end_matches('/');
        let mut found = self.tests_in(".");
        if test_directory != "." && !test_directory.is_empty() {
            found.extend(self.tests_in(test_directory));
        }
        found.sort();
        found.dedup();
        found
    }

    fn tests_in(&mut self, dir: &str) -> Vec<String> {
        match self.files.list(dir) {
            Ok(entries) => {
                let names = entries.into_iter().filter(|e| !e.is_dir && is_test_file(&e.name));
                names.map(|e| join(dir, &e.name)).collect()
            }
            Err(e) if e.not_found => Vec::new(),
            Err(e) => {
                let detail = format!("The folder {dir:?} cannot be read: {e}.");
                self.diagnostics.push(Diagnostic::error("Unreadable folder", detail));
                Vec::new()
            }
        }
    }

    fn filtered(&mut self, paths: Vec<String>, filter: &[String]) -> Vec<String> {
        if filter.is_empty() {
            return paths;
        }
        let wanted: Vec<String> = filter.iter().map(|f| join(".", f)).collect();
        for wanted in wanted.iter().filter(|w| !paths.contains(w)) {
            let hint = did_you_mean(wanted, paths.iter().map(String::as_str));
            let all = list(paths.iter().map(String::as_str));
            let detail = format!(
                "-filter names {wanted:?}, which is no test file here.{hint} The test files are: {all}. Those of another folder take -test-directory."
            );
            self.diagnostics.push(Diagnostic::error("No such test file", detail));
        }
        paths.into_iter().filter(|path| wanted.contains(path)).collect()
    }

    fn body(&mut self, path: &str, what: &str, as_json: Parse) -> Option<syntax::Body> {
        let unreadable =
            |why: String| Diagnostic::error("Unreadable file", format!("The {what} {path:?} cannot be read: {why}."));
        let text = match self.files.read(path).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                self.diagnostics.push(unreadable("it is not UTF-8 text".to_owned()));
                return None;
            }
            Err(e) => {
                self.diagnostics.push(unreadable(e.to_string()));
                return None;
            }
        };
        let name: Arc<str> = path.into();
        self.sources.insert(name.clone(), text.clone());
        let is_json = path.rsplit_once('.').is_some_and(|(_, end)| end == "json");
        let parse = if is_json { as_json } else { syntax::parse_body };
        let (body, diagnostics) = parse(&name, &text);
        self.diagnostics.extend(diagnostics);
        Some(body)
    }

    fn test_file(&mut self, path: &str) -> Option<TestFile> {
        let body = self.body(path, "test file", syntax::json::parse_test)?;
        let (mut file, diagnostics) = decode(path, &body);
        self.diagnostics.extend(diagnostics);
        for module in file.runs.iter_mut().filter_map(|run| run.module.as_mut()) {
            module.config = self.module(&module.source, &module.span);
        }
        for provider in &mut file.providers {
            if let TestProviderKind::Mock(mock) = &mut provider.kind {
                self.more_mocks(mock);
            }
        }
        Some(file)
    }

    /// The configuration behind the `module` block of a run.
    fn module(&mut self, source: &str, span: &Span) -> Option<Arc<Config>> {
        let dir = match load::resolve(self.files, ".", source) {
            Ok(dir) => dir,
            Err(problem) => {
                self.diagnostics.push(problem.at(span.clone()));
                return None;
            }
        };
        let loaded = load::load(&dir, self.files);
        for name in loaded.config.sources.files() {
            if let Some(text) = loaded.config.sources.text(name) {
                self.sources.insert(name.clone(), text.clone());
            }
        }
        self.diagnostics.extend(loaded.diagnostics);
        if loaded.is_empty {
            let detail = format!("The folder {dir:?} holds no configuration: no file ends in .tf, .tf.json or .hcl.");
            self.diagnostics.push(Diagnostic::error("Module not found", detail).at(span.clone()));
            return None;
        }
        Some(loaded.config)
    }

    /// Adds what the files of the `source` folder say; what the block itself says comes first.
    fn more_mocks(&mut self, mock: &mut Mock) {
        let Some((source, span)) = mock.source.clone() else { return };
        let dir = join(".", &source);
        let names: Vec<String> = match self.files.list(&dir) {
            Ok(entries) => entries.into_iter().filter(|e| !e.is_dir).map(|e| e.name).collect(),
            Err(e) => {
                let detail =
                    format!("The folder {dir:?} cannot be read: {e}. The path counts from where sgp test runs.");
                self.diagnostics.push(Diagnostic::error("Mocks not found", detail).at(span));
                return;
            }
        };
        let names: Vec<String> = names
            .into_iter()
            .filter(|n| !n.starts_with('.') && (n.ends_with(".tfmock.hcl") || n.ends_with(".tfmock.json")))
            .collect();
        if names.is_empty() {
            let detail = format!("The folder {dir:?} holds no mocks: no file ends in .tfmock.hcl or .tfmock.json.");
            self.diagnostics.push(Diagnostic::error("Mocks not found", detail).at(span));
            return;
        }
        for name in names {
            let Some(body) = self.body(&join(&dir, &name), "file of mocks", syntax::json::parse_mocks) else {
                continue;
            };
            let (types, overrides) = mock_source(&body, &mut self.diagnostics);
            for found in types {
                if !mock.types.iter().any(|t| t.mode == found.mode && t.type_name == found.type_name) {
                    mock.types.push(found);
                }
            }
            mock.overrides.splice(0..0, overrides);
        }
    }
}
