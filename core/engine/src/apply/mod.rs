//! Walking a plan: every step when what it waits for is done, as many at the same time as the endpoints allow.
//!
//! One coordinator owns the evaluator and decides; each step's calls run in a task of its own ([`operation`]). A step is
//! evaluated again with what is known by then, and may turn out to be a no-op or be refused; no step is ever added. Steps that
//! wait for deferred instances are held: they come with the plan of a later round ([`crate::rounds`]).

mod afterwards;
mod checks;
mod operation;
mod prepare;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sgp_contract::Write;
use sgp_lang::{Config, Evaluator, Stop};
use sgp_model::{
    DeposedKey, Diagnostic, Diagnostics, InstanceAddr, InstanceRecord, Mode, ModulePath, Plan, Value,
    plan::{Action, Op, PlanMode, ResourceChange, Step, StepId, Summary},
    state::{OutputRecord, RecordKey},
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::{
    ApplyOptions, Event, Interrupt, Outcome, Session,
    blocks::resource_block,
    clients::Clients,
    ephemeral::{OpenOnes, open_wanted},
    planner::shown,
    recover, rollout,
    rounds::{self, Continued},
    values::ApplyWorld,
};
use operation::{Done, Unrecorded};

/// How many objects a report names.
const NAMED_MAX: usize = 20;

/// Applies a plan that was made from the state as it is now (see [`crate::check_saved`]), and plans and applies what it defers.
pub async fn apply(session: &Session, plan: &Plan, options: &ApplyOptions) -> Outcome {
    let (mut outcome, mut continued) = walk(session, plan, *options, false).await;
    let mut last: Option<Plan> = None;
    while last.as_ref().unwrap_or(plan).is_deferring() && !outcome.interrupted && !outcome.diagnostics.has_errors() {
        let is_bumped = continued.is_bumped;
        let next = match rounds::next(session, plan, last.as_ref().unwrap_or(plan), continued).await {
            Ok((next, news)) => {
                outcome.diagnostics.extend(news);
                next
            }
            Err(_) if *session.interrupt.borrow() >= Interrupt::Finish => {
                outcome.interrupted = true;
                outcome.diagnostics.push(interrupted());
                break;
            }
            Err(problems) => {
                outcome.diagnostics.extend(problems);
                break;
            }
        };
        let round;
        (round, continued) = walk(session, &next, *options, is_bumped).await;
        outcome = Outcome {
            done: outcome.done.plus(round.done),
            forgotten: [outcome.forgotten, round.forgotten].concat(),
            diagnostics: Diagnostics(outcome.diagnostics.into_iter().chain(round.diagnostics).collect()),
            ..round
        };
        last = Some(next);
    }
    if options.rollout && !outcome.interrupted && !outcome.diagnostics.has_errors() {
        let rolled = rollout::roll_out(session, plan).await;
        outcome.restarted = rolled.restarted;
        outcome.diagnostics.extend(rolled.diagnostics);
        outcome.interrupted = rolled.interrupted;
    }
    outcome
}

/// Walks one plan. An earlier round of the same run may have raised the serial.
async fn walk(session: &Session, plan: &Plan, options: ApplyOptions, is_bumped: bool) -> (Outcome, Continued) {
    let mut walk = Walk::new(session, plan, options, is_bumped);
    if walk.record_refreshed().await {
        walk.run().await;
        walk.record_what_lists_changes().await;
        walk.record_outputs().await;
        // As long as something is deferred, the round after judges.
        if !plan.is_deferring() {
            walk.judge_checks().await;
            walk.record_checks().await;
        }
    }
    let closed = walk.open.close(session).await;
    walk.diagnostics.extend(closed);
    let continued = walk.continued();
    (walk.outcome(), continued)
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waiting,
    Running,
    Done,
    Failed,
}

/// What every task needs.
pub(crate) struct Shared {
    pub(crate) session: Session,
    /// One for each endpoint, made at first use.
    slots: std::sync::Mutex<HashMap<&'static str, Arc<Semaphore>>>,
    parallelism: usize,
    /// Whether the serial is already raised in this run.
    bumped: AtomicBool,
    /// Whether the state could not be written, so that nothing more may be begun.
    halted: AtomicBool,
    /// Becomes true when the person asked to stop at once.
    pub(crate) cancelled: watch::Receiver<bool>,
}

impl Shared {
    /// The writes, and the serial's rise with the first of a run.
    pub(crate) fn with_serial(&self, mut writes: Vec<Write>) -> Vec<Write> {
        if !self.bumped.swap(true, Ordering::SeqCst) {
            writes.push(Write::BumpSerial);
        }
        writes
    }

    /// Nothing more may be begun.
    pub(crate) fn halt(&self) {
        self.halted.store(true, Ordering::SeqCst);
    }

    /// Whether nothing more may be begun: the state cannot be written, or the person asked to stop.
    pub(crate) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::SeqCst) || *self.session.interrupt.borrow() >= Interrupt::Finish
    }

    /// The places at an endpoint.
    pub(crate) fn slots(&self, endpoint: &'static str) -> Arc<Semaphore> {
        let mut slots = self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        slots.entry(endpoint).or_insert_with(|| Arc::new(Semaphore::new(self.parallelism.max(1)))).clone()
    }
}

