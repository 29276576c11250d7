//! Pods and nodes that will run, wherever that will be.

use std::collections::BTreeSet;

use super::{End, HostSide, Public, Wire};
use crate::{
    matching::{self, Attachment},
    reach::end::Guest,
    sets::AddressSet,
    topology::{Cluster, Fact, Id, NodeGroup, PodTemplate, SecurityGroupPolicy, Topology},
};

/// Pods of a template, wherever they will run: one end for each kind of node that may take them.
pub fn of_template(
    topology: &Topology,
    cluster_id: &Id,
    namespace: &str,
    name: &str,
    template: &PodTemplate,
) -> Vec<End> {
    let Some(cluster) = topology.clusters.get(cluster_id) else { return Vec::new() };
    let membership = matching::membership(cluster, namespace, template);
    let pod = Some((namespace.to_owned(), template.clone()));
    ends(topology, cluster_id, cluster, &format!("{namespace}/{name}"), pod, &membership.attachment, template)
}

/// The pods that a policy gives its groups, when nothing says which they are.
pub fn of_policy(
    topology: &Topology,
    cluster_id: &Id,
    namespace: &str,
    name: &str,
    policy: &SecurityGroupPolicy,
) -> Vec<End> {
    let Some(cluster) = topology.clusters.get(cluster_id) else { return Vec::new() };
    // Their other labels are not known, and their ports neither.
    let template = PodTemplate { labels: Fact::Unknown, ..PodTemplate::default() };
    let attachment = Attachment::Branch(policy.groups.clone());
    let pod = Some((namespace.to_owned(), template.clone()));
    ends(topology, cluster_id, cluster, &format!("{namespace}/{name}"), pod, &attachment, &template)
}

/// The nodes of a node group.
pub fn of_node_group(topology: &Topology, cluster_id: &Id, name: &Id, group: &NodeGroup) -> End {
    let host = host_of_group(topology, group);
    let guest = Guest { cluster: cluster_id.clone(), node: Fact::Unknown, pod: None };
    let vpc = topology.clusters.get(cluster_id).map_or(Fact::Unknown, |it| it.vpc.clone());
    // Where EKS makes the name out of a prefix the address says more than a symbol.
    let shown = group.managed_by.as_ref().filter(|_| name.is_symbolic()).map(ToString::to_string);
    End {
        name: format!("nodes {}", shown.unwrap_or_else(|| name.to_string())),
        wire: Wire::Host,
        addresses: host.addresses,
        subnets: host.subnets,
        groups: host.groups,
        public: host.public,
        vpc,
        guest: Some(guest),
        ..End::internet()
    }
}

fn host_of_group(topology: &Topology, group: &NodeGroup) -> HostSide {
    HostSide {
        addresses: blocks_of(topology, &group.subnets),
        subnets: group.subnets.clone(),
        groups: group.groups.clone(),
        public: public_in(topology, &group.subnets),
    }
}

/// All addresses of subnets; none when one of them is not known.
fn blocks_of(topology: &Topology, subnets: &[Id]) -> AddressSet {
    let blocks: Option<Vec<_>> =
        subnets.iter().map(|id| topology.subnets.get(id).and_then(|subnet| subnet.blocks.known())).collect();
    blocks.into_iter().flatten().flatten().collect()
}

fn public_in(topology: &Topology, subnets: &[Id]) -> Public {
    let told = |id: &Id| topology.subnets.get(id).and_then(|it| it.gives_public_addresses.known().copied());
    let all: Option<Vec<bool>> = subnets.iter().map(told).collect();
    match all {
        Some(all) if !all.is_empty() && all.iter().all(|it| *it) => Public::Yes,
        Some(all) if !all.is_empty() && !all.iter().any(|it| *it) => Public::No,
        _ => Public::Unknown,
    }
}

fn ends(
    topology: &Topology,
    cluster_id: &Id,
    cluster: &Cluster,
    name: &str,
    pod: Option<(String, PodTemplate)>,
    attachment: &Attachment,
    template: &PodTemplate,
) -> Vec<End> {
    let guest = Guest { cluster: cluster_id.clone(), node: Fact::Unknown, pod };
    let base = End { name: name.to_owned(), vpc: cluster.vpc.clone(), guest: Some(guest), ..End::internet() };
    if let Attachment::Fargate(groups) = attachment {
        let subnets: BTreeSet<Id> = cluster.fargate_profiles.values().flat_map(|it| it.subnets.clone()).collect();
        let subnets: Vec<Id> = subnets.into_iter().collect();
        let addresses = blocks_of(topology, &subnets);
        let groups = groups.clone();
        return vec![End { wire: Wire::Fargate, groups, addresses, subnets, public: Public::No, ..base }];
    }
    let hosts = hosts(topology, cluster, template);
    let on = |host: HostSide| {
        let (addresses, subnets) = (host.addresses.clone(), host.subnets.clone());
        let end = End { addresses, subnets, host: Some(Box::new(host.clone())), ..base.clone() };
        match attachment {
            Attachment::Host => End { wire: Wire::Host, groups: host.groups, public: host.public, ..end },
            Attachment::Shared(_) => End { wire: Wire::Shared, groups: host.groups, public: Public::No, ..end },
            Attachment::BranchOfNode => End { wire: Wire::Branch, groups: host.groups, public: Public::No, ..end },
            Attachment::Branch(groups) => End { wire: Wire::Branch, groups: groups.clone(), public: Public::No, ..end },
            Attachment::Fargate(_) | Attachment::Denied(_) | Attachment::Unknown(_) => {
                End { wire: Wire::Shared, groups: Fact::Unknown, public: Public::Unknown, ..end }
            }
        }
    };
    let mut ends: Vec<End> = Vec::new();
    for end in hosts.into_iter().map(on) {
        // Nodes that differ in nothing that counts are one case.
        let is_like = |known: &End| {
            known.groups == end.groups
                && known.subnets == end.subnets
                && known.host.as_ref().map(|it| &it.groups) == end.host.as_ref().map(|it| &it.groups)
        };
        if !ends.iter().any(is_like) {
            ends.push(end);
        }
    }
    ends
}

/// Where pods of a template may run.
fn hosts(topology: &Topology, cluster: &Cluster, template: &PodTemplate) -> Vec<HostSide> {
    let fits = |group: &&NodeGroup| {
        template.node_selector.iter().all(|(key, value)| group.labels.get(key).is_none_or(|it| it == value))
    };
    let hosts: Vec<HostSide> =
        cluster.node_groups.values().filter(fits).map(|it| host_of_group(topology, it)).collect();
    if hosts.is_empty() {
        // Nodes that nobody told of: Karpenter's, self-managed ones.
        let unknown = HostSide {
            addresses: AddressSet::none(),
            subnets: Vec::new(),
            groups: Fact::Unknown,
            public: Public::Unknown,
        };
        return vec![unknown];
    }
    hosts
}

/// The interfaces of a cluster's control plane.
pub fn of_control_plane(topology: &Topology, cluster_id: &Id) -> Option<End> {
    let cluster = topology.clusters.get(cluster_id)?;
    let groups = cluster
        .group
        .clone()
        .map(|group| std::iter::once(group).chain(cluster.further_groups.iter().cloned()).collect());
    Some(End {
        name: format!("control plane of {cluster_id}"),
        wire: Wire::Plain,
        addresses: blocks_of(topology, &cluster.subnets),
        subnets: cluster.subnets.clone(),
        groups,
        vpc: cluster.vpc.clone(),
        public: Public::No,
        ..End::internet()
    })
}
