//! Making a plan: rounds of evaluation and reading until nothing waits, then judgement of what is left over, then order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::future::join_all;
use sgp_lang::{Evaluator, Inputs, Stop};
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, InstanceRecord, Mode, ModulePath, Plan, ProviderAddr, ResourceAddr, State,
    Value,
    address::ParsedAddr,
    plan::{Action, DeferredChange, OutputChange, PlanMode, ResourceChange, Running, Step, StepId},
    state::RecordKey,
};
use tokio::sync::watch;

use crate::{
    Interrupt, PlanOptions, Planned, Session,
    blocks::resource_block,
    claims,
    clients::{self, ClientState, Clients},
    deferred,
    dependencies::Dependencies,
    ephemeral::{Desk, OpenOnes},
    judge, leftover, reading, recover,
    refactor::{self, Forgotten},
    refresh,
    rounds::Continued,
    running, symbolic,
    typed::{self, marked},
    world::PlanWorld,
};

/// Plans. Recovers an interrupted run first.
pub async fn plan(session: &Session, options: &PlanOptions) -> Planned {
    let diagnostics = recover::recover(session).await;
    if diagnostics.has_errors() {
        return Planned { plan: None, diagnostics };
    }
    go_on(session, options, Continued::default(), diagnostics).await
}

/// Plans where an earlier round of the same apply left off, if there was one.
pub(crate) async fn go_on(
    session: &Session,
    options: &PlanOptions,
    continued: Continued,
    diagnostics: Diagnostics,
) -> Planned {
    let mut open = OpenOnes::default();
    let mut planned = made(session, options, continued, diagnostics, &mut open).await;
    planned.diagnostics.extend(open.close(session).await);
    planned
}

async fn made(
    session: &Session,
    options: &PlanOptions,
    continued: Continued,
    mut diagnostics: Diagnostics,
    open: &mut OpenOnes,
) -> Planned {
    let Some(mut state) = load(session, &mut diagnostics).await else { return Planned { plan: None, diagnostics } };
    let moved = refactor::moved(&session.config, &session.registry, &mut state, &mut diagnostics);
    let forgotten = Forgotten::of(&session.config, &mut diagnostics);
    if diagnostics.has_errors() {
        return Planned { plan: None, diagnostics };
    }
    let mut planning = Planning::new(session, options, state, Refactored { moved, forgotten }, open, continued);
    let mut interrupt = session.interrupt.clone();
    tokio::select! {
        biased;
        // Nothing is changed by planning, so nothing has to be finished.
        () = interrupted(&mut interrupt) => {
            diagnostics.push(Diagnostic::error("Planning interrupted", "Nothing was changed."));
            return Planned { plan: None, diagnostics };
        }
        () = planning.run() => {}
    }
    let plan = planning.finish();
    let mut all = std::mem::take(&mut planning.diagnostics);
    all.extend(planning.evaluator.take_diagnostics());
    all.extend(std::mem::take(&mut planning.evaluator.world_mut().diagnostics));
    diagnostics.extend(all);
    let Some(mut plan) = plan.filter(|_| !diagnostics.has_errors()) else { return Planned { plan: None, diagnostics } };
    let clients = &planning.evaluator.world().clients;
    plan.symbolic = symbolic::symbolic(session, &plan);
    diagnostics.extend(claims::conflicts(session, clients, &plan));
    if diagnostics.has_errors() {
        return Planned { plan: None, diagnostics };
    }
    let around = tokio::select! {
        biased;
        () = interrupted(&mut interrupt) => {
            diagnostics.push(Diagnostic::error("Planning interrupted", "Nothing was changed."));
            return Planned { plan: None, diagnostics };
        }
        around = running::ask(session, options, &plan, clients) => around,
    };
    let (judged, running) = judge::judge(&plan, &session.config, &options.skipped_checks, around.as_ref());
    diagnostics.extend(running::unseen(&running));
    (plan.preflight, plan.running) = (judged.recorded(), running);
    diagnostics.extend(of_made_up(session, judged.diagnostics(&session.config)));
    plan.diagnostics = diagnostics.clone();
    Planned { plan: Some(plan), diagnostics }
}

