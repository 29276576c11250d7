//! NetworkPolicies at a pod, as the VPC CNI's agent enforces them.
//!
//! Source: kubernetes.io/docs/concepts/services-networking/network-policies and the API reference of networking.k8s.io/v1.

use ipnet::IpNet;
use serde_json::Value;

use super::front::Face;
use crate::{
    selector::{Selector, is_open},
    sets::{AddressSet, Family, Passage, Protocol, Traffic},
    topology::{Cluster, Direction, Fact, Labels, PodTemplate, in_namespace, is_same_namespace},
};

/// The other end, as the pod's interface sees it.
pub(super) struct Other<'a> {
    /// The addresses in the packet there.
    pub(super) addresses: &'a AddressSet,
    /// The namespace and template of the pod behind them, when it is one of the same cluster.
    pub(super) pod: Option<(&'a str, &'a PodTemplate)>,
}

/// Traffic to a Service, as the sender's interface sees it: with the Service's address and port.
pub(super) struct Named<'a> {
    /// What the Service looks like from there.
    pub(super) face: &'a Face,
    /// The traffic to its port.
    pub(super) asked: Traffic,
    /// The pod that kube-proxy chooses.
    pub(super) receiver: &'a PodTemplate,
    /// The traffic to the port there.
    pub(super) forwarded: Traffic,
}

/// What policies say.
pub(super) struct Judgement {
    /// What they let pass.
    pub(super) passage: Passage,
    /// Policies that select the pod in this direction.
    pub(super) selecting: Vec<String>,
    /// Rules that let some of the traffic pass.
    pub(super) by: Vec<String>,
    /// Whether a policy may have rules that are not known yet.
    has_open_rules: bool,
}

/// Judges traffic at a pod; `None` when no policy is for it in this direction, so that everything passes.
pub(super) fn judge(
    cluster: &Cluster,
    (namespace, pod): (&str, &PodTemplate),
    direction: Direction,
    other: &Other<'_>,
    family: Family,
) -> Option<Judgement> {
    let peers = match direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    };
    // Named ports are those of the pod that receives.
    let receiver = if direction == Direction::Ingress { Some(pod) } else { other.pod.map(|(_, pod)| pod) };
    by_rules(cluster, (namespace, pod), direction, |rule| {
        ports(&rule["ports"], receiver).then(&peer(cluster, namespace, &rule[peers], other, family))
    })
}

/// Judges traffic to a Service at the pod that sends it. The agent looks at the pod's own end of its link, where kube-proxy has not
/// been yet: blocks are for the Service's address and port. Peers that are pods stand for Services, too: for those whose selector they
/// select, at the ports that lead to the rule's.
///
/// Source: github.com/aws/amazon-network-policy-controller-k8s, `pkg/resolvers/endpoints.go`.
pub(super) fn judge_service(
    cluster: &Cluster,
    (namespace, pod): (&str, &PodTemplate),
    named: &Named<'_>,
) -> Option<Judgement> {
    by_rules(cluster, (namespace, pod), Direction::Egress, |rule| {
        // Of an address nobody knows which port has which name.
        let asked = whole(&ports(&rule["ports"], None), &named.asked);
        let forwarded = whole(&ports(&rule["ports"], Some(named.receiver)), &named.forwarded);
        let Some(peers) = rule["to"].as_array().filter(|peers| !peers.is_empty()) else { return asked };
        peers.iter().fold(Passage::none(), |all, peer| {
            let passes = if peer["ipBlock"].is_null() {
                forwarded.then(&passage_of(stands_for(cluster, namespace, peer, named.face)))
            } else {
                asked.then(&passage_of(in_block(&peer["ipBlock"], named.face)))
            };
            all.or(&passes)
        })
    })
}

/// Everything when the wanted traffic passes, else nothing.
fn whole(passage: &Passage, wanted: &Traffic) -> Passage {
    match passage {
        it if it.certain.covers(wanted) => Passage::all(),
        it if it.possible.covers(wanted) => Passage::unknown(),
        _ => Passage::none(),
    }
}

fn passage_of(fact: Fact<bool>) -> Passage {
    match fact {
        Fact::Known(true) => Passage::all(),
        Fact::Known(false) => Passage::none(),
        Fact::Unknown => Passage::unknown(),
    }
}

