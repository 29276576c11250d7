//! The sandbox's own controllers against AWS's: the same pods on both, and what became of them is the same.
//!
//! One side is the sandbox as everybody uses it. The other side is the sandbox's EC2 and EKS with a real API server behind the cluster
//! (`-kubernetes-api`) and the real VPC resource controller, which makes its trunks and branch interfaces by calling the sandbox.
//! The pods are the rows of `rows.yaml`; `differences.yaml` names what differs on purpose, and a line there that nothing needs any
//! more fails the test.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops where it stands, and says what was not tested"
)]

mod compare;
mod names;
mod nodes;
mod play;
mod pods;
mod region;
mod seen;
mod table;

use sgp_tests::world::Result;
use sgp_tests::world::side::{self, Side};
use std::time::Instant;

/// The table is to have at least so many pods.
const PODS_MIN: usize = 60;

#[test]
fn annotations_interfaces_groups_and_events_are_those_of_the_real_controller() {
    let rows = table::rows();
    let pods: usize = rows.iter().map(table::Row::pods).sum();
    assert!(pods >= PODS_MIN, "{pods} pods");
    match both(&rows) {
        Ok((real, simulated)) => {
            let report = compare::report(&rows, &real, &simulated);
            assert!(report.is_empty(), "{report}");
            println!("{} rows, {pods} pods", rows.len());
        }
        Err(error) if error.is_skippable() => eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}: {error:?}"),
    }
}

/// The row that is an example says what the example says.
#[test]
fn the_example_is_in_the_table() {
    let rows = table::rows();
    let row = rows.iter().find(|row| row.deployment).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/backend-to-rds");
    let text = |file: &str| std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let (pods, main) = (text("pods.tf"), text("main.tf"));
    let (key, value) = row.pod.labels.iter().next().unwrap();
    let container = &row.pod.spec["containers"][0];
    for part in [
        format!("metadata = {{ labels = {{ {key} = \"{value}\" }} }}"),
        format!("containers         = [{{ name = {}, image = {} }}]", container["name"], container["image"]),
        format!("selector = {{ matchLabels = {{ {key} = \"{value}\" }} }}"),
    ] {
        assert!(pods.contains(&part), "{part}");
    }
    let labels = format!("match_labels = {{ {key} = \"{value}\" }}");
    assert!(main.contains(&labels), "{labels}");
    assert_eq!(row.policies["backend"]["podSelector"]["matchLabels"][key.as_str()], value.as_str());
}

/// The definitions that a cluster of the sandbox begins with are those that the controller comes with.
#[test]
fn definitions_are_the_controllers() {
    let wanted = match side::controller_definitions() {
        Ok(wanted) => wanted,
        Err(error) if error.is_skippable() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}: {error:?}"),
    };
    let region = region::make(Side::simulated().unwrap()).unwrap();
    assert_eq!(wanted.len(), 2);
    for wanted in wanted {
        let name = wanted["metadata"]["name"].as_str().unwrap();
        let found = region.get(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")).unwrap();
        let schemas = |it: &serde_json::Value| {
            let versions = it["spec"]["versions"].as_array().unwrap();
            let of = |version: &serde_json::Value| {
                (version["name"].clone(), compare::rules(&version["schema"]), version["subresources"].clone())
            };
            versions.iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(found["spec"]["scope"], wanted["spec"]["scope"], "{name}");
        assert_eq!(schemas(&found), schemas(&wanted), "{name}");
    }
}

/// What both sides show, the real one first. They are played at the same time: the real one waits most of it.
fn both(rows: &[table::Row]) -> Result<(seen::Seen, seen::Seen)> {
    let start = Instant::now();
    let real = Side::real()?;
    std::thread::scope(|scope| {
        let simulated = scope.spawn(|| Side::simulated().and_then(|side| play::play(side, rows)));
        let real = play::play(real, rows)?;
        println!("{:.0} s", start.elapsed().as_secs_f32());
        Ok((real, simulated.join().unwrap()?))
    })
}