/// What the rules say of values that were made up for a test: they may be wrong about them, so that a plan is not refused for it.
fn of_made_up(session: &Session, told: Diagnostics) -> Diagnostics {
    if !session.registry.doubles().is_some_and(|d| d.makes_up()) {
        return told;
    }
    let severe = told.into_iter().filter(Diagnostic::is_error);
    Diagnostics(severe.map(|d| Diagnostic { severity: sgp_model::diag::Severity::Warning, ..d }).collect())
}

/// Returns when the person asks to stop.
pub(crate) async fn interrupted(interrupt: &mut watch::Receiver<Interrupt>) {
    if interrupt.wait_for(|i| *i >= Interrupt::Finish).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The state, typed by the schemas.
pub(crate) async fn load(session: &Session, diagnostics: &mut Diagnostics) -> Option<State> {
    match session.store.load().await {
        Ok(state) => {
            let (state, problems) = typed::typed(state, &session.registry);
            diagnostics.extend(problems);
            Some(state)
        }
        Err(error) => {
            diagnostics.push(Diagnostic::error("State cannot be read", format!("{error}.")));
            None
        }
    }
}

/// What `moved` and `removed` blocks made of the state.
pub(crate) struct Refactored {
    /// The old address of each object that has a new one.
    moved: BTreeMap<InstanceAddr, InstanceAddr>,
    /// What is let go instead of deleted.
    pub(crate) forgotten: Forgotten,
}

/// A plan in the making.
pub(crate) struct Planning<'a> {
    pub(crate) session: &'a Session,
    pub(crate) options: &'a PlanOptions,
    state: State,
    pub(crate) refactored: Refactored,
    pub(crate) evaluator: Evaluator<PlanWorld>,
    open: &'a mut OpenOnes,
    pub(crate) diagnostics: Diagnostics,
}

impl<'a> Planning<'a> {
    fn new(
        session: &'a Session,
        options: &'a PlanOptions,
        state: State,
        refactored: Refactored,
        open: &'a mut OpenOnes,
        continued: Continued,
    ) -> Self {
        let world = PlanWorld {
            session: session.clone(),
            mode: options.mode,
            replace: options.replace.iter().cloned().collect(),
            clients: Clients::default(),
            refreshed: BTreeSet::new(),
            existing: state.instances.clone(),
            to_import: BTreeSet::new(),
            importing: BTreeMap::new(),
            changes: BTreeMap::new(),
            deferred: BTreeMap::new(),
            settled: continued.settled,
            data: continued.data.into_iter().map(|(addr, value)| (addr, Ok(value))).collect(),
            wanted: BTreeMap::new(),
            looked_up: BTreeMap::new(),
            wanted_look_ups: BTreeMap::new(),
            replaced_clusters: BTreeMap::new(),
            asked: BTreeSet::new(),
            providers_asked: BTreeSet::new(),
            desk: Desk::default(),
            diagnostics: Diagnostics::new(),
        };
        // What differs from call to call is unknown while planning.
        let inputs = Inputs { impure: None, timestamp: session.clock.now(), ..session.inputs.clone() };
        let mut evaluator =
            Evaluator::new(session.config.clone(), inputs, session.registry.clone(), session.files.clone(), world);
        evaluator.restrict(options.targets.clone());
        Self { session, options, state, refactored, evaluator, open, diagnostics: Diagnostics::new() }
    }

    /// Rounds of: evaluate what can be, do all the reading that was asked for at the same time.
    async fn run(&mut self) {
        self.evaluator.variables();
        self.follow_providers();
        loop {
            let configured = self.configure_providers().await;
            let imported = self.read_imports().await;
            let known = self.asked();
            self.evaluate();
            let asked = self.asked() > known;
            let read = self.read_data().await;
            let looked_up = self.look_up().await;
            let opened = self.open_ephemerals().await;
            if !(configured || imported || asked || read || looked_up || opened) {
                break;
            }
        }
    }

