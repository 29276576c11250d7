//! Network interfaces.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Id;

/// What an interface is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InterfaceKind {
    /// A node's: its first one, or one more for its pods.
    Node,
    /// A node's trunk.
    Trunk,
    /// A pod's own.
    Branch,
    /// A Fargate pod's.
    Fargate,
    /// A load balancer's.
    LoadBalancer,
    /// A database's or a cache's.
    Database,
    /// A NAT gateway's.
    NatGateway,
    /// A VPC endpoint's.
    Endpoint,
    /// A cluster's control plane's.
    ControlPlane,
    /// Anything else's.
    #[default]
    Other,
}

/// A network interface, as DescribeNetworkInterfaces has it.
#[derive(Clone, Debug)]
pub struct Interface {
    /// What it is for.
    pub kind: InterfaceKind,
    /// The VPC.
    pub vpc: Id,
    /// The subnet.
    pub subnet: Id,
    /// Its private addresses, the primary one first, and IPv6 addresses.
    pub addresses: Vec<IpAddr>,
    /// Delegated prefixes.
    pub prefixes: Vec<IpNet>,
    /// Those of `addresses` that a public address stands for, with that address.
    pub public: Vec<(IpAddr, IpAddr)>,
    /// Its groups.
    pub groups: Vec<Id>,
    /// The instance that it is attached to, itself or by its trunk.
    pub instance: Option<Id>,
    /// Its place at the instance; 0 is the first one.
    pub device_index: Option<u32>,
    /// Whether it is attached to anything.
    pub is_in_use: bool,
    /// What made it says of it.
    pub description: String,
}
