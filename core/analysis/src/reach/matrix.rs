//! Who reaches whom, all of them.
//!
//! Parties that nothing tells apart (same groups, same places, and the same labels where NetworkPolicies look at them) are one
//! class, and only pairs that some rule of the receiver is for are walked: the effort grows with the rules, not with the pairs.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use ipnet::IpNet;

use super::{
    ask::{Placement, Question, ask},
    candidates::Index,
    classes::{Classes, Passages, sight},
    end::{End, Wire},
    ends,
    through::{self, Through},
};
use crate::{
    matching,
    sets::{AddressSet, Passage},
    topology::{Cluster, Direction, Fact, Id, Interface, InterfaceKind, Peer, Topology, makers},
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

/// The same, with what is known of topologies that differ in groups and pods only.
pub(super) fn matrix_with(topology: &Topology, known: &mut Passages) -> Matrix {
    let sketch = Sketch::of(topology, known);
    let pairs: Vec<(usize, usize)> = sketch.pairs().collect();
    sketch.walked(pairs, known)
}

/// Who may reach whom, before anything is walked.
pub(super) struct Sketch<'a> {
    topology: &'a Topology,
    classes: Classes<'a>,
    pub(super) parties: Vec<Party>,
    /// The cases of each party, those of one class together.
    cases: Vec<Vec<Case>>,
    /// What is all that counts of a party, as a hash.
    pub(super) faces: Vec<u64>,
    /// For each party those that its rules are for.
    candidates: Vec<BTreeSet<usize>>,
}

/// Ends of a party that are of one class.
struct Case {
    class: usize,
    /// Their places in the party.
    ends: Vec<usize>,
    /// Blocks that their rules name: of who comes in, of who is gone out to.
    named: [Vec<IpNet>; 2],
}

impl<'a> Sketch<'a> {
    pub(super) fn of(topology: &'a Topology, known: &mut Passages) -> Self {
        let parties = parties(topology);
        let classes = Classes::of(topology);
        let cases: Vec<Vec<Case>> = parties.iter().map(|it| cases(&classes, it, known)).collect();
        let faces = parties.iter().zip(&cases).map(|(party, cases)| face(party, cases)).collect();
        let index = Index::of(topology, &parties);
        let candidates = (0..parties.len()).map(|to| index.candidates(topology, &parties, to)).collect();
        Self { topology, classes, parties, cases, faces, candidates }
    }

    /// Pairs that say anything, by who begins and who answers.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.candidates.iter().enumerate().flat_map(|(to, all)| all.iter().map(move |from| (*from, to)))
    }

    pub(super) fn has_pair(&self, (from, to): (usize, usize)) -> bool {
        self.candidates[to].contains(&from)
    }

    /// The matrix of some pairs.
    pub(super) fn walked(self, pairs: impl IntoIterator<Item = (usize, usize)>, known: &mut Passages) -> Matrix {
        let walk = |pair| Some((pair, self.passage(pair, known).filter(|it| !it.is_closed())?));
        let passages = pairs.into_iter().filter_map(walk).collect();
        let through = through::all(self.topology, &self.classes, known);
        Matrix { parties: self.parties, passages, through }
    }

    fn passage(&self, (from, to): (usize, usize), known: &mut Passages) -> Option<Passage> {
        let mut all: Option<Passage> = None;
        for one in &self.cases[from] {
            for other in &self.cases[to] {
                let senders = unlike(&self.parties[from], one, &other.named[0]);
                let receivers = unlike(&self.parties[to], other, &one.named[1]);
                for (sender, sent) in &senders {
                    for (receiver, received) in &receivers {
                        let key = (one.class, *sent, other.class, *received);
                        let walk = || passage(self.topology, sender, receiver);
                        let passage = known.known.entry(key).or_insert_with(walk);
                        all = Some(all.map_or_else(|| passage.clone(), |all| all.either(passage)));
                    }
                }
            }
        }
        all
    }
}

