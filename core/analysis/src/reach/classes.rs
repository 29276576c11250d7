//! Ends that nothing tells apart, so that each kind of way is walked once.
//!
//! Two pods of one workload have the same groups and places, and other addresses. Those matter where a block splits them: blocks of the
//! networks (routes, network ACLs, NetworkPolicies) are part of the [`Class`], and those that the other end's rules name are part of
//! the [`Key`] of a pair.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::IpNet;

use super::{
    ask::Delivery,
    end::{End, HostSide, Public, Relay, Wire},
    frame::Frame,
    host,
};
use crate::{
    sets::{AddressSet, Family, NOT_PUBLIC, Passage, Traffic},
    topology::{Cluster, Destination, Direction, Fact, Group, Id, Peer, Topology, Vpc},
};

/// What tells pairs apart: the class of who begins, what of the other's rules its addresses are in, and the same of who answers.
pub(super) type Key = (usize, u64, usize, u64);

/// What was walked already, by kinds of pairs.
#[derive(Default)]
pub(super) struct Passages {
    classes: HashMap<Class, usize>,
    kinds: HashMap<Kind, usize>,
    /// Ways by the kinds of who begins and who answers; `None` where there are too many cases.
    frames: HashMap<(usize, usize), Option<Frame>>,
    /// Legs of connections by load balancers, with the traffic on them.
    pub(super) legs: HashMap<(Key, Traffic, Delivery), Passage>,
}

impl Passages {
    /// The number of a class.
    pub(super) fn number(&mut self, class: Class) -> usize {
        let next = self.classes.len();
        *self.classes.entry(class).or_insert(next)
    }

    /// The number of a kind.
    pub(super) fn number_of_kind(&mut self, kind: Kind) -> usize {
        let next = self.kinds.len();
        *self.kinds.entry(kind).or_insert(next)
    }

    /// The way between two kinds, walked between two ends of them where nobody has walked it yet.
    pub(super) fn frame(&mut self, kinds: (usize, usize), walk: impl FnOnce() -> Option<Frame>) -> Option<&Frame> {
        self.frames.entry(kinds).or_insert_with(walk).as_ref()
    }

    /// Nothing that was walked counts any more.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.legs.clear();
    }
}

/// What a way depends on, beside networks, settings and what groups say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    wire: Wire,
    vpc: Option<Id>,
    subnets: Vec<Id>,
    cluster: Option<Id>,
    /// Namespace and labels, where the cluster has NetworkPolicies; with its name where labels are not known.
    policed: Option<String>,
    addresses: Spot,
    host: Option<(Spot, Vec<Id>, Public)>,
    relay: Option<Relay>,
    is_in_use: bool,
    public: Public,
}

/// Where addresses are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Spot {
    /// The smallest block of the networks that each of few is in.
    Blocks(Vec<Result<IpNet, Family>>),
    /// These ones.
    Exact(String),
}

/// What a passage depends on: a way, and the groups on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    kind: Kind,
    groups: Option<Vec<Id>>,
    host_groups: Option<Vec<Id>>,
    rules: Vec<u64>,
    host_rules: Vec<u64>,
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
        let rules = |groups: &Fact<Vec<Id>>| -> Vec<u64> {
            groups.known().into_iter().flatten().map(|id| self.rules.get(id).copied().unwrap_or_default()).collect()
        };
        Class {
            kind: self.kind(end),
            groups: end.groups.known().cloned(),
            host_groups: end.host.as_ref().and_then(|host| host.groups.known().cloned()),
            rules: rules(&end.groups),
            host_rules: end.host.as_ref().map(|host| rules(&host.groups)).unwrap_or_default(),
        }
    }

    pub(super) fn kind(&self, end: &End) -> Kind {
        let cluster = end.guest.as_ref().and_then(|guest| self.topology.clusters.get(&guest.cluster));
        let is_policed = cluster.is_some_and(|it| !it.network_policies.is_empty());
        let policed = end.policed_pod().filter(|_| is_policed);
        let host = |host: &HostSide| (self.spot(&host.addresses), host.subnets.clone(), host.public);
        Kind {
            wire: end.wire,
            vpc: end.vpc.known().cloned(),
            subnets: end.subnets.clone(),
            cluster: end.guest.as_ref().map(|guest| guest.cluster.clone()),
            policed: policed
                .map(|(_, namespace, template)| format!("{namespace} {:?} {:?}", template.labels, template.ports)),
            addresses: self.spot(&end.addresses),
            host: end.host.as_deref().map(host),
            relay: end.relay,
            is_in_use: end.is_in_use,
            public: end.public,
        }
    }

    fn spot(&self, addresses: &AddressSet) -> Spot {
        let Some(few) = addresses.few() else { return Spot::Exact(addresses.to_string()) };
        Spot::Blocks(few.into_iter().map(|it| self.networks.smallest(it).ok_or(Family::of(it))).collect())
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
    /// Where another block is the smallest one, in order: from this address on it is that one, or none.
    marks: Vec<(IpAddr, Option<IpNet>)>,
}

