//! Texts for tests that want many: what the repository holds of configuration, changed at random, the same for a seed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, dead_code, reason = "tests may read files; each uses a part")]

use std::{fs, path::Path};

/// Numbers that look random (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// Less than `n`, which is not zero.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Files below the workspace's folders whose names end so, in order.
pub fn files(ends: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for folder in ["examples", "modules", "tests/stacks", "core/lang/src/fmt/tests"] {
        collect(&root.join(folder), ends, &mut found);
    }
    assert!(found.len() > 20, "the workspace's configurations are not where they were");
    found.sort();
    found
}

fn collect(folder: &Path, ends: &[&str], found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, ends, found);
        } else if ends.iter().any(|end| name.ends_with(end)) {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Pieces of the language and what disturbs it.
const PIECES: &[&str] = &[
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "=",
    "==",
    "!",
    "!=",
    "-",
    "+",
    "*",
    "/",
    "%",
    "<",
    ">=",
    "&&",
    "||",
    "?",
    ":",
    "::",
    ".",
    "..",
    "...",
    ",",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{}",
    "[]",
    "()",
    "${",
    "%{",
    "$${",
    "%%{",
    "${~",
    "~}",
    "\"",
    "\"\"",
    "\\",
    "\\n",
    "\\u00e9",
    "\\\"",
    "#",
    "# c\n",
    "// c\n",
    "/* c */",
    "/*",
    "*/",
    "<<EOT\n",
    "<<-EOT\n",
    "\nEOT\n",
    "EOT",
    "for",
    "in",
    "if",
    "else",
    "endif",
    "endfor",
    "true",
    "null",
    "0",
    "1",
    "1.5",
    "1e9",
    "00",
    "a",
    "b",
    "each.key",
    "var.x",
    "local.a",
    "a.b",
    "[*]",
    ".*",
    "[0]",
    "[\"k\"]",
    "=>",
    "%{ if a }",
    "%{ else }",
    "%{ endif }",
    "${a}",
    "\"${a}\"",
    "é",
    "日本",
    "👩‍👩‍👧",
    "\u{301}",
    "\u{feff}",
    "\u{a0}",
    "'",
    "`",
    ";",
    "&",
    "|",
    "^",
    "~",
    "@",
    "variable \"a\" {\n type = list\n}\n",
    "x = 1 # c\n",
    "x {}\n",
    "x { a = 1 }\n",
    "x \"a\" b {\n",
    "}\n",
    "a = ",
    "\r",
    "1.2.3",
    "a²",
    "if",
    "[ * ]",
    "EOT\n",
    "endif",
    "~",
    "{ for = 1 }",
    "-EOT",
    "..0",
    "[for k, v in a : k]",
    "{ for k, v in a : k => v... if v }",
    "a ? b : c",
    "f(a, b...)",
    "<<EOT\n ${a}\n  EOT\n",
    "\"a${b}c\"",
    "null,",
    "\"\\u0041\"",
    "\u{0}",
];

/// The text with a few changes.
pub fn changed(text: &str, others: &[(String, String)], random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(4) {
        let (start, end) = range(&text, random);
        let new = match random.below(8) {
            0 => String::new(),
            1 => text[start..end].repeat(2),
            2 => {
                let other = &random.of(others).1;
                let (from, to) = range(other, random);
                other[from..to].to_owned()
            }
            3 => format!("{}{}", text[start..end].replace(' ', ""), random.of(PIECES)),
            4 => text[start..end].replace(' ', "\t  "),
            _ => format!("{}{}", random.of(PIECES), &text[start..end]),
        };
        text.replace_range(start..end, &new);
    }
    text
}

/// A few pieces of the language one after the other, as a file or as the value of an argument.
pub fn pieces(random: &mut Random) -> String {
    let count = 1 + random.below(9);
    let pieces: Vec<&str> = (0..count).map(|_| *random.of(PIECES)).collect();
    let space = *random.of(&["", " "]);
    let pieces = pieces.join(space);
    match random.below(4) {
        0 => format!("{pieces}\n"),
        1 => format!("x = [{pieces}]\n"),
        2 => format!("x {{ {pieces} }}\n"),
        _ => format!("x = {pieces}\n"),
    }
}

/// A short stretch between characters.
fn range(text: &str, random: &mut Random) -> (usize, usize) {
    let near = |at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    let start = near(random.below(text.len() + 1));
    let length = [0, 1, 3, 12, 40][random.below(5)];
    (start, near(start + random.below(length + 1)).max(start))
}

/// A stretch of whole lines, so that what is made of it is small.
pub fn lines(text: &str, random: &mut Random) -> String {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    if all.is_empty() {
        return String::new();
    }
    let start = random.below(all.len());
    let length = 1 + random.below(30);
    all[start..(start + length).min(all.len())].concat()
}

/// Top-level blocks of a formatted text.
pub fn blocks(text: &str) -> Vec<&str> {
    let ends = text.match_indices("\n}\n").map(|(i, found)| i + found.len());
    let mut start = 0;
    let mut all = Vec::new();
    for end in ends {
        all.push(&text[start..end]);
        start = end;
    }
    all
}
