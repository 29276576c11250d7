//! What `sgp test -json` tells programs: a message a line, of the types that Terraform names.

use sgp_engine::testing::{RunResult, Status, TestEvent, TestReport};
use sgp_lang::testing::TestFile;
use sgp_model::{Diagnostic, Diagnostics, state::RecordKey};

use super::{
    json::Json,
    json_ui::JsonUi,
    paint::{Paint, plural},
    plan_json, state_json, test,
};
use crate::session::Room;

/// The machine-readable name of a status.
pub fn name(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail => "fail",
        Status::Error => "error",
        Status::Skip => "skip",
    }
}

/// What is about to be run.
pub fn found(ui: &JsonUi, files: &[TestFile]) {
    let runs: usize = files.iter().map(|f| f.runs.len()).sum();
    let text = format!("Found {} and {}", plural(files.len(), "file"), plural(runs, "run block"));
    let names = files.iter().map(|f| (f.path.to_string(), Json::array(f.runs.iter().map(|r| Json::from(&*r.name)))));
    ui.message("info", text, "test_abstract", vec![("test_abstract", Json::object(names))]);
}

/// How it ended.
pub fn summary(ui: &JsonUi, report: &TestReport) {
    let summary = Json::object([
        ("status", Json::from(name(report.status()))),
        ("passed", report.count(Status::Pass).into()),
        ("failed", report.count(Status::Fail).into()),
        ("errored", report.count(Status::Error).into()),
        ("skipped", report.count(Status::Skip).into()),
    ]);
    ui.message("info", test::summary(report, Paint::plain()), "test_summary", vec![("test_summary", summary)]);
}

/// Tells an event. With `verbose` the plan or state of a run goes along.
pub fn tell(room: &Room, ui: &JsonUi, event: &TestEvent<'_>, verbose: bool) {
    match event {
        TestEvent::FileStart { file } => self::file(ui, &file.path, "in progress", "starting", None),
        TestEvent::TearDown { file } => self::file(ui, &file.path, "tearing down", "teardown", None),
        TestEvent::File { file, report } => {
            self::file(ui, &file.path, test::word(report.status), "complete", Some(report.status));
        }
        TestEvent::RunStart { file, run } => {
            let about = Json::object([("path", Json::from(&*file.path)), ("run", (&*run.name).into())]);
            let text = format!("  {:?}... in progress", &*run.name);
            let members = within(&file.path, Some(&run.name), ("test_run", about.with("progress", "starting")));
            ui.message("info", text, "test_run", members);
        }
        TestEvent::Run { file, run, report, result } => {
            let about = Json::object([
                ("path", Json::from(&*file.path)),
                ("run", (&*run.name).into()),
                ("progress", "complete".into()),
                ("status", name(report.status).into()),
                ("elapsed", u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX).into()),
            ]);
            let text = format!("  {:?}... {}", &*run.name, test::word(report.status));
            ui.message("info", text, "test_run", within(&file.path, Some(&run.name), ("test_run", about)));
            if verbose {
                made(room, ui, &file.path, &run.name, *result);
            }
            diagnostics(ui, &file.path, Some(&run.name), &report.diagnostics);
        }
        TestEvent::Cleanup { file, run, diagnostics: problems, left, .. } => {
            if !left.is_empty() {
                let about = Json::object([("failed_resources", Json::array(left.iter().map(resource)))]);
                let text = format!("Not everything that {}/{} made could be destroyed.", file.path, run.name);
                let members = within(&file.path, Some(&run.name), ("test_cleanup", about));
                ui.message("error", text, "test_cleanup", members);
            }
            diagnostics(ui, &file.path, Some(&run.name), problems);
        }
        TestEvent::Interrupted { file, states, planned } => {
            let states = states.iter().map(|(run, left)| (&*run.name, Json::array(left.iter().map(resource))));
            let about = Json::object([
                ("states", Json::object(states)),
                ("planned", Json::array(planned.iter().map(|addr| Json::from(addr.to_string())))),
            ]);
            let text = "sgp was stopped while tests ran, and destroyed nothing of what they made.";
            ui.message("error", text, "test_interrupt", within(&file.path, None, ("test_interrupt", about)));
        }
    }
}

fn file(ui: &JsonUi, path: &str, shown: &str, progress: &str, status: Option<Status>) {
    let about = Json::object([("path", Json::from(path)), ("progress", progress.into())]);
    let about = status.map_or(about.clone(), |status| about.with("status", name(status)));
    ui.message("info", format!("{path}... {shown}"), "test_file", within(path, None, ("test_file", about)));
}

fn made(room: &Room, ui: &JsonUi, path: &str, run: &str, result: RunResult<'_>) {
    let (text, kind, json) = match result {
        RunResult::Nothing => return,
        RunResult::Plan(plan) => (
            "-verbose flag enabled, printing plan",
            "test_plan",
            room.with_facts(|facts| plan_json::plan(plan, None, facts)),
        ),
        RunResult::State(state) => (
            "-verbose flag enabled, printing state",
            "test_state",
            room.with_facts(|facts| state_json::state(state, std::iter::empty(), facts)),
        ),
    };
    ui.message("info", text, kind, within(path, Some(run), (kind, json)));
}

fn diagnostics(ui: &JsonUi, path: &str, run: Option<&str>, problems: &Diagnostics) {
    let all: Vec<&Diagnostic> = problems.iter().collect();
    for diagnostic in all {
        let mut place = vec![("@testfile", Json::from(path))];
        place.extend(run.map(|run| ("@testrun", Json::from(run))));
        ui.diagnostic_in(diagnostic, place);
    }
}

fn within<'m>(path: &str, run: Option<&str>, about: (&'m str, Json)) -> Vec<(&'m str, Json)> {
    let mut members = vec![("@testfile", Json::from(path))];
    members.extend(run.map(|run| ("@testrun", Json::from(run))));
    members.push(about);
    members
}

fn resource(key: &RecordKey) -> Json {
    let json = Json::object([("instance", Json::from(key.addr.to_string()))]);
    match &key.deposed {
        Some(deposed) => json.with("deposed_key", deposed.to_string()),
        None => json,
    }
}
