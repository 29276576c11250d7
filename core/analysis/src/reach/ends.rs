//! The ends that a topology has, and how people name them.

use std::{collections::BTreeSet, net::IpAddr};

use super::end::{End, Guest, HostSide, Public, Wire};
use crate::{
    matching::{self, Attachment},
    sets::AddressSet,
    topology::{
        Cluster, Fact, Id, Interface, InterfaceKind, NodeGroup, PodKey, PodTemplate, SecurityGroupPolicy, TargetPort,
        Topology,
    },
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

/// The first interface of an instance.
pub fn first_interface<'a>(topology: &'a Topology, instance: &Id) -> Option<(&'a Id, &'a Interface)> {
    let mut all = topology.interfaces.iter();
    all.find(|(_, it)| {
        it.instance.as_ref() == Some(instance) && it.device_index == Some(0) && it.kind != InterfaceKind::Branch
    })
}

/// The interface that has an address, in a VPC or anywhere.
pub fn interface_with<'a>(
    topology: &'a Topology,
    vpc: Option<&Id>,
    address: IpAddr,
) -> Option<(&'a Id, &'a Interface)> {
    let is_here = |it: &Interface| vpc.is_none_or(|vpc| it.vpc == *vpc);
    let has = |it: &Interface| it.addresses.contains(&address) || it.prefixes.iter().any(|net| net.contains(&address));
    topology.interfaces.iter().find(|(_, it)| is_here(it) && has(it))
}

// --- pods and nodes that run ------------------------------------------------------------------------------------------

/// A pod that runs.
pub fn of_pod(topology: &Topology, cluster_id: &Id, key: &PodKey) -> Option<End> {
    let cluster = topology.clusters.get(cluster_id)?;
    let pod = cluster.pods.get(key)?;
    let name = format!("{}/{}", key.namespace, key.name);
    let vpc = cluster.vpc.known();
    let own = pod.addresses.iter().find_map(|address| interface_with(topology, vpc, *address));
    let branch = pod.branch.as_ref().and_then(|id| topology.interfaces.get_key_value(id));
    let (wire, interface) = match (&pod.branch, pod.is_fargate, pod.template.is_host_network) {
        (_, _, true) => (Wire::Host, own),
        (Some(_), ..) => (Wire::Branch, branch),
        (None, true, _) => (Wire::Fargate, own),
        (None, false, false) => (Wire::Shared, own),
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
    })
}

