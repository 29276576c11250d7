//! The Kubernetes API of the sandbox's clusters beside the real API server: the same requests go to both, and every answer is compared.
//!
//! The requests are the rows of `tests/comparison/kubernetes`. What differs is in `kubernetes.yaml` with the page that says why it
//! may; a difference that is not there fails the test, and so does a line that is none any more.

mod differ;
mod normal;
mod play;
mod rows;
mod table;

use std::time::Instant;

use sgp_tests::world::{Asked, Result};

use differ::Differences;
use play::Step;
use rows::Subject;

/// There are at least so many requests.
const REQUESTS_MIN: usize = 250;

#[test]
fn the_cluster_answers_as_the_real_api_server() {
    let subjects = rows::read();
    let requests: usize = subjects.iter().map(|subject| subject.rows.len()).sum();
    assert!(requests >= REQUESTS_MIN, "{requests} requests");
    let found = match compare(&subjects) {
        Ok(found) => found,
        Err(error) if error.is_skippable() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}: {error:?}"),
    };
    println!("{requests} requests, {} differences", found.values().map(Vec::len).sum::<usize>());
    if let Some(file) = std::env::var_os("SGP_COMPARISON_FOUND") {
        std::fs::write(file, serde_json::to_string_pretty(&found).unwrap()).unwrap();
    }
    let wrong = table::read().check(&found);
    assert!(wrong.is_empty(), "{} lines do not agree:\n{}", wrong.len(), wrong.join("\n"));
}

/// Starts both, and plays everything against both at the same time.
fn compare(subjects: &[Subject]) -> Result<Differences> {
    let (real, sandbox) = std::thread::scope(|scope| {
        let sandbox = scope.spawn(Asked::sandbox);
        (Asked::real(), sandbox.join().unwrap())
    });
    let (real, sandbox) = (real?, sandbox?);
    let start = Instant::now();
    let play = |asked: &Asked| subjects.iter().flat_map(|subject| play::play(asked, subject)).collect::<Vec<Step>>();
    let (theirs, ours) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| play(&sandbox));
        (play(&real), ours.join().unwrap())
    });
    println!("{:.0} s", start.elapsed().as_secs_f32());
    Ok(differ::differences(&theirs, &ours))
}
