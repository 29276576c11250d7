//! Worlds and calls for unit tests.

use jiff::Timestamp;
use serde_json::Value;

use crate::aws::{Answer, Call, Caller, Params, Service};
use crate::settings::{Pace, Settings};
use crate::world::World;

/// A seeded world at the first second of 2026, in which things take ten seconds.
pub fn world() -> World {
    let pace = Pace::uniform(std::time::Duration::from_secs(10));
    let settings = Settings { seed: Some(1), pace, stopped_clock: true, ..Settings::default() };
    let mut world = World::new(settings, Timestamp::from_second(1_767_225_600).unwrap());
    commit(&mut world);
    world
}

/// Lets time pass, and happen what is due on the way, controllers included.
pub fn pass(world: &mut World, seconds: i64) {
    let end = Timestamp::from_second(world.now.as_second() + seconds).unwrap();
    loop {
        world.advance();
        commit(world);
        while crate::kubernetes::controllers::work(world) {}
        commit(world);
        let due = [world.next_timer(), crate::kubernetes::controllers::next_due(world)];
        match due.into_iter().flatten().min() {
            Some(next) if next <= end => world.now = next.max(world.now),
            _ if world.now >= end => return,
            _ => world.now = end,
        }
    }
}

/// Ends the transaction, as after an answered call.
pub fn commit(world: &mut World) {
    world.close();
    for table in world.tables() {
        table.drain();
    }
}

/// A call of a query protocol, from parameters as on the wire.
pub fn query(world: &mut World, service: Service, operation: &str, pairs: &[(&str, &str)]) -> Answer {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    run(world, service, operation, Params::from_query(service, pairs))
}

/// A call of EKS, from its members (those of the path too).
pub fn eks(world: &mut World, operation: &str, members: Value) -> Answer {
    run(world, Service::Eks, operation, Params::from_json(Service::Eks, members))
}

/// A call of EC2 that must succeed.
pub fn ec2(world: &mut World, operation: &str, pairs: &[(&str, &str)]) -> Value {
    query(world, Service::Ec2, operation, pairs).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// The code of a call that must be refused.
pub fn refusal(answer: Answer) -> String {
    answer.expect_err("a refusal").code
}

fn run(world: &mut World, service: Service, operation: &str, params: Params) -> Answer {
    let operation = service.operation(operation).unwrap_or_else(|| panic!("no operation {operation}"));
    let caller = Caller {
        arn: format!("arn:aws:iam::{}:user/test", world.settings.account),
        user_id: "AIDATEST0000000000000".to_owned(),
        account: world.settings.account.clone(),
        access_key: "AKIATEST000000000000".to_owned(),
    };
    let (region, request_id) = (world.settings.region.clone(), "test".to_owned());
    let call = Call { service, operation: operation.name, params, caller, region, request_id };
    let answer = operation.answer(world, &call);
    match answer {
        Ok(_) => commit(world),
        Err(_) => world.revert(),
    }
    answer
}
