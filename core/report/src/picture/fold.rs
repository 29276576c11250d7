//! What is alike becomes one box, and what is too much is counted: a picture stays readable whatever it is of.

use std::collections::{BTreeMap, BTreeSet};

use sgp_analysis::reach::PartyKind;

use super::{
    place::{Area, Place},
    scene::{Net, World},
    ways::{Fate, Ways},
};

/// Actors with the same ways are one box from so many on.
const FEWEST_ALIKE: usize = 3;
/// No more boxes than this.
pub const MOST_SPOTS: usize = 40;
/// Where something changes and there are too many boxes, so many are shown for the context.
const FEW: usize = 12;
/// No more nets than this.
pub const MOST_NETS: usize = 120;

/// The boxes and nets of a picture.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    /// The actors of each box.
    pub groups: Vec<Vec<usize>>,
    /// How many actors at a place have no box.
    pub more: BTreeMap<Place, usize>,
    /// What passes between boxes, by their places in `groups`.
    pub nets: Vec<Net>,
    /// How many actors have no box.
    pub actors_left_out: usize,
    /// How many ways are in no net.
    pub ways_left_out: usize,
}

/// A way, as one of its ends sees it: whether it begins there, the other end (none: itself), what, and what becomes of it.
type Seen<'a> = (bool, Option<usize>, &'a str, Fate, bool);

/// Folds and chooses.
pub fn fold(world: &World<'_>, ways: &Ways, places: &[Place]) -> Folded {
    let mut seen: Vec<BTreeSet<Seen<'_>>> = vec![BTreeSet::new(); ways.actors.len()];
    for way in &ways.ways {
        let other = |it: usize| (way.from != way.to).then_some(it);
        seen[way.from].insert((true, other(way.to), &way.traffic, way.fate, way.may));
        seen[way.to].insert((false, other(way.from), &way.traffic, way.fate, way.may));
    }
    let drawn: Vec<usize> =
        (0..ways.actors.len()).filter(|it| is_drawn(world, ways, *it, !seen[*it].is_empty())).collect();
    let mut alike: BTreeMap<(PartyKind, Fate, &Place, &BTreeSet<Seen<'_>>), Vec<usize>> = BTreeMap::new();
    for actor in drawn {
        let it = &ways.actors[actor];
        alike.entry((it.party.kind, it.fate, &places[actor], &seen[actor])).or_default().push(actor);
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for members in alike.into_values() {
        if members.len() >= FEWEST_ALIKE {
            groups.push(members);
        } else {
            groups.extend(members.into_iter().map(|it| vec![it]));
        }
    }
    let weight = |group: &Vec<usize>| weight(ways, &seen[group[0]], group[0]);
    groups.sort_by_cached_key(|group| (std::cmp::Reverse(weight(group)), group[0]));
    let rest = groups.split_off(boxes(ways, &seen, &groups));
    groups.sort_by_cached_key(|group| order(ways, places, group[0]));
    let mut folded = Folded { groups, ..Folded::default() };
    for group in rest {
        folded.actors_left_out += group.len();
        let place = Place { subnets: places[group[0]].subnets.clone(), node_group: None, ..places[group[0]].clone() };
        *folded.more.entry(place).or_default() += group.len();
    }
    nets(ways, &mut folded);
    folded
}

/// Addresses that nothing passes to or from, and groups that now something else carries, say nothing.
fn is_drawn(world: &World<'_>, ways: &Ways, actor: usize, has_ways: bool) -> bool {
    let it = &ways.actors[actor];
    match it.party.kind {
        PartyKind::Anywhere | PartyKind::Block => has_ways,
        PartyKind::Group => {
            let is_there = world.now.groups.values().any(|group| group.name == it.party.name);
            has_ways || !(it.fate == Fate::Goes && is_there)
        }
        _ => true,
    }
}

/// How many of the boxes are shown, the weightiest first. Where there are too many and something changes, only what has a part in
/// that and what holds it is shown.
fn boxes(ways: &Ways, seen: &[BTreeSet<Seen<'_>>], groups: &[Vec<usize>]) -> usize {
    let concerned = groups.iter().filter(|it| {
        let (is_anywhere, changes, is_frame, _) = weight(ways, &seen[it[0]], it[0]);
        is_anywhere || changes || is_frame
    });
    match concerned.count() {
        _ if groups.len() <= MOST_SPOTS => groups.len(),
        few if ways.is_change && few > FEW => few.min(MOST_SPOTS),
        _ if ways.is_change => FEW,
        _ => MOST_SPOTS,
    }
}

/// How much it deserves a box: what changes before what stays, what holds others before what is alone.
fn weight(ways: &Ways, seen: &BTreeSet<Seen<'_>>, actor: usize) -> (bool, bool, bool, usize) {
    let kind = ways.actors[actor].party.kind;
    let changes = seen.iter().filter(|(.., fate, _)| *fate != Fate::Stays).count();
    let is_frame = matches!(kind, PartyKind::Anywhere | PartyKind::Nodes | PartyKind::ControlPlane);
    (kind == PartyKind::Anywhere, changes > 0, is_frame, changes * 4 + seen.len())
}

/// From the outside inwards; what begins comes before what answers.
fn order(ways: &Ways, places: &[Place], actor: usize) -> impl Ord + use<> {
    let kind = ways.actors[actor].party.kind;
    let rank = match kind {
        PartyKind::Anywhere => 0,
        PartyKind::Block => 1,
        PartyKind::ControlPlane => 2,
        PartyKind::Nodes => 3,
        PartyKind::Pods => 4,
        PartyKind::Group => 5,
    };
    let area = match &places[actor].area {
        Area::Outside => 0,
        Area::Vpc(_) => 1,
        Area::Nowhere => 2,
    };
    (area, rank, ways.name(actor))
}

/// Wires: those that lead to one box with the same traffic are one.
fn nets(ways: &Ways, folded: &mut Folded) {
    let mut spot_of: BTreeMap<usize, usize> = BTreeMap::new();
    for (spot, group) in folded.groups.iter().enumerate() {
        spot_of.extend(group.iter().map(|actor| (*actor, spot)));
    }
    let mut all: BTreeMap<(u8, usize, &str, bool), (BTreeSet<usize>, bool, usize)> = BTreeMap::new();
    for way in &ways.ways {
        let (Some(from), Some(to)) = (spot_of.get(&way.from), spot_of.get(&way.to)) else {
            folded.ways_left_out += 1;
            continue;
        };
        let first = match (way.is_loud, way.fate) {
            (true, _) => 0,
            (_, Fate::Comes) => 1,
            (_, Fate::Goes) => 2,
            (_, Fate::Stays) => 3,
        };
        let net = all.entry((first, *to, &way.traffic, way.may)).or_default();
        net.0.insert(*from);
        net.1 |= way.is_loud;
        net.2 += 1;
    }
    for (number, ((first, to, traffic, may), (from, is_loud, count))) in all.into_iter().enumerate() {
        if number >= MOST_NETS {
            folded.ways_left_out += count;
            continue;
        }
        let fate = match first {
            0 | 1 => Fate::Comes,
            2 => Fate::Goes,
            _ => Fate::Stays,
        };
        let from = from.into_iter().collect();
        folded.nets.push(Net { from, to, traffic: traffic.to_owned(), fate, may, is_loud });
    }
}
