//! NetworkPolicies, as the VPC CNI's agent enforces them at a pod's own interface.
//!
//! Source: kubernetes.io/docs/concepts/services-networking/network-policies.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde_json::Value;

use crate::kubernetes::selectors::Selector;
use crate::world::World;

/// Which way a packet goes, seen from the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the pod.
    Ingress,
    /// From the pod.
    Egress,
}

/// The other end, as the pod's interface sees it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address in the packet there.
    pub address: IpAddr,
    /// The pod that has this address, unless it was translated on the way.
    pub pod: Option<Arc<Value>>,
}

/// A packet to a Service, as the sender's interface sees it: with the Service's address and port.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The Service.
    pub service: &'a Value,
    /// Its cluster address.
    pub address: Option<IpAddr>,
    /// Its port.
    pub port: u16,
    /// The pod that kube-proxy chooses.
    pub receiver: &'a Value,
    /// The port there.
    pub target: u16,
}

/// What policies say of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// No policy selects the pod in this direction: everything may pass.
    Unselected,
    /// A rule lets it pass: `policy/name ingress rule 1`.
    Allowed(String),
    /// Policies select the pod and none of their rules fits; their names.
    Denied(Vec<String>),
}

/// Judges a packet at a pod. `port` is the destination's port.
pub fn judge(
    world: &World,
    cluster: &str,
    pod: &Value,
    direction: Direction,
    peer: &Peer,
    protocol: &str,
    port: Option<u16>,
) -> Judgement {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("default");
    let (member, peers) = match direction {
        Direction::Ingress => ("ingress", "from"),
        Direction::Egress => ("egress", "to"),
    };
    // Named ports are those of the pod that receives.
    let receiver = if direction == Direction::Ingress { Some(pod) } else { peer.pod.as_deref() };
    by_rules(world, cluster, pod, direction, member, |rule| {
        fits_port(&rule["ports"], receiver, protocol, port) && fits_peer(world, cluster, namespace, &rule[peers], peer)
    })
}

/// Judges a packet to a Service at the pod that sends it. The agent looks at the pod's own end of its link, where kube-proxy has not
/// been yet: blocks are for the Service's address and port. Peers that are pods stand for Services, too: for those whose selector they
/// select, at the ports that lead to the rule's.
///
/// Source: github.com/aws/amazon-network-policy-controller-k8s, `pkg/resolvers/endpoints.go` (`getMatchingServiceClusterIPs`).
pub fn judge_service(world: &World, cluster: &str, pod: &Value, named: &Named<'_>, protocol: &str) -> Judgement {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("default");
    let theirs = named.service["metadata"]["namespace"].as_str().unwrap_or("default");
    by_rules(world, cluster, pod, Direction::Egress, "egress", |rule| {
        // Of an address nobody knows which port has which name.
        let is_port = || fits_port(&rule["ports"], None, protocol, Some(named.port));
        let Some(peers) = rule["to"].as_array().filter(|peers| !peers.is_empty()) else { return is_port() };
        peers.iter().any(|allowed| {
            if !allowed["ipBlock"].is_null() {
                return is_port() && named.address.is_some_and(|address| in_block(&allowed["ipBlock"], address));
            }
            let in_namespace = match &allowed["namespaceSelector"] {
                Value::Null => theirs == namespace,
                wanted => fits(wanted, &namespace_labels(world, cluster, theirs)),
            };
            let selector = &named.service["spec"]["selector"];
            in_namespace
                && (allowed["podSelector"].is_null() || fits(&allowed["podSelector"], selector))
                && fits_port(&rule["ports"], Some(named.receiver), protocol, Some(named.target))
        })
    })
}

/// Judges by the rules of all policies that select a pod.
fn by_rules(
    world: &World,
    cluster: &str,
    pod: &Value,
    direction: Direction,
    member: &str,
    fits: impl Fn(&Value) -> bool,
) -> Judgement {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("default");
    let policies = world.kubernetes.objects.list(cluster, "networkpolicies.networking.k8s.io", Some(namespace));
    let mut selecting = Vec::new();
    for policy in policies.filter(|policy| selects(policy, pod, direction)) {
        let name = policy["metadata"]["name"].as_str().unwrap_or_default();
        for (number, rule) in policy["spec"][member].as_array().into_iter().flatten().enumerate() {
            if fits(rule) {
                return Judgement::Allowed(format!("NetworkPolicy {namespace}/{name}, {member} rule {}", number + 1));
            }
        }
        selecting.push(format!("{namespace}/{name}"));
    }
    if selecting.is_empty() { Judgement::Unselected } else { Judgement::Denied(selecting) }
}

