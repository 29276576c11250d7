//! Who reaches whom, all of them.
//!
//! Parties that nothing tells apart (same groups, same places, and the same labels where NetworkPolicies look at them) are one
//! class, and only pairs that some rule of the receiver is for are walked: the effort grows with the rules, not with the pairs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::{
    ask::{Delivery, Placement, Question, ask},
    end::{End, Public, Relay, Wire},
    ends,
    through::{self, Through},
};
use crate::{
    matching,
    sets::{AddressSet, Passage, Traffic},
    topology::{Cluster, Direction, Fact, Group, Id, Interface, InterfaceKind, Peer, Topology},
};

/// Who takes part.
#[derive(Clone, Debug)]
pub struct Party {
    /// For people, and what a party is known by from one topology to the next.
    pub name: String,
    /// What it is.
    pub kind: PartyKind,
    /// Its cases.
    pub ends: Vec<End>,
}

/// What a party is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartyKind {
    /// Every address there is.
    Anywhere,
    /// Addresses that a rule names.
    Block,
    /// Pods with groups of their own.
    Pods,
    /// Nodes, and pods that share their interfaces.
    Nodes,
    /// A cluster's control plane.
    ControlPlane,
    /// Whatever carries a group.
    Group,
}

/// The name of the party that is every address.
pub const ANYWHERE: &str = "any";

/// What passes between parties.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    /// Who takes part.
    pub parties: Vec<Party>,
    /// What passes from one to the other, by their places in `parties`; pairs between which nothing passes are left out.
    pub passages: BTreeMap<(usize, usize), Passage>,
    /// What passes to pods by load balancers.
    pub through: Vec<Through>,
}

/// Everything that is known to pass, between nodes: what pods on one node do in standard mode is not in it.
pub fn matrix(topology: &Topology) -> Matrix {
    matrix_with(topology, &mut Passages::default())
}

/// What was walked already, by classes.
#[derive(Default)]
pub(super) struct Passages {
    classes: BTreeMap<Class, usize>,
    known: HashMap<(usize, usize), Passage>,
    /// Legs of connections by load balancers, with the traffic on them.
    pub(super) legs: HashMap<(usize, usize, Traffic, Delivery), Passage>,
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

/// The same, with what is known of topologies that differ in groups and pods only.
pub(super) fn matrix_with(topology: &Topology, known: &mut Passages) -> Matrix {
    let sketch = Sketch::of(topology, known);
    let pairs: Vec<(usize, usize)> = sketch.pairs().collect();
    sketch.walked(pairs, known)
}

/// Who may reach whom, before anything is walked.
pub(super) struct Sketch<'a> {
    topology: &'a Topology,
    rules: Fingerprints<'a>,
    pub(super) parties: Vec<Party>,
    /// The classes of each party's cases.
    pub(super) classes: Vec<Vec<usize>>,
    /// For each party those that its rules are for.
    candidates: Vec<BTreeSet<usize>>,
}

impl<'a> Sketch<'a> {
    pub(super) fn of(topology: &'a Topology, known: &mut Passages) -> Self {
        let parties = parties(topology);
        let rules = Fingerprints::of(topology);
        let mut class = |end: &End| known.number(Class::of(topology, &rules, end));
        let classes = parties.iter().map(|it| it.ends.iter().map(&mut class).collect()).collect();
        let index = Index::of(&parties);
        let candidates = (0..parties.len()).map(|to| index.candidates(topology, &parties, to)).collect();
        Self { topology, rules, parties, classes, candidates }
    }

    /// Pairs that say anything, by who begins and who answers.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let all = self.candidates.iter().enumerate().flat_map(|(to, all)| all.iter().map(move |from| (*from, to)));
        all.filter(|(from, to)| is_pair(&self.parties, *from, *to))
    }

    pub(super) fn has_pair(&self, (from, to): (usize, usize)) -> bool {
        self.candidates[to].contains(&from) && is_pair(&self.parties, from, to)
    }

    /// The matrix of some pairs.
    pub(super) fn walked(self, pairs: impl IntoIterator<Item = (usize, usize)>, known: &mut Passages) -> Matrix {
        let walk = |pair| Some((pair, self.passage(pair, known).filter(|it| !it.is_closed())?));
        let passages = pairs.into_iter().filter_map(walk).collect();
        let through = through::all(self.topology, &self.rules, known);
        Matrix { parties: self.parties, passages, through }
    }

    fn passage(&self, (from, to): (usize, usize), known: &mut Passages) -> Option<Passage> {
        let mut all: Option<Passage> = None;
        for (one, one_class) in self.parties[from].ends.iter().zip(&self.classes[from]) {
            for (other, other_class) in self.parties[to].ends.iter().zip(&self.classes[to]) {
                let key = (*one_class, *other_class);
                let passage = known.known.entry(key).or_insert_with(|| passage(self.topology, one, other));
                all = Some(all.map_or_else(|| passage.clone(), |all| all.either(passage)));
            }
        }
        all
    }
}

