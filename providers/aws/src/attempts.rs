//! Counting the attempts that the SDK makes for one call.
//!
//! The SDK repeats a call whose answer was lost. When the lost call had created something, the repetition is told that the
//! name is taken: by us. A create call that has no client token counts its attempts, and a "taken" after more than one
//! attempt is answered by looking at what is there.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeTransmitInterceptorContextRef, dyn_dispatch_hint},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

/// Give a clone to `.customize().interceptor(...)`, then ask.
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<AtomicU32>);

impl Attempts {
    /// Whether the request left more than once, so that an earlier one may have been served.
    pub fn repeated(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}

#[dyn_dispatch_hint]
impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
