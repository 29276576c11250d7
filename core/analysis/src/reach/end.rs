//! The ends of a connection.

use crate::{
    sets::{AddressSet, Family},
    topology::{Fact, Id, PodTemplate},
};

/// One end: an interface, or everything of which it is only known that its interfaces are alike.
#[derive(Clone, Debug)]
pub struct End {
    /// For people: `app/backend`, `orders-db`, `internet`.
    pub name: String,
    /// Where it is on the network.
    pub wire: Wire,
    /// Its addresses, one or many.
    pub addresses: AddressSet,
    /// Its VPC; unknown outside of every VPC too, where `wire` is [`Wire::Outside`].
    pub vpc: Fact<Id>,
    /// The subnets that it may be in; empty when they are not known.
    pub subnets: Vec<Id>,
    /// The groups of its interface.
    pub groups: Fact<Vec<Id>>,
    /// Whether a public address stands for it.
    pub public: Public,
    /// What of a cluster it is.
    pub guest: Option<Guest>,
    /// The first interface of the node that it is on, whose address may stand for its own.
    pub host: Option<Box<HostSide>>,
    /// Whether its interface is attached to anything.
    pub is_in_use: bool,
    /// What it is beside an interface, when it is a load balancer.
    pub relay: Option<Relay>,
}

/// A load balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a case of its own")]
pub struct Relay {
    /// It has no groups: everything comes in and goes out.
    pub is_open: bool,
    /// Its groups let in whom its controller was told to, and what they are is not known.
    pub has_hidden_groups: bool,
    /// Its controller adds rules for it to the groups of what it sends to, which no source shows.
    pub makes_rules: bool,
    /// Packets keep the addresses of its clients, and answers go back to it whatever the routes say.
    pub keeps_clients: bool,
}

/// How an end is on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wire {
    /// Outside of the networks that the model knows.
    Outside,
    /// Somewhere from where packets get to the other end's subnet, whatever the way.
    Anywhere,
    /// An interface that is no pod's: a database's, a load balancer's, an instance's.
    Plain,
    /// A node's own, or that of a pod with its node's network.
    Host,
    /// A pod's, with an address of one of its node's interfaces.
    Shared,
    /// A pod's branch interface.
    Branch,
    /// A Fargate pod's.
    Fargate,
}

/// Whether a public IPv4 address stands for an end's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Public {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Nobody told.
    #[default]
    Unknown,
}

/// A pod or a node of a cluster.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The cluster.
    pub cluster: Id,
    /// The node that it runs on, or is; unknown while it is not placed.
    pub node: Fact<String>,
    /// The namespace and template of the pod; `None` is a node.
    pub pod: Option<(String, PodTemplate)>,
}

/// A node's first interface.
#[derive(Clone, Debug)]
pub struct HostSide {
    /// Its addresses.
    pub addresses: AddressSet,
    /// Its subnets.
    pub subnets: Vec<Id>,
    /// Its groups.
    pub groups: Fact<Vec<Id>>,
    /// Whether a public address stands for it.
    pub public: Public,
}

impl End {
    /// Whether it is a pod with groups of its own on a node.
    pub fn is_branch(&self) -> bool {
        self.wire == Wire::Branch
    }

    /// Whether both are one thing that runs: what will run anywhere may be several.
    pub fn is_one_with(&self, other: &Self) -> bool {
        let runs = |family| self.addresses.single_of(family).is_some();
        self.wire != Wire::Outside
            && self.name == other.name
            && self.vpc == other.vpc
            && self.addresses == other.addresses
            && (runs(Family::V4) || runs(Family::V6))
    }

    /// Whether what is sent from here to the other end is sent to oneself.
    pub(super) fn has_address_of(&self, other: &Self) -> bool {
        let is_one = |family| {
            let address = self.addresses.single_of(family);
            address.is_some() && address == other.addresses.single_of(family)
        };
        self.wire != Wire::Outside
            && self.vpc.is_known()
            && self.vpc == other.vpc
            && (is_one(Family::V4) || is_one(Family::V6))
    }

    /// The pod that NetworkPolicies see: none for what uses its node's network.
    pub fn policed_pod(&self) -> Option<(&Id, &str, &PodTemplate)> {
        let guest = self.guest.as_ref().filter(|_| self.wire != Wire::Host)?;
        guest.pod.as_ref().map(|(namespace, template)| (&guest.cluster, namespace.as_str(), template))
    }

    /// The end whose address stands for this one's when its node translates.
    pub fn host_end(&self) -> Option<Self> {
        let host = self.host.as_deref()?;
        let guest = self.guest.as_ref().map(|guest| Guest { pod: None, ..guest.clone() });
        Some(Self {
            name: format!("the node of {}", self.name),
            wire: Wire::Host,
            addresses: host.addresses.clone(),
            vpc: self.vpc.clone(),
            subnets: host.subnets.clone(),
            groups: host.groups.clone(),
            public: host.public,
            guest,
            host: None,
            is_in_use: true,
            relay: None,
        })
    }
}
