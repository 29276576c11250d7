//! What a provider of this room is: a name, and its types.

use std::sync::Arc;

use async_trait::async_trait;
use sgp_contract::{Client, Clock, DataSource, EphemeralType, Provider, ResourceType};
use sgp_model::{Diagnostics, Schema, Value};

use crate::tools::Tools;

/// A provider as data.
pub(crate) struct Kit {
    /// The name before the first underscore of its types.
    pub(crate) name: &'static str,
    /// The source address in Terraform state.
    pub(crate) source: &'static str,
    /// The arguments of the `provider` block.
    pub(crate) config: fn() -> &'static Schema,
    /// Resource types, sorted by name.
    pub(crate) resources: &'static [&'static dyn ResourceType],
    /// Data sources, sorted by name.
    pub(crate) data: &'static [&'static dyn DataSource],
    /// Ephemeral resources, sorted by name.
    pub(crate) ephemeral: &'static [&'static dyn EphemeralType],
}

/// One provider of this room.
pub(crate) struct UtilityProvider {
    kit: &'static Kit,
    clock: Arc<dyn Clock>,
}

impl UtilityProvider {
    /// The provider of a kit.
    pub(crate) fn new(kit: &'static Kit, clock: Arc<dyn Clock>) -> Self {
        Self { kit, clock }
    }
}

#[async_trait]
impl Provider for UtilityProvider {
    fn name(&self) -> &'static str {
        self.kit.name
    }

    fn source(&self) -> &'static str {
        self.kit.source
    }

    fn config_schema(&self) -> &'static Schema {
        (self.kit.config)()
    }

    fn resource_types(&self) -> &'static [&'static dyn ResourceType] {
        self.kit.resources
    }

    fn data_sources(&self) -> &'static [&'static dyn DataSource] {
        self.kit.data
    }

    fn ephemeral_types(&self) -> &'static [&'static dyn EphemeralType] {
        self.kit.ephemeral
    }

    async fn configure(&self, config: &Value) -> Result<Arc<dyn Client>, Diagnostics> {
        Ok(Arc::new(Tools { config: config.clone(), clock: self.clock.clone() }))
    }
}
