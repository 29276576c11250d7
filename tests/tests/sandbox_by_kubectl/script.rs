//! Scripts of commands with what is expected of them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use regex::Regex;

/// So long may it take until what is expected of a `?` command holds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a script plays.
pub struct Stage {
    /// Holds `kubectl`.
    pub programs: PathBuf,
    /// The working folder.
    pub work: PathBuf,
    /// The kubeconfig.
    pub kubeconfig: PathBuf,
    /// Where kubectl keeps what it discovered.
    pub cache: PathBuf,
}

struct Step<'a> {
    line: usize,
    command: &'a str,
    repeats: bool,
    expected: Vec<&'a str>,
}

/// Plays a script to its end; answers how many commands it has, and what was wrong, each with its line.
///
/// # Panics
/// On a line that is no script.
pub fn play(text: &str, stage: &Stage) -> (usize, Vec<String>) {
    let (mut count, mut wrong) = (0, Vec::new());
    let mut lines = (1..).zip(text.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        if let Some(file) = line.strip_prefix("write ").and_then(|it| it.strip_suffix(" <<END")) {
            let text: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "END").collect();
            let file = stage.work.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text.join("\n") + "\n").unwrap();
            continue;
        }
        let command = line.strip_prefix("$ ").or_else(|| line.strip_prefix("? "));
        let Some(command) = command else {
            assert!(line.trim().is_empty() || line.starts_with('#'), "no script, line {number}: {line}");
            continue;
        };
        let mut expected = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with("  ")) {
            expected.push(line.trim());
        }
        count += 1;
        wrong.extend(run(&Step { line: number, command, repeats: line.starts_with('?'), expected }, stage));
    }
    (count, wrong)
}

/// What is wrong with a step, if anything.
fn run(step: &Step<'_>, stage: &Stage) -> Option<String> {
    let start = Instant::now();
    loop {
        let (said, code) = execute(step.command, stage);
        let missed = missed(&step.expected, &said, code);
        if missed.is_empty() {
            return None;
        }
        if !step.repeats || start.elapsed() > PATIENCE {
            let (line, command, missed) = (step.line, step.command, missed.join("\n    "));
            return Some(format!("line {line}: {command}\n    {missed}\n  [exit {code}]\n{said}"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn execute(command: &str, stage: &Stage) -> (String, i32) {
    let path = format!("{}:{}", stage.programs.display(), std::env::var("PATH").unwrap_or_default());
    // One stream, in the order in which it was written.
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(&stage.work)
        .env("PATH", path)
        .env("KUBECONFIG", &stage.kubeconfig)
        .env("KUBECACHEDIR", &stage.cache)
        .env("HOME", &stage.work)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap_or(-1))
}

/// Those expectations that do not hold.
fn missed(expected: &[&str], said: &str, code: i32) -> Vec<String> {
    let lines: Vec<String> = said.lines().map(squeeze).collect();
    let occurs = |text: &str| lines.iter().any(|line| line.contains(&squeeze(text)));
    let mut wanted_code = 0;
    let mut missed = Vec::new();
    for expectation in expected {
        let holds = if let Some(exit) = expectation.strip_prefix("[exit ") {
            wanted_code = exit.trim_end_matches(']').parse().unwrap();
            true
        } else if let Some(text) = expectation.strip_prefix("! ") {
            !occurs(text)
        } else if let Some(pattern) = expectation.strip_prefix('/').and_then(|it| it.strip_suffix('/')) {
            let pattern = Regex::new(pattern).unwrap();
            lines.iter().any(|line| pattern.is_match(line))
        } else {
            occurs(expectation)
        };
        if !holds {
            missed.push(format!("expected: {expectation}"));
        }
    }
    if code != wanted_code {
        missed.push(format!("expected: exit code {wanted_code}"));
    }
    missed
}

fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
