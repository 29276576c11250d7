//! The world as the evaluator sees it while a plan is made: each instance is judged at the moment somebody asks for it.

use std::collections::{BTreeMap, BTreeSet};

use sgp_contract::{DataRequest, PlanRequest, PlanResponse, ResourceType};
use sgp_lang::{
    Answer, Configured, DepsView, Triggered, World,
    config::{self, Lifecycle},
};
use sgp_model::{
    AttrPath, Diagnostic, Diagnostics, InstanceAddr, InstanceRecord, Mode, ProviderAddr, Schema, Value,
    plan::{Action, PlanMode, Reason, ResourceChange},
    state::{ObjectStatus, RecordKey},
};
use sgp_plan::{
    IgnoreChanges, ignore_changes, judge, propose,
    propose::{unknown_object, with_write_only_hidden},
};

use crate::{
    Session,
    clients::{ClientState, Clients},
    ephemeral::{self, Desk, HasDesk},
    typed::{mark_schema, marked},
};

/// A data source that waits to be read, or a configuration that something is looked up for.
pub(crate) struct WantedData {
    /// The evaluated arguments.
    pub(crate) config: Value,
    /// Which configuration reads it.
    pub(crate) provider: ProviderAddr,
}

/// What planning knows so far.
pub(crate) struct PlanWorld {
    pub(crate) session: Session,
    pub(crate) mode: PlanMode,
    pub(crate) replace: BTreeSet<InstanceAddr>,
    pub(crate) clients: Clients,
    /// Provider configurations whose recorded objects are refreshed (or need no refresh).
    pub(crate) refreshed: BTreeSet<ProviderAddr>,
    /// What exists: recorded, then refreshed.
    pub(crate) existing: BTreeMap<RecordKey, InstanceRecord>,
    /// What `import` blocks say, as far as it is known.
    pub(crate) to_import: BTreeSet<InstanceAddr>,
    /// Objects that an `import` block names, with the id, before and after they were read.
    pub(crate) importing: BTreeMap<InstanceAddr, String>,
    /// Judgements so far.
    pub(crate) changes: BTreeMap<InstanceAddr, ResourceChange>,
    /// What is known of blocks whose instances are not, by the address that stands for all of them.
    pub(crate) deferred: BTreeMap<InstanceAddr, ResourceChange>,
    /// Objects that an earlier round of the same apply settled: they are what they are.
    pub(crate) settled: BTreeSet<InstanceAddr>,
    /// Data sources that were read.
    pub(crate) data: BTreeMap<InstanceAddr, Result<Value, Diagnostics>>,
    /// Data sources that wait to be read.
    pub(crate) wanted: BTreeMap<InstanceAddr, WantedData>,
    /// What types wanted to know beside their objects.
    pub(crate) looked_up: BTreeMap<InstanceAddr, Result<Option<Value>, Diagnostic>>,
    /// Configurations whose type wants to know something.
    pub(crate) wanted_look_ups: BTreeMap<InstanceAddr, WantedData>,
    /// Clusters that are replaced, by name.
    pub(crate) replaced_clusters: BTreeMap<String, InstanceAddr>,
    /// Managed instances that somebody asked for.
    pub(crate) asked: BTreeSet<InstanceAddr>,
    /// Provider configurations that somebody needed.
    pub(crate) providers_asked: BTreeSet<ProviderAddr>,
    /// Ephemeral resources.
    pub(crate) desk: Desk,
    /// Warnings of types.
    pub(crate) diagnostics: Diagnostics,
}

impl World for PlanWorld {
    fn object(&mut self, configured: Configured<'_>, deps: &DepsView<'_>) -> Answer {
        match configured.addr.resource.mode {
            Mode::Managed => self.managed(&configured, deps),
            Mode::Data => self.data(&configured, deps),
            Mode::Ephemeral => self.ephemeral(&configured, deps),
        }
    }
}

