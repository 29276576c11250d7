//! The addresses of subnets: which are taken.
//!
//! A subnet's IPv4 addresses are kept in blocks of 256, made when they are first used; an index finds a block with room, so that
//! taking an address costs the same in an empty and in a full subnet. AWS keeps the first four addresses and the last one.
//!
//! Source: Amazon VPC User Guide, "Subnet CIDR blocks"; CreateNetworkInterface.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::subnets::{self, Subnet};
use crate::aws::ApiError;
use crate::world::World;

const BLOCK: u32 = 256;
const PREFIX_SIZE: u32 = 16;
const PREFIX_LENGTH: u8 = 28;
const IPV6_PREFIX_LENGTH: u8 = 80;

/// 256 addresses of a subnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    subnet_id: String,
    number: u32,
    /// A bit for each address; 1 is taken, reserved, or outside the subnet.
    taken: [u64; 4],
}

impl Block {
    fn new(subnet: &Subnet, number: u32) -> Self {
        let mut block = Self { subnet_id: subnet.subnet_id.clone(), number, taken: [0; 4] };
        let size = size(subnet.cidr);
        for offset in number * BLOCK..(number + 1) * BLOCK {
            if offset < 4 || offset + 1 >= size {
                block.set(offset % BLOCK, true);
            }
        }
        block
    }

    /// Keys of the index: the subnet, and whether there is room in it.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys = vec![format!("subnet={}", self.subnet_id)];
        if self.taken.iter().any(|word| *word != u64::MAX) {
            keys.push(format!("free={}", self.subnet_id));
        }
        if self.free_prefix().is_some() {
            keys.push(format!("prefix={}", self.subnet_id));
        }
        keys
    }

    fn id(&self) -> String {
        format!("{}/{:03}", self.subnet_id, self.number)
    }

    fn is_taken(&self, bit: u32) -> bool {
        self.taken[bit as usize / 64] >> (bit % 64) & 1 == 1
    }

    fn set(&mut self, bit: u32, is_taken: bool) {
        let mask = 1_u64 << (bit % 64);
        let word = &mut self.taken[bit as usize / 64];
        *word = if is_taken { *word | mask } else { *word & !mask };
    }

    fn free_address(&self) -> Option<u32> {
        let (word, bits) = (0_u32..).zip(self.taken).find(|(_, bits)| *bits != u64::MAX)?;
        Some(word * 64 + (!bits).trailing_zeros())
    }

    /// The first bit of sixteen in a row, aligned, that are all free.
    fn free_prefix(&self) -> Option<u32> {
        (0..BLOCK / PREFIX_SIZE).map(|n| n * PREFIX_SIZE).find(|bit| self.is_prefix_free(*bit))
    }

    fn is_prefix_free(&self, bit: u32) -> bool {
        (self.taken[bit as usize / 64] >> (bit % 64)).trailing_zeros() >= PREFIX_SIZE
    }
}

/// How many addresses a subnet of this block has to give.
pub fn capacity(cidr: Ipv4Net) -> u32 {
    size(cidr).saturating_sub(5)
}

fn size(cidr: Ipv4Net) -> u32 {
    1_u32.checked_shl(u32::from(32 - cidr.prefix_len())).unwrap_or(u32::MAX)
}

/// Takes an address of a subnet: the wanted one, or the lowest that is free in the first block with room.
///
/// # Errors
/// `InvalidSubnetID.NotFound`; for a wanted address `InvalidParameterValue` (outside the subnet, or reserved) and
/// `InvalidIPAddress.InUse`; without one `InsufficientFreeAddressesInSubnet`.
pub fn take_address(world: &mut World, subnet_id: &str, wanted: Option<Ipv4Addr>) -> Result<Ipv4Addr, ApiError> {
    let subnet = subnets::find(world, subnet_id)?.clone();
    let (mut block, bit) = match wanted {
        Some(address) => wanted_bit(world, &subnet, address)?,
        None => {
            let block = block_with(world, &subnet, "free").ok_or_else(|| insufficient(&subnet))?;
            let bit = block.free_address().ok_or_else(|| insufficient(&subnet))?;
            (block, bit)
        }
    };
    block.set(bit, true);
    let address = address(&subnet, block.number * BLOCK + bit);
    keep(world, block, &subnet, 1, false);
    Ok(address)
}

/// Gives an address back. An address that was not taken is left alone.
pub fn release_address(world: &mut World, subnet_id: &str, address: Ipv4Addr) {
    release(world, subnet_id, address, 1);
}

