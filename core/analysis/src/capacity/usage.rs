//! What counts against quotas.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Amount, Quota,
    demand::{Demand, Needs, Takes},
    fit::Scene,
    pools::Pool,
};
use crate::{
    matching::{Attachment, membership},
    sets::Family,
    topology::{Direction, Group, Id, InterfaceKind, Peer, Rule, Topology},
};

/// What counts against a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRow {
    /// The quota.
    pub quota: Quota,
    /// Its value.
    pub limit: u64,
    /// How much is there, as far as it was looked at.
    pub used: Amount,
    /// How much there will be when all pods run.
    pub wanted: Amount,
    /// The object with the most, of quotas that are per object.
    pub of: Option<String>,
}

impl QuotaRow {
    /// Whether more is wanted than there may be, in every case.
    pub fn is_exceeded(&self) -> bool {
        self.wanted.least() > self.limit
    }
}

/// Units of network address usage of what has more than one (docs.aws.amazon.com/vpc/latest/userguide/network-address-usage.html).
const USAGE_OF_GATEWAYS: u64 = 6;

pub(super) fn rows(scene: &Scene<'_>) -> Vec<QuotaRow> {
    let quotas = &scene.facts.quotas;
    let groups = scene.topology.groups.len() as u64;
    let (rules_of, rules) = most_rules(scene.topology);
    let (groups_of, groups_each, rules_each) = most_groups(scene);
    let mut rows = vec![
        QuotaRow {
            quota: Quota::Interfaces,
            limit: quotas.interfaces,
            used: (scene.topology.interfaces.len() as u64).into(),
            wanted: interfaces(scene),
            of: None,
        },
        row(Quota::Groups, quotas.groups, groups, None),
        row(Quota::RulesPerGroup, quotas.rules_per_group, rules, rules_of),
        row(Quota::GroupsPerInterface, quotas.groups_per_interface, groups_each, groups_of.clone()),
        row(Quota::RulesPerInterface, quotas.rules_per_interface, rules_each, groups_of),
    ];
    if let Some(vpc) = scene.cluster.vpc.known() {
        rows.push(address_usage(scene, vpc));
    }
    rows
}

fn row(quota: Quota, limit: u64, used: u64, of: Option<String>) -> QuotaRow {
    QuotaRow { quota, limit, used: used.into(), wanted: used.into(), of }
}

/// Interfaces that others have, and nodes: at least the first one and the trunk, at most all that they can have.
fn interfaces_beside_pods(scene: &Scene<'_>) -> Amount {
    let others = scene.topology.interfaces.keys().filter(|id| !scene.ours.contains(*id)).count() as u64;
    let of_pool = |pool: &Pool| {
        let shape = &pool.shape;
        pool.nodes.times(&shape.trunks.plus(&1_u64.into()).or(&shape.interfaces.max(&1_u64.into())))
    };
    scene.pools.iter().map(of_pool).sum::<Amount>().plus(&others.into())
}

/// Interfaces that the quota leaves for branch interfaces. Nodes without number count for what they surely have: the quota is
/// far, and what is not known of some nodes must not hide what is known of others.
pub(super) fn interfaces_for_pods(scene: &Scene<'_>) -> Amount {
    let surely = |it: Amount| if it.most().is_none() { it.least().into() } else { it };
    let others = surely(interfaces_beside_pods(scene)).plus(&surely(of_fargate(scene)));
    Amount::exactly(scene.facts.quotas.interfaces).minus(&others)
}

fn of_fargate(scene: &Scene<'_>) -> Amount {
    scene.wanted.demands.iter().filter(|it| it.needs == Needs::Fargate).map(Demand::wanted).sum()
}

fn interfaces(scene: &Scene<'_>) -> Amount {
    let all: BTreeSet<usize> = (0..scene.pools.len()).collect();
    let branches = scene.wanted.taken(&scene.pools, &all, Takes::Branch);
    interfaces_beside_pods(scene).plus(&branches).plus(&of_fargate(scene))
}

/// The group with the most rules one way and of one family.
fn most_rules(topology: &Topology) -> (Option<String>, u64) {
    let counts = topology.groups.values().map(|group| (Some(group.name.clone()), rules(topology, group)));
    counts.max_by_key(|(_, rules)| *rules).unwrap_or_default()
}

/// Rules of a group, the larger number of both ways and families.
fn rules(topology: &Topology, group: &Group) -> u64 {
    let mut counts: BTreeMap<(bool, Family), u64> = BTreeMap::new();
    for rule in &group.rules {
        for (family, weight) in weights(topology, rule) {
            *counts.entry((rule.direction == Direction::Ingress, family)).or_default() += weight;
        }
    }
    counts.into_values().max().unwrap_or(0)
}

/// What a rule counts: a prefix list all entries that it may have, a group one of both families.
fn weights(topology: &Topology, rule: &Rule) -> Vec<(Family, u64)> {
    match &rule.peer {
        Peer::Block(block) => vec![(Family::of_block(block), 1)],
        Peer::Group(_) | Peer::Unknown => vec![(Family::V4, 1), (Family::V6, 1)],
        Peer::PrefixList(id) => {
            let list = topology.prefix_lists.get(id);
            let most = list.and_then(|it| it.max_entries).unwrap_or(1).into();
            let blocks = list.and_then(|it| it.blocks.known());
            let family = blocks.and_then(|it| it.first()).map_or(Family::V4, Family::of_block);
            vec![(family, most)]
        }
    }
}

/// The pods with the most groups: who, how many groups, how many rules in all.
fn most_groups(scene: &Scene<'_>) -> (Option<String>, u64, u64) {
    let mut most = (None, 0, 0);
    for ((namespace, kind, name), workload) in &scene.cluster.workloads {
        let attachment = membership(scene.cluster, namespace, &workload.template).attachment;
        let (Attachment::Branch(groups) | Attachment::Fargate(groups)) = attachment else { continue };
        let Some(groups) = groups.known() else { continue };
        let rules_of = |id: &Id| scene.topology.groups.get(id).map_or(0, |group| rules(scene.topology, group));
        let each = (groups.len() as u64, groups.iter().map(rules_of).sum());
        if each > (most.1, most.2) {
            most = (Some(format!("{kind} {namespace}/{name}")), each.0, each.1);
        }
    }
    most
}

/// Addresses and prefixes of interfaces count one, gateways and endpoints more. What nobody looked at may come on top.
fn address_usage(scene: &Scene<'_>, vpc: &Id) -> QuotaRow {
    let units = |kind: InterfaceKind, each: u64| match kind {
        InterfaceKind::NatGateway | InterfaceKind::Endpoint | InterfaceKind::LoadBalancer => USAGE_OF_GATEWAYS,
        _ => each,
    };
    let of_vpc = || scene.topology.interfaces.iter().filter(|(_, it)| it.vpc == *vpc);
    let usage = |it: &crate::topology::Interface| units(it.kind, (it.addresses.len() + it.prefixes.len()) as u64);
    let used: u64 = of_vpc().map(|(_, it)| usage(it)).sum();
    let others: u64 = of_vpc().filter(|(id, _)| !scene.ours.contains(*id)).map(|(_, it)| usage(it)).sum();
    let of_subnets = scene.subnets.iter().map(|it| it.held.plus(&it.wanted));
    let wanted = of_subnets.sum::<Amount>().plus(&others.into());
    QuotaRow {
        quota: Quota::AddressUsage,
        limit: scene.facts.quotas.address_usage,
        used: used.into(),
        wanted,
        of: Some(vpc.to_string()),
    }
}