impl HasDesk for PlanWorld {
    fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }
}

impl PlanWorld {
    fn managed(&mut self, configured: &Configured<'_>, deps: &DepsView<'_>) -> Answer {
        self.asked.insert(configured.addr.clone());
        if !self.refreshed.contains(&configured.provider) {
            self.providers_asked.insert(configured.provider.clone());
            return Answer::Blocked;
        }
        let Some(ty) = self.session.registry.resource_type(&configured.addr.resource.type_name) else {
            // The evaluator has already said that there is no such type.
            return Answer::Failed(Diagnostics::new());
        };
        if configured.addr.is_open() {
            let problems = located(ty.validate(&configured.config), configured);
            return if problems.has_errors() {
                Answer::Failed(problems)
            } else {
                self.deferred(configured, &ty.schema().block, Action::Create)
            };
        }
        let record = self.existing.get(&RecordKey::current(configured.addr.clone()));
        let waits = record.is_none() && self.to_import.contains(configured.addr);
        if waits && self.mode == PlanMode::Normal && !self.importing.contains_key(configured.addr) {
            return Answer::Blocked;
        }
        let prior = record.map_or_else(|| Value::null(ty.schema().ty()), |r| marked(&ty.schema().block, r));
        if self.mode != PlanMode::Normal {
            return Answer::Value(if prior.is_null() {
                mark_schema(&ty.schema().block, &unknown_object(&ty.schema().block, &configured.config))
            } else {
                prior
            });
        }
        if record.is_some() && self.settled.contains(configured.addr) {
            return self.as_it_is(configured, &ty.schema().block, prior);
        }
        let tainted = record.is_some_and(|r| r.status == ObjectStatus::Tainted);
        let found = match self.look_up(ty, configured, &prior, deps) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        match self.change(ty, configured, &prior, tainted, found.as_ref()) {
            Ok(change) => {
                let after = change.after.clone();
                self.note_cluster(&change);
                self.changes.insert(configured.addr.clone(), change);
                Answer::Value(after)
            }
            Err(diagnostics) => Answer::Failed(diagnostics),
        }
    }

    /// What the type wants to know before it judges; `None` when it wants nothing, or when that is known only during apply.
    fn look_up(
        &mut self,
        ty: &dyn ResourceType,
        configured: &Configured<'_>,
        prior: &Value,
        deps: &DepsView<'_>,
    ) -> Result<Option<Value>, Answer> {
        let client = self.clients.0.get(&configured.provider).and_then(ClientState::ready);
        let doubled = self.session.registry.is_doubled(configured.addr, &configured.provider);
        if client.is_none() || doubled || !ty.wants_look_up(prior, &configured.config) {
            return Ok(None);
        }
        match self.looked_up.get(configured.addr) {
            Some(Ok(found)) => Ok(found.clone()),
            // What is not there may be what the same apply makes.
            Some(Err(_)) if self.waits_for_a_change(deps) => Ok(None),
            Some(Err(problem)) => Err(Answer::Failed(located(problem.clone().into(), configured))),
            None => {
                let wanted = WantedData { config: configured.config.clone(), provider: configured.provider.clone() };
                self.wanted_look_ups.insert(configured.addr.clone(), wanted);
                Err(Answer::Blocked)
            }
        }
    }

