//! What the groups of an interface say, made ready to be asked about many other ends.
//!
//! The same as `groups.rs` says of one end, without the words: there each rule is looked at, here only those that are for the other
//! end's groups, and each block once.

use std::{
    cell::OnceCell,
    collections::{HashMap, hash_map::Entry},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use ipnet::IpNet;

use super::{
    end::{End, Relay},
    groups,
};
use crate::{
    sets::{AddressSet, Family, Passage, Traffic},
    topology::{Direction, Fact, Id, Peer, Rule, Topology},
};

/// Interfaces with the same groups in one VPC are guarded alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    groups: Fact<Vec<Id>>,
    vpc: Fact<Id>,
    relay: Option<Relay>,
}

/// What rules for one peer let pass.
#[derive(Clone, Debug, Default)]
struct Open {
    /// Of rules whose traffic is known.
    surely: Traffic,
    /// With those whose traffic is not: all of it.
    perhaps: Traffic,
}

impl Open {
    fn add(&mut self, rule: &Rule) {
        match &rule.traffic {
            Fact::Known(traffic) => {
                self.surely = self.surely.or(traffic);
                self.perhaps = self.perhaps.or(traffic);
            }
            Fact::Unknown => self.perhaps = Traffic::all(),
        }
    }
}

/// The rules of one direction.
#[derive(Debug, Default)]
struct Rules {
    by_group: HashMap<Id, Open>,
    /// By each block once.
    by_block: Vec<(IpNet, Open)>,
    /// By prefix lists whose blocks are known.
    by_list: Vec<(AddressSet, Open)>,
    /// What rules for any group let pass.
    for_groups: Traffic,
    /// What rules let pass that may be for anybody.
    for_somebody: Traffic,
}

#[derive(Debug)]
struct Guard {
    place: Place,
    /// For what comes in, for what goes out; made when somebody asks.
    rules: [OnceCell<Rules>; 2],
}

/// All of them, each by its number.
#[derive(Debug, Default)]
pub(super) struct Guards {
    numbers: HashMap<Place, usize>,
    all: Vec<Guard>,
    /// What was found out of addresses that no block splits.
    known: HashMap<(usize, Direction, Family, u64), Passage>,
}

/// What is asked of a guard.
pub(super) struct Asked<'a> {
    pub(super) direction: Direction,
    pub(super) family: Family,
    /// The addresses of the other end, as the interface sees them.
    pub(super) addresses: &'a AddressSet,
    /// The guard of the interface behind them, when nothing stands between.
    pub(super) there: Option<usize>,
}

impl Guards {
    /// The guard of an end's own interface.
    pub(super) fn own(&mut self, end: &End) -> usize {
        self.number(Place { groups: end.groups.clone(), vpc: end.vpc.clone(), relay: end.relay })
    }

    /// The guard of its node's interface.
    pub(super) fn of_host(&mut self, end: &End) -> Option<usize> {
        let host = end.host.as_ref()?;
        Some(self.number(Place { groups: host.groups.clone(), vpc: end.vpc.clone(), relay: None }))
    }

    fn number(&mut self, place: Place) -> usize {
        match self.numbers.entry(place) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.all.push(Guard { place: new.key().clone(), rules: Default::default() });
                *new.insert(self.all.len() - 1)
            }
        }
    }

    /// What a guard lets pass. Rules that nobody told do not count.
    pub(super) fn ask(&mut self, topology: &Topology, number: usize, asked: &Asked<'_>) -> Passage {
        let guard = &self.all[number];
        let there = asked.there.map(|it| &self.all[it].place);
        let passage = if guard.place.groups.is_known() {
            let rules = &guard.rules[usize::from(asked.direction == Direction::Egress)];
            let rules = rules.get_or_init(|| Rules::of(topology, guard.place.groups.known(), asked.direction));
            let by_addresses = match rules.sight(asked) {
                Some(seen) => {
                    let known = self.known.entry((number, asked.direction, asked.family, seen));
                    known.or_insert_with(|| rules.by_addresses(asked)).clone()
                }
                None => rules.by_addresses(asked),
            };
            there.map_or(by_addresses.clone(), |there| {
                by_addresses.or(&rules.by_interface(topology, &guard.place, there))
            })
        } else {
            Passage::unknown()
        };
        if hides_rules(&guard.place, there, asked.direction) {
            return Passage { possible: Traffic::all(), ..passage };
        }
        passage
    }
}

/// Whether a controller may have made rules that no source shows.
fn hides_rules(at: &Place, there: Option<&Place>, direction: Direction) -> bool {
    let is_behind = || there.and_then(|it| it.relay).is_some_and(|it| it.makes_rules);
    at.relay.is_some_and(|it| it.has_hidden_groups)
        || direction == Direction::Ingress && is_behind() && at.groups != Fact::Known(Vec::new())
}

/// How a rule's addresses fit the other end's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Fit {
    Whole,
    Part,
    Unknown,
    No,
}

impl Fit {
    fn of(part: Option<bool>, is_known: bool) -> Self {
        match part {
            _ if !is_known => Self::Unknown,
            Some(true) => Self::Whole,
            Some(false) => Self::No,
            None => Self::Part,
        }
    }
}

