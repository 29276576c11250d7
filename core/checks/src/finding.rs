//! What a rule says.

use sgp_model::{AttrPath, InstanceAddr};

use crate::Severity;

/// Something that deserves a look.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// The rule's severity, or a lower one.
    pub severity: Severity,
    /// The object it is about; `None` when that is not the configuration's.
    pub addr: Option<InstanceAddr>,
    /// The attribute.
    pub attribute: Option<AttrPath>,
    /// What is wrong, in words that never vary.
    pub summary: &'static str,
    /// What is wrong here, in a sentence or two.
    pub what: String,
    /// The same with what happens and what to do: the whole message.
    pub detail: String,
}

/// `1 node`, `3 nodes`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}

/// A text with a capital at its beginning.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|it| it.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

impl Finding {
    /// The same, about an attribute.
    #[must_use]
    pub(crate) fn attribute(mut self, path: AttrPath) -> Self {
        self.attribute = Some(path);
        self
    }

    /// The same, about an attribute at the top.
    #[must_use]
    pub(crate) fn attr(self, name: &str) -> Self {
        self.attribute(AttrPath::attr(name))
    }

    /// The same, no worse than this.
    #[must_use]
    pub(crate) fn at_most(mut self, severity: Severity) -> Self {
        self.severity = self.severity.min(severity);
        self
    }

    /// The worst first; then by rule, address, attribute and text.
    pub(crate) fn order(&self) -> impl Ord + use<> {
        let path = self.attribute.as_ref().map(ToString::to_string);
        (std::cmp::Reverse(self.severity), self.rule, self.addr.clone(), path, self.detail.clone())
    }
}