    /// Judges one managed instance.
    fn change(
        &mut self,
        ty: &dyn ResourceType,
        configured: &Configured<'_>,
        prior: &Value,
        tainted: bool,
        found: Option<&Value>,
    ) -> Result<ResourceChange, Diagnostics> {
        let schema = ty.schema();
        let lifecycle = &configured.block.lifecycle;
        let problems = located(ty.validate(&configured.config), configured);
        if problems.has_errors() {
            return Err(problems);
        }
        self.diagnostics.extend(problems);
        let config = match ignored(lifecycle) {
            Some(ignore) => ignore_changes(&schema.block, prior, &configured.config, &ignore),
            None => configured.config.clone(),
        };
        let provider_config =
            self.clients.0.get(&configured.provider).map_or_else(Value::dynamic_null, ClientState::config);
        let mut planned =
            plan_object(ty, prior, &config, &provider_config, found).map_err(|d| located(d, configured))?;
        let judged = judge(&schema.block, prior, &planned.object, &planned.requires_replace);
        let mut action = judged.action;
        let mut reason = action.is_replace().then_some(Reason::ReplaceBecauseCannotUpdate);
        let other = self.other_reason_to_replace(schema, configured, &provider_config, tainted);
        let other = other.or_else(|| triggered(&self.changes, configured.triggers).filter(|_| !action.is_replace()));
        if let Some(why) = other.filter(|_| !prior.is_null()) {
            action = Action::DeleteThenCreate;
            reason = Some(why);
        }
        if action.is_replace() {
            let none = Value::null(schema.ty());
            let fresh = plan_object(ty, &none, &configured.config, &provider_config, found)
                .map_err(|d| located(d, configured))?;
            planned.diagnostics.extend(fresh.diagnostics);
            planned.object = fresh.object;
        }
        let after = mark_schema(&schema.block, &planned.object);
        if action == Action::NoOp && prior.sensitive_paths() != after.sensitive_paths() {
            // The same value, but a secret now, or none any more: only the record changes.
            action = Action::Update;
        }
        if let Some(doubles) = self.session.registry.doubles().filter(|_| action != Action::NoOp) {
            planned.object = doubles.planned(configured.addr, &configured.provider, planned.object);
        }
        self.diagnostics.extend(located(planned.diagnostics, configured));
        if action.is_replace() && lifecycle.skip_destroy {
            action = Action::ForgetThenCreate;
        }
        if action.destroys() && lifecycle.prevent_destroy {
            return Err(prevented(configured, &judged.replace_paths).into());
        }
        Ok(ResourceChange {
            addr: configured.addr.clone(),
            deposed: None,
            previous_addr: None,
            provider: configured.provider.clone(),
            action,
            reason,
            before: prior.clone(),
            after: mark_schema(&schema.block, &planned.object),
            config: mark_schema(&schema.block, &with_write_only_hidden(&schema.block, &config)),
            replace_paths: judged.replace_paths,
            importing: self.importing.get(configured.addr).cloned(),
            dependencies: Vec::new(),
            create_before_destroy: lifecycle.create_before_destroy.unwrap_or(false),
        })
    }

    fn other_reason_to_replace(
        &self,
        schema: &Schema,
        configured: &Configured<'_>,
        provider_config: &Value,
        tainted: bool,
    ) -> Option<Reason> {
        if tainted {
            return Some(Reason::ReplaceBecauseTainted);
        }
        if self.replace.contains(configured.addr) {
            return Some(Reason::ReplaceByRequest);
        }
        let cluster = cluster_in(schema, &configured.config, provider_config)?;
        let cluster = self.replaced_clusters.get(&cluster)?.clone();
        Some(Reason::ReplaceBecauseClusterIsReplaced { cluster })
    }

    /// Remembers a cluster that goes and comes back under its name: what lives in it goes with it.
    fn note_cluster(&mut self, change: &ResourceChange) {
        if &*change.addr.resource.type_name != "aws_eks_cluster" || !change.action.is_replace() {
            return;
        }
        for side in [&change.before, &change.after] {
            if let Some(name) = side.get("name").and_then(Value::as_str) {
                self.replaced_clusters.insert(name.to_owned(), change.addr.clone());
            }
        }
    }

