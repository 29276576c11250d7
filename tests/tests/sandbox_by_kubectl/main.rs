//! The sandbox, asked by kubectl of the same Kubernetes version: the scripts of this folder, each against a cluster of its own.
//!
//! A script is lines, run by `sh` in an empty folder:
//! - `$ kubectl get ns` runs a command once, `? kubectl get pods` again and again until what is expected of it holds;
//! - `  default Active` beneath it must occur in what it prints, runs of blanks counted as one;
//! - `  ! default` must not, and `  /^default .* Active/` is a regular expression over lines;
//! - `  [exit 1]` is its exit code, which otherwise is 0;
//! - `write FILE <<END … END` makes a file; blank lines and those that begin with `#` are comments.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops where it stands, and says what was not tested"
)]

mod script;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use script::Stage;
use sgp_tests::cluster::Cluster;
use sgp_tests::world::test_cluster_program;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sandbox_by_kubectl")
}

fn play(name: &str) {
    let program = match test_cluster_program() {
        Ok(program) => program,
        Err(error) if error.is_skippable() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}: {error:?}"),
    };
    let text = fs::read_to_string(folder().join(name)).unwrap();
    let cluster = Cluster::start();
    let (programs, work) = (cluster.folder().join("bin"), cluster.folder().join("work"));
    fs::create_dir_all(&programs).unwrap();
    fs::create_dir_all(&work).unwrap();
    let kubectl = programs.join("kubectl");
    fs::write(&kubectl, format!("#!/bin/sh\nexec '{}' kubectl \"$@\"\n", program.display())).unwrap();
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).unwrap();
    let stage = Stage { programs, work, kubeconfig: cluster.kubeconfig(), cache: cluster.folder().join("cache") };
    let (commands, wrong) = script::play(&text, &stage);
    assert!(wrong.is_empty(), "{name}: {} of {commands} commands\n\n{}", wrong.len(), wrong.join("\n"));
    println!("{name}: {commands} commands");
}

#[test]
fn every_script_is_played() {
    let source = include_str!("main.rs");
    for file in fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let is_script = Path::new(&name).extension().is_some_and(|it| it == "script");
        assert!(!is_script || source.contains(&format!("play(\"{name}\")")), "{name} is not played");
    }
}

#[test]
fn reading() {
    play("get.script");
}

#[test]
fn applying() {
    play("apply.script");
}

#[test]
fn writing() {
    play("write.script");
}

#[test]
fn administering() {
    play("cluster.script");
}