fn cases(classes: &Classes<'_>, party: &Party, known: &mut Passages) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (place, end) in party.ends.iter().enumerate() {
        let class = known.number(classes.class(end));
        match cases.iter_mut().find(|it| it.class == class) {
            Some(case) => case.ends.push(place),
            None => {
                let named = [Direction::Ingress, Direction::Egress].map(|it| classes.blocks(end, it));
                cases.push(Case { class, ends: vec![place], named });
            }
        }
    }
    cases
}

/// One of each kind of a case's ends, as rules that name blocks see them.
fn unlike<'p>(party: &'p Party, case: &Case, blocks: &[IpNet]) -> Vec<(&'p End, u64)> {
    let mut kinds: Vec<(&End, u64)> = Vec::new();
    for end in case.ends.iter().map(|place| &party.ends[*place]) {
        let sight = sight(end, blocks);
        if kinds.iter().all(|(_, known)| *known != sight) {
            kinds.push((end, sight));
        }
        if blocks.is_empty() {
            break;
        }
    }
    kinds
}

fn face(party: &Party, cases: &[Case]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for case in cases {
        case.class.hash(&mut hasher);
        case.ends.iter().for_each(|place| party.ends[*place].addresses.to_string().hash(&mut hasher));
    }
    hasher.finish()
}

fn passage(topology: &Topology, from: &End, to: &End) -> Passage {
    let to = &as_destination(topology, to);
    let question = Question { placement: Placement::OtherNode, counts_unknown_rules: false, ..Question::new(from, to) };
    ask(topology, &question).passage
}

/// Addresses as something to be reached: on the internet, or in a VPC, where somebody with groups that nobody told may have them.
fn as_destination<'e>(topology: &Topology, end: &'e End) -> Cow<'e, End> {
    if end.wire != Wire::Anywhere {
        return Cow::Borrowed(end);
    }
    let of_vpc = |vpc: &&Id| topology.vpc_addresses(vpc).is_some_and(|it| it.covers(&end.addresses));
    Cow::Owned(match topology.vpcs.keys().find(of_vpc) {
        Some(vpc) => End { wire: Wire::Plain, vpc: Fact::Known(vpc.clone()), groups: Fact::Unknown, ..end.clone() },
        None if end.addresses == AddressSet::all() => End { name: end.name.clone(), ..End::internet() },
        None => End { wire: Wire::Outside, ..end.clone() },
    })
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
        let owner = pod.owner.iter();
        let is_of_workload =
            owner.flat_map(|(kind, name)| makers(kind, name)).any(|it| cluster.has_workload(&key.namespace, it));
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
    kind == "ReplicaSet" && makers(kind, name).any(|it| it.0 != kind && cluster.has_workload(namespace, it))
}

/// Addresses that rules name, other than all of them: blocks, and what prefix lists are known to hold.
fn blocks(topology: &Topology) -> Vec<Party> {
    let rules = topology.groups.values().flat_map(|group| &group.rules);
    let mut named: BTreeMap<String, AddressSet> = BTreeMap::new();
    for rule in rules {
        match &rule.peer {
            Peer::Block(block) if block.prefix_len() > 0 => {
                named.entry(block.to_string()).or_insert_with(|| (*block).into());
            }
            Peer::PrefixList(id) if !named.contains_key(id.as_str()) => {
                let known = topology.prefix_lists.get(id).and_then(|it| it.blocks.known());
                named.extend(known.map(|blocks| (id.to_string(), blocks.iter().collect())));
            }
            Peer::Block(_) | Peer::PrefixList(_) | Peer::Group(_) | Peer::Unknown => {}
        }
    }
    let party = |(name, addresses): (String, AddressSet)| {
        // Whoever has them: their own groups are not looked at.
        let end = End { wire: Wire::Anywhere, ..End::outside(name.clone(), addresses) };
        Party { name, kind: PartyKind::Block, ends: vec![end] }
    };
    named.into_iter().map(party).collect()
}