fn host_of_node(topology: &Topology, cluster: &Cluster, node: &str) -> Option<HostSide> {
    let node = cluster.nodes.get(node)?;
    let by_instance = node.instance.as_ref().and_then(|instance| first_interface(topology, instance));
    let by_address = || node.addresses.iter().find_map(|it| interface_with(topology, cluster.vpc.known(), *it));
    let (_, interface) = by_instance.or_else(by_address)?;
    let first = interface.addresses.first().copied();
    Some(HostSide {
        addresses: first.map(AddressSet::from).unwrap_or_default(),
        subnets: vec![interface.subnet.clone()],
        groups: Fact::Known(interface.groups.clone()),
        public: public_of(interface, first.as_slice()),
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

// --- what will run ----------------------------------------------------------------------------------------------------

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
    End {
        name: format!("nodes {name}"),
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

// --- by name ----------------------------------------------------------------------------------------------------------

/// What a name stands for.
#[derive(Clone, Debug)]
pub struct Found {
    /// The name, where it stands for several ends.
    pub name: Option<String>,
    /// The cases: one pod, or every kind of place that a workload's pods may be in.
    pub ends: Vec<End>,
    /// A Service's ports: which port of the pods stands behind which of its own.
    pub ports: Vec<Forward>,
}

impl Found {
    /// These ends.
    fn of(ends: Vec<End>) -> Self {
        Self { name: None, ends, ports: Vec::new() }
    }

    /// For people.
    pub fn name(&self) -> String {
        self.name.clone().or_else(|| self.ends.first().map(|end| end.name.clone())).unwrap_or_default()
    }
}

/// A port that kube-proxy turns into another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The protocol, in lower case.
    pub protocol: String,
    /// The Service's port.
    pub from: u16,
    /// The pods' port; `None` when it has a name that no pod has.
    pub to: Option<u16>,
}

/// Finds what a person names: `internet`, an address or a block, `sg-...`, `eni-...`, `i-...`, the address of a resource, the name of
/// a security group, `[CLUSTER:]NAMESPACE/NAME` (a pod, a workload, or the pods of a policy), `[CLUSTER:]KIND/NAMESPACE/NAME` with
/// `pod`, `svc`, `sa`, `policy` or a workload's kind, `[CLUSTER:]node/NAME`, `[CLUSTER:]nodes/NODE_GROUP`, `[CLUSTER:]control-plane`.
///
/// # Errors
/// What is not there, in a sentence, with names that are.
pub fn find(topology: &Topology, text: &str) -> Result<Found, String> {
    if let Some(ends) = plain(topology, text) {
        let name = (ends.len() > 1).then(|| text.to_owned());
        return Ok(Found { name, ..Found::of(ends) });
    }
    let (cluster, rest) = match text.split_once(':') {
        Some((cluster, rest)) if topology.clusters.contains_key(cluster) => (Some(cluster), rest),
        _ => (None, text),
    };
    let clusters = topology.clusters.iter().filter(|(id, _)| cluster.is_none_or(|it| it == id.as_str()));
    let mut found: Vec<Found> = Vec::new();
    for (id, cluster) in clusters {
        found.extend(in_cluster(topology, id, cluster, rest));
    }
    match found.len() {
        0 => Err(not_found(topology, text)),
        1 => Ok(found.swap_remove(0)),
        _ => Err(format!("{text} is in several clusters: write CLUSTER:{rest}")),
    }
}

fn plain(topology: &Topology, text: &str) -> Option<Vec<End>> {
    if text == "internet" {
        return Some(vec![End::internet()]);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(vec![of_address(topology, address)]);
    }
    if let Ok(block) = text.parse::<ipnet::IpNet>() {
        return Some(vec![End::outside(text, block.trunc().into())]);
    }
    if let Some((id, interface)) = topology.interfaces.get_key_value(text) {
        return Some(vec![of_any_interface(topology, id, interface)]);
    }
    if text.starts_with("i-") {
        let (id, interface) = first_interface(topology, &Id::from(text))?;
        return Some(vec![of_any_interface(topology, id, interface)]);
    }
    let is_it = |(id, group): &(&Id, &crate::topology::Group)| {
        id.as_str() == text || group.name == text || group.managed_by.as_ref().is_some_and(|it| it.to_string() == text)
    };
    let groups: Vec<&Id> = topology.groups.iter().filter(is_it).map(|(id, _)| id).collect();
    if !groups.is_empty() {
        return Some(groups.into_iter().flat_map(|id| of_group(topology, id)).collect());
    }
    of_resource(topology, text)
}

/// Interfaces that carry a group, or whatever will.
pub fn of_group(topology: &Topology, group: &Id) -> Vec<End> {
    let carriers = topology.interfaces.iter().filter(|(_, it)| it.groups.contains(group) && it.is_in_use);
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
        let has = |pod: &crate::topology::Pod| {
            pod.addresses.contains(&address) && !pod.template.is_host_network && !is_over(&pod.phase)
        };
        let pods = cluster.pods.iter().filter(|(_, pod)| has(pod));
        // Two VPCs may have the same addresses.
        let ends = pods.filter_map(|(key, _)| of_pod(topology, id, key));
        ends.into_iter().find(|end| end.vpc.known() == Some(&interface.vpc))
    };
    topology.clusters.iter().find_map(of_cluster)
}

/// Whether a pod has ended, and with it its hold on its address.
fn is_over(phase: &str) -> bool {
    phase == "Succeeded" || phase == "Failed"
}

/// An interface, as the pod or node behind it when there is one.
fn of_any_interface(topology: &Topology, id: &Id, interface: &Interface) -> End {
    for (cluster_id, cluster) in &topology.clusters {
        let pod = cluster.pods.iter().find(|(_, pod)| pod.branch.as_ref() == Some(id));
        if let Some(end) = pod.and_then(|(key, _)| of_pod(topology, cluster_id, key)) {
            return end;
        }
    }
    let first = interface.addresses.first();
    if let Some(end) = first.and_then(|address| pod_with(topology, interface, *address)) {
        return end;
    }
    let of_node = |(cluster_id, cluster): (&Id, &Cluster)| {
        let is_its = |instance: &Option<Id>| instance.is_some() && *instance == interface.instance;
        let (name, _) = cluster.nodes.iter().find(|(_, node)| is_its(&node.instance))?;
        let (primary, _) = first_interface(topology, interface.instance.as_ref()?)?;
        if primary == id {
            return of_node(topology, cluster_id, name);
        }
        // One more of the node's: its first address is the node's, the others are for pods.
        let guest = Guest { cluster: cluster_id.clone(), node: Fact::Known(name.clone()), pod: None };
        let addresses = first.map(|it| AddressSet::from(*it)).unwrap_or_default();
        Some(End { wire: Wire::Host, addresses, guest: Some(guest), ..End::of_interface(id, interface) })
    };
    let is_branch = interface.kind == InterfaceKind::Branch;
    let node = if is_branch { None } else { topology.clusters.iter().find_map(of_node) };
    node.unwrap_or_else(|| End::of_interface(id, interface))
}

/// What an object of the configuration makes.
fn of_resource(topology: &Topology, text: &str) -> Option<Vec<End>> {
    let is_it = |addr: &Option<sgp_model::InstanceAddr>| addr.as_ref().is_some_and(|it| it.to_string() == text);
    for (id, cluster) in &topology.clusters {
        if is_it(&cluster.managed_by) {
            return of_control_plane(topology, id).map(|end| vec![end]);
        }
        if let Some(((namespace, name), policy)) = cluster.policies.iter().find(|(_, it)| is_it(&it.managed_by)) {
            return Some(pods_of_policy(topology, id, cluster, namespace, name, policy));
        }
        let workload = cluster.workloads.iter().find(|(_, it)| is_it(&it.managed_by));
        if let Some(((namespace, _, name), workload)) = workload {
            return Some(of_template(topology, id, namespace, name, &workload.template));
        }
        if let Some((name, group)) = cluster.node_groups.iter().find(|(_, it)| is_it(&it.managed_by)) {
            return Some(vec![of_node_group(topology, id, name, group)]);
        }
        if let Some(((namespace, name), _)) = cluster.service_accounts.iter().find(|(_, it)| is_it(&it.managed_by)) {
            return Some(of_service_account(topology, id, cluster, namespace, name)).filter(|it| !it.is_empty());
        }
    }
    None
}

fn in_cluster(topology: &Topology, id: &Id, cluster: &Cluster, text: &str) -> Option<Found> {
    let parts: Vec<&str> = text.split('/').collect();
    let ends = match parts.as_slice() {
        ["control-plane"] => of_control_plane(topology, id).into_iter().collect(),
        ["node", name] => of_node(topology, id, name).into_iter().collect(),
        ["nodes", name] => {
            let found = cluster.node_groups.get_key_value(*name);
            found.map(|(name, group)| of_node_group(topology, id, name, group)).into_iter().collect()
        }
        ["svc" | "service", namespace, name] => return of_service(topology, id, cluster, namespace, name),
        ["sa" | "serviceaccount", namespace, name] => of_service_account(topology, id, cluster, namespace, name),
        ["policy", namespace, name] => {
            let key = ((*namespace).to_owned(), (*name).to_owned());
            let found = cluster.policies.get(&key);
            found.map(|it| pods_of_policy(topology, id, cluster, namespace, name, it)).unwrap_or_default()
        }
        [kind, namespace, name] => of_kind(topology, id, cluster, Some(kind), namespace, name),
        [namespace, name] => of_kind(topology, id, cluster, None, namespace, name),
        _ => Vec::new(),
    };
    let name = (ends.len() > 1).then(|| text.to_owned());
    (!ends.is_empty()).then(|| Found { name, ..Found::of(ends) })
}

/// Pods of a name: one that runs, those of a workload, those of a policy.
fn of_kind(
    topology: &Topology,
    id: &Id,
    cluster: &Cluster,
    kind: Option<&str>,
    namespace: &str,
    name: &str,
) -> Vec<End> {
    let is_kind = |wanted: &str| kind.is_none_or(|kind| kind.eq_ignore_ascii_case(wanted));
    let key = PodKey { namespace: namespace.to_owned(), name: name.to_owned() };
    if is_kind("pod")
        && let Some(end) = of_pod(topology, id, &key)
    {
        return vec![end];
    }
    for ((theirs, of_kind, its), workload) in &cluster.workloads {
        if theirs == namespace && its == name && is_kind(of_kind) {
            let running = running(topology, id, cluster, namespace, |pod| {
                pod.owner.as_ref().is_some_and(|(owner, of)| is_made_by(owner, of, of_kind, name))
            });
            let planned = || of_template(topology, id, namespace, name, &workload.template);
            return if running.is_empty() { planned() } else { running };
        }
    }
    let policy = cluster.policies.get(&(namespace.to_owned(), name.to_owned())).filter(|_| kind.is_none());
    policy.map(|it| pods_of_policy(topology, id, cluster, namespace, name, it)).unwrap_or_default()
}

/// Whether a pod's owner is a workload, or what the workload makes its pods with: `backend` makes ReplicaSet `backend-5d4f`.
fn is_made_by(owner_kind: &str, owner: &str, kind: &str, name: &str) -> bool {
    let is_made =
        owner.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')).is_some_and(|rest| !rest.contains('-'));
    match (kind, owner_kind) {
        ("Deployment", "ReplicaSet") | ("CronJob", "Job") => is_made,
        _ => owner_kind == kind && owner == name,
    }
}

fn running(
    topology: &Topology,
    id: &Id,
    cluster: &Cluster,
    namespace: &str,
    is_it: impl Fn(&crate::topology::Pod) -> bool,
) -> Vec<End> {
    let pods =
        cluster.pods.iter().filter(|(key, pod)| key.namespace == namespace && !is_over(&pod.phase) && is_it(pod));
    pods.filter_map(|(key, _)| of_pod(topology, id, key)).collect()
}

fn pods_of_policy(
    topology: &Topology,
    id: &Id,
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    policy: &SecurityGroupPolicy,
) -> Vec<End> {
    let mut ends = Vec::new();
    for ((theirs, _, workload_name), workload) in &cluster.workloads {
        let membership = matching::membership(cluster, theirs, &workload.template);
        if theirs == namespace && membership.policies().any(|it| it == name) {
            ends.extend(of_template(topology, id, theirs, workload_name, &workload.template));
        }
    }
    if ends.is_empty() { of_policy(topology, id, namespace, name, policy) } else { ends }
}

fn of_service_account(topology: &Topology, id: &Id, cluster: &Cluster, namespace: &str, name: &str) -> Vec<End> {
    let uses = |template: &PodTemplate| template.service_account.known().is_some_and(|it| it == name);
    let live = running(topology, id, cluster, namespace, |pod| uses(&pod.template));
    if !live.is_empty() {
        return live;
    }
    let workloads = cluster.workloads.iter().filter(|((theirs, ..), it)| theirs == namespace && uses(&it.template));
    workloads
        .flat_map(|((_, _, its), workload)| of_template(topology, id, namespace, its, &workload.template))
        .collect()
}

fn of_service(topology: &Topology, id: &Id, cluster: &Cluster, namespace: &str, name: &str) -> Option<Found> {
    let service = cluster.services.get(&(namespace.to_owned(), name.to_owned()))?;
    let selector = service.selector.as_ref().map(crate::selector::Selector::of_labels)?;
    let fits = |template: &PodTemplate| template.labels.known().is_some_and(|labels| selector.matches(labels));
    let live = running(topology, id, cluster, namespace, |pod| fits(&pod.template));
    let mut templates: Vec<&PodTemplate> = Vec::new();
    let mut ends = live;
    for ((theirs, _, its), workload) in &cluster.workloads {
        if theirs == namespace && fits(&workload.template) {
            templates.push(&workload.template);
            if cluster.pods.is_empty() {
                ends.extend(of_template(topology, id, namespace, its, &workload.template));
            }
        }
    }
    templates.extend(
        cluster
            .pods
            .iter()
            .filter(|(key, pod)| key.namespace == namespace && fits(&pod.template))
            .map(|(_, pod)| &pod.template),
    );
    let ports = service.ports.iter().map(|port| Forward {
        protocol: port.protocol.clone(),
        from: port.port,
        to: match &port.target {
            TargetPort::Number(number) => Some(*number),
            TargetPort::Name(name) => templates.iter().find_map(|it| {
                let mut ports = it.ports.iter();
                ports.find(|its| its.name.as_ref() == Some(name) && its.protocol == port.protocol).map(|it| it.port)
            }),
        },
    });
    Some(Found { name: Some(format!("svc/{namespace}/{name}")), ports: ports.collect(), ends })
}

/// Says that nothing has a name, with what has one.
fn not_found(topology: &Topology, text: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    for cluster in topology.clusters.values() {
        names.extend(cluster.workloads.keys().map(|(namespace, _, name)| format!("{namespace}/{name}")));
        names.extend(cluster.policies.keys().map(|(namespace, name)| format!("{namespace}/{name}")));
        names.extend(cluster.pods.keys().map(|key| format!("{}/{}", key.namespace, key.name)));
    }
    names.extend(topology.groups.values().map(|group| group.name.clone()));
    names.sort();
    names.dedup();
    let some = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > 8 { format!(" and {} more", names.len() - 8) } else { String::new() };
    if names.is_empty() {
        return format!("there is nothing called {text}: no pod, workload, policy or security group is known");
    }
    format!("there is nothing called {text}. Known are internet, addresses, {some}{more}")
}
