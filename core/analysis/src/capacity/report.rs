//! The table of a cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Amount, Facts, Maker, NodeShape, Nodes, NodesOf, Note, QuotaRow, Resource, Room, SubnetRow,
    demand::{Class, Demand, Needs, Places, Takes},
    fit::{Scene, everywhere},
    usage,
};
use crate::{
    limits,
    topology::{Fact, Id, Interface, InterfaceKind, Pod, Topology},
};

/// How much room a cluster has.
#[derive(Clone, Debug)]
pub struct Report {
    /// A row for each group of nodes, by name.
    pub nodes: Vec<NodesRow>,
    /// A row for each subnet that nodes or pods are in, by id.
    pub subnets: Vec<SubnetRow>,
    /// Quotas.
    pub quotas: Vec<QuotaRow>,
    /// Room for pods with branch interfaces, wherever they may go.
    pub branches: Room,
    /// Updates of workloads whose pods have branch interfaces.
    pub updates: Vec<Update>,
    /// What is not known, each once.
    pub unknown: Vec<String>,
    /// The release of the controller whose table counts, and when it was generated.
    pub table: (String, &'static str),
}

/// A group of nodes.
#[derive(Clone, Debug)]
pub struct NodesRow {
    /// Whose nodes.
    pub nodes_of: NodesOf,
    /// The types that they have or may have.
    pub instance_types: Vec<String>,
    /// How many there are or will be.
    pub nodes: Amount,
    /// How many there may be at most: a node group's `max_size`.
    pub nodes_most: Option<Amount>,
    /// Interfaces that they can have, without branch ones; one of each node's may be its trunk.
    pub interfaces: Amount,
    /// Trunks.
    pub trunks: Amount,
    /// Branch interfaces.
    pub branches: Use,
    /// Pods, those on the host's network too.
    pub pods: Use,
    /// Addresses of nodes' interfaces, for pods that have none of their own.
    pub addresses: Use,
    /// Branch interfaces in cool-down: they count, and their pods are gone.
    pub cooling: Amount,
    /// Room for pods with branch interfaces on these nodes.
    pub room: Room,
    /// What a person should know of the types.
    pub notes: Vec<Note>,
}

/// What there is of something, and who takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// How much there is.
    pub capacity: Amount,
    /// How much there is on one node.
    pub per_node: Amount,
    /// How much there is when the group has as many nodes as it may.
    pub capacity_most: Option<Amount>,
    /// How much is taken now.
    pub used: Amount,
    /// How much pods want; a range when they may go elsewhere, too.
    pub wanted: Amount,
    /// The same while the workload with the largest surge is updated.
    pub updating_one: Amount,
    /// The same while all workloads are updated at once.
    pub updating_all: Amount,
}

/// A rolling update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Of which workload.
    pub maker: Maker,
    /// Pods that it wants.
    pub pods: Amount,
    /// Pods that it may have more.
    pub surge: Amount,
    /// Room for them. With less than the surge, new pods wait until old ones go, which `maxUnavailable` decides.
    pub room: Amount,
    /// What is in the way, when there is not room for all of the surge.
    pub first: Vec<Resource>,
    /// Whether it waits for cool-downs: there is no room for the surge and for the interface of each pod that goes.
    pub waits: Fact<bool>,
}

/// Makes the table; `None` when there is no such cluster.
pub fn report(topology: &Topology, cluster: &Id, facts: &Facts) -> Option<Report> {
    let scene = Scene::of(topology, topology.clusters.get(cluster)?, facts, Nodes::Wanted);
    let most = Scene::of(topology, scene.cluster, facts, Nodes::Most);
    let owners: BTreeSet<&NodesOf> = scene.pools.iter().map(|it| &it.owner).collect();
    Some(Report {
        nodes: owners.into_iter().map(|owner| nodes_row(&scene, &most, owner)).collect(),
        subnets: scene.subnets.clone(),
        quotas: usage::rows(&scene),
        branches: scene.room(Needs::Branch, &everywhere(&scene)),
        updates: updates(&scene),
        unknown: scene.why(),
        table: table(facts),
    })
}

fn table(facts: &Facts) -> (String, &'static str) {
    let told =
        facts.controller.known().and_then(|it| limits::Table::of_controller(it).map(|table| (it.clone(), table)));
    told.map_or_else(
        || (limits::SOURCE.version.to_owned(), limits::SOURCE.date),
        |(version, table)| (version, table.generated),
    )
}

fn nodes_row(scene: &Scene<'_>, most: &Scene<'_>, owner: &NodesOf) -> NodesRow {
    let pools = scene.pools_of(owner);
    let nodes = |scene: &Scene<'_>| scene.pools_of(owner).iter().map(|it| scene.pools[*it].nodes.clone()).sum();
    let places = Places { surely: pools.clone(), perhaps: BTreeSet::new() };
    let all = |of: fn(&NodeShape) -> &Amount| {
        pools.iter().map(|it| scene.pools[*it].nodes.times(of(&scene.pools[*it].shape))).sum::<Amount>()
    };
    let row = |takes| use_of(scene, most, owner, takes);
    let mut notes: Vec<Note> = pools.iter().flat_map(|it| scene.pools[*it].shape.notes.clone()).collect();
    notes.sort();
    notes.dedup();
    NodesRow {
        nodes_of: owner.clone(),
        instance_types: instance_types(scene, owner, &pools),
        nodes: nodes(scene),
        nodes_most: matches!(owner, NodesOf::Group(_)).then(|| nodes(most)),
        interfaces: all(|it| &it.interfaces),
        trunks: all(|it| &it.trunks),
        branches: row(Takes::Branch),
        pods: row(Takes::Place),
        addresses: row(Takes::Address),
        cooling: interfaces_used(scene, &pools).minus(&pods_used(scene, &pools, Takes::Branch)),
        room: scene.room(Needs::Branch, &places),
        notes,
    }
}

