//! Security groups that a plan deletes.

use sgp_analysis::{
    build::{Object, View},
    topology::Id,
};
use sgp_model::{InstanceAddr, plan::Action, symbol::symbol};

use super::Facts;

/// A group that goes.
pub(crate) struct GoneGroup<'a> {
    pub(crate) addr: &'a InstanceAddr,
    pub(crate) id: Id,
}

impl<'a> Facts<'a> {
    /// Groups that the plan deletes and does not make again.
    pub(crate) fn gone_groups(&self) -> Vec<GoneGroup<'a>> {
        let groups = self.input.before.iter().filter(|it| it.kind == "aws_security_group");
        let gone = |it: &'a Object| {
            let addr = it.addr.as_ref().filter(|it| self.action(Some(it)) == Action::Delete)?;
            Some(GoneGroup { addr, id: id_of(addr, &View(&it.attributes)) })
        };
        groups.filter_map(gone).collect()
    }
}

/// The id of an object, or what stands for it.
pub(crate) fn id_of(addr: &InstanceAddr, view: &View<'_>) -> Id {
    view.text("id").map_or_else(|| Id::from(symbol(&format!("{addr}.id"))), Id::from)
}
