//! `sgp fmt` beside HCL's own formatter, byte for byte. The formatter is a small Go program (`hclwrite/`), built on first use;
//! without Go the test is skipped by name, with `CI=true` that is a failure.
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
};

use support::{Random, blocks, changed, files};

fn program() -> Option<PathBuf> {
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
            eprintln!("skipped: formatting_is_the_reference's, for want of Go: {error}");
            None
        }
    }
}

/// What the reference makes of each text; `None` for texts that it refuses.
fn reference(program: &Path, texts: &[String]) -> Vec<Option<String>> {
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
    let answers: Vec<Option<String>> = output
        .split(|b| *b == 0)
        .map(|answer| answer.strip_prefix(b"+").map(|text| String::from_utf8(text.to_vec()).unwrap()))
        .collect();
    assert_eq!(answers.len(), texts.len() + 1);
    answers
}

/// The files of the workspace, and their blocks with changes: small ones, so that most can still be read.
fn texts(rounds: u64, seed: u64) -> Vec<String> {
    let files = files(&[".tf"]);
    let mut random = Random::new(seed);
    let mut texts: Vec<String> = files.iter().map(|(_, text)| text.clone()).collect();
    let blocks: Vec<&str> = files.iter().flat_map(|(_, text)| blocks(text)).collect();
    texts.extend((0..rounds).map(|_| changed(blocks[random.below(blocks.len())], &files, &mut random)));
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

#[test]
fn formatting_is_the_references() {
    let Some(program) = program() else { return };
    let number = |name: &str, or: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(or);
    let texts = texts(number("SGP_FORMAT_ROUNDS", 5_000), number("SGP_FORMAT_SEED", 1));
    let (mut compared, mut differing, mut refused) = (0, Vec::new(), 0);
    for (text, expected) in texts.iter().zip(reference(&program, &texts)) {
        if expected.is_none() && std::env::var("SGP_FORMAT_SHOW").is_ok() && sgp_lang::fmt::format(text).is_ok() {
            eprintln!("---\n{text:?}\nis refused there and not here");
        }
        let (Some(expected), false) = (expected, loses_labels(text)) else { continue };
        match sgp_lang::fmt::format(text) {
            Ok(ours) if ours == expected => compared += 1,
            Ok(ours) => differing.push(format!("---\n{text:?}\n{expected:?} is right\n{ours:?} is ours\n")),
            Err(error) => {
                refused += 1;
                if std::env::var("SGP_FORMAT_SHOW").is_ok() {
                    eprintln!("---\n{text:?}\nrefused: {} {}", error.summary, error.detail);
                }
            }
        }
    }
    eprintln!("{compared} of {} texts were compared, {refused} are refused here and not there", texts.len());
    assert!(compared * 5 > texts.len(), "too few texts can be read");
    assert!(
        differing.is_empty(),
        "{} texts differ:\n{}",
        differing.len(),
        differing[..differing.len().min(10)].concat()
    );
}
