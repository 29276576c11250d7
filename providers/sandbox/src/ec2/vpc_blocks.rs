//! The blocks of VPCs.

use ipnet::Ipv6Net;

use crate::world::World;

/// An IPv6 block of AWS's for a VPC, a /56, with its association id.
pub(super) fn draw_ipv6(world: &mut World) -> (String, Ipv6Net) {
    let bytes = world.ids.bytes();
    let net = (0x2600_1f18_u128 << 96) | (u128::from(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])) << 72);
    let net = Ipv6Net::new(net.into(), 56).unwrap_or_default();
    (world.ids.ec2("vpc-cidr-assoc"), net)
}
