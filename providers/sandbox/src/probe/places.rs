//! The ends of a walk, by the names that people give them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use serde_json::Value;

use super::network;
use crate::ec2::interfaces::NetworkInterface;
use crate::kubernetes::objects::Key;
use crate::world::World;

/// Public addresses that stand for the internet (RFC 5737, RFC 3849).
const INTERNET: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// How a pod is on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attachment {
    /// With its node's own address.
    Host,
    /// With an address of one of its node's interfaces.
    Shared,
    /// With a branch interface of its own.
    Branch,
    /// On Fargate, with an interface of its own.
    Fargate,
}

/// One end.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// For people: `pod app/backend`.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// Its address of the other family, when it has one.
    pub other_address: Option<IpAddr>,
    /// The interface that has the address; `None` outside of the account's networks.
    pub interface: Option<NetworkInterface>,
    /// What runs there, when that is part of a cluster.
    pub guest: Option<Guest>,
}

/// A pod or a node of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    /// The cluster.
    pub cluster: String,
    /// The node that it runs on, or is.
    pub node: Option<String>,
    /// The pod; `None` is the node itself.
    pub pod: Option<Arc<Value>>,
    /// How it is on the network.
    pub attachment: Attachment,
}

impl Place {
    /// The same with its address of a family alone.
    pub(super) fn in_family(&self, is_ipv6: bool) -> Option<Self> {
        let both = [Some(self.address), self.other_address];
        let address = both.into_iter().flatten().find(|it| it.is_ipv6() == is_ipv6)?;
        Some(Self { address, other_address: None, ..self.clone() })
    }

    /// Whether it is a pod with security groups of its own.
    pub(super) fn is_branch(&self) -> bool {
        self.guest.as_ref().is_some_and(|guest| guest.attachment == Attachment::Branch)
    }

    /// Whether both run on one node. Fargate's nodes have one pod each.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let node =
            |place: &Self| place.guest.as_ref().and_then(|guest| Some((guest.cluster.clone(), guest.node.clone()?)));
        node(self).is_some() && node(self) == node(other)
    }

    /// The pod that NetworkPolicies see there: none for host networking.
    pub(super) fn policed_pod(&self) -> Option<(&str, &Arc<Value>)> {
        let guest = self.guest.as_ref().filter(|guest| guest.attachment != Attachment::Host)?;
        guest.pod.as_ref().map(|pod| (guest.cluster.as_str(), pod))
    }
}

/// Finds a place: `[CLUSTER:]NAMESPACE/POD`, `[CLUSTER:]node/NAME`, `eni-...`, `i-...`, an address, or `internet`.
///
/// # Errors
/// What is not there, in a sentence.
pub(super) fn find(world: &World, text: &str) -> Result<Place, String> {
    if text == "internet" {
        let [address, other] = INTERNET;
        return Ok(Place { other_address: Some(other), ..outside(address, text) });
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(by_address(world, address));
    }
    if text.starts_with("eni-") {
        let interface = world.ec2.interfaces.get(text).ok_or_else(|| format!("there is no interface {text}"))?;
        return of_interface(world, interface, None);
    }
    if text.starts_with("i-") {
        let interface =
            network::primary_interface(world, text).ok_or_else(|| format!("there is no instance {text}"))?;
        return of_interface(world, interface, None);
    }
    let (cluster, rest) = cluster_of(world, text)?;
    match rest.split_once('/') {
        Some(("node", name)) => node(world, &cluster, name),
        Some((namespace, name)) => pod(world, &cluster, namespace, name),
        None => Err(format!("{text} is neither NAMESPACE/POD, node/NAME, eni-..., i-..., an address nor internet")),
    }
}

/// The cluster before a colon, or the only one.
pub(super) fn cluster_of<'a>(world: &World, text: &'a str) -> Result<(String, &'a str), String> {
    if let Some((cluster, rest)) = text.split_once(':') {
        let known = world.kubernetes.clusters.contains(cluster);
        return if known { Ok((cluster.to_owned(), rest)) } else { Err(format!("there is no cluster {cluster}")) };
    }
    let mut clusters = world.kubernetes.clusters.iter().map(|(name, _)| name.to_owned());
    match (clusters.next(), clusters.next()) {
        (Some(only), None) => Ok((only, text)),
        (None, _) => Err(format!("there is no cluster to look for {text} in")),
        (Some(_), Some(_)) => Err(format!("there are several clusters; write CLUSTER:{text}")),
    }
}

fn outside(address: IpAddr, name: &str) -> Place {
    Place { name: name.to_owned(), address, other_address: None, interface: None, guest: None }
}

pub(super) fn node(world: &World, cluster: &str, name: &str) -> Result<Place, String> {
    let key = Key::new(cluster, "nodes", "", name);
    let node = world.kubernetes.objects.get(&key).ok_or_else(|| format!("cluster {cluster} has no node {name}"))?;
    let instance = instance_of(node);
    let interface = instance.and_then(|instance| network::primary_interface(world, instance));
    let interface = interface.ok_or_else(|| format!("node {name} has no instance"))?;
    let guest =
        Guest { cluster: cluster.to_owned(), node: Some(name.to_owned()), pod: None, attachment: Attachment::Host };
    let mut place = of_interface(world, interface, Some(guest))?;
    place.name = format!("node {name}");
    Ok(place)
}

/// The instance in `spec.providerID`, `aws:///us-east-1a/i-1`.
fn instance_of(node: &Value) -> Option<&str> {
    node["spec"]["providerID"].as_str()?.rsplit('/').next().filter(|id| id.starts_with("i-"))
}

