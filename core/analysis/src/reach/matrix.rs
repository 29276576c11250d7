//! Who reaches whom, all of them.
//!
//! Only pairs that some rule of the receiver is for are looked at: the effort grows with the rules, not with the pairs.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    classes::Passages,
    end::{End, Wire},
    ends,
    sketch::Sketch,
    through::Through,
};
use crate::{
    matching,
    sets::{AddressSet, Passage},
    topology::{Cluster, Id, Interface, InterfaceKind, Peer, PodKey, PodTemplate, Topology, makers},
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
        !is_of_cluster && it.is_in_use
    };
    let found = topology.interfaces.with_group(group).filter(|(_, it)| is_other(it));
    found.map(|(id, it)| End::of_interface(id, it)).collect()
}

/// Workloads whose pods have groups of their own, pods that no workload makes, and policies that none of these are under.
fn pods(topology: &Topology, id: &Id, cluster: &Cluster, prefix: &str, parties: &mut Vec<Party>) {
    let mut unused: BTreeSet<(&str, &str)> =
        cluster.policies.keys().map(|(namespace, name)| (namespace.as_str(), name.as_str())).collect();
    let mut made: HashSet<&PodKey> = HashSet::new();
    for ((namespace, kind, name), workload) in &cluster.workloads {
        use_up(&mut unused, cluster, namespace, &workload.template);
        made.extend(cluster.pods.made_by(namespace, kind, name).map(|(key, _)| key));
        if is_made(cluster, namespace, kind, name) {
            continue;
        }
        let ends = ends::of_workload(topology, id, cluster, (namespace, kind, name), workload);
        if ends.iter().any(has_own_groups) {
            parties.push(Party { name: format!("{prefix}{namespace}/{name}"), kind: PartyKind::Pods, ends });
        }
    }
    for (key, pod) in &cluster.pods {
        use_up(&mut unused, cluster, &key.namespace, &pod.template);
        let end = if made.contains(key) { None } else { ends::of_pod(topology, id, key) };
        if let Some(end) = end.filter(has_own_groups) {
            parties.push(Party { name: format!("{prefix}{}", end.name), kind: PartyKind::Pods, ends: vec![end] });
        }
    }
    for ((namespace, name), policy) in &cluster.policies {
        let is_dead = policy.pods.is_none() && policy.service_accounts.is_none();
        if !is_dead && unused.contains(&(namespace.as_str(), name.as_str())) {
            let ends = ends::of_policy(topology, id, namespace, name, policy);
            parties.push(Party { name: format!("{prefix}{namespace}/{name}"), kind: PartyKind::Pods, ends });
        }
    }
}

/// Strikes the policies that are for a pod off those that are for nobody.
fn use_up(unused: &mut BTreeSet<(&str, &str)>, cluster: &Cluster, namespace: &str, template: &PodTemplate) {
    let mut left = unused.range((namespace, "")..);
    if left.next().is_some_and(|(of, _)| *of == namespace) {
        let membership = matching::membership(cluster, namespace, template);
        unused.retain(|(of, name)| *of != namespace || membership.policies().all(|policy| policy != *name));
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
    let peers: HashSet<&Peer> = rules.map(|rule| &rule.peer).collect();
    let mut named: BTreeMap<String, AddressSet> = BTreeMap::new();
    for peer in peers {
        match peer {
            Peer::Block(block) if block.prefix_len() > 0 => {
                named.insert(block.to_string(), (*block).into());
            }
            Peer::PrefixList(id) => {
                let known = topology.prefix_lists.get(id).and_then(|it| it.blocks.known());
                named.extend(known.map(|blocks| (id.to_string(), blocks.iter().collect())));
            }
            Peer::Block(_) | Peer::Group(_) | Peer::Unknown => {}
        }
    }
    let party = |(name, addresses): (String, AddressSet)| {
        // Whoever has them: their own groups are not looked at.
        let end = End { wire: Wire::Anywhere, ..End::outside(name.clone(), addresses) };
        Party { name, kind: PartyKind::Block, ends: vec![end] }
    };
    named.into_iter().map(party).collect()
}
