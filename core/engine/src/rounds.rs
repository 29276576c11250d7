//! The rounds of an apply. When the steps of a plan are done that the keys of deferred blocks depend on, the rest is planned again
//! with what is known by then, and walked in the same run.
//!
//! What was approved binds the later rounds: they make what was announced and go on with what was shown. A round that would
//! destroy, replace or change anything else is refused as a whole; the next run shows it.

use std::collections::{BTreeMap, BTreeSet};

use sgp_checks::Suppression;
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, Plan, Value,
    address::parse_address,
    plan::{Action, PlanMode, Reason, ResourceChange, Step},
};
use sgp_plan::broken_promises;

use crate::{Event, PlanOptions, Registry, Session, planner};

/// How many objects a report names.
const NAMED_MAX: usize = 20;

/// What an earlier round settled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Continued {
    /// Data that was read: it is not read twice in one run.
    pub(crate) data: BTreeMap<InstanceAddr, Value>,
    /// Objects that are as they are meant to be.
    pub(crate) settled: BTreeSet<InstanceAddr>,
    /// Whether the serial is already raised in this run.
    pub(crate) is_bumped: bool,
}

/// Plans the next round of an apply. `shown` is what was approved, `last` the plan whose steps were just walked.
///
/// # Errors
/// Everything that is wrong with it, and what it would do without having been shown.
pub(crate) async fn next(
    session: &Session,
    shown: &Plan,
    last: &Plan,
    continued: Continued,
) -> Result<(Plan, Diagnostics), Diagnostics> {
    // What a replacement was caused by may be settled by now, and causes it no more.
    let is_caused = |reason: &Reason| {
        matches!(
            reason,
            Reason::ReplaceByRequest
                | Reason::ReplaceByTriggers { .. }
                | Reason::ReplaceBecauseClusterIsReplaced { .. }
        )
    };
    let replace = shown.changes.iter().filter(|it| it.reason.as_ref().is_some_and(is_caused));
    let replace = replace.map(|it| it.addr.clone()).filter(|addr| !continued.settled.contains(addr)).collect();
    let skipped = shown.skipped_checks.iter().map(|it| Suppression {
        rule: it.rule.clone(),
        addr: it.addr.clone(),
        reason: it.reason.clone(),
    });
    let options = PlanOptions {
        mode: PlanMode::Normal,
        targets: shown.targets.iter().filter_map(|target| parse_address(target).ok()).collect(),
        replace,
        // What this run made is recorded, and the rest was read when it began.
        refresh: false,
        skipped_checks: skipped.collect(),
        live: Some(shown.running.asked),
    };
    let planned = planner::go_on(session, &options, continued, Diagnostics::new()).await;
    let Some(plan) = planned.plan.filter(|_| !planned.diagnostics.has_errors()) else {
        return Err(planned.diagnostics);
    };
    stuck(&plan)?;
    let problems = unapproved(shown, &plan, &session.registry);
    if problems.has_errors() {
        return Err(problems);
    }
    for deferred in last.deferred.iter().map(|it| &it.change.addr) {
        if !plan.deferred.iter().any(|it| it.change.addr == *deferred) {
            let instances = plan.changes.iter().filter(|it| deferred.stands_for(&it.addr)).count();
            session.events.emit(Event::Expanded { addr: deferred.clone(), instances });
        }
    }
    let is_news = |it: &Diagnostic| !shown.diagnostics.0.contains(it) && it.summary != "Check skipped for nothing";
    Ok((plan, Diagnostics(planned.diagnostics.into_iter().filter(is_news).collect())))
}

/// Refuses a round that could do nothing but plan the same again.
fn stuck(plan: &Plan) -> Result<(), Diagnostic> {
    let held: BTreeSet<u32> = plan.held.iter().map(|step| step.0).collect();
    let is_free = |(i, step): (u32, &Step)| step.change.is_some() && !held.contains(&i);
    if !plan.is_deferring() || (0u32..).zip(&plan.steps).any(is_free) {
        return Ok(());
    }
    let blocks: Vec<String> = plan.deferred.iter().map(|it| it.change.addr.to_string()).collect();
    let detail = format!(
        "What decides the keys of {} was done, and they are not known yet. This is a bug in sgp or in a resource type; please report it.",
        blocks.join(", ")
    );
    Err(Diagnostic::error("Keys still unknown", detail))
}