    /// How much was asked for so far; with targets that decides what is read.
    fn asked(&self) -> usize {
        let world = self.evaluator.world();
        if self.options.targets.is_empty() { 0 } else { world.providers_asked.len() + world.asked.len() }
    }

    /// An object belongs to the provider configuration that its block names now; the recorded one counts when the block is
    /// gone.
    fn follow_providers(&mut self) {
        // Providers are found by module instance.
        self.evaluator.resources();
        let mut changed = Vec::new();
        for (key, record) in &mut self.state.instances {
            if let Some(now) = self.evaluator.declared_provider_of(&key.addr).filter(|p| *p != record.provider) {
                record.provider = now;
                changed.push((key.clone(), record.clone()));
            }
        }
        self.evaluator.world_mut().existing.extend(changed);
    }

    /// The provider configurations that this plan needs. With targets those of what is evaluated, as it turns out, and of
    /// what is recorded and meant: a part of the world that is out of reach must not stand in the way of the rest.
    fn wanted_providers(&mut self) -> BTreeSet<ProviderAddr> {
        if self.options.targets.is_empty() {
            let resources = self.evaluator.resources();
            let configured = resources.iter().flat_map(|r| self.evaluator.providers_of(r));
            return self.state.instances.values().map(|r| r.provider.clone()).chain(configured).collect();
        }
        let doomed = match self.options.mode {
            PlanMode::Destroy => leftover::doomed_resources(&self.state.instances, &self.options.targets),
            _ => BTreeSet::new(),
        };
        let meant = self.state.instances.iter().filter(|(key, _)| {
            self.targeted(&key.addr) || (!doomed.is_empty() && doomed.contains(&key.addr.resource.without_keys()))
        });
        meant.map(|(_, r)| r.provider.clone()).chain(self.evaluator.world().providers_asked.clone()).collect()
    }

    /// Evaluates provider configurations that are new, makes their clients and refreshes what they serve. Answers whether
    /// there were any.
    async fn configure_providers(&mut self) -> bool {
        let mut wanted = self.wanted_providers();
        wanted.extend(clients::behind(&self.session.config, &self.session.registry, &wanted));
        wanted.retain(|p| !self.evaluator.world().clients.0.contains_key(p));
        let mut evaluated = Vec::new();
        let mut blocked = BTreeSet::new();
        for addr in wanted {
            match self.evaluator.provider_config(&addr) {
                Ok(config) => evaluated.push((addr, config)),
                Err(Stop::Blocked) => drop(blocked.insert(addr)),
                Err(Stop::Failed) => {
                    self.evaluator.world_mut().clients.0.insert(addr, ClientState::Failed);
                }
            }
        }
        // What calls through another one waits for it, as long as there is something else to go on with.
        let (free, waiting): (Vec<_>, Vec<_>) = evaluated.into_iter().partition(|(addr, _)| {
            clients::behind(&self.session.config, &self.session.registry, [addr]).is_disjoint(&blocked)
        });
        let evaluated = if free.is_empty() { waiting } else { free };
        if evaluated.is_empty() {
            return false;
        }
        let new: Vec<ProviderAddr> = evaluated.iter().map(|(addr, _)| addr.clone()).collect();
        let mut clients = std::mem::take(&mut self.evaluator.world_mut().clients);
        clients.configure(&self.session.registry, evaluated, &mut self.diagnostics).await;
        self.evaluator.world_mut().clients = clients;
        self.refresh(new).await;
        true
    }

