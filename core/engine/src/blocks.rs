//! The block behind an address.

use std::sync::Arc;

use sgp_lang::config::{Config, ResourceBlock};
use sgp_model::ResourceAddr;

/// The `resource` or `data` block that an object belongs to; `None` when the configuration has none any more.
pub(crate) fn resource_block(config: &Config, addr: &ResourceAddr) -> Option<Arc<ResourceBlock>> {
    let module = addr
        .module
        .0
        .iter()
        .try_fold(&config.root, |module, step| module.calls.get(&step.name).map(|call| &call.module))?;
    module.resource(addr.mode, &addr.type_name, &addr.name).cloned()
}
