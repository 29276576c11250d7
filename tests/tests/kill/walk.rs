//! The walks over calls and writes.
//!
//! A point of a walk costs seconds, so by itself a walk stops at the first call of each operation, and at every ninth write; what dies
//! after each of its calls in turn passes them all. `SGP_TEST_WALK=full` stops at every call and every write, on both sides of it.

use sgp_tests::{
    workdir::{Ran, Workdir},
    world::{Call, Effect, Match, Rule, Victim, World},
};

use crate::stack::{Walk, let_calls_land};

const APPLY: &[&str] = &["apply", "-auto-approve"];
const DESTROY: &[&str] = &["destroy", "-auto-approve"];

/// Which side of a call or a write the process dies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

const SIDES: [Side; 2] = [Side::Before, Side::After];

/// Whether every point is walked.
fn is_full() -> bool {
    std::env::var("SGP_TEST_WALK").as_deref() == Ok("full")
}

/// Runs `sgp` and kills it at the n-th of these calls. None when it came to its end before.
fn killed_at_call(
    world: &World,
    folder: &Workdir,
    args: &[&str],
    (matching, n): (Match, usize),
    side: Side,
) -> Option<()> {
    let victim = Victim::default();
    let effect = match side {
        Side::Before => Effect::KillBefore(victim.clone()),
        Side::After => Effect::KillAfter(victim.clone()),
    };
    world.clear_faults();
    world.add_fault(Rule { matching, nth: n, times: 1, effect });
    let child = folder.spawn(world, args, &[]);
    victim.set(child.id());
    let ran = Ran::of(child.wait_with_output().unwrap());
    let_calls_land();
    world.clear_faults();
    let_it_be_killed(&ran)
}

/// The calls that a walk stops at: every one of a run, or the first of each operation.
fn points(calls: &[Call]) -> Vec<(String, Match, usize)> {
    let mutating: Vec<&Call> = calls.iter().filter(|call| call.is_mutating).collect();
    assert!(mutating.len() > 25, "the walk is too short: {mutating:?}");
    if is_full() {
        return (1..=mutating.len()).map(|n| (format!("call {n}"), Match::mutating(), n)).collect();
    }
    let mut operations: Vec<(&str, &str)> =
        mutating.iter().map(|call| (call.service.as_str(), call.operation.as_str())).collect();
    operations.sort_unstable();
    operations.dedup();
    let point = |(service, operation): (&str, &str)| (operation.to_owned(), Match::operation(service, operation), 1);
    operations.into_iter().map(point).collect()
}

/// Runs `sgp` and lets it die at the n-th write of the state. None when it came to its end before.
fn killed_at_write(world: &World, folder: &Workdir, args: &[&str], n: usize, side: Side) -> Option<()> {
    let side = if side == Side::Before { "before" } else { "after" };
    let child = folder.spawn(world, args, &[("SGP_TEST_ABORT_AT_WRITE", &format!("{side}:{n}"))]);
    let ran = Ran::of(child.wait_with_output().unwrap());
    let_calls_land();
    let_it_be_killed(&ran)
}

/// A process that was not killed must have done its work.
fn let_it_be_killed(ran: &Ran) -> Option<()> {
    match ran.code {
        None => Some(()),
        Some(0) => None,
        Some(_) => panic!("neither killed nor done: {ran}"),
    }
}

#[test]
fn apply_is_killed_at_calls() {
    let Some(mut walk) = Walk::start(0) else { return };
    let folder = walk.anew();
    folder.must(&walk.world, APPLY);
    for (what, matching, n) in points(&walk.world.calls()) {
        for side in SIDES {
            let folder = walk.anew();
            if killed_at_call(&walk.world, &folder, APPLY, (matching.clone(), n), side).is_some() {
                walk.must_recover(&folder, &format!("apply killed {side:?} {what}"));
            }
        }
    }
}

#[test]
fn apply_is_killed_at_writes_of_the_state() {
    let Some(mut walk) = Walk::start(0) else { return };
    let step = if is_full() { 1 } else { 9 };
    for side in SIDES {
        // The two sides stop at different writes.
        let first = if is_full() || side == Side::Before { 1 } else { 5 };
        for n in (first..).step_by(step) {
            let folder = walk.anew();
            if killed_at_write(&walk.world, &folder, APPLY, n, side).is_none() {
                assert!(n > 40, "the walk is too short: {n}");
                break;
            }
            walk.must_recover(&folder, &format!("apply killed {side:?} write {n}"));
        }
    }
}

#[test]
fn destroy_is_killed_at_calls() {
    let Some(mut walk) = Walk::start(0) else { return };
    let folder = walk.anew();
    folder.must(&walk.world, APPLY);
    walk.world.clear_calls();
    folder.must(&walk.world, DESTROY);
    for (what, matching, n) in points(&walk.world.calls()) {
        for side in if is_full() { &SIDES[..] } else { &SIDES[..1] } {
            let folder = walk.anew();
            folder.must(&walk.world, APPLY);
            if killed_at_call(&walk.world, &folder, DESTROY, (matching.clone(), n), *side).is_some() {
                walk.must_vanish(&folder, &format!("destroy killed {side:?} {what}"));
            }
        }
    }
}

/// The process dies after each call that it makes, again and again, while clusters and node groups are slow: every run gets further.
#[test]
fn a_process_that_dies_after_each_call_comes_to_its_end() {
    let Some(mut walk) = Walk::start(1) else { return };
    let folder = walk.anew();
    for args in [APPLY, DESTROY] {
        let mut lives = 1;
        while killed_at_call(&walk.world, &folder, args, (Match::mutating(), 1), Side::After).is_some() {
            lives += 1;
            assert!(lives < 100, "{args:?} does not get further");
        }
        assert!(lives > 5, "{args:?} was not killed");
        if args == APPLY {
            walk.must_recover(&folder, "killed after each call");
        } else {
            walk.must_vanish(&folder, "killed after each call");
        }
    }
}
