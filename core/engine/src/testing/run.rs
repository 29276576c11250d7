//! One run: plan, apply where it says so, and what it asserts.

use std::{collections::BTreeMap, sync::Arc};

use sgp_lang::{
    Asserted, Config, Evaluator, Inputs, Names,
    testing::{Command, Run},
};
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, ModulePath, Plan, Severity, State, Value, plan::PlanMode,
    state::OutputRecord,
};

use super::{
    Status,
    expect::{Expectations, about_data},
    file::Walk,
    scope::Scope,
};
use crate::{
    ApplyOptions, Interrupt, Outcome, PlanOptions, Planned, Session,
    apply::{self, apply},
    blocks::resource_block,
    import::load_state,
    planner::{plan, shown},
    values::ApplyWorld,
};

/// How a run went.
pub(super) struct Attempt {
    pub(super) status: Status,
    pub(super) diagnostics: Diagnostics,
    pub(super) made: Made,
}

/// What a run made.
pub(super) enum Made {
    Nothing,
    Plan(Box<Plan>),
    State(Box<State>),
}

impl Attempt {
    fn error(diagnostics: Diagnostics) -> Self {
        Self { status: Status::Error, diagnostics, made: Made::Nothing }
    }
}

impl<'f> Walk<'f> {
    pub(super) async fn attempt(&mut self, at: usize, run: &'f Run) -> Attempt {
        let (key, store) = self.state_of(run);
        let scope = match Scope::of(self, run) {
            Ok(scope) => scope,
            Err(problems) => return Attempt::error(problems),
        };
        let session = Session {
            registry: Arc::new(scope.registry),
            config: scope.config.clone(),
            inputs: scope.inputs,
            store,
            events: Arc::new(|_| {}),
            ..self.base.clone()
        };
        let mut expectations = match Expectations::of(run, &scope.config) {
            Ok(expectations) => expectations,
            Err(problems) => return Attempt::error(problems),
        };
        let names = Told { run: &scope.runs, more_variables: &scope.more_variables };
        let mut diagnostics = scope.warnings;
        let Planned { plan: planned, diagnostics: told } = plan(&session, &options(run)).await;
        diagnostics.extend(expectations.take(in_a_test(&scope.config, told, run.command == Command::Apply)));
        if diagnostics.has_errors() {
            return Attempt::error(diagnostics);
        }
        let Some(planned) = planned.filter(|p| !p.errored && expectations.lets_go_on()) else {
            return expectations.without_a_plan(run, diagnostics);
        };
        if run.command == Command::Plan {
            let seen = Seen::plan(&session, &planned);
            return self.judged(run, seen, &names, expectations, diagnostics, Made::Plan(Box::new(planned)));
        }
        self.changes(&key, at, run, &session);
        let outcome = apply(&session, &planned, &ApplyOptions::default()).await;
        if *session.interrupt.borrow() == Interrupt::Now {
            self.planned = planned.changes.iter().filter(|c| !is_settled(c.action)).map(|c| c.addr.clone()).collect();
        }
        let state = match load_state(&session).await {
            Ok(state) => state,
            Err(problems) => return Attempt::error(problems),
        };
        diagnostics.extend(expectations.take(in_a_test(&scope.config, outcome.diagnostics.clone(), false)));
        if diagnostics.has_errors() {
            return Attempt { status: Status::Error, diagnostics, made: Made::State(Box::new(state)) };
        }
        let seen = Seen::state(&session, &planned, &outcome, &state);
        self.judged(run, seen, &names, expectations, diagnostics, Made::State(Box::new(state)))
    }

    /// Evaluates the assertions, and remembers the outputs for later runs.
    fn judged(
        &mut self,
        run: &Run,
        mut seen: Seen,
        names: &Told<'_>,
        expectations: Expectations<'_>,
        mut diagnostics: Diagnostics,
        made: Made,
    ) -> Attempt {
        let names = seen.names(names);
        let mut status = count_checks(seen.evaluator.config(), &mut diagnostics);
        for check in &run.asserts {
            match seen.evaluator.run_assertion(&ModulePath::root(), check, &names) {
                Asserted::Holds => {}
                Asserted::Fails(failed) => {
                    status = status.max(Status::Fail);
                    diagnostics.push(failed);
                }
                Asserted::Undecided(problems) => {
                    status = Status::Error;
                    let silent = problems.is_empty();
                    diagnostics.extend(problems);
                    if silent {
                        let detail = "The condition refers to something that has no value after this run.";
                        let place = check.condition.span.clone();
                        diagnostics.push(Diagnostic::error("Assertion without a value", detail).at(place));
                    }
                }
            }
        }
        let missing = expectations.missing();
        if missing.has_errors() {
            status = Status::Error;
        }
        diagnostics.extend(missing);
        self.outputs.insert(run.name.clone(), Value::object(seen.outputs));
        Attempt { status, diagnostics, made }
    }
}

/// What the summary of everything about `check` blocks begins with.
const OF_CHECK: &str = "Check block assertion";

