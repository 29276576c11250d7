//! Diagnostics: what a person is told, with the place in the source.

use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::AttrPath;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something cannot be done.
    Error,
    /// Something works but deserves a look.
    Warning,
}

/// A range of bytes in a source file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The file's name as the person knows it, relative to the working directory; a key of [`SourceMap`].
    pub file: Arc<str>,
    /// Bytes from the start of the file; the end is exclusive.
    pub range: Range<usize>,
}

impl Span {
    /// A span of a file.
    pub fn new(file: impl Into<Arc<str>>, range: Range<usize>) -> Self {
        Self { file: file.into(), range }
    }
}

/// A message for the person who runs the tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Short, without figures or names that vary, so that it can be searched for.
    pub summary: String,
    /// Full sentences: what is wrong, why it matters, what to do.
    pub detail: String,
    /// The characters to underline.
    pub span: Option<Span>,
    /// The object it is about, such as `aws_vpc.main`.
    pub address: Option<String>,
    /// The attribute of that object.
    pub attribute: Option<AttrPath>,
    /// Values that the expression under the span refers to, as `("var.a", "is \"x\"")`; never a sensitive one in clear.
    pub values: Vec<(String, String)>,
}

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            span: None,
            address: None,
            attribute: None,
            values: Vec::new(),
        }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary, detail) }
    }

    /// The same with the characters to underline.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// The same with the object it is about.
    #[must_use]
    pub fn on(mut self, address: impl fmt::Display) -> Self {
        self.address = Some(address.to_string());
        self
    }

    /// The same with the attribute it is about.
    #[must_use]
    pub fn attribute(mut self, path: AttrPath) -> Self {
        self.attribute = Some(path);
        self
    }

    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// What a stage has to say beside its value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Nothing to say.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; the same one twice is kept once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.0.contains(&diagnostic) {
            self.0.push(diagnostic);
        }
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        other.into_iter().for_each(|d| self.push(d));
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks at each.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(d: Diagnostic) -> Self {
        Self(vec![d])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The texts that spans point into.
#[derive(Clone, Debug, Default)]
pub struct SourceMap(BTreeMap<Arc<str>, Arc<str>>);

/// A place as people count it, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl SourceMap {
    /// Adds or replaces a file.
    pub fn insert(&mut self, file: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        self.0.insert(file.into(), text.into());
    }

    /// The text of a file.
    pub fn text(&self, file: &str) -> Option<&Arc<str>> {
        self.0.get(file)
    }

    /// The names of all files.
    pub fn files(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.keys()
    }

    /// Line and column of a byte in a file; `None` when the file is not here.
    pub fn line_column(&self, file: &str, byte: usize) -> Option<LineColumn> {
        let text = self.0.get(file)?;
        let before = text.get(..byte.min(text.len()))?;
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Some(LineColumn { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 })
    }
}
