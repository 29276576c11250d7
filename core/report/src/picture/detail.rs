//! A few words about each thing in a picture.

use std::collections::BTreeSet;

use sgp_analysis::{
    matching::{self, Attachment},
    reach::{Party, PartyKind},
    topology::{Cluster, Fact, Id, InterfaceKind, Topology, Workload},
};
use sgp_model::symbol::readable;

use super::{
    place,
    scene::{Lane, Spot, World, way_out},
    ways::Ways,
};

/// A group of a box with more names than this is counted.
const MOST_GROUPS: usize = 3;

/// The box of actors that are alike.
pub fn spot(world: &World<'_>, ways: &Ways, actors: &[usize]) -> Spot {
    let first = &ways.actors[actors[0]];
    let name = ways.name(actors[0]);
    let own = of_party(world, world.of(first.fate), &first.party);
    let (name, detail) = match actors.len() {
        1 => (name, own),
        n => (
            format!("{name} and {} more", n - 1),
            format!("{n} {}, each with the same ways", kind_word(&first.party, n)),
        ),
    };
    Spot { name, detail, kind: Some(first.party.kind), fate: first.fate, actors: actors.to_vec() }
}

fn kind_word(party: &Party, count: usize) -> &'static str {
    match (party.kind, count) {
        (PartyKind::Anywhere, _) => "any address",
        (PartyKind::Block, _) => "addresses",
        (PartyKind::Pods, 1) => "pods",
        (PartyKind::Pods, _) => "workloads",
        (PartyKind::Nodes, 1) => "nodes",
        (PartyKind::Nodes, _) => "node groups",
        (PartyKind::ControlPlane, 1) => "control plane",
        (PartyKind::ControlPlane, _) => "control planes",
        (PartyKind::Group, 1) => "security group",
        (PartyKind::Group, _) => "security groups",
    }
}

fn of_party(world: &World<'_>, topology: &Topology, party: &Party) -> String {
    let parts: Vec<String> = match party.kind {
        PartyKind::Anywhere => vec!["every address, the internet too".to_owned()],
        PartyKind::Block => vec![block(world, topology, party)],
        PartyKind::Pods => vec![pods(topology, party), groups(topology, party)],
        PartyKind::Nodes => vec![nodes(topology, party), groups(topology, party)],
        PartyKind::ControlPlane => vec![groups(topology, party)],
        PartyKind::Group => vec![carriers(topology, party)],
    };
    parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" \u{b7} ")
}

fn block(world: &World<'_>, topology: &Topology, party: &Party) -> String {
    let addresses = party.ends.first().map(|it| &it.addresses);
    let covers =
        |id: &&Id| addresses.zip(topology.vpc_addresses(id)).is_some_and(|(addresses, vpc)| vpc.covers(addresses));
    match topology.vpcs.keys().find(covers) {
        Some(vpc) => format!("addresses of VPC {}", world.names.get(vpc)),
        None => "addresses".to_owned(),
    }
}

/// How many pods there are, or will be.
fn pods(topology: &Topology, party: &Party) -> String {
    let running: Vec<&String> = party.ends.iter().filter_map(|end| end.guest.as_ref()?.node.known()).collect();
    if !running.is_empty() {
        let nodes: BTreeSet<&&String> = running.iter().collect();
        return format!("{} on {}", counted(running.len(), "pod"), counted(nodes.len(), "node"));
    }
    match workload(topology, party).map(|it| &it.replicas) {
        Some(Fact::Known(Some(n))) => counted(*n as usize, "pod"),
        Some(Fact::Known(None)) => "a pod on each node".to_owned(),
        _ => "pods".to_owned(),
    }
}

fn workload<'a>(topology: &'a Topology, party: &Party) -> Option<&'a Workload> {
    let guest = party.ends.iter().find_map(|end| end.guest.as_ref())?;
    let (namespace, _) = guest.pod.as_ref()?;
    let workloads = &topology.clusters.get(&guest.cluster)?.workloads;
    let is_it = |name: &str| party.ends.iter().any(|end| end.name == format!("{namespace}/{name}"));
    workloads.iter().find(|((theirs, _, name), _)| theirs == namespace && is_it(name)).map(|(_, it)| it)
}

fn nodes(topology: &Topology, party: &Party) -> String {
    let known = || {
        let guest = party.ends.first()?.guest.as_ref()?;
        let cluster = topology.clusters.get(&guest.cluster)?;
        let name = party.ends.first()?.name.strip_prefix("nodes ")?;
        Some((cluster, name, cluster.node_groups.get(name)?))
    };
    let Some((cluster, name, group)) = known() else { return "nodes".to_owned() };
    let mut parts = Vec::new();
    match (place::nodes_of(cluster, name), group.size.known()) {
        (0, Some((_, wanted, _))) => parts.push(counted(*wanted as usize, "node")),
        (0, None) => parts.push("nodes".to_owned()),
        (n, _) => parts.push(counted(n, "node")),
    }
    if let Some([one]) = group.instance_types.known().map(Vec::as_slice) {
        parts.push(one.clone());
    }
    parts.join(" \u{b7} ")
}

