//! Security groups at an interface. They are stateful: only the first packet is judged here, its answers pass.
//!
//! Source: docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html.

use std::net::IpAddr;

use super::packet::{Packet, Protocol};
use crate::ec2::interfaces::NetworkInterface;
use crate::ec2::rules::{Peer, Rule, Spec};
use crate::world::World;

/// The other end, as an interface sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Other<'a> {
    /// The address in the packet.
    pub address: IpAddr,
    /// The interface that has that address, when it is in this VPC or in a peered one.
    pub interface: Option<&'a NetworkInterface>,
}

/// The rule that lets a packet out of (`is_egress`) or into an interface, in words; `None` when no rule does.
pub(super) fn allowing(
    world: &World,
    interface: &NetworkInterface,
    is_egress: bool,
    packet: Packet,
    other: Other<'_>,
) -> Option<String> {
    for group in &interface.groups {
        for (id, rule) in world.ec2.rules.with(&format!("group-id={group}")) {
            if rule.is_egress == is_egress && fits(world, interface, &rule.spec, packet, other) {
                return Some(told(group, id, rule));
            }
        }
    }
    None
}

fn told(group: &str, id: &str, rule: &Rule) -> String {
    let Spec { protocol, from_port, to_port, peer } = &rule.spec;
    let ports = match (protocol.as_str(), from_port, to_port) {
        ("-1", _, _) => "all traffic".to_owned(),
        (_, Some(from), Some(to)) if from == to => format!("{protocol}/{from}"),
        (_, Some(from), Some(to)) => format!("{protocol}/{from}-{to}"),
        _ => protocol.clone(),
    };
    let peer = match peer {
        Peer::Ipv4(block) => block.to_string(),
        Peer::Ipv6(block) => block.to_string(),
        Peer::PrefixList(id) => id.clone(),
        Peer::Group { group_id, .. } => group_id.clone(),
    };
    let way = if rule.is_egress { "egress" } else { "ingress" };
    let side = if rule.is_egress { "to" } else { "from" };
    format!("{group} {way} {id}: {ports} {side} {peer}")
}

fn fits(world: &World, interface: &NetworkInterface, spec: &Spec, packet: Packet, other: Other<'_>) -> bool {
    fits_protocol(spec, packet) && fits_peer(world, interface, &spec.peer, other)
}

fn fits_protocol(spec: &Spec, packet: Packet) -> bool {
    let is_ipv6 = packet.source.is_ipv6();
    let number = packet.protocol.number(is_ipv6).to_string();
    let named = match (packet.protocol, is_ipv6) {
        (Protocol::Icmp, true) => "icmpv6",
        (protocol, _) => protocol.name(),
    };
    match spec.protocol.as_str() {
        "-1" => return true,
        protocol if protocol == named || protocol == number => {}
        _ => return false,
    }
    let within = |value: i32| {
        let (from, to) = (spec.from_port.unwrap_or(-1), spec.to_port.unwrap_or(-1));
        from == -1 || (from..=to.max(from)).contains(&value)
    };
    match packet.protocol {
        // From and to are type and code here; an echo request's code is 0.
        Protocol::Icmp => {
            let (kind, code) = (spec.from_port.unwrap_or(-1), spec.to_port.unwrap_or(-1));
            kind == -1 || (kind == i32::from(packet.icmp_type()) && (code == -1 || code == 0))
        }
        Protocol::Tcp | Protocol::Udp => within(i32::from(packet.destination_port)),
    }
}

fn fits_peer(world: &World, interface: &NetworkInterface, peer: &Peer, other: Other<'_>) -> bool {
    match (peer, other.address) {
        (Peer::Ipv4(block), IpAddr::V4(address)) => block.contains(&address),
        (Peer::Ipv6(block), IpAddr::V6(address)) => block.contains(&address),
        (Peer::PrefixList(id), address) => super::network::in_prefix_list(world, id, address),
        (Peer::Group { group_id, .. }, _) => other.interface.is_some_and(|there| {
            // A group of a peered VPC counts only while the connection is active.
            let is_near = there.vpc_id == interface.vpc_id
                || super::network::peering_between(world, &there.vpc_id, &interface.vpc_id).is_some();
            is_near && there.groups.contains(group_id)
        }),
        _ => false,
    }
}
