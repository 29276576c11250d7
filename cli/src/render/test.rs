//! What `sgp test` tells people: a line for each file and run, what is left over, and a summary.

use std::fmt::Write as _;

use sgp_engine::testing::{Status, TestReport};
use sgp_model::{InstanceAddr, State, Value, state::RecordKey};

use super::paint::Paint;

/// A status as a word; what could not be carried out failed, too.
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail | Status::Error => "fail",
        Status::Skip => "skip",
    }
}

/// The word in its colour.
pub fn painted(status: Status, paint: Paint) -> String {
    match status {
        Status::Pass => paint.green(word(status)),
        Status::Fail | Status::Error => paint.red(word(status)),
        Status::Skip => paint.dim(word(status)),
    }
}

/// The last line: `Success! 2 passed, 0 failed.`
pub fn summary(report: &TestReport, paint: Paint) -> String {
    let (passed, skipped) = (report.count(Status::Pass), report.count(Status::Skip));
    let failed = report.count(Status::Fail) + report.count(Status::Error);
    let skipped_too = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    if passed + failed == 0 && !report.status().is_bad() {
        return format!("Executed 0 tests{skipped_too}.");
    }
    let outcome = if report.status().is_bad() { paint.red("Failure!") } else { paint.green("Success!") };
    format!("{outcome} {passed} passed, {failed} failed{skipped_too}.")
}

/// What a file left over, with what to look for.
pub fn left_over(path: &str, run: &str, left: &[RecordKey], state: Option<&State>, kept_in: Option<&str>) -> String {
    let mut out = format!(
        "\nNot everything that {path} made could be destroyed. The last run that changed it was {run:?}. These objects are left over:\n"
    );
    for key in left {
        let record = state.and_then(|state| state.instances.get(key));
        let id = record.and_then(|record| record.attributes.get("id")).and_then(Value::as_str);
        let _ = writeln!(out, "  - {}{}", named(key), id.map_or_else(String::new, |id| format!(" (id {id:?})")));
    }
    match kept_in {
        Some(file) => {
            let _ = writeln!(
                out,
                "\nTheir state is in the file {file}. Destroy them by hand, or take that state over in an empty folder with the same \
                 configuration: sgp state push {file}, then sgp destroy."
            );
        }
        None => out.push_str("\nDestroy them by hand.\n"),
    }
    out
}

/// What may exist after the second Ctrl-C.
pub fn interrupted(path: &str, states: &[(&str, Vec<RecordKey>)], planned: &[InstanceAddr]) -> String {
    let mut out = format!("\nsgp was stopped while {path} ran, and destroyed nothing of what it made.\n");
    for (run, left) in states {
        let _ = writeln!(out, "\nThese objects exist; the last run that changed them was {run:?}:");
        out.extend(left.iter().map(|key| format!("  - {}\n", named(key))));
    }
    if !planned.is_empty() {
        out.push_str("\nThese were being made or changed, and may exist or not:\n");
        out.extend(planned.iter().map(|addr| format!("  - {addr}\n")));
    }
    out
}

fn named(key: &RecordKey) -> String {
    match &key.deposed {
        Some(deposed) => format!("{} ({deposed})", key.addr),
        None => key.addr.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sgp_engine::testing::{FileReport, RunReport};

    use super::*;

    fn report(runs: &[Status], file: Status) -> TestReport {
        let runs = runs.iter().map(|status| RunReport { status: *status, ..RunReport::default() }).collect();
        TestReport { files: vec![FileReport { path: Arc::from("a.tftest.hcl"), status: file, runs }] }
    }

    #[test]
    fn the_summary_counts() {
        use Status::{Error, Fail, Pass, Skip};
        for (runs, file, expected) in [
            (&[][..], Skip, "Executed 0 tests."),
            (&[Skip], Skip, "Executed 0 tests, 1 skipped."),
            (&[Pass, Pass], Pass, "Success! 2 passed, 0 failed."),
            (&[Pass, Fail, Skip], Fail, "Failure! 1 passed, 1 failed, 1 skipped."),
            (&[Pass, Error], Error, "Failure! 1 passed, 1 failed."),
            // What was made could not be destroyed.
            (&[Pass], Error, "Failure! 1 passed, 0 failed."),
        ] {
            assert_eq!(summary(&report(runs, file), Paint::plain()), expected);
        }
    }
}