    fn data(&mut self, configured: &Configured<'_>, deps: &DepsView<'_>) -> Answer {
        let addr = configured.addr;
        match self.data.get(addr) {
            Some(Ok(value)) => return Answer::Value(value.clone()),
            Some(Err(problems)) => return Answer::Failed(located(problems.clone(), configured)),
            None => {}
        }
        let Some(ty) = self.session.registry.data_source(&addr.resource.type_name) else {
            return Answer::Failed(Diagnostics::new());
        };
        if addr.is_open() && configured.block.check.is_some() {
            return Answer::Value(unknown_object(&ty.schema().block, &configured.config));
        }
        if addr.is_open() {
            return self.deferred(configured, &ty.schema().block, Action::Read);
        }
        let known = configured.config.is_wholly_known();
        let pure = self.session.registry.pure_data(addr, &configured.provider);
        if known && let Some(ty) = pure {
            let (config, marks) = configured.config.clone().unmark_deep();
            return match ty.compute(&DataRequest { addr, config: &config }) {
                Ok(value) => Answer::Value(value.mark(marks)),
                Err(problems) => Answer::Failed(located(problems, configured)),
            };
        }
        let Some(client) = self.clients.0.get(&configured.provider) else {
            self.providers_asked.insert(configured.provider.clone());
            return Answer::Blocked;
        };
        let reason = if !known || client.ready().is_none() {
            Some(Reason::ReadBecauseConfigUnknown)
        } else if self.waits_for_a_change(deps) {
            Some(Reason::ReadBecauseDependencyPending)
        } else {
            None
        };
        let Some(reason) = reason else {
            let wanted = WantedData { config: configured.config.clone(), provider: configured.provider.clone() };
            self.wanted.insert(addr.clone(), wanted);
            return Answer::Blocked;
        };
        // What a check block looks at is read once more after apply, and nothing waits for it.
        if self.mode != PlanMode::Normal || configured.block.check.is_some() {
            return Answer::Value(unknown_object(&ty.schema().block, &configured.config));
        }
        let change = deferred_read(configured, &ty.schema().block, reason);
        let after = change.after.clone();
        self.changes.insert(addr.clone(), change);
        Answer::Value(after)
    }

    /// Opened while planning, unless it waits for something that changes.
    fn ephemeral(&mut self, configured: &Configured<'_>, deps: &DepsView<'_>) -> Answer {
        let Some(client) = self.clients.0.get(&configured.provider) else {
            self.providers_asked.insert(configured.provider.clone());
            return Answer::Blocked;
        };
        let waits = matches!(client, ClientState::Pending { .. }) || self.waits_for_a_change(deps);
        let answer = self.desk.answer(configured, waits);
        answer.unwrap_or_else(|| Answer::Value(ephemeral::unknown(&self.session.registry, configured)))
    }

    /// Whether something that the data source names in `depends_on` changes, or something that it refers to does not exist
    /// yet: reading now would find the world of before.
    fn waits_for_a_change(&self, deps: &DepsView<'_>) -> bool {
        let change_of = |addr: &InstanceAddr| {
            if addr.is_open() { Some(Action::Create) } else { self.changes.get(addr).map(|c| c.action) }
        };
        deps.explicit().iter().any(|a| change_of(a).is_some_and(|action| action != Action::NoOp))
            || deps
                .instances()
                .iter()
                .any(|a| change_of(a).is_some_and(|action| action == Action::Create || action.is_replace()))
    }
}

/// The name of the cluster that an object lives in: its own attribute's, or where that is not set, that of the same name in the
/// configuration of its provider. An ARN stands for the name in it.
pub(crate) fn cluster_in(schema: &Schema, object: &Value, provider_config: &Value) -> Option<String> {
    let attribute = schema.lives_in?;
    let said = object.get(attribute).filter(|v| !v.is_null()).or_else(|| provider_config.get(attribute))?;
    let text = said.as_str()?;
    Some(text.rsplit_once(":cluster/").map_or(text, |(_, name)| name).to_owned())
}

