//! What kube-proxy makes of a connection: on the client's node at a Service's own address, on any node at that node's port.
//!
//! Source: kubernetes.io/docs/reference/networking/virtual-ips.

use super::{
    Backing, Readiness,
    legs::{Way, at_most, hop, in_series, pass, preceded},
};
use crate::{
    reach::{
        Delivery, Placement, Wire,
        ask::Answer,
        end::{End, Guest},
        ends::{of_node, of_node_group},
        network_policy::{self, Named},
        trail::Outcome,
    },
    sets::{AddressSet, Family, Passage, Traffic},
    topology::{Fact, Id, Topology},
};

impl Way<'_> {
    /// Those that kube-proxy sends to, or the Service's name leads to. A load balancer asks its targets itself.
    pub(super) fn ready<'b>(&self, pods: Vec<(&'b Backing, u16)>) -> Vec<(&'b Backing, u16)> {
        if self.door.balancer().is_some() {
            return pods;
        }
        let of = |wanted: Readiness| pods.iter().copied().filter(move |(it, _)| it.readiness == wanted);
        let ready: Vec<_> = of(Readiness::Ready).collect();
        if ready.is_empty() && !self.door.is_headless { of(Readiness::Leaving).collect() } else { ready }
    }

    pub(super) fn by_cluster_address(&mut self, pods: &[(&Backing, u16)]) -> Answer {
        let mut cases = Vec::new();
        let placed = pods.iter().filter_map(|(pod, port)| Some((*pod, *port, self.placement_inside(&pod.end)?)));
        let mut placed: Vec<(&Backing, u16, Placement)> = placed.collect();
        // Of several pods none is asked whether it reaches itself.
        if placed.iter().any(|(pod, ..)| !self.from.is_one_with(&pod.end)) {
            placed.retain(|(pod, ..)| !self.from.is_one_with(&pod.end));
        }
        for (pod, port, placement) in placed {
            let what = if self.door.is_headless {
                format!("the Service's name leads to the pod itself, port {port}")
            } else {
                format!("kube-proxy sends {} of the Service to port {port} of a pod", self.door.traffic())
            };
            let told = pass(&self.from.name, what);
            let delivery = if self.door.is_headless { Delivery::None } else { Delivery::ByService };
            let answer = match self.to_itself(&pod.end) {
                Some(answer) => answer,
                None => self.leg(&self.from.clone(), &pod.end, port, delivery, placement),
            };
            let answer = preceded(told, answer);
            let answer = match self.let_out(&pod.end, port) {
                Some(first) => in_series(first, answer),
                None => answer,
            };
            // A node may have no pod of it.
            let is_open = placement == Placement::SameNode && !self.are_placed(&pod.end);
            cases.push(if is_open { at_most(answer, "its node may have no pod of this Service") } else { answer });
        }
        if cases.is_empty() {
            return self.stopped("no pod of this Service is on the client's node (internalTrafficPolicy: Local)");
        }
        self.either(cases)
    }

    /// What NetworkPolicies of the client say of the Service: they see its address, and not the pod's.
    fn let_out(&self, pod: &End, port: u16) -> Option<Answer> {
        if self.door.is_headless || self.from.wire == Wire::Fargate {
            return None;
        }
        let (id, namespace, client) = self.from.policed_pod()?;
        let cluster = self.topology.clusters.get(id)?;
        let (_, receiver) = pod.guest.as_ref()?.pod.as_ref()?;
        let forwarded = Traffic::port(self.door.protocol, port);
        let named = Named { face: &self.door.face, asked: self.door.traffic(), receiver, forwarded };
        let judged = network_policy::judge_service(cluster, (namespace, client), &named)?;
        let traffic = self.door.traffic();
        let passage =
            Passage { certain: judged.passage.certain.and(&traffic), possible: judged.passage.possible.and(&traffic) };
        let passage = match cluster.cni.has_network_policies {
            Fact::Known(false) => return None,
            Fact::Known(true) => passage,
            Fact::Unknown => passage.either(&Passage::exactly(traffic)),
        };
        let (what, outcome) = match (passage.is_closed(), passage.certain.is_empty()) {
            (true, _) => ("NetworkPolicies select the pod, and no rule lets this Service pass", Outcome::Stops),
            (false, true) => ("whether NetworkPolicies let this Service pass is not known", Outcome::Unknown),
            (false, false) => ("NetworkPolicies let this Service pass", Outcome::Passes),
        };
        let by = if judged.by.is_empty() {
            judged.selecting.iter().map(|it| format!("NetworkPolicy {it}")).collect()
        } else {
            judged.by
        };
        let mut answer = hop(&self.from.name, what.to_owned(), outcome, passage);
        answer.hops[0].by = Some(by.join(", "));
        Some(answer)
    }

    fn are_placed(&self, pod: &End) -> bool {
        let node = |end: &End| end.guest.as_ref().is_some_and(|it| it.node.is_known());
        node(self.from) && node(pod)
    }

    /// Where the pod may be; `None` where kube-proxy does not take it.
    fn placement_inside(&self, pod: &End) -> Option<Placement> {
        if !self.door.is_local_inside {
            return Some(Placement::Either);
        }
        let node = |end: &End| end.guest.as_ref().and_then(|it| it.node.known().cloned());
        match (node(self.from), node(pod)) {
            (Some(one), Some(other)) if one != other => None,
            _ => Some(Placement::SameNode),
        }
    }

    /// A pod that its own Service leads back to itself gets the packet with its node's address.
    fn to_itself(&self, pod: &End) -> Option<Answer> {
        let is_it = self.from.policed_pod().is_some() && self.from.is_one_with(pod);
        if !is_it || self.door.is_headless {
            return None;
        }
        let what = "it is the sender itself, and kube-proxy puts the node's address in place of its own";
        if pod.is_branch() {
            let what = format!("{what}: what a branch interface makes of that is not specified");
            return Some(hop(&pod.name, what, Outcome::Unknown, Passage::at_most(self.door.traffic())));
        }
        Some(hop(&pod.name, what.to_owned(), Outcome::Passes, Passage::exactly(self.door.traffic())))
    }

    pub(super) fn by_nodes(&mut self, pods: &[(&Backing, u16)]) -> Answer {
        let from = self.from.clone();
        self.over_nodes(&from, pods, false)
    }

    /// To every node's port, and on to every pod.
    pub(super) fn over_nodes(&mut self, sender: &End, pods: &[(&Backing, u16)], is_balanced: bool) -> Answer {
        let wanted = self.door.node_traffic();
        let mut cases = Vec::new();
        for node in nodes(self.topology, &self.door.cluster, is_balanced) {
            // kube-proxy listens in the families of the Service.
            let Some(node) = self.in_families(node) else {
                cases.push(self.stopped("the nodes have no address of the Service's family"));
                continue;
            };
            let first = self.judge.ask(sender, &node, &wanted, Delivery::None, Placement::Either);
            let first = self.in_clients_words(first, &wanted);
            let mut further = Vec::new();
            for (pod, port) in pods {
                further.extend(self.beyond_node(sender, &node, &pod.end, *port));
            }
            // A load balancer finds out that a node without pods answers nobody.
            if further.is_empty() {
                if !is_balanced {
                    let what = "none of the Service's pods is on this node (externalTrafficPolicy: Local)";
                    cases.push(in_series(first, hop(&node.name, what.to_owned(), Outcome::Stops, Passage::none())));
                }
                continue;
            }
            let further = self.either(further);
            cases.push(in_series(first, further));
        }
        if cases.is_empty() {
            return self.stopped("no node has a pod of this Service (externalTrafficPolicy: Local)");
        }
        self.either(cases)
    }

    fn in_families(&self, node: End) -> Option<End> {
        let known = &self.door.face.addresses;
        if known.is_empty() || node.addresses.is_empty() {
            return Some(node);
        }
        let mut addresses = AddressSet::none();
        for family in [Family::V4, Family::V6].into_iter().filter(|it| !known.of_family(*it).is_empty()) {
            addresses = addresses.or(&node.addresses.of_family(family));
        }
        (!addresses.is_empty()).then_some(End { addresses, ..node })
    }

    /// From a node to a pod behind its port; `None` where it does not take that one.
    fn beyond_node(&mut self, sender: &End, node: &End, pod: &End, port: u16) -> Option<Answer> {
        let name = |end: &End| end.guest.as_ref().and_then(|it| it.node.known().cloned());
        let ports = format!("{} to port {port} of a pod", self.door.node_traffic());
        if !self.door.is_local {
            let what = format!("kube-proxy sends {ports}, with the node's address in place of the client's");
            let answer = self.leg(node, pod, port, Delivery::Translated, Placement::Either);
            return Some(preceded(pass(&node.name, what), answer));
        }
        if pod.wire == Wire::Fargate {
            return None;
        }
        let is_sure = match (name(node), name(pod)) {
            (Some(one), Some(other)) if one != other => return None,
            (Some(_), Some(_)) => true,
            _ => false,
        };
        let what = format!("kube-proxy sends {ports} on this node (externalTrafficPolicy: Local)");
        let answer = self.leg(sender, pod, port, Delivery::OnNode, Placement::Either);
        let answer = preceded(pass(&node.name, what), answer);
        Some(if is_sure { answer } else { at_most(answer, "a node may have no pod of this Service") })
    }
}

