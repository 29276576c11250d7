//! The way of the answer.

use super::network::{self, Target};
use super::packet::Packet;
use super::trace::Ended;
use super::walk::{Arrival, Walk};

impl Walk<'_> {
    /// Walks back: groups remember the connection, network ACLs and routes do not.
    pub(super) fn back(&mut self, arrival: &Arrival) -> Result<(), Ended> {
        let vpc = arrival.left_by.as_ref().map(|it| it.vpc_id.as_str()).filter(|_| arrival.gateways.is_empty());
        if vpc.is_some_and(|vpc| network::is_resolver(self.world, vpc, arrival.packet.destination)) {
            // "Network ACLs can't block DNS requests to or from the Route 53 Resolver" (VPC user guide, "Network ACL basics").
            self.steps.pass("VPC resolver", "its answers come back: groups and ACLs do not see them", None);
            return Ok(());
        }
        let mut answer = arrival.packet.answer();
        let mut subnet = arrival.came_in_by.as_ref().map(|it| it.subnet_id.clone());
        if arrival.left_by.is_none() && arrival.came_in_by.is_none() {
            self.steps.pass(&self.to.name, "answers on the node", None);
            return Ok(());
        }
        for gateway in arrival.gateways.iter().rev() {
            self.return_to(subnet.as_deref(), &gateway.subnet_id, answer)?;
            self.steps.pass(&gateway.id, format!("the NAT gateway puts {} back", gateway.before.source), None);
            answer = gateway.before.answer();
            subnet = Some(gateway.subnet_id.clone());
        }
        match &arrival.left_by {
            Some(sender) => self.return_to(subnet.as_deref(), &sender.subnet_id, answer)?,
            None => self.return_to_internet(arrival, answer)?,
        }
        let name = arrival.left_by.as_ref().map_or(self.from.name.as_str(), |it| it.id.as_str());
        self.steps.pass(name, "security groups let answers of known connections pass", None);
        Ok(())
    }

    /// From a subnet (or from outside) to another one.
    fn return_to(&mut self, from: Option<&str>, to: &str, answer: Packet) -> Result<(), Ended> {
        if from == Some(to) {
            return Ok(());
        }
        if let Some(from) = from {
            self.judge_acl(from, true, answer)?;
            self.check_route_back(from, to, answer)?;
        }
        self.judge_acl(to, false, answer)
    }

    fn check_route_back(&mut self, from: &str, to: &str, answer: Packet) -> Result<(), Ended> {
        let Some(route) = network::route(self.world, from, answer.destination) else {
            return self.steps.stop(from, format!("no route back to {}", answer.destination), None);
        };
        let (here, there) = (network::vpc_of(self.world, from), network::vpc_of(self.world, to));
        let leads_there = match &route.target {
            Target::Local => here == there,
            Target::Peering(id) => here.as_deref().and_then(|vpc| network::other_end(self.world, id, vpc)) == there,
            _ => false,
        };
        if leads_there {
            self.steps.pass(from, "a route leads back", Some(route.told));
            return Ok(());
        }
        self.steps.stop(from, format!("the route for {} leads elsewhere", answer.destination), Some(route.told))
    }

    fn return_to_internet(&mut self, arrival: &Arrival, answer: Packet) -> Result<(), Ended> {
        let Some(interface) = &arrival.came_in_by else { return Ok(()) };
        self.judge_acl(&interface.subnet_id, true, answer)?;
        match network::route(self.world, &interface.subnet_id, answer.destination) {
            Some(route) if matches!(route.target, Target::Internet(_)) => {
                self.steps.pass(&interface.subnet_id, "a route leads back to the internet", Some(route.told));
                Ok(())
            }
            Some(route) => self.steps.stop(
                &interface.subnet_id,
                "the route back does not lead to the internet gateway",
                Some(route.told),
            ),
            None => self.steps.stop(&interface.subnet_id, "no route back", None),
        }
    }
}
