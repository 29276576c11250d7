//! The parser beside HCL's own: what one takes the other takes, too. And `sgp fmt` beside HCL's own formatter, byte for byte.
//! Both of HCL's are a small Go program (`hclwrite/`), built on first use; without Go the tests are skipped by name, with
//! `CI=true` that is a failure.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests may look around and tell"
)]

mod support;

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use support::{Random, blocks, changed, files, pieces};

fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hclwrite");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sgp-test-hclwrite");
    let built = Command::new("go")
        .args(["build", "-trimpath", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(sources)
        .env("GOFLAGS", "-buildvcs=false")
        .output();
    match built {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(program)
        }
        Err(error) => {
            assert!(std::env::var("CI").is_err(), "Go is needed: {error}");
            eprintln!("skipped: the comparison with HCL's parser and formatter, for want of Go: {error}");
            None
        }
    }
}

/// What the reference makes of a text.
enum Reference {
    /// It parses and becomes this.
    Formatted(String),
    /// It parses; the formatter fails on it.
    Parsed,
    /// It does not parse, for this reason.
    Refused(String),
}

fn reference(program: &Path, texts: &[String]) -> Vec<Reference> {
    let mut child =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program was built");
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut input = Vec::new();
    for text in texts {
        input.extend_from_slice(text.as_bytes());
        input.push(0);
    }
    let mut output = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(&input).unwrap());
        stdout.read_to_end(&mut output).unwrap();
    });
    assert!(child.wait().unwrap().success());
    let output = String::from_utf8(output).unwrap();
    let answers: Vec<Reference> = output
        .split_terminator('\0')
        .map(|answer| match answer.split_at(1) {
            ("+", text) => Reference::Formatted(text.to_owned()),
            ("!", _) => Reference::Parsed,
            (_, why) => Reference::Refused(why.to_owned()),
        })
        .collect();
    assert_eq!(answers.len(), texts.len());
    answers
}

/// The files of the workspace; their blocks with changes, small ones, so that most can still be read; pieces put together.
fn texts(rounds: u64, seed: u64) -> Vec<String> {
    let files = files(&[".tf"]);
    let mut random = Random::new(seed);
    let mut texts: Vec<String> = files.iter().map(|(_, text)| text.clone()).collect();
    let blocks: Vec<&str> = files.iter().flat_map(|(_, text)| blocks(text)).collect();
    texts.extend((0..rounds).map(|_| changed(blocks[random.below(blocks.len())], &files, &mut random)));
    texts.extend((0..rounds).map(|_| pieces(&mut random)));
    texts.retain(|text| !text.contains('\0'));
    texts
}

/// Whether a label of the text may hold what the reference loses: `$` and `%`, for which it takes the label away.
fn loses_labels(text: &str) -> bool {
    let (body, _) = sgp_lang::syntax::parse_body(&"".into(), text);
    let mut open = vec![&body];
    while let Some(body) = open.pop() {
        if body
            .blocks
            .iter()
            .flat_map(|b| &b.labels)
            .any(|l| l.text.contains(['$', '%']) || text[l.span.range.clone()].contains('\\'))
        {
            return true;
        }
        open.extend(body.blocks.iter().map(|b| &b.body));
    }
    false
}

/// The texts that are compared.
fn compared() -> Vec<String> {
    let number = |name: &str, or: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(or);
    texts(number("SGP_FORMAT_ROUNDS", 10_000), number("SGP_FORMAT_SEED", 1))
}

fn show(differing: &[String]) {
    let some = differing[..differing.len().min(10)].concat();
    assert!(differing.is_empty(), "{} texts differ:\n{some}", differing.len());
}

#[test]
fn what_is_read_is_what_the_reference_reads() {
    let Some(program) = program() else { return };
    let texts = compared();
    let mut differing = Vec::new();
    for (text, expected) in texts.iter().zip(reference(program, &texts)) {
        let (_, diagnostics) = sgp_lang::syntax::parse_body(&"".into(), text);
        let ours = diagnostics.iter().find(|d| d.is_error());
        match (expected, ours) {
            (Reference::Refused(why), None) => differing.push(format!("---\n{text:?}\nis refused there: {why}\n")),
            (Reference::Formatted(_) | Reference::Parsed, Some(error)) => {
                differing.push(format!("---\n{text:?}\nis refused here: {}: {}\n", error.summary, error.detail));
            }
            _ => {}
        }
    }
    show(&differing);
}

#[test]
fn formatting_is_the_references() {
    let Some(program) = program() else { return };
    let texts = compared();
    let (mut compared, mut differing) = (0, Vec::new());
    for (text, expected) in texts.iter().zip(reference(program, &texts)) {
        let (Reference::Formatted(expected), false) = (expected, loses_labels(text)) else { continue };
        match sgp_lang::fmt::format(text) {
            Ok(ours) if ours == expected => compared += 1,
            Ok(ours) => differing.push(format!("---\n{text:?}\n{expected:?} is right\n{ours:?} is ours\n")),
            Err(_) => {}
        }
    }
    eprintln!("{compared} of {} texts were compared", texts.len());
    assert!(compared * 10 > texts.len(), "too few texts can be read");
    show(&differing);
}
