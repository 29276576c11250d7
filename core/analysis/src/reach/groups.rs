//! Security groups at an interface. They are stateful: the first packet is judged, its answers pass.
//!
//! Source: docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html.

use super::end::End;
use crate::{
    sets::{AddressSet, Family, Passage, Traffic},
    topology::{Direction, Fact, Id, Peer, Rule, Topology},
};

/// The other end, as an interface sees it.
pub(super) struct Other<'a> {
    /// The addresses that the packet may have there.
    pub addresses: &'a AddressSet,
    /// The interface behind them, when it is in a VPC and nothing stands between.
    pub interface: Option<&'a End>,
}

/// What groups say.
pub struct Judgement<'a> {
    /// What they let pass.
    pub passage: Passage,
    /// The rules that let some of the wanted traffic pass, with their groups.
    pub by: Vec<(&'a Id, &'a Rule)>,
    /// Groups whose rules are not all known; what those may let pass is not in `passage`.
    pub open: Vec<&'a Id>,
}

/// Whether a rule fits the other end.
enum Fit {
    /// For all of its addresses.
    Whole,
    /// For these of its addresses.
    Part(AddressSet),
    /// Perhaps.
    Unknown,
    /// No.
    No,
}

/// Judges traffic at an interface with these groups.
pub(super) fn judge<'a>(
    topology: &'a Topology,
    at: &'a End,
    direction: Direction,
    other: &Other<'_>,
    family: Family,
    wanted: &Traffic,
) -> Judgement<'a> {
    let Fact::Known(groups) = &at.groups else {
        return Judgement { passage: Passage::unknown(), by: Vec::new(), open: Vec::new() };
    };
    let mut sum = Sum::new(other.addresses, wanted);
    let mut open = Vec::new();
    for id in groups {
        let Some(group) = topology.groups.get(id) else {
            open.push(id);
            continue;
        };
        if group.may_have_more_rules {
            open.push(id);
        }
        for rule in group.rules.iter().filter(|rule| rule.direction == direction) {
            sum.add(id, rule, fits(topology, at, rule, other, family));
        }
    }
    let certain = sum.everywhere.or(&of_parts(sum.addresses, &sum.parts));
    let possible = sum.possible.or(&certain);
    Judgement { passage: Passage { certain, possible }, by: sum.by, open }
}

/// What rules let pass together.
struct Sum<'a, 'b> {
    addresses: &'b AddressSet,
    wanted: &'b Traffic,
    /// For all addresses.
    everywhere: Traffic,
    /// For some of them.
    parts: Vec<(AddressSet, Traffic)>,
    possible: Traffic,
    by: Vec<(&'a Id, &'a Rule)>,
}

impl<'a, 'b> Sum<'a, 'b> {
    fn new(addresses: &'b AddressSet, wanted: &'b Traffic) -> Self {
        Self {
            addresses,
            wanted,
            everywhere: Traffic::none(),
            parts: Vec::new(),
            possible: Traffic::none(),
            by: Vec::new(),
        }
    }

    fn add(&mut self, group: &'a Id, rule: &'a Rule, fit: Fit) {
        if matches!(fit, Fit::No) {
            return;
        }
        let traffic = rule.traffic.known().map_or_else(|| self.wanted.clone(), |it| it.and(self.wanted));
        if traffic.is_empty() {
            return;
        }
        self.possible = self.possible.or(&traffic);
        self.by.push((group, rule));
        match fit {
            _ if !rule.traffic.is_known() => {}
            Fit::Whole => self.everywhere = self.everywhere.or(&traffic),
            Fit::Part(addresses) => self.parts.push((addresses, traffic)),
            Fit::Unknown | Fit::No => {}
        }
    }
}

/// What passes for every address because the parts cover them all together.
pub(super) fn of_parts(addresses: &AddressSet, parts: &[(AddressSet, Traffic)]) -> Traffic {
    if parts.is_empty() {
        return Traffic::none();
    }
    let mut cells = vec![(addresses.clone(), Traffic::none())];
    for (part, traffic) in parts {
        cells = cells.into_iter().flat_map(|cell| split(cell, part, traffic)).collect();
    }
    cells.into_iter().map(|(_, traffic)| traffic).reduce(|all, one| all.and(&one)).unwrap_or_default()
}

fn split((cell, open): (AddressSet, Traffic), part: &AddressSet, traffic: &Traffic) -> Vec<(AddressSet, Traffic)> {
    let (inside, outside) = (cell.and(part), cell.without(part));
    let wider = open.or(traffic);
    [(inside, wider), (outside, open)].into_iter().filter(|(cell, _)| !cell.is_empty()).collect()
}

fn fits(topology: &Topology, at: &End, rule: &Rule, other: &Other<'_>, family: Family) -> Fit {
    match &rule.peer {
        Peer::Block(block) if Family::of_block(block) != family => Fit::No,
        Peer::Block(block) if block.prefix_len() == 0 => Fit::Whole,
        Peer::Block(block) => match other.addresses.is_within(block) {
            _ if other.addresses.is_empty() => Fit::Unknown,
            Some(true) => Fit::Whole,
            Some(false) => Fit::No,
            None => Fit::Part(AddressSet::from(*block).and(other.addresses)),
        },
        Peer::PrefixList(id) => match topology.prefix_lists.get(id).map(|list| &list.blocks) {
            Some(Fact::Known(blocks)) => covered(&blocks.iter().collect(), other.addresses),
            _ => Fit::Unknown,
        },
        Peer::Group(id) => other.interface.map_or(Fit::No, |there| carries(topology, at, there, id)),
        Peer::Unknown => Fit::Unknown,
    }
}

fn covered(block: &AddressSet, addresses: &AddressSet) -> Fit {
    if addresses.is_empty() {
        return Fit::Unknown;
    }
    if block.covers(addresses) {
        return Fit::Whole;
    }
    let part = block.and(addresses);
    if part.is_empty() { Fit::No } else { Fit::Part(part) }
}

/// A group of a peered VPC counts only while the connection is active.
fn carries(topology: &Topology, at: &End, there: &End, group: &Id) -> Fit {
    match &there.groups {
        Fact::Unknown => Fit::Unknown,
        Fact::Known(groups) if !groups.contains(group) => Fit::No,
        Fact::Known(_) => match (&at.vpc, &there.vpc) {
            (Fact::Known(one), Fact::Known(other)) if topology.are_near(one, other) => Fit::Whole,
            (Fact::Known(_), Fact::Known(_)) => Fit::No,
            _ => Fit::Unknown,
        },
    }
}

/// A rule in words: `egress tcp/5432 to sg-1`.
pub(crate) fn told(group: &Id, rule: &Rule) -> String {
    let traffic = rule.traffic.known().map_or_else(|| "(known after apply)".to_owned(), ToString::to_string);
    let side = match rule.direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    };
    format!("{group} {} {traffic} {side} {} ({})", rule.direction.word(), rule.peer, rule.origin)
}
