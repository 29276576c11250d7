//! Who may reach whom, by the rules alone: the pairs that are worth a walk.
//!
//! A pair is one where a rule of who answers is for who begins. The effort grows with the rules, not with the pairs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

use super::{
    end::End,
    matrix::{ANYWHERE, Party, PartyKind},
};
use crate::{
    sets::{AddressSet, Traffic},
    topology::{Direction, Fact, Id, Peer, Topology},
};

/// Who carries which group, and who has which addresses.
#[derive(Default)]
pub(super) struct Index<'a> {
    by_group: HashMap<&'a Id, BTreeSet<usize>>,
    /// Those whose groups nobody told.
    open: BTreeSet<usize>,
    /// Parties of a network, no addresses.
    inside: Vec<usize>,
    /// What each party's own rules lead to.
    ways: Vec<Ways<'a>>,
    /// Addresses that rules name, by what they are written as.
    outside: HashMap<&'a str, usize>,
    /// Who has single addresses, in order.
    single: Vec<(IpAddr, usize)>,
    /// Who has any of many: each set of addresses once.
    many: Vec<(AddressSet, BTreeSet<usize>)>,
    /// Whose addresses nobody told.
    anywhere: BTreeSet<usize>,
    /// Whoever will carry a group, somewhere in these networks: a rule for a part of them is no rule for him.
    unplaced: Vec<(AddressSet, BTreeSet<usize>)>,
    /// Who has a rule that leads to addresses: to these, to all of them or to some that nobody told.
    leads_to: HashMap<String, BTreeSet<usize>>,
    leads_anywhere: BTreeSet<usize>,
}

/// What rules of a party lead to.
#[derive(Default)]
struct Ways<'a> {
    /// Whether its groups are not known, or it is addresses, whose groups are not looked at.
    is_unknown: bool,
    /// What may go out to addresses, whichever.
    to_addresses: Traffic,
    /// The groups that rules lead to.
    to_groups: HashSet<&'a Id>,
}

/// Parties, each once.
struct Found {
    has: Vec<bool>,
    all: Vec<usize>,
}

impl Found {
    fn none_of(count: usize) -> Self {
        Self { has: vec![false; count], all: Vec::new() }
    }

    fn add(&mut self, place: usize) {
        if !std::mem::replace(&mut self.has[place], true) {
            self.all.push(place);
        }
    }

    fn in_order(mut self) -> Vec<usize> {
        self.all.sort_unstable();
        self.all
    }
}

impl Extend<usize> for Found {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, places: I) {
        places.into_iter().for_each(|place| self.add(place));
    }
}

impl<'a> Index<'a> {
    pub(super) fn of(topology: &'a Topology, parties: &'a [Party]) -> Self {
        let mut index = Self::default();
        index.ways.resize_with(parties.len(), Ways::default);
        let (mut many, mut unplaced) = (BTreeMap::new(), BTreeMap::new());
        for (place, party) in parties.iter().enumerate() {
            if matches!(party.kind, PartyKind::Anywhere | PartyKind::Block) {
                index.outside.insert(&party.name, place);
                index.ways[place].is_unknown = true;
                continue;
            }
            index.inside.push(place);
            for end in &party.ends {
                index.carries(topology, end, place);
                match end.addresses.few() {
                    Some(few) => {
                        index.single.extend(few.into_iter().map(|address| (address, place)));
                    }
                    None if end.addresses.is_empty() => {
                        index.anywhere.insert(place);
                    }
                    None => {
                        let is_placed = party.kind != PartyKind::Group || !end.subnets.is_empty();
                        let sets = if is_placed { &mut many } else { &mut unplaced };
                        let set = sets.entry(end.addresses.to_string());
                        set.or_insert_with(|| (end.addresses.clone(), BTreeSet::new())).1.insert(place);
                    }
                }
            }
        }
        index.single.sort_unstable();
        index.many = many.into_values().collect();
        index.unplaced = unplaced.into_values().collect();
        index
    }

