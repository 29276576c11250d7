//! What a packet does on its node, before any interface.

use std::collections::BTreeSet;

use super::{
    ask::Delivery,
    end::{End, Wire},
    host,
    trail::Fix,
    walk::Walk,
};
use crate::{
    sets::{Passage, Traffic},
    topology::Fact,
};

impl Walk<'_> {
    /// Whether the packet stays on its node: `Some(true)` it arrived there, `Some(false)` it ended there, `None` it leaves.
    pub(super) fn stay_on_node(&mut self) -> Option<bool> {
        let (from, to) = (self.from, self.to);
        if host::within(&host::link_local(), &self.to_addresses) == Fact::Known(true) {
            return Some(self.link_local());
        }
        if !self.is_beside {
            return None;
        }
        if !from.is_branch() && !to.is_branch() {
            self.trail.pass(&from.name, "stays on the node, where no security group sees it", None);
            return Some(true);
        }
        if self.is_strict(from) {
            self.early_demux();
            let what = "strict mode: traffic of a pod with a branch interface leaves the node, to the same node too";
            self.trail.pass(&from.name, what, None);
            return None;
        }
        if from.is_branch() && to.is_branch() && !have_same_groups(from, to) {
            let what = "standard mode: whether pods with different groups on one node reach each other is not specified \
                        (the EKS user guide says no, the VPC CNI's README says their groups are not enforced)";
            self.trail.lose(&from.name, what);
            return Some(true);
        }
        self.trail.pass(&from.name, "standard mode: traffic on one node stays there, no security group sees it", None);
        Some(true)
    }

    /// Kubelet's TCP to a branch interface on its node needs early demultiplexing switched off.
    pub(super) fn early_demux(&mut self) {
        // What is handed on has no socket on the node.
        let is_handed_on = matches!(self.question.delivery, Delivery::Translated | Delivery::OnNode);
        if self.from.wire != Wire::Host || !self.to.is_branch() || is_handed_on {
            return;
        }
        let is_off = self.cluster_of(self.to).map_or(Fact::Unknown, |cluster| cluster.cni.is_early_demux_off);
        if self.fact(is_off, "TCP early demultiplexing is off") {
            return;
        }
        let all_but_tcp = Traffic::all().without(&Traffic::protocol(crate::sets::Protocol::TCP));
        self.trail.meet(&Passage::exactly(all_but_tcp), || {
            let what = "strict mode: TCP between a node and a branch interface on it needs DISABLE_TCP_EARLY_DEMUX=true on \
                        the VPC CNI's init container";
            (self.from.name.clone(), what.to_owned(), Some("DISABLE_TCP_EARLY_DEMUX".to_owned()))
        });
        self.trail.mend(|| Fix::Other("disable_tcp_early_demux = true in sgp_pod_eni".to_owned()));
    }

    pub(super) fn link_local(&mut self) -> bool {
        let from = self.from;
        if from.wire == Wire::Outside {
            self.trail.stop(&from.name, "link-local addresses are reached from the same link only", None);
            return false;
        }
        if from.is_branch() && self.is_strict(from) {
            let what = "strict mode: link-local services of the node cannot be reached from a branch interface";
            self.trail.stop(&from.name, what, None);
            self.trail.mend(|| Fix::Other("enforcing_mode = \"standard\" in sgp_pod_eni".to_owned()));
            return false;
        }
        self.trail.pass(&from.name, "a link-local service: no security group and no network ACL sees it", None);
        true
    }
}

fn have_same_groups(one: &End, other: &End) -> bool {
    match (&one.groups, &other.groups) {
        (Fact::Known(one), Fact::Known(other)) => {
            one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
        }
        _ => false,
    }
}
