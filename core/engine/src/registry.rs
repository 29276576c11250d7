//! Which types there are, and which provider each belongs to.

use std::{collections::BTreeMap, sync::Arc};

use sgp_contract::{DataSource, EphemeralType, Provider, ResourceType};
use sgp_lang::Schemas;
use sgp_model::{InstanceAddr, Mode, ProviderAddr, Schema};

use crate::{
    builtin::TerraformProvider,
    doubles::{self, Doubles},
};

/// All providers of the binary, with the types of each.
#[derive(Clone)]
pub struct Registry {
    providers: BTreeMap<&'static str, Arc<dyn Provider>>,
    resources: BTreeMap<&'static str, (&'static str, &'static dyn ResourceType)>,
    data: BTreeMap<&'static str, (&'static str, &'static dyn DataSource)>,
    ephemeral: BTreeMap<&'static str, (&'static str, &'static dyn EphemeralType)>,
    /// What stands in for providers and objects, in a test run.
    doubles: Option<Arc<Doubles>>,
}

impl Registry {
    /// These providers and the built-in one (`terraform_data`).
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Self {
        let mut registry = Self {
            providers: BTreeMap::new(),
            resources: BTreeMap::new(),
            data: BTreeMap::new(),
            ephemeral: BTreeMap::new(),
            doubles: None,
        };
        for provider in providers.into_iter().chain([Arc::new(TerraformProvider) as Arc<dyn Provider>]) {
            let name = provider.name();
            for ty in provider.resource_types() {
                registry.resources.insert(ty.schema().name, (name, *ty));
            }
            for ty in provider.data_sources() {
                registry.data.insert(ty.schema().name, (name, *ty));
            }
            for ty in provider.ephemeral_types() {
                registry.ephemeral.insert(ty.schema().name, (name, *ty));
            }
            registry.providers.insert(name, provider);
        }
        registry
    }

    /// The same for tests, where something may stand in for every object. Made once for a process: the wrapped types stay.
    pub(crate) fn for_tests(&self) -> Self {
        let mut registry = self.clone();
        for (_, ty) in registry.resources.values_mut() {
            *ty = doubles::resource_type(*ty);
        }
        for (_, ty) in registry.data.values_mut() {
            *ty = doubles::data_source(*ty);
        }
        for (_, ty) in registry.ephemeral.values_mut() {
            *ty = doubles::ephemeral_type(*ty);
        }
        registry
    }

    /// The registry of one test run; this one was made by [`Self::for_tests`].
    pub(crate) fn with_doubles(&self, doubles: Doubles) -> Self {
        Self { doubles: Some(Arc::new(doubles)), ..self.clone() }
    }

    /// What stands in for providers and objects, in a test run.
    pub(crate) fn doubles(&self) -> Option<&Arc<Doubles>> {
        self.doubles.as_ref()
    }

    /// Whether something stands in for this object.
    pub(crate) fn is_doubled(&self, addr: &InstanceAddr, provider: &ProviderAddr) -> bool {
        self.doubles.as_ref().is_some_and(|d| d.stand_in(addr, provider).is_some())
    }

    /// A data source that only computes; none where somebody wrote down what it answers.
    pub(crate) fn pure_data(&self, addr: &InstanceAddr, provider: &ProviderAddr) -> Option<&'static dyn DataSource> {
        let written = self.doubles.as_ref().is_some_and(|d| d.written(addr, provider).is_some());
        self.data_source(&addr.resource.type_name).filter(|ty| ty.is_pure() && !written)
    }

    /// A provider by its name.
    pub fn provider(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.providers.get(name)
    }

    /// All providers, by name.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.providers.values()
    }

    /// A resource type.
    pub fn resource_type(&self, name: &str) -> Option<&'static dyn ResourceType> {
        self.resources.get(name).map(|(_, ty)| *ty)
    }

    /// A data source.
    pub fn data_source(&self, name: &str) -> Option<&'static dyn DataSource> {
        self.data.get(name).map(|(_, ty)| *ty)
    }

    /// An ephemeral resource.
    pub fn ephemeral_type(&self, name: &str) -> Option<&'static dyn EphemeralType> {
        self.ephemeral.get(name).map(|(_, ty)| *ty)
    }

    /// All ephemeral resources, by name.
    pub fn ephemeral_types(&self) -> impl Iterator<Item = &'static dyn EphemeralType> {
        self.ephemeral.values().map(|(_, ty)| *ty)
    }

    /// All resource types, by name.
    pub fn resource_types(&self) -> impl Iterator<Item = &'static dyn ResourceType> {
        self.resources.values().map(|(_, ty)| *ty)
    }

    /// All data sources, by name.
    pub fn data_sources(&self) -> impl Iterator<Item = &'static dyn DataSource> {
        self.data.values().map(|(_, ty)| *ty)
    }
}

impl Schemas for Registry {
    fn resource(&self, mode: Mode, type_name: &str) -> Option<&'static Schema> {
        match mode {
            Mode::Managed => self.resource_type(type_name).map(ResourceType::schema),
            Mode::Data => self.data_source(type_name).map(DataSource::schema),
            Mode::Ephemeral => self.ephemeral_type(type_name).map(EphemeralType::schema),
        }
    }

    fn provider_for(&self, type_name: &str) -> Option<&'static str> {
        let managed = self.resources.get(type_name).map(|(provider, _)| *provider);
        let read = || self.data.get(type_name).map(|(provider, _)| *provider);
        managed.or_else(read).or_else(|| self.ephemeral.get(type_name).map(|(provider, _)| *provider))
    }

    fn provider_config(&self, provider: &str) -> Option<&'static Schema> {
        self.providers.get(provider).map(|p| p.config_schema())
    }

    fn resource_names(&self, mode: Mode) -> Vec<&'static str> {
        match mode {
            Mode::Managed => self.resources.keys().copied().collect(),
            Mode::Data => self.data.keys().copied().collect(),
            Mode::Ephemeral => self.ephemeral.keys().copied().collect(),
        }
    }

    fn provider_names(&self) -> Vec<&'static str> {
        self.providers.keys().copied().collect()
    }
}