/// Takes sixteen addresses in a row, a /28 prefix.
///
/// # Errors
/// As [`take_address`]; `InsufficientCidrBlocks` when the subnet has no sixteen in a row.
pub fn take_prefix(world: &mut World, subnet_id: &str, wanted: Option<Ipv4Net>) -> Result<Ipv4Net, ApiError> {
    let subnet = subnets::find(world, subnet_id)?.clone();
    let none = || {
        let message = "The specified subnet does not have enough free cidr blocks to satisfy the request.";
        ApiError::new("InsufficientCidrBlocks", message)
    };
    let (mut block, bit) = match wanted {
        Some(prefix) if prefix.prefix_len() != PREFIX_LENGTH || prefix != prefix.trunc() => {
            return Err(super::describe::invalid("ipv4Prefix", &prefix.to_string(), "It must be a /28 prefix."));
        }
        Some(prefix) => {
            let offset = offset(&subnet, prefix.network())?;
            let block = block(world, &subnet, offset / BLOCK);
            if !block.is_prefix_free(offset % BLOCK) {
                return Err(in_use(&prefix.to_string()));
            }
            (block, offset % BLOCK)
        }
        None => {
            let block = block_with(world, &subnet, "prefix").ok_or_else(none)?;
            let bit = block.free_prefix().ok_or_else(none)?;
            (block, bit)
        }
    };
    (bit..bit + PREFIX_SIZE).for_each(|bit| block.set(bit, true));
    let first = address(&subnet, block.number * BLOCK + bit);
    keep(world, block, &subnet, PREFIX_SIZE, false);
    Ok(Ipv4Net::new(first, PREFIX_LENGTH).unwrap_or_default())
}

/// Gives a /28 prefix back.
pub fn release_prefix(world: &mut World, subnet_id: &str, prefix: Ipv4Net) {
    release(world, subnet_id, prefix.network(), PREFIX_SIZE);
}

/// Takes an IPv6 address of a subnet: the wanted one, or any.
///
/// # Errors
/// As [`take_address`]; `InvalidParameterValue` when the subnet has no IPv6 block.
pub fn take_ipv6(world: &mut World, subnet_id: &str, wanted: Option<Ipv6Addr>) -> Result<Ipv6Addr, ApiError> {
    let subnet = subnets::find(world, subnet_id)?;
    let net = subnet.ipv6_cidr().ok_or_else(|| no_ipv6(subnet_id))?;
    let id = |address: Ipv6Addr| format!("{subnet_id}/{address}");
    let address = match wanted {
        Some(address) if !net.contains(&address) => return Err(outside()),
        Some(address) if world.ec2.ipv6_taken.contains(&id(address)) => return Err(in_use(&address.to_string())),
        Some(address) => address,
        None => loop {
            let drawn = u64::from_be_bytes(world.ids.bytes()[..8].try_into().unwrap_or_default());
            // The first four and the last are AWS's; anything else in 2^64 is as good.
            let host = u128::from(drawn) & (u128::MAX >> net.prefix_len());
            let address = Ipv6Addr::from(u128::from(net.network()) | host);
            if host > 3 && drawn != u64::MAX && !world.ec2.ipv6_taken.contains(&id(address)) {
                break address;
            }
        },
    };
    world.ec2.ipv6_taken.insert(id(address), subnet_id.to_owned());
    Ok(address)
}

/// Gives an IPv6 address back.
pub fn release_ipv6(world: &mut World, subnet_id: &str, address: Ipv6Addr) {
    world.ec2.ipv6_taken.remove(&format!("{subnet_id}/{address}"));
}

/// Takes an IPv6 prefix of a subnet, a /80.
///
/// # Errors
/// As [`take_ipv6`].
pub fn take_ipv6_prefix(world: &mut World, subnet_id: &str, wanted: Option<Ipv6Net>) -> Result<Ipv6Net, ApiError> {
    let subnet = subnets::find(world, subnet_id)?;
    let net = subnet.ipv6_cidr().ok_or_else(|| no_ipv6(subnet_id))?;
    let id = |prefix: Ipv6Net| format!("{subnet_id}/{prefix}");
    let prefix = match wanted {
        Some(prefix) if prefix.prefix_len() != IPV6_PREFIX_LENGTH || !net.contains(&prefix) => return Err(outside()),
        Some(prefix) if world.ec2.ipv6_taken.contains(&id(prefix)) => return Err(in_use(&prefix.to_string())),
        Some(prefix) => prefix,
        None => {
            let free = (1..u128::from(u16::MAX)).filter_map(|n| super::cidrs::nth(net, IPV6_PREFIX_LENGTH, n));
            let mut free = free.filter(|prefix| !world.ec2.ipv6_taken.contains(&id(*prefix)));
            free.next().ok_or_else(|| insufficient(subnet))?
        }
    };
    world.ec2.ipv6_taken.insert(id(prefix), subnet_id.to_owned());
    Ok(prefix)
}

