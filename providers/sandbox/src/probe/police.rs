//! NetworkPolicies on the way.

use std::sync::Arc;

use serde_json::Value;

use super::host::Settings;
use super::network;
use super::network_policy::{self, Direction, Judgement, Named, Peer};
use super::packet::{Packet, Protocol};
use super::places::{self, Attachment, Place};
use super::trace::Ended;
use super::walk::Walk;

impl Walk<'_> {
    /// The pod at which policies are enforced, with its cluster.
    fn policed<'b>(&self, at: &'b Place) -> Option<(&'b str, &'b Arc<Value>)> {
        let (cluster, pod) = at.policed_pod()?;
        let is_fargate = at.guest.as_ref().is_some_and(|guest| guest.attachment == Attachment::Fargate);
        (!is_fargate && Settings::of(self.world, cluster).has_network_policies).then_some((cluster, pod))
    }

    /// NetworkPolicies of the sender, of a packet to a Service: the agent sits before kube-proxy.
    pub(super) fn police_service(&mut self, protocol: Protocol, named: &Named<'_>) -> Result<(), Ended> {
        let Some((cluster, pod)) = self.policed(self.from) else { return Ok(()) };
        let judged = network_policy::judge_service(self.world, cluster, pod, named, protocol.name());
        self.record(&self.from.name.clone(), "egress", judged)
    }

    /// NetworkPolicies of the receiver, of a packet that a node hands to it.
    pub(super) fn police_arrival(&mut self, node: &Place, packet: Packet) -> Result<(), Ended> {
        let vpc = node.interface.as_ref().map(|it| it.vpc_id.clone()).unwrap_or_default();
        let peer = self.sender_as_seen(&vpc, packet);
        self.police(self.to, &peer, Direction::Ingress, packet)
    }

    /// Who a packet's source address is, seen from a VPC.
    pub(super) fn sender_as_seen(&self, vpc: &str, packet: Packet) -> Place {
        if packet.source == self.from.address {
            return self.from.clone();
        }
        network::interface_near(self.world, vpc, packet.source).map_or_else(
            || places::by_address(self.world, packet.source),
            |there| places::at(self.world, there, packet.source),
        )
    }

    /// NetworkPolicies at a pod. `peer` is the other end, unless its address was translated.
    pub(super) fn police(
        &mut self,
        at: &Place,
        peer: &Place,
        direction: Direction,
        packet: Packet,
    ) -> Result<(), Ended> {
        let Some((cluster, pod)) = self.policed(at) else { return Ok(()) };
        let address = if direction == Direction::Egress { packet.destination } else { packet.source };
        // "Traffic to and from the node where a Pod is running is always allowed" (the page on NetworkPolicies).
        if at.is_beside(peer) && peer.policed_pod().is_none() {
            self.steps.pass(&at.name, "traffic with the pod's own node passes NetworkPolicies", None);
            return Ok(());
        }
        let pod_there = peer.policed_pod();
        // Selectors are for pods of the policy's own cluster.
        let pod_there =
            pod_there.filter(|(theirs, _)| *theirs == cluster && peer.address == address).map(|(_, pod)| pod.clone());
        let other = Peer { address, pod: pod_there };
        let port = (packet.protocol != Protocol::Icmp).then_some(packet.destination_port);
        let protocol = packet.protocol.name();
        let way = if direction == Direction::Egress { "egress" } else { "ingress" };
        let judged = network_policy::judge(self.world, cluster, pod, direction, &other, protocol, port);
        self.record(&at.name, way, judged)
    }

    fn record(&mut self, at: &str, way: &str, judged: Judgement) -> Result<(), Ended> {
        match judged {
            Judgement::Unselected => {}
            Judgement::Allowed(rule) => self.steps.pass(at, format!("a NetworkPolicy allows the {way}"), Some(rule)),
            Judgement::Denied(policies) => {
                let by = format!("NetworkPolicy {}", policies.join(", "));
                let what = format!("NetworkPolicies select the pod and none allows this {way}");
                return self.steps.stop(at, what, Some(by));
            }
        }
        Ok(())
    }
}