/// What exists, with the order that the plan knows for what stays as it is: an imported object has none yet, and a reference
/// that was edited moves no attribute.
fn with_order(plan: &Plan, config: &Config) -> BTreeMap<RecordKey, InstanceRecord> {
    let mut records = plan.refreshed.instances.clone();
    for change in plan.changes.iter().filter(|c| c.action == Action::NoOp && c.deposed.is_none()) {
        if let Some(record) = records.get_mut(&RecordKey::current(change.addr.clone())) {
            record.dependencies.clone_from(&change.dependencies);
            record.create_before_destroy = change.create_before_destroy;
            record.skip_destroy = match resource_block(config, &change.addr.resource) {
                Some(block) => block.lifecycle.skip_destroy,
                None => record.skip_destroy,
            };
        }
    }
    records
}

struct Walk<'a> {
    shared: Arc<Shared>,
    plan: &'a Plan,
    evaluator: Evaluator<ApplyWorld>,
    clients: Clients,
    records: BTreeMap<RecordKey, InstanceRecord>,
    progress: Vec<Progress>,
    /// Which steps wait for deferred instances.
    held: Vec<bool>,
    missing: Vec<usize>,
    dependents: Vec<Vec<u32>>,
    /// Where the old object of a create-then-delete replacement was put, by change.
    deposed: BTreeMap<u32, DeposedKey>,
    tasks: JoinSet<Done>,
    outputs: BTreeMap<String, OutputRecord>,
    /// What data sources answered that were read now.
    read: BTreeMap<InstanceAddr, Value>,
    done: Summary,
    /// Those that were let go.
    forgotten: Vec<InstanceAddr>,
    diagnostics: Diagnostics,
    interrupted: bool,
    /// Why the state cannot be written any more.
    store_failed: Option<String>,
    /// Whose outcome (`true`) or intent (`false`) could not be recorded.
    unrecorded: Vec<(InstanceAddr, bool)>,
    cancel: watch::Sender<bool>,
    /// Ephemeral resources that are open.
    open: OpenOnes,
}

impl<'a> Walk<'a> {
    fn new(session: &Session, plan: &'a Plan, options: ApplyOptions, is_bumped: bool) -> Self {
        let (cancel, cancelled) = watch::channel(false);
        let shared = Arc::new(Shared {
            session: session.clone(),
            slots: std::sync::Mutex::default(),
            parallelism: options.parallelism,
            bumped: AtomicBool::new(is_bumped),
            halted: AtomicBool::new(false),
            cancelled,
        });
        let mut inputs = session.inputs.clone();
        inputs.timestamp = plan.timestamp;
        let evaluator = Evaluator::new(
            session.config.clone(),
            inputs,
            session.registry.clone(),
            session.files.clone(),
            world(session, plan),
        );
        let mut dependents = vec![Vec::new(); plan.steps.len()];
        for (i, step) in (0u32..).zip(&plan.steps) {
            step.after.iter().for_each(|before| dependents[before.0 as usize].push(i));
        }
        let mut held = vec![false; plan.steps.len()];
        plan.held.iter().for_each(|step| held[step.0 as usize] = true);
        Self {
            held,
            shared,
            plan,
            evaluator,
            clients: Clients::default(),
            records: with_order(plan, &session.config),
            progress: vec![Progress::Waiting; plan.steps.len()],
            missing: plan.steps.iter().map(|s| s.after.len()).collect(),
            dependents,
            deposed: BTreeMap::new(),
            tasks: JoinSet::new(),
            outputs: plan.refreshed.outputs.clone(),
            read: BTreeMap::new(),
            done: Summary::default(),
            forgotten: Vec::new(),
            diagnostics: Diagnostics::new(),
            interrupted: false,
            store_failed: None,
            unrecorded: Vec::new(),
            cancel,
            open: OpenOnes::default(),
        }
    }