    fn carries(&mut self, topology: &'a Topology, end: &'a End, place: usize) {
        let groups = end.groups.known().into_iter().flatten();
        // Translated traffic carries the node's.
        let host = end.host.as_ref().and_then(|host| host.groups.known()).into_iter().flatten();
        for group in groups.chain(host) {
            // Most ends of a party have the same ones.
            if !self.by_group.entry(group).or_default().insert(place) {
                continue;
            }
            for rule in topology.groups.get(group).into_iter().flat_map(|it| &it.rules) {
                let places = match &rule.peer {
                    _ if rule.direction == Direction::Ingress => continue,
                    Peer::Group(group) => {
                        self.ways[place].to_groups.insert(group);
                        continue;
                    }
                    Peer::Block(block) => self.leads_to.entry(block.to_string()).or_default(),
                    Peer::PrefixList(id) => self.leads_to.entry(id.to_string()).or_default(),
                    Peer::Unknown => &mut self.leads_anywhere,
                };
                places.insert(place);
                let traffic = &mut self.ways[place].to_addresses;
                *traffic = rule.traffic.known().map_or_else(Traffic::all, |it| it.or(traffic));
            }
        }
        if !end.groups.is_known() {
            self.open.insert(place);
            self.ways[place].is_unknown = true;
        }
    }

    /// Whether rules of a party may let something out to one with these groups, wherever that is.
    fn may_lead(&self, from: usize, groups: &[Id], traffic: &Fact<Traffic>) -> bool {
        let ways = &self.ways[from];
        ways.is_unknown
            || traffic.known().map_or(!ways.to_addresses.is_empty(), |traffic| ways.to_addresses.meets(traffic))
            || groups.iter().any(|group| ways.to_groups.contains(group))
    }

    /// Who may reach a party, by its rules, in order. Addresses are told of where a rule is for just these: what holds for more of them is
    /// told of those.
    pub(super) fn candidates(&self, topology: &Topology, parties: &[Party], to: usize) -> Vec<usize> {
        let name = &parties[to].name;
        let mut from = Found::none_of(parties.len());
        match parties[to].kind {
            PartyKind::Anywhere => return self.inside.clone(),
            PartyKind::Block => {
                let by_rule = self.leads_to.get(name).into_iter().flatten();
                from.extend(by_rule.chain(&self.leads_anywhere).chain(&self.open).copied());
                return from.in_order();
            }
            _ => {}
        }
        // Most of a party's ends have the same ones.
        let groups: HashSet<Option<&Vec<Id>>> = parties[to].ends.iter().map(|end| end.groups.known()).collect();
        for groups in groups {
            let Some(groups) = groups else { return (0..parties.len()).collect() };
            let rules = groups.iter().filter_map(|id| topology.groups.get(id)).flat_map(|group| &group.rules);
            for rule in rules.filter(|rule| rule.direction == Direction::Ingress) {
                let (name, addresses) = match &rule.peer {
                    Peer::Group(group) => {
                        from.extend(self.by_group.get(group).into_iter().flatten().copied());
                        continue;
                    }
                    Peer::Block(block) => (block.to_string(), AddressSet::from(*block)),
                    Peer::PrefixList(list) => {
                        let blocks = topology.prefix_lists.get(list).and_then(|list| list.blocks.known());
                        (list.to_string(), blocks.map_or_else(AddressSet::all, |blocks| blocks.iter().collect()))
                    }
                    Peer::Unknown => return (0..parties.len()).collect(),
                };
                let mut met = Found::none_of(parties.len());
                self.meet(&name, &addresses, &mut met);
                let leading = met.all.iter().filter(|it| !from.has[**it] && self.may_lead(**it, groups, &rule.traffic));
                let leading: Vec<usize> = leading.copied().collect();
                from.extend(leading);
            }
        }
        from.extend(self.open.iter().copied());
        from.in_order()
    }

    /// Parties that may have one of these addresses, and these addresses themselves.
    fn meet(&self, name: &str, block: &AddressSet, met: &mut Found) {
        met.extend(self.outside.get(ANYWHERE).into_iter().chain(self.outside.get(name)).copied());
        met.extend(self.anywhere.iter().copied());
        for range in block.ranges() {
            let first = self.single.partition_point(|(address, _)| address < range.start());
            let those = self.single[first..].iter().take_while(|(address, _)| address <= range.end());
            met.extend(those.map(|(_, place)| *place));
        }
        let placed = self.many.iter().filter(|(addresses, _)| block.meets(addresses));
        let unplaced = self.unplaced.iter().filter(|(addresses, _)| block.covers(addresses));
        met.extend(placed.chain(unplaced).flat_map(|(_, places)| places).copied());
    }
}