/// Gives an IPv6 prefix back.
pub fn release_ipv6_prefix(world: &mut World, subnet_id: &str, prefix: Ipv6Net) {
    world.ec2.ipv6_taken.remove(&format!("{subnet_id}/{prefix}"));
}

/// Whether any address of the subnet is taken.
pub fn is_used(world: &World, subnet: &Subnet) -> bool {
    subnet.available != capacity(subnet.cidr)
        || world.ec2.ipv6_taken.starting_with(format!("{}/", subnet.subnet_id)).next().is_some()
}

/// Forgets a subnet.
pub fn remove(world: &mut World, subnet_id: &str) {
    let blocks: Vec<String> =
        world.ec2.blocks.with(&format!("subnet={subnet_id}")).map(|(id, _)| id.to_owned()).collect();
    blocks.iter().for_each(|id| drop(world.ec2.blocks.remove(id)));
}

fn release(world: &mut World, subnet_id: &str, first: Ipv4Addr, count: u32) {
    let Some(subnet) = world.ec2.subnets.get(subnet_id).cloned() else { return };
    let Ok(offset) = offset(&subnet, first) else { return };
    let mut block = block(world, &subnet, offset / BLOCK);
    let bits: Vec<u32> = (offset % BLOCK..offset % BLOCK + count).filter(|bit| block.is_taken(*bit)).collect();
    bits.iter().for_each(|bit| block.set(*bit, false));
    let freed = u32::try_from(bits.len()).unwrap_or(0);
    keep(world, block, &subnet, freed, true);
}

/// The block and bit of an address that is wanted and free.
fn wanted_bit(world: &World, subnet: &Subnet, address: Ipv4Addr) -> Result<(Block, u32), ApiError> {
    let offset = offset(subnet, address)?;
    let block = block(world, subnet, offset / BLOCK);
    if block.is_taken(offset % BLOCK) {
        return Err(in_use(&address.to_string()));
    }
    Ok((block, offset % BLOCK))
}

/// How far an address is from the subnet's first one.
fn offset(subnet: &Subnet, address: Ipv4Addr) -> Result<u32, ApiError> {
    if !subnet.cidr.contains(&address) {
        return Err(outside());
    }
    let offset = u32::from(address) - u32::from(subnet.cidr.network());
    if offset < 4 || offset + 1 == size(subnet.cidr) {
        let message = format!("Address {address} is in subnet's reserved address range");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    Ok(offset)
}

fn address(subnet: &Subnet, offset: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(subnet.cidr.network()) + offset)
}

fn block(world: &World, subnet: &Subnet, number: u32) -> Block {
    let new = Block::new(subnet, number);
    world.ec2.blocks.get(&new.id()).cloned().unwrap_or(new)
}

/// A block with room of a kind: one of those in use, or the next ones that were not used before.
fn block_with(world: &mut World, subnet: &Subnet, room: &str) -> Option<Block> {
    let key = format!("{room}={}", subnet.subnet_id);
    if let Some((_, block)) = world.ec2.blocks.with(&key).next() {
        return Some(block.clone());
    }
    for number in subnet.blocks_used..size(subnet.cidr).div_ceil(BLOCK) {
        let block = Block::new(subnet, number);
        world.ec2.subnets.update(&subnet.subnet_id, |subnet| subnet.blocks_used = number + 1);
        if !world.ec2.blocks.contains(&block.id()) {
            world.ec2.blocks.insert(block.id(), block.clone());
            if block.keys().contains(&key) {
                return Some(block);
            }
        }
    }
    None
}

/// Writes a block, and the subnet's count of free addresses.
fn keep(world: &mut World, block: Block, subnet: &Subnet, count: u32, is_freed: bool) {
    world.ec2.blocks.insert(block.id(), block);
    world.ec2.subnets.update(&subnet.subnet_id, |subnet| {
        subnet.available = if is_freed { subnet.available + count } else { subnet.available.saturating_sub(count) };
    });
}

