//! What the state holds and the configuration does not: deletions with their reasons, whole destroys, and drift.

use std::collections::{BTreeMap, BTreeSet};

use sgp_lang::{Config, Evaluator, World};
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, InstanceKey, InstanceRecord, ResourceAddr, State, Value,
    address::ParsedAddr,
    plan::{Action, Reason, ResourceChange},
    state::RecordKey,
};

use crate::{Session, blocks::resource_block, planner::shown, world::PlanWorld};

/// Deletions of recorded objects that the configuration does not have any more, and of deposed ones.
pub(crate) fn deletions(
    evaluator: &mut Evaluator<PlanWorld>,
    existing: &BTreeMap<RecordKey, InstanceRecord>,
    targets: &[ParsedAddr],
) -> Vec<ResourceChange> {
    let session = evaluator.world().session.clone();
    let wanted = Wanted::of(evaluator, targets);
    existing
        .iter()
        .filter(|(key, _)| targets.is_empty() || targets.iter().any(|t| t.covers(&key.addr)))
        .filter_map(|(key, record)| {
            let reason = if key.deposed.is_some() { Some(Reason::DeleteBecauseDeposed) } else { wanted.missing(key) };
            let reason = match reason {
                Some(Reason::DeleteBecauseWrongRepetition) if is_disabled(&session.config, key) => {
                    Some(Reason::DeleteBecauseEnabledFalse)
                }
                reason => reason,
            };
            Some(deletion(&session, key, record, Some(reason?)))
        })
        .collect()
}

/// Whether `enabled` decides about an object, which is not wanted.
fn is_disabled(config: &Config, key: &RecordKey) -> bool {
    let block = resource_block(config, &key.addr.resource);
    key.addr.key.is_none() && block.is_some_and(|block| block.lifecycle.enabled.is_some())
}

/// What the configuration asks for.
struct Wanted {
    /// Addresses that stand for instances which nobody knows yet: what may be one of them is kept.
    open: Vec<InstanceAddr>,
    modules: BTreeSet<sgp_model::ModulePath>,
    instances: BTreeMap<ResourceAddr, BTreeSet<Option<InstanceKey>>>,
}

impl Wanted {
    /// Of what no target names nothing is asked: it may depend on what only an apply makes known.
    fn of<W: World>(evaluator: &mut Evaluator<W>, targets: &[ParsedAddr]) -> Self {
        let modules = evaluator.module_instances().unwrap_or_default().into_iter().collect();
        let mut open = Vec::new();
        let mut instances: BTreeMap<ResourceAddr, BTreeSet<Option<InstanceKey>>> = BTreeMap::new();
        for resource in evaluator.resources() {
            if !targets.is_empty() && !targets.iter().any(|t| t.touches(&resource)) {
                continue;
            }
            if let Ok(keys) = evaluator.instances(&resource) {
                let addresses = keys.iter().map(|key| resource.instance(key.clone()));
                open.extend(addresses.filter(InstanceAddr::is_open));
                instances.insert(resource, keys.into_iter().collect());
            }
        }
        Self { open, modules, instances }
    }

    /// Why an object is not wanted; `None` when it is.
    fn missing(&self, key: &RecordKey) -> Option<Reason> {
        let resource = &key.addr.resource;
        if self.open.iter().any(|open| open.stands_for(&key.addr)) {
            return None;
        }
        let Some(keys) = self.instances.get(resource) else {
            return Some(if self.modules.contains(&resource.module) {
                Reason::DeleteBecauseNoResourceConfig
            } else {
                Reason::DeleteBecauseNoModule
            });
        };
        if keys.contains(&key.addr.key) {
            return None;
        }
        // An empty set says nothing about its kind of key, so the recorded one speaks.
        let repeats_like_this = keys.iter().all(|k| match (k, &key.addr.key) {
            (Some(InstanceKey::Int(_)), Some(InstanceKey::Int(_)))
            | (Some(InstanceKey::Str(_)), Some(InstanceKey::Str(_))) => true,
            (None | Some(_), _) => false,
        });
        Some(match &key.addr.key {
            Some(InstanceKey::Int(_)) if repeats_like_this => Reason::DeleteBecauseCountIndex,
            Some(InstanceKey::Str(_)) if repeats_like_this => Reason::DeleteBecauseEachKey,
            _ => Reason::DeleteBecauseWrongRepetition,
        })
    }
}

/// An object that nothing happens to, but for a new address.
pub(crate) fn stays(
    session: &Session,
    key: &RecordKey,
    record: &InstanceRecord,
    previous: Option<&InstanceAddr>,
) -> ResourceChange {
    let mut change = deletion(session, key, record, None);
    change.action = Action::NoOp;
    change.after = change.before.clone();
    change.previous_addr = previous.cloned();
    change.dependencies.clone_from(&record.dependencies);
    change
}