    async fn refresh(&mut self, providers: Vec<ProviderAddr>) {
        if self.options.refresh {
            let mut groups = refresh::by_provider(&self.state.instances);
            let clients = self.evaluator.world().clients.0.clone();
            let session = self.session;
            let reads = providers.iter().filter_map(|addr| {
                let (client, records) = (clients.get(addr)?.clone(), groups.remove(addr)?);
                Some(async move { refresh::refresh(session, &client, &records).await })
            });
            let done = join_all(reads.collect::<Vec<_>>()).await;
            let world = self.evaluator.world_mut();
            for refreshed in done {
                self.diagnostics.extend(refreshed.diagnostics);
                world.existing.extend(refreshed.present);
                refreshed.gone.iter().for_each(|key| {
                    world.existing.remove(key);
                });
            }
        }
        self.evaluator.world_mut().refreshed.extend(providers);
    }

    /// Reads objects that `import` blocks name and that are not recorded yet. Answers whether there were any.
    async fn read_imports(&mut self) -> bool {
        if self.options.mode != PlanMode::Normal {
            return false;
        }
        let mut any = false;
        let imports = self.evaluator.imports();
        self.evaluator.world_mut().to_import = imports.iter().map(|(addr, _)| addr.clone()).collect();
        for (addr, id) in imports {
            // With targets, what nobody asked for is not imported either.
            if !self.options.targets.is_empty() && !self.evaluator.world().asked.contains(&addr) {
                continue;
            }
            if resource_block(&self.session.config, &addr.resource).is_none() {
                self.diagnostics.push(without_a_block(&addr));
                continue;
            }
            // Which instances there are is told during apply; what is imported by then is found then.
            if self.evaluator.is_open(&addr.resource) {
                continue;
            }
            let key = RecordKey::current(addr.clone());
            let world = self.evaluator.world();
            if world.importing.contains_key(&addr) || world.existing.contains_key(&key) {
                continue;
            }
            let provider = self.evaluator.provider_of(&addr);
            let Some(client) = self.evaluator.world().clients.0.get(&provider).cloned() else { continue };
            let config = match self.evaluator.instance_config(&addr) {
                Ok(config) => config,
                Err(Stop::Blocked) => continue,
                Err(Stop::Failed) => Value::dynamic_null(),
            };
            any = true;
            self.evaluator.world_mut().importing.insert(addr.clone(), id.clone());
            match reading::read_one(self.session, &client, &addr, &provider, &id, &config).await {
                Ok(record) => {
                    self.evaluator.world_mut().existing.insert(key, record);
                }
                Err(problem) => self.diagnostics.push(problem),
            }
        }
        any
    }

    /// Forces everything that the plan is about; what waits for reading is asked again in the next round.
    fn evaluate(&mut self) {
        if self.options.mode == PlanMode::Destroy {
            return;
        }
        let _ = self.evaluator.module_instances();
        // An ephemeral resource is opened when something needs it.
        for resource in self.evaluator.resources().into_iter().filter(|r| r.mode != Mode::Ephemeral) {
            // Counting the instances of what nobody asked for would plan what they are counted by.
            if !self.touched(&resource) {
                continue;
            }
            let Ok(keys) = self.evaluator.instances(&resource) else { continue };
            for addr in keys.into_iter().map(|key| resource.instance(key)) {
                if self.targeted(&addr) {
                    let _ = self.evaluator.object(&addr);
                }
            }
        }
        if self.options.targets.is_empty() {
            for name in self.evaluator.root_outputs() {
                let _ = self.evaluator.output(&ModulePath::root(), &name);
            }
            self.evaluator.check_rest();
        }
    }

    fn targeted(&self, addr: &InstanceAddr) -> bool {
        self.options.targets.is_empty() || self.options.targets.iter().any(|t| t.covers(addr))
    }

    fn touched(&self, resource: &ResourceAddr) -> bool {
        self.options.targets.is_empty() || self.options.targets.iter().any(|t| t.touches(resource))
    }

