//! The walk itself.

use std::net::IpAddr;

use super::groups::{self, Other};
use super::host::{self, Settings};
use super::network::{self, Acl, Target};
use super::network_policy::{Direction, Named};
use super::packet::{Packet, Protocol};
use super::places::{Attachment, Place};
use super::trace::{Ended, Steps};
use crate::ec2::interfaces::NetworkInterface;
use crate::world::World;

/// One packet's way from one place to another.
pub(super) struct Walk<'a> {
    pub(super) world: &'a World,
    pub(super) from: &'a Place,
    pub(super) to: &'a Place,
    manner: Manner<'a>,
    pub(super) steps: Steps,
}

/// What kube-proxy has to do with a packet.
#[derive(Clone, Copy)]
pub(super) enum Manner<'a> {
    /// Nothing.
    Plain,
    /// That of the sender's node chose the receiver: the sender's policies see the Service.
    ByService(&'a Named<'a>),
    /// That of a node sends it on.
    Forwarded,
}

/// How a packet arrived: what its answer must undo.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// The packet as the receiver sees it.
    pub packet: Packet,
    /// The interface that it left by; `None` when it came from outside or stayed on a node.
    pub left_by: Option<NetworkInterface>,
    /// The interface that it came in by; `None` when it left the account's networks or stayed on a node.
    pub came_in_by: Option<NetworkInterface>,
    /// NAT gateways on the way, the first one first.
    pub gateways: Vec<Gateway>,
}

/// A NAT gateway on the way.
#[derive(Clone, Debug)]
pub(super) struct Gateway {
    /// `nat-...`.
    pub id: String,
    /// The subnet it is in.
    pub subnet_id: String,
    /// The packet as it came to the gateway.
    pub before: Packet,
    /// Whether a public address stands for its own.
    pub is_public: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(world: &'a World, from: &'a Place, to: &'a Place, manner: Manner<'a>) -> Self {
        Self { world, from, to, manner, steps: Steps::default() }
    }

    /// Walks there.
    pub(super) fn there(&mut self, packet: Packet) -> Result<Arrival, Ended> {
        self.check_sender(packet)?;
        if self.is_to_itself() {
            let what = "what one sends to oneself stays there: neither groups nor policies see it";
            self.steps.pass(&self.from.name, what, None);
            return Ok(Arrival::local(packet));
        }
        match self.manner {
            Manner::ByService(named) => self.police_service(packet.protocol, named)?,
            Manner::Plain | Manner::Forwarded => self.police(self.from, self.to, Direction::Egress, packet)?,
        }
        if let Some(arrival) = self.stay_on_node(packet)? {
            self.police(self.to, self.from, Direction::Ingress, packet)?;
            return Ok(arrival);
        }
        let mut arrival = match &self.from.interface {
            Some(_) => self.leave(packet)?,
            None => self.come_from_outside(packet)?,
        };
        if let Some(interface) = arrival.came_in_by.clone() {
            self.enter(&interface, &mut arrival)?;
        }
        Ok(arrival)
    }

    /// Nothing sends from an interface that is attached to nothing, or from an address of a network here that no interface has.
    fn check_sender(&mut self, packet: Packet) -> Result<(), Ended> {
        let is_there = match &self.from.interface {
            Some(interface) => interface.status() == "in-use",
            None => !network::is_in_any_vpc(self.world, packet.source),
        };
        if is_there {
            return Ok(());
        }
        self.steps.stop(&self.from.name, "nothing sends from there: its address is attached to nothing", None)
    }

    /// Whether one address speaks to itself, which the kernel delivers without a network.
    fn is_to_itself(&self) -> bool {
        let interface = |place: &Place| place.interface.as_ref().map(|it| it.id.clone());
        interface(self.from).is_some()
            && interface(self.from) == interface(self.to)
            && self.from.address == self.to.address
    }

    // --- on the node ----------------------------------------------------------------------------------------------

