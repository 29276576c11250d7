//! `sgp sandbox probe`: one packet, walked hop by hop, and the way of its answer.
//!
//! It looks at what is there now: objects of EC2 and of the clusters. It enumerates nothing and remembers nothing, and shares no code
//! with what judges plans, so that their agreement means something.

mod back;
mod groups;
mod host;
mod network;
mod network_policy;
mod packet;
mod places;
mod police;
mod services;
#[cfg(test)]
mod tests;
mod trace;
mod walk;

pub use packet::Protocol;
use packet::{CLIENT_PORT, Packet};
use places::Place;
pub use trace::{Hop, Outcome, Trace, Verdict};
use walk::{Manner, Walk};

use crate::world::World;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// `[CLUSTER:]NAMESPACE/POD`, `[CLUSTER:]node/NAME`, `eni-...`, `i-...`, an address, or `internet`.
    pub from: String,
    /// The same, or `[CLUSTER:]svc/NAMESPACE/NAME`, whose port may be its own or that of nodes.
    pub to: String,
    /// What the packet carries.
    pub protocol: Protocol,
    /// The destination's port; none for ICMP.
    pub port: Option<u16>,
}

/// Walks a packet.
///
/// # Errors
/// A place that is not there, or two that no packet can go between, in a sentence.
pub fn probe(world: &World, question: &Question) -> Result<Trace, String> {
    let from = places::find(world, &question.from)?;
    let port = match (question.protocol, question.port) {
        (Protocol::Icmp, _) => 0,
        (_, Some(port)) => port,
        (protocol, None) => return Err(format!("{} needs a port", protocol.name())),
    };
    if let Some(service) = services::find(world, &from, &question.to)? {
        return Ok(services::walk(world, &from, &service, question.protocol, port));
    }
    let to = places::find(world, &question.to)?;
    in_both_families(world, &from, &to, question.protocol, port)
}

/// Clients try the addresses of both families (RFC 8305): either will do.
fn in_both_families(world: &World, from: &Place, to: &Place, protocol: Protocol, port: u16) -> Result<Trace, String> {
    let mut best: Option<Trace> = None;
    for is_ipv6 in [false, true] {
        let (Some(from), Some(to)) = (from.in_family(is_ipv6), to.in_family(is_ipv6)) else { continue };
        let (trace, _) = walk_once(world, &from, &to, protocol, port, Manner::Plain);
        if best.as_ref().is_none_or(|known| rank(&trace.verdict) > rank(&known.verdict)) {
            best = Some(trace);
        }
    }
    best.ok_or_else(|| format!("{} and {} are of different families", from.address, to.address))
}

fn sent(from: &Place, to: &Place, protocol: Protocol, port: u16) -> Packet {
    let (source, destination) = (from.address, to.address);
    Packet { source, destination, protocol, source_port: CLIENT_PORT, destination_port: port }
}

fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Blocked => 0,
        Verdict::Unknown => 1,
        Verdict::Reachable => 2,
    }
}

/// Walks between addresses of one family. Beside the way, the packet as it arrived.
fn walk_once(
    world: &World,
    from: &Place,
    to: &Place,
    protocol: Protocol,
    port: u16,
    manner: Manner<'_>,
) -> (Trace, Option<Packet>) {
    let packet = sent(from, to, protocol, port);
    let mut there = Walk::new(world, from, to, manner);
    let Ok(arrival) = there.there(packet) else {
        return (Trace::of(there.steps, trace::Steps::default(), false, false), None);
    };
    let mut back = Walk::new(world, to, from, Manner::Plain);
    let answered = back.back(&arrival).is_ok();
    (Trace::of(there.steps, back.steps, true, answered), Some(arrival.packet))
}
