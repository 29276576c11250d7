//! Ends that nothing tells apart, so that each kind of way is walked once.
//!
//! Two pods of one workload have the same groups and places, and other addresses. Those matter where a block splits them: blocks of the
//! networks (routes, network ACLs, NetworkPolicies) are part of the [`Class`], and those that the other end's rules name are part of
//! the [`Key`] of a pair.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
};

use ipnet::IpNet;

use super::{
    ask::Delivery,
    end::{End, Public, Relay, Wire},
};
use crate::{
    sets::{AddressSet, Passage, Traffic},
    topology::{Cluster, Destination, Direction, Fact, Group, Id, Peer, Topology},
};

/// A kind of pair: the class of who begins, what of the other's rules its addresses are in, and the same of who answers.
pub(super) type Key = (usize, u64, usize, u64);

/// What was walked already, by kinds of pairs.
#[derive(Default)]
pub(super) struct Passages {
    classes: HashMap<Class, usize>,
    pub(super) known: HashMap<Key, Passage>,
    /// Legs of connections by load balancers, with the traffic on them.
    pub(super) legs: HashMap<(Key, Traffic, Delivery), Passage>,
}

impl Passages {
    /// The number of a class.
    pub(super) fn number(&mut self, class: Class) -> usize {
        let next = self.classes.len();
        *self.classes.entry(class).or_insert(next)
    }

    /// Nothing that was walked counts any more.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.legs.clear();
    }
}

/// What a passage depends on, beside networks and settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    wire: Wire,
    vpc: Option<Id>,
    subnets: Vec<Id>,
    groups: Option<Vec<Id>>,
    host_groups: Option<Vec<Id>>,
    rules: Vec<u64>,
    host_rules: Vec<u64>,
    cluster: Option<Id>,
    /// Namespace and labels, where the cluster has NetworkPolicies; with its name where labels are not known.
    policed: Option<String>,
    /// Its addresses, or for few of them the blocks of the networks that they are in.
    addresses: String,
    host_addresses: String,
    relay: Option<Relay>,
    is_in_use: bool,
    /// Whether it has a public address, where that may differ.
    public: Option<bool>,
}

/// What tells ends of a topology apart.
pub(super) struct Classes<'a> {
    topology: &'a Topology,
    /// Hashes of the rules of each group.
    rules: BTreeMap<&'a Id, u64>,
    /// Blocks that rules name, of each group: those of who comes in, those of who is gone out to.
    named: BTreeMap<&'a Id, [Vec<IpNet>; 2]>,
    networks: Blocks,
}

impl<'a> Classes<'a> {
    pub(super) fn of(topology: &'a Topology) -> Self {
        let named = |group: &Group| {
            [Direction::Ingress, Direction::Egress].map(|direction| blocks_of(topology, group, direction))
        };
        Self {
            topology,
            rules: topology.groups.iter().map(|(id, group)| (id, fingerprint(group))).collect(),
            named: topology.groups.iter().map(|(id, group)| (id, named(group))).collect(),
            networks: Blocks::of_networks(topology),
        }
    }

    pub(super) fn class(&self, end: &End) -> Class {
        let cluster = end.guest.as_ref().and_then(|guest| self.topology.clusters.get(&guest.cluster));
        let is_policed = cluster.is_some_and(|it| !it.network_policies.is_empty());
        let policed = end.policed_pod().filter(|_| is_policed);
        let rules = |groups: &Fact<Vec<Id>>| -> Vec<u64> {
            groups.known().into_iter().flatten().map(|id| self.rules.get(id).copied().unwrap_or_default()).collect()
        };
        let is_pod_or_node = end.guest.is_some();
        Class {
            wire: end.wire,
            vpc: end.vpc.known().cloned(),
            subnets: end.subnets.clone(),
            groups: end.groups.known().cloned(),
            host_groups: end.host.as_ref().and_then(|host| host.groups.known().cloned()),
            rules: rules(&end.groups),
            host_rules: end.host.as_ref().map(|host| rules(&host.groups)).unwrap_or_default(),
            cluster: end.guest.as_ref().map(|guest| guest.cluster.clone()),
            policed: policed
                .map(|(_, namespace, template)| format!("{namespace} {:?} {:?}", template.labels, template.ports)),
            addresses: self.place(&end.addresses, is_pod_or_node),
            host_addresses: end.host.as_ref().map(|host| self.place(&host.addresses, true)).unwrap_or_default(),
            relay: end.relay,
            is_in_use: end.is_in_use,
            public: end.relay.map(|_| end.public == Public::Yes),
        }
    }

    fn place(&self, addresses: &AddressSet, may_be_alike: bool) -> String {
        match addresses.few().filter(|_| may_be_alike) {
            Some(few) => {
                let blocks = few.into_iter().map(|it| self.networks.smallest(it).map(|it| it.to_string()));
                blocks.map(Option::unwrap_or_default).collect::<Vec<_>>().join(" ")
            }
            None => addresses.to_string(),
        }
    }

