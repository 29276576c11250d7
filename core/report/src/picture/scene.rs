//! What a picture shows: boxes in boxes, and the nets between them, before anything has a size.

use std::collections::{BTreeMap, BTreeSet};

use sgp_analysis::{
    reach::PartyKind,
    topology::{Fact, Id, Target, Topology},
};

use super::{
    detail,
    fold::{self, Folded},
    names::Names,
    place::{Area, Place},
    ways::{Fate, Ways},
};

/// More subnets than this side by side are told in one lane.
const MOST_LANES: usize = 8;

/// What stands behind a picture.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// What there is, or will be.
    pub now: &'a Topology,
    /// What there was before a plan, for what goes.
    pub before: Option<&'a Topology>,
    /// Names of what has ids.
    pub names: &'a Names,
}

impl World<'_> {
    /// Whether something is there now, before, or both.
    pub fn fate(&self, is_there: impl Fn(&Topology) -> bool) -> Fate {
        Fate::of(is_there(self.now), self.before.map(&is_there))
    }

    /// The topology that tells of something: as it is now, where it is there.
    pub fn telling(&self, is_there: impl Fn(&Topology) -> bool) -> &Topology {
        self.before.filter(|before| !is_there(self.now) && is_there(before)).unwrap_or(self.now)
    }

    /// The topology that tells of an actor.
    pub fn of(&self, fate: Fate) -> &Topology {
        self.before.filter(|_| fate == Fate::Goes).unwrap_or(self.now)
    }
}

/// A box that nets end at: an actor, or several that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// What it is called.
    pub name: String,
    /// What it is and has, in a few words.
    pub detail: String,
    /// What it is; none for what only counts those that have no box.
    pub kind: Option<PartyKind>,
    /// Whether it is there before, after, or both.
    pub fate: Fate,
    /// The actors it stands for: places in [`Ways::actors`].
    pub actors: Vec<usize>,
}

/// What may reach a spot in the same way: one wire with several beginnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    /// Who begins.
    pub from: Vec<usize>,
    /// Who answers.
    pub to: usize,
    /// What passes.
    pub traffic: String,
    /// Whether it opens, closes or stays.
    pub fate: Fate,
    /// Whether it depends on something.
    pub may: bool,
    /// Whether it opens to every address.
    pub is_loud: bool,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// What it is called.
    pub name: String,
    /// Its zone, addresses, and whether it is public.
    pub detail: Vec<String>,
    /// Whether it is there before, after, or both.
    pub fate: Fate,
}

/// A spot across lanes, with what runs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// The spot.
    pub spot: usize,
    /// The first and the last lane.
    pub lanes: (usize, usize),
    /// Bands inside.
    pub inner: Vec<Band>,
}

/// Bands of one cluster, or of none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The cluster.
    pub name: Option<String>,
    /// Whether it is there before, after, or both.
    pub fate: Fate,
    /// What of it has no box of its own.
    pub note: Option<String>,
    /// What is in it.
    pub bands: Vec<Band>,
}

/// Subnets that the same things are in, beside each other, with these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its name, where it is no subnets.
    pub name: Option<String>,
    /// Its subnets, by zone.
    pub lanes: Vec<Lane>,
    /// What lies across them.
    pub frames: Vec<Frame>,
}

/// An outermost box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// What it is called.
    pub name: String,
    /// Its addresses and gateways.
    pub detail: String,
    /// Whether it is there before, after, or both.
    pub fate: Fate,
    /// Whether it is a VPC.
    pub is_vpc: bool,
    /// Its tiers.
    pub tiers: Vec<Tier>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// What nets end at.
    pub spots: Vec<Spot>,
    /// The outermost boxes, from the outside inwards.
    pub rooms: Vec<Room>,
    /// What passes.
    pub nets: Vec<Net>,
    /// How many actors have no box, because there are too many.
    pub actors_left_out: usize,
    /// How many pairs are in the list alone.
    pub ways_left_out: usize,
    /// Whether it is about a change.
    pub is_change: bool,
}