fn outside() -> ApiError {
    ApiError::new("InvalidParameterValue", "Address does not fall within the subnet's address range")
}

fn in_use(what: &str) -> ApiError {
    ApiError::new("InvalidIPAddress.InUse", format!("Address {what} is in use."))
}

fn insufficient(subnet: &Subnet) -> ApiError {
    let message = format!(
        "The specified subnet {} does not have enough free addresses to satisfy the request.",
        subnet.subnet_id
    );
    ApiError::new("InsufficientFreeAddressesInSubnet", message)
}

fn no_ipv6(subnet_id: &str) -> ApiError {
    let message = format!("The subnet '{subnet_id}' does not have an IPv6 CIDR block associated with it.");
    ApiError::new("InvalidParameterValue", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{commit, ec2, world};

    fn subnet(world: &mut World, cidr: &str) -> String {
        let vpc = ec2(world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
        let vpc_id = vpc["vpc"]["vpcId"].as_str().unwrap();
        let subnet = ec2(world, "CreateSubnet", &[("VpcId", vpc_id), ("CidrBlock", cidr)]);
        subnet["subnet"]["subnetId"].as_str().unwrap().to_owned()
    }

    fn take(world: &mut World, id: &str, wanted: Option<&str>) -> Result<String, String> {
        let taken = take_address(world, id, wanted.map(|text| text.parse().unwrap()));
        commit(world);
        taken.map(|address| address.to_string()).map_err(|error| error.code)
    }

    #[test]
    fn a_small_subnet_has_eleven() {
        let mut world = world();
        let id = subnet(&mut world, "10.0.0.16/28");
        for (wanted, expected) in [
            (None, Ok("10.0.0.20")),
            (Some("10.0.0.21"), Ok("10.0.0.21")),
            (Some("10.0.0.21"), Err("InvalidIPAddress.InUse")),
            (Some("10.0.0.19"), Err("InvalidParameterValue")),
            (Some("10.0.0.31"), Err("InvalidParameterValue")),
            (Some("10.0.0.32"), Err("InvalidParameterValue")),
            (None, Ok("10.0.0.22")),
        ] {
            assert_eq!(take(&mut world, &id, wanted).as_deref().map_err(String::as_str), expected, "{wanted:?}");
        }
        for _ in 0..8 {
            take(&mut world, &id, None).unwrap();
        }
        assert_eq!(take(&mut world, &id, None), Err("InsufficientFreeAddressesInSubnet".to_owned()));
        assert_eq!(world.ec2.subnets.get(&id).unwrap().available, 0);
        release_address(&mut world, &id, "10.0.0.25".parse().unwrap());
        release_address(&mut world, &id, "10.0.0.25".parse().unwrap());
        assert_eq!(world.ec2.subnets.get(&id).unwrap().available, 1);
        assert_eq!(take(&mut world, &id, None).as_deref(), Ok("10.0.0.25"));
    }

    #[test]
    fn a_large_subnet_gives_each_address_once() {
        let mut world = world();
        let id = subnet(&mut world, "10.0.0.0/16");
        take(&mut world, &id, Some("10.0.200.200")).unwrap();
        let mut last = String::new();
        for _ in 1..65_531 {
            last = take_address(&mut world, &id, None).unwrap().to_string();
        }
        assert_eq!(last, "10.0.255.254");
        assert_eq!(take(&mut world, &id, None), Err("InsufficientFreeAddressesInSubnet".to_owned()));
    }

    #[test]
    fn prefixes_need_sixteen_in_a_row() {
        let mut world = world();
        let id = subnet(&mut world, "10.0.0.0/26");
        let mut taken = Vec::new();
        while let Ok(prefix) = take_prefix(&mut world, &id, None) {
            taken.push(prefix.to_string());
        }
        assert_eq!(taken, ["10.0.0.16/28", "10.0.0.32/28"], "the first and the last have AWS's addresses");
        assert_eq!(world.ec2.subnets.get(&id).unwrap().available, 27);
        release_prefix(&mut world, &id, "10.0.0.16/28".parse().unwrap());
        assert_eq!(take(&mut world, &id, Some("10.0.0.17")).as_deref(), Ok("10.0.0.17"));
        assert_eq!(take_prefix(&mut world, &id, None).unwrap_err().code, "InsufficientCidrBlocks");
    }
}
