//! The way of the answer: groups remember the connection, network ACLs and routes do not.

use super::{
    acl,
    end::Wire,
    routes::{self, Way},
    walk::{Arrival, Walk},
};
use crate::{
    sets::{AddressSet, Traffic},
    topology::{Direction, Id, Target},
};

impl Walk<'_> {
    /// Walks back.
    pub(super) fn back(&mut self, arrival: &Arrival) {
        if self.trail.is_over() {
            return;
        }
        self.trail.is_back = true;
        if arrival.left_by.is_none() && !arrival.has_come_in {
            self.trail.pass(&self.to.name, "answers on the node", None);
            return;
        }
        if let Some((out, _)) = &arrival.left_by
            && arrival.gateways.is_empty()
            && self.is_resolver(out)
        {
            // "Network ACLs can't block DNS requests to or from the Route 53 Resolver" (VPC user guide, "Network ACL basics").
            self.trail.pass("VPC resolver", "its answers come back: groups and ACLs do not see them", None);
            return;
        }
        let answerer = self.to_addresses.clone();
        let mut at = arrival.came_in_by.clone();
        let mut destination = arrival.source.clone();
        for gateway in arrival.gateways.iter().rev() {
            self.return_to(at.as_ref(), &gateway.subnet, &answerer, &destination);
            self.trail.pass(&gateway.id, "the NAT gateway puts the first address back", None);
            destination = gateway.before.clone();
            at = Some(gateway.subnet.clone());
        }
        match &arrival.left_by {
            Some((_, Some(subnet))) => self.return_to(at.as_ref(), subnet, &answerer, &destination),
            Some((_, None)) => {}
            None => self.return_to_internet(at.as_ref(), &destination),
        }
        let name = arrival.left_by.as_ref().map_or(&self.from.name, |(out, _)| &out.name);
        self.trail.pass(name, "security groups let answers of known connections pass", None);
    }

    /// From a subnet (or from outside) to another one.
    fn return_to(&mut self, from: Option<&Id>, to: &Id, answerer: &AddressSet, destination: &AddressSet) {
        if from == Some(to) {
            return;
        }
        if let Some(from) = from {
            self.answer_through_acl(from, Direction::Egress, destination);
            if self.from.relay.is_some_and(|it| it.keeps_clients) {
                self.trail.pass(&self.from.name, "takes the answer back, whatever the routes to its client say", None);
            } else {
                self.check_route_back(from, to, destination);
            }
        }
        self.answer_through_acl(to, Direction::Ingress, answerer);
    }

    fn answer_through_acl(&mut self, subnet: &Id, direction: Direction, addresses: &AddressSet) {
        let Some((id, acl)) = self.acl_of(subnet) else { return };
        let (open, by) = acl::judge(acl, direction, addresses, self.family, &Traffic::all());
        let passage = acl::answered(&open, &self.question.client_ports);
        let way = if direction == Direction::Egress { "out of" } else { "into" };
        let is_closed = passage.certain.and(&self.question.wanted).is_empty();
        self.trail.meet(&passage, || {
            let verb = if is_closed { "does not let the answer" } else { "lets the answer" };
            let by = by.iter().map(|entry| acl::told(entry)).collect::<Vec<_>>().join("; ");
            (subnet.to_string(), format!("network ACL {id} {verb} {way} the subnet"), Some(by))
        });
        if is_closed {
            let way = direction.word();
            let ports = &self.question.client_ports;
            let fix =
                format!("an {way} entry for answers (ports {}-{}) in network ACL {id}", ports.start(), ports.end());
            self.trail.mend(|| super::Fix::Other(fix));
        }
    }

    fn check_route_back(&mut self, from: &Id, to: &Id, destination: &AddressSet) {
        let vpc = |subnet: &Id| self.topology.subnets.get(subnet).and_then(|it| it.vpc.known()).cloned();
        let (here, there) = (vpc(from), vpc(to));
        let ways = match routes::of(self.topology, from, destination, self.family) {
            Way::Unknown => {
                if here != there {
                    self.trail.assume(format_args!("a route leads back from {from}"));
                }
                return;
            }
            Way::Routes(ways) => ways,
        };
        // One case for the addresses of each route.
        let chosen = self.oracle.choose(&format!("the route back out of {from}"), ways.len());
        match ways.into_iter().nth(chosen) {
            None => {}
            Some((part, None)) => self.trail.stop(from, format!("no route back to {part}"), None),
            Some((_, Some((table, route)))) => {
                let told = routes::told(table, route);
                let leads_there = match &route.target {
                    Target::Local => here == there,
                    Target::Peering(id) => {
                        here.as_ref().and_then(|vpc| self.topology.other_end(id, vpc)) == there.as_ref()
                    }
                    _ => false,
                };
                if leads_there {
                    self.trail.pass(from, "a route leads back", Some(told));
                } else {
                    self.trail.stop(from, format!("the route for {destination} leads elsewhere"), Some(told));
                }
            }
        }
    }

    fn return_to_internet(&mut self, subnet: Option<&Id>, destination: &AddressSet) {
        let Some(subnet) = subnet else {
            self.trail.assume(format_args!("{} has a route to the internet", self.to.name));
            return;
        };
        self.answer_through_acl(subnet, Direction::Egress, destination);
        if self.from.wire == Wire::Anywhere {
            return;
        }
        let ways = match routes::of(self.topology, subnet, destination, self.family) {
            Way::Unknown => return self.trail.assume(format_args!("{subnet} has a route to the internet")),
            Way::Routes(ways) => ways,
        };
        let chosen = self.oracle.choose(&format!("the route back out of {subnet}"), ways.len());
        match ways.into_iter().nth(chosen) {
            Some((_, Some((table, route)))) if matches!(route.target, Target::Internet(_)) => {
                self.trail.pass(subnet, "a route leads back to the internet", Some(routes::told(table, route)));
            }
            Some((_, Some((table, route)))) => {
                let told = routes::told(table, route);
                self.trail.stop(subnet, "the route back does not lead to the internet gateway", Some(told));
            }
            Some((_, None)) => self.trail.stop(subnet, "no route back", None),
            None => {}
        }
    }
}