fn passage(topology: &Topology, from: &End, to: &End) -> Passage {
    let to = &as_destination(topology, to);
    let question = Question { placement: Placement::OtherNode, counts_unknown_rules: false, ..Question::new(from, to) };
    ask(topology, &question).passage
}

/// Addresses as something to be reached: on the internet, or in a VPC, where somebody with groups that nobody told may have them.
fn as_destination(topology: &Topology, end: &End) -> End {
    if end.wire != Wire::Anywhere {
        return end.clone();
    }
    let of_vpc = |vpc: &&Id| topology.vpc_addresses(vpc).is_some_and(|it| it.covers(&end.addresses));
    match topology.vpcs.keys().find(of_vpc) {
        Some(vpc) => End { wire: Wire::Plain, vpc: Fact::Known(vpc.clone()), groups: Fact::Unknown, ..end.clone() },
        None if end.addresses == AddressSet::all() => End { name: end.name.clone(), ..End::internet() },
        None => End { wire: Wire::Outside, ..end.clone() },
    }
}

/// Whether a pair says anything: nobody asks what passes between places that the model does not know.
fn is_pair(parties: &[Party], from: usize, to: usize) -> bool {
    let is_outside = |it: usize| matches!(parties[it].kind, PartyKind::Anywhere | PartyKind::Block);
    !(is_outside(from) && is_outside(to))
}

// --- parties ----------------------------------------------------------------------------------------------------------

/// Everybody who takes part, each name once.
pub fn parties(topology: &Topology) -> Vec<Party> {
    let anywhere = End { wire: Wire::Anywhere, ..End::outside(ANYWHERE, AddressSet::all()) };
    let mut parties = vec![Party { name: ANYWHERE.to_owned(), kind: PartyKind::Anywhere, ends: vec![anywhere] }];
    let mut carried: BTreeSet<Id> = BTreeSet::new();
    let several = topology.clusters.len() > 1;
    for (id, cluster) in &topology.clusters {
        let prefix = if several { format!("{id}:") } else { String::new() };
        pods(topology, id, cluster, &prefix, &mut parties);
        for (name, group) in &cluster.node_groups {
            let end = ends::of_node_group(topology, id, name, group);
            parties.push(Party { name: format!("{prefix}{}", end.name), kind: PartyKind::Nodes, ends: vec![end] });
        }
        if let Some(end) = ends::of_control_plane(topology, id).filter(|_| cluster.group.is_known()) {
            parties.push(Party { name: end.name.clone(), kind: PartyKind::ControlPlane, ends: vec![end] });
        }
    }
    for party in &parties {
        carried.extend(party.ends.iter().filter_map(|end| end.groups.known()).flatten().cloned());
    }
    for (id, group) in &topology.groups {
        // What carries it beside pods, nodes and control planes: databases, load balancers, or whatever will.
        let ends = if carried.contains(id) { others(topology, id) } else { ends::of_group(topology, id) };
        if !ends.is_empty() {
            parties.push(Party { name: group.name.clone(), kind: PartyKind::Group, ends });
        }
    }
    parties.extend(blocks(topology));
    // Two groups of one name are told apart by their ids.
    let mut seen = BTreeSet::new();
    for party in &mut parties {
        if !seen.insert(party.name.clone()) {
            let group = party.ends.first().and_then(|end| end.groups.known()).and_then(|groups| groups.first());
            party.name = group.map_or_else(|| format!("{} (2)", party.name), |id| format!("{} ({id})", party.name));
        }
    }
    parties
}

