//! One test file: its runs in order, then the end of what they made.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sgp_contract::StateStore;
use sgp_lang::testing::{Run, Suite, TestFile};
use sgp_model::{InstanceAddr, Value};

use super::{
    FileReport, RunReport, RunResult, Status, TestEvent, TestOptions, TestSink, cleanup,
    run::{Attempt, Made},
};
use crate::{Interrupt, Session};

/// A state that runs of a file share.
pub(super) struct Shared<'f> {
    pub(super) store: Arc<dyn StateStore>,
    /// The last run that applied, with the session that it did it with: what it made is destroyed in the same way.
    pub(super) last: Option<(usize, &'f Run, Session)>,
}

/// A file on its way.
pub(super) struct Walk<'f> {
    pub(super) base: &'f Session,
    pub(super) suite: &'f Suite,
    pub(super) options: &'f TestOptions,
    pub(super) file: &'f TestFile,
    /// By `state_key`; without one by the source of the module, and empty for the configuration itself.
    pub(super) states: BTreeMap<Arc<str>, Shared<'f>>,
    /// The outputs of the runs so far.
    pub(super) outputs: BTreeMap<Arc<str>, Value>,
    /// What was being made when the person asked to stop at once.
    pub(super) planned: Vec<InstanceAddr>,
}

/// Runs a file and destroys what it made.
pub(super) async fn walk(
    base: &Session,
    suite: &Suite,
    options: &TestOptions,
    file: &TestFile,
    sink: &mut TestSink<'_>,
) -> FileReport {
    sink(TestEvent::FileStart { file });
    let mut walk =
        Walk { base, suite, options, file, states: BTreeMap::new(), outputs: BTreeMap::new(), planned: Vec::new() };
    let mut reports: Vec<RunReport> = Vec::new();
    let mut goes_on = true;
    for (at, run) in file.runs.iter().enumerate() {
        goes_on &= *base.interrupt.borrow() < Interrupt::Finish;
        if !goes_on {
            let report = RunReport { name: run.name.clone(), asserts: run.asserts.len(), ..RunReport::default() };
            sink(TestEvent::Run { file, run, report: &report, result: RunResult::Nothing });
            reports.push(report);
            continue;
        }
        sink(TestEvent::RunStart { file, run });
        let (started_at, start) = (base.clock.now(), base.clock.monotonic());
        let Attempt { status, diagnostics, made } = walk.attempt(at, run).await;
        let report = RunReport {
            name: run.name.clone(),
            status,
            elapsed: base.clock.monotonic().checked_sub(start).unwrap_or(Duration::ZERO),
            started_at,
            asserts: run.asserts.len(),
            diagnostics,
        };
        let result = match &made {
            Made::Nothing => RunResult::Nothing,
            Made::Plan(plan) => RunResult::Plan(plan),
            Made::State(state) => RunResult::State(state),
        };
        sink(TestEvent::Run { file, run, report: &report, result });
        // What cannot be carried out may be what the next runs build on; an assertion that fails is not.
        goes_on = report.status != Status::Error;
        reports.push(report);
    }
    let cleaned = cleanup::clean_up(&mut walk, sink).await;
    let runs = reports.iter().map(|r| r.status).max().unwrap_or_default();
    FileReport { path: file.path.clone(), status: runs.max(cleaned), runs: reports }
}

/// A file that is not run at all.
pub(super) fn skipped(file: &TestFile) -> FileReport {
    let run = |run: &Run| RunReport { name: run.name.clone(), asserts: run.asserts.len(), ..RunReport::default() };
    FileReport { path: file.path.clone(), status: Status::Skip, runs: file.runs.iter().map(run).collect() }
}

impl<'f> Walk<'f> {
    /// The state that a run works on.
    pub(super) fn state_of(&mut self, run: &Run) -> (Arc<str>, Arc<dyn StateStore>) {
        let source = run.module.as_ref().map_or_else(|| Arc::from(""), |module| module.source.clone());
        let key = run.state_key.clone().unwrap_or(source);
        let make = &self.options.new_store;
        let shared = self.states.entry(key.clone()).or_insert_with(|| Shared { store: make(), last: None });
        (key, shared.store.clone())
    }

    /// Takes note that a run begins to change its state.
    pub(super) fn changes(&mut self, key: &Arc<str>, at: usize, run: &'f Run, session: &Session) {
        if let Some(shared) = self.states.get_mut(key) {
            shared.last = Some((at, run, session.clone()));
        }
    }
}
