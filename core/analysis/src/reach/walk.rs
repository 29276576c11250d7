//! The way of a packet.

use std::{collections::BTreeSet, ops::RangeInclusive};

use super::{
    acl,
    end::{End, Public, Wire},
    groups, host, network_policy,
    oracle::Oracle,
    routes::{self, Way},
    trail::{Fix, Hop, Trail},
};
use crate::{
    sets::{AddressSet, Family, Passage, Traffic},
    topology::{Cluster, Direction, EnforcingMode, Fact, Id, Peer, Target, Topology},
};

/// Whether the two ends are on one node, when that does not follow from their nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// Both cases count.
    #[default]
    Either,
    /// On one node.
    SameNode,
    /// On two.
    OtherNode,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Who begins.
    pub from: &'a End,
    /// Who answers.
    pub to: &'a End,
    /// The traffic that is asked for.
    pub wanted: Traffic,
    /// Whether they are on one node.
    pub placement: Placement,
    /// The ports that clients answer at: Linux takes 32768-60999 (`net.ipv4.ip_local_port_range`).
    pub client_ports: RangeInclusive<u16>,
    /// Whether hops and fixes are wanted.
    pub is_told: bool,
    /// Whether rules that nobody told count as possible. A matrix is about those that are known.
    pub counts_unknown_rules: bool,
}

impl<'a> Question<'a> {
    /// Asks for everything, wherever both are.
    pub fn new(from: &'a End, to: &'a End) -> Self {
        Self {
            from,
            to,
            wanted: Traffic::all(),
            placement: Placement::Either,
            client_ports: 32_768..=60_999,
            is_told: false,
            counts_unknown_rules: true,
        }
    }

    /// The same, for some traffic, with the way.
    #[must_use]
    pub fn told(mut self, wanted: Traffic) -> Self {
        self.wanted = wanted;
        self.is_told = true;
        self
    }
}

/// What is so.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What passes, there and back.
    pub passage: Passage,
    /// The way of the case that decides: the most closed one.
    pub hops: Vec<Hop>,
    /// What nobody told and is taken to be open.
    pub assumptions: BTreeSet<String>,
    /// What would open the way, where it is closed.
    pub fixes: Vec<Fix>,
}

/// An answer in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of the traffic passes, in every case.
    Reachable,
    /// Some of it passes, or in some of the cases, or nobody can say.
    Depends,
    /// Nothing passes.
    Unreachable,
}

impl Answer {
    /// The verdict for the traffic that was asked for.
    pub fn verdict(&self, wanted: &Traffic) -> Verdict {
        match &self.passage {
            it if it.certain.covers(wanted) => Verdict::Reachable,
            it if it.is_closed() => Verdict::Unreachable,
            _ => Verdict::Depends,
        }
    }
}

/// Answers a question, over both families where both ends have both.
pub fn ask(topology: &Topology, question: &Question<'_>) -> Answer {
    let mut answer: Option<Answer> = None;
    for family in [Family::V4, Family::V6] {
        if !speaks(question.from, family) || !speaks(question.to, family) {
            continue;
        }
        let next = in_family(topology, question, family);
        answer = Some(match answer {
            None => next,
            Some(known) => known.or(next),
        });
    }
    answer.unwrap_or_else(|| Answer {
        passage: Passage::none(),
        hops: vec![Hop {
            at: question.from.name.clone(),
            what: format!("it and {} have no address of one family", question.to.name),
            by: None,
            outcome: super::Outcome::Stops,
        }],
        assumptions: BTreeSet::new(),
        fixes: Vec::new(),
    })
}

/// Whether an end has addresses of a family. Addresses that are not known are taken to be IPv4.
fn speaks(end: &End, family: Family) -> bool {
    if end.addresses.is_empty() { family == Family::V4 } else { !end.addresses.of_family(family).is_empty() }
}

impl Answer {
    /// Either way will do.
    fn or(self, other: Self) -> Self {
        let passage = self.passage.or(&other.passage);
        let best = if self.passage == passage { self } else { other };
        Self { passage, ..best }
    }

    /// Both cases count; the more closed one is shown.
    pub(super) fn either(self, other: Self) -> Self {
        let passage = self.passage.either(&other.passage);
        let assumptions = self.assumptions.union(&other.assumptions).cloned().collect();
        let is_more_closed = |one: &Passage, than: &Passage| {
            than.certain.covers(&one.certain) && than.possible.covers(&one.possible) && one != than
        };
        let shown = if is_more_closed(&other.passage, &self.passage) { other } else { self };
        Self { passage, assumptions, ..shown }
    }
}

