//! Giving up early on an endpoint that cannot be reached.
//!
//! Many retries are right for throttling and wrong for a host that is not there: a mistyped endpoint would be tried for
//! minutes. After a few attempts that ended without any answer, the error is made one that the SDK does not repeat.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextMut},
            dyn_dispatch_hint,
        },
        orchestrator::OrchestratorError,
        result::ConnectorError,
        retries::RequestAttempts,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// So many attempts without an answer are enough.
const ATTEMPTS: u32 = 5;

/// Where the attempt under way went: the URL without its query.
#[derive(Debug)]
struct Tried(String);

impl Storable for Tried {
    type Storer = StoreReplace<Self>;
}

/// The interceptor.
#[derive(Debug)]
pub struct Reconnects;

#[dyn_dispatch_hint]
impl Intercept for Reconnects {
    fn name(&self) -> &'static str {
        "Reconnects"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let address = context.request().uri().split('?').next().unwrap_or_default().to_owned();
        cfg.interceptor_state().store_put(Tried(address));
        Ok(())
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let attempts = cfg.load::<RequestAttempts>().map_or(0, RequestAttempts::attempts);
        if attempts < ATTEMPTS {
            return Ok(());
        }
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        let Some(connector) = error.as_connector_error().filter(|e| e.is_io() || e.is_timeout()) else { return Ok(()) };
        let mut said = crate::errors::causes(connector);
        // Which address was tried is what a person checks first.
        if let Some(Tried(address)) = cfg.load::<Tried>() {
            said = format!("{address}: {said}");
        }
        if let Some(outcome) = context.output_or_error_mut() {
            *outcome = Err(OrchestratorError::connector(ConnectorError::user(said.into())));
        }
        Ok(())
    }
}