    /// Targets and replacements that name nothing are mistyped: doing nothing quietly would look like success.
    fn unmatched(&mut self) -> Diagnostics {
        let resources = self.evaluator.resources();
        let world = self.evaluator.world();
        let recorded: Vec<&InstanceAddr> = world.existing.keys().map(|key| &key.addr).collect();
        let targets = self.options.targets.iter().filter(|target| {
            !resources.iter().any(|r| target.touches(r)) && !recorded.iter().any(|addr| target.covers(addr))
        });
        let replaced = self
            .options
            .replace
            .iter()
            .filter(|addr| !recorded.contains(addr) && !world.changes.keys().any(|planned| planned == *addr));
        let named = targets.map(|t| ("-target", shown_target(t))).chain(replaced.map(|a| ("-replace", a.to_string())));
        let problem = |(flag, addr): (&str, String)| {
            let detail = format!("{flag} names {addr}, which is neither in the configuration nor in the state.");
            Diagnostic::error("No such object", detail)
        };
        Diagnostics(named.map(problem).collect())
    }

    /// Reads the data sources that were asked for, in bulk by configuration and type. Answers whether there were any.
    async fn read_data(&mut self) -> bool {
        let wanted = std::mem::take(&mut self.evaluator.world_mut().wanted);
        if wanted.is_empty() {
            return false;
        }
        let clients = self.evaluator.world().clients.clone();
        let read = reading::read_data(self.session, &clients, &wanted).await;
        self.evaluator.world_mut().data.extend(read);
        true
    }

    /// Opens ephemeral resources that were asked for, and renews those that are due. Answers whether any was opened.
    async fn open_ephemerals(&mut self) -> bool {
        let renewed = self.open.renew(self.session).await;
        self.diagnostics.extend(renewed);
        let wanted = std::mem::take(&mut self.evaluator.world_mut().desk.wanted);
        if wanted.is_empty() {
            return false;
        }
        let clients = self.evaluator.world().clients.clone();
        let answers = self.open.open(self.session, &clients, wanted).await;
        let any = !answers.is_empty();
        self.evaluator.world_mut().desk.answers.extend(answers);
        any
    }

    /// Looks up what types want to know, in bulk by configuration and type. Answers whether there was anything.
    async fn look_up(&mut self) -> bool {
        let wanted = std::mem::take(&mut self.evaluator.world_mut().wanted_look_ups);
        if wanted.is_empty() {
            return false;
        }
        let clients = self.evaluator.world().clients.clone();
        let found = reading::look_up(self.session, &clients, wanted).await;
        self.evaluator.world_mut().looked_up.extend(found);
        true
    }

    fn finish(&mut self) -> Option<Plan> {
        let told = self.evaluator.take_diagnostics();
        self.diagnostics.extend(told);
        if !self.diagnostics.has_errors() {
            let unmatched = self.unmatched();
            self.diagnostics.extend(unmatched);
        }
        let mut changes = std::mem::take(&mut self.evaluator.world_mut().changes);
        let recorded = self.state.clone();
        let existing = self.existing();
        let mut list: Vec<ResourceChange> = Vec::new();
        let mut dependencies = Dependencies::of(&mut self.evaluator);
        let mut deferred = Vec::new();
        match self.options.mode {
            PlanMode::Normal => {
                for change in changes.values_mut() {
                    change.dependencies = dependencies.resources(&change.addr);
                }
                list.extend(changes.into_values());
                let found = deferred::of(&mut self.evaluator, &list, &existing, self.options);
                self.diagnostics.extend(found.diagnostics);
                list.extend(found.stay);
                deferred = found.blocks;
                list.extend(leftover::deletions(&mut self.evaluator, &existing, &self.options.targets));
            }
            PlanMode::Destroy => list.extend(leftover::destroy_all(&existing, &self.options.targets, self.session)),
            PlanMode::RefreshOnly => {}
        }
        self.refactor(&mut list, &existing);
        self.diagnostics.extend(leftover::prevented(&self.session.config, &list));
        self.refuse_ephemerals(&list);
        list.sort_by(|a, b| (&a.addr, &a.deposed).cmp(&(&b.addr, &b.deposed)));
        let (steps, held) = self.order(&dependencies, &mut list, &existing, &deferred)?;
        let open_for = dependencies.open_for(&self.session.config, &list, &steps);
        let mut drift = leftover::drift(&recorded, &existing, &list, self.session);
        if self.options.mode == PlanMode::RefreshOnly {
            self.note_moves(&mut drift, &existing);
        }
        let outputs = self.outputs(&recorded);
        Some(Plan {
            mode: self.options.mode,
            lineage: recorded.lineage.clone(),
            serial: recorded.serial,
            config_digest: self.session.config.digest.clone(),
            variables: self.stored_variables(),
            ephemeral_variables: self.ephemeral_variables(),
            timestamp: self.session.clock.now(),
            version: self.session.version.clone(),
            targets: self.options.targets.iter().map(shown_target).collect(),
            changes: list,
            steps,
            deferred,
            held,
            open_for,
            drift,
            outputs,
            refreshed: Arc::new(State { instances: existing, ..recorded }),
            data: self.evaluator.world().data.iter().filter_map(|(a, r)| Some((a.clone(), r.clone().ok()?))).collect(),
            symbolic: BTreeMap::new(),
            preflight: Vec::new(),
            checks: self.judge_checks(),
            skipped_checks: deferred::recorded(&self.options.skipped_checks),
            running: Running::default(),
            diagnostics: Diagnostics::new(),
            errored: false,
        })
    }