/// Whether a peer that is pods stands for a Service.
fn stands_for(cluster: &Cluster, namespace: &str, peer: &Value, face: &Face) -> Fact<bool> {
    let of_pods =
        if peer["podSelector"].is_null() { Fact::Known(true) } else { selected(&peer["podSelector"], &face.selector) };
    both(in_namespace_of(cluster, namespace, peer, &face.namespace), of_pods)
}

/// Whether a block has a Service's address. One that will be made has some address.
fn in_block(json: &Value, face: &Face) -> Fact<bool> {
    let families = [Family::V4, Family::V6];
    let set = families.iter().fold(AddressSet::none(), |all, family| all.or(&block(json, *family)));
    let is_whole = |family: &Family| set.covers(&AddressSet::all().of_family(*family));
    match face.addresses.is_empty() {
        true if families.iter().all(is_whole) => Fact::Known(true),
        true if set.is_empty() => Fact::Known(false),
        _ => super::host::within(&set, &face.addresses),
    }
}

/// Judges by the rules of all policies that select a pod.
fn by_rules(
    cluster: &Cluster,
    (namespace, pod): (&str, &PodTemplate),
    direction: Direction,
    judge: impl Fn(&Value) -> Passage,
) -> Option<Judgement> {
    let member = direction.word();
    let mut judgement =
        Judgement { passage: Passage::none(), selecting: Vec::new(), by: Vec::new(), has_open_rules: false };
    let mut may_be_unselected = true;
    for (name, spec, is_here) in in_namespace(&cluster.network_policies, namespace) {
        let selected = match selects(spec, pod, direction) {
            Fact::Known(false) => continue,
            Fact::Known(true) if is_here => Fact::Known(true),
            _ => Fact::Unknown,
        };
        let is_sure = selected == Fact::Known(true);
        may_be_unselected &= !is_sure;
        judgement.has_open_rules |= is_open(spec) && spec.get(member).is_none();
        judgement.selecting.push(format!("{namespace}/{name}"));
        for (number, rule) in spec[member].as_array().into_iter().flatten().enumerate() {
            let passes = if has_open(rule) { Passage::unknown() } else { judge(rule) };
            if !passes.is_closed() {
                judgement.by.push(format!("NetworkPolicy {namespace}/{name}, {member} rule {}", number + 1));
            }
            let passes = if is_sure { passes } else { Passage::at_most(passes.possible) };
            judgement.passage = judgement.passage.or(&passes);
        }
    }
    if judgement.has_open_rules {
        judgement.passage.possible = Traffic::all();
    }
    if judgement.selecting.is_empty() {
        return None;
    }
    if may_be_unselected {
        judgement.passage = Passage { possible: Traffic::all(), ..judgement.passage };
    }
    Some(judgement)
}

/// Whether a policy is for a pod in a direction.
fn selects(spec: &Value, pod: &PodTemplate, direction: Direction) -> Fact<bool> {
    let types = spec["policyTypes"].as_array().filter(|types| !types.is_empty());
    // Without policyTypes a policy is for ingress, and for egress too when it has egress rules.
    let is_for = match (types, direction) {
        (Some(types), Direction::Ingress) => types.iter().any(|it| it == "Ingress"),
        (Some(types), Direction::Egress) => types.iter().any(|it| it == "Egress"),
        (None, Direction::Ingress) => true,
        (None, Direction::Egress) => spec["egress"].as_array().is_some_and(|rules| !rules.is_empty()),
    };
    let may_be_for = is_for || is_open(spec) && types.is_none();
    if !may_be_for {
        return Fact::Known(false);
    }
    if is_open(spec) && (spec.get("podSelector").is_none() || types.is_none()) {
        return Fact::Unknown;
    }
    selected(&spec["podSelector"], &pod.labels)
}

/// Whether a rule has parts that are not known yet.
fn has_open(rule: &Value) -> bool {
    match rule {
        Value::Object(members) => is_open(rule) || members.values().any(has_open),
        Value::Array(elements) => elements.iter().any(|it| it.is_null() || has_open(it)),
        _ => false,
    }
}

/// Whether labels are selected. An absent selector is for all.
fn selected(selector: &Value, labels: &Fact<Labels>) -> Fact<bool> {
    let selector = Selector::read(selector);
    match labels {
        _ if selector.is_everything() => Fact::Known(true),
        _ if selector.problem().is_some() => Fact::Known(false),
        Fact::Known(labels) if !selector.matches(labels) => Fact::Known(false),
        Fact::Known(_) if !selector.is_open() => Fact::Known(true),
        _ => Fact::Unknown,
    }
}

