//! The Kubernetes provider: objects of clusters, through `kube`, and how security groups for pods are turned on in them.
//!
//! One file a kind; [`KubernetesProvider`] lists them. It does not know the AWS SDK: what it needs of EKS (endpoints,
//! tokens, the managed add-on, names of security groups) comes through [`sgp_contract::eks::Eks`].

// A failure is told once, as a whole diagnostic, and the contract returns it by value.
#![allow(clippy::result_large_err)]

mod apply;
mod attrs;
mod connect;
mod errors;
mod json;
mod life;
#[cfg(test)]
mod live;
mod manifest;
mod matching;
mod metadata;
mod namespace;
mod network_policy;
mod object;
mod owned;
mod pod_eni;
mod provider_config;
mod rollout;
mod security_group_policy;
mod selector;
mod service_account;
#[cfg(test)]
mod stub_tests;
mod survey;
mod target;
#[cfg(test)]
mod testing;
mod wait;

use std::sync::Arc;

use async_trait::async_trait;
use sgp_contract::{
    Area, Client, Clock, Context, DataSource, Provider, ResourceType, Rollout, Sighting, Workload, eks::Eks,
};
use sgp_model::{Diagnostic, Diagnostics, Schema, Value};

use crate::{connect::KubeClient, provider_config::Settings};

/// Sorted by name.
static TYPES: [&dyn ResourceType; 6] = [
    &manifest::TYPE,
    &namespace::TYPE,
    &network_policy::TYPE,
    &service_account::TYPE,
    &pod_eni::TYPE,
    &security_group_policy::TYPE,
];

/// The provider `kubernetes`, which the `sgp_*` types belong to as well.
pub struct KubernetesProvider {
    eks: Arc<dyn Eks>,
    clock: Arc<dyn Clock>,
}

impl KubernetesProvider {
    /// Makes the provider. `eks` answers for clusters that are named by `cluster_name`.
    pub fn new(eks: Arc<dyn Eks>, clock: Arc<dyn Clock>) -> Self {
        Self { eks, clock }
    }
}

#[async_trait]
impl Provider for KubernetesProvider {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn source(&self) -> &'static str {
        "registry.terraform.io/hashicorp/kubernetes"
    }

    fn config_schema(&self) -> &'static Schema {
        &provider_config::SCHEMA
    }

    fn resource_types(&self) -> &'static [&'static dyn ResourceType] {
        &TYPES
    }

    fn data_sources(&self) -> &'static [&'static dyn DataSource] {
        &[]
    }

    fn calls_through(&self) -> &'static [&'static str] {
        &["aws"]
    }

    async fn survey(&self, client: &dyn Client, area: &mut Area) -> (Vec<Sighting>, Diagnostics) {
        survey::survey(life::client(client), area).await
    }

    async fn roll_out(
        &self,
        client: &dyn Client,
        cx: &Context,
        workload: &Workload,
        rollout: Rollout,
    ) -> Result<(), Diagnostic> {
        rollout::roll_out(life::client(client), cx, workload, rollout).await
    }

    async fn configure(&self, config: &Value) -> Result<Arc<dyn Client>, Diagnostics> {
        let settings = Settings::new(config, |name| std::env::var(name).ok())?;
        Ok(Arc::new(KubeClient::new(self.eks.clone(), self.clock.clone(), settings)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sorted_and_complete() {
        let names: Vec<&str> = TYPES.iter().map(|t| t.schema().name).collect();
        assert!(names.is_sorted());
        for ty in TYPES {
            let schema = ty.schema();
            assert_eq!(schema.lives_in, Some("cluster_name"), "{}", schema.name);
            assert!(schema.block.attributes["cluster_name"].force_new, "{}", schema.name);
            assert!(!schema.example.is_empty() && !schema.doc.is_empty(), "{}", schema.name);
            for (name, attribute) in &schema.block.attributes {
                assert!(!attribute.doc.is_empty(), "{}.{name}", schema.name);
            }
        }
    }
}
