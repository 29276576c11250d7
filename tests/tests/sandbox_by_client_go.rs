//! The sandbox, asked by client-go: the tables of `tests/kubernetes`, all against one cluster.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops where it stands, and says what was not tested"
)]

use std::process::Command;

use sgp_tests::cluster::Cluster;
use sgp_tests::world::test_cluster_program;

/// The tables have at least so many checks: a run that stops early proves nothing.
const CHECKS_MIN: usize = 110;

/// Runs tables with an environment; answers how many checks passed.
fn run(cluster: &Cluster, sections: &[&str], environment: &[(&str, &str)]) -> usize {
    let program = test_cluster_program().unwrap();
    let mut passed = 0;
    for section in sections {
        let mut command = Command::new(&program);
        command.args(["client-go", "-kubeconfig"]).arg(cluster.kubeconfig()).args(["-only", section]);
        let output = command.envs(environment.iter().copied()).output().unwrap();
        let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{section}\n{said}\n{errors}");
        let summary = said.lines().last().unwrap_or_default();
        passed += summary.split(' ').next().and_then(|checks| checks.parse::<usize>().ok()).unwrap_or(0);
        println!("{section}: {summary}");
    }
    passed
}

#[test]
fn all_tables() {
    match test_cluster_program() {
        Ok(_) => {}
        Err(error) if error.is_skippable() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}: {error:?}"),
    }
    let cluster = Cluster::start();
    // Informers list by watching, or by pages as they did before.
    let sections =
        ["discovery", "typed-json", "typed-protobuf", "apply", "dynamic", "metadata", "pods", "reviews", "watch"];
    let mut passed = run(&cluster, &sections, &[]);
    passed += run(&cluster, &["informers", "controllers"], &[("KUBE_FEATURE_WatchListClient", "true")]);
    let other = Cluster::start();
    passed += run(&other, &["informers", "controllers"], &[("KUBE_FEATURE_WatchListClient", "false")]);
    assert!(passed >= CHECKS_MIN, "{passed} checks");
}
