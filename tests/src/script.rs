//! Scripts in, transcripts out: commands run against a world, and what a person saw, made comparable.
//!
//! A script is lines: `$ command` runs a program (`sgp` is the binary under test), `edit FILE "old" "new"` changes a file of
//! the working folder, `write FILE <<END ... END` makes one, everything else is a comment that stays in the transcript.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use regex::{Captures, Regex};

/// Runs a script in a folder; `command` makes a process with the environment of the world.
///
/// Answers the transcript: the script with what each command printed and its exit code where it is not 0.
///
/// # Panics
/// On a line that is no script, and when a file cannot be edited: the test is wrong then.
pub fn run(script: &str, folder: &Path, sgp: &Path, command: impl Fn(&Path) -> Command) -> String {
    let mut transcript = String::new();
    let mut names = Names::default();
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(transcript, "{line}");
        if let Some(words) = line.strip_prefix("$ ") {
            let words: Vec<String> = split(words);
            let (output, code) = execute(&words, folder, sgp, &command);
            let shown = names.normalise(&output, folder);
            transcript.push_str(&settle_progress(&shown));
            if code != 0 {
                let _ = writeln!(transcript, "[exit {code}]");
            }
        } else if let Some(rest) = line.strip_prefix("edit ") {
            let words = split(rest);
            let [file, old, new] = &words[..] else { panic!("edit takes a file and two texts: {line}") };
            let path = folder.join(file);
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert!(text.contains(old.as_str()), "{file} does not contain {old:?}");
            fs::write(&path, text.replace(old.as_str(), new)).unwrap_or_else(|e| panic!("{file}: {e}"));
        } else if let Some(file) = line.strip_prefix("write ").and_then(|l| l.strip_suffix(" <<END")) {
            let mut text = String::new();
            for line in lines.by_ref() {
                let _ = writeln!(transcript, "{line}");
                if line == "END" {
                    break;
                }
                let _ = writeln!(text, "{line}");
            }
            fs::write(folder.join(file), text).unwrap_or_else(|e| panic!("{file}: {e}"));
        }
    }
    transcript
}

fn execute(words: &[String], folder: &Path, sgp: &Path, command: &impl Fn(&Path) -> Command) -> (String, i32) {
    let program = if words[0] == "sgp" { sgp.to_owned() } else { words[0].clone().into() };
    let mut command = command(&program);
    command.args(&words[1..]).current_dir(folder).stdin(Stdio::null()).env("NO_COLOR", "1").env("COLUMNS", "100");
    let output = command.output().unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (text, output.status.code().unwrap_or(-1))
}

/// Splits words at blanks; double quotes keep words together, a backslash keeps a quote.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut any) = (false, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next().unwrap_or('\\');
                word.push(if next == 'n' { '\n' } else { next });
            }
            '"' => {
                quoted = !quoted;
                any = true;
            }
            ' ' if !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => word.push(c),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Gives ids that are new in each run names that are not.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn normalise(&mut self, text: &str, folder: &Path) -> String {
        let text = text.replace(&*folder.to_string_lossy(), "<folder>");
        let fixed = [
            (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
            (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})", "<time>"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
            (r"after \d+m?s\d*", "after <time>"),
            (r"after \d+m\d+s", "after <time>"),
            (r"\b[0-9A-F]{32}\b", "<issuer>"),
            (r"LS0tLS1[A-Za-z0-9+/=]+", "<certificate>"),
            (r"\bA[RN][OP]A[A-Z0-9]{8,}\b", "<unique id>"),
            (r"sgp(-rc|-dev)?[ -]v?\d+\.\d+\.\d+", "sgp <version>"),
        ];
        let mut text = text;
        for (pattern, name) in fixed {
            let pattern = Regex::new(pattern).expect("the pattern is fixed and right");
            text = pattern.replace_all(&text, name).into_owned();
        }
        let ids = Regex::new(r"\b(sgr|sg|lt|subnet|vpc|eni|i|ami)-([0-9a-f]{8,17})\b").expect("the pattern is right");
        ids.replace_all(&text, |found: &Captures<'_>| self.name(&found[0], &found[1])).into_owned()
    }

    fn name(&mut self, id: &str, kind: &str) -> String {
        if let Some(name) = self.0.get(id) {
            return name.clone();
        }
        let count = self.0.values().filter(|n| n.starts_with(&format!("<{kind}-"))).count() + 1;
        let name = format!("<{kind}-{count}>");
        self.0.insert(id.to_owned(), name.clone());
        name
    }
}

/// Progress of steps that run at the same time comes in any order: blocks of it are sorted, repeated waits left out.
fn settle_progress(text: &str) -> String {
    let progress = Regex::new(r"^\S.*: (Creating|Creation|Modifying|Modifications|Destroying|Destruction|Reading|Read|Refreshing|Still|Importing|Import)\b")
        .expect("the pattern is right");
    let mut out = String::new();
    let mut block: Vec<&str> = Vec::new();
    for line in text.lines() {
        if progress.is_match(line) {
            if !line.contains(": Still ") {
                block.push(line);
            }
            continue;
        }
        flush(&mut block, &mut out);
        let _ = writeln!(out, "{}", line.trim_end());
    }
    flush(&mut block, &mut out);
    out
}

fn flush(block: &mut Vec<&str>, out: &mut String) {
    block.sort_unstable();
    for line in block.drain(..) {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would() {
        assert_eq!(split(r#"edit a.tf "x y" "z \"q\"""#), ["edit", "a.tf", "x y", "z \"q\""]);
        assert_eq!(split(r#"a "" b"#), ["a", "", "b"]);
    }

    #[test]
    fn ids_get_names_in_order_of_appearance() {
        let mut names = Names::default();
        let text = "sg-0123456789abcdef0 sgr-0aaaaaaaaaaaaaaaa sg-0bbbbbbbbbbbbbbbb sg-0123456789abcdef0";
        assert_eq!(names.normalise(text, Path::new("/nowhere")), "<sg-1> <sgr-1> <sg-2> <sg-1>");
    }

    #[test]
    fn progress_is_sorted_and_waits_are_left_out() {
        let text = "b.x: Creating...\na.x: Creating...\nb.x: Still creating... [10s elapsed]\n\nApply complete!\n";
        assert_eq!(settle_progress(text), "a.x: Creating...\nb.x: Creating...\n\nApply complete!\n");
    }
}
