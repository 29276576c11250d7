//! Pods and nodes that run.

use super::{End, HostSide, Public, Wire, first_addresses, first_interface, interface_with, public_of};
use crate::{
    reach::end::Guest,
    sets::AddressSet,
    topology::{Cluster, Fact, Id, PodKey, Topology},
};

/// A pod that runs.
pub fn of_pod(topology: &Topology, cluster_id: &Id, key: &PodKey) -> Option<End> {
    let cluster = topology.clusters.get(cluster_id)?;
    let pod = cluster.pods.get(key)?;
    let name = format!("{}/{}", key.namespace, key.name);
    let vpc = cluster.vpc.known();
    let own = || pod.addresses.iter().find_map(|address| interface_with(topology, vpc, *address));
    let (wire, interface) = match (&pod.branch, pod.is_fargate, pod.template.is_host_network) {
        (_, _, true) => (Wire::Host, own()),
        (Some(id), ..) => (Wire::Branch, topology.interfaces.get_key_value(id)),
        (None, true, _) => (Wire::Fargate, own()),
        (None, false, false) => (Wire::Shared, own()),
    };
    let node = pod.node.as_deref();
    let host = node.and_then(|node| host_of_node(topology, cluster, node));
    let guest = Guest {
        cluster: cluster_id.clone(),
        node: node.map(str::to_owned).into(),
        pod: Some((key.namespace.clone(), pod.template.clone())),
    };
    Some(End {
        name,
        wire,
        addresses: pod.addresses.iter().map(|address| ipnet::IpNet::from(*address)).collect(),
        vpc: interface.map_or_else(|| cluster.vpc.clone(), |(_, it)| Fact::Known(it.vpc.clone())),
        subnets: interface.map(|(_, it)| vec![it.subnet.clone()]).unwrap_or_default(),
        groups: interface.map_or(Fact::Unknown, |(_, it)| Fact::Known(it.groups.clone())),
        public: interface.map_or(Public::Unknown, |(_, it)| public_of(it, &pod.addresses)),
        guest: Some(guest),
        host: host.map(Box::new),
        is_in_use: interface.is_none_or(|(_, it)| it.is_in_use),
        relay: None,
    })
}

fn host_of_node(topology: &Topology, cluster: &Cluster, node: &str) -> Option<HostSide> {
    let node = cluster.nodes.get(node)?;
    let by_instance = node.instance.as_ref().and_then(|instance| first_interface(topology, instance));
    let by_address = || node.addresses.iter().find_map(|it| interface_with(topology, cluster.vpc.known(), *it));
    let (_, interface) = by_instance.or_else(by_address)?;
    let first: Vec<_> = first_addresses(interface).collect();
    Some(HostSide {
        addresses: first.iter().map(|it| ipnet::IpNet::from(*it)).collect(),
        subnets: vec![interface.subnet.clone()],
        groups: Fact::Known(interface.groups.clone()),
        public: public_of(interface, &first),
    })
}

/// A node that runs.
pub fn of_node(topology: &Topology, cluster_id: &Id, name: &str) -> Option<End> {
    let cluster = topology.clusters.get(cluster_id)?;
    let node = cluster.nodes.get(name)?;
    let host = host_of_node(topology, cluster, name);
    let guest = Guest { cluster: cluster_id.clone(), node: Fact::Known(name.to_owned()), pod: None };
    let stated: AddressSet = node.addresses.iter().map(|it| ipnet::IpNet::from(*it)).collect();
    let base = End { name: format!("node {name}"), wire: Wire::Host, vpc: cluster.vpc.clone(), ..End::internet() };
    Some(match host {
        None => End { addresses: stated, groups: Fact::Unknown, guest: Some(guest), ..base },
        Some(host) => End {
            addresses: host.addresses,
            subnets: host.subnets,
            groups: host.groups,
            public: host.public,
            guest: Some(guest),
            ..base
        },
    })
}
