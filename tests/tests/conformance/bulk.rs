//! A refresh costs pages, not objects.

use std::time::{Duration, Instant};

use sgp_tests::{
    workdir::{Workdir, start},
    world::{Options, World},
};

/// Counts the calls of a plan that must find nothing to do.
fn calls_of_a_plan(world: &World, folder: &Workdir, when: &str) -> usize {
    world.clear_calls();
    let start = Instant::now();
    folder.must_be_settled(world, when);
    let calls = world.calls();
    assert!(calls.iter().all(|call| !call.is_mutating && call.status == 200), "{when}: {calls:?}");
    told(&format!("{when}: {} calls, {:.1?}", calls.len(), start.elapsed()));
    calls.len()
}

#[expect(clippy::print_stderr, reason = "the figures are what a reader of the log looks for")]
fn told(line: &str) {
    eprintln!("{line}");
}

/// 200 groups with 10 rules each, 50 roles and 500 policies attached to them: 3,250 objects.
#[test]
fn three_thousand_objects_are_refreshed_with_forty_calls() {
    let Some(world) = start(&Options { kubernetes: false, ..Options::default() }) else { return };
    let folder = Workdir::new(&[("main.tf", include_str!("bulk.tf"))]);
    let start = Instant::now();
    folder.must(&world, &["apply", "-auto-approve", "-parallelism=30"]);
    told(&format!("apply: {} calls, {:.1?}", world.calls().len(), start.elapsed()));
    assert!(calls_of_a_plan(&world, &folder, "without latency") <= 40);
    world.set_latency(Duration::from_millis(20));
    assert!(calls_of_a_plan(&world, &folder, "with 20 ms a call") <= 40);
}