fn selects(policy: &Value, pod: &Value, direction: Direction) -> bool {
    let spec = &policy["spec"];
    // Without policyTypes a policy is for ingress, and for egress too when it has egress rules.
    let is_for = match (spec["policyTypes"].as_array().filter(|types| !types.is_empty()), direction) {
        (Some(types), Direction::Ingress) => types.iter().any(|it| it == "Ingress"),
        (Some(types), Direction::Egress) => types.iter().any(|it| it == "Egress"),
        (None, Direction::Ingress) => true,
        (None, Direction::Egress) => spec["egress"].as_array().is_some_and(|rules| !rules.is_empty()),
    };
    // A policy without podSelector is for all pods of its namespace.
    is_for && (spec["podSelector"].is_null() || fits(&spec["podSelector"], &pod["metadata"]["labels"]))
}

fn fits_port(ports: &Value, receiver: Option<&Value>, protocol: &str, port: Option<u16>) -> bool {
    let Some(ports) = ports.as_array().filter(|ports| !ports.is_empty()) else { return true };
    ports.iter().any(|allowed| {
        let wanted = allowed["protocol"].as_str().unwrap_or("TCP");
        if !wanted.eq_ignore_ascii_case(protocol) {
            return false;
        }
        match (&allowed["port"], port) {
            (Value::Null, _) => true,
            (Value::Number(first), Some(port)) => {
                let first = first.as_u64().unwrap_or(0);
                let last = allowed["endPort"].as_u64().unwrap_or(first);
                (first..=last).contains(&u64::from(port))
            }
            (Value::String(name), Some(port)) => {
                receiver.is_some_and(|pod| named_port(pod, name, wanted) == Some(port))
            }
            _ => false,
        }
    })
}

/// The number of a container's port of this name.
fn named_port(pod: &Value, name: &str, protocol: &str) -> Option<u16> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    let port = ports.find(|port| port["name"] == name && port["protocol"].as_str().unwrap_or("TCP") == protocol)?;
    port["containerPort"].as_u64().and_then(|port| u16::try_from(port).ok())
}

fn fits_peer(world: &World, cluster: &str, namespace: &str, peers: &Value, peer: &Peer) -> bool {
    let Some(peers) = peers.as_array().filter(|peers| !peers.is_empty()) else { return true };
    peers.iter().any(|allowed| {
        if !allowed["ipBlock"].is_null() {
            return in_block(&allowed["ipBlock"], peer.address);
        }
        let Some(pod) = &peer.pod else { return false };
        let theirs = pod["metadata"]["namespace"].as_str().unwrap_or("default");
        let in_namespace = match &allowed["namespaceSelector"] {
            Value::Null => theirs == namespace,
            wanted => fits(wanted, &namespace_labels(world, cluster, theirs)),
        };
        in_namespace && (allowed["podSelector"].is_null() || fits(&allowed["podSelector"], &pod["metadata"]["labels"]))
    })
}

fn namespace_labels(world: &World, cluster: &str, namespace: &str) -> Value {
    let key = crate::kubernetes::objects::Key::new(cluster, "namespaces", "", namespace);
    world.kubernetes.objects.get(&key).map(|namespace| namespace["metadata"]["labels"].clone()).unwrap_or_default()
}

fn in_block(block: &Value, address: IpAddr) -> bool {
    let within = |cidr: &Value| {
        cidr.as_str().and_then(|cidr| cidr.parse::<IpNet>().ok()).is_some_and(|net| net.contains(&address))
    };
    within(&block["cidr"]) && !block["except"].as_array().into_iter().flatten().any(within)
}

/// Whether labels fit a selector; one that cannot be read fits nothing.
fn fits(selector: &Value, labels: &Value) -> bool {
    Selector::read(selector).is_ok_and(|selector| selector.matches(labels))
}