pub(super) fn pod(world: &World, cluster: &str, namespace: &str, name: &str) -> Result<Place, String> {
    let key = Key::new(cluster, "pods", namespace, name);
    let pod = world.kubernetes.objects.get(&key);
    let pod = pod.ok_or_else(|| format!("cluster {cluster} has no pod {namespace}/{name}"))?;
    let mut addresses = addresses_of(pod);
    let address = addresses.next().ok_or_else(|| format!("pod {namespace}/{name} has no address yet"))?;
    let other_address = addresses.find(|it| it.is_ipv4() != address.is_ipv4());
    let vpc = vpc_of_pod(world, cluster, pod);
    let interface = network::interface_with(world, vpc.as_deref(), address);
    let interface = interface.ok_or_else(|| format!("no interface has {address} of pod {namespace}/{name}"))?;
    Ok(Place {
        name: format!("pod {namespace}/{name}"),
        address,
        other_address,
        interface: Some(interface.clone()),
        guest: Some(guest(cluster, pod)),
    })
}

/// A pod's addresses, the first one first.
fn addresses_of(pod: &Value) -> impl Iterator<Item = IpAddr> + '_ {
    let more = pod["status"]["podIPs"].as_array().into_iter().flatten().map(|it| &it["ip"]);
    let all = std::iter::once(&pod["status"]["podIP"]).chain(more);
    all.filter_map(|it| it.as_str()?.parse().ok())
}

fn guest(cluster: &str, pod: &Arc<Value>) -> Guest {
    let annotations = &pod["metadata"]["annotations"];
    let attachment = if pod["spec"]["hostNetwork"] == true {
        Attachment::Host
    } else if !pod["metadata"]["labels"]["eks.amazonaws.com/fargate-profile"].is_null() {
        Attachment::Fargate
    } else if !annotations["vpc.amazonaws.com/pod-eni"].is_null() {
        Attachment::Branch
    } else {
        Attachment::Shared
    };
    let node = pod["spec"]["nodeName"].as_str().map(str::to_owned);
    Guest { cluster: cluster.to_owned(), node, pod: Some(Arc::clone(pod)), attachment }
}

/// The VPC of a pod's cluster, or of its node: other VPCs may have the same addresses.
fn vpc_of_pod(world: &World, cluster: &str, pod: &Value) -> Option<String> {
    if let Some(row) = world.eks.clusters.get(cluster) {
        return Some(row.network.vpc_id.clone());
    }
    let node = pod["spec"]["nodeName"].as_str()?;
    let node = world.kubernetes.objects.get(&Key::new(cluster, "nodes", "", node))?;
    network::primary_interface(world, instance_of(node)?).map(|it| it.vpc_id.clone())
}

/// What has an address: a pod, an interface, or something outside.
pub(super) fn by_address(world: &World, address: IpAddr) -> Place {
    match network::interface_with(world, None, address) {
        Some(interface) => at(world, interface, address),
        None => outside(address, &address.to_string()),
    }
}

/// What has an address of an interface: a pod, the node that the interface is of, or the interface.
pub(super) fn at(world: &World, interface: &NetworkInterface, address: IpAddr) -> Place {
    for (cluster, _) in world.kubernetes.clusters.iter() {
        let pods = world.kubernetes.objects.list(cluster, "pods", None);
        let is_here = |pod: &&Arc<Value>| {
            pod["spec"]["hostNetwork"] != true
                && addresses_of(pod).any(|it| it == address)
                && vpc_of_pod(world, cluster, pod).is_none_or(|vpc| vpc == interface.vpc_id)
        };
        let mut here = pods.filter(is_here);
        if let Some(pod) = here.next() {
            let (namespace, name) = (pod["metadata"]["namespace"].as_str(), pod["metadata"]["name"].as_str());
            let name = format!("pod {}/{}", namespace.unwrap_or_default(), name.unwrap_or_default());
            let guest = Some(guest(cluster, pod));
            return Place { interface: Some(interface.clone()), guest, ..outside(address, &name) };
        }
    }
    let guest = node_guest(world, interface);
    Place { interface: Some(interface.clone()), guest, ..outside(address, &address.to_string()) }
}

/// The node whose own interface this is.
fn node_guest(world: &World, interface: &NetworkInterface) -> Option<Guest> {
    let instance = interface.attachment.as_ref()?.instance_id.as_deref()?;
    world.kubernetes.clusters.iter().find_map(|(cluster, _)| {
        let mut nodes = world.kubernetes.objects.list(cluster, "nodes", None);
        let node = nodes.find(|node| instance_of(node) == Some(instance))?;
        let node = node["metadata"]["name"].as_str().map(str::to_owned);
        Some(Guest { cluster: cluster.to_owned(), node, pod: None, attachment: Attachment::Host })
    })
}

fn of_interface(world: &World, interface: &NetworkInterface, guest: Option<Guest>) -> Result<Place, String> {
    let v4 = interface.addresses.first().map(|it| IpAddr::V4(it.address));
    let v6 = interface.ipv6_addresses.first().map(|it| IpAddr::V6(*it));
    let places: Vec<Place> = [v4, v6].into_iter().flatten().map(|address| at(world, interface, address)).collect();
    // A pod in it has one of them; what is left of the other family is nobody's.
    let is_of_pod = |place: &&Place| place.guest.as_ref().is_some_and(|guest| guest.pod.is_some());
    let mut place = match (places.iter().find(is_of_pod), places.as_slice()) {
        (Some(of_pod), _) => of_pod.clone(),
        (None, [first, others @ ..]) => Place { other_address: others.first().map(|it| it.address), ..first.clone() },
        (None, []) => return Err(format!("{} has no address", interface.id)),
    };
    if let Some(guest) = guest {
        place.guest = Some(guest);
    }
    place.name.clone_from(&interface.id);
    Ok(place)
}
