//! What an interface takes of its subnet: addresses and prefixes.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::interfaces::{NetworkInterface, PrivateAddress};
use super::subnets;
use crate::aws::ApiError;
use crate::world::World;

/// The addresses that a new interface is to have.
pub(super) struct Wanted {
    pub(super) private_address: Option<Ipv4Addr>,
    pub(super) secondary_addresses: Vec<Ipv4Addr>,
    pub(super) secondary_count: usize,
    pub(super) ipv4_prefixes: Vec<Ipv4Net>,
    pub(super) ipv4_prefix_count: usize,
    pub(super) ipv6_addresses: Vec<Ipv6Addr>,
    pub(super) ipv6_count: usize,
    pub(super) ipv6_prefixes: Vec<Ipv6Net>,
    pub(super) ipv6_prefix_count: usize,
}

/// Takes all that is wanted. What was taken before a refusal stands at the interface.
///
/// # Errors
/// What the subnet refuses addresses and blocks with.
pub(super) fn take_all(world: &mut World, interface: &mut NetworkInterface, wanted: Wanted) -> Result<(), ApiError> {
    take_ipv4(world, interface, wanted.private_address)?;
    for address in wanted.secondary_addresses {
        take_ipv4(world, interface, Some(address))?;
    }
    for _ in 0..wanted.secondary_count {
        take_ipv4(world, interface, None)?;
    }
    take_prefixes(world, interface, wanted.ipv4_prefixes, wanted.ipv4_prefix_count)?;
    take_ipv6(world, interface, wanted.ipv6_addresses, wanted.ipv6_count)?;
    take_ipv6_prefixes(world, interface, wanted.ipv6_prefixes, wanted.ipv6_prefix_count)?;
    Ok(())
}

/// Gives an interface's addresses back to its subnet.
pub(super) fn release_all(world: &mut World, interface: &NetworkInterface) {
    for address in &interface.addresses {
        subnets::release_address(world, &interface.subnet_id, address.address);
    }
    for prefix in &interface.ipv4_prefixes {
        subnets::release_prefix(world, &interface.subnet_id, *prefix);
    }
    for address in &interface.ipv6_addresses {
        subnets::release_ipv6(world, &interface.subnet_id, *address);
    }
    for prefix in &interface.ipv6_prefixes {
        subnets::release_ipv6_prefix(world, &interface.subnet_id, *prefix);
    }
}

/// Gives an interface one more IPv4 address.
///
/// # Errors
/// What the subnet refuses addresses with.
pub(super) fn take_ipv4(
    world: &mut World,
    interface: &mut NetworkInterface,
    wanted: Option<Ipv4Addr>,
) -> Result<Ipv4Addr, ApiError> {
    let address = subnets::take_address(world, &interface.subnet_id, wanted)?;
    interface.addresses.push(PrivateAddress { address, public: None });
    Ok(address)
}

/// Gives an interface `/28` blocks.
///
/// # Errors
/// What the subnet refuses blocks with.
pub(super) fn take_prefixes(
    world: &mut World,
    interface: &mut NetworkInterface,
    wanted: Vec<Ipv4Net>,
    count: usize,
) -> Result<Vec<Ipv4Net>, ApiError> {
    let wanted = wanted.into_iter().map(Some).chain(std::iter::repeat_n(None, count));
    let mut taken = Vec::new();
    for wanted in wanted {
        let one = subnets::take_prefix(world, &interface.subnet_id, wanted)?;
        interface.ipv4_prefixes.push(one);
        taken.push(one);
    }
    Ok(taken)
}

/// Gives an interface IPv6 addresses.
///
/// # Errors
/// What the subnet refuses addresses with.
pub(super) fn take_ipv6(
    world: &mut World,
    interface: &mut NetworkInterface,
    wanted: Vec<Ipv6Addr>,
    count: usize,
) -> Result<Vec<Ipv6Addr>, ApiError> {
    let wanted = wanted.into_iter().map(Some).chain(std::iter::repeat_n(None, count));
    let mut taken = Vec::new();
    for wanted in wanted {
        let one = subnets::take_ipv6(world, &interface.subnet_id, wanted)?;
        interface.ipv6_addresses.push(one);
        taken.push(one);
    }
    Ok(taken)
}

/// Gives an interface `/80` blocks.
///
/// # Errors
/// What the subnet refuses blocks with.
pub(super) fn take_ipv6_prefixes(
    world: &mut World,
    interface: &mut NetworkInterface,
    wanted: Vec<Ipv6Net>,
    count: usize,
) -> Result<Vec<Ipv6Net>, ApiError> {
    let wanted = wanted.into_iter().map(Some).chain(std::iter::repeat_n(None, count));
    let mut taken = Vec::new();
    for wanted in wanted {
        let one = subnets::take_ipv6_prefix(world, &interface.subnet_id, wanted)?;
        interface.ipv6_prefixes.push(one);
        taken.push(one);
    }
    Ok(taken)
}

/// A public address that goes with its private one: an elastic IP is free again, another one is gone.
pub(super) fn release_public(world: &mut World, address: &PrivateAddress) {
    if let Some(id) = address.public.as_ref().and_then(|public| public.allocation_id.as_ref()) {
        super::addresses::dissociate(world, id);
    }
}