fn groups(topology: &Topology, party: &Party) -> String {
    let mut all: Vec<Id> = Vec::new();
    for end in &party.ends {
        let Some(groups) = end.groups.known() else { return "groups are known after apply".to_owned() };
        for group in groups {
            if !all.contains(group) {
                all.push(group.clone());
            }
        }
    }
    let name = |id: &Id| topology.groups.get(id).map_or_else(|| id.to_string(), |it| readable(&it.name).into_owned());
    let names: Vec<String> = all.iter().take(MOST_GROUPS).map(name).collect();
    match all.len() {
        0 => String::new(),
        1 => format!("group {}", names[0]),
        n if n <= MOST_GROUPS => format!("groups {}", names.join(", ")),
        n => format!("groups {} and {} more", names.join(", "), n - MOST_GROUPS),
    }
}

/// What carries a group.
fn carriers(topology: &Topology, party: &Party) -> String {
    let id = |name: &str| name.split(' ').next().unwrap_or_default().to_owned();
    let interfaces: Vec<_> =
        party.ends.iter().filter_map(|end| topology.interfaces.get(id(&end.name).as_str())).collect();
    if interfaces.is_empty() {
        return "security group \u{b7} whatever carries it".to_owned();
    }
    let word = |kind: InterfaceKind| match kind {
        InterfaceKind::Database => "database",
        InterfaceKind::LoadBalancer => "load balancer",
        InterfaceKind::Endpoint => "VPC endpoint",
        InterfaceKind::NatGateway => "NAT gateway",
        _ => "interface",
    };
    let words: BTreeSet<&str> = interfaces.iter().map(|it| word(it.kind)).collect();
    let words = words.into_iter().collect::<Vec<_>>().join(", ");
    let suffix =
        if words == "interface" { String::new() } else { format!(" ({})", counted(interfaces.len(), "interface")) };
    let words = if suffix.is_empty() { counted(interfaces.len(), "interface") } else { words };
    format!("{words}{suffix} \u{b7} carries the group")
}

/// A VPC's addresses and gateways.
pub fn vpc(world: &World<'_>, id: &Id) -> String {
    let topology = world.telling(|it| it.vpcs.contains_key(id));
    let blocks = topology.vpcs.get(id).and_then(|it| it.blocks.known());
    let mut parts: Vec<String> = blocks.into_iter().flatten().map(ToString::to_string).collect();
    let gateways = topology.internet_gateways.values().filter(|it| it.vpc.as_ref() == Some(id) && !it.is_egress_only);
    if gateways.count() > 0 {
        parts.push("internet gateway".to_owned());
    }
    let peers = topology.peerings.keys().filter_map(|peering| topology.other_end(peering, id));
    parts.extend(peers.map(|peer| format!("peered with VPC {}", world.names.get(peer))));
    parts.join(" \u{b7} ")
}

/// A subnet's name, zone and addresses, and its way out.
pub fn lane(world: &World<'_>, id: &Id) -> Lane {
    let name = world.names.get(id);
    let fate = world.fate(|it| it.subnets.contains_key(id));
    let topology = world.telling(|it| it.subnets.contains_key(id));
    let Some(subnet) = topology.subnets.get(id) else { return Lane { name, detail: Vec::new(), fate } };
    let mut facts: Vec<String> = subnet.zone.known().cloned().into_iter().collect();
    facts.extend(subnet.blocks.known().into_iter().flatten().map(ToString::to_string));
    let mut detail = vec![facts.join(" \u{b7} ")];
    let mut more: Vec<String> = way_out(topology, subnet).map(str::to_owned).into_iter().collect();
    if topology.nat_gateways.values().any(|it| it.subnet == *id) {
        more.push("NAT gateway".to_owned());
    }
    detail.push(more.join(" \u{b7} "));
    detail.retain(|it| !it.is_empty());
    Lane { name, detail, fate }
}

/// How many workloads of a cluster share their nodes' interfaces.
pub fn sharing(world: &World<'_>, id: &Id) -> Option<String> {
    let cluster = world.telling(|it| it.clusters.contains_key(id)).clusters.get(id)?;
    let count = cluster.workloads.iter().filter(|((namespace, ..), it)| shares(cluster, namespace, it)).count();
    match count {
        0 => None,
        1 => Some("1 workload shares the groups of its nodes".to_owned()),
        n => Some(format!("{n} workloads share the groups of their nodes")),
    }
}

fn shares(cluster: &Cluster, namespace: &str, workload: &Workload) -> bool {
    let found = matching::membership(cluster, namespace, &workload.template);
    matches!(found.attachment, Attachment::Shared(_) | Attachment::Host)
}

/// `1 pod`, `3 pods`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}
