//! The way of a packet.

use super::{
    acl,
    ask::{Delivery, Placement, Question},
    end::{End, Wire},
    frame::Gate,
    groups, network_policy,
    oracle::Oracle,
    trail::{Fix, Trail},
};
use crate::{
    sets::{AddressSet, Family, Passage},
    topology::{Cluster, Direction, EnforcingMode, Fact, Id, Peer, Topology},
};

/// One case of one packet's way.
pub(super) struct Walk<'a> {
    pub(super) topology: &'a Topology,
    pub(super) question: &'a Question<'a>,
    pub(super) family: Family,
    pub(super) oracle: &'a mut Oracle,
    pub(super) trail: Trail,
    pub(super) from: &'a End,
    pub(super) to: &'a End,
    /// The destination's addresses, narrowed by the case.
    pub(super) to_addresses: AddressSet,
    /// Whether both are on one node in this case.
    pub(super) is_beside: bool,
    /// The places where groups judge, when what they say is left open.
    pub(super) gates: Option<Vec<Gate>>,
}

/// How a packet arrived: what its answer must undo.
pub(super) struct Arrival {
    /// Its source address as the receiver sees it.
    pub(super) source: AddressSet,
    /// The end that it left by; `None` when it came from outside or stayed on a node.
    pub(super) left_by: Option<(End, Option<Id>)>,
    /// Whether it came in by the receiver's interface; otherwise it left the networks or stayed on a node.
    pub(super) has_come_in: bool,
    /// The subnet that it came in by, when that is known.
    pub(super) came_in_by: Option<Id>,
    /// NAT gateways on the way.
    pub(super) gateways: Vec<Gateway>,
}