fn in_family(topology: &Topology, question: &Question<'_>, family: Family) -> Answer {
    let mut oracle = Oracle::default();
    let mut answer: Option<Answer> = None;
    let mut left = Oracle::limit();
    loop {
        let mut walk = Walk::new(topology, question, family, &mut oracle);
        if let Some(arrival) = walk.there() {
            walk.back(&arrival);
        }
        let Trail { passage, hops, assumptions, fixes, .. } = walk.trail;
        let case = Answer { passage, hops, assumptions, fixes };
        let mut all = match answer.take() {
            None => case,
            Some(known) => known.either(case),
        };
        left -= 1;
        if left == 0 {
            all.passage = Passage::at_most(question.wanted.clone());
        }
        if left == 0 || !oracle.next() {
            return all;
        }
        answer = Some(all);
    }
}

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
    fn new(topology: &'a Topology, question: &'a Question<'a>, family: Family, oracle: &'a mut Oracle) -> Self {
        let (from, to) = (question.from, question.to);
        let trail = Trail::new(question.wanted.clone(), question.is_told);
        let to_addresses = to.addresses.of_family(family);
        let mut walk = Self { topology, question, family, oracle, trail, from, to, to_addresses, is_beside: false };
        walk.is_beside = walk.decide_beside();
        walk
    }

    pub(super) fn cluster_of(&self, end: &End) -> Option<&'a Cluster> {
        self.topology.clusters.get(&end.guest.as_ref()?.cluster)
    }

    fn decide_beside(&mut self) -> bool {
        let (Some(one), Some(other)) = (&self.from.guest, &self.to.guest) else { return false };
        if one.cluster != other.cluster || [self.from.wire, self.to.wire].contains(&Wire::Fargate) {
            return false;
        }
        match (&one.node, &other.node, self.question.placement) {
            (Fact::Known(one), Fact::Known(other), _) => one == other,
            (.., Placement::SameNode) => true,
            (.., Placement::OtherNode) => false,
            (.., Placement::Either) => self.oracle.decide("both are on one node"),
        }
    }

    /// A fact, or one of its cases.
    fn fact(&mut self, fact: Fact<bool>, question: &str) -> bool {
        match fact {
            Fact::Known(it) => it,
            Fact::Unknown => self.oracle.decide(question),
        }
    }

    fn is_strict(&mut self, end: &End) -> bool {
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
    fn unlike<'b>(&self, end: &'b End) -> Vec<&'b Id> {
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

    /// Walks there. `None` when the way leads nowhere.
    fn there(&mut self) -> Option<Arrival> {
        let (from, to) = (self.from, self.to);
        if !from.is_in_use {
            self.trail.stop(&from.name, "nothing sends from there: its address is attached to nothing", None);
            return None;
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
        self.police(from, to, Direction::Egress, &destination);
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
    fn is_to_itself(&self) -> bool {
        let (from, to) = (self.from, self.to);
        let address = from.addresses.of_family(self.family).single();
        let is_known = from.wire != Wire::Outside && from.vpc.is_known() && from.vpc == to.vpc;
        is_known && address.is_some() && address == self.to_addresses.single()
    }

    /// The arrival of a packet that did not leave its node.
    fn stayed(&self) -> Arrival {
        let source = self.from.addresses.of_family(self.family);
        Arrival { source, left_by: None, has_come_in: false, came_in_by: None, gateways: Vec::new() }
    }

    // --- at a pod ---------------------------------------------------------------------------------------------------

    /// NetworkPolicies at a pod. `peer` is the other end as the packet shows it.
    fn police(&mut self, at: &End, peer: &End, direction: Direction, addresses: &AddressSet) {
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
        if direction == Direction::Ingress && self.is_beside && peer.guest.is_some() && peer.policed_pod().is_none() {
            self.trail.pass(&at.name, "traffic from the pod's own node passes NetworkPolicies", None);
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

    // --- on the node ------------------------------------------------------------------------------------------------

    /// Whether the packet stays on its node: `Some(true)` it arrived there, `Some(false)` it ended there, `None` it leaves.
    fn stay_on_node(&mut self) -> Option<bool> {
        let (from, to) = (self.from, self.to);
        if host::within(&host::link_local(), &self.to_addresses) == Fact::Known(true) {
            return Some(self.link_local());
        }
        if !self.is_beside {
            return None;
        }
        if !from.is_branch() && !to.is_branch() {
            self.trail.pass(&from.name, "stays on the node, where no security group sees it", None);
            return Some(true);
        }
        if self.is_strict(from) {
            self.early_demux();
            let what = "strict mode: traffic of a pod with a branch interface leaves the node, to the same node too";
            self.trail.pass(&from.name, what, None);
            return None;
        }
        if from.is_branch() && to.is_branch() && !have_same_groups(from, to) {
            let what = "standard mode: whether pods with different groups on one node reach each other is not specified \
                        (the EKS user guide says no, the VPC CNI's README says their groups are not enforced)";
            self.trail.lose(&from.name, what);
            return Some(true);
        }
        self.trail.pass(&from.name, "standard mode: traffic on one node stays there, no security group sees it", None);
        Some(true)
    }

    /// Kubelet's TCP to a branch interface on its node needs early demultiplexing switched off.
    fn early_demux(&mut self) {
        if self.from.wire != Wire::Host || !self.to.is_branch() {
            return;
        }
        let is_off = self.cluster_of(self.to).map_or(Fact::Unknown, |cluster| cluster.cni.is_early_demux_off);
        if self.fact(is_off, "TCP early demultiplexing is off") {
            return;
        }
        let all_but_tcp = Traffic::all().without(&Traffic::protocol(crate::sets::Protocol::TCP));
        self.trail.meet(&Passage::exactly(all_but_tcp), || {
            let what = "strict mode: TCP between a node and a branch interface on it needs DISABLE_TCP_EARLY_DEMUX=true on \
                        the VPC CNI's init container";
            (self.from.name.clone(), what.to_owned(), Some("DISABLE_TCP_EARLY_DEMUX".to_owned()))
        });
        self.trail.mend(|| Fix::Other("disable_tcp_early_demux = true in sgp_pod_eni".to_owned()));
    }

    fn link_local(&mut self) -> bool {
        let from = self.from;
        if from.wire == Wire::Outside {
            self.trail.stop(&from.name, "link-local addresses are reached from the same link only", None);
            return false;
        }
        if from.is_branch() && self.is_strict(from) {
            let what = "strict mode: link-local services of the node cannot be reached from a branch interface";
            self.trail.stop(&from.name, what, None);
            self.trail.mend(|| Fix::Other("enforcing_mode = \"standard\" in sgp_pod_eni".to_owned()));
            return false;
        }
        self.trail.pass(&from.name, "a link-local service: no security group and no network ACL sees it", None);
        true
    }

    // --- out --------------------------------------------------------------------------------------------------------

    /// The end that a packet leaves by: its own interface, or its node's when the node puts its address in place.
    fn way_out(&mut self) -> Option<End> {
        let from = self.from;
        let may_translate = match from.wire {
            Wire::Branch => !self.is_strict(from),
            Wire::Shared => true,
            Wire::Outside | Wire::Anywhere | Wire::Plain | Wire::Host | Wire::Fargate => false,
        };
        let translated = may_translate && {
            let in_vpc = self.is_in_vpc(from);
            let translated = self
                .cluster_of(from)
                .map_or(Fact::Unknown, |it| host::translates(&it.cni, &self.to_addresses, self.family, in_vpc));
            self.fact(translated, "the node puts its own address in place of the pod's")
        };
        if !translated {
            let what = if from.is_branch() { "leaves by its branch interface" } else { "leaves by its interface" };
            self.trail.pass(&from.name, what, None);
            return Some(from.clone());
        }
        let Some(node) = from.host_end() else {
            self.trail.lose(&from.name, "its node's interface is not known");
            return None;
        };
        let what = "the node puts its own address in place of the pod's (AWS_VPC_K8S_CNI_EXTERNALSNAT=false): its groups count";
        self.trail.pass(&from.name, what, None);
        Some(node)
    }

    fn is_in_vpc(&self, end: &End) -> Fact<bool> {
        let Fact::Known(vpc) = &end.vpc else { return Fact::Unknown };
        if let Some(addresses) = self.topology.vpc_addresses(vpc).filter(|_| !self.to_addresses.is_empty()) {
            return host::within(&addresses, &self.to_addresses);
        }
        match (&self.to.vpc, self.to.wire) {
            (_, Wire::Outside) => Fact::Known(false),
            (Fact::Known(theirs), _) => Fact::Known(theirs == vpc),
            (Fact::Unknown, _) => Fact::Unknown,
        }
    }

    fn leave(&mut self) -> Option<Arrival> {
        let out = self.way_out()?;
        let source = out.addresses.of_family(self.family);
        if !self.is_resolver(&out) {
            let destination = self.to_addresses.clone();
            let there = self.has_interface_near(&out).then_some(self.to);
            self.judge_groups(&out, Direction::Egress, &destination, there);
        }
        let subnet = self.subnet_of(&out, "the sender's subnet");
        let mut arrival = Arrival {
            source,
            left_by: Some((out, subnet.clone())),
            has_come_in: false,
            came_in_by: None,
            gateways: Vec::new(),
        };
        if self.trail.is_over() {
            return None;
        }
        self.route(subnet.as_ref(), &mut arrival).then_some(arrival)
    }

    /// Whether the destination is an interface in this VPC or a peered one.
    fn has_interface_near(&self, out: &End) -> bool {
        if self.to.wire == Wire::Outside {
            return false;
        }
        match (&out.vpc, &self.to.vpc) {
            (Fact::Known(one), Fact::Known(other)) => self.topology.are_near(one, other),
            _ => true,
        }
    }

    /// Whether the destination is the Amazon DNS server: the VPC's base address plus two.
    pub(super) fn is_resolver(&self, out: &End) -> bool {
        let Some(std::net::IpAddr::V4(address)) = self.to_addresses.single() else { return false };
        let vpc = out.vpc.known().and_then(|vpc| self.topology.vpcs.get(vpc));
        let first = vpc.and_then(|vpc| vpc.blocks.known()).and_then(|blocks| blocks.first());
        let Some(ipnet::IpNet::V4(block)) = first else { return false };
        block.network().to_bits().checked_add(2) == Some(address.to_bits())
    }

    /// Follows routes from a subnet; false when they lead nowhere.
    fn route(&mut self, subnet: Option<&Id>, arrival: &mut Arrival) -> bool {
        let Some((out, _)) = &arrival.left_by else { return false };
        let vpc = match (arrival.gateways.last(), &out.vpc) {
            (Some(gateway), _) => self.topology.subnets.get(&gateway.subnet).map_or(Fact::Unknown, |it| it.vpc.clone()),
            (None, vpc) => vpc.clone(),
        };
        if arrival.gateways.is_empty() && self.is_resolver(out) {
            self.trail.pass("VPC resolver", "the Amazon DNS server answers; groups and ACLs do not see it", None);
            return true;
        }
        let Some(subnet) = subnet else { return self.route_unknown("a subnet that is not known", &vpc, arrival) };
        let there = (self.to.wire != Wire::Outside).then(|| self.subnet_of(self.to, "the receiver's subnet")).flatten();
        if there.as_ref() != Some(subnet) {
            let destination = self.to_addresses.clone();
            self.judge_acl(subnet, Direction::Egress, &destination);
        }
        let ways = match routes::of(self.topology, subnet, &self.to_addresses, self.family) {
            Way::Unknown => return self.route_unknown(&subnet.to_string(), &vpc, arrival),
            Way::Routes(ways) => ways,
        };
        // One case for the addresses of each route.
        let chosen = self.oracle.choose(&format!("the route out of {subnet}"), ways.len());
        let Some((part, route)) = ways.into_iter().nth(chosen) else {
            // The destination's address is not known.
            return self.route_unknown(&subnet.to_string(), &vpc, arrival);
        };
        self.to_addresses = part;
        let Some((table, route)) = route else {
            let what = format!("no route to {}", self.to_addresses);
            self.trail.stop(subnet, what, None);
            let name = &self.to.name;
            self.trail.mend(|| Fix::Other(format!("a route from {subnet} to {name}")));
            return false;
        };
        let told = routes::told(table, route);
        self.follow(subnet, &vpc, &route.target, told, arrival)
    }

    /// Where nobody told the routes: those of the VPC are always there, others are taken to be.
    fn route_unknown(&mut self, subnet: &str, vpc: &Fact<Id>, arrival: &mut Arrival) -> bool {
        let to = self.to;
        if to.wire == Wire::Outside {
            self.trail.assume(format!("{subnet} has a route to {}", to.name));
            self.trail.pass(subnet, format!("taken to have a route to {}: its routes are not known", to.name), None);
            return true;
        }
        match (vpc, &to.vpc) {
            (Fact::Known(one), Fact::Known(other)) if one == other => {
                self.trail.pass(subnet, "routed within the VPC", None);
            }
            _ => {
                self.trail.assume(format!("a route leads from {subnet} to {}", to.name));
                self.trail.pass(
                    subnet,
                    format!("taken to have a route to {}: its routes are not known", to.name),
                    None,
                );
            }
        }
        self.come_in(Some(subnet), arrival);
        true
    }

    fn follow(&mut self, subnet: &Id, vpc: &Fact<Id>, target: &Target, told: String, arrival: &mut Arrival) -> bool {
        match target {
            Target::Local => self.deliver(subnet, vpc, told, arrival),
            Target::Internet(gateway) => self.over_internet_gateway(gateway, told, arrival),
            Target::Nat(gateway) => self.through_nat(gateway, told, arrival),
            Target::Peering(connection) => self.over_peering(connection, subnet, vpc, told, arrival),
            Target::Endpoint(endpoint) => {
                self.trail.pass(endpoint, "a gateway endpoint takes it to the service", Some(told));
                true
            }
            Target::Blackhole(_) => {
                self.trail.stop(subnet, "the route's target is gone (blackhole)", Some(told));
                false
            }
            Target::Other(target) => {
                self.trail.lose(target, "what this leads to is not followed");
                self.come_in(None, arrival);
                true
            }
        }
    }

    fn deliver(&mut self, subnet: &Id, vpc: &Fact<Id>, told: String, arrival: &mut Arrival) -> bool {
        let is_there = self.to.wire != Wire::Outside
            && match (vpc, &self.to.vpc) {
                (Fact::Known(one), Fact::Known(other)) => one == other,
                _ => true,
            };
        if !is_there {
            let what = format!("nothing in the VPC has {}", self.to_addresses);
            self.trail.stop(subnet, what, Some(told));
            return false;
        }
        self.trail.pass(subnet, "routed within the VPC", Some(told));
        self.come_in(Some(subnet.as_str()), arrival);
        true
    }

    /// Into the receiver's subnet. `from` is the subnet it comes from; within one subnet no ACL sees it.
    fn come_in(&mut self, from: Option<&str>, arrival: &mut Arrival) {
        let there = self.subnet_of(self.to, "the receiver's subnet");
        if let Some(there) = there.as_ref().filter(|there| Some(there.as_str()) != from) {
            let source = arrival.source.clone();
            self.judge_acl(there, Direction::Ingress, &source);
        }
        arrival.has_come_in = true;
        arrival.came_in_by = there;
    }

    fn over_internet_gateway(&mut self, gateway: &Id, told: String, arrival: &mut Arrival) -> bool {
        let public = match (self.family, arrival.gateways.last(), &arrival.left_by) {
            (Family::V6, ..) => Public::Yes,
            (_, Some(gateway), _) if gateway.is_public => Public::Yes,
            (_, None, Some((out, _))) => out.public,
            _ => Public::No,
        };
        let sender = arrival.left_by.as_ref().map_or_else(String::new, |(out, _)| out.name.clone());
        match public {
            Public::Yes => {}
            Public::Unknown => self.trail.assume(format!("{sender} has a public address")),
            Public::No => {
                let what =
                    format!("{sender} has no public address, and the internet gateway drops what it cannot translate");
                self.trail.stop(gateway, what, Some(told));
                self.trail.mend(|| Fix::Other(format!("a NAT gateway for the subnets of {sender}")));
                return false;
            }
        }
        let internet = AddressSet::internet();
        if !internet.meets(&self.to_addresses) {
            let what = format!("nobody on the internet has {}", self.to_addresses);
            self.trail.stop(gateway, what, Some(told));
            return false;
        }
        self.trail.pass(gateway, "goes out to the internet", Some(told));
        let is_ours = |address: std::net::IpAddr| {
            self.topology.interfaces.values().any(|it| it.public.iter().any(|(_, public)| *public == address))
        };
        if self.to_addresses.single().is_some_and(is_ours) {
            self.trail
                .lose(&self.to.name, "is a public address of an interface here; ask with FROM internet for its way in");
            return false;
        }
        true
    }

    fn through_nat(&mut self, id: &Id, told: String, arrival: &mut Arrival) -> bool {
        let Some(nat) = self.topology.nat_gateways.get(id) else {
            self.trail.stop(id, "the NAT gateway is not there", Some(told));
            return false;
        };
        if !nat.is_available {
            self.trail.stop(id, "the NAT gateway is not available", Some(told));
            return false;
        }
        if arrival.gateways.iter().any(|gateway| gateway.id == *id) {
            self.trail.stop(id, "the NAT gateway's own subnet routes back to it", Some(told));
            return false;
        }
        let before = arrival.source.clone();
        let left = arrival.gateways.last().map(|gateway| gateway.subnet.clone());
        let left = left.or_else(|| arrival.left_by.as_ref().and_then(|(_, subnet)| subnet.clone()));
        self.trail.pass(id, "the NAT gateway puts its own address in place", Some(told));
        if left.as_ref() != Some(&nat.subnet) {
            self.judge_acl(&nat.subnet, Direction::Ingress, &before);
        }
        arrival.source = nat.address.known().map_or_else(AddressSet::none, |address| AddressSet::from(*address));
        let gateway = Gateway { id: id.clone(), subnet: nat.subnet.clone(), before, is_public: nat.is_public };
        arrival.gateways.push(gateway);
        self.route(Some(&nat.subnet), arrival)
    }

    fn over_peering(&mut self, id: &Id, subnet: &Id, vpc: &Fact<Id>, told: String, arrival: &mut Arrival) -> bool {
        let other = vpc.known().and_then(|vpc| self.topology.other_end(id, vpc));
        let Some(other) = other else {
            self.trail.stop(id, "the peering connection is not active", Some(told));
            return false;
        };
        if self.to.wire == Wire::Outside || self.to.vpc.known().is_some_and(|theirs| theirs != other) {
            let what = format!("nothing in {other} has {}; peering does not lead further", self.to_addresses);
            self.trail.stop(id, what, Some(told));
            return false;
        }
        self.trail.pass(id, format!("peered to {other}"), Some(told));
        self.come_in(Some(subnet.as_str()), arrival);
        true
    }

    // --- in ---------------------------------------------------------------------------------------------------------

    fn come_from_anywhere(&mut self) -> Arrival {
        let source = self.from.addresses.of_family(self.family);
        let mut arrival = Arrival { source, left_by: None, has_come_in: false, came_in_by: None, gateways: Vec::new() };
        self.come_in(None, &mut arrival);
        arrival
    }

    fn come_from_outside(&mut self) -> Option<Arrival> {
        let to = self.to;
        if to.wire == Wire::Outside {
            self.trail.lose(&self.from.name, "neither end is in the networks that are known");
            return None;
        }
        let public = if self.family == Family::V6 { Public::Yes } else { to.public };
        match public {
            Public::Yes => {}
            Public::Unknown => self.trail.assume(format!("{} has a public address", to.name)),
            Public::No => {
                self.trail.stop(&to.name, "has no public address, so nothing from outside reaches it", None);
                return None;
            }
        }
        let gateway = to.vpc.known().and_then(|vpc| {
            let is_its = |(_, gateway): &(&Id, &crate::topology::InternetGateway)| gateway.vpc.as_ref() == Some(vpc);
            self.topology.internet_gateways.iter().find(is_its)
        });
        match gateway {
            Some((id, _)) => self.trail.pass(id, "comes in from the internet", None),
            None if self.knows_gateways(to) => {
                self.trail.stop(&to.name, "its VPC has no internet gateway", None);
                return None;
            }
            None => self.trail.assume(format!("the VPC of {} has an internet gateway", to.name)),
        }
        let source = self.from.addresses.of_family(self.family);
        let mut arrival = Arrival { source, left_by: None, has_come_in: false, came_in_by: None, gateways: Vec::new() };
        self.come_in(None, &mut arrival);
        Some(arrival)
    }

    /// Whether the routes around an end are known, and with them its VPC's gateways.
    fn knows_gateways(&self, end: &End) -> bool {
        end.subnets.iter().any(|id| {
            let table = self.topology.subnets.get(id).and_then(|subnet| subnet.route_table.known());
            table.is_some_and(|table| self.topology.route_tables.contains_key(table))
        })
    }

    /// Into the receiving interface and what is behind it.
    fn enter(&mut self, arrival: &Arrival) {
        let to = self.to;
        if !to.is_in_use {
            self.trail.stop(&to.name, "its interface is attached to nothing", None);
            return;
        }
        // What a NAT gateway sends has no groups.
        let sender = arrival.left_by.as_ref().map(|(out, _)| out).filter(|_| arrival.gateways.is_empty());
        self.judge_groups(to, Direction::Ingress, &arrival.source, sender);
        if to.is_branch() {
            self.trail.pass(&to.name, "comes in by its branch interface", None);
        }
        let is_own =
            arrival.gateways.is_empty() && arrival.left_by.as_ref().is_none_or(|(out, _)| out.wire == self.from.wire);
        match (is_own, sender) {
            (true, _) => self.police(to, self.from, Direction::Ingress, &arrival.source),
            (false, Some(node)) => self.police(to, node, Direction::Ingress, &arrival.source),
            (false, None) => {
                let nobody = End { guest: None, ..self.from.clone() };
                self.police(to, &nobody, Direction::Ingress, &arrival.source);
            }
        }
    }

    fn judge_groups(&mut self, at: &End, direction: Direction, addresses: &AddressSet, there: Option<&End>) {
        if self.trail.is_over() {
            return;
        }
        let other = groups::Other { addresses, interface: there };
        let wanted = self.question.wanted.clone();
        let mut judged = groups::judge(self.topology, at, direction, &other, self.family, &wanted);
        if self.question.counts_unknown_rules && !judged.open.is_empty() {
            judged.passage.possible = wanted.clone();
        }
        let way = direction.word();
        for group in &judged.open {
            let known = judged.passage.certain.covers(&self.trail.passage.certain);
            if !known {
                self.trail.meet(&Passage::all(), || {
                    (group.to_string(), "not all rules of this group are known".to_owned(), None)
                });
            }
        }
        let groups = at.groups.known().map_or_else(|| "groups that are not known yet".to_owned(), |ids| joined(ids));
        self.trail.meet(&judged.passage, || {
            let by: Vec<String> = judged.by.iter().map(|(group, rule)| groups::told(group, rule)).collect();
            if by.is_empty() {
                let what = match (&at.groups, judged.open.is_empty()) {
                    (Fact::Unknown, _) | (_, false) => format!("nobody can say whether its groups let this {way} pass"),
                    _ => format!("no {way} rule of its groups lets this pass"),
                };
                return (at.name.clone(), what, Some(groups));
            }
            (at.name.clone(), format!("its groups let the {way} pass"), Some(by.join("; ")))
        });
        if judged.passage.certain.and(&wanted).is_empty() {
            self.mend_groups(at, direction, there, addresses);
        }
    }

    fn mend_groups(&mut self, at: &End, direction: Direction, there: Option<&End>, addresses: &AddressSet) {
        let Some(group) = at.groups.known().and_then(|groups| groups.first()).cloned() else { return };
        let by_group = there.and_then(|there| there.groups.known()).and_then(|groups| groups.first());
        let peer = match (by_group, self.family) {
            (Some(group), _) => Peer::Group(group.clone()),
            (None, family) => match addresses.single() {
                Some(address) => Peer::Block(address.into()),
                None => any(family),
            },
        };
        self.trail.mend(|| Fix::Rule { group, direction, peer });
    }

    /// A subnet's network ACL, which judges each packet alone.
    pub(super) fn judge_acl(&mut self, subnet: &Id, direction: Direction, addresses: &AddressSet) {
        let wanted = self.question.wanted.clone();
        let Some((id, acl)) = self.acl_of(subnet) else { return };
        let (passage, by) = acl::judge(acl, direction, addresses, &wanted);
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
            self.trail.assume(format!("the network ACL of {subnet} lets it pass"));
        }
        found
    }
}

fn any(family: Family) -> Peer {
    let block = if family == Family::V4 { ipnet::Ipv4Net::default().into() } else { ipnet::Ipv6Net::default().into() };
    Peer::Block(block)
}

fn joined(ids: &[Id]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn have_same_groups(one: &End, other: &End) -> bool {
    match (&one.groups, &other.groups) {
        (Fact::Known(one), Fact::Known(other)) => {
            one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
        }
        _ => false,
    }
}