    /// A packet that does not leave its node.
    fn stay_on_node(&mut self, packet: Packet) -> Result<Option<Arrival>, Ended> {
        if host::is_link_local(packet.destination) {
            return self.link_local(packet).map(Some);
        }
        if !self.from.is_beside(self.to) {
            return Ok(None);
        }
        let Some(guest) = &self.from.guest else { return Ok(None) };
        let settings = Settings::of(self.world, &guest.cluster);
        let (from_branch, to_branch) = (self.from.is_branch(), self.to.is_branch());
        if !from_branch && !to_branch {
            self.steps.pass(&self.from.name, "stays on the node: from veth to veth, no security group sees it", None);
            return Ok(Some(Arrival::local(packet)));
        }
        if settings.is_strict {
            self.probe_of_kubelet(&settings, packet)?;
            self.steps.pass(
                &self.from.name,
                "strict mode: traffic of a pod with a branch interface leaves the node, to the same node too",
                None,
            );
            return Ok(None);
        }
        let groups = |place: &Place| {
            place.interface.as_ref().map(|it| it.groups.iter().cloned().collect::<std::collections::BTreeSet<_>>())
        };
        if from_branch && to_branch && groups(self.from) != groups(self.to) {
            let what = "standard mode: whether pods with different groups on one node reach each other is not specified (the EKS user guide says no, the CNI's README says their groups are not enforced)";
            // Whichever is right, policies of the receiver count.
            self.police(self.to, self.from, Direction::Ingress, packet)?;
            return self.steps.lose(&self.from.name, what);
        }
        self.steps.pass(
            &self.from.name,
            "standard mode: traffic on one node stays there, no security group sees it",
            None,
        );
        Ok(Some(Arrival::local(packet)))
    }

    /// Kubelet's probes to a branch interface need early demultiplexing switched off, for TCP.
    fn probe_of_kubelet(&mut self, settings: &Settings, packet: Packet) -> Result<(), Ended> {
        let is_node = self.from.guest.as_ref().is_some_and(|guest| guest.attachment == Attachment::Host);
        // What is handed on has no socket on the node.
        let has_socket = !matches!(self.manner, Manner::Forwarded);
        if is_node
            && has_socket
            && self.to.is_branch()
            && packet.protocol == Protocol::Tcp
            && !settings.is_early_demux_off
        {
            let what = "strict mode: TCP between a node and a branch interface on it needs DISABLE_TCP_EARLY_DEMUX=true on the CNI's init container";
            return self.steps.stop(&self.from.name, what, Some("DISABLE_TCP_EARLY_DEMUX".to_owned()));
        }
        Ok(())
    }

    fn link_local(&mut self, packet: Packet) -> Result<Arrival, Ended> {
        let strict = self.from.is_branch()
            && self.from.guest.as_ref().is_some_and(|guest| Settings::of(self.world, &guest.cluster).is_strict);
        if strict {
            return self.steps.stop(
                &self.from.name,
                "strict mode: link-local services of the node cannot be reached from a branch interface",
                None,
            );
        }
        if self.from.interface.is_none() {
            return self.steps.stop(&self.from.name, "link-local addresses are reached from the same link only", None);
        }
        self.steps.pass(&self.from.name, "a link-local service: no security group and no network ACL sees it", None);
        Ok(Arrival::local(packet))
    }

    // --- out ------------------------------------------------------------------------------------------------------

    /// The interface that a packet leaves by, and the packet as it is then.
    fn way_out(&mut self, packet: Packet) -> Result<(NetworkInterface, Packet), Ended> {
        let own = self.from.interface.clone();
        let Some(own) = own else { return self.steps.stop(&self.from.name, "has no interface", None) };
        let Some(guest) = self.from.guest.clone() else { return Ok((own, packet)) };
        let settings = Settings::of(self.world, &guest.cluster);
        let translated = match guest.attachment {
            Attachment::Host | Attachment::Fargate => false,
            Attachment::Branch if settings.is_strict => false,
            Attachment::Branch | Attachment::Shared => {
                settings.translates(packet.destination, network::is_in_vpc(self.world, &own.vpc_id, packet.destination))
            }
        };
        if !translated {
            let how = match guest.attachment {
                Attachment::Branch => format!("leaves by branch interface {} over the node's trunk", own.id),
                _ => format!("leaves by {}", own.id),
            };
            self.steps.pass(&self.from.name, how, None);
            return Ok((own, packet));
        }
        let primary = network::node_interface(self.world, &own);
        let Some(primary) = primary.cloned() else {
            return self.steps.stop(&self.from.name, "its node has no primary interface", None);
        };
        let Some(address) = primary.addresses.first().map(|it| IpAddr::V4(it.address)) else {
            return self.steps.stop(&primary.id, "has no IPv4 address", None);
        };
        let what = format!(
            "the node puts its own address {address} in place of the pod's (AWS_VPC_K8S_CNI_EXTERNALSNAT=false)"
        );
        self.steps.pass(&self.from.name, what, None);
        Ok((primary, Packet { source: address, ..packet }))
    }

