//! Network ACLs, which judge each packet alone.
//!
//! Source: docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html.

use std::ops::RangeInclusive;

use crate::{
    sets::{AddressSet, Family, Passage, Protocol, Traffic},
    topology::{Acl, AclEntry, Direction},
};

/// What an ACL lets pass to or from these addresses, and the entries that have a part in it. Of addresses that nobody told every one
/// counts.
pub(super) fn judge<'a>(
    acl: &'a Acl,
    direction: Direction,
    addresses: &AddressSet,
    family: Family,
    wanted: &Traffic,
) -> (Passage, Vec<&'a AclEntry>) {
    let all = AddressSet::all().of_family(family);
    let addresses = if addresses.is_empty() { &all } else { addresses };
    // Each cell: addresses that all entries so far treat alike, what is open for them, what no entry has decided yet.
    let mut cells = vec![(addresses.clone(), Traffic::none(), wanted.clone())];
    let mut by = Vec::new();
    for entry in acl.entries.iter().filter(|entry| entry.direction == direction) {
        let block = AddressSet::from(entry.block);
        let mut next = Vec::with_capacity(cells.len() + 1);
        for (cell, open, undecided) in cells {
            let decided = undecided.and(&entry.traffic);
            let inside = cell.and(&block);
            if decided.is_empty() || inside.is_empty() {
                next.push((cell, open, undecided));
                continue;
            }
            by.push(entry);
            let outside = cell.without(&block);
            if !outside.is_empty() {
                next.push((outside, open.clone(), undecided.clone()));
            }
            let open = if entry.is_allow { open.or(&decided) } else { open };
            next.push((inside, open, undecided.without(&decided)));
        }
        cells = next;
    }
    by.dedup();
    let passages = cells.into_iter().map(|(_, open, _)| Passage::exactly(open));
    (passages.reduce(|all, one| all.either(&one)).unwrap_or_else(Passage::none), by)
}

/// What of the traffic there has answers that an ACL lets pass, when `open` is what it lets pass of the answers.
pub(super) fn answered(open: &Passage, client_ports: &RangeInclusive<u16>) -> Passage {
    let mut certain = Traffic::all();
    let mut possible = Traffic::all();
    for protocol in [Protocol::TCP, Protocol::UDP] {
        let answer = Traffic::of(protocol, client_ports.clone());
        close(&mut certain, open.certain.covers(&answer), protocol);
        close(&mut possible, !open.possible.and(&answer).is_empty(), protocol);
    }
    // Only echo requests are answered: type 8 by 0, in IPv6 128 by 129.
    for (protocol, request, reply) in [(Protocol::ICMP, 8, 0), (Protocol::ICMPV6, 128, 129)] {
        let request = Traffic::icmp(protocol, Some(request), None);
        let reply = Traffic::icmp(protocol, Some(reply), Some(0));
        if !open.certain.covers(&reply) {
            certain = certain.without(&request);
        }
        if !open.possible.covers(&reply) {
            possible = possible.without(&request);
        }
    }
    // Of other protocols nothing is told apart.
    let with_ports = with_ports();
    Passage {
        certain: certain.and(&open.certain.or(&with_ports)),
        possible: possible.and(&open.possible.or(&with_ports)),
    }
}

fn close(set: &mut Traffic, is_open: bool, protocol: Protocol) {
    if !is_open {
        *set = set.without(&Traffic::protocol(protocol));
    }
}

fn with_ports() -> Traffic {
    [Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol::ICMPV6]
        .into_iter()
        .fold(Traffic::none(), |all, protocol| all.or(&Traffic::protocol(protocol)))
}

/// An entry in words: `rule 100: allow 10.0.0.0/16`.
pub(super) fn told(entry: &AclEntry) -> String {
    let number = if entry.number >= 32_767 { "*".to_owned() } else { entry.number.to_string() };
    let verb = if entry.is_allow { "allow" } else { "deny" };
    format!("{} rule {number}: {verb} {} {}", entry.direction.word(), entry.traffic, entry.block)
}