/// What plan and apply say, in a test. After an interrupt nothing is to be gone on with; and what checks assert is judged when the
/// run has done all that it does, so that before (`early`) nothing is told of it.
fn in_a_test(config: &Config, told: Diagnostics, early: bool) -> Diagnostics {
    let is_open =
        |d: &Diagnostic| is_of_check(config, d) && !d.is_error() && (early || d.summary.ends_with("known after apply"));
    let interrupted = |d: &Diagnostic| ["Planning interrupted", "Apply interrupted"].contains(&d.summary.as_str());
    let detail = "The run was broken off, and those after it are skipped.";
    let told = told.into_iter().filter(|d| !is_open(d));
    let told = told.map(|d| if interrupted(&d) { Diagnostic::error("Test interrupted", detail) } else { d });
    Diagnostics(told.collect())
}

/// Whether something is told about a `check` block: about what it asserts, or about a data source in it.
fn is_of_check(config: &Config, told: &Diagnostic) -> bool {
    let block = |addr: &InstanceAddr| resource_block(config, &addr.resource);
    told.summary.starts_with(OF_CHECK)
        || about_data(told).is_some_and(|addr| block(&addr).is_some_and(|it| it.check.is_some()))
}

/// A check that fails is a warning elsewhere; in a test it counts as an error, as nobody asserted or expected it.
fn count_checks(config: &Config, diagnostics: &mut Diagnostics) -> Status {
    let mut status = Status::Pass;
    for failed in diagnostics.0.iter_mut().filter(|d| is_of_check(config, d)) {
        failed.severity = Severity::Error;
        status = Status::Error;
    }
    status
}

/// Whether nothing is in flight for a change.
fn is_settled(action: sgp_model::plan::Action) -> bool {
    use sgp_model::plan::Action;
    matches!(action, Action::NoOp | Action::Read | Action::Forget)
}

fn options(run: &Run) -> PlanOptions {
    PlanOptions {
        mode: if run.options.refresh_only { PlanMode::RefreshOnly } else { PlanMode::Normal },
        targets: run.options.targets.clone(),
        replace: run.options.replace.clone(),
        refresh: run.options.refresh,
        skipped_checks: Vec::new(),
        // A test is about the configuration, not about what runs beside it.
        live: Some(false),
    }
}

/// What a run knows from elsewhere.
struct Told<'t> {
    /// The outputs of earlier runs.
    run: &'t Value,
    /// Variables of the test file that the module does not declare.
    more_variables: &'t BTreeMap<Arc<str>, Value>,
}

/// What there is after a run.
struct Seen {
    evaluator: Evaluator<ApplyWorld>,
    outputs: BTreeMap<Arc<str>, Value>,
}

impl Seen {
    fn new(session: &Session, inputs: Inputs, world: ApplyWorld) -> Self {
        let evaluator =
            Evaluator::new(session.config.clone(), inputs, session.registry.clone(), session.files.clone(), world);
        Self { evaluator, outputs: BTreeMap::new() }
    }

    /// After a plan: the values that it shows.
    fn plan(session: &Session, plan: &Plan) -> Self {
        let inputs = Inputs { impure: None, timestamp: plan.timestamp, ..session.inputs.clone() };
        let mut seen = Self::new(session, inputs, apply::world(session, plan));
        for name in seen.evaluator.root_outputs() {
            if let Ok(value) = seen.evaluator.output(&ModulePath::root(), &name) {
                seen.outputs.insert(name.into(), value);
            }
        }
        seen
    }

    /// After an apply: what is recorded.
    fn state(session: &Session, plan: &Plan, outcome: &Outcome, state: &State) -> Self {
        let mut settled: BTreeMap<InstanceAddr, Value> = plan.data.clone();
        settled.extend(outcome.read.clone());
        for (key, record) in state.instances.iter().filter(|(key, _)| key.deposed.is_none()) {
            settled.insert(key.addr.clone(), shown(session, key, record));
        }
        let world = ApplyWorld { settled, planned: BTreeMap::new(), ..apply::world(session, plan) };
        let inputs = Inputs { timestamp: plan.timestamp, ..session.inputs.clone() };
        let mut seen = Self::new(session, inputs, world);
        // The state has no outputs that are null.
        let declared = seen.evaluator.root_outputs().into_iter().map(|name| (name.into(), Value::dynamic_null()));
        let recorded = outcome.outputs.iter().map(|(name, o)| (Arc::from(name.as_str()), output(o)));
        seen.outputs = declared.chain(recorded).collect();
        seen
    }

    /// The names that assertions have beside those of the module.
    fn names(&mut self, told: &Told<'_>) -> Names {
        let mut names = Names::from([
            (Arc::from("run"), told.run.clone()),
            (Arc::from("output"), Value::object(self.outputs.clone())),
        ]);
        if !told.more_variables.is_empty() {
            let own = self.evaluator.variables().into_iter().map(|(k, v)| (Arc::from(k), v));
            let all: BTreeMap<Arc<str>, Value> = told.more_variables.clone().into_iter().chain(own).collect();
            names.insert("var".into(), Value::object(all));
        }
        // What is wrong with the configuration was told by the plan.
        self.evaluator.take_diagnostics();
        names
    }
}

fn output(record: &OutputRecord) -> Value {
    if record.sensitive { record.value.clone().sensitive() } else { record.value.clone() }
}

/// The configuration under test, for whoever asks what it declares.
pub(super) fn config_of<'w>(walk: &'w Walk<'_>, run: &'w Run) -> Option<&'w Arc<Config>> {
    match &run.module {
        Some(module) => module.config.as_ref(),
        None => Some(&walk.suite.loaded.config),
    }
}
