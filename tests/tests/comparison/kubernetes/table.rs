//! The table of differences that are known, each with the page that decides.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::differ::Differences;

/// Lines of one subject that the same sentence decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// A file of `tests/comparison/kubernetes`.
    subject: String,
    /// Lines as [`super::differ`] makes them.
    differences: Vec<String>,
    /// The page that decides: of Kubernetes' or EKS's documentation, or of Kubernetes' source.
    reference: String,
    /// What it says, in our words, or why the sandbox is otherwise.
    because: String,
}

/// Where what decides may stand.
const PAGES: [&str; 3] = ["https://kubernetes.io/", "https://github.com/kubernetes/", "https://docs.aws.amazon.com/"];

/// The table.
pub struct Table(Vec<Entry>);

/// Reads `kubernetes.yaml`.
pub fn read() -> Table {
    parse(include_str!("../kubernetes.yaml"))
}

fn parse(text: &str) -> Table {
    let entries: Vec<Entry> = serde_norway::from_str(text).unwrap();
    for entry in &entries {
        let is_page = PAGES.iter().any(|page| entry.reference.starts_with(page));
        assert!(is_page, "{}: {}", entry.subject, entry.reference);
        assert!(entry.because.len() > 20, "{}: say why: {}", entry.subject, entry.because);
    }
    Table(entries)
}

impl Table {
    /// Answers differences that the table lacks, and lines of it that are none.
    pub fn check(&self, found: &Differences) -> Vec<String> {
        let (known, found) = (self.lines(), lines(found));
        let new = found.difference(&known).map(|(subject, line)| format!("not in the table: {subject}: {line}"));
        let gone = known.difference(&found).map(|(subject, line)| format!("no difference any more: {subject}: {line}"));
        new.chain(gone).collect()
    }

    fn lines(&self) -> BTreeSet<(&str, &str)> {
        let mut lines = BTreeSet::new();
        for entry in &self.0 {
            for line in &entry.differences {
                assert!(lines.insert((&*entry.subject, &**line)), "twice in the table: {}: {line}", entry.subject);
            }
        }
        lines
    }
}

fn lines(found: &Differences) -> BTreeSet<(&str, &str)> {
    found.iter().flat_map(|(subject, lines)| lines.iter().map(|line| (&**subject, &**line))).collect()
}

#[test]
fn the_table_misses_nothing_and_has_nothing_too_much() {
    let table = parse(
        "- subject: pods\n  differences: ['[a] 200 -> 404']\n  reference: https://kubernetes.io/docs/\n  because: it is written there so",
    );
    let of = |line: &str| Differences::from([("pods".to_owned(), vec![line.to_owned()])]);
    assert_eq!(table.check(&of("[a] 200 -> 404")), Vec::<String>::new());
    let expected = ["not in the table: pods: [b] 200 -> 404", "no difference any more: pods: [a] 200 -> 404"];
    assert_eq!(table.check(&of("[b] 200 -> 404")), expected);
}
