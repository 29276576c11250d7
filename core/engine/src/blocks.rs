//! The block behind an address.

use std::sync::Arc;

use sgp_lang::config::{Config, Module, ResourceBlock};
use sgp_model::{ModulePath, ResourceAddr};

/// The `resource` or `data` block that an object belongs to; `None` when the configuration has none any more.
pub(crate) fn resource_block(config: &Config, addr: &ResourceAddr) -> Option<Arc<ResourceBlock>> {
    module_block(&config.root, &addr.module)?.resource(addr.mode, &addr.type_name, &addr.name).cloned()
}

/// The module that a path leads to from another one, whatever the keys.
pub(crate) fn module_block<'a>(from: &'a Module, path: &ModulePath) -> Option<&'a Module> {
    path.0.iter().try_fold(from, |module, step| module.calls.get(&step.name).map(|call| &*call.module))
}
