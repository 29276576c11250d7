//! The table of differences that are known, each with what decides it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{EMULATORS, differ::Differences};

/// Lines of one operation that the same sentence decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// `ec2:CreateVpc`.
    operation: String,
    /// `moto: `, `ministack: ` or `both: ` and a line as [`crate::differ`] makes it.
    differences: Vec<String>,
    /// The page of AWS's reference that decides, or `not documented`.
    reference: String,
    /// What it says, in our words; where nothing is documented, the evidence.
    because: String,
}

/// The table.
pub struct Table(Vec<Entry>);

impl Table {
    /// Reads `differences.yaml`.
    pub fn read() -> Self {
        Self::parse(include_str!("differences.yaml"))
    }

    fn parse(text: &str) -> Self {
        let entries: Vec<Entry> = serde_norway::from_str(text).unwrap();
        for entry in &entries {
            let is_page = entry.reference.starts_with("https://docs.aws.amazon.com/");
            assert!(is_page || entry.reference == "not documented", "{}: {}", entry.operation, entry.reference);
            assert!(entry.because.len() > 20, "{}: say why: {}", entry.operation, entry.because);
        }
        Self(entries)
    }

    /// Answers differences that the table lacks, and lines of it that are none.
    pub fn check(&self, found: &BTreeMap<&str, Differences>) -> Vec<String> {
        let known = self.lines();
        let found: BTreeSet<_> = lines(found).collect();
        let new = found.difference(&known).map(|line| format!("not in the table: {}", shown(line)));
        let gone = known.difference(&found).map(|line| format!("no difference any more: {}", shown(line)));
        new.chain(gone).collect()
    }

    fn lines(&self) -> BTreeSet<Line> {
        let mut lines = BTreeSet::new();
        for entry in &self.0 {
            for line in &entry.differences {
                let (who, line) = line.split_once(": ").unwrap();
                let emulators: Vec<_> = EMULATORS.into_iter().filter(|name| who == *name || who == "both").collect();
                assert!(!emulators.is_empty(), "{who} is no emulator");
                for emulator in emulators {
                    let line = (entry.operation.clone(), emulator.to_owned(), line.to_owned());
                    assert!(lines.insert(line.clone()), "twice in the table: {}", shown(&line));
                }
            }
        }
        lines
    }
}

type Line = (String, String, String);

fn lines<'a>(found: &'a BTreeMap<&str, Differences>) -> impl Iterator<Item = Line> + 'a {
    found.iter().flat_map(|(emulator, operations)| {
        operations.iter().flat_map(move |(operation, lines)| {
            lines.iter().map(move |line| (operation.clone(), (*emulator).to_owned(), line.clone()))
        })
    })
}

fn shown((operation, emulator, line): &Line) -> String {
    format!("{operation}, {emulator}: {line}")
}

#[test]
fn the_table_misses_nothing_and_has_nothing_too_much() {
    let table = Table::parse(
        "- operation: ec2:X\n  differences: ['both: [a] done -> 400 B']\n  reference: not documented\n  because: nobody has written it down",
    );
    let of = |line: &str| BTreeMap::from([("ec2:X".to_owned(), vec![line.to_owned()])]);
    let same = BTreeMap::from([("moto", of("[a] done -> 400 B")), ("ministack", of("[a] done -> 400 B"))]);
    assert_eq!(table.check(&same), Vec::<String>::new());
    let other = BTreeMap::from([("moto", of("[a] done -> 400 B")), ("ministack", of("[a] done -> 400 C"))]);
    let expected = [
        "not in the table: ec2:X, ministack: [a] done -> 400 C",
        "no difference any more: ec2:X, ministack: [a] done -> 400 B",
    ];
    assert_eq!(table.check(&other), expected);
}
