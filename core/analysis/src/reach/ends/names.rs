//! How people name ends.

use std::net::IpAddr;

use super::{
    End, first_interface, is_over, of_address, of_any_interface, of_control_plane, of_group, of_node, of_node_group,
    of_pod, of_policy, of_template,
};
use crate::{
    matching,
    reach::front::{self, Door, Front},
    topology::{Cluster, Id, Pod, PodKey, PodTemplate, SecurityGroupPolicy, Topology, Workload},
};

/// What a name stands for.
#[derive(Clone, Debug)]
pub struct Found {
    /// The name, where it stands for several ends.
    pub name: Option<String>,
    /// The cases: one pod, or every kind of place that a workload's pods may be in.
    pub ends: Vec<End>,
    /// A Service's ports: which port of the pods stands behind which of its own.
    pub ports: Vec<Forward>,
    /// What stands before the ends, when that is what is named.
    pub front: Option<Front>,
}

impl Found {
    /// These ends.
    fn of(ends: Vec<End>) -> Self {
        Self { name: None, ends, ports: Vec::new(), front: None }
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
/// `pod`, `svc`, `ingress`, `sa`, `policy` or a workload's kind, `[CLUSTER:]node/NAME`, `[CLUSTER:]nodes/NODE_GROUP`, `[CLUSTER:]control-plane`.
///
/// # Errors
/// What is not there, in a sentence, with names that are.
pub fn find(topology: &Topology, text: &str) -> Result<Found, String> {
    if let Some(found) = front_of_resource(topology, text) {
        return Ok(found);
    }
    if let Some(found) = front_with(topology, text) {
        return Ok(found);
    }
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
    let groups: Vec<&Id> = topology.groups_named(text).map(|(id, _)| id).collect();
    if !groups.is_empty() {
        return Some(groups.into_iter().flat_map(|id| of_group(topology, id)).collect());
    }
    of_resource(topology, text)
}

/// The only Service that has an address in its cluster.
fn front_with(topology: &Topology, text: &str) -> Option<Found> {
    let address: IpAddr = text.parse().ok()?;
    let mut all = topology.clusters.iter().flat_map(|(id, cluster)| {
        let has = cluster.services.iter().filter(|(_, it)| it.addresses.contains(&address));
        has.map(move |(key, _)| (id, cluster, key))
    });
    match (all.next(), all.next()) {
        (Some((id, cluster, (namespace, name))), None) => of_service(topology, id, cluster, namespace, name),
        _ => None,
    }
}

/// A Service or an Ingress by its object's address.
fn front_of_resource(topology: &Topology, text: &str) -> Option<Found> {
    let is_it = |addr: &Option<sgp_model::InstanceAddr>| addr.as_ref().is_some_and(|it| it.to_string() == text);
    topology.clusters.iter().find_map(|(id, cluster)| {
        let service = cluster.services.iter().find(|(_, it)| is_it(&it.managed_by));
        let ingress = || cluster.ingresses.iter().find(|(_, it)| is_it(&it.managed_by));
        service
            .and_then(|((namespace, name), _)| of_service(topology, id, cluster, namespace, name))
            .or_else(|| ingress().and_then(|((namespace, name), _)| of_ingress(topology, id, cluster, namespace, name)))
    })
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
        ["ingress" | "ing", namespace, name] => return of_ingress(topology, id, cluster, namespace, name),
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
            return of_workload(topology, id, cluster, (namespace, of_kind, name), workload);
        }
    }
    let policy = cluster.policies.get(&(namespace.to_owned(), name.to_owned())).filter(|_| kind.is_none());
    policy.map(|it| pods_of_policy(topology, id, cluster, namespace, name, it)).unwrap_or_default()
}

/// The pods of a workload: those that run, with the groups that they got when they were made, else those that it would make now.
pub fn of_workload(
    topology: &Topology,
    id: &Id,
    cluster: &Cluster,
    (namespace, kind, name): (&str, &str, &str),
    workload: &Workload,
) -> Vec<End> {
    let its = cluster.pods.made_by(namespace, kind, name).filter(|(_, pod)| !is_over(&pod.phase));
    let running: Vec<End> = its.filter_map(|(key, _)| of_pod(topology, id, key)).collect();
    if running.is_empty() { of_template(topology, id, namespace, name, &workload.template) } else { running }
}

fn running(topology: &Topology, id: &Id, cluster: &Cluster, namespace: &str, is_it: impl Fn(&Pod) -> bool) -> Vec<End> {
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
    let front = Front::of_service(topology, id, cluster, namespace, name)?;
    let behind = front.doors.first().map(|door| door.behind.pods.as_slice()).unwrap_or_default();
    let ends: Vec<End> = behind.iter().map(|it| it.end.clone()).collect();
    let ports = service.ports.iter().map(|port| Forward {
        protocol: port.protocol.clone(),
        from: port.port,
        to: ends.iter().find_map(|end| front::port_of(end, &port.target, &port.protocol)),
    });
    Some(Found { name: Some(format!("svc/{namespace}/{name}")), ports: ports.collect(), ends, front: Some(front) })
}

/// An Ingress begins at its load balancer, and leads to the pods behind its Services.
fn of_ingress(topology: &Topology, id: &Id, cluster: &Cluster, namespace: &str, name: &str) -> Option<Found> {
    let front = Front::of_ingress(topology, id, cluster, namespace, name)?;
    let ends = front.doors.iter().find_map(Door::balancer).map(|it| it.end(topology)).into_iter().collect();
    Some(Found { name: Some(format!("ingress/{namespace}/{name}")), front: Some(front), ..Found::of(ends) })
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
