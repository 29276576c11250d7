//! Ends of a party that are alike, and which of them rules that name blocks tell apart.

use std::{net::IpAddr, ops::RangeInclusive};

use ipnet::IpNet;

use super::{
    classes::{Classes, Passages, sight},
    end::{End, Wire},
    guards::Guards,
    matrix::Party,
};
use crate::{
    sets::AddressSet,
    topology::{Direction, Fact, Id, Topology},
};

/// How an end stands in ways.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    /// The number of its kind.
    pub(super) kind: usize,
    /// What guards its interface.
    pub(super) own: usize,
    /// What guards its node's.
    pub(super) host: Option<usize>,
}

/// Ends of a party that are of one class.
pub(super) struct Case {
    pub(super) class: usize,
    /// Their places in the party.
    pub(super) ends: Vec<usize>,
    /// Blocks that their rules name: of who comes in, of who is gone out to.
    pub(super) named: [Vec<IpNet>; 2],
    pub(super) sender: Seat,
    pub(super) receiver: Seat,
    /// All of their addresses, those of their nodes too, in order.
    spread: Vec<RangeInclusive<IpAddr>>,
}

/// Ends that no rule tells apart: one of them, and another one if there is one.
pub(super) struct Alike<'p> {
    pub(super) one: &'p End,
    pub(super) other: Option<&'p End>,
}

impl Case {
    /// The cases of a party.
    pub(super) fn all(
        classes: &Classes<'_>,
        party: &Party,
        destinations: &[End],
        known: &mut Passages,
        guards: &mut Guards,
    ) -> Vec<Self> {
        let mut cases: Vec<Self> = Vec::new();
        for (place, end) in party.ends.iter().enumerate() {
            let class = known.number(classes.class(end));
            if let Some(case) = cases.iter_mut().find(|it| it.class == class) {
                case.ends.push(place);
                continue;
            }
            let named = [Direction::Ingress, Direction::Egress].map(|it| classes.blocks(end, it));
            let mut seat = |end: &End| Seat {
                kind: known.number_of_kind(classes.kind(end)),
                own: guards.own(end),
                host: guards.of_host(end),
            };
            let sender = seat(end);
            let receiver = destinations.get(place).map_or(sender, seat);
            cases.push(Self { class, ends: vec![place], named, sender, receiver, spread: Vec::new() });
        }
        for case in cases.iter_mut().filter(|it| it.ends.len() > 1) {
            let ends = case.ends.iter().map(|place| &party.ends[*place]);
            let hosts = ends.clone().filter_map(|end| end.host.as_ref()).map(|host| &host.addresses);
            let all = ends.map(|end| &end.addresses).chain(hosts).fold(AddressSet::none(), |all, it| all.or(it));
            case.spread = all.ranges().collect();
        }
        cases
    }

    /// The ends of each kind that rules with these blocks tell apart.
    pub(super) fn unlike<'p>(&self, ends: &'p [End], blocks: &[IpNet]) -> Vec<Alike<'p>> {
        let mut own = self.ends.iter().map(|place| &ends[*place]);
        if !blocks.iter().any(|block| self.may_be_split_by(block)) {
            return own.next().map(|one| Alike { one, other: own.next() }).into_iter().collect();
        }
        let mut kinds: Vec<(u64, Alike<'_>)> = Vec::new();
        for end in own {
            let sight = sight(end, blocks);
            match kinds.iter_mut().find(|(known, _)| *known == sight) {
                Some((_, alike)) => alike.other = alike.other.or(Some(end)),
                None => kinds.push((sight, Alike { one: end, other: None })),
            }
        }
        kinds.into_iter().map(|(_, alike)| alike).collect()
    }

    /// Whether a block may hold some of the addresses and others not.
    fn may_be_split_by(&self, block: &IpNet) -> bool {
        let (first, last) = (block.network(), block.broadcast());
        // IPv4 comes before IPv6.
        let begin = if first.is_ipv4() { 0 } else { self.spread.partition_point(|it| it.start().is_ipv4()) };
        let all = &self.spread[begin..];
        let all = if first.is_ipv4() { &all[..all.partition_point(|it| it.start().is_ipv4())] } else { all };
        let met = all.partition_point(|it| *it.end() < first);
        let is_met = all.get(met).is_some_and(|it| *it.start() <= last);
        let has_others = |it: &RangeInclusive<IpAddr>| *it.start() < first || *it.end() > last;
        is_met && (all.first().is_some_and(has_others) || all.last().is_some_and(has_others))
    }
}

/// What an end is as something to be reached.
pub(super) fn as_destination(topology: &Topology, end: &End) -> End {
    let of_vpc = |vpc: &&Id| topology.vpc_addresses(vpc).is_some_and(|it| it.covers(&end.addresses));
    match topology.vpcs.keys().find(of_vpc) {
        Some(vpc) => End { wire: Wire::Plain, vpc: Fact::Known(vpc.clone()), groups: Fact::Unknown, ..end.clone() },
        None if end.addresses == AddressSet::all() => End { name: end.name.clone(), ..End::internet() },
        None => End { wire: Wire::Outside, ..end.clone() },
    }
}