    fn session(&self) -> &Session {
        &self.shared.session
    }

    /// Records what the refresh found, so that the state says what is. Answers whether the walk can begin.
    async fn record_refreshed(&mut self) -> bool {
        let stored = match self.session().store.load().await {
            Ok(state) => crate::typed::typed(state, &self.session().registry).0,
            Err(error) => {
                self.diagnostics.push(Diagnostic::error("State cannot be read", format!("{error}.")));
                return false;
            }
        };
        // Objects that an import adopts are recorded by their own step.
        let imported: BTreeSet<&InstanceAddr> =
            self.plan.changes.iter().filter(|c| c.importing.is_some()).map(|c| &c.addr).collect();
        let mut writes: Vec<Write> = Vec::new();
        for (key, record) in &self.records {
            if stored.instances.get(key) != Some(record) && !imported.contains(&key.addr) {
                writes.push(Write::Put(key.clone(), Box::new(record.clone())));
            }
        }
        writes.extend(stored.instances.keys().filter(|k| !self.records.contains_key(k)).cloned().map(Write::Remove));
        writes.is_empty() || self.write(writes).await
    }

    async fn write(&mut self, writes: Vec<Write>) -> bool {
        let writes = self.shared.with_serial(writes);
        match self.session().store.write(writes).await {
            Ok(()) => true,
            Err(error) => {
                self.diagnostics.push(Diagnostic::error("State cannot be written", format!("{error}.")));
                false
            }
        }
    }

    async fn run(&mut self) {
        self.evaluator.variables();
        let ready: Vec<u32> = (0u32..).zip(&self.missing).filter(|(_, m)| **m == 0).map(|(i, _)| i).collect();
        for step in ready {
            self.start(step).await;
        }
        let mut interrupt = self.session().interrupt.clone();
        while !self.tasks.is_empty() {
            let renewal = self.open.next_renewal(self.session().clock.now());
            let clock = self.session().clock.clone();
            tokio::select! {
                () = due(&*clock, renewal) => {
                    let session = self.session().clone();
                    let problems = self.open.renew(&session).await;
                    self.diagnostics.extend(problems);
                }
                Some(done) = self.tasks.join_next() => match done {
                    Ok(done) => {
                        self.finish(done).await;
                        self.close_unneeded().await;
                    }
                    Err(error) => {
                        let detail = format!("A task of sgp ended unexpectedly ({error}). This is a bug; please report it.");
                        self.diagnostics.push(Diagnostic::error("Internal error", detail));
                    }
                },
                Ok(()) = interrupt.changed() => {
                    self.interrupted = true;
                    if *interrupt.borrow() == Interrupt::Now {
                        let _ = self.cancel.send(true);
                        self.tasks.abort_all();
                        break;
                    }
                }
            }
        }
        self.report_unrecorded();
        self.report_skipped();
    }

    /// One report about everything that could not be written down.
    fn report_unrecorded(&mut self) {
        let Some(cause) = &self.store_failed else { return };
        let mut detail = format!("Nothing more was started: {cause}.");
        for (called, text) in [
            (true, "These calls were made, but their outcome is not recorded; the next run looks it up in the journal"),
            (false, "Nothing was done to these, because their intent could not be journaled"),
        ] {
            let named: Vec<_> = self.unrecorded.iter().filter(|(_, c)| *c == called).map(|(a, _)| a).collect();
            if !named.is_empty() {
                let shown = named.iter().take(NAMED_MAX).map(|addr| format!("\n - {addr}"));
                let more = named.len().saturating_sub(NAMED_MAX);
                let rest = (more > 0).then(|| format!("\n - and {more} more"));
                detail.extend([format!("\n{text}:")].into_iter().chain(shown).chain(rest));
            }
        }
        detail.push_str("\nMake the state writable and run the command again.");
        self.diagnostics.push(Diagnostic::error("State cannot be written", detail));
    }