fn instance_types(scene: &Scene<'_>, owner: &NodesOf, pools: &BTreeSet<usize>) -> Vec<String> {
    let running = pools.iter().flat_map(|it| &scene.pools[*it].running);
    let of_nodes = running.filter_map(|name| scene.cluster.nodes.get(name)?.instance_type.clone());
    let mut types: BTreeSet<String> = of_nodes.collect();
    if let NodesOf::Group(name) = owner {
        let group = scene.cluster.node_groups.get(name);
        types.extend(group.and_then(|it| it.instance_types.known()).into_iter().flatten().cloned());
    }
    types.into_iter().collect()
}

fn use_of(scene: &Scene<'_>, most: &Scene<'_>, owner: &NodesOf, what: Takes) -> Use {
    let pools = scene.pools_of(owner);
    let wanted = scene.wanted.taken(&scene.pools, &pools, what);
    let (one, all) = scene.wanted.surges(&pools, what);
    let each = pools.iter().map(|it| per_node(scene, *it, what));
    Use {
        capacity: capacity(scene, &pools, what),
        per_node: each.reduce(|one, other| one.or(&other)).unwrap_or_else(|| 0_u64.into()),
        capacity_most: matches!(owner, NodesOf::Group(_)).then(|| capacity(most, &most.pools_of(owner), what)),
        used: if what == Takes::Branch {
            pods_used(scene, &pools, what).max(&interfaces_used(scene, &pools))
        } else {
            pods_used(scene, &pools, what)
        },
        updating_one: wanted.plus(&one),
        updating_all: wanted.plus(&all),
        wanted,
    }
}

fn per_node(scene: &Scene<'_>, pool: usize, what: Takes) -> Amount {
    let shape = &scene.pools[pool].shape;
    match what {
        Takes::Branch => shape.branches.clone(),
        Takes::Address => shape.addresses.clone(),
        Takes::Place => shape.max_pods.clone(),
    }
}

fn capacity(scene: &Scene<'_>, pools: &BTreeSet<usize>, what: Takes) -> Amount {
    pools.iter().map(|it| scene.pools[*it].nodes.times(&per_node(scene, *it, what))).sum()
}

/// What pods that run take now.
fn pods_used(scene: &Scene<'_>, pools: &BTreeSet<usize>, what: Takes) -> Amount {
    let running: BTreeSet<&String> = pools.iter().flat_map(|it| &scene.pools[*it].running).collect();
    let is_here = |pod: &&Pod| {
        pod.phase != "Succeeded" && pod.phase != "Failed" && pod.node.as_ref().is_some_and(|it| running.contains(it))
    };
    let takes = |pod: &&Pod| match what {
        Takes::Place => true,
        Takes::Branch => pod.branch.is_some(),
        Takes::Address => pod.branch.is_none() && !pod.template.is_host_network,
    };
    let pods = scene.cluster.pods.values().filter(is_here).filter(takes).count() as u64;
    match (running.is_empty(), scene.cluster.is_complete) {
        (true, _) | (_, true) => pods.into(),
        (false, false) => Amount::at_least(pods, "not all pods of the cluster are known"),
    }
}

/// Branch interfaces of nodes that run, as EC2 has them: those in cool-down, too, when it says whose they are.
fn interfaces_used(scene: &Scene<'_>, pools: &BTreeSet<usize>) -> Amount {
    let running = pools.iter().flat_map(|it| &scene.pools[*it].running);
    let instances: BTreeSet<&Id> =
        running.filter_map(|name| scene.cluster.nodes.get(name)?.instance.as_ref()).collect();
    let branches = scene.topology.interfaces.values().filter(|it| it.kind == InterfaceKind::Branch);
    let is_here = |it: &&Interface| it.instance.as_ref().is_some_and(|id| instances.contains(id));
    (branches.filter(is_here).count() as u64).into()
}

/// Updates of workloads with branch interfaces that have a surge, or may have one.
fn updates(scene: &Scene<'_>) -> Vec<Update> {
    let mut rooms: BTreeMap<Class, Room> = BTreeMap::new();
    let has_update =
        |it: &&Demand| matches!(it.needs, Needs::Branch | Needs::BranchOrAddress) && it.surge.most() != Some(0);
    let update = |demand: &Demand| {
        let class = demand.class();
        let room = rooms.entry(class).or_insert_with_key(|(needs, places)| scene.room(*needs, places));
        let pods = demand.wanted();
        let fits = is_enough(&room.more, &demand.surge);
        Update {
            maker: demand.maker.clone(),
            surge: demand.surge.clone(),
            room: room.more.clone(),
            first: if fits == Fact::Known(true) { Vec::new() } else { room.first.clone() },
            waits: is_enough(&room.more, &demand.surge.plus(&pods)).map(|it| !it),
            pods,
        }
    };
    scene.wanted.demands.iter().filter(has_update).map(update).collect()
}

/// Whether there is enough in every case, or in none.
pub(super) fn is_enough(room: &Amount, wanted: &Amount) -> Fact<bool> {
    match (wanted.most(), room.most()) {
        (Some(wanted), _) if room.least() >= wanted => Fact::Known(true),
        (_, Some(room)) if room < wanted.least() => Fact::Known(false),
        _ => Fact::Unknown,
    }
}
