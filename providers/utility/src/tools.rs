//! The client of these providers: what their types reach the world through.

use std::{any::Any, sync::Arc};

use sgp_contract::{Client, Clock};
use sgp_model::Value;

/// A clock, and what the `provider` block says.
pub(crate) struct Tools {
    /// The evaluated `provider` block.
    pub(crate) config: Value,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Client for Tools {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Tools {
    /// The client that [`crate::provider::UtilityProvider`] configured.
    pub(crate) fn of(client: &dyn Client) -> &Self {
        client.as_any().downcast_ref().expect("the engine gives a type the client of its own provider")
    }
}