fn deletion(session: &Session, key: &RecordKey, record: &InstanceRecord, reason: Option<Reason>) -> ResourceChange {
    let before = shown(session, key, record);
    let none = Value::null(before.ty());
    ResourceChange {
        addr: key.addr.clone(),
        deposed: key.deposed.clone(),
        previous_addr: None,
        provider: record.provider.clone(),
        action: Action::Delete,
        reason,
        before,
        after: none.clone(),
        config: none,
        replace_paths: Vec::new(),
        importing: None,
        dependencies: Vec::new(),
        create_before_destroy: record.create_before_destroy,
    }
}

/// Deletion of everything, or of the targets and what depends on them.
pub(crate) fn destroy_all(
    existing: &BTreeMap<RecordKey, InstanceRecord>,
    targets: &[ParsedAddr],
    session: &Session,
) -> Vec<ResourceChange> {
    let doomed = doomed_resources(existing, targets);
    existing
        .iter()
        .filter(|(key, _)| {
            targets.is_empty()
                || targets.iter().any(|t| t.covers(&key.addr))
                || doomed.contains(&key.addr.resource.without_keys())
        })
        .map(|(key, record)| deletion(session, key, record, key.deposed.as_ref().map(|_| Reason::DeleteBecauseDeposed)))
        .collect()
}

/// Resources that depend on a target, directly or not.
pub(crate) fn doomed_resources(
    existing: &BTreeMap<RecordKey, InstanceRecord>,
    targets: &[ParsedAddr],
) -> BTreeSet<ResourceAddr> {
    let mut doomed = BTreeSet::new();
    let mut hit: BTreeSet<ResourceAddr> = existing
        .keys()
        .filter(|key| targets.iter().any(|t| t.covers(&key.addr)))
        .map(|key| key.addr.resource.without_keys())
        .collect();
    while !hit.is_empty() {
        let next: BTreeSet<ResourceAddr> = existing
            .iter()
            .filter(|(_, record)| record.dependencies.iter().any(|d| hit.contains(d)))
            .map(|(key, _)| key.addr.resource.without_keys())
            .filter(|r| !doomed.contains(r))
            .collect();
        doomed.extend(next.iter().cloned());
        hit = next;
    }
    doomed
}

/// Deletions that `prevent_destroy` forbids.
pub(crate) fn prevented(config: &Config, changes: &[ResourceChange]) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for change in changes.iter().filter(|c| c.action == Action::Delete && c.deposed.is_none()) {
        let Some(block) = resource_block(config, &change.addr.resource) else { continue };
        if block.lifecycle.prevent_destroy {
            diagnostics.push(
                Diagnostic::error(
                    "Instance cannot be destroyed",
                    format!(
                        "The plan would destroy {}, but its lifecycle has prevent_destroy set. To go on, take \
                         prevent_destroy away, or leave the object out with -target.",
                        change.addr
                    ),
                )
                .at(block.span.clone())
                .on(&change.addr),
            );
        }
    }
    diagnostics
}

/// What is different from what was recorded, although nobody applied anything. Differences in what the provider alone decides
/// (the rules that a group has, a status), and that the plan makes nothing of, are not news: they are recorded and not told.
pub(crate) fn drift(
    recorded: &State,
    existing: &BTreeMap<RecordKey, InstanceRecord>,
    changes: &[ResourceChange],
    session: &Session,
) -> Vec<ResourceChange> {
    let planned: BTreeMap<_, _> =
        changes.iter().filter(|c| c.deposed.is_none() && !c.config.is_null()).map(|c| (&c.addr, c)).collect();
    let mut drift = Vec::new();
    for (key, before) in &recorded.instances {
        let mut change = deletion(session, key, before, None);
        match existing.get(key) {
            Some(after) if after.attributes == before.attributes => continue,
            Some(after)
                if key.deposed.is_none()
                    && planned.get(&key.addr).is_some_and(|c| only_the_provider(session, key, before, after, c)) =>
            {
                continue;
            }
            Some(after) => {
                change.action = Action::Update;
                change.after = shown(session, key, after);
            }
            None => {}
        }
        drift.push(change);
    }
    drift
}

/// Whether everything that differs is decided by the provider, because the configuration says nothing about it, and the
/// plan makes nothing of it.
fn only_the_provider(
    session: &Session,
    key: &RecordKey,
    before: &InstanceRecord,
    after: &InstanceRecord,
    change: &ResourceChange,
) -> bool {
    let Some(ty) = session.registry.resource_type(&key.addr.resource.type_name) else { return false };
    let block = &ty.schema().block;
    sgp_plan::changed_attributes(block, &before.attributes, &after.attributes).into_iter().all(|name| {
        let computed =
            block.attributes.get(name).map_or_else(|| block.blocks[name].computed, sgp_model::Attribute::is_computed);
        let stays = || match (change.before.get(name), change.after.get(name)) {
            (Some(before), Some(after)) => !after.is_known() || before.same(after),
            _ => false,
        };
        computed && change.config.get(name).is_none_or(Value::is_null) && (change.action == Action::NoOp || stays())
    })
}
