//! The networks, as a packet meets them: routes, ACLs, gateways, interfaces by address.

use std::net::IpAddr;

use ipnet::IpNet;

use super::packet::{Packet, Protocol};
use crate::ec2::interfaces::NetworkInterface;
use crate::ec2::network_acl_entries::Entry;
use crate::ec2::peering;
use crate::ec2::routes::{self, Destination};
use crate::world::World;

// --- addresses --------------------------------------------------------------------------------------------------------

/// The interface that has an address, of one VPC or of any.
pub(super) fn interface_with<'a>(world: &'a World, vpc: Option<&str>, address: IpAddr) -> Option<&'a NetworkInterface> {
    let key = match address {
        IpAddr::V4(address) => format!("addresses.private-ip-address={address}"),
        IpAddr::V6(address) => format!("ipv6-addresses.ipv6-address={address}"),
    };
    let has_prefix = |it: &NetworkInterface| match address {
        IpAddr::V4(address) => it.ipv4_prefixes.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => it.ipv6_prefixes.iter().any(|net| net.contains(&address)),
    };
    let is_here = |it: &&NetworkInterface| vpc.is_none_or(|vpc| it.vpc_id == vpc);
    let by_address = world.ec2.interfaces.with(&key).map(|(_, it)| it).find(is_here);
    by_address.or_else(|| world.ec2.interfaces.values().filter(|it| has_prefix(it)).find(is_here))
}

/// The same, in this VPC or in one that is peered to it.
pub(super) fn interface_near<'a>(world: &'a World, vpc: &str, address: IpAddr) -> Option<&'a NetworkInterface> {
    let peered = || world.ec2.peerings.with(&format!("vpc-id={vpc}")).filter_map(|(id, _)| other_end(world, id, vpc));
    interface_with(world, Some(vpc), address)
        .or_else(|| peered().find_map(|other| interface_with(world, Some(&other), address)))
}

/// The interface behind a public address.
pub(super) fn by_public_address(world: &World, address: IpAddr) -> Option<&NetworkInterface> {
    world.ec2.interfaces.with(&format!("association.public-ip={address}")).next().map(|(_, interface)| interface)
}

/// An instance's interface at index 0 of the default card.
pub(super) fn primary_interface<'a>(world: &'a World, instance: &str) -> Option<&'a NetworkInterface> {
    let mut interfaces = world.ec2.interfaces.with(&format!("attachment.instance-id={instance}")).map(|(_, it)| it);
    interfaces.find(|it| {
        it.attachment
            .as_ref()
            .is_some_and(|attachment| attachment.device_index == 0 && attachment.network_card_index == 0)
    })
}

/// The primary interface of the instance that an interface is attached to, itself or by its trunk.
pub(super) fn node_interface<'a>(world: &'a World, interface: &NetworkInterface) -> Option<&'a NetworkInterface> {
    let trunk = interface.trunk.as_ref().and_then(|trunk| world.ec2.interfaces.get(&trunk.trunk_id));
    let attachment = trunk.map_or(interface.attachment.as_ref(), |trunk| trunk.attachment.as_ref())?;
    primary_interface(world, attachment.instance_id.as_deref()?)
}

/// Whether the VPC's own blocks hold an address.
pub(super) fn is_in_vpc(world: &World, vpc: &str, address: IpAddr) -> bool {
    blocks(world, vpc).iter().any(|block| block.contains(&address))
}

/// Whether the blocks of some VPC hold an address.
pub(super) fn is_in_any_vpc(world: &World, address: IpAddr) -> bool {
    world.ec2.vpcs.iter().any(|(id, _)| is_in_vpc(world, id, address))
}

fn blocks(world: &World, vpc: &str) -> Vec<IpNet> {
    let Some(vpc) = world.ec2.vpcs.get(vpc) else { return Vec::new() };
    let v4 = vpc.blocks.iter().map(|(_, net)| IpNet::V4(*net));
    v4.chain(vpc.ipv6_blocks.iter().map(|(_, net)| IpNet::V6(*net))).collect()
}