    /// Starts a step whose turn it is; joins and no-ops are done at once, with everything that this makes ready.
    async fn start(&mut self, first: u32) {
        let mut ready = vec![first];
        while let Some(at) = ready.pop() {
            if *self.session().interrupt.borrow() >= Interrupt::Finish {
                self.interrupted = true;
                return;
            }
            if self.store_failed.is_some() {
                return;
            }
            if self.held[at as usize] {
                continue;
            }
            match self.begin(at).await {
                Progress::Done => ready.extend(self.completed(at)),
                other => self.progress[at as usize] = other,
            }
        }
    }

    /// Marks a step as done and answers the steps that are ready now.
    fn completed(&mut self, at: u32) -> Vec<u32> {
        self.progress[at as usize] = Progress::Done;
        let mut ready = Vec::new();
        for &next in &self.dependents[at as usize] {
            self.missing[next as usize] -= 1;
            if self.missing[next as usize] == 0 {
                ready.push(next);
            }
        }
        ready
    }

    async fn begin(&mut self, at: u32) -> Progress {
        let plan = self.plan;
        let step: &Step = &plan.steps[at as usize];
        let Some(index) = step.change else { return Progress::Done };
        let change = &plan.changes[index as usize];
        match self.prepare(index, step.op, change).await {
            Ok(Some(work)) => {
                self.tasks.spawn(work.run(at, self.shared.clone()));
                Progress::Running
            }
            Ok(None) if self.holds(step.op, change).await => Progress::Done,
            Ok(None) => Progress::Failed,
            Err(diagnostics) => {
                self.diagnostics.extend(diagnostics);
                Progress::Failed
            }
        }
    }

    async fn finish(&mut self, done: Done) {
        let failed = done.failed();
        if !done.begun {
            self.progress[done.step as usize] = Progress::Waiting;
            let asked = *self.session().interrupt.borrow() >= Interrupt::Finish;
            self.interrupted |= asked;
            return;
        }
        let Done { step: at, begun: _, read, record, diagnostics, deposed, unrecorded } = done;
        let plan = self.plan;
        let step = &plan.steps[at as usize];
        let index = step.change.expect("only steps with a change have tasks");
        let change = &plan.changes[index as usize];
        self.diagnostics.extend(diagnostics);
        if let Some(Unrecorded { cause, called }) = unrecorded {
            self.store_failed.get_or_insert(cause);
            self.unrecorded.push((change.addr.clone(), called));
        }
        for (key, value) in record {
            match value {
                Some(record) => {
                    self.records.insert(key, record);
                }
                None => {
                    self.records.remove(&key);
                }
            }
        }
        if let Some((addr, value)) = read {
            self.read.insert(addr.clone(), value.clone());
            self.evaluator.world_mut().settled.insert(addr, value);
        }
        if let Some(key) = deposed {
            self.deposed.insert(index, key);
        }
        if failed {
            self.progress[at as usize] = Progress::Failed;
            return;
        }
        self.count(step.op, change);
        self.settle(step.op, change);
        if !self.holds(step.op, change).await {
            self.progress[at as usize] = Progress::Failed;
            return;
        }
        for next in self.completed(at) {
            self.start(next).await;
        }
    }

    fn count(&mut self, op: Op, change: &ResourceChange) {
        match op {
            Op::Create => self.done.add += 1,
            Op::Update => self.done.change += 1,
            Op::Delete if change.deposed.is_none() => self.done.destroy += 1,
            _ => {}
        }
        self.done.import += usize::from(change.importing.is_some() && op != Op::Delete);
    }

