//! Blocks whose `count` or `for_each` is known only once other objects are made: one change stands for all instances, nothing is
//! done about those that exist, and the steps that wait for them are held until the keys are known (see [`crate::rounds`]).

use std::collections::{BTreeMap, BTreeSet};

use sgp_checks::Suppression;
use sgp_lang::{Answer, CellId, Configured, Evaluator, OpenKeys};
use sgp_model::{
    Block, Diagnostic, Diagnostics, InstanceAddr, InstanceRecord, ResourceAddr, Value,
    plan::{Action, DeferredChange, DeferredReason, Op, PlanMode, ResourceChange, SkippedCheck, Step, StepId},
    state::RecordKey,
};
use sgp_plan::propose::{unknown_object, with_write_only_hidden};

use crate::{PlanOptions, dependencies::OrderGraph, leftover, typed::mark_schema, world::PlanWorld, world::ignored};

/// More instances of one resource than this are named by their resource.
const NAMED_MAX: usize = 3;

impl PlanWorld {
    /// What is known of the instances that an address stands for.
    pub(crate) fn deferred(&mut self, configured: &Configured<'_>, block: &Block, action: Action) -> Answer {
        // An instance that exists already would keep what is ignored, whatever that is.
        let config = match ignored(&configured.block.lifecycle) {
            Some(_) => Value::unknown(configured.config.ty()),
            None => configured.config.clone(),
        };
        let known = if config.is_known() { unknown_object(block, &config) } else { all_unknown(block) };
        let after = mark_schema(block, &known);
        if self.mode == PlanMode::Normal {
            let change = ResourceChange {
                action,
                after: after.clone(),
                before: Value::null(block.ty()),
                ..unchanged(configured, block, &after)
            };
            self.deferred.insert(configured.addr.clone(), change);
        }
        Answer::Value(after)
    }

    /// An object that an earlier round settled: nothing happens to it.
    pub(crate) fn as_it_is(&mut self, configured: &Configured<'_>, block: &Block, object: Value) -> Answer {
        let change = unchanged(configured, block, &object);
        self.changes.insert(configured.addr.clone(), change);
        Answer::Value(object)
    }
}

/// A change that changes nothing, of a configured instance.
fn unchanged(configured: &Configured<'_>, block: &Block, object: &Value) -> ResourceChange {
    ResourceChange {
        addr: configured.addr.clone(),
        deposed: None,
        previous_addr: None,
        provider: configured.provider.clone(),
        action: Action::NoOp,
        reason: None,
        before: object.clone(),
        after: object.clone(),
        config: mark_schema(block, &with_write_only_hidden(block, &configured.config)),
        replace_paths: Vec::new(),
        importing: None,
        dependencies: Vec::new(),
        create_before_destroy: configured.block.lifecycle.create_before_destroy.unwrap_or(false),
    }
}

fn all_unknown(block: &Block) -> Value {
    let sgp_model::Type::Object(fields) = block.ty() else { return Value::unknown(block.ty()) };
    Value::object(fields.iter().map(|(name, field)| (name.clone(), Value::unknown(field.ty.clone()))))
}

/// What of a plan is deferred.
#[derive(Default)]
pub(crate) struct Deferred {
    /// By address.
    pub(crate) blocks: Vec<DeferredChange>,
    /// Recorded instances of deferred blocks, which stay.
    pub(crate) stay: Vec<ResourceChange>,
    pub(crate) diagnostics: Diagnostics,
}

/// What is deferred, once everything else is judged.
pub(crate) fn of(
    evaluator: &mut Evaluator<PlanWorld>,
    changes: &[ResourceChange],
    existing: &BTreeMap<RecordKey, InstanceRecord>,
    options: &PlanOptions,
) -> Deferred {
    let mut found = Deferred::default();
    let deferred = std::mem::take(&mut evaluator.world_mut().deferred);
    let pending: BTreeSet<&InstanceAddr> =
        changes.iter().filter(|c| c.action != Action::NoOp).map(|c| &c.addr).collect();
    for (addr, change) in deferred {
        let Some(keys) = evaluator.open_keys(&addr.resource) else { continue };
        let waits_for = waits_for(evaluator, &keys, &addr.resource, &pending);
        if waits_for.is_empty() {
            // One call of a module decides many blocks.
            if !found.diagnostics.0.contains(&keys.refused) {
                found.diagnostics.push(keys.refused);
            }
            continue;
        }
        let session = evaluator.world().session.clone();
        let recorded = existing.iter().filter(|(key, _)| addr.stands_for(&key.addr));
        let recorded: Vec<_> = recorded.filter(|(key, _)| key.deposed.is_none()).collect();
        found.diagnostics.extend(asked_to_replace(&addr, &recorded, options));
        found.stay.extend(recorded.iter().map(|(key, record)| leftover::stays(&session, key, record, None)));
        let existing = recorded.iter().map(|(key, _)| key.addr.clone()).collect();
        let reason = DeferredReason::InstanceCountUnknown;
        found.blocks.push(DeferredChange { reason, waits_for, change, existing });
    }
    found
}