/// Interfaces with a group that are nobody's of a cluster.
fn others(topology: &Topology, group: &Id) -> Vec<End> {
    let is_other = |it: &Interface| {
        use InterfaceKind as Kind;
        let is_of_cluster =
            matches!(it.kind, Kind::Node | Kind::Trunk | Kind::Branch | Kind::Fargate | Kind::ControlPlane);
        !is_of_cluster && it.is_in_use && it.groups.contains(group)
    };
    let found = topology.interfaces.iter().filter(|(_, it)| is_other(it));
    found.map(|(id, it)| End::of_interface(id, it)).collect()
}

/// Workloads whose pods have groups of their own, pods that no workload makes, and policies that none of these are under.
fn pods(topology: &Topology, id: &Id, cluster: &Cluster, prefix: &str, parties: &mut Vec<Party>) {
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for ((namespace, kind, name), workload) in &cluster.workloads {
        let membership = matching::membership(cluster, namespace, &workload.template);
        used.extend(membership.policies().map(|policy| (namespace.clone(), policy.to_owned())));
        if is_made(cluster, namespace, kind, name) {
            continue;
        }
        let ends = ends::of_workload(topology, id, cluster, (namespace, kind, name), workload);
        if ends.iter().any(has_own_groups) {
            parties.push(Party { name: format!("{prefix}{namespace}/{name}"), kind: PartyKind::Pods, ends });
        }
    }
    for (key, pod) in &cluster.pods {
        let is_of_workload = pod.owner.as_ref().is_some_and(|(kind, name)| {
            let makes = |(theirs, of, its): &(String, String, String)| {
                theirs == &key.namespace && ends::is_made_by(kind, name, of, its)
            };
            cluster.workloads.keys().any(makes)
        });
        let policies = matching::membership(cluster, &key.namespace, &pod.template);
        used.extend(policies.policies().map(|policy| (key.namespace.clone(), policy.to_owned())));
        let end = ends::of_pod(topology, id, key).filter(|end| !is_of_workload && has_own_groups(end));
        if let Some(end) = end {
            parties.push(Party { name: format!("{prefix}{}", end.name), kind: PartyKind::Pods, ends: vec![end] });
        }
    }
    for ((namespace, name), policy) in &cluster.policies {
        let is_dead = policy.pods.is_none() && policy.service_accounts.is_none();
        if is_dead || used.contains(&(namespace.clone(), name.clone())) {
            continue;
        }
        let ends = ends::of_policy(topology, id, namespace, name, policy);
        parties.push(Party { name: format!("{prefix}{namespace}/{name}"), kind: PartyKind::Pods, ends });
    }
}

fn has_own_groups(end: &End) -> bool {
    matches!(end.wire, Wire::Branch | Wire::Fargate)
}

/// Whether another workload made it: what a Deployment makes its pods with says nothing new.
fn is_made(cluster: &Cluster, namespace: &str, kind: &str, name: &str) -> bool {
    let makes = |(theirs, of, its): &(String, String, String)| {
        theirs == namespace && of != kind && ends::is_made_by(kind, name, of, its)
    };
    kind == "ReplicaSet" && cluster.workloads.keys().any(makes)
}

/// Addresses that rules name, other than all of them.
fn blocks(topology: &Topology) -> Vec<Party> {
    let rules = topology.groups.values().flat_map(|group| &group.rules);
    let named: BTreeSet<&ipnet::IpNet> = rules
        .filter_map(|rule| match &rule.peer {
            Peer::Block(block) if block.prefix_len() > 0 => Some(block),
            _ => None,
        })
        .collect();
    let party = |block: &ipnet::IpNet| {
        let addresses = AddressSet::from(*block);
        // Whoever has them: their own groups are not looked at.
        let end = End { wire: Wire::Anywhere, ..End::outside(block.to_string(), addresses) };
        Party { name: block.to_string(), kind: PartyKind::Block, ends: vec![end] }
    };
    named.into_iter().map(party).collect()
}

// --- classes ----------------------------------------------------------------------------------------------------------

/// Hashes of the rules of each group.
pub(super) struct Fingerprints<'a>(BTreeMap<&'a Id, u64>);

impl<'a> Fingerprints<'a> {
    fn of(topology: &'a Topology) -> Self {
        let hash = |group: &Group| {
            let mut hasher = DefaultHasher::new();
            for rule in &group.rules {
                (rule.direction, &rule.traffic, &rule.peer).hash(&mut hasher);
            }
            group.vpc.hash(&mut hasher);
            hasher.finish()
        };
        Self(topology.groups.iter().map(|(id, group)| (id, hash(group))).collect())
    }

