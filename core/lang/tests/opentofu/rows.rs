//! The expressions of this crate's own tests: what they say that we give is held against what OpenTofu gives.

use std::{fs, path::Path};

/// Expressions of the tables, a line each, and of the rows in the tests of functions and operators.
pub fn rows() -> Vec<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    for table in read(&sources.join("functions/tests/rows"), "txt") {
        all.extend(table.lines().filter(|line| !line.starts_with("    ")).map(Into::into));
    }
    for tests in read(&sources.join("functions/tests"), "rs") {
        all.extend(pairs(&tests));
    }
    all.extend(pairs(&fs::read_to_string(sources.join("eval/tests/operators.rs")).unwrap()));
    all
}

/// Whether an expression calls this function.
pub fn calls(expression: &str, name: &str) -> bool {
    expression
        .match_indices(&format!("{name}("))
        .any(|(at, _)| !expression[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

fn read(folder: &Path, extension: &str) -> Vec<String> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// The first text of every pair of texts in a Rust source.
fn pairs(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find('(') {
        rest = rest[at + 1..].trim_start();
        let Some((first, after)) = literal(rest) else { continue };
        rest = after.trim_start();
        let Some(second) = rest.strip_prefix(',').and_then(|next| literal(next.trim_start())) else { continue };
        rest = second.1;
        found.push(first);
    }
    found
}

/// The literal that the text begins with, and what follows it.
fn literal(source: &str) -> Option<(String, &str)> {
    if let Some(raw) = source.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let end = format!("\"{}", &raw[..hashes]);
        let (text, rest) = raw[hashes..].strip_prefix('"')?.split_once(&end)?;
        return Some((text.into(), rest));
    }
    let mut rest = source.strip_prefix('"')?;
    let mut text = String::new();
    loop {
        let end = rest.find(['"', '\\'])?;
        text.push_str(&rest[..end]);
        if rest[end..].starts_with('"') {
            return Some((text, &rest[end + 1..]));
        }
        rest = escape(&rest[end + 1..], &mut text)?;
    }
}

/// Appends what an escape stands for; what follows it. A line break takes the blanks of the next line along.
fn escape<'t>(rest: &'t str, text: &mut String) -> Option<&'t str> {
    let c = rest.chars().next()?;
    let after = &rest[c.len_utf8()..];
    match c {
        '\n' => return Some(after.trim_start()),
        'u' => {
            let (code, after) = after.strip_prefix('{')?.split_once('}')?;
            text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
            return Some(after);
        }
        'n' => text.push('\n'),
        't' => text.push('\t'),
        'r' => text.push('\r'),
        '0' => text.push('\0'),
        other => text.push(other),
    }
    Some(after)
}