    /// From an interface to the end of the account's networks, or to another interface.
    fn leave(&mut self, packet: Packet) -> Result<Arrival, Ended> {
        let (interface, packet) = self.way_out(packet)?;
        let there = network::interface_near(self.world, &interface.vpc_id, packet.destination).cloned();
        self.judge_groups(&interface, true, packet, there.as_ref())?;
        let mut arrival = Arrival { packet, left_by: Some(interface.clone()), came_in_by: None, gateways: Vec::new() };
        self.route(&interface.subnet_id, &mut arrival)?;
        Ok(arrival)
    }

    /// Follows routes from a subnet until the packet arrives.
    fn route(&mut self, subnet: &str, arrival: &mut Arrival) -> Result<(), Ended> {
        let packet = arrival.packet;
        let Some(vpc) = network::vpc_of(self.world, subnet) else {
            return self.steps.stop(subnet, "the subnet is gone", None);
        };
        if network::is_resolver(self.world, &vpc, packet.destination) {
            self.steps.pass("VPC resolver", "the Amazon DNS server answers; groups and ACLs do not see it", None);
            return Ok(());
        }
        let near = network::interface_near(self.world, &vpc, packet.destination).cloned();
        let is_same_subnet = near.as_ref().is_some_and(|there| there.subnet_id == subnet);
        if !is_same_subnet {
            self.judge_acl(subnet, true, packet)?;
        }
        let Some(route) = network::route(self.world, subnet, packet.destination) else {
            return self.steps.stop(subnet, format!("no route to {}", packet.destination), None);
        };
        match route.target {
            Target::Local => self.deliver(subnet, near, &route.told, arrival),
            Target::Internet(gateway) | Target::OutOnly(gateway) => {
                self.over_internet_gateway(&gateway, &route.told, arrival)
            }
            Target::Nat(gateway) => self.through_nat(&gateway, &route.told, arrival),
            Target::Peering(connection) => self.over_peering(&connection, &vpc, &route.told, arrival),
            Target::ServiceEndpoint(endpoint) => {
                self.steps.pass(endpoint, "a gateway endpoint takes it to the service", Some(route.told));
                Ok(())
            }
            Target::Blackhole => self.steps.stop(subnet, "the route's target is gone (blackhole)", Some(route.told)),
            Target::Other(target) => {
                self.steps.lose(target, "the sandbox does not follow packets through this kind of target")
            }
        }
    }

    fn deliver(
        &mut self,
        subnet: &str,
        near: Option<NetworkInterface>,
        route: &str,
        arrival: &mut Arrival,
    ) -> Result<(), Ended> {
        let Some(there) = near else {
            return self.steps.stop(
                subnet,
                format!("nothing in the VPC has {}", arrival.packet.destination),
                Some(route.to_owned()),
            );
        };
        self.steps.pass(subnet, "routed within the VPC", Some(route.to_owned()));
        if there.subnet_id != subnet {
            self.judge_acl(&there.subnet_id, false, arrival.packet)?;
        }
        arrival.came_in_by = Some(there);
        Ok(())
    }

