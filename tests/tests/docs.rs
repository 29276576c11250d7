//! What users read is true: links lead somewhere, and every example is taken by `sgp`.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use sgp_tests::{binary, workdir::Workdir};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The files below a folder that a rule takes, target folders left out.
fn files(folder: &Path, takes: &dyn Fn(&Path) -> bool, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            files(&path, takes, found);
        } else if takes(&path) {
            found.push(path);
        }
    }
    found.sort();
}

fn pages() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&root(), &|path| path.extension().is_some_and(|e| e == "md"), &mut found);
    assert!(found.len() > 30, "{found:?}");
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The fenced blocks of one language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let after = text.split(&fence).skip(1);
    after.map(|rest| rest.split("\n```").next().unwrap()).collect()
}

fn sgp(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(binary::sgp().unwrap());
    command.args(args).current_dir(folder).env("NO_COLOR", "1").env_remove("SGP_DATA_DIR").output().unwrap()
}

/// The anchor that a heading has.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

#[test]
fn links_lead_somewhere() {
    let link = regex::Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut broken = Vec::new();
    let mut count = 0;
    for (path, text) in pages() {
        for target in link.captures_iter(&text).map(|found| found.get(1).unwrap().as_str()) {
            if target.starts_with("https://") || target.starts_with("http://") {
                continue;
            }
            count += 1;
            let (file, heading) =
                target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
            let to = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let has = |heading: &str| {
                let text = fs::read_to_string(&to).unwrap_or_default();
                text.lines().any(|line| line.starts_with('#') && anchor(line) == heading)
            };
            if !to.exists() || heading.is_some_and(|heading| !has(heading)) {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(count > 30, "{count} links");
    assert!(broken.is_empty(), "{broken:#?}");
}

/// An example names objects that it does not show; whatever else is wrong with it is wrong.
#[test]
fn examples_in_pages_are_valid() {
    let mut count = 0;
    for (path, text) in pages() {
        for example in blocks(&text, "hcl") {
            count += 1;
            let folder = Workdir::new(&[("main.tf", &format!("{example}\n"))]);
            let shown = format!("{}:\n{example}", path.display());
            let formatted = sgp(folder.path(), &["fmt", "-check"]);
            assert!(formatted.status.success(), "{shown}\nis not formatted");
            let validated = sgp(folder.path(), &["validate", "-json"]);
            let answer: Value = serde_json::from_slice(&validated.stdout).unwrap();
            for problem in answer["diagnostics"].as_array().unwrap() {
                let summary = problem["summary"].as_str().unwrap();
                assert!(summary.starts_with("Reference to undeclared"), "{shown}\n{problem:#}");
            }
        }
    }
    assert!(count > 25, "{count} examples");
}

/// A block of tests on a page is about the configuration that the page shows first.
#[test]
fn tests_in_pages_pass() {
    let mut count = 0;
    for (path, text) in pages() {
        for tests in blocks(&text, "tftest") {
            count += 1;
            let config = format!("{}\n", blocks(&text, "hcl")[0]);
            let folder = Workdir::new(&[("main.tf", &config), ("a.tftest.hcl", &format!("{tests}\n"))]);
            let ran = sgp(folder.path(), &["test"]);
            let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            assert!(ran.status.success(), "{}:\n{tests}\n{out}\n{err}", path.display());
            assert!(out.contains("Success!"), "{out}");
        }
    }
    assert!(count > 0, "no test is shown anywhere");
}

#[test]
fn console_lines_in_pages_answer_as_shown() {
    let mut count = 0;
    for (path, text) in pages() {
        for block in blocks(&text, "sh") {
            let mut lines = block.lines();
            while let Some(line) = lines.next() {
                let Some(expression) =
                    line.strip_prefix("$ echo '").and_then(|l| l.strip_suffix("' | sgp console -json"))
                else {
                    continue;
                };
                count += 1;
                let expected = lines.next().unwrap();
                assert_eq!(console(expression), expected, "{}: {line}", path.display());
            }
        }
    }
    assert!(count > 0, "no line of the console is shown anywhere");
}

fn console(expression: &str) -> String {
    let folder = Workdir::new(&[]);
    let mut command = Command::new(binary::sgp().unwrap());
    command.args(["console", "-json"]).current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{expression}\n").as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim_end().to_owned()
}

/// Those of `examples` and those that modules carry.
#[test]
fn examples_in_folders_are_valid_and_formatted() {
    let mut found = Vec::new();
    for folder in ["examples", "modules"] {
        files(&root().join(folder), &|path| path.ends_with("main.tf"), &mut found);
    }
    let examples = found.iter().map(|file| file.parent().unwrap());
    for folder in examples {
        let name = folder.display();
        assert!(sgp(folder, &["fmt", "-check"]).status.success(), "{name} is not formatted");
        let validated = sgp(folder, &["validate"]);
        assert!(validated.status.success(), "{name}: {}", String::from_utf8_lossy(&validated.stderr));
    }
    assert!(found.len() >= 3, "{found:?}");
}
