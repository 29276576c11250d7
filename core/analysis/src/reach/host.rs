//! What a node does with packets of its pods before they reach an interface, by the VPC CNI's settings.
//!
//! Source: github.com/aws/amazon-vpc-cni-k8s, README.

use crate::{
    sets::{AddressSet, Family},
    topology::{Cni, Fact},
};

/// Whether a node puts its own address in place of a pod's for packets to these addresses. `in_vpc` says whether the VPC's blocks hold them.
pub(super) fn translates(cni: &Cni, to: &AddressSet, family: Family, in_vpc: Fact<bool>) -> Fact<bool> {
    // IPv6 is never translated.
    if family == Family::V6 || cni.external_snat == Fact::Known(true) || in_vpc == Fact::Known(true) {
        return Fact::Known(false);
    }
    let excluded = match &cni.not_translated {
        Fact::Known(blocks) => within(&blocks.iter().collect(), to),
        Fact::Unknown => Fact::Unknown,
    };
    match (cni.external_snat, in_vpc, excluded) {
        (_, _, Fact::Known(true)) => Fact::Known(false),
        (Fact::Known(false), Fact::Known(false), Fact::Known(false)) => Fact::Known(true),
        _ => Fact::Unknown,
    }
}

/// Whether all of some addresses are in a set; unknown for a part of them, and for no address at all.
pub(super) fn within(set: &AddressSet, addresses: &AddressSet) -> Fact<bool> {
    match (set.covers(addresses), set.meets(addresses)) {
        _ if addresses.is_empty() => Fact::Unknown,
        (true, _) => Fact::Known(true),
        (false, false) => Fact::Known(false),
        (false, true) => Fact::Unknown,
    }
}

/// The services of the link itself: the Pod Identity agent, instance metadata, the DNS server's alias; in IPv6 those of fd00:ec2::/32.
pub(super) const LINK_LOCAL: [&str; 3] = ["169.254.0.0/16", "fd00:ec2::/32", "fe80::/10"];

/// The same as a set.
pub(super) fn link_local() -> AddressSet {
    LINK_LOCAL.iter().filter_map(|block| block.parse::<ipnet::IpNet>().ok()).collect()
}