/// The first trigger that changes: an object for which a change in place or a replacement is planned, or an attribute that will
/// have another value.
fn triggered(changes: &BTreeMap<InstanceAddr, ResourceChange>, triggers: &[Triggered]) -> Option<Reason> {
    let changes_there = |change: &ResourceChange, path: &AttrPath| {
        if path.0.is_empty() {
            return change.action == Action::Update || change.action.is_replace();
        }
        match (change.before.at(path), change.after.at(path)) {
            (Some(before), Some(after)) => !before.same(after),
            (before, after) => before.is_some() != after.is_some(),
        }
    };
    triggers.iter().find_map(|Triggered { instances, path }| {
        let changed = instances.iter().filter_map(|addr| changes.get(addr)).find(|it| changes_there(it, path))?;
        let trigger = if path.0.is_empty() { changed.addr.to_string() } else { format!("{}.{path}", changed.addr) };
        Some(Reason::ReplaceByTriggers { trigger })
    })
}

/// What `ignore_changes` says, in the planner's words.
pub(crate) fn ignored(lifecycle: &Lifecycle) -> Option<IgnoreChanges> {
    match &lifecycle.ignore_changes {
        config::IgnoreChanges::Nothing => None,
        config::IgnoreChanges::All => Some(IgnoreChanges::All),
        config::IgnoreChanges::Paths(paths) => Some(IgnoreChanges::Paths(paths.clone())),
    }
}

/// What the schema and the type make of a configuration.
pub(crate) struct PlannedObject {
    pub(crate) object: Value,
    pub(crate) requires_replace: Vec<AttrPath>,
    pub(crate) diagnostics: Diagnostics,
}

/// Plans one object: schema first, then its type.
pub(crate) fn plan_object(
    ty: &dyn ResourceType,
    prior: &Value,
    config: &Value,
    provider_config: &Value,
    found: Option<&Value>,
) -> Result<PlannedObject, Diagnostics> {
    let proposed = propose(&ty.schema().block, prior, config);
    let request = PlanRequest { prior, config, proposed: &proposed, provider_config };
    let PlanResponse { planned, requires_replace, diagnostics } =
        found.map_or_else(|| ty.plan(&request), |found| ty.plan_with(&request, found));
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(PlannedObject { object: planned.unwrap_or(proposed), requires_replace, diagnostics })
}

fn deferred_read(configured: &Configured<'_>, block: &sgp_model::Block, reason: Reason) -> ResourceChange {
    ResourceChange {
        addr: configured.addr.clone(),
        deposed: None,
        previous_addr: None,
        provider: configured.provider.clone(),
        action: Action::Read,
        reason: Some(reason),
        before: Value::null(block.ty()),
        after: mark_schema(block, &unknown_object(block, &configured.config)),
        config: configured.config.clone(),
        replace_paths: Vec::new(),
        importing: None,
        dependencies: Vec::new(),
        create_before_destroy: false,
    }
}

/// Diagnostics of a type know attributes, not places: gives them the object and the place in the source.
pub(crate) fn located(diagnostics: Diagnostics, configured: &Configured<'_>) -> Diagnostics {
    let placed = diagnostics.into_iter().map(|mut d| {
        d.address.get_or_insert_with(|| configured.addr.to_string());
        let span = d.attribute.as_ref().and_then(|path| configured.block.span_of(path));
        d.span = d.span.or(span).or_else(|| Some(configured.block.span.clone()));
        d
    });
    Diagnostics(placed.collect())
}

fn prevented(configured: &Configured<'_>, paths: &[AttrPath]) -> Diagnostic {
    let because = paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let because = if because.is_empty() { String::new() } else { format!(" (because of {because})") };
    Diagnostic::error(
        "Instance cannot be destroyed",
        format!(
            "The plan would replace {}{because}, but its lifecycle has prevent_destroy set. To go on, change the \
             configuration so that it need not be replaced, or take prevent_destroy away.",
            configured.addr
        ),
    )
    .at(configured.block.span.clone())
    .on(configured.addr)
}