/// Whether it is the Amazon DNS server: the VPC's base address plus two, or its aliases.
pub(super) fn is_resolver(world: &World, vpc: &str, address: IpAddr) -> bool {
    let first = blocks(world, vpc).into_iter().next();
    match (address, first) {
        (IpAddr::V4(address), Some(IpNet::V4(block))) => {
            u32::from(block.network()).checked_add(2) == Some(address.into())
        }
        _ => false,
    }
}

/// The VPC of a subnet.
pub(super) fn vpc_of(world: &World, subnet: &str) -> Option<String> {
    world.ec2.subnets.get(subnet).map(|subnet| subnet.vpc_id.clone())
}

/// Whether a prefix list holds an address.
pub(super) fn in_prefix_list(world: &World, id: &str, address: IpAddr) -> bool {
    world.ec2.prefix_lists.get(id).is_some_and(|list| list.cidrs().any(|block| block.contains(&address)))
}

// --- gateways ---------------------------------------------------------------------------------------------------------

/// The active peering connection between two VPCs.
pub(super) fn peering_between(world: &World, one: &str, other: &str) -> Option<String> {
    let mut connections = world.ec2.peerings.with(&format!("vpc-id={one}"));
    connections.find_map(|(id, _)| (other_end(world, id, one).as_deref() == Some(other)).then(|| id.to_owned()))
}

/// The VPC at the other end of an active peering connection.
pub(super) fn other_end(world: &World, id: &str, vpc: &str) -> Option<String> {
    let connection = world.ec2.peerings.get(id).filter(|it| it.status == peering::Status::Active)?;
    let (one, other) = (&connection.requester.vpc_id, &connection.accepter.vpc_id);
    match vpc {
        _ if vpc == one => Some(other.clone()),
        _ if vpc == other => Some(one.clone()),
        _ => None,
    }
}

/// The internet gateway of a VPC.
pub(super) fn internet_gateway(world: &World, vpc: &str) -> Option<String> {
    let mut gateways = world.ec2.internet_gateways.with(&format!("attachment.vpc-id={vpc}"));
    gateways.next().map(|(id, _)| id.to_owned())
}

/// A NAT gateway, as a packet meets it.
pub(super) struct Nat {
    pub(super) subnet_id: String,
    pub(super) address: IpAddr,
    pub(super) is_available: bool,
    pub(super) is_public: bool,
}

/// A NAT gateway by its id.
pub(super) fn nat(world: &World, id: &str) -> Option<Nat> {
    let nat = world.ec2.nat_gateways.get(id)?;
    let address = IpAddr::V4(nat.addresses.first()?.private_ip);
    Some(Nat {
        subnet_id: nat.subnet_id.clone(),
        address,
        is_available: nat.state.is_usable(),
        is_public: nat.is_public,
    })
}

// --- routes -----------------------------------------------------------------------------------------------------------

/// Where a route leads to.
pub(super) enum Target {
    Local,
    Internet(String),
    /// An egress-only internet gateway.
    OutOnly(String),
    Nat(String),
    Peering(String),
    ServiceEndpoint(String),
    Blackhole,
    Other(String),
}

/// The route that decides.
pub(super) struct Route {
    pub(super) target: Target,
    /// For people: `rtb-1: 0.0.0.0/0 -> nat-1`.
    pub(super) told: String,
}

/// The most specific route of a subnet's table to an address. Of two blocks of one length the one that is stated itself counts before
/// one of a prefix list (VPC user guide, "Route priority").
pub(super) fn route(world: &World, subnet: &str, address: IpAddr) -> Option<Route> {
    let vpc = &world.ec2.subnets.get(subnet)?.vpc_id;
    let own = world.ec2.route_tables.with(&format!("association.subnet-id={subnet}")).next();
    let main = || world.ec2.route_tables.with(&format!("vpc-id={vpc}")).find(|(_, table)| table.is_main());
    let (id, table) = own.or_else(main)?;
    let mut best: Option<((u8, bool), routes::Route)> = None;
    for route in routes::of(world, table) {
        let Some(length) = length(world, &route.destination, address) else { continue };
        let rank = (length, matches!(route.destination, Destination::Cidr(_)));
        if best.as_ref().is_none_or(|(known, _)| rank > *known) {
            best = Some((rank, route));
        }
    }
    let (_, route) = best?;
    let (target, name) = target(world, vpc, &route);
    Some(Route { target, told: format!("{id}: {} -> {name}", route.destination) })
}

