//! Running test files: each run plans or applies against a state of its own, then its assertions are evaluated; what was made is
//! destroyed when the file is done.
//!
//! Read [`run_tests`] first. A file is a `file::Walk`, one run of it a `run::Attempt`; what a file says is put into the
//! configuration by `scope`.

mod cleanup;
mod expect;
mod file;
mod modules;
mod run;
mod scope;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sgp_contract::StateStore;
use sgp_lang::{
    VariableInput,
    testing::{Run, Suite, TestFile},
};
use sgp_model::{Diagnostics, InstanceAddr, Plan, State, state::RecordKey};

use crate::{Interrupt, Session};

/// How a run or a file ended, from good to bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It was not run.
    #[default]
    Skip,
    /// Everything holds.
    Pass,
    /// Something does not hold.
    Fail,
    /// It could not be carried out.
    Error,
}

impl Status {
    /// Whether something went wrong.
    pub fn is_bad(self) -> bool {
        self >= Self::Fail
    }
}

/// What a suite needs beside its files.
pub struct TestOptions {
    /// Values for variables from outside of a test file (flags, files, environment), by the file's path.
    pub variables: BTreeMap<Arc<str>, BTreeMap<String, VariableInput>>,
    /// Makes an empty state that nobody else has.
    pub new_store: Box<dyn Fn() -> Arc<dyn StateStore> + Send + Sync>,
}

/// What is told while tests run.
pub enum TestEvent<'a> {
    /// A file begins.
    FileStart {
        /// The file.
        file: &'a TestFile,
    },
    /// A run begins.
    RunStart {
        /// Its file.
        file: &'a TestFile,
        /// The run.
        run: &'a Run,
    },
    /// A run is done.
    Run {
        /// Its file.
        file: &'a TestFile,
        /// The run.
        run: &'a Run,
        /// How it ended.
        report: &'a RunReport,
        /// What it made.
        result: RunResult<'a>,
    },
    /// What a file made is about to be destroyed.
    TearDown {
        /// The file.
        file: &'a TestFile,
    },
    /// What one state of a file held was destroyed, or should have been.
    Cleanup {
        /// The file.
        file: &'a TestFile,
        /// The last run that changed this state.
        run: &'a Run,
        /// What went wrong.
        diagnostics: &'a Diagnostics,
        /// What is left over.
        left: &'a [RecordKey],
        /// The state with what is left over.
        state: Option<&'a State>,
    },
    /// The person asked to stop at once, so that nothing was destroyed.
    Interrupted {
        /// The file.
        file: &'a TestFile,
        /// What each state holds, with the last run that changed it.
        states: &'a [(&'a Run, Vec<RecordKey>)],
        /// What was being made; it may exist or not.
        planned: &'a [InstanceAddr],
    },
    /// A file is done.
    File {
        /// The file.
        file: &'a TestFile,
        /// How it ended.
        report: &'a FileReport,
    },
}

/// What a run made.
#[derive(Clone, Copy)]
pub enum RunResult<'a> {
    /// It did not come so far.
    Nothing,
    /// The plan.
    Plan(&'a Plan),
    /// The state after the apply.
    State(&'a State),
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// Its name.
    pub name: Arc<str>,
    /// How it ended.
    pub status: Status,
    /// How long it took.
    pub elapsed: Duration,
    /// When it began, in seconds since the epoch; 0 when it did not.
    pub started_at: i64,
    /// How many assertions it has.
    pub asserts: usize,
    /// What there is to say.
    pub diagnostics: Diagnostics,
}

/// How a file ended.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// Its path.
    pub path: Arc<str>,
    /// The worst of its runs and of the cleanup.
    pub status: Status,
    /// Its runs, in order.
    pub runs: Vec<RunReport>,
}

/// How the tests ended.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    /// The files, in order.
    pub files: Vec<FileReport>,
}

impl TestReport {
    /// The worst of all.
    pub fn status(&self) -> Status {
        self.files.iter().map(|f| f.status).max().unwrap_or_default()
    }

    /// How many runs ended so.
    pub fn count(&self, status: Status) -> usize {
        self.files.iter().flat_map(|f| &f.runs).filter(|r| r.status == status).count()
    }
}

/// Receives what is told.
pub type TestSink<'s> = dyn FnMut(TestEvent<'_>) + 's;

/// Runs all files of a suite, one after the other. `session` has what every run needs; its configuration, store and variables
/// are not looked at.
pub async fn run_tests(session: &Session, suite: &Suite, options: &TestOptions, sink: &mut TestSink<'_>) -> TestReport {
    let base = Session { registry: Arc::new(session.registry.for_tests()), ..session.clone() };
    let mut report = TestReport::default();
    for file in &suite.files {
        let stopped = *session.interrupt.borrow() >= Interrupt::Finish;
        let done = if stopped { file::skipped(file) } else { file::walk(&base, suite, options, file, sink).await };
        sink(TestEvent::File { file, report: &done });
        report.files.push(done);
    }
    report
}
