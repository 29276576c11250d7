//! The ends that a topology has.

mod live;
mod names;
mod planned;

use std::net::IpAddr;

pub use live::{of_node, of_pod};
pub use names::{Forward, Found, find, of_workload};
pub use planned::{of_control_plane, of_node_group, of_policy, of_template};

use super::end::{End, Guest, HostSide, Public, Wire};
use crate::{
    sets::AddressSet,
    topology::{Cluster, Fact, Id, Interface, InterfaceKind, Topology},
};

impl End {
    /// The internet.
    pub fn internet() -> Self {
        Self::outside("internet", AddressSet::internet())
    }

    /// Addresses that no interface of the model has.
    pub fn outside(name: impl Into<String>, addresses: AddressSet) -> Self {
        Self {
            name: name.into(),
            wire: Wire::Outside,
            addresses,
            vpc: Fact::Unknown,
            subnets: Vec::new(),
            groups: Fact::Known(Vec::new()),
            public: Public::Unknown,
            guest: None,
            host: None,
            is_in_use: true,
            relay: None,
        }
    }

    /// Whatever carries a group: where its interfaces are is not known.
    pub fn carrying(topology: &Topology, group: &Id) -> Self {
        let known = topology.groups.get(group);
        let vpc = known.map_or(Fact::Unknown, |it| it.vpc.clone());
        let addresses = vpc.known().and_then(|vpc| topology.vpc_addresses(vpc)).unwrap_or_default();
        Self {
            name: known.map_or_else(|| group.to_string(), |it| it.name.clone()),
            wire: Wire::Plain,
            addresses,
            vpc,
            groups: Fact::Known(vec![group.clone()]),
            ..Self::internet()
        }
    }

    /// An interface that is no pod's.
    pub fn of_interface(id: &Id, interface: &Interface) -> Self {
        let name = match interface.description.as_str() {
            "" => id.to_string(),
            description => format!("{id} ({description})"),
        };
        Self {
            name,
            wire: Wire::Plain,
            addresses: addresses(interface),
            vpc: Fact::Known(interface.vpc.clone()),
            subnets: vec![interface.subnet.clone()],
            groups: Fact::Known(interface.groups.clone()),
            public: public(interface),
            guest: None,
            host: None,
            is_in_use: interface.is_in_use,
            relay: None,
        }
    }
}

fn addresses(interface: &Interface) -> AddressSet {
    let single = interface.addresses.iter().map(|address| ipnet::IpNet::from(*address));
    single.chain(interface.prefixes.iter().copied()).collect()
}

fn public(interface: &Interface) -> Public {
    if interface.public.is_empty() { Public::No } else { Public::Yes }
}

/// Whether a public address stands for one of an interface's addresses.
fn public_of(interface: &Interface, own: &[IpAddr]) -> Public {
    let is_public = interface.public.iter().any(|(address, _)| own.contains(address));
    if is_public { Public::Yes } else { Public::No }
}

/// An interface's own addresses, one of each family: the others are for pods.
fn first_addresses(interface: &Interface) -> impl Iterator<Item = IpAddr> + '_ {
    let first = |is_ipv4| interface.addresses.iter().copied().find(move |it| it.is_ipv4() == is_ipv4);
    [true, false].into_iter().filter_map(first)
}

/// The first interface of an instance.
pub fn first_interface<'a>(topology: &'a Topology, instance: &Id) -> Option<(&'a Id, &'a Interface)> {
    topology.interfaces.first_of(instance)
}

/// The interface that has an address, in a VPC or anywhere.
pub fn interface_with<'a>(
    topology: &'a Topology,
    vpc: Option<&Id>,
    address: IpAddr,
) -> Option<(&'a Id, &'a Interface)> {
    topology.interfaces.with_address(address).find(|(_, it)| vpc.is_none_or(|vpc| it.vpc == *vpc))
}

/// Interfaces that carry a group, or whatever will.
pub fn of_group(topology: &Topology, group: &Id) -> Vec<End> {
    let carriers = topology.interfaces.with_group(group).filter(|(_, it)| it.is_in_use);
    let ends: Vec<End> = carriers.map(|(id, it)| of_any_interface(topology, id, it)).collect();
    if ends.is_empty() { vec![End::carrying(topology, group)] } else { ends }
}