/// The length of the longest block of a destination that holds an address.
fn length(world: &World, destination: &Destination, address: IpAddr) -> Option<u8> {
    match destination {
        Destination::Cidr(net) => net.contains(&address).then(|| net.prefix_len()),
        Destination::PrefixList(id) => {
            let list = world.ec2.prefix_lists.get(id)?;
            list.cidrs().filter(|net| net.contains(&address)).map(|net| net.prefix_len()).max()
        }
    }
}

fn target(world: &World, vpc: &str, route: &routes::Route) -> (Target, String) {
    use routes::Target as T;
    let name = match &route.target {
        T::Local => "local".to_owned(),
        T::InternetGateway(id)
        | T::EgressOnlyGateway(id)
        | T::NatGateway(id)
        | T::Interface(id)
        | T::Peering(id)
        | T::Endpoint(id) => id.clone(),
    };
    let target = match &route.target {
        _ if !routes::is_active(world, vpc, route) => Target::Blackhole,
        T::Local => Target::Local,
        T::InternetGateway(id) => Target::Internet(id.clone()),
        T::EgressOnlyGateway(id) => Target::OutOnly(id.clone()),
        T::NatGateway(id) => Target::Nat(id.clone()),
        T::Peering(id) => Target::Peering(id.clone()),
        T::Endpoint(id) => Target::ServiceEndpoint(id.clone()),
        T::Interface(id) => Target::Other(id.clone()),
    };
    (target, name)
}

// --- network ACLs -----------------------------------------------------------------------------------------------------

/// What a network ACL says, with the entry that decides.
pub(super) enum Acl {
    Allows(String),
    Denies(String),
}

/// Judges a packet by the lowest entry that fits it.
pub(super) fn judge_acl(world: &World, subnet: &str, is_egress: bool, packet: Packet) -> Acl {
    let Some((id, acl)) = world.ec2.network_acls.with(&format!("association.subnet-id={subnet}")).next() else {
        return Acl::Denies(format!("{subnet} has no network ACL"));
    };
    let way = if is_egress { "egress" } else { "ingress" };
    let mut entries: Vec<&Entry> =
        acl.entries.iter().filter(|entry| entry.egress == is_egress && fits(entry, is_egress, packet)).collect();
    entries.sort_by_key(|entry| entry.number);
    match entries.first() {
        Some(entry) if entry.is_allow => Acl::Allows(format!("{id} {way} {}: allow {}", number(entry), entry.cidr)),
        Some(entry) => Acl::Denies(format!("{id} {way} {}: deny {}", number(entry), entry.cidr)),
        None => Acl::Denies(format!("{id} {way}: no entry")),
    }
}

/// The last entry has no number of its own.
fn number(entry: &Entry) -> String {
    if entry.number >= 32_767 { "*".to_owned() } else { format!("rule {}", entry.number) }
}

fn fits(entry: &Entry, is_egress: bool, packet: Packet) -> bool {
    let address = if is_egress { packet.destination } else { packet.source };
    let number = i32::from(packet.protocol.number(address.is_ipv6()));
    if !entry.cidr.contains(&address) || (entry.protocol != -1 && entry.protocol != number) {
        return false;
    }
    if entry.protocol == -1 {
        return true;
    }
    match packet.protocol {
        Protocol::Icmp => entry.icmp.is_none_or(|(kind, code)| {
            kind == -1 || (kind == i32::from(packet.icmp_type()) && (code == -1 || code == 0))
        }),
        Protocol::Tcp | Protocol::Udp => {
            entry.ports.is_none_or(|(first, last)| (first..=last).contains(&packet.destination_port))
        }
    }
}
