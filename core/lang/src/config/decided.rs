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
        let calls: Vec<_> = module.calls.values().filter_map(|call| self.call(call)).collect();
        let resources = self.changed(&module.resources, |this, block| {
            let body = this.body(&block.body, this.schemas.resource(block.mode, &block.type_name))?;
            Some(ResourceBlock { body, ..ResourceBlock::clone(block) })
        });
        let providers = self.changed(&module.providers, |this, block| {
            let body = this.body(&block.body, this.schemas.provider_config(&block.name))?;
            Some(ProviderBlock { body, ..ProviderBlock::clone(block) })
        });
        let new = if calls.is_empty() && resources.is_empty() && providers.is_empty() {
            module.clone()
        } else {
            let mut new = Module::clone(module);
            new.calls.extend(calls.into_iter().map(|call| (call.name.clone(), call)));
            resources.into_iter().for_each(|(at, block)| new.resources[at] = block);
            providers.into_iter().for_each(|(at, block)| new.providers[at] = block);
            Arc::new(new)
        };
        self.done.insert(Arc::as_ptr(module), new.clone());
        new
    }

    /// The call with what became of its module, if that changed.
    fn call(&mut self, call: &Arc<ModuleCall>) -> Option<Arc<ModuleCall>> {
        let module = self.module(&call.module);
        let changed = !Arc::ptr_eq(&module, &call.module);
        changed.then(|| Arc::new(ModuleCall { module, ..ModuleCall::clone(call) }))
    }

    /// The blocks that change, with their places.
    fn changed<B>(
        &mut self,
        blocks: &[Arc<B>],
        mut change: impl FnMut(&mut Self, &Arc<B>) -> Option<B>,
    ) -> Vec<(usize, Arc<B>)> {
        let each = |(at, block)| change(self, block).map(|new| (at, Arc::new(new)));
        blocks.iter().enumerate().filter_map(each).collect()
    }

    fn body(&mut self, body: &Body, schema: Option<&'static Schema>) -> Option<Body> {
        let schema = schema.filter(|_| !body.json.is_empty())?;
        let (body, diagnostics) = json::decided(body, &schema.block);
        self.diagnostics.extend(diagnostics);
        Some(body)
    }
}
