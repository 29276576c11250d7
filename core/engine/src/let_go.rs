//! `lifecycle { destroy = false }`: objects that leave the state in place of being destroyed.

use std::collections::BTreeMap;

use sgp_lang::config::Config;
use sgp_model::{
    InstanceRecord, ResourceAddr,
    plan::{Action, ResourceChange},
    state::RecordKey,
};

use crate::{blocks::resource_block, planner::Planning};

/// Whether the configuration says so of a resource.
pub(crate) fn skips_destroy(config: &Config, addr: &ResourceAddr) -> bool {
    resource_block(config, addr).is_some_and(|block| block.lifecycle.skip_destroy)
}

impl Planning<'_> {
    /// Whether an object that would be destroyed is let go. A `removed` block decides, then the block of the resource; where there is
    /// none any more, what it said when the object was last applied.
    pub(crate) fn is_let_go(&self, change: &ResourceChange, existing: &BTreeMap<RecordKey, InstanceRecord>) -> bool {
        if change.action == Action::ForgetThenCreate {
            return true;
        }
        if let Some(decided) = self.refactored.forgotten.holds(&change.addr) {
            return decided;
        }
        if let Some(block) = resource_block(&self.session.config, &change.addr.resource) {
            return block.lifecycle.skip_destroy;
        }
        let key = RecordKey { addr: change.addr.clone(), deposed: change.deposed.clone() };
        existing.get(&key).is_some_and(|record| record.skip_destroy)
    }
}
