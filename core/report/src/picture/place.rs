//! Where an actor is.

use std::collections::BTreeSet;

use sgp_analysis::{
    reach::{End, Party, PartyKind, ends},
    topology::{Cluster, Id, Topology},
};

/// The label that EKS puts on the nodes of a node group.
const NODE_GROUP_LABEL: &str = "eks.amazonaws.com/nodegroup";

/// The outermost box.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Outside of the VPCs: addresses.
    Outside,
    /// A VPC.
    Vpc(Id),
    /// Nobody told.
    Nowhere,
}

/// Where an actor is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The outermost box.
    pub area: Area,
    /// The subnets it may be in; none when nobody told.
    pub subnets: Vec<Id>,
    /// The cluster it is of.
    pub cluster: Option<Id>,
    /// The node group that it runs on, where there is only one that it can be.
    pub node_group: Option<Id>,
}

impl Place {
    /// The place of a party in a topology.
    pub fn of(topology: &Topology, party: &Party) -> Self {
        let cluster = cluster_of(topology, party);
        let area = match party.kind {
            PartyKind::Anywhere | PartyKind::Block => Area::Outside,
            _ => party.ends.iter().find_map(|end| end.vpc.known().cloned()).map_or(Area::Nowhere, Area::Vpc),
        };
        let is_inside = matches!(area, Area::Vpc(_));
        let subnets: BTreeSet<Id> =
            party.ends.iter().filter(|_| is_inside).flat_map(|end| end.subnets.clone()).collect();
        let known = cluster.as_ref().and_then(|id| topology.clusters.get(id).map(|it| (id, it)));
        let node_group = known.filter(|_| party.kind == PartyKind::Pods);
        let node_group = node_group.and_then(|(id, cluster)| node_group_of(topology, id, cluster, party));
        Self { area, subnets: subnets.into_iter().collect(), cluster, node_group }
    }
}

fn cluster_of(topology: &Topology, party: &Party) -> Option<Id> {
    let guest = party.ends.iter().find_map(|end| end.guest.as_ref()).map(|guest| guest.cluster.clone());
    guest.or_else(|| {
        let is_its = |id: &&Id| ends::of_control_plane(topology, id).is_some_and(|end| end.name == party.name);
        topology.clusters.keys().find(is_its).filter(|_| party.kind == PartyKind::ControlPlane).cloned()
    })
}

/// The one node group that all ends may be on, when there is one.
fn node_group_of(topology: &Topology, id: &Id, cluster: &Cluster, party: &Party) -> Option<Id> {
    let mut found: BTreeSet<Id> = BTreeSet::new();
    for end in &party.ends {
        match node_of(cluster, end) {
            Some(node) => found.insert(Id::from(node.as_str())),
            None => {
                let host = end.host.as_ref()?;
                let is_it = |(name, group): &(&Id, &_)| {
                    let nodes = ends::of_node_group(topology, id, name, group);
                    nodes.subnets == host.subnets && nodes.groups == host.groups
                };
                let mut groups = cluster.node_groups.iter().filter(is_it).map(|(name, _)| name.clone());
                let first = groups.next()?;
                if groups.next().is_some() {
                    return None;
                }
                found.insert(first)
            }
        };
    }
    if found.len() == 1 { found.pop_first().filter(|it| cluster.node_groups.contains_key(it)) } else { None }
}

/// The node group of the node that an end runs on.
fn node_of(cluster: &Cluster, end: &End) -> Option<String> {
    let node = end.guest.as_ref()?.node.known()?;
    cluster.nodes.get(node)?.labels.get(NODE_GROUP_LABEL).cloned()
}

/// How many known nodes a node group has.
pub fn nodes_of(cluster: &Cluster, group: &str) -> usize {
    cluster.nodes.values().filter(|node| node.labels.get(NODE_GROUP_LABEL).is_some_and(|it| it == group)).count()
}
