//! `sgp sandbox probe`: one packet, walked hop by hop, and the way of its answer.
//!
//! It looks at what is there now: objects of EC2 and of the clusters. It enumerates nothing and remembers nothing, and shares no code
//! with what judges plans, so that their agreement means something.

mod groups;
mod host;
mod network;
mod network_policy;
mod packet;
mod places;
#[cfg(test)]
mod tests;
mod trace;
mod walk;

use std::net::IpAddr;

pub use packet::Protocol;
use packet::{CLIENT_PORT, Packet};
use places::Place;
pub use trace::{Hop, Outcome, Trace, Verdict};

use crate::world::World;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// `[CLUSTER:]NAMESPACE/POD`, `[CLUSTER:]node/NAME`, `eni-...`, `i-...`, an address, or `internet`.
    pub from: String,
    /// The same.
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
    let to = places::find(world, &question.to)?;
    let packet = first_packet(&from, &to, question)?;
    let mut there = walk::Walk::new(world, &from, &to);
    let Ok(arrival) = there.there(packet) else {
        return Ok(Trace::of(there.steps, trace::Steps::default(), false, false));
    };
    let mut back = walk::Walk::new(world, &to, &from);
    let answered = back.back(&arrival).is_ok();
    Ok(Trace::of(there.steps, back.steps, true, answered))
}

fn first_packet(from: &Place, to: &Place, question: &Question) -> Result<Packet, String> {
    let port = match (question.protocol, question.port) {
        (Protocol::Icmp, _) => 0,
        (_, Some(port)) => port,
        (protocol, None) => return Err(format!("{} needs a port", protocol.name())),
    };
    // The internet is there in both families.
    let source = match (from.interface.is_none() && from.name == "internet", to.address) {
        (true, IpAddr::V6(_)) => "2001:db8::1".parse().map_err(|_| "no address".to_owned())?,
        _ => from.address,
    };
    if source.is_ipv4() != to.address.is_ipv4() {
        return Err(format!("{source} and {} are of different families", to.address));
    }
    Ok(Packet {
        source,
        destination: to.address,
        protocol: question.protocol,
        source_port: CLIENT_PORT,
        destination_port: port,
    })
}