    /// The blocks, not all addresses, that an end's rules name.
    pub(super) fn blocks(&self, end: &End, direction: Direction) -> Vec<IpNet> {
        let host = end.host.as_ref().and_then(|host| host.groups.known());
        let groups = end.groups.known().into_iter().chain(host).flatten();
        let at = usize::from(direction == Direction::Egress);
        let named: BTreeSet<IpNet> =
            groups.filter_map(|id| self.named.get(id)).flat_map(|it| &it[at]).copied().collect();
        named.into_iter().collect()
    }

    /// What kind of pair two ends are.
    pub(super) fn key(&self, known: &mut Passages, from: &End, to: &End) -> Key {
        let sights =
            (sight(from, &self.blocks(to, Direction::Ingress)), sight(to, &self.blocks(from, Direction::Egress)));
        (known.number(self.class(from)), sights.0, known.number(self.class(to)), sights.1)
    }
}

/// What blocks make of an end's addresses, as a hash.
pub(super) fn sight(end: &End, blocks: &[IpNet]) -> u64 {
    if blocks.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    for addresses in [Some(&end.addresses), end.host.as_ref().map(|host| &host.addresses)].into_iter().flatten() {
        blocks.iter().for_each(|block| addresses.is_within(block).hash(&mut hasher));
    }
    hasher.finish()
}

fn fingerprint(group: &Group) -> u64 {
    let mut hasher = DefaultHasher::new();
    for rule in &group.rules {
        (rule.direction, &rule.traffic, &rule.peer).hash(&mut hasher);
    }
    group.vpc.hash(&mut hasher);
    hasher.finish()
}

/// Blocks that a group's rules name, those of prefix lists too.
fn blocks_of(topology: &Topology, group: &Group, direction: Direction) -> Vec<IpNet> {
    let rules = group.rules.iter().filter(|rule| rule.direction == direction);
    let named = rules.flat_map(|rule| match &rule.peer {
        Peer::Block(block) => vec![*block],
        Peer::PrefixList(id) => blocks_of_list(topology, id),
        Peer::Group(_) | Peer::Unknown => Vec::new(),
    });
    named.filter(|block| block.prefix_len() > 0).map(|block| block.trunc()).collect()
}

fn blocks_of_list(topology: &Topology, id: &Id) -> Vec<IpNet> {
    topology.prefix_lists.get(id).and_then(|list| list.blocks.known()).cloned().unwrap_or_default()
}

/// Blocks, to be asked for the smallest one that holds an address. That one says which others do: of two blocks one holds the other, or
/// they have nothing in common.
struct Blocks {
    all: HashSet<IpNet>,
    /// The lengths of their prefixes, the longest first: of IPv4, of IPv6.
    lengths: [Vec<u8>; 2],
}

impl Blocks {
    /// Those that packets on their way are looked at by.
    fn of_networks(topology: &Topology) -> Self {
        let mut all: HashSet<IpNet> = HashSet::new();
        let known = |blocks: &Fact<Vec<IpNet>>| blocks.known().cloned().unwrap_or_default();
        all.extend(topology.vpcs.values().flat_map(|it| known(&it.blocks)));
        all.extend(topology.subnets.values().flat_map(|it| known(&it.blocks)));
        for route in topology.route_tables.values().flat_map(|it| &it.routes) {
            match &route.destination {
                Destination::Block(block) => all.extend([*block]),
                Destination::PrefixList(id) => all.extend(blocks_of_list(topology, id)),
            }
        }
        all.extend(topology.acls.values().flat_map(|it| &it.entries).map(|it| it.block));
        for cluster in topology.clusters.values() {
            all.extend(known(&cluster.cni.not_translated));
            all.extend(of_policies(cluster));
        }
        let all: HashSet<IpNet> = all.into_iter().map(|block| block.trunc()).collect();
        let lengths = [true, false].map(|is_ipv4| {
            let of_family = all.iter().filter(|it| it.addr().is_ipv4() == is_ipv4);
            let lengths: BTreeSet<u8> = of_family.map(IpNet::prefix_len).collect();
            lengths.into_iter().rev().collect()
        });
        Self { all, lengths }
    }

    fn smallest(&self, address: IpAddr) -> Option<IpNet> {
        let lengths = &self.lengths[usize::from(address.is_ipv6())];
        let at = |length: &u8| IpNet::new(address, *length).ok().map(|it| it.trunc());
        lengths.iter().filter_map(at).find(|it| self.all.contains(it))
    }
}

/// The blocks of a cluster's NetworkPolicies, and those that they except.
fn of_policies(cluster: &Cluster) -> Vec<IpNet> {
    let mut found = Vec::new();
    for policy in cluster.network_policies.values() {
        let rules = ["ingress", "egress"].into_iter().filter_map(|way| policy[way].as_array()).flatten();
        let peers =
            rules.flat_map(|rule| ["from", "to"].into_iter().filter_map(|side| rule[side].as_array()).flatten());
        for block in peers.map(|peer| &peer["ipBlock"]) {
            let excepted = block["except"].as_array().into_iter().flatten();
            found.extend(excepted.chain([&block["cidr"]]).filter_map(|it| it.as_str()?.parse::<IpNet>().ok()));
        }
    }
    found
}
