//! Values of expressions beside those that OpenTofu computes with its functions and HCL's evaluator: value, type, marks and
//! what is known about unknown values must be the same, and what is an error here must be one there. Texts of errors are
//! our own. The other side is a small Go program (`program/`) inside of OpenTofu's module, built on first use; without Go the
//! test is skipped by name, with `CI=true` that is a failure.
//!
//! Where the two differ on purpose, [`differences`] has the rule and the reason.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests may look around and tell"
)]

mod differences;
mod generate;
mod ours;
mod program;
mod rows;
mod same;
mod signatures;
#[path = "../support/mod.rs"]
mod support;
mod text;

use std::{collections::BTreeMap, fs};

/// How many differing expressions a failure shows.
const SHOWN: usize = 200;

/// Names that expressions refer to, as requests to both sides. The first nine are those of the rows of functions, `var` and
/// `local` those of the rows of operators.
const NAMES: &[&str] = &[
    "ustring\u{1}string",
    "unumber\u{1}number",
    "utruth\u{1}bool",
    "uany\u{1}any",
    "ustrings\u{1}list(string)",
    "utags\u{1}map(string)",
    "ugroups\u{1}set(string)",
    "upair\u{1}tuple([string, number])",
    "upoint\u{1}object({ x = number, y = number })",
    "pid\u{1}string",
    "npick\u{1}id == \"x\"",
    "nlist_of\u{1}split(\",\", id)",
    "nset_of\u{1}toset(list_of)",
    "nvar\u{1}{ secret = sensitive(5), yes = sensitive(true), null = null, none = true ? null : tolist([\"\"]) }",
    "nlocal\u{1}{ u = id, b = pick, maybe = pick ? null : \"a\", n = tonumber(id), list = list_of, set = set_of, map = { for x in set_of : x => 1 }, obj = pick ? { a = 1 } : { a = 2 } }",
];

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let key = |name: &str| {
        let keys = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/functions/tests/keys");
        fs::read(keys.join(name)).unwrap()
    };
    vec![
        ("hello.txt", "hé\n".into()),
        ("greeting.tftpl", "Hello %{ for n in names ~}${n}, %{ endfor ~}bye".into()),
        ("list.tftpl", "${[for n in names : upper(n)]}".into()),
        ("nested.tftpl", "<${templatefile(\"greeting.tftpl\", { names = [who] })}>".into()),
        ("broken.tftpl", "line\n${nope}".into()),
        ("loop.tftpl", "${templatefile(\"loop.tftpl\", {})}".into()),
        ("conf/a.yaml", "a: 1".into()),
        ("conf/b.yml", "b: 1".into()),
        ("conf/sub/c.yaml", "c: 1".into()),
        ("conf/sub/deep/d.yaml", "d: 1".into()),
        ("bytes.bin", vec![0xff, 0xfe]),
        ("rsa.pem", key("pkcs1.pem")),
        ("rsa8.pem", key("pkcs8.pem")),
        ("openssh.pem", key("openssh.pem")),
        ("locked.pem", key("locked.pem")),
        ("ec.pem", key("ec.pem")),
    ]
}

/// Both answers to each request, after the names have got their values.
fn both(requests: &[String]) -> Option<Vec<(String, String)>> {
    let program = program::program()?;
    let files = files();
    let theirs = program::answers(&program, &files, NAMES, requests);
    let mut ours = ours::Ours::new(&files, &program::folder().to_string_lossy());
    let mut both: Vec<_> = NAMES
        .iter()
        .copied()
        .chain(requests.iter().map(|r| &**r))
        .map(|request| ours.answer(request))
        .zip(theirs)
        .collect();
    for (request, (ours, theirs)) in NAMES.iter().zip(both.drain(..NAMES.len())) {
        assert!(same::same(&ours, &theirs), "{request:?}: {ours}, {theirs}");
    }
    Some(both)
}

/// Fails for the expressions whose answers differ without a reason; tells how many were compared.
fn compare(expressions: &[String], both: &[(String, String)]) {
    let mut unexplained = Vec::new();
    let mut explained = BTreeMap::<_, usize>::new();
    let differing = |(_, (ours, theirs)): &(_, &(String, String))| {
        !theirs.starts_with(program::CRASHED) && !theirs.contains("panic in function") && !same::same(ours, theirs)
    };
    for (expression, (ours, theirs)) in expressions.iter().zip(both).filter(differing) {
        match differences::reason(expression, ours, theirs) {
            Some(reason) => *explained.entry(reason).or_default() += 1,
            None => unexplained
                .push(format!("{}\n  OpenTofu {theirs}\n  ours     {ours}\n", expression.replace('\u{1}', " <- "))),
        }
    }
    eprintln!("{} expressions were compared; differing on purpose:", both.len());
    explained.iter().for_each(|(reason, count)| eprintln!("{count:6} {reason}"));
    // What is short says most.
    unexplained.sort_by_key(String::len);
    let shown = &unexplained[..unexplained.len().min(SHOWN)];
    assert!(unexplained.is_empty(), "{} expressions differ:\n{}", unexplained.len(), shown.concat());
}

#[test]
fn rows_are_opentofus() {
    let expressions = rows::rows();
    let requests: Vec<String> = expressions.iter().map(|e| format!("e{e}")).collect();
    let Some(both) = both(&requests) else { return };
    assert!(both.len() > 2_000, "the rows are not where they were");
    compare(&expressions, &both);
}

/// As many expressions as `SGP_OPENTOFU_ROUNDS` says, beginning with the seed `SGP_OPENTOFU_SEED`.
#[test]
fn random_expressions_are_opentofus() {
    let number = |name: &str, or: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(or);
    let mut generator = generate::Generator::new(number("SGP_OPENTOFU_SEED", 1));
    let rounds = number("SGP_OPENTOFU_ROUNDS", 12_000);
    let requests: Vec<String> = (0..rounds).map(|_| generator.request()).collect();
    let Some(both) = both(&requests) else { return };
    let errors = both.iter().filter(|(ours, _)| ours.starts_with("error: ")).count();
    assert!(errors * 2 < both.len(), "{errors} of {} are errors: too few say something", both.len());
    compare(&requests.iter().map(|request| request[1..].to_owned()).collect::<Vec<_>>(), &both);
}
