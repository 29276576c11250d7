//! A packet's way in: from outside, into the receiver's subnet, its interface, and the pod behind it.

use super::{
    end::{End, Public, Wire},
    walk::{Arrival, Walk},
};
use crate::{
    sets::Family,
    topology::{Direction, Id},
};

impl Walk<'_> {
    pub(super) fn come_from_anywhere(&mut self) -> Arrival {
        let source = self.from.addresses.of_family(self.family);
        let mut arrival = Arrival { source, left_by: None, has_come_in: false, came_in_by: None, gateways: Vec::new() };
        self.come_in(None, &mut arrival);
        arrival
    }

    pub(super) fn come_from_outside(&mut self) -> Option<Arrival> {
        let to = self.to;
        if to.wire == Wire::Outside {
            self.trail.lose(&self.from.name, "neither end is in the networks that are known");
            return None;
        }
        let public = if self.family == Family::V6 { Public::Yes } else { to.public };
        match public {
            Public::Yes => {}
            Public::Unknown => self.trail.assume(format_args!("{} has a public address", to.name)),
            Public::No => {
                self.trail.stop(&to.name, "has no public address, so nothing from outside reaches it", None);
                return None;
            }
        }
        let gateway = to.vpc.known().and_then(|vpc| {
            let is_its = |(_, gateway): &(&Id, &crate::topology::InternetGateway)| {
                gateway.vpc.as_ref() == Some(vpc) && !gateway.is_egress_only
            };
            self.topology.internet_gateways.iter().find(is_its)
        });
        match gateway {
            Some((id, _)) => self.trail.pass(id, "comes in from the internet", None),
            None if self.knows_gateways(to) => {
                self.trail.stop(&to.name, "its VPC has no internet gateway", None);
                return None;
            }
            None => self.trail.assume(format_args!("the VPC of {} has an internet gateway", to.name)),
        }
        let source = self.from.addresses.of_family(self.family);
        let mut arrival = Arrival { source, left_by: None, has_come_in: false, came_in_by: None, gateways: Vec::new() };
        self.come_in(None, &mut arrival);
        Some(arrival)
    }

    /// Whether the routes around an end are known, and with them its VPC's gateways.
    pub(super) fn knows_gateways(&self, end: &End) -> bool {
        end.subnets.iter().any(|id| {
            let table = self.topology.subnets.get(id).and_then(|subnet| subnet.route_table.known());
            table.is_some_and(|table| self.topology.route_tables.contains_key(table))
        })
    }

    /// Into the receiving interface and what is behind it.
    pub(super) fn enter(&mut self, arrival: &Arrival) {
        let to = self.to;
        if !to.is_in_use {
            self.trail.stop(&to.name, "its interface is attached to nothing", None);
            return;
        }
        // What a NAT gateway sends has no groups.
        let sender = arrival.left_by.as_ref().map(|(out, _)| out).filter(|_| arrival.gateways.is_empty());
        self.judge_groups(to, Direction::Ingress, &arrival.source, sender);
        if to.is_branch() {
            self.trail.pass(&to.name, "comes in by its branch interface", None);
        }
        let is_own =
            arrival.gateways.is_empty() && arrival.left_by.as_ref().is_none_or(|(out, _)| out.wire == self.from.wire);
        match (is_own, sender) {
            (true, _) => self.police(to, self.from, Direction::Ingress, &arrival.source),
            (false, Some(node)) => self.police(to, node, Direction::Ingress, &arrival.source),
            (false, None) => {
                let nobody = End { guest: None, ..self.from.clone() };
                self.police(to, &nobody, Direction::Ingress, &arrival.source);
            }
        }
    }
}
