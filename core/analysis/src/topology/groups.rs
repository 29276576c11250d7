//! Security groups and their rules.

use std::collections::BTreeMap;

use ipnet::IpNet;
use sgp_model::InstanceAddr;

use super::{Fact, Id};
use crate::sets::Traffic;

/// Which way a connection is made, seen from the interface that carries the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// To the interface.
    Ingress,
    /// From the interface.
    Egress,
}

impl Direction {
    /// `ingress` or `egress`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// A security group.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its name in AWS; the name of its object where AWS has not given one.
    pub name: String,
    /// The object of the configuration that makes it.
    pub managed_by: Option<InstanceAddr>,
    /// The VPC it belongs to.
    pub vpc: Fact<Id>,
    /// Other VPCs that it is associated with, or is shared into.
    pub also_in: Vec<Id>,
    /// Its rules, as far as they are told.
    pub rules: Vec<Rule>,
    /// Whether there may be rules that nobody told: a group that is only referred to.
    pub may_have_more_rules: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which way.
    pub direction: Direction,
    /// What it lets pass. Unknown ports or an unknown protocol: nobody can say yet.
    pub traffic: Fact<Traffic>,
    /// Who the other end is.
    pub peer: Peer,
    /// Where it comes from.
    pub origin: Origin,
    /// What people wrote beside it.
    pub description: String,
}

/// The other end of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// Addresses.
    Block(IpNet),
    /// Interfaces that carry a group.
    Group(Id),
    /// Addresses of a prefix list.
    PrefixList(Id),
    /// Known during apply.
    Unknown,
}

/// Where a rule comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// An object of the configuration: a rule of its own, or the group with the rule in it.
    Managed(InstanceAddr),
    /// AWS, by the rule's id.
    Live(Id),
    /// EKS or EC2, which make it with the group.
    Default,
}

/// As a person would point to it.
impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Managed(addr) => write!(f, "{addr}"),
            Self::Live(id) => write!(f, "{id}"),
            Self::Default => f.write_str("a rule that AWS makes with the group"),
        }
    }
}

/// `10.0.0.0/16`, `sg-...`, `pl-...`.
impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Block(block) => write!(f, "{block}"),
            Self::Group(id) | Self::PrefixList(id) => write!(f, "{id}"),
            Self::Unknown => f.write_str("(known after apply)"),
        }
    }
}