    fn of_groups(&self, groups: &Fact<Vec<Id>>) -> Vec<u64> {
        groups.known().into_iter().flatten().map(|id| self.0.get(id).copied().unwrap_or_default()).collect()
    }
}

/// What a passage depends on, beside networks and settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Addresses of what is no pod and no node.
    addresses: Option<String>,
    relay: Option<Relay>,
    /// Whether it has a public address, where that may differ.
    public: Option<bool>,
}

impl Class {
    pub(super) fn of(topology: &Topology, rules: &Fingerprints<'_>, end: &End) -> Self {
        let cluster = end.guest.as_ref().and_then(|guest| topology.clusters.get(&guest.cluster));
        let is_policed = cluster.is_some_and(|it| !it.network_policies.is_empty());
        let policed = end.policed_pod().filter(|_| is_policed);
        Self {
            wire: end.wire,
            vpc: end.vpc.known().cloned(),
            subnets: end.subnets.clone(),
            groups: end.groups.known().cloned(),
            host_groups: end.host.as_ref().and_then(|host| host.groups.known().cloned()),
            rules: rules.of_groups(&end.groups),
            host_rules: end.host.as_ref().map(|host| rules.of_groups(&host.groups)).unwrap_or_default(),
            cluster: end.guest.as_ref().map(|guest| guest.cluster.clone()),
            policed: policed
                .map(|(_, namespace, template)| format!("{namespace} {:?} {:?}", template.labels, template.ports)),
            addresses: end.guest.is_none().then(|| end.addresses.to_string()),
            relay: end.relay,
            public: end.relay.map(|_| end.public == Public::Yes),
        }
    }
}

/// Who carries which group.
struct Index<'a> {
    by_group: BTreeMap<&'a Id, BTreeSet<usize>>,
    /// Those whose groups nobody told.
    open: BTreeSet<usize>,
    outside: BTreeSet<usize>,
}

impl<'a> Index<'a> {
    fn of(parties: &'a [Party]) -> Self {
        let mut index = Self { by_group: BTreeMap::new(), open: BTreeSet::new(), outside: BTreeSet::new() };
        for (place, party) in parties.iter().enumerate() {
            for end in &party.ends {
                let groups = end.groups.known().into_iter().flatten();
                // Translated traffic carries the node's.
                let host = end.host.as_ref().and_then(|host| host.groups.known()).into_iter().flatten();
                for group in groups.chain(host) {
                    index.by_group.entry(group).or_default().insert(place);
                }
                if !end.groups.is_known() {
                    index.open.insert(place);
                }
            }
            if matches!(party.kind, PartyKind::Anywhere | PartyKind::Block) {
                index.outside.insert(place);
            }
        }
        index
    }

    /// Who may reach a party, by its rules.
    fn candidates(&self, topology: &Topology, parties: &[Party], to: usize) -> BTreeSet<usize> {
        let mut from = BTreeSet::new();
        if self.outside.contains(&to) {
            // Whoever has a rule for these addresses.
            return (0..parties.len()).filter(|it| !self.outside.contains(it)).collect();
        }
        for end in &parties[to].ends {
            let Fact::Known(groups) = &end.groups else { return (0..parties.len()).collect() };
            let rules = groups.iter().filter_map(|id| topology.groups.get(id)).flat_map(|group| &group.rules);
            for rule in rules.filter(|rule| rule.direction == Direction::Ingress) {
                match &rule.peer {
                    Peer::Group(group) => from.extend(self.by_group.get(group).into_iter().flatten()),
                    Peer::Block(block) => from.extend(with_addresses(parties, &AddressSet::from(*block))),
                    Peer::PrefixList(list) => {
                        let blocks = topology.prefix_lists.get(list).and_then(|list| list.blocks.known());
                        let blocks = blocks.map_or_else(AddressSet::all, |blocks| blocks.iter().collect());
                        from.extend(with_addresses(parties, &blocks));
                    }
                    Peer::Unknown => from.extend(0..parties.len()),
                }
            }
        }
        from.extend(&self.open);
        from
    }
}

/// Parties that may have one of these addresses.
fn with_addresses(parties: &[Party], block: &AddressSet) -> Vec<usize> {
    let has = |end: &End| end.addresses.is_empty() || block.meets(&end.addresses);
    parties.iter().enumerate().filter(|(_, party)| party.ends.iter().any(has)).map(|(place, _)| place).collect()
}