impl Scene {
    /// Arranges what takes part.
    pub fn of(world: &World<'_>, ways: &Ways) -> Self {
        let places: Vec<Place> = ways.actors.iter().map(|it| Place::of(world.of(it.fate), &it.party)).collect();
        let Folded { groups, more, nets, actors_left_out, ways_left_out } = fold::fold(world, ways, &places);
        let mut spots: Vec<Spot> = groups.iter().map(|it| detail::spot(world, ways, it)).collect();
        let mut spot_places: Vec<&Place> = groups.iter().map(|it| &places[it[0]]).collect();
        let more: Vec<(Place, usize)> = more.into_iter().collect();
        for (place, count) in &more {
            let (name, detail) = (format!("and {count} more"), "in the list".to_owned());
            spots.push(Spot { name, detail, kind: None, fate: Fate::Stays, actors: Vec::new() });
            spot_places.push(place);
        }
        let rooms = rooms(world, &spots, &spot_places);
        Self { spots, rooms, nets, actors_left_out, ways_left_out, is_change: ways.is_change }
    }
}

fn rooms(world: &World<'_>, spots: &[Spot], places: &[&Place]) -> Vec<Room> {
    let mut areas: BTreeSet<Area> = places.iter().map(|it| it.area.clone()).collect();
    let topologies = || std::iter::once(world.now).chain(world.before);
    areas.extend(topologies().flat_map(|it| it.vpcs.keys()).cloned().map(Area::Vpc));
    let room = |area: Area| {
        let here: Vec<usize> = (0..spots.len()).filter(|it| places[*it].area == area).collect();
        match &area {
            Area::Outside => Room {
                name: "Outside".to_owned(),
                detail: "addresses that rules name".to_owned(),
                fate: Fate::Stays,
                is_vpc: false,
                tiers: vec![plain(world, spots, places, &here)],
            },
            Area::Nowhere => Room {
                name: "In a VPC that is not known".to_owned(),
                detail: String::new(),
                fate: Fate::Stays,
                is_vpc: false,
                tiers: vec![plain(world, spots, places, &here)],
            },
            Area::Vpc(id) => Room {
                name: format!("VPC {}", world.names.get(id)),
                detail: detail::vpc(world, id),
                fate: world.fate(|it| it.vpcs.contains_key(id)),
                is_vpc: true,
                tiers: tiers(world, id, spots, places, &here),
            },
        }
    };
    areas.into_iter().map(room).collect()
}

/// A tier without subnets.
fn plain(world: &World<'_>, spots: &[Spot], places: &[&Place], here: &[usize]) -> Tier {
    Tier { name: None, lanes: Vec::new(), frames: frames(world, spots, places, here, &[]) }
}

/// The subnets of a VPC with what is in them; then what is somewhere in the VPC.
fn tiers(world: &World<'_>, vpc: &Id, spots: &[Spot], places: &[&Place], here: &[usize]) -> Vec<Tier> {
    let mut unused = subnets_of(world, vpc);
    let (placed, loose): (Vec<usize>, Vec<usize>) = here.iter().partition(|it| !places[**it].subnets.is_empty());
    let mut tiers = Vec::new();
    for together in components(&placed, places) {
        let used: BTreeSet<&Id> = together.iter().flat_map(|it| &places[*it].subnets).collect();
        unused.retain(|it| !used.contains(it));
        let ids = by_zone(world, used.into_iter().collect());
        let lanes = lanes(world, &ids);
        tiers.push(Tier { name: None, lanes, frames: frames(world, spots, places, &together, &ids) });
    }
    if !unused.is_empty() {
        let ids = by_zone(world, unused.into_iter().collect());
        tiers.insert(0, Tier { name: None, lanes: lanes(world, &ids), frames: Vec::new() });
    }
    if !loose.is_empty() {
        let name = (!tiers.is_empty()).then(|| "In subnets that are not known".to_owned());
        tiers.push(Tier { name, ..plain(world, spots, places, &loose) });
    }
    tiers
}

fn subnets_of<'a>(world: &World<'a>, vpc: &Id) -> BTreeSet<&'a Id> {
    let all = std::iter::once(world.now).chain(world.before).flat_map(|it| &it.subnets);
    all.filter(|(_, it)| it.vpc.known() == Some(vpc)).map(|(id, _)| id).collect()
}

/// Spots that share subnets, directly or through others.
fn components(placed: &[usize], places: &[&Place]) -> Vec<Vec<usize>> {
    let mut all: Vec<(BTreeSet<&Id>, Vec<usize>)> = Vec::new();
    for spot in placed {
        let mut subnets: BTreeSet<&Id> = places[*spot].subnets.iter().collect();
        let mut members = vec![*spot];
        let (near, far): (Vec<_>, Vec<_>) = all.into_iter().partition(|(its, _)| !its.is_disjoint(&subnets));
        for (its, others) in near {
            subnets.extend(its);
            members.extend(others);
        }
        all = far;
        all.push((subnets, members));
    }
    for (_, members) in &mut all {
        members.sort_unstable();
    }
    all.sort_by_key(|(_, members)| members[0]);
    all.into_iter().map(|(_, members)| members).collect()
}

