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
use sgp_tests::world::side::Side;
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
