//! The provider that is part of the engine: `terraform`, with types that call nobody.

mod terraform_data;

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use sgp_contract::{Client, DataSource, Provider, ResourceType};
use sgp_model::{Diagnostics, Schema, Value};

/// The built-in provider.
pub struct TerraformProvider;

/// Its client, which has nobody to talk to.
struct NoClient;

impl Client for NoClient {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[async_trait]
impl Provider for TerraformProvider {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn source(&self) -> &'static str {
        "terraform.io/builtin/terraform"
    }

    fn config_schema(&self) -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new("terraform", "Types that call nobody."));
        &SCHEMA
    }

    fn resource_types(&self) -> &'static [&'static dyn ResourceType] {
        &[&terraform_data::TerraformData]
    }

    fn data_sources(&self) -> &'static [&'static dyn DataSource] {
        &[]
    }

    async fn configure(&self, _config: &Value) -> Result<Arc<dyn Client>, Diagnostics> {
        Ok(Arc::new(NoClient))
    }
}