fn by_zone<'a>(world: &World<'_>, mut ids: Vec<&'a Id>) -> Vec<&'a Id> {
    ids.sort_by_cached_key(|id| {
        let subnet = world.telling(|it| it.subnets.contains_key(*id)).subnets.get(*id);
        let zone = subnet.and_then(|it| it.zone.known().cloned());
        (zone.is_none(), zone, world.names.get(id))
    });
    ids
}

fn lanes(world: &World<'_>, ids: &[&Id]) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = ids.iter().take(MOST_LANES).map(|id| detail::lane(world, id)).collect();
    if let (Some(last), true) = (lanes.last_mut(), ids.len() > MOST_LANES) {
        let more = ids.len() - MOST_LANES + 1;
        *last = Lane { name: format!("and {more} more subnets"), detail: Vec::new(), fate: Fate::Stays };
    }
    lanes
}

/// Bands by cluster; those of no cluster come last.
fn frames(world: &World<'_>, spots: &[Spot], places: &[&Place], here: &[usize], lanes: &[&Id]) -> Vec<Frame> {
    let mut by_cluster: BTreeMap<(bool, Option<&Id>), Vec<usize>> = BTreeMap::new();
    for spot in here {
        let cluster = places[*spot].cluster.as_ref();
        by_cluster.entry((cluster.is_none(), cluster)).or_default().push(*spot);
    }
    let frame = |((_, cluster), members): ((bool, Option<&Id>), Vec<usize>)| Frame {
        name: cluster.map(|id| format!("EKS cluster {id}")),
        fate: cluster.map_or(Fate::Stays, |id| world.fate(|it| it.clusters.contains_key(id))),
        note: cluster.and_then(|id| detail::sharing(world, id)),
        bands: bands(spots, places, &members, lanes),
    };
    by_cluster.into_iter().map(frame).collect()
}

fn bands(spots: &[Spot], places: &[&Place], members: &[usize], lanes: &[&Id]) -> Vec<Band> {
    let last = lanes.len().clamp(1, MOST_LANES) - 1;
    let across = |spot: usize| {
        let at = |id: &Id| lanes.iter().position(|it| *it == id).map(|it| it.min(last));
        let own: Vec<usize> = places[spot].subnets.iter().filter_map(at).collect();
        (own.iter().min().copied().unwrap_or(0), own.iter().max().copied().unwrap_or(last))
    };
    let host = |spot: usize| {
        let wanted = places[spot].node_group.as_ref()?;
        let is_it = |it: &usize| {
            let is_of_it =
                spots[*it].name == format!("nodes {wanted}") || spots[*it].name.ends_with(&format!(":nodes {wanted}"));
            spots[*it].kind == Some(PartyKind::Nodes) && is_of_it
        };
        members.iter().copied().find(is_it)
    };
    let guests: BTreeMap<usize, usize> = members.iter().filter_map(|it| Some((*it, host(*it)?))).collect();
    let band = |spot: usize, inner: Vec<Band>| Band { spot, lanes: across(spot), inner };
    let roots = members.iter().filter(|it| !guests.contains_key(it));
    roots
        .map(|root| {
            let mut inner: Vec<Band> =
                guests.iter().filter(|(_, host)| *host == root).map(|(guest, _)| band(*guest, Vec::new())).collect();
            // They run where their nodes do.
            let (first, last) = across(*root);
            for it in &mut inner {
                it.lanes = (it.lanes.0.clamp(first, last), it.lanes.1.clamp(first, last));
            }
            band(*root, inner)
        })
        .collect()
}

/// Whether a subnet's way to the internet is known, and which it is.
pub fn way_out(topology: &Topology, subnet: &sgp_analysis::topology::Subnet) -> Option<&'static str> {
    let Fact::Known(table) = &subnet.route_table else { return None };
    let routes = &topology.route_tables.get(table)?.routes;
    let leads = |to: fn(&Target) -> bool| routes.iter().any(|route| to(&route.target));
    Some(if leads(|it| matches!(it, Target::Internet(_))) {
        "public"
    } else if leads(|it| matches!(it, Target::Nat(_))) {
        "private, out through NAT"
    } else if leads(|it| matches!(it, Target::EgressOnly(_))) {
        "private, out over IPv6"
    } else {
        "private, no way out"
    })
}