/// What decides the keys of a block and changes: its references, or the objects behind them.
fn waits_for(
    evaluator: &Evaluator<PlanWorld>,
    keys: &OpenKeys,
    itself: &ResourceAddr,
    pending: &BTreeSet<&InstanceAddr>,
) -> Vec<String> {
    let cells: Vec<CellId> = keys.cells.iter().flat_map(|&cell| evaluator.cells().deps(cell).to_vec()).collect();
    let mut behind = evaluator.cells().instances_behind(&cells);
    behind.retain(|addr| (pending.contains(addr) || addr.is_open()) && addr.resource != *itself);
    let mut by_resource: BTreeMap<&ResourceAddr, Vec<&InstanceAddr>> = BTreeMap::new();
    for addr in &behind {
        by_resource.entry(&addr.resource).or_default().push(addr);
    }
    let named = by_resource.into_iter().flat_map(|(resource, instances)| {
        if instances.len() > NAMED_MAX {
            return vec![resource.to_string()];
        }
        instances.iter().flat_map(|addr| as_written(&addr.to_string(), &keys.references)).collect()
    });
    let named: BTreeSet<String> = named.collect();
    named.into_iter().collect()
}

/// The references that lead to an object, or its address where they lead there through something else.
fn as_written(addr: &str, references: &BTreeSet<String>) -> Vec<String> {
    let leads = |text: &&String| text.strip_prefix(addr).is_some_and(|rest| rest.starts_with(['.', '[']));
    let found: Vec<String> = references.iter().filter(leads).cloned().collect();
    if found.is_empty() { vec![addr.to_owned()] } else { found }
}

/// `-replace` of something that may not be there any more once the keys are known.
fn asked_to_replace(
    addr: &InstanceAddr,
    recorded: &[(&RecordKey, &InstanceRecord)],
    options: &PlanOptions,
) -> Diagnostics {
    let asked = recorded.iter().filter(|(key, _)| options.replace.contains(&key.addr));
    let problem = |key: &RecordKey| {
        let detail = format!(
            "-replace names {}, but which instances {} has is known only after apply. Apply without -replace first.",
            key.addr, addr.resource
        );
        Diagnostic::error("Instances not known yet", detail)
    };
    Diagnostics(asked.map(|(key, _)| problem(key)).collect())
}

/// The steps that wait for deferred instances, in order: those that make what refers to them, and whatever comes after.
///
/// The old object of a replacement that waits goes with its successor, unless the keys of something deferred need it gone.
pub(crate) fn held(
    graph: &OrderGraph,
    deferred: &[DeferredChange],
    changes: &[ResourceChange],
    steps: &[Step],
    evaluator: &mut Evaluator<PlanWorld>,
) -> Vec<StepId> {
    if graph.open.is_empty() {
        return Vec::new();
    }
    let waiting = graph.waiting();
    let keys: Vec<OpenKeys> = deferred.iter().filter_map(|it| evaluator.open_keys(&it.change.addr.resource)).collect();
    let deciding = graph.behind(keys.iter().flat_map(|it| it.cells.iter().map(|cell| cell.0)));
    let needed = needed(steps, &deciding);
    let mut held = vec![false; steps.len()];
    for (i, step) in steps.iter().enumerate() {
        let own = step.change.filter(|change| waiting.contains(change)).is_some_and(|change| match step.op {
            Op::Create | Op::Update | Op::Read | Op::Record => true,
            Op::Delete | Op::Forget => changes[change as usize].action.is_replace() && !needed[i],
            Op::Join => false,
        });
        held[i] = own || step.after.iter().any(|before| held[before.0 as usize]);
    }
    (0u32..).zip(held).filter(|(_, held)| *held).map(|(i, _)| StepId(i)).collect()
}

/// Whether each step is among what must be done before these changes are.
fn needed(steps: &[Step], deciding: &BTreeSet<u32>) -> Vec<bool> {
    let mut needed: Vec<bool> =
        steps.iter().map(|step| step.change.is_some_and(|change| deciding.contains(&change))).collect();
    for (i, step) in steps.iter().enumerate().rev() {
        if needed[i] {
            step.after.iter().for_each(|before| needed[before.0 as usize] = true);
        }
    }
    needed
}

/// The decisions of the command line, as a plan records them.
pub(crate) fn recorded(skipped: &[Suppression]) -> Vec<SkippedCheck> {
    let one =
        |it: &Suppression| SkippedCheck { rule: it.rule.clone(), addr: it.addr.clone(), reason: it.reason.clone() };
    skipped.iter().map(one).collect()
}
