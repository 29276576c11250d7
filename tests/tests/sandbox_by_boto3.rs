//! The sandbox, asked by somebody else's client: the scripts of `providers/sandbox/tests/boto3`, each against a sandbox of its own.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops where it stands, and says what was not tested"
)]

use std::path::Path;
use std::process::Command;

use sgp_sandbox::{Sandbox, Settings, iam};
use sgp_tests::world::python;

/// A script makes at least so many calls: one that stops early proves nothing.
const CALLS_MIN: usize = 60;

fn run(script: &str, settings: Settings) {
    let interpreter = match python() {
        Ok(interpreter) => interpreter,
        Err(error) if error.is_skippable() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}: {error:?}"),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sandbox = runtime.block_on(Sandbox::start(settings)).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../providers/sandbox/tests/boto3").join(script);
    let mut command = Command::new(interpreter);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs([
        ("AWS_ENDPOINT_URL", format!("http://{}", sandbox.address()).as_str()),
        ("AWS_ACCESS_KEY_ID", iam::ADMINISTRATOR_KEY),
        ("AWS_SECRET_ACCESS_KEY", iam::ADMINISTRATOR_SECRET),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]);
    let output = command.arg(file).output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    let summary = said.lines().last().unwrap_or_default();
    let calls: usize = summary.split(' ').next().and_then(|calls| calls.parse().ok()).unwrap_or(0);
    assert!(calls >= CALLS_MIN, "{said}");
    println!("{script}: {summary}");
}

#[test]
fn networks() {
    run("network.py", Settings::default());
}

#[test]
fn groups_interfaces_and_instances() {
    run("security.py", Settings::default());
}

#[test]
fn identities() {
    run("identity.py", Settings::default());
}

#[test]
fn signatures_and_policies_are_enforced() {
    run("identity_enforced.py", Settings { verify_signatures: true, enforce_iam: true, ..Settings::default() });
}

#[test]
fn clusters() {
    run("clusters.py", Settings::default());
}

#[test]
fn every_script_is_run() {
    let source = include_str!("sandbox_by_boto3.rs");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../providers/sandbox/tests/boto3");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let is_script = Path::new(&name).extension().is_some_and(|it| it == "py");
        assert!(!is_script || source.contains(&format!("run(\"{name}\"")), "{name} is not run");
    }
}
