//! The requests: the files of `tests/comparison/kubernetes`, each a subject with a namespace of its own.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// Requests of one subject, in their order.
#[derive(Debug)]
pub struct Subject {
    /// The file's name.
    pub name: String,
    pub rows: Vec<Row>,
}

/// A request. In its path, headers and body `${NAME}` is what an earlier answer bound, `${ns}` the subject's namespace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Unique for the subject.
    pub name: String,
    /// `GET /api/v1/pods`.
    pub ask: String,
    /// The media type of the body: a word of [`media_type`], or in full.
    #[serde(default, rename = "as")]
    pub form: Option<String>,
    #[serde(default)]
    pub accept: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Text as it is, anything else as JSON.
    #[serde(default)]
    pub body: Value,
    /// What is kept of the answer, by pointer.
    #[serde(default)]
    pub bind: BTreeMap<String, String>,
    /// Asked again until the answer has this status, which is then compared.
    #[serde(default)]
    pub until: Option<u16>,
    /// Asked again until the answer has a value there, by pointer.
    #[serde(default)]
    pub until_there: Option<String>,
    /// How many lines of a watch are read; a watch has so many or ends by itself.
    #[serde(default)]
    pub lines: usize,
    /// Only this of the answer's body is compared, by pointer; `*` stands for all members.
    #[serde(default)]
    pub only: Vec<String>,
    /// The answer is a document that names resources: what both name is compared, name by name.
    #[serde(default)]
    pub names_resources: bool,
}

impl Row {
    /// The media type of the body.
    pub fn media_type(&self) -> &str {
        match self.form.as_deref() {
            Some("apply") => "application/apply-patch+yaml",
            Some("merge") => "application/merge-patch+json",
            Some("strategic") => "application/strategic-merge-patch+json",
            Some("json-patch") => "application/json-patch+json",
            Some(other) => other,
            None if self.body.is_null() => "",
            None => "application/json",
        }
    }
}

/// Reads all of them, by name.
pub fn read() -> Vec<Subject> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("comparison/kubernetes");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| subject(file)).collect()
}

fn subject(file: &Path) -> Subject {
    let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let rows: Vec<Row> = serde_norway::from_str(&std::fs::read_to_string(file).unwrap())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).for_each(|two| assert_ne!(two[0], two[1], "{name} has two requests of this name"));
    Subject { name, rows }
}
