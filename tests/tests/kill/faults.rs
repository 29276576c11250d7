//! Endpoints that are busy, broken, slow or cut off: the run still comes to its end, or the next one does, and nothing exists twice.

use std::time::Duration;

use sgp_tests::world::{Effect, Match, Rule};

use crate::stack::{Walk, similar};

const APPLY: &[&str] = &["apply", "-auto-approve"];

/// The operations of an undisturbed run that change something, each once. Kubernetes' are method and path.
fn mutating_operations(walk: &mut Walk) -> Vec<(String, String)> {
    let folder = walk.anew();
    folder.must(&walk.world, APPLY);
    let calls = walk.world.calls().into_iter().filter(|call| call.is_mutating);
    let mut operations: Vec<(String, String)> = calls.map(|call| (call.service, call.operation)).collect();
    operations.sort();
    operations.dedup();
    assert!(operations.len() > 15, "{operations:?}");
    operations
}

fn first_calls(operation: &(String, String), times: usize, effect: Effect) -> Rule {
    Rule { matching: Match::operation(&operation.0, &operation.1), nth: 1, times, effect }
}

#[test]
fn an_answer_that_is_lost_makes_nothing_twice() {
    let Some(mut walk) = Walk::start(0) else { return };
    for operation in mutating_operations(&mut walk) {
        let folder = walk.anew();
        walk.world.add_fault(first_calls(&operation, 1, Effect::CutAfterServed));
        let ran = folder.sgp(&walk.world, APPLY);
        walk.world.clear_faults();
        let when = format!("the answer to {operation:?} was lost (then exit {:?})", ran.code);
        walk.must_recover(&folder, &when);
    }
}

#[test]
fn busy_and_broken_endpoints_are_asked_again() {
    let Some(mut walk) = Walk::start(0) else { return };
    let operations = mutating_operations(&mut walk);
    let effects = [
        ("throttled", Effect::Throttle),
        ("broken", Effect::ServerError),
        ("cut off before", Effect::CutBefore),
        ("slow", Effect::Slow(Duration::from_secs(1))),
    ];
    for (what, effect) in effects {
        let folder = walk.anew();
        for operation in &operations {
            walk.world.add_fault(first_calls(operation, 2, effect.clone()));
        }
        let ran = folder.sgp(&walk.world, APPLY);
        assert_eq!(ran.code, Some(0), "the first two calls of each operation are {what}: {ran}");
        walk.world.clear_faults();
        similar(&sgp_tests::inventory::inventory(&walk.world), &walk.whole, what);
        folder.must_be_settled(&walk.world, what);
    }
}

#[test]
fn what_was_done_before_a_failure_is_kept_and_the_next_run_goes_on() {
    let Some(mut walk) = Walk::start(0) else { return };
    for (service, operation, absent) in [
        ("eks", "CreateNodegroup", &["node group orders default"][..]),
        (
            "iam",
            "CreateOpenIDConnectProvider",
            &["openid connect provider", "role orders-backend", "service account app backend"],
        ),
        ("kubernetes", "PATCH /api/v1/namespaces/app/configmaps", &["config map app settings"]),
    ] {
        let folder = walk.anew();
        let refuse = Effect::Refuse {
            status: 403,
            code: "AccessDeniedException".to_owned(),
            message: "You may not.".to_owned(),
        };
        let matching = Match::operation(service, operation);
        walk.world.add_fault(Rule { matching, nth: 1, times: usize::MAX - 1, effect: refuse });
        let ran = folder.sgp(&walk.world, APPLY);
        assert_eq!(ran.code, Some(1), "{operation} is refused: {ran}");
        assert!(ran.stderr.contains("You may not."), "{operation}: the service's words are missing: {ran}");
        let done: Vec<String> = walk.whole.iter().filter(|line| !absent.contains(&line.as_str())).cloned().collect();
        similar(&sgp_tests::inventory::inventory(&walk.world), &done, operation);
        walk.world.clear_faults();
        walk.must_recover(&folder, &format!("{operation} was refused"));
    }
}