    fn over_internet_gateway(&mut self, gateway: &str, route: &str, arrival: &mut Arrival) -> Result<(), Ended> {
        let packet = arrival.packet;
        let has_public = match packet.source {
            IpAddr::V6(_) => true,
            IpAddr::V4(source) => match (arrival.gateways.last(), &arrival.left_by) {
                (Some(gateway), _) => gateway.is_public,
                (None, Some(it)) => it.addresses.iter().any(|own| own.address == source && own.public.is_some()),
                (None, None) => false,
            },
        };
        if !has_public {
            let what = format!(
                "{} has no public address, and the internet gateway drops what it cannot translate",
                packet.source
            );
            return self.steps.stop(gateway, what, Some(route.to_owned()));
        }
        if is_unrouted(packet.destination) {
            let what = format!("nobody on the internet has {}", packet.destination);
            return self.steps.stop(gateway, what, Some(route.to_owned()));
        }
        self.steps.pass(gateway, "goes out to the internet", Some(route.to_owned()));
        if packet.destination.is_ipv6() && network::is_in_any_vpc(self.world, packet.destination) {
            return match network::interface_with(self.world, None, packet.destination) {
                Some(interface) if interface.status() == "in-use" => self.steps.lose(
                    &interface.id,
                    "is in another network here; packets from the internet to it are walked with FROM internet",
                ),
                _ => self.steps.stop(&self.to.name, "nothing has this address of a VPC", None),
            };
        }
        if let Some(interface) = network::by_public_address(self.world, packet.destination) {
            return self.steps.lose(
                &interface.id,
                "has the public address; packets from the internet to it are walked with FROM internet",
            );
        }
        Ok(())
    }

    fn through_nat(&mut self, id: &str, route: &str, arrival: &mut Arrival) -> Result<(), Ended> {
        if arrival.packet.destination.is_ipv6() {
            return self.steps.lose(id, "what a NAT gateway makes IPv4 of (NAT64) is not followed");
        }
        let Some(nat) = network::nat(self.world, id) else {
            return self.steps.stop(id, "the NAT gateway is gone", Some(route.to_owned()));
        };
        if !nat.is_available {
            return self.steps.stop(id, "the NAT gateway is not available", Some(route.to_owned()));
        }
        if arrival.gateways.iter().any(|gateway| gateway.id == id) {
            return self.steps.stop(id, "the NAT gateway's own subnet routes back to it", Some(route.to_owned()));
        }
        let before = arrival.packet;
        let left = arrival.gateways.last().map(|gateway| gateway.subnet_id.clone());
        let left = left.or_else(|| arrival.left_by.as_ref().map(|it| it.subnet_id.clone()));
        self.steps.pass(
            id,
            format!("the NAT gateway puts {} in place of {}", nat.address, before.source),
            Some(route.to_owned()),
        );
        if left.as_deref() != Some(nat.subnet_id.as_str()) {
            self.judge_acl(&nat.subnet_id, false, before)?;
        }
        arrival.packet = Packet { source: nat.address, ..before };
        arrival.gateways.push(Gateway {
            id: id.to_owned(),
            subnet_id: nat.subnet_id.clone(),
            before,
            is_public: nat.is_public,
        });
        self.route(&nat.subnet_id, arrival)
    }

    fn over_peering(&mut self, id: &str, vpc: &str, route: &str, arrival: &mut Arrival) -> Result<(), Ended> {
        let packet = arrival.packet;
        let Some(other) = network::other_end(self.world, id, vpc) else {
            return self.steps.stop(id, "the peering connection is not active", Some(route.to_owned()));
        };
        let Some(there) =
            network::interface_near(self.world, &other, packet.destination).filter(|it| it.vpc_id == other).cloned()
        else {
            return self.steps.stop(
                id,
                format!("nothing in {other} has {}; peering does not lead further", packet.destination),
                Some(route.to_owned()),
            );
        };
        self.steps.pass(id, format!("peered to {other}"), Some(route.to_owned()));
        self.judge_acl(&there.subnet_id, false, packet)?;
        arrival.came_in_by = Some(there);
        Ok(())
    }

    // --- in -------------------------------------------------------------------------------------------------------

