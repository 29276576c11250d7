//! OpenTofu's evaluator as a program: built once out of the module that Go's proxy serves, without the parts that reach clouds.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Once, OnceLock},
};

/// What is compared with, and what its archive must hash to.
const MODULE: &str = "github.com/opentofu/opentofu@v1.12.6";
const SUM: &str = "h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98=";

/// Packages that evaluating needs, below `internal`.
const PACKAGES: &[&str] =
    &["addrs", "collections", "copy", "experiments", "ipaddr", "lang/funcs", "lang/marks", "lang/types", "tfdiags"];

/// Our files, by where they go in the module's tree.
const OURS: &[(&str, &str)] = &[
    ("cmd/compare/main.go", include_str!("program/main.go")),
    ("cmd/compare/text.go", include_str!("program/text.go")),
    ("internal/lang/scope.go", include_str!("program/lang/scope.go")),
    ("internal/getmodules/getmodules.go", include_str!("program/getmodules/getmodules.go")),
];

/// The program, built when it is not there yet or is another one's; `None` without Go.
pub fn program() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(built).clone()
}

fn built() -> Option<PathBuf> {
    if let Err(error) = Command::new("go").arg("version").output() {
        assert!(std::env::var("CI").is_err(), "Go is needed: {error}");
        eprintln!("skipped: the comparison with OpenTofu, for want of Go: {error}");
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("opentofu");
    let program = folder.join("compare");
    let sources = OURS.iter().map(|(_, text)| *text).collect::<String>() + MODULE;
    let built_from = folder.join("built-from");
    if program.exists() && fs::read_to_string(&built_from).is_ok_and(|old| old == sources) {
        return Some(program);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    assemble(&downloaded(), &folder);
    run(Command::new("go").args(["build", "-trimpath", "-o", "compare", "./cmd/compare"]).current_dir(&folder));
    fs::write(built_from, sources).unwrap();
    Some(program)
}

/// The folder of the module, in Go's cache.
fn downloaded() -> PathBuf {
    let found = run(Command::new("go")
        .args(["mod", "download", "-json", MODULE])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env("GONOSUMDB", "github.com/opentofu/opentofu"));
    let found = sgp_model::json::from_json_text(&found).expect("go answers in JSON");
    assert_eq!(found.get("Sum").and_then(sgp_model::Value::as_str), Some(SUM), "another archive than expected");
    found.get("Dir").and_then(sgp_model::Value::as_str).expect("a folder").into()
}

fn assemble(from: &Path, to: &Path) {
    let copy = |file: &str| put(to, file, &fs::read(from.join(file)).unwrap());
    ["go.mod", "go.sum", "internal/lang/functions.go"].into_iter().for_each(copy);
    for package in PACKAGES {
        let package = format!("internal/{package}");
        for entry in fs::read_dir(from.join(&package)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.strip_suffix(".go").is_some_and(|stem| !stem.ends_with("_test")) {
                copy(&format!("{package}/{name}"));
            }
        }
    }
    for (file, text) in OURS {
        put(to, file, text.as_bytes());
    }
}

fn put(folder: &Path, file: &str, content: &[u8]) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn run(command: &mut Command) -> String {
    let output = command.env("GOFLAGS", "-buildvcs=false").env("GOWORK", "off").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Where `~` leads.
pub const HOME: &str = "/home/somebody";

/// The folder that functions read files in.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("opentofu/files")
}

/// How an answer begins that is none: the program found no end of memory, or panicked.
pub const CRASHED: &str = "crashed";

/// What the program answers to each request, where functions read these files. Requests that let names stand for something come
/// first; they are sent again after a crash.
pub fn answers(program: &Path, files: &[(&str, Vec<u8>)], names: &[&str], requests: &[String]) -> Vec<String> {
    static WRITTEN: Once = Once::new();
    let folder = folder();
    // Another test may be reading them.
    WRITTEN.call_once(|| files.iter().for_each(|(name, content)| put(&folder, name, content)));
    let mut answers: Vec<String> = Vec::new();
    while answers.len() < names.len() + requests.len() {
        let done = answers.len().saturating_sub(names.len());
        let given: Vec<&str> = names.iter().copied().chain(requests[done..].iter().map(|r| &**r)).collect();
        let found = converse(program, &folder, &given);
        let crashed = found.len() < given.len();
        answers.extend(found.into_iter().skip(if done == 0 { 0 } else { names.len() }));
        answers.extend(crashed.then(|| CRASHED.into()));
    }
    answers
}

fn converse(program: &Path, folder: &Path, requests: &[&str]) -> Vec<String> {
    let mut child = Command::new(program)
        .arg(".")
        .current_dir(folder)
        .env("HOME", HOME)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program was built");
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let input: String = requests.iter().flat_map(|request| [request, "\0"]).collect();
    let mut output = Vec::new();
    std::thread::scope(|scope| {
        // It does not read to the end when it crashes.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        stdout.read_to_end(&mut output).unwrap();
    });
    child.wait().unwrap();
    output.split_inclusive(|b| *b == 0).filter_map(|a| a.strip_suffix(b"\0")).map(text).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