/// What a rule's ports let pass.
fn ports(ports: &Value, receiver: Option<&PodTemplate>) -> Passage {
    let Some(ports) = ports.as_array().filter(|ports| !ports.is_empty()) else { return Passage::all() };
    ports.iter().fold(Passage::none(), |all, port| all.or(&one_port(port, receiver)))
}

fn one_port(port: &Value, receiver: Option<&PodTemplate>) -> Passage {
    let name = port["protocol"].as_str().unwrap_or("TCP");
    let Some(protocol) = Protocol::named(name) else { return Passage::none() };
    let number = |value: &Value| value.as_u64().and_then(|it| u16::try_from(it).ok());
    match &port["port"] {
        Value::Null => Passage::exactly(Traffic::protocol(protocol)),
        Value::Number(_) => {
            let Some(first) = number(&port["port"]) else { return Passage::none() };
            let last = number(&port["endPort"]).unwrap_or(first);
            Passage::exactly(Traffic::of(protocol, first..=last.max(first)))
        }
        Value::String(wanted) => receiver
            .and_then(|pod| named_port(pod, wanted, name))
            .map_or_else(Passage::none, |port| Passage::exactly(Traffic::port(protocol, port))),
        _ => Passage::none(),
    }
}

fn named_port(pod: &PodTemplate, name: &str, protocol: &str) -> Option<u16> {
    let is_it = |port: &&crate::topology::ContainerPort| {
        port.name.as_deref() == Some(name) && port.protocol.eq_ignore_ascii_case(protocol)
    };
    pod.ports.iter().find(is_it).map(|port| port.port)
}

/// For how many of the other end's cases a rule's peers are.
fn peer(cluster: &Cluster, namespace: &str, peers: &Value, other: &Other<'_>, family: Family) -> Passage {
    let Some(peers) = peers.as_array().filter(|peers| !peers.is_empty()) else { return Passage::all() };
    let mut blocks = AddressSet::none();
    let mut passage = Passage::none();
    for peer in peers {
        if peer["ipBlock"].is_null() {
            passage = passage.or(&passage_of(is_pod(cluster, namespace, peer, other)));
        } else {
            blocks = blocks.or(&block(&peer["ipBlock"], family));
        }
    }
    let by_block = match super::host::within(&blocks, other.addresses) {
        Fact::Known(true) => Passage::all(),
        Fact::Known(false) => Passage::none(),
        Fact::Unknown if blocks.is_empty() => Passage::none(),
        Fact::Unknown => Passage::unknown(),
    };
    passage.or(&by_block)
}

fn block(block: &Value, family: Family) -> AddressSet {
    let read = |cidr: &Value| cidr.as_str().and_then(|cidr| cidr.parse::<IpNet>().ok());
    let Some(cidr) = read(&block["cidr"]) else { return AddressSet::none() };
    let except: AddressSet = block["except"].as_array().into_iter().flatten().filter_map(read).collect();
    AddressSet::from(cidr).without(&except).of_family(family)
}

fn is_pod(cluster: &Cluster, namespace: &str, peer: &Value, other: &Other<'_>) -> Fact<bool> {
    let Some((theirs, pod)) = other.pod else { return Fact::Known(false) };
    let is_selected =
        if peer["podSelector"].is_null() { Fact::Known(true) } else { selected(&peer["podSelector"], &pod.labels) };
    both(in_namespace_of(cluster, namespace, peer, theirs), is_selected)
}

/// Whether a peer is of a namespace.
fn in_namespace_of(cluster: &Cluster, namespace: &str, peer: &Value, theirs: &str) -> Fact<bool> {
    match &peer["namespaceSelector"] {
        Value::Null => is_same_namespace(theirs, namespace),
        wanted => {
            let labels = cluster.namespaces.get(theirs).map(|it| it.labels.clone());
            selected(wanted, &Fact::from(labels))
        }
    }
}

fn both(one: Fact<bool>, other: Fact<bool>) -> Fact<bool> {
    match (one, other) {
        (Fact::Known(false), _) | (_, Fact::Known(false)) => Fact::Known(false),
        (Fact::Known(true), Fact::Known(true)) => Fact::Known(true),
        _ => Fact::Unknown,
    }
}