/// The nodes of a cluster: those that run, those of node groups, or such as nobody told of.
fn nodes(topology: &Topology, id: &Id, is_balanced: bool) -> Vec<End> {
    let Some(cluster) = topology.clusters.get(id) else { return Vec::new() };
    // Fargate's have no ports of their own; the label keeps others out of load balancers
    // (kubernetes.io/docs/reference/labels-annotations-taints).
    let takes_part = |labels: &crate::topology::Labels| {
        let is_excluded = labels.contains_key("node.kubernetes.io/exclude-from-external-load-balancers");
        labels.get("eks.amazonaws.com/compute-type").is_none_or(|it| it != "fargate") && !(is_balanced && is_excluded)
    };
    let live: Vec<End> = cluster
        .nodes
        .iter()
        .filter(|(_, it)| takes_part(&it.labels))
        .filter_map(|(name, _)| of_node(topology, id, name))
        .collect();
    if !live.is_empty() {
        return live;
    }
    let groups: Vec<End> = cluster.node_groups.iter().map(|(name, it)| of_node_group(topology, id, name, it)).collect();
    if !groups.is_empty() {
        return groups;
    }
    let guest = Guest { cluster: id.clone(), node: Fact::Unknown, pod: None };
    let unknown = End::outside(format!("a node of {id}"), crate::sets::AddressSet::none());
    vec![End { wire: Wire::Host, groups: Fact::Unknown, vpc: cluster.vpc.clone(), guest: Some(guest), ..unknown }]
}
