//! A packet's way out: the interface that it leaves by, routes, gateways.

use super::{
    end::{End, Public, Wire},
    host,
    routes::{self, Way},
    trail::Fix,
    walk::{Arrival, Gateway, Walk},
};
use crate::{
    sets::{AddressSet, Family},
    topology::{Direction, Fact, Id, Target},
};

impl Walk<'_> {
    /// The end that a packet leaves by: its own interface, or its node's when the node puts its address in place.
    pub(super) fn way_out(&mut self) -> Option<End> {
        let from = self.from;
        let may_translate = match from.wire {
            Wire::Branch => !self.is_strict(from),
            Wire::Shared => true,
            Wire::Outside | Wire::Anywhere | Wire::Plain | Wire::Host | Wire::Fargate => false,
        };
        let translated = may_translate && {
            let in_vpc = self.is_in_vpc(from);
            let translated = self
                .cluster_of(from)
                .map_or(Fact::Unknown, |it| host::translates(&it.cni, &self.to_addresses, self.family, in_vpc));
            self.fact(translated, "the node puts its own address in place of the pod's")
        };
        if !translated {
            let what = if from.is_branch() { "leaves by its branch interface" } else { "leaves by its interface" };
            self.trail.pass(&from.name, what, None);
            return Some(from.clone());
        }
        let Some(node) = from.host_end() else {
            self.trail.lose(&from.name, "its node's interface is not known");
            return None;
        };
        let what = "the node puts its own address in place of the pod's (AWS_VPC_K8S_CNI_EXTERNALSNAT=false): its groups count";
        self.trail.pass(&from.name, what, None);
        Some(node)
    }

    pub(super) fn is_in_vpc(&self, end: &End) -> Fact<bool> {
        let Fact::Known(vpc) = &end.vpc else { return Fact::Unknown };
        if let Some(addresses) = self.topology.vpc_addresses(vpc).filter(|_| !self.to_addresses.is_empty()) {
            return host::within(&addresses, &self.to_addresses);
        }
        match (&self.to.vpc, self.to.wire) {
            (_, Wire::Outside) => Fact::Known(false),
            (Fact::Known(theirs), _) => Fact::Known(theirs == vpc),
            (Fact::Unknown, _) => Fact::Unknown,
        }
    }

    pub(super) fn leave(&mut self) -> Option<Arrival> {
        let out = self.way_out()?;
        let source = out.addresses.of_family(self.family);
        if !self.is_resolver(&out) {
            let destination = self.to_addresses.clone();
            let there = self.has_interface_near(&out).then_some(self.to);
            self.judge_groups(&out, Direction::Egress, &destination, there);
        }
        let subnet = self.subnet_of(&out, "the sender's subnet");
        let mut arrival = Arrival {
            source,
            left_by: Some((out, subnet.clone())),
            has_come_in: false,
            came_in_by: None,
            gateways: Vec::new(),
        };
        if self.trail.is_over() {
            return None;
        }
        self.route(subnet.as_ref(), &mut arrival).then_some(arrival)
    }

    /// Whether the destination is an interface in this VPC or a peered one.
    pub(super) fn has_interface_near(&self, out: &End) -> bool {
        if self.to.wire == Wire::Outside {
            return false;
        }
        match (&out.vpc, &self.to.vpc) {
            (Fact::Known(one), Fact::Known(other)) => self.topology.are_near(one, other),
            _ => true,
        }
    }

    /// Whether the destination is the Amazon DNS server.
    pub(super) fn is_resolver(&self, out: &End) -> bool {
        let resolver = || out.vpc.known().and_then(|vpc| self.topology.vpcs.get(vpc)?.resolver());
        self.to_addresses.single().is_some_and(|address| resolver() == Some(address))
    }

    /// Follows routes from a subnet; false when they lead nowhere.
    pub(super) fn route(&mut self, subnet: Option<&Id>, arrival: &mut Arrival) -> bool {
        let Some((out, _)) = &arrival.left_by else { return false };
        let vpc = match (arrival.gateways.last(), &out.vpc) {
            (Some(gateway), _) => self.topology.subnets.get(&gateway.subnet).map_or(Fact::Unknown, |it| it.vpc.clone()),
            (None, vpc) => vpc.clone(),
        };
        if arrival.gateways.is_empty() && self.is_resolver(out) {
            self.trail.pass("VPC resolver", "the Amazon DNS server answers; groups and ACLs do not see it", None);
            return true;
        }
        let Some(subnet) = subnet else { return self.route_unknown("a subnet that is not known", &vpc, arrival) };
        let there = (self.to.wire != Wire::Outside).then(|| self.subnet_of(self.to, "the receiver's subnet")).flatten();
        if there.as_ref() != Some(subnet) {
            let destination = self.to_addresses.clone();
            self.judge_acl(subnet, Direction::Egress, &destination);
        }
        let ways = match routes::of(self.topology, subnet, &self.to_addresses, self.family) {
            Way::Unknown => return self.route_unknown(&subnet.to_string(), &vpc, arrival),
            Way::Routes(ways) => ways,
        };
        // One case for the addresses of each route.
        let chosen = self.oracle.choose(&format!("the route out of {subnet}"), ways.len());
        let Some((part, route)) = ways.into_iter().nth(chosen) else {
            // The destination's address is not known.
            return self.route_unknown(&subnet.to_string(), &vpc, arrival);
        };
        self.to_addresses = part;
        let Some((table, route)) = route else {
            let what = format!("no route to {}", self.to_addresses);
            self.trail.stop(subnet, what, None);
            let name = &self.to.name;
            self.trail.mend(|| Fix::Other(format!("a route from {subnet} to {name}")));
            return false;
        };
        let told = routes::told(table, route);
        self.follow(subnet, &vpc, &route.target, told, arrival)
    }

    /// Where nobody told the routes: those of the VPC are always there, others are taken to be.
    pub(super) fn route_unknown(&mut self, subnet: &str, vpc: &Fact<Id>, arrival: &mut Arrival) -> bool {
        let to = self.to;
        if to.wire == Wire::Outside {
            self.trail.assume(format_args!("{subnet} has a route to {}", to.name));
            self.trail.pass(subnet, format!("taken to have a route to {}: its routes are not known", to.name), None);
            return true;
        }
        match (vpc, &to.vpc) {
            (Fact::Known(one), Fact::Known(other)) if one == other => {
                self.trail.pass(subnet, "routed within the VPC", None);
            }
            _ => {
                self.trail.assume(format_args!("a route leads from {subnet} to {}", to.name));
                self.trail.pass(
                    subnet,
                    format!("taken to have a route to {}: its routes are not known", to.name),
                    None,
                );
            }
        }
        self.come_in(Some(subnet), arrival);
        true
    }

    pub(super) fn follow(
        &mut self,
        subnet: &Id,
        vpc: &Fact<Id>,
        target: &Target,
        told: String,
        arrival: &mut Arrival,
    ) -> bool {
        match target {
            Target::Local => self.deliver(subnet, vpc, told, arrival),
            Target::Internet(gateway) | Target::EgressOnly(gateway) => {
                self.over_internet_gateway(gateway, told, arrival)
            }
            Target::Nat(gateway) => self.through_nat(gateway, told, arrival),
            Target::Peering(connection) => self.over_peering(connection, subnet, vpc, told, arrival),
            Target::Endpoint(endpoint) => {
                self.trail.pass(endpoint, "a gateway endpoint takes it to the service", Some(told));
                true
            }
            Target::Blackhole(_) => {
                self.trail.stop(subnet, "the route's target is gone (blackhole)", Some(told));
                false
            }
            Target::Other(target) => {
                self.trail.lose(target, "what this leads to is not followed");
                self.come_in(None, arrival);
                true
            }
        }
    }

    pub(super) fn deliver(&mut self, subnet: &Id, vpc: &Fact<Id>, told: String, arrival: &mut Arrival) -> bool {
        let is_there = self.to.wire != Wire::Outside
            && match (vpc, &self.to.vpc) {
                (Fact::Known(one), Fact::Known(other)) => one == other,
                _ => true,
            };
        if !is_there {
            let what = format!("nothing in the VPC has {}", self.to_addresses);
            self.trail.stop(subnet, what, Some(told));
            return false;
        }
        self.trail.pass(subnet, "routed within the VPC", Some(told));
        self.come_in(Some(subnet.as_str()), arrival);
        true
    }

    /// Into the receiver's subnet. `from` is the subnet it comes from; within one subnet no ACL sees it.
    pub(super) fn come_in(&mut self, from: Option<&str>, arrival: &mut Arrival) {
        let there = self.subnet_of(self.to, "the receiver's subnet");
        if let Some(there) = there.as_ref().filter(|there| Some(there.as_str()) != from) {
            let source = arrival.source.clone();
            self.judge_acl(there, Direction::Ingress, &source);
        }
        arrival.has_come_in = true;
        arrival.came_in_by = there;
    }

    pub(super) fn over_internet_gateway(&mut self, gateway: &Id, told: String, arrival: &mut Arrival) -> bool {
        let public = match (self.family, arrival.gateways.last(), &arrival.left_by) {
            (Family::V6, ..) => Public::Yes,
            (_, Some(gateway), _) if gateway.is_public => Public::Yes,
            (_, None, Some((out, _))) => out.public,
            _ => Public::No,
        };
        let sender = arrival.left_by.as_ref().map_or_else(String::new, |(out, _)| out.name.clone());
        match public {
            Public::Yes => {}
            Public::Unknown => self.trail.assume(format_args!("{sender} has a public address")),
            Public::No => {
                let what =
                    format!("{sender} has no public address, and the internet gateway drops what it cannot translate");
                self.trail.stop(gateway, what, Some(told));
                self.trail.mend(|| Fix::Other(format!("a NAT gateway for the subnets of {sender}")));
                return false;
            }
        }
        let internet = AddressSet::internet();
        if !internet.meets(&self.to_addresses) {
            let what = format!("nobody on the internet has {}", self.to_addresses);
            self.trail.stop(gateway, what, Some(told));
            return false;
        }
        self.trail.pass(gateway, "goes out to the internet", Some(told));
        // IPv6 addresses of a VPC are public ones.
        if self.family == Family::V6 && self.to.wire != Wire::Outside {
            return self.back_in_from_outside();
        }
        let is_ours = |address: std::net::IpAddr| {
            self.topology.interfaces.values().any(|it| it.public.iter().any(|(_, public)| *public == address))
        };
        if self.to_addresses.single().is_some_and(is_ours) {
            self.trail
                .lose(&self.to.name, "is a public address of an interface here; ask with FROM internet for its way in");
            return false;
        }
        true
    }

    /// To an address of another VPC here, which an internet gateway there lets in.
    fn back_in_from_outside(&mut self) -> bool {
        if self.to.is_in_use {
            let what = "is in another network here; ask with FROM internet for its way in";
            self.trail.lose(&self.to.name, what);
        } else {
            self.trail.stop(&self.to.name, "nothing has this address of a VPC", None);
        }
        false
    }

    pub(super) fn through_nat(&mut self, id: &Id, told: String, arrival: &mut Arrival) -> bool {
        if self.family == Family::V6 {
            self.trail.lose(id, "what a NAT gateway makes IPv4 of (NAT64) is not followed");
            return false;
        }
        let Some(nat) = self.topology.nat_gateways.get(id) else {
            self.trail.stop(id, "the NAT gateway is not there", Some(told));
            return false;
        };
        if !nat.is_available {
            self.trail.stop(id, "the NAT gateway is not available", Some(told));
            return false;
        }
        if arrival.gateways.iter().any(|gateway| gateway.id == *id) {
            self.trail.stop(id, "the NAT gateway's own subnet routes back to it", Some(told));
            return false;
        }
        let before = arrival.source.clone();
        let left = arrival.gateways.last().map(|gateway| gateway.subnet.clone());
        let left = left.or_else(|| arrival.left_by.as_ref().and_then(|(_, subnet)| subnet.clone()));
        self.trail.pass(id, "the NAT gateway puts its own address in place", Some(told));
        if left.as_ref() != Some(&nat.subnet) {
            self.judge_acl(&nat.subnet, Direction::Ingress, &before);
        }
        arrival.source = nat.address.known().map_or_else(AddressSet::none, |address| AddressSet::from(*address));
        let gateway = Gateway { id: id.clone(), subnet: nat.subnet.clone(), before, is_public: nat.is_public };
        arrival.gateways.push(gateway);
        self.route(Some(&nat.subnet), arrival)
    }

    pub(super) fn over_peering(
        &mut self,
        id: &Id,
        subnet: &Id,
        vpc: &Fact<Id>,
        told: String,
        arrival: &mut Arrival,
    ) -> bool {
        let other = vpc.known().and_then(|vpc| self.topology.other_end(id, vpc));
        let Some(other) = other else {
            self.trail.stop(id, "the peering connection is not active", Some(told));
            return false;
        };
        if self.to.wire == Wire::Outside || self.to.vpc.known().is_some_and(|theirs| theirs != other) {
            let what = format!("nothing in {other} has {}; peering does not lead further", self.to_addresses);
            self.trail.stop(id, what, Some(told));
            return false;
        }
        self.trail.pass(id, format!("peered to {other}"), Some(told));
        self.come_in(Some(subnet.as_str()), arrival);
        true
    }
}
