//! What packets travel over: VPCs, subnets, routes, gateways, network ACLs.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Direction, Fact, Id};
use crate::sets::Traffic;

/// A VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vpc {
    /// Its blocks, of both families.
    pub blocks: Fact<Vec<IpNet>>,
    /// The table of subnets that have none of their own.
    pub main_route_table: Fact<Id>,
    /// Whether all interfaces in it are known: an address that none of them has is nobody's.
    pub is_complete: bool,
}

impl Vpc {
    /// The address of the Amazon DNS server: the first block's base address plus two.
    pub fn resolver(&self) -> Option<IpAddr> {
        let IpNet::V4(block) = self.blocks.known()?.first()? else { return None };
        block.network().to_bits().checked_add(2).map(|it| IpAddr::V4(it.into()))
    }
}

/// A subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subnet {
    /// The VPC.
    pub vpc: Fact<Id>,
    /// The availability zone.
    pub zone: Fact<String>,
    /// Its blocks, of both families.
    pub blocks: Fact<Vec<IpNet>>,
    /// The route table that counts for it, its own or the VPC's main one.
    pub route_table: Fact<Id>,
    /// The network ACL that counts for it.
    pub acl: Fact<Id>,
    /// How many IPv4 addresses are free.
    pub free_addresses: Fact<u64>,
    /// Whether instances get a public address there.
    pub gives_public_addresses: Fact<bool>,
}

/// A route table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteTable {
    /// Its routes, those for the VPC's own blocks too.
    pub routes: Vec<Route>,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// For which addresses.
    pub destination: Destination,
    /// Where to.
    pub target: Target,
}

/// The addresses of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A block.
    Block(IpNet),
    /// The blocks of a prefix list.
    PrefixList(Id),
}

/// `10.0.0.0/16` or `pl-...`.
impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Block(block) => write!(f, "{block}"),
            Self::PrefixList(id) => write!(f, "{id}"),
        }
    }
}

/// Where a route leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Within the VPC.
    Local,
    /// An internet gateway.
    Internet(Id),
    /// An egress-only internet gateway (IPv6): connections begin inside only.
    EgressOnly(Id),
    /// A NAT gateway.
    Nat(Id),
    /// A peering connection.
    Peering(Id),
    /// A gateway endpoint of a service.
    Endpoint(Id),
    /// Nothing: its target is gone.
    Blackhole(String),
    /// What this model does not follow: transit gateways, instances, firewalls.
    Other(Id),
}

/// `local`, or the target's id.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Internet(id)
            | Self::EgressOnly(id)
            | Self::Nat(id)
            | Self::Peering(id)
            | Self::Endpoint(id)
            | Self::Other(id) => write!(f, "{id}"),
            Self::Blackhole(id) => write!(f, "{id} (blackhole)"),
        }
    }
}

/// An internet gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternetGateway {
    /// The VPC that it is attached to.
    pub vpc: Option<Id>,
    /// Whether it lets connections out only (IPv6).
    pub is_egress_only: bool,
}

/// A NAT gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatGateway {
    /// The subnet that it is in.
    pub subnet: Id,
    /// Its private address.
    pub address: Fact<IpAddr>,
    /// Whether a public address stands for it.
    pub is_public: bool,
    /// Whether it works.
    pub is_available: bool,
}

/// A peering connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peering {
    /// The two VPCs.
    pub ends: [Id; 2],
    /// Whether both sides agreed.
    pub is_active: bool,
}

/// A network ACL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    /// Its entries, the lowest number first.
    pub entries: Vec<AclEntry>,
}

/// One entry of a network ACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclEntry {
    /// Its number; the lowest one that fits decides.
    pub number: u32,
    /// Out of or into the subnet.
    pub direction: Direction,
    /// Whether it allows.
    pub is_allow: bool,
    /// The addresses of the other end.
    pub block: IpNet,
    /// The traffic that it is for.
    pub traffic: Traffic,
}

/// A prefix list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixList {
    /// `com.amazonaws.eu-central-1.s3`, or what people called theirs.
    pub name: String,
    /// Its blocks.
    pub blocks: Fact<Vec<IpNet>>,
    /// What a reference to it counts against quotas of rules.
    pub max_entries: Option<u32>,
}