    /// What exists. With targets, what is not meant by them stays as it is recorded, also where it was read along.
    fn existing(&self) -> BTreeMap<RecordKey, InstanceRecord> {
        let world = self.evaluator.world();
        if self.options.targets.is_empty() || self.options.mode == PlanMode::Destroy {
            return world.existing.clone();
        }
        let meant = |key: &RecordKey| self.targeted(&key.addr) || world.asked.contains(&key.addr);
        let read = world.existing.iter().filter(|(key, _)| meant(key));
        let rest = self.state.instances.iter().filter(|(key, _)| !meant(key));
        read.chain(rest).map(|(key, record)| (key.clone(), record.clone())).collect()
    }

    /// Lets go what `removed` blocks say, and notes the old address of what moved.
    fn refactor(&mut self, list: &mut Vec<ResourceChange>, existing: &BTreeMap<RecordKey, InstanceRecord>) {
        let mut let_go = Vec::new();
        for change in list.iter_mut().filter(|c| matches!(c.action, Action::Delete | Action::ForgetThenCreate)) {
            if self.is_let_go(change, existing) {
                if change.action == Action::Delete {
                    change.action = Action::Forget;
                    change.reason = None;
                }
                let_go.push(format!(" - {}", change.addr));
            }
        }
        if !let_go.is_empty() {
            let detail = format!(
                "Applying this plan takes these objects out of the state, and they go on existing:\n{}",
                let_go.join("\n")
            );
            self.diagnostics.push(Diagnostic::warning("Some objects will no longer be managed by sgp", detail));
        }
        if self.options.mode != PlanMode::RefreshOnly {
            self.note_moves(list, existing);
        }
    }

    /// Every move is shown, also of an object that nothing else happens to.
    fn note_moves(&self, list: &mut Vec<ResourceChange>, existing: &BTreeMap<RecordKey, InstanceRecord>) {
        let moved = &self.refactored.moved;
        let mut told: BTreeSet<InstanceAddr> = BTreeSet::new();
        for change in list.iter_mut().filter(|c| c.deposed.is_none()) {
            if let Some(previous) = moved.get(&change.addr) {
                change.previous_addr = Some(previous.clone());
                told.insert(change.addr.clone());
            }
        }
        for (addr, previous) in moved.iter().filter(|(addr, _)| !told.contains(addr)) {
            let key = RecordKey::current(addr.clone());
            let Some(record) = existing.get(&key) else { continue };
            list.push(leftover::stays(self.session, &key, record, Some(previous)));
        }
    }