impl Rules {
    fn of(topology: &Topology, groups: Option<&Vec<Id>>, direction: Direction) -> Self {
        let groups = groups.into_iter().flatten().filter_map(|id| topology.groups.get(id));
        let mut all = Self::default();
        let (mut blocks, mut lists) = (HashMap::<IpNet, usize>::new(), HashMap::<&Id, usize>::new());
        for rule in groups.flat_map(|group| &group.rules).filter(|rule| rule.direction == direction) {
            let perhaps = || rule.traffic.known().cloned().unwrap_or_else(Traffic::all);
            match &rule.peer {
                Peer::Group(id) => {
                    all.by_group.entry(id.clone()).or_default().add(rule);
                    all.for_groups = all.for_groups.or(&perhaps());
                }
                Peer::Block(block) => {
                    let at = *blocks.entry(*block).or_insert(all.by_block.len());
                    if at == all.by_block.len() {
                        all.by_block.push((*block, Open::default()));
                    }
                    all.by_block[at].1.add(rule);
                }
                Peer::PrefixList(id) => match topology.prefix_lists.get(id).and_then(|list| list.blocks.known()) {
                    Some(known) => {
                        let at = *lists.entry(id).or_insert(all.by_list.len());
                        if at == all.by_list.len() {
                            all.by_list.push((known.iter().collect(), Open::default()));
                        }
                        all.by_list[at].1.add(rule);
                    }
                    None => all.for_somebody = all.for_somebody.or(&perhaps()),
                },
                Peer::Unknown => all.for_somebody = all.for_somebody.or(&perhaps()),
            }
        }
        all
    }

    /// Rules for addresses with how they fit.
    fn fits<'a>(&'a self, asked: &'a Asked<'_>) -> impl Iterator<Item = (Fit, &'a Open)> {
        let is_known = asked.addresses.has_family(asked.family);
        let of_family = self.by_block.iter().filter(|(block, _)| Family::of_block(block) == asked.family);
        let by_block = of_family.map(move |(block, open)| {
            let is_all = block.prefix_len() == 0;
            let part = if is_all { Some(true) } else { asked.addresses.part_within(block) };
            (Fit::of(part, is_all || is_known), open)
        });
        let by_list = self
            .by_list
            .iter()
            .map(move |(list, open)| (Fit::of(asked.addresses.part_in(list, asked.family), is_known), open));
        by_block.chain(by_list)
    }

    /// All that counts of addresses, as a hash; `None` where a rule is for a part of them.
    fn sight(&self, asked: &Asked<'_>) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        for (fit, _) in self.fits(asked) {
            if fit == Fit::Part {
                return None;
            }
            fit.hash(&mut hasher);
        }
        Some(hasher.finish())
    }

    /// What rules for addresses let pass.
    fn by_addresses(&self, asked: &Asked<'_>) -> Passage {
        let (mut certain, mut possible) = (Traffic::none(), self.for_somebody.clone());
        let mut has_parts = false;
        for (fit, open) in self.fits(asked).filter(|(fit, _)| *fit != Fit::No) {
            possible = possible.or(&open.perhaps);
            match fit {
                Fit::Whole => certain = certain.or(&open.surely),
                Fit::Part => has_parts = true,
                Fit::Unknown | Fit::No => {}
            }
        }
        if has_parts {
            certain = certain.or(&self.by_parts(asked));
        }
        Passage { certain, possible }
    }

    /// What passes for every address because several rules cover them together.
    fn by_parts(&self, asked: &Asked<'_>) -> Traffic {
        let addresses = asked.addresses.of_family(asked.family);
        let blocks = self.by_block.iter().map(|(block, open)| (AddressSet::from(*block), open));
        let lists = self.by_list.iter().map(|(list, open)| (list.clone(), open));
        let parts = blocks.chain(lists).filter(|(_, open)| !open.surely.is_empty());
        let parts: Vec<_> = parts.map(|(set, open)| (set.and(&addresses), open.surely.clone())).collect();
        groups::of_parts(&addresses, &parts)
    }

    /// What rules for groups let pass of what an interface sends, or to it. A group of a peered VPC counts only while the
    /// connection is active.
    fn by_interface(&self, topology: &Topology, at: &Place, there: &Place) -> Passage {
        let Fact::Known(groups) = &there.groups else { return Passage::at_most(self.for_groups.clone()) };
        let mut found = groups.iter().filter_map(|id| self.by_group.get(id)).peekable();
        if found.peek().is_none() {
            return Passage::none();
        }
        let is_near = match (&at.vpc, &there.vpc) {
            (Fact::Known(one), Fact::Known(other)) => Fact::Known(topology.are_near(one, other)),
            _ => Fact::Unknown,
        };
        let mut passage = Passage::none();
        for open in found {
            match is_near {
                Fact::Known(true) => {
                    passage.certain = passage.certain.or(&open.surely);
                    passage.possible = passage.possible.or(&open.perhaps);
                }
                Fact::Known(false) => {}
                Fact::Unknown => passage.possible = passage.possible.or(&open.perhaps),
            }
        }
        passage
    }
}
