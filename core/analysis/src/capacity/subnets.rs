//! Addresses of subnets, and what nodes and pods take of them.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    Amount, NodesOf,
    demand::{Demand, Needs, Takes, Wanted, largest},
    fit::Scene,
    pools::Pool,
};
use crate::{
    sets::Family,
    topology::{Cluster, Fact, Id, Interface, InterfaceKind, Topology},
};

/// Addresses that AWS keeps of each subnet (docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html).
const KEPT: u64 = 5;
/// Addresses of a delegated prefix.
const PREFIX: u64 = 16;

/// IPv4 addresses of a subnet.
#[derive(Clone, Debug)]
pub struct SubnetRow {
    /// The subnet.
    pub subnet: Id,
    /// Whose nodes or pods are there.
    pub nodes_of: BTreeSet<NodesOf>,
    /// Addresses that there are, without those that AWS keeps.
    pub addresses: Amount,
    /// Free ones.
    pub free: Fact<u64>,
    /// Those that are free or that this cluster's nodes and pods have.
    pub available: Amount,
    /// What nodes hold for themselves and for pods that share their interfaces: at most when their interfaces are full.
    pub held: Amount,
    /// What pods want that have interfaces of their own, branch ones and Fargate's.
    pub wanted: Amount,
    /// The same during an update of the largest workload: its surge, and its old interfaces in cool-down.
    pub updating: Amount,
    /// What is left when all pods run.
    pub left: Amount,
}

/// Where Fargate's pods are.
pub(super) fn fargate(cluster: &Cluster) -> BTreeSet<&Id> {
    cluster.fargate_profiles.values().flat_map(|it| &it.subnets).collect()
}

/// The subnets of a cluster's nodes and pods.
pub(super) fn rows(scene: &Scene<'_>) -> Vec<SubnetRow> {
    let places = scene.pools.iter().flat_map(|it| [&it.subnet, &it.pod_subnet]).flatten();
    let ids: BTreeSet<&Id> = places.chain(fargate(scene.cluster)).collect();
    ids.into_iter().map(|id| row(scene, id)).collect()
}

fn row(scene: &Scene<'_>, id: &Id) -> SubnetRow {
    let (pools, wanted) = (&scene.pools, &scene.wanted);
    let subnet = scene.topology.subnets.get(id);
    let addresses = match subnet.and_then(|it| it.blocks.known()) {
        None => Amount::unknown(format!("the block of subnet {id} is not known")),
        Some(blocks) => {
            let v4 = blocks.iter().filter(|block| Family::of_block(block) == Family::V4);
            let size = v4.map(|block| 1_u64 << (32 - u32::from(block.prefix_len()).min(32))).max();
            size.unwrap_or(0).saturating_sub(KEPT).into()
        }
    };
    let free = subnet.map_or(Fact::Unknown, |it| it.free_addresses);
    let available = available(scene.topology, &scene.ours, id, &addresses, free);
    let here: BTreeSet<usize> = (0..pools.len()).filter(|pool| pools[*pool].pod_subnet.as_ref() == Some(id)).collect();
    let held = held(pools, id, &wanted.taken(pools, &here, Takes::Address));
    let of_fargate = wanted_by_fargate(scene.cluster, wanted, id);
    let pods = wanted.taken(pools, &here, Takes::Branch).plus(&of_fargate);
    SubnetRow {
        subnet: id.clone(),
        nodes_of: here.iter().map(|pool| pools[*pool].owner.clone()).collect(),
        left: available.minus(&held).minus(&pods),
        updating: pods.plus(&churn(wanted, &here)),
        wanted: pods,
        addresses,
        free,
        available,
        held,
    }
}

/// What this cluster may have: what is free and what it has, or, of a subnet that nobody looked at, all that others do not have.
fn available(topology: &Topology, ours: &BTreeSet<Id>, id: &Id, addresses: &Amount, free: Fact<u64>) -> Amount {
    let here = || topology.interfaces.iter().filter(|(_, it)| it.subnet == *id);
    let taken = |is_ours: bool| -> u64 {
        here().filter(|(id, _)| ours.contains(*id) == is_ours).map(|(_, it)| taken_by(it)).sum()
    };
    match free {
        Fact::Known(free) => (free + taken(true)).into(),
        Fact::Unknown => addresses.minus(&taken(false).into()),
    }
}

/// The interfaces of a cluster's nodes and of its pods.
pub(super) fn interfaces_of(topology: &Topology, cluster: &Cluster) -> BTreeSet<Id> {
    let instances: BTreeSet<&Id> = cluster.nodes.values().filter_map(|node| node.instance.as_ref()).collect();
    let branches: BTreeSet<&Id> = cluster.pods.values().filter_map(|pod| pod.branch.as_ref()).collect();
    let of_fargate: BTreeSet<&IpAddr> =
        cluster.pods.values().filter(|pod| pod.is_fargate).flat_map(|pod| &pod.addresses).collect();
    let is_ours = |id: &Id, it: &Interface| match it.kind {
        InterfaceKind::Node | InterfaceKind::Trunk | InterfaceKind::Branch => {
            branches.contains(id) || it.instance.as_ref().is_some_and(|instance| instances.contains(instance))
        }
        InterfaceKind::Fargate => it.addresses.iter().any(|address| of_fargate.contains(address)),
        _ => false,
    };
    topology.interfaces.iter().filter(|(id, it)| is_ours(id, it)).map(|(id, _)| id.clone()).collect()
}

/// IPv4 addresses that an interface takes of its subnet.
fn taken_by(interface: &Interface) -> u64 {
    let addresses = interface.addresses.iter().filter(|it| it.is_ipv4()).count() as u64;
    let prefixes = interface.prefixes.iter().filter(|it| Family::of_block(it) == Family::V4).count() as u64;
    addresses + prefixes * PREFIX
}

/// What nodes hold in a subnet: at least what pods that share their interfaces take, unless that is more than they can hold.
pub(super) fn held(pools: &[Pool], id: &Id, shared: &Amount) -> Amount {
    let is_here = |subnet: &Option<Id>| subnet.as_ref() == Some(id);
    let of_nodes = pools.iter().filter(|it| is_here(&it.subnet)).map(|it| it.nodes.times(&it.shape.held));
    let of_pods = pools.iter().filter(|it| is_here(&it.pod_subnet)).map(|it| it.nodes.times(&it.shape.held_for_pods));
    let (of_nodes, of_pods): (Amount, Amount) = (of_nodes.sum(), of_pods.sum());
    let at_least = of_nodes.plus(&of_pods).plus(&shared.least().into()).least();
    let full = of_nodes.plus(&of_pods);
    full.max(&full.most().map_or(at_least, |most| at_least.min(most)).into())
}

/// Pods of Fargate in a subnet: all of them when they have no other one.
fn wanted_by_fargate(cluster: &Cluster, wanted: &Wanted, id: &Id) -> Amount {
    let subnets = fargate(cluster);
    let pods: Amount = wanted.demands.iter().filter(|it| it.needs == Needs::Fargate).map(Demand::wanted).sum();
    match (subnets.contains(id), subnets.len()) {
        (false, _) => 0_u64.into(),
        (true, 1) => pods,
        (true, _) => Amount::exactly(0).or(&pods),
    }
}

/// What an update takes more: the surge, and an interface in cool-down for each pod that went.
fn churn(wanted: &Wanted, here: &BTreeSet<usize>) -> Amount {
    let of = |it: &Demand| it.as_far(Takes::Branch, it.surge_in(here).plus(&it.wanted_in(here)));
    largest(wanted.demands.iter().map(of))
}