    /// From the internet to an interface with a public address.
    fn come_from_outside(&mut self, packet: Packet) -> Result<Arrival, Ended> {
        let Some(interface) = self.to.interface.clone() else {
            if network::is_in_any_vpc(self.world, packet.destination) {
                return self.steps.stop(&self.to.name, "nothing has this address of a VPC", None);
            }
            return self.steps.lose(&self.from.name, "neither end is in this account's networks");
        };
        let is_public = match packet.destination {
            IpAddr::V6(_) => true,
            IpAddr::V4(address) => interface.addresses.iter().any(|own| own.address == address && own.public.is_some()),
        };
        if !is_public {
            return self.steps.stop(&interface.id, "has no public address, so nothing from outside reaches it", None);
        }
        let Some(gateway) = network::internet_gateway(self.world, &interface.vpc_id) else {
            return self.steps.stop(&interface.vpc_id, "has no internet gateway", None);
        };
        self.steps.pass(gateway, "comes in from the internet", None);
        self.judge_acl(&interface.subnet_id, false, packet)?;
        Ok(Arrival { packet, left_by: None, came_in_by: Some(interface), gateways: Vec::new() })
    }

    /// Into the receiving interface and what is behind it.
    fn enter(&mut self, interface: &NetworkInterface, arrival: &mut Arrival) -> Result<(), Ended> {
        let packet = arrival.packet;
        if self.to.interface.as_ref().is_some_and(|asked| asked.id != interface.id) {
            let what =
                format!("has {} there; {} is in a network with the same addresses", packet.destination, self.to.name);
            return self.steps.stop(&interface.id, what, None);
        }
        if interface.status() != "in-use" {
            return self.steps.stop(&interface.id, "is attached to nothing", None);
        }
        // What a NAT gateway sends has no groups.
        let sender = arrival.left_by.clone().filter(|_| arrival.gateways.is_empty());
        self.judge_groups(interface, false, packet, sender.as_ref())?;
        let to = self.to;
        if to.is_branch() {
            self.steps.pass(&to.name, "comes in by its branch interface", None);
        }
        let peer = self.sender_as_seen(&interface.vpc_id, packet);
        self.police(to, &peer, Direction::Ingress, packet)
    }

    fn judge_groups(
        &mut self,
        interface: &NetworkInterface,
        is_egress: bool,
        packet: Packet,
        there: Option<&NetworkInterface>,
    ) -> Result<(), Ended> {
        let address = if is_egress { packet.destination } else { packet.source };
        let other = Other { address, interface: there };
        let way = if is_egress { "egress" } else { "ingress" };
        let at = format!("{} ({})", interface.id, interface.interface_type);
        if is_egress && network::is_resolver(self.world, &interface.vpc_id, address) {
            return Ok(());
        }
        match groups::allowing(self.world, interface, is_egress, packet, other) {
            Some(rule) => self.steps.pass(at, format!("a security group allows the {way}"), Some(rule)),
            None => {
                let groups = interface.groups.join(", ");
                let what = format!("no {way} rule of its groups allows {packet}");
                return self.steps.stop(at, what, Some(groups));
            }
        }
        Ok(())
    }

    /// A subnet's network ACL, which judges each packet alone.
    pub(super) fn judge_acl(&mut self, subnet: &str, is_egress: bool, packet: Packet) -> Result<(), Ended> {
        let way = if is_egress { "out of" } else { "into" };
        match network::judge_acl(self.world, subnet, is_egress, packet) {
            Acl::Allows(rule) => {
                self.steps.pass(subnet, format!("the network ACL lets it {way} the subnet"), Some(rule));
            }
            Acl::Denies(rule) => {
                return self.steps.stop(
                    subnet,
                    format!("the network ACL does not let it {way} the subnet"),
                    Some(rule),
                );
            }
        }
        Ok(())
    }
}

impl Arrival {
    /// Without leaving the node.
    fn local(packet: Packet) -> Self {
        Self { packet, left_by: None, came_in_by: None, gateways: Vec::new() }
    }
}

/// Whether the internet has no route to an address: private networks, the space that providers share, that of benchmarks, multicast
/// and what is reserved (RFC 6890).
fn is_unrouted(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private()
                || address.is_link_local()
                || matches!((first, second), (0 | 127 | 224.., _) | (100, 64..128) | (198, 18 | 19))
        }
        // ::/8 holds the unspecified address, the loopback, and IPv4 in IPv6.
        IpAddr::V6(address) => {
            address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_multicast()
                || address.octets()[0] == 0
        }
    }
}
