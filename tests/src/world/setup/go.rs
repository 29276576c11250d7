//! The Go programs: Kubernetes in one program, and AWS's VPC resource controller.

use super::{crate_folder, once, run, tests_folder};
use crate::world::error::{Attempt, Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

const KUBERNETES: &str = "1.36.3";
const CONTROLLER: &str = "github.com/aws/amazon-vpc-resource-controller-k8s@v1.8.2";

/// `sgp-test-cluster`, built from `tests/kubernetes` on first use: kube-apiserver, kube-controller-manager, and kubectl.
///
/// # Errors
/// Go is missing, or the program does not build.
pub fn test_cluster_program() -> Result<PathBuf> {
    let program = tests_folder()?.join("sgp-test-cluster");
    let sources = crate_folder().join("kubernetes");
    once::once(&program, &recipe(&sources)?, || {
        let mut build = go()?;
        build
            .current_dir(&sources)
            .args(["build", "-trimpath", "-ldflags", &link_flags(), "-o"])
            .arg(&program)
            .arg(".");
        run(&mut build, "go").map(drop)
    })?;
    Ok(program)
}

/// The VPC resource controller, installed on first use.
pub(crate) fn controller_program() -> Result<PathBuf> {
    let program = tests_folder()?.join("amazon-vpc-resource-controller-k8s");
    once::once(&program, CONTROLLER, || {
        let mut install = go()?;
        install.env("GOBIN", tests_folder()?).args(["install", "-trimpath", "-ldflags", "-s -w", CONTROLLER]);
        run(&mut install, "go").map(drop)
    })?;
    Ok(program)
}

/// The custom resource definitions that lie in the controller's module, as YAML documents.
pub(crate) fn controller_crds() -> Result<Vec<String>> {
    let found = run(go()?.args(["mod", "download", "-json", CONTROLLER]), "go")?;
    let found: serde_json::Value =
        serde_json::from_str(&found).map_err(|error| Error::failed("go mod download -json", error))?;
    let folder = Path::new(found["Dir"].as_str().unwrap_or_default()).join("config/crd/bases");
    read_all(&folder)
}

fn read_all(folder: &Path) -> Result<Vec<String>> {
    let files = std::fs::read_dir(folder).attempt(|| format!("list {}", folder.display()))?;
    files
        .map(|file| file.and_then(|file| std::fs::read_to_string(file.path())))
        .collect::<std::io::Result<_>>()
        .attempt(|| format!("read {}", folder.display()))
}

/// What the program is built from, as text: a change of any of it is a reason to build again.
fn recipe(sources: &Path) -> Result<String> {
    let mut parts = vec![link_flags()];
    let files = std::fs::read_dir(sources).attempt(|| format!("list {}", sources.display()))?;
    let mut files: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    files.sort();
    let is_source = |file: &&PathBuf| file.extension().is_some_and(|it| it == "go" || it == "mod" || it == "sum");
    for file in files.iter().filter(is_source) {
        parts.push(std::fs::read_to_string(file).attempt(|| format!("read {}", file.display()))?);
    }
    Ok(parts.join("\n"))
}

/// Without its version in place, clients that parse it fail ("malformed version").
fn link_flags() -> String {
    const AT: &str = "k8s.io/component-base/version";
    format!("-s -w -X {AT}.gitVersion=v{KUBERNETES} -X {AT}.gitMajor=1 -X {AT}.gitMinor=36")
}

/// The `go` command outside of any module, at a priority that leaves the machine to the tests.
fn go() -> Result<Command> {
    run(Command::new("go").arg("version"), "go")?;
    let mut command = Command::new("nice");
    command.args(["-n", "5", "go"]).current_dir(std::env::temp_dir()).env("GOFLAGS", "-buildvcs=false");
    Ok(command)
}
