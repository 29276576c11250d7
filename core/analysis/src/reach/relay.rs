//! What load balancers and kube-proxy change in a packet's way.

use super::{
    end::End,
    trail::Fix,
    walk::{Arrival, Walk},
};
use crate::{
    sets::Passage,
    topology::{Direction, Fact},
};

impl Walk<'_> {
    /// A node hands a packet to a pod of its own, with the client's address in it.
    pub(super) fn hand_to_pod(&mut self) -> Option<Arrival> {
        let (from, to) = (self.from, self.to);
        if to.is_branch() && self.is_strict(to) {
            let what = "strict mode: a node hands nothing to pods with branch interfaces for Services with \
                        externalTrafficPolicy: Local";
            self.trail.stop(&to.name, what, Some("externalTrafficPolicy: Local".to_owned()));
            self.trail.mend(|| Fix::Other("target type ip, or externalTrafficPolicy: Cluster".to_owned()));
            return None;
        }
        if from.is_one_with(to) {
            // kube-proxy puts the node's address in place of that, and policies let the node pass.
            self.trail.pass(&to.name, "gets its own packet from its node, with the node's address", None);
            return Some(self.stayed());
        }
        self.trail.pass(&to.name, "gets it from its node, with the client's address; no security group sees it", None);
        let source = from.addresses.of_family(self.family);
        self.police(to, from, Direction::Ingress, &source);
        Some(self.stayed())
    }

    /// Whether it is a load balancer without groups, which lets everything pass.
    pub(super) fn passes_open_relay(&mut self, at: &End) -> bool {
        let is_open = at.relay.is_some_and(|it| it.is_open);
        if is_open {
            self.trail.pass(&at.name, "has no security groups, so everything passes it", None);
        }
        is_open
    }

    /// Rules that a controller makes and no source shows may let everything pass. Says so.
    pub(super) fn count_hidden_rules(
        &self,
        passage: &mut Passage,
        at: &End,
        direction: Direction,
        there: Option<&End>,
    ) -> Option<String> {
        let is_of_balancer = at.relay.is_some_and(|it| it.has_hidden_groups);
        let is_behind = there.and_then(|there| there.relay).is_some_and(|it| it.makes_rules);
        let what = match direction {
            // Groups that are made by call let everything out, and the controller leaves that.
            Direction::Egress if is_of_balancer => {
                "its groups are its controller's, and which rules they have is not seen"
            }
            Direction::Ingress if is_of_balancer => {
                "its controller makes a group for it, which is not seen: whom that lets in is not known"
            }
            Direction::Ingress if is_behind && at.groups != Fact::Known(Vec::new()) => {
                "the load balancer's controller adds a rule for it to one of these groups, which is not seen"
            }
            _ => return None,
        };
        passage.possible = self.question.wanted.clone();
        Some(what.to_owned())
    }
}