/// What a later round would do although the approved plan said nothing of it, or something else.
fn unapproved(shown: &Plan, next: &Plan, registry: &Registry) -> Diagnostics {
    let approved: BTreeMap<_, &ResourceChange> =
        shown.changes.iter().map(|it| ((&it.addr, it.deposed.as_ref()), it)).collect();
    let mut surprises = Vec::new();
    let mut diagnostics = Diagnostics::new();
    for change in &next.changes {
        let before = approved.get(&(&change.addr, change.deposed.as_ref())).copied();
        let current = approved.get(&(&change.addr, None)).copied();
        let announced = shown.deferred.iter().any(|it| it.change.addr.stands_for(&change.addr));
        if !is_approved(change, before, current, announced) {
            surprises.push(format!("\n - {} would be {}", change.addr, word(change.action)));
            continue;
        }
        diagnostics.extend(before.and_then(|before| broken(before, change, registry)));
    }
    if surprises.is_empty() {
        return diagnostics;
    }
    let more = surprises.len().saturating_sub(NAMED_MAX);
    surprises.truncate(NAMED_MAX);
    surprises.extend((more > 0).then(|| format!("\n - and {more} more")));
    let blocks: Vec<String> = shown.deferred.iter().map(|it| it.change.addr.to_string()).collect();
    let detail = format!(
        "The keys that {} waited for are known now, but the plan that was approved does not show this:{}\nNothing of the rest was \
         done. What was done before is recorded: run apply again to see all changes and approve them.",
        blocks.join(", "),
        surprises.concat()
    );
    diagnostics.push(Diagnostic::error("Changes that nobody approved", detail));
    diagnostics
}

/// Whether a change of a later round is covered by what was shown of the object (`before`; `current` where a deposed one is
/// meant) or announced for its block.
fn is_approved(
    change: &ResourceChange,
    before: Option<&ResourceChange>,
    current: Option<&ResourceChange>,
    announced: bool,
) -> bool {
    let was = |ok: fn(Action) -> bool| before.is_some_and(|it| ok(it.action));
    match change.action {
        Action::NoOp | Action::Read => true,
        Action::Create => announced || was(|it| it == Action::Create || it.is_replace()),
        // In place instead of anew is less than what was approved.
        Action::Update => was(|it| it == Action::Update || it.is_replace()),
        Action::DeleteThenCreate | Action::CreateThenDelete => was(|it| it.is_replace() && it.destroys()),
        Action::ForgetThenCreate => was(Action::is_replace),
        Action::Delete => {
            let replaced = change.deposed.is_some() && current.is_some_and(|it| it.action.is_replace());
            replaced || was(|it| it == Action::Delete)
        }
        Action::Forget => was(|it| it == Action::Forget),
    }
}

/// An argument that turned out otherwise than it was shown.
fn broken(shown: &ResourceChange, now: &ResourceChange, registry: &Registry) -> Option<Diagnostic> {
    if shown.after.is_null() || now.after.is_null() || now.action == Action::NoOp {
        return None;
    }
    let ty = registry.resource_type(&now.addr.resource.type_name)?;
    let broken = broken_promises(&ty.schema().block, &shown.after, &now.after);
    if broken.is_empty() {
        return None;
    }
    let names = broken.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let detail = format!(
        "With what is known now, {} would be made with other values than the plan showed: {names}. Nothing was done to it. Run plan \
         again and look at the new values.",
        now.addr
    );
    Some(Diagnostic::error("Plan does not hold any more", detail).on(&now.addr))
}

fn word(action: Action) -> &'static str {
    match action {
        Action::NoOp => "left alone",
        Action::Create => "created",
        Action::Read => "read",
        Action::Update => "updated in-place",
        Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => "replaced",
        Action::Delete => "destroyed",
        Action::Forget => "forgotten",
    }
}
