//! The sandbox's EC2, called in process.

use serde_json::Value as Json;
use sgp_sandbox::{
    aws::{Answer, Call, Caller, Params, Service},
    world::World,
};

/// A call that may be refused. What is refused has changed nothing.
pub fn attempt(world: &mut World, operation: &str, pairs: &[(&str, &str)]) -> Answer {
    let service = Service::Ec2;
    let known = service.operation(operation).unwrap_or_else(|| panic!("the sandbox has no {operation}"));
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let caller = Caller {
        arn: format!("arn:aws:iam::{}:user/test", world.settings.account),
        user_id: "AIDATEST0000000000000".to_owned(),
        account: world.settings.account.clone(),
        access_key: "AKIATEST000000000000".to_owned(),
    };
    let call = Call {
        service,
        operation: known.name,
        params: Params::from_query(service, pairs),
        caller,
        region: world.settings.region.clone(),
        request_id: "test".to_owned(),
    };
    known.answer(world, &call)
}

/// A call that succeeds.
pub fn call(world: &mut World, operation: &str, pairs: &[(&str, &str)]) -> Json {
    attempt(world, operation, pairs).unwrap_or_else(|error| panic!("{operation} {pairs:?}: {error:?}"))
}

/// A member of an answer that is a text.
pub fn text(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Lets happen what takes time.
pub fn pass(world: &mut World) {
    for _ in 0..3 {
        world.now += std::time::Duration::from_secs(30);
        world.advance();
    }
}
