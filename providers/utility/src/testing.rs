//! What tests of this crate share: a clock that jumps, and a context.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use sgp_contract::{Clock, Context, ContextEvents, EphemeralType, OpenRequest, Slot, StoreError};
use sgp_model::{Diagnostics, InstanceAddr, Value};
use tokio::sync::watch;

use crate::{
    attrs,
    in_run::{InRun, Passing},
    in_state::Logical,
    tools::Tools,
};

/// What the clock shows at first: 2023-11-14T22:13:20Z.
pub(crate) const NOW: i64 = 1_700_000_000;

/// A clock that sleeps in no time.
#[derive(Default)]
pub(crate) struct Jumping(Mutex<Duration>);

impl Jumping {
    /// How long was slept so far.
    pub(crate) fn slept(&self) -> Duration {
        self.monotonic()
    }
}

#[async_trait]
impl Clock for Jumping {
    fn now(&self) -> i64 {
        NOW + i64::try_from(self.monotonic().as_secs()).expect("tests are short")
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().expect("nothing panics with it")
    }

    async fn sleep(&self, duration: Duration) {
        *self.0.lock().expect("nothing panics with it") += duration;
    }
}

struct Deaf;

#[async_trait]
impl ContextEvents for Deaf {
    async fn checkpoint(&self, _addr: &InstanceAddr, _attributes: &Value) -> Result<(), StoreError> {
        Ok(())
    }

    fn progress(&self, _addr: &InstanceAddr, _status: &str) {}
}

/// A context over a clock, and the switch that cancels.
pub(crate) fn context(clock: Arc<dyn Clock>) -> (Context, watch::Sender<bool>) {
    let (cancel, cancelled) = watch::channel(false);
    let cx = Context {
        addr: sgp_model::address::parse_instance("null_resource.test").expect("an address"),
        token: "token-1".into(),
        timeout: Duration::from_secs(3600),
        clock,
        events: Arc::new(Deaf),
        slot: Arc::new(Slot::default()),
        cancelled,
    };
    (cx, cancel)
}

/// The object that these arguments make.
pub(crate) async fn made(ty: &dyn Logical, arguments: &[(&'static str, Value)]) -> Value {
    let (cx, _cancel) = context(Arc::new(Jumping::default()));
    let planned = attrs::object(&ty.schema().block, arguments.iter().cloned());
    ty.make(&cx, &planned).await.expect("it can be made")
}

/// The ephemeral object that these arguments open.
pub(crate) async fn opened<T: Passing>(ty: T, arguments: &[(&'static str, Value)]) -> Result<Value, Diagnostics> {
    let config = attrs::object(&ty.schema().block, arguments.iter().cloned());
    let addr = sgp_model::address::parse_instance("ephemeral.random_password.test").expect("an address");
    let client = Tools { config: Value::dynamic_null(), clock: Arc::new(Jumping::default()) };
    let opened = InRun(ty).open(&client, &OpenRequest { addr: &addr, config: &config }).await?;
    Ok(opened.result)
}