/// A NAT gateway on the way.
pub(super) struct Gateway {
    pub(super) id: Id,
    pub(super) subnet: Id,
    /// The source address before it.
    pub(super) before: AddressSet,
    pub(super) is_public: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        topology: &'a Topology,
        question: &'a Question<'a>,
        family: Family,
        oracle: &'a mut Oracle,
    ) -> Self {
        let (from, to) = (question.from, question.to);
        let trail = Trail::new(question.wanted.clone(), question.is_told);
        let to_addresses = to.addresses.of_family(family);
        let mut walk =
            Self { topology, question, family, oracle, trail, from, to, to_addresses, is_beside: false, gates: None };
        walk.is_beside = walk.decide_beside();
        walk
    }

    pub(super) fn cluster_of(&self, end: &End) -> Option<&'a Cluster> {
        self.topology.clusters.get(&end.guest.as_ref()?.cluster)
    }

    pub(super) fn decide_beside(&mut self) -> bool {
        let (Some(one), Some(other)) = (&self.from.guest, &self.to.guest) else { return false };
        if one.cluster != other.cluster || [self.from.wire, self.to.wire].contains(&Wire::Fargate) {
            return false;
        }
        match (self.question.placement, &one.node, &other.node) {
            (Placement::SameNode, ..) => true,
            (Placement::OtherNode, ..) => false,
            (Placement::Either, Fact::Known(one), Fact::Known(other)) => one == other,
            (Placement::Either, ..) => self.oracle.decide("both are on one node"),
        }
    }

    /// A fact, or one of its cases.
    pub(super) fn fact(&mut self, fact: Fact<bool>, question: &str) -> bool {
        match fact {
            Fact::Known(it) => it,
            Fact::Unknown => self.oracle.decide(question),
        }
    }

    pub(super) fn is_strict(&mut self, end: &End) -> bool {
        let mode = self.cluster_of(end).map_or(Fact::Unknown, |cluster| cluster.cni.mode);
        self.fact(mode.map(|mode| mode == EnforcingMode::Strict), "the enforcing mode is strict")
    }

    /// The subnet that an end is in, in this case.
    pub(super) fn subnet_of(&mut self, end: &End, question: &str) -> Option<Id> {
        let subnets = if self.question.is_told { end.subnets.iter().collect() } else { self.unlike(end) };
        let chosen = self.oracle.choose(question, subnets.len());
        subnets.get(chosen).map(|it| (*it).clone())
    }

    /// Subnets that something tells apart. Of those under one network ACL two are enough: one that is the other end's, too, and one
    /// that is not.
    pub(super) fn unlike<'b>(&self, end: &'b End) -> Vec<&'b Id> {
        let mut seen: Vec<(Option<&crate::topology::Subnet>, usize)> = Vec::new();
        let mut kept = Vec::new();
        for id in &end.subnets {
            let subnet = self.topology.subnets.get(id);
            let is_like = |other: Option<&crate::topology::Subnet>| match (subnet, other) {
                (None, None) => true,
                (Some(one), Some(other)) => {
                    (&one.vpc, &one.route_table, &one.acl) == (&other.vpc, &other.route_table, &other.acl)
                }
                _ => false,
            };
            let enough = if subnet.is_some_and(|it| it.acl.is_known()) { 2 } else { 1 };
            match seen.iter_mut().find(|(other, _)| is_like(*other)) {
                Some((_, count)) if *count >= enough => continue,
                Some((_, count)) => *count += 1,
                None => seen.push((subnet, 1)),
            }
            kept.push(id);
        }
        kept
    }

    /// Walks there and back.
    pub(super) fn whole(&mut self) {
        if let Some(arrival) = self.there() {
            self.back(&arrival);
        }
    }

    /// Walks there. `None` when the way leads nowhere.
    pub(super) fn there(&mut self) -> Option<Arrival> {
        let (from, to) = (self.from, self.to);
        if !from.is_in_use {
            self.trail.stop(&from.name, "nothing sends from there: its address is attached to nothing", None);
            return None;
        }
        if self.question.delivery == Delivery::OnNode {
            return self.hand_to_pod();
        }
        if self.is_to_itself() {
            self.trail.pass(
                &from.name,
                "what one sends to oneself stays there: neither groups nor policies see it",
                None,
            );
            return Some(self.stayed());
        }
        let destination = self.to_addresses.clone();
        if self.question.delivery != Delivery::ByService {
            self.police(from, to, Direction::Egress, &destination);
        }
        if let Some(stays) = self.stay_on_node() {
            if stays {
                let source = from.addresses.of_family(self.family);
                self.police(to, from, Direction::Ingress, &source);
                return Some(self.stayed());
            }
            return None;
        }
        if self.trail.is_over() {
            return None;
        }
        let arrival = match from.wire {
            Wire::Outside => self.come_from_outside(),
            Wire::Anywhere => Some(self.come_from_anywhere()),
            _ => self.leave(),
        }?;
        if arrival.has_come_in {
            self.enter(&arrival);
        }
        Some(arrival)
    }

    /// Whether it is one address that speaks to itself: the kernel delivers that without a network. The documentation of
    /// NetworkPolicies says so of pods, too: one "cannot block access to itself".
    pub(super) fn is_to_itself(&self) -> bool {
        let (from, to) = (self.from, self.to);
        let address = from.addresses.of_family(self.family).single();
        let is_known = from.wire != Wire::Outside && from.vpc.is_known() && from.vpc == to.vpc;
        is_known && address.is_some() && address == self.to_addresses.single()
    }

    /// The arrival of a packet that did not leave its node.
    pub(super) fn stayed(&self) -> Arrival {
        let source = self.from.addresses.of_family(self.family);
        Arrival { source, left_by: None, has_come_in: false, came_in_by: None, gateways: Vec::new() }
    }

    // --- at a pod ---------------------------------------------------------------------------------------------------

    /// NetworkPolicies at a pod. `peer` is the other end as the packet shows it.
    pub(super) fn police(&mut self, at: &End, peer: &End, direction: Direction, addresses: &AddressSet) {
        let Some((cluster_id, namespace, pod)) = at.policed_pod() else { return };
        if at.wire == Wire::Fargate {
            return;
        }
        let Some(cluster) = self.topology.clusters.get(cluster_id) else { return };
        let pod_there = peer.policed_pod().filter(|(theirs, ..)| *theirs == cluster_id);
        let other = network_policy::Other { addresses, pod: pod_there.map(|(_, namespace, pod)| (namespace, pod)) };
        let Some(judged) = network_policy::judge(cluster, (namespace, pod), direction, &other, self.family) else {
            return;
        };
        if !self.fact(cluster.cni.has_network_policies, "NetworkPolicies are enforced") {
            return;
        }
        // "Traffic to and from the node where a Pod is running is always allowed" (the page on NetworkPolicies).
        if self.is_beside && peer.guest.is_some() && peer.policed_pod().is_none() {
            self.trail.pass(&at.name, "traffic with the pod's own node passes NetworkPolicies", None);
            return;
        }
        let way = direction.word();
        self.trail.meet(&judged.passage, || {
            let is_let = judged.by.is_empty();
            let what = if is_let {
                format!("NetworkPolicies select the pod, and no rule lets this {way} pass")
            } else {
                format!("NetworkPolicies let this {way} pass")
            };
            let by = if is_let {
                judged.selecting.iter().map(|it| format!("NetworkPolicy {it}")).collect()
            } else {
                judged.by
            };
            (at.name.clone(), what, Some(by.join(", ")))
        });
        if self.trail.passage.certain.is_empty() {
            let policies = judged.selecting.join(", ");
            let (name, peer) = (&at.name, &peer.name);
            self.trail.mend(|| {
                Fix::Other(format!("an {way} rule for {peer} in a NetworkPolicy for {name} (now {policies})"))
            });
        }
    }

    // --- groups and ACLs --------------------------------------------------------------------------------------------

    pub(super) fn judge_groups(&mut self, at: &End, direction: Direction, addresses: &AddressSet, there: Option<&End>) {
        if self.trail.is_over() || self.passes_open_relay(at) || self.leave_open(at, direction, addresses, there) {
            return;
        }
        let other = groups::Other { addresses, interface: there };
        let wanted = self.question.wanted.clone();
        let mut judged = groups::judge(self.topology, at, direction, &other, self.family, &wanted);
        if self.question.counts_unknown_rules && !judged.open.is_empty() {
            judged.passage.possible = wanted.clone();
        }
        let hidden = self.count_hidden_rules(&mut judged.passage, at, direction, there);
        let way = direction.word();
        for group in &judged.open {
            let known = judged.passage.certain.covers(&self.trail.passage.certain);
            if !known {
                self.trail.meet(&Passage::all(), || {
                    (group.to_string(), "not all rules of this group are known".to_owned(), None)
                });
            }
        }
        let is_closed = judged.passage.certain.and(&wanted).is_empty();
        let groups = || at.groups.known().map_or_else(|| "groups that are not known yet".to_owned(), |ids| joined(ids));
        self.trail.meet(&judged.passage, || {
            let by: Vec<String> = judged.by.iter().map(|(group, rule)| groups::told(group, rule)).collect();
            if let Some(what) = hidden.clone().filter(|_| is_closed) {
                return (at.name.clone(), what, Some(groups()));
            }
            if by.is_empty() {
                let what = match (&at.groups, judged.open.is_empty()) {
                    (Fact::Unknown, _) | (_, false) => format!("nobody can say whether its groups let this {way} pass"),
                    _ => format!("no {way} rule of its groups lets this pass"),
                };
                return (at.name.clone(), what, Some(groups()));
            }
            (at.name.clone(), format!("its groups let the {way} pass"), Some(by.join("; ")))
        });
        if is_closed && hidden.is_none() {
            self.mend_groups(at, direction, there, addresses);
        }
    }

    pub(super) fn mend_groups(&mut self, at: &End, direction: Direction, there: Option<&End>, addresses: &AddressSet) {
        let Some(first) = at.groups.known().and_then(|groups| groups.first()) else { return };
        let (topology, family) = (self.topology, self.family);
        let own = |end: &End| end.groups.known().and_then(|groups| own_of(topology, groups)).cloned();
        let peer = || match (there.and_then(own), addresses.single()) {
            (Some(group), _) => Peer::Group(group),
            (None, Some(address)) => Peer::Block(address.into()),
            (None, None) => any(family),
        };
        let traffic = self.question.wanted.clone();
        let group = || own(at).unwrap_or_else(|| first.clone());
        self.trail.mend(|| Fix::Rule { group: group(), direction, peer: peer(), traffic });
    }

    /// A subnet's network ACL, which judges each packet alone.
    pub(super) fn judge_acl(&mut self, subnet: &Id, direction: Direction, addresses: &AddressSet) {
        let wanted = self.question.wanted.clone();
        let Some((id, acl)) = self.acl_of(subnet) else { return };
        let (passage, by) = acl::judge(acl, direction, addresses, self.family, &wanted);
        let way = if direction == Direction::Egress { "out of" } else { "into" };
        self.trail.meet(&passage, || {
            let verb = if passage.is_closed() { "does not let it" } else { "lets it" };
            let by = by.iter().map(|entry| acl::told(entry)).collect::<Vec<_>>().join("; ");
            (subnet.to_string(), format!("network ACL {id} {verb} {way} the subnet"), Some(by))
        });
        if passage.certain.and(&wanted).is_empty() {
            let way = direction.word();
            self.trail.mend(|| Fix::Other(format!("an {way} entry in network ACL {id}")));
        }
    }

    /// The ACL of a subnet; taken to be open where nobody told it.
    pub(super) fn acl_of(&mut self, subnet: &Id) -> Option<(&'a Id, &'a crate::topology::Acl)> {
        let topology = self.topology;
        let id = topology.subnets.get(subnet).and_then(|subnet| subnet.acl.known());
        let found = id.and_then(|id| topology.acls.get_key_value(id));
        if found.is_none() {
            self.trail.assume(format_args!("the network ACL of {subnet} lets it pass"));
        }
        found
    }
}

/// Of several groups that which the fewest policies give: a rule in one that all pods share would open it to all of them.
fn own_of<'a>(topology: &Topology, groups: &'a [Id]) -> Option<&'a Id> {
    let clusters = || topology.clusters.values();
    let policies = || clusters().flat_map(|it| it.policies.values());
    let gives = |id: &Id| policies().filter(|it| it.groups.known().is_some_and(|all| all.contains(id))).count();
    groups.iter().min_by_key(|id| (clusters().any(|it| it.group.known() == Some(*id)), gives(id)))
}

fn any(family: Family) -> Peer {
    let block = if family == Family::V4 { ipnet::Ipv4Net::default().into() } else { ipnet::Ipv6Net::default().into() };
    Peer::Block(block)
}

fn joined(ids: &[Id]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