    fn order(
        &mut self,
        dependencies: &Dependencies,
        changes: &mut [ResourceChange],
        existing: &BTreeMap<RecordKey, InstanceRecord>,
        deferred: &[DeferredChange],
    ) -> Option<(Vec<Step>, Vec<StepId>)> {
        let mut graph = dependencies.graph(changes, existing);
        graph.add_domain_order(changes, &self.session.registry, &self.evaluator.world().clients);
        sgp_plan::order::force_create_before_destroy(changes, &graph.nodes, &graph.joins);
        match sgp_plan::steps(changes, &graph.nodes, &graph.joins) {
            Ok(steps) => {
                let held = deferred::held(&graph, deferred, changes, &steps, &mut self.evaluator);
                Some((steps, held))
            }
            Err(cycle) => {
                // A circle in the configuration was told by the evaluator, with the values that make it.
                if self.diagnostics.has_errors() {
                    return None;
                }
                let path: Vec<String> = cycle.0.iter().map(|&i| changes[i as usize].addr.to_string()).collect();
                self.diagnostics.push(Diagnostic::error(
                    "Cycle",
                    format!("These objects wait for each other, so none can be first: {}.", path.join(" -> ")),
                ));
                None
            }
        }
    }

    fn outputs(&mut self, recorded: &State) -> BTreeMap<String, OutputChange> {
        let before = |name: &str| {
            recorded.outputs.get(name).map_or_else(Value::dynamic_null, |o| {
                if o.sensitive { o.value.clone().sensitive() } else { o.value.clone() }
            })
        };
        let mut outputs = BTreeMap::new();
        if self.options.mode == PlanMode::Destroy {
            if self.options.targets.is_empty() {
                for (name, record) in &recorded.outputs {
                    let after = Value::dynamic_null();
                    let change = OutputChange {
                        action: Action::Delete,
                        before: before(name),
                        after,
                        sensitive: record.sensitive,
                    };
                    outputs.insert(name.clone(), change);
                }
            }
            return outputs;
        }
        if !self.options.targets.is_empty() {
            return outputs;
        }
        for name in self.evaluator.root_outputs() {
            let Ok(after) = self.evaluator.output(&ModulePath::root(), &name) else { continue };
            let existed = recorded.outputs.get(&name);
            let action = match existed {
                None if after.is_null() => Action::NoOp,
                None => Action::Create,
                Some(_) if after.is_null() => Action::Delete,
                Some(o) if o.value.same(&after) && o.sensitive == after.is_sensitive() => Action::NoOp,
                Some(_) => Action::Update,
            };
            let sensitive = after.is_sensitive();
            outputs.insert(name.clone(), OutputChange { action, before: before(&name), after, sensitive });
        }
        for (name, record) in
            recorded.outputs.iter().filter(|(name, _)| !outputs.contains_key(*name)).collect::<Vec<_>>()
        {
            let change = OutputChange {
                action: Action::Delete,
                before: before(name),
                after: Value::dynamic_null(),
                sensitive: record.sensitive,
            };
            outputs.insert(name.clone(), change);
        }
        outputs
    }
}

/// An object that nothing would describe would be deleted by the plan after.
fn without_a_block(addr: &InstanceAddr) -> Diagnostic {
    let detail = format!(
        "{addr} is to be imported, but the configuration has no such block. Write it, or have it written from what exists: \
         sgp plan -generate-config-out=generated.tf."
    );
    Diagnostic::error("Configuration for import target does not exist", detail).on(addr)
}

fn shown_target(target: &ParsedAddr) -> String {
    match target {
        ParsedAddr::Module(m) => m.to_string(),
        ParsedAddr::Resource(r) => r.to_string(),
        ParsedAddr::Instance(i) => i.to_string(),
    }
}

/// What a refreshed object looks like to a person.
pub(crate) fn shown(session: &Session, key: &RecordKey, record: &InstanceRecord) -> Value {
    match session.registry.resource_type(&key.addr.resource.type_name) {
        Some(ty) => marked(&ty.schema().block, record),
        None => record.attributes.clone(),
    }
}