impl Blocks {
    fn of(blocks: impl IntoIterator<Item = IpNet>) -> Self {
        let none = |first: IpAddr| (first, None);
        let mut marks: BTreeMap<IpAddr, Option<IpNet>> =
            [none(Ipv4Addr::UNSPECIFIED.into()), none(Ipv6Addr::UNSPECIFIED.into())].into();
        let mut blocks: Vec<IpNet> = blocks.into_iter().map(|block| block.trunc()).collect();
        // The large ones first: what lies in them comes over them.
        blocks.sort_by_key(IpNet::prefix_len);
        for block in blocks {
            if let Some(next) = following(block.broadcast()) {
                let there = marks.range(..=next).next_back().and_then(|(_, smallest)| *smallest);
                marks.entry(next).or_insert(there);
            }
            marks.insert(block.network(), Some(block));
        }
        Self { marks: marks.into_iter().collect() }
    }

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
        all.extend(host::LINK_LOCAL.iter().chain(&NOT_PUBLIC).filter_map(|it| it.parse::<IpNet>().ok()));
        all.extend(topology.vpcs.values().filter_map(Vpc::resolver).map(IpNet::from));
        let public = topology.interfaces.values().flat_map(|it| &it.public);
        all.extend(public.map(|(_, public)| IpNet::from(*public)));
        for cluster in topology.clusters.values() {
            all.extend(known(&cluster.cni.not_translated));
            all.extend(of_policies(cluster));
        }
        Self::of(all)
    }

    fn smallest(&self, address: IpAddr) -> Option<IpNet> {
        let next = self.marks.partition_point(|(first, _)| *first <= address);
        self.marks[..next].last().and_then(|(_, smallest)| *smallest)
    }
}

/// The next address of the same family.
fn following(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(it) => it.to_bits().checked_add(1).map(|it| Ipv4Addr::from_bits(it).into()),
        IpAddr::V6(it) => it.to_bits().checked_add(1).map(|it| Ipv6Addr::from_bits(it).into()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_block_that_holds_an_address_is_found() {
        let texts = [
            "0.0.0.0/0",
            "10.0.0.0/8",
            "10.0.0.0/16",
            "10.0.1.0/24",
            "10.0.1.255/32",
            "10.0.2.0/24",
            "255.255.255.255/32",
            "fd00::/8",
            "fd00::/64",
        ];
        let all: Vec<IpNet> = texts.iter().map(|it| it.parse().unwrap()).collect();
        for known in [&all[..], &all[1..], &all[2..6], &all[7..], &[]] {
            let blocks = Blocks::of(known.iter().copied());
            for address in [
                "0.0.0.0",
                "9.255.255.255",
                "10.0.0.0",
                "10.0.0.255",
                "10.0.1.0",
                "10.0.1.254",
                "10.0.1.255",
                "10.0.2.0",
                "10.0.3.0",
                "10.1.0.0",
                "11.0.0.0",
                "255.255.255.255",
                "::",
                "fd00::1",
                "fd00:1::",
                "fe00::",
            ] {
                let address: IpAddr = address.parse().unwrap();
                let wanted = known.iter().filter(|it| it.contains(&address)).max_by_key(|it| it.prefix_len());
                assert_eq!(blocks.smallest(address).as_ref(), wanted, "{address} in {known:?}");
            }
        }
    }
}