    /// What the evaluator says, with the ephemeral resources opened that it needs.
    async fn evaluated<T>(
        &mut self,
        evaluate: impl Fn(&mut Evaluator<ApplyWorld>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        loop {
            match evaluate(&mut self.evaluator) {
                Err(Stop::Blocked) if self.open_wanted().await => {}
                result => return result,
            }
        }
    }

    /// Closes the ephemeral resources whose last user is done.
    async fn close_unneeded(&mut self) {
        let (plan, progress, held) = (self.plan, &self.progress, &self.held);
        let is_over = |step: &StepId| {
            let at = step.0 as usize;
            held[at] || matches!(progress[at], Progress::Done | Progress::Failed)
        };
        let session = self.shared.session.clone();
        let is_meant = |addr: &InstanceAddr| plan.open_for.get(addr).is_some_and(|steps| steps.iter().all(is_over));
        let closed = self.open.close_where(&session, is_meant).await;
        self.diagnostics.extend(closed);
    }

    /// Opens the ephemeral resources that an evaluation asked for; answers whether there were any.
    async fn open_wanted(&mut self) -> bool {
        let session = self.shared.session.clone();
        let (clients, diagnostics) = (&mut self.clients, &mut self.diagnostics);
        open_wanted(&session, &mut self.evaluator, clients, &mut self.open, diagnostics).await
    }

    /// Makes the new value visible to expressions.
    fn settle(&mut self, op: Op, change: &ResourceChange) {
        if !matches!(op, Op::Create | Op::Update | Op::Record) {
            return;
        }
        let key = RecordKey::current(change.addr.clone());
        if let Some(record) = self.records.get(&key) {
            let value = shown(self.session(), &key, record);
            self.evaluator.world_mut().settled.insert(change.addr.clone(), value);
        }
    }

    /// Whether the object is what its postconditions ask for. It is recorded either way; what depends on it is not begun.
    async fn holds(&mut self, op: Op, change: &ResourceChange) -> bool {
        let has_conditions = resource_block(&self.session().config, &change.addr.resource)
            .is_some_and(|block| !block.lifecycle.postconditions.is_empty());
        if !has_conditions || matches!(op, Op::Delete | Op::Forget | Op::Join) {
            return true;
        }
        let held = self.evaluated(|it| it.object(&change.addr)).await.is_ok();
        let told = self.evaluator.take_diagnostics();
        self.diagnostics.extend(told);
        held
    }

    /// Says which steps were not taken, and why nothing is lost by that.
    fn report_skipped(&mut self) {
        // What is held is not skipped, as long as there is another round.
        let over = self.interrupted || self.store_failed.is_some() || self.diagnostics.has_errors();
        for ((step, progress), held) in self.plan.steps.iter().zip(&self.progress).zip(&self.held) {
            let (Some(change), Progress::Waiting, true) = (step.change, progress, over || !held) else { continue };
            let change = &self.plan.changes[change as usize];
            self.session().events.emit(Event::Skipped { addr: change.addr.clone(), action: action_of(step.op) });
        }
        if self.interrupted {
            self.diagnostics.push(interrupted());
        }
    }

    /// Evaluates the outputs once more, with what is known now.
    async fn record_outputs(&mut self) {
        let stopped = *self.session().interrupt.borrow() == Interrupt::Now || self.store_failed.is_some();
        if !self.plan.targets.is_empty() || stopped {
            return;
        }
        let mut outputs = BTreeMap::new();
        if self.plan.mode == PlanMode::Destroy {
            if self.diagnostics.has_errors() {
                return;
            }
        } else {
            for name in self.evaluator.root_outputs() {
                let value = self.evaluated(|it| it.output(&ModulePath::root(), &name)).await;
                match value {
                    // As in Terraform's state: what is null is not there.
                    Ok(value) if value.is_null() => {}
                    Ok(value) if value.is_wholly_known() => {
                        outputs.insert(name, output_record(value));
                    }
                    // An output of what could not be made keeps the value it had.
                    _ => {
                        if let Some(old) = self.outputs.get(&name) {
                            outputs.insert(name, old.clone());
                        }
                    }
                }
            }
            // As long as something is deferred, conditions are told of by the round after.
            if !self.diagnostics.has_errors() && !self.plan.is_deferring() {
                self.evaluator.check_conditions();
                while self.open_wanted().await {
                    self.evaluator.check_conditions();
                }
            }
            let problems = self.evaluator.take_diagnostics();
            if !self.diagnostics.has_errors() {
                self.diagnostics.extend(problems);
            }
        }
        if outputs != self.outputs {
            let list = outputs.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            if self.write(vec![Write::Outputs(list)]).await {
                self.outputs = outputs;
            }
        }
    }

    /// What the next round need not look at again.
    fn continued(&self) -> Continued {
        let deferred = |addr: &InstanceAddr| self.plan.deferred.iter().any(|it| it.change.addr.stands_for(addr));
        let is_made = |op: Op| matches!(op, Op::Create | Op::Update | Op::Record);
        let steps = self.plan.steps.iter().zip(&self.progress).filter(|(step, _)| is_made(step.op));
        let made: BTreeMap<u32, bool> =
            steps.filter_map(|(step, progress)| Some((step.change?, *progress == Progress::Done))).collect();
        let settled = (0u32..).zip(&self.plan.changes).filter(|(i, change)| {
            let as_it_was = || change.action == Action::NoOp && !deferred(&change.addr);
            change.deposed.is_none() && made.get(i).copied().unwrap_or_else(as_it_was)
        });
        let read = self.evaluator.world().settled.iter().filter(|(addr, _)| addr.resource.mode == Mode::Data);
        Continued {
            data: read.map(|(addr, value)| (addr.clone(), value.clone())).collect(),
            settled: settled.map(|(_, change)| change.addr.clone()).collect(),
            is_bumped: self.shared.bumped.load(Ordering::SeqCst),
        }
    }

    fn outcome(self) -> Outcome {
        Outcome {
            done: self.done,
            restarted: 0,
            outputs: self.outputs,
            read: self.read,
            forgotten: self.forgotten,
            diagnostics: self.diagnostics,
            interrupted: self.interrupted,
        }
    }
}

fn interrupted() -> Diagnostic {
    Diagnostic::error(
        "Apply interrupted",
        "What was in flight is recorded; the steps that had not begun were not taken. Run apply again to go on.",
    )
}

fn output_record(value: Value) -> OutputRecord {
    let sensitive = value.is_sensitive();
    let (value, _) = value.unmark_deep();
    OutputRecord { ty: value.ty(), value, sensitive }
}

/// What the evaluator sees at the beginning: objects that do not change are settled.
pub(crate) fn world(session: &Session, plan: &Plan) -> ApplyWorld {
    // What check blocks look at is read once more.
    let is_scoped =
        |addr: &InstanceAddr| resource_block(&session.config, &addr.resource).is_some_and(|b| b.check.is_some());
    let data = plan.data.iter().filter(|(addr, _)| !is_scoped(addr));
    let mut settled: BTreeMap<InstanceAddr, Value> = data.map(|(addr, value)| (addr.clone(), value.clone())).collect();
    let mut planned = BTreeMap::new();
    for (key, record) in plan.refreshed.instances.iter().filter(|(key, _)| key.deposed.is_none()) {
        settled.insert(key.addr.clone(), shown(session, key, record));
    }
    for change in plan.changes.iter().filter(|c| c.deposed.is_none()) {
        match change.action {
            Action::NoOp | Action::Delete | Action::Forget => {}
            _ => {
                settled.remove(&change.addr);
                planned.insert(change.addr.clone(), change.after.clone());
            }
        }
    }
    ApplyWorld::new(session.registry.clone(), settled, planned)
}

/// The action that a step shows.
pub(crate) fn action_of(op: Op) -> Action {
    match op {
        Op::Create => Action::Create,
        Op::Update => Action::Update,
        Op::Delete => Action::Delete,
        Op::Read => Action::Read,
        Op::Forget => Action::Forget,
        Op::Record | Op::Join => Action::NoOp,
    }
}

/// Waits until the next renewal of an ephemeral resource; for ever when there is none.
async fn due(clock: &dyn sgp_contract::Clock, renewal: Option<Duration>) {
    match renewal {
        Some(Duration::ZERO) => {}
        Some(time) => clock.sleep(time).await,
        None => std::future::pending().await,
    }
}

/// A fresh deposed key.
pub(crate) fn fresh_deposed(session: &Session) -> DeposedKey {
    recover::deposed_key(session)
}
