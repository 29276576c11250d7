//! Configuration in JSON, once the schemas are known: which properties of resources, data sources and providers are
//! arguments and which are blocks.

use std::{collections::HashMap, sync::Arc};

use sgp_model::{Diagnostics, Schema};

use super::{Config, Module, ModuleCall, ProviderBlock, ResourceBlock};
use crate::{
    eval::Schemas,
    syntax::{Body, json},
};

/// The configuration with all such properties decided. One without any stays as it is.
pub(crate) fn decided(config: &Arc<Config>, schemas: &dyn Schemas) -> (Arc<Config>, Diagnostics) {
    let mut deciding = Deciding { schemas, done: HashMap::new(), diagnostics: Diagnostics::new() };
    let root = deciding.module(&config.root);
    if Arc::ptr_eq(&root, &config.root) {
        return (config.clone(), deciding.diagnostics);
    }
    (Arc::new(Config { root, ..Config::clone(config) }), deciding.diagnostics)
}

struct Deciding<'s> {
    schemas: &'s dyn Schemas,
    /// Modules by where they were, so that those that are called twice stay one.
    done: HashMap<*const Module, Arc<Module>>,
    diagnostics: Diagnostics,
}

impl Deciding<'_> {
    fn module(&mut self, module: &Arc<Module>) -> Arc<Module> {
        if let Some(done) = self.done.get(&Arc::as_ptr(module)) {
            return done.clone();
        }
        let mut new = Module::clone(module);
        let mut changed = false;
        for call in new.calls.values_mut() {
            let inner = self.module(&call.module);
            if !Arc::ptr_eq(&inner, &call.module) {
                *call = Arc::new(ModuleCall { module: inner, ..ModuleCall::clone(call) });
                changed = true;
            }
        }
        for block in &mut new.resources {
            if let Some(body) = self.body(&block.body, self.schemas.resource(block.mode, &block.type_name)) {
                *block = Arc::new(ResourceBlock { body, ..ResourceBlock::clone(block) });
                changed = true;
            }
        }
        for block in &mut new.providers {
            if let Some(body) = self.body(&block.body, self.schemas.provider_config(&block.name)) {
                *block = Arc::new(ProviderBlock { body, ..ProviderBlock::clone(block) });
                changed = true;
            }
        }
        let new = if changed { Arc::new(new) } else { module.clone() };
        self.done.insert(Arc::as_ptr(module), new.clone());
        new
    }

    fn body(&mut self, body: &Body, schema: Option<&'static Schema>) -> Option<Body> {
        let schema = schema.filter(|_| !body.json.is_empty())?;
        let (body, diagnostics) = json::decided(body, &schema.block);
        self.diagnostics.extend(diagnostics);
        Some(body)
    }
}