/// What has an address.
fn of_address(topology: &Topology, address: IpAddr) -> End {
    if let Some((id, interface)) = interface_with(topology, None, address) {
        let pod = pod_with(topology, interface, address);
        return pod.unwrap_or_else(|| End { addresses: address.into(), ..of_any_interface(topology, id, interface) });
    }
    let in_vpc = topology
        .vpcs
        .iter()
        .find(|(_, vpc)| vpc.blocks.known().is_some_and(|it| it.iter().any(|net| net.contains(&address))));
    match in_vpc {
        // Somebody may have it, and nobody told who; where all interfaces were told, nobody has it.
        Some((id, vpc)) => End {
            wire: Wire::Plain,
            vpc: Fact::Known(id.clone()),
            groups: if vpc.is_complete { Fact::Known(Vec::new()) } else { Fact::Unknown },
            subnets: subnets_with(topology, id, address),
            is_in_use: !vpc.is_complete,
            ..End::outside(address.to_string(), address.into())
        },
        None => End::outside(address.to_string(), address.into()),
    }
}

fn subnets_with(topology: &Topology, vpc: &Id, address: IpAddr) -> Vec<Id> {
    let has = |subnet: &crate::topology::Subnet| {
        subnet.vpc.known() == Some(vpc)
            && subnet.blocks.known().is_some_and(|it| it.iter().any(|net| net.contains(&address)))
    };
    topology.subnets.iter().filter(|(_, subnet)| has(subnet)).map(|(id, _)| id.clone()).collect()
}

/// The pod that has an address of an interface.
fn pod_with(topology: &Topology, interface: &Interface, address: IpAddr) -> Option<End> {
    let of_cluster = |(id, cluster): (&Id, &Cluster)| {
        let has_own = |pod: &crate::topology::Pod| !pod.template.is_host_network && !is_over(&pod.phase);
        let pods = cluster.pods.with_address(address).filter(|(_, pod)| has_own(pod));
        // Two VPCs may have the same addresses.
        let ends = pods.filter_map(|(key, _)| of_pod(topology, id, key));
        ends.into_iter().find(|end| end.vpc.known() == Some(&interface.vpc))
    };
    topology.clusters.iter().find_map(of_cluster)
}

/// Whether a pod has ended, and with it its hold on its address.
pub(crate) fn is_over(phase: &str) -> bool {
    phase == "Succeeded" || phase == "Failed"
}

/// An interface, as the pod or node behind it when there is one.
fn of_any_interface(topology: &Topology, id: &Id, interface: &Interface) -> End {
    for (cluster_id, cluster) in &topology.clusters {
        // What has ended gave its interface back.
        let pod = cluster.pods.with_branch(id).find(|(_, pod)| !is_over(&pod.phase));
        if let Some(end) = pod.and_then(|(key, _)| of_pod(topology, cluster_id, key)) {
            return end;
        }
    }
    if let Some(end) = first_addresses(interface).find_map(|address| pod_with(topology, interface, address)) {
        return end;
    }
    let of_node = |(cluster_id, cluster): (&Id, &Cluster)| {
        let is_its = |instance: &Option<Id>| instance.is_some() && *instance == interface.instance;
        let (name, _) = cluster.nodes.iter().find(|(_, node)| is_its(&node.instance))?;
        let (primary, _) = first_interface(topology, interface.instance.as_ref()?)?;
        if primary == id {
            return of_node(topology, cluster_id, name);
        }
        // One more of the node's: its first addresses are the node's, the others are for pods.
        let guest = Guest { cluster: cluster_id.clone(), node: Fact::Known(name.clone()), pod: None };
        let addresses = first_addresses(interface).map(ipnet::IpNet::from).collect();
        Some(End { wire: Wire::Host, addresses, guest: Some(guest), ..End::of_interface(id, interface) })
    };
    let is_branch = interface.kind == InterfaceKind::Branch;
    let node = if is_branch { None } else { topology.clusters.iter().find_map(of_node) };
    node.unwrap_or_else(|| End::of_interface(id, interface))
}
