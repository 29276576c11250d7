//! More addresses and prefixes for an interface, and fewer.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::interface_calls::{read_count, read_ipv6_prefixes, read_prefixes};
use super::interfaces::{self, NetworkInterface};
use super::{instance_types, interface_takings as takings, subnets};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AssignPrivateIpAddresses", run: assign_private_ip_addresses },
    Operation { name: "UnassignPrivateIpAddresses", run: unassign_private_ip_addresses },
    Operation { name: "AssignIpv6Addresses", run: assign_ipv6_addresses },
    Operation { name: "UnassignIpv6Addresses", run: unassign_ipv6_addresses },
];

fn wrong(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", message)
}

fn read_all<T: std::str::FromStr>(texts: &[String]) -> Result<Vec<T>, ApiError> {
    let read = |text: &String| text.parse().map_err(|_| wrong(format!("invalid value for parameter address: {text}")));
    texts.iter().map(read).collect()
}

fn assign_private_ip_addresses(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkInterfaceId")?;
    let mut interface = interfaces::find(world, &id)?.clone();
    let wanted: Vec<Ipv4Addr> = read_all(&call.texts("PrivateIpAddress"))?;
    let count = read_count(call, "SecondaryPrivateIpAddressCount")?.unwrap_or(0);
    let prefixes = read_prefixes(call)?;
    let prefix_count = read_count(call, "Ipv4PrefixCount")?.unwrap_or(0);
    let ways = [!wanted.is_empty(), count > 0, !prefixes.is_empty(), prefix_count > 0];
    match ways.iter().filter(|way| **way).count() {
        0 => {
            let message = "The request must contain exactly one of: privateIpAddresses, secondaryPrivateIpAddressCount, \
                           ipv4Prefixes, ipv4PrefixCount";
            return Err(ApiError::new("MissingParameter", message));
        }
        1 => {}
        _ => {
            let message = "Only one of privateIpAddresses, secondaryPrivateIpAddressCount, ipv4Prefixes and ipv4PrefixCount \
                           can be specified";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
    }
    let more = wanted.len() + count + prefixes.len() + prefix_count;
    check_room(world, &interface, more)?;
    let mut assigned: Vec<Ipv4Addr> = Vec::new();
    let may_move = call.boolean("AllowReassignment")?.unwrap_or(false);
    for address in wanted {
        if interface.addresses.iter().any(|one| one.address == address) {
            continue;
        }
        if may_move {
            take_from_other(world, &interface, address)?;
        }
        assigned.push(takings::take_ipv4(world, &mut interface, Some(address))?);
    }
    for _ in 0..count {
        assigned.push(takings::take_ipv4(world, &mut interface, None)?);
    }
    let blocks = takings::take_prefixes(world, &mut interface, prefixes, prefix_count)?;
    world.ec2.interfaces.insert(&id, interface);
    let assigned: Vec<Value> = assigned.iter().map(|address| json!({ "privateIpAddress": address })).collect();
    let blocks: Vec<Value> = blocks.iter().map(|block| json!({ "ipv4Prefix": block })).collect();
    Ok(json!({
        "networkInterfaceId": id, "assignedPrivateIpAddressesSet": assigned, "assignedIpv4PrefixSet": blocks, "return": true,
    }))
}

/// Checks that an attached interface may have so many more addresses and prefixes; the instance's type says how many.
fn check_room(world: &World, interface: &NetworkInterface, more: usize) -> Result<(), ApiError> {
    let instance = interface.instance_id().and_then(|id| world.ec2.instances.get(id));
    let Some(known) = instance.and_then(|instance| instance_types::find(&instance.instance_type)) else {
        return Ok(());
    };
    let has = interface.addresses.len() + interface.ipv4_prefixes.len();
    if has + more > known.ipv4_per_interface {
        let message =
            format!("Number of private addresses will exceed limit. The limit is {}.", known.ipv4_per_interface);
        return Err(ApiError::new("PrivateIpAddressLimitExceeded", message));
    }
    Ok(())
}

/// Takes a secondary address away from the interface that has it.
fn take_from_other(world: &mut World, interface: &NetworkInterface, address: Ipv4Addr) -> Result<(), ApiError> {
    let mut found = world.ec2.interfaces.with(&format!("addresses.private-ip-address={address}"));
    let other = found.find(|(_, other)| other.subnet_id == interface.subnet_id).map(|(_, other)| other.clone());
    drop(found);
    let Some(mut other) = other else { return Ok(()) };
    if other.primary_address() == Some(address) {
        let message = format!("{address} is the primary address of network interface '{}'.", other.id);
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    give_back(world, &mut other, address)?;
    world.ec2.interfaces.insert(other.id.clone(), other);
    Ok(())
}

/// Gives a secondary address back to the subnet.
fn give_back(world: &mut World, interface: &mut NetworkInterface, address: Ipv4Addr) -> Result<(), ApiError> {
    match interface.addresses.iter().position(|one| one.address == address) {
        Some(0) => Err(wrong("The primary private IP address of a network interface cannot be unassigned.")),
        Some(at) => {
            let one = interface.addresses.remove(at);
            subnets::release_address(world, &interface.subnet_id, address);
            takings::release_public(world, &one);
            Ok(())
        }
        None => Err(wrong(format!("Some of {address} are not assigned to interface {}", interface.id))),
    }
}

fn unassign_private_ip_addresses(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkInterfaceId")?;
    let mut interface = interfaces::find(world, &id)?.clone();
    let addresses: Vec<Ipv4Addr> = read_all(&call.texts("PrivateIpAddress"))?;
    let prefixes = read_prefixes(call)?;
    if addresses.is_empty() && prefixes.is_empty() {
        return Err(ApiError::missing(call.service, "privateIpAddresses"));
    }
    for address in addresses {
        give_back(world, &mut interface, address)?;
    }
    for block in prefixes {
        let Some(at) = interface.ipv4_prefixes.iter().position(|one| *one == block) else {
            return Err(wrong(format!("Some of {block} are not assigned to interface {id}")));
        };
        interface.ipv4_prefixes.remove(at);
        subnets::release_prefix(world, &interface.subnet_id, block);
    }
    world.ec2.interfaces.insert(id, interface);
    Ok(super::describe::done())
}

fn assign_ipv6_addresses(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkInterfaceId")?;
    let mut interface = interfaces::find(world, &id)?.clone();
    let wanted: Vec<Ipv6Addr> = read_all(&call.texts("Ipv6Addresses"))?;
    let count = read_count(call, "Ipv6AddressCount")?.unwrap_or(0);
    let prefixes = read_ipv6_prefixes(call)?;
    let prefix_count = read_count(call, "Ipv6PrefixCount")?.unwrap_or(0);
    let ways = [!wanted.is_empty(), count > 0, !prefixes.is_empty(), prefix_count > 0];
    if ways.iter().filter(|way| **way).count() != 1 {
        let message =
            "The request must contain exactly one of: ipv6Addresses, ipv6AddressCount, ipv6Prefixes, ipv6PrefixCount";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    let assigned = takings::take_ipv6(world, &mut interface, wanted, count)?;
    let blocks = takings::take_ipv6_prefixes(world, &mut interface, prefixes, prefix_count)?;
    world.ec2.interfaces.insert(&id, interface);
    Ok(json!({ "networkInterfaceId": id, "assignedIpv6Addresses": assigned, "assignedIpv6PrefixSet": blocks }))
}

fn unassign_ipv6_addresses(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkInterfaceId")?;
    let mut interface = interfaces::find(world, &id)?.clone();
    let gone: Vec<Ipv6Addr> = read_all(&call.texts("Ipv6Addresses"))?;
    let blocks = read_ipv6_prefixes(call)?;
    if gone.is_empty() && blocks.is_empty() {
        return Err(ApiError::missing(call.service, "ipv6Addresses"));
    }
    for address in &gone {
        let Some(at) = interface.ipv6_addresses.iter().position(|one| one == address) else {
            return Err(wrong(format!("Some of {address} are not assigned to interface {id}")));
        };
        interface.ipv6_addresses.remove(at);
        subnets::release_ipv6(world, &interface.subnet_id, *address);
    }
    for block in &blocks {
        let Some(at) = interface.ipv6_prefixes.iter().position(|one| one == block) else {
            return Err(wrong(format!("Some of {block} are not assigned to interface {id}")));
        };
        interface.ipv6_prefixes.remove(at);
        subnets::release_ipv6_prefix(world, &interface.subnet_id, *block);
    }
    world.ec2.interfaces.insert(&id, interface);
    Ok(json!({ "networkInterfaceId": id, "unassignedIpv6Addresses": gone, "unassignedIpv6PrefixSet": blocks }))
}
