//! Who may reach whom, before anything is walked, and what then passes.
//!
//! Parties that nothing tells apart (same groups, same places, and the same labels where NetworkPolicies look at them) are one
//! class, and each kind of way is walked once (`frame.rs`): of a pair it is only asked what the groups say.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    thread,
};

use super::{
    ask::ask,
    candidates::Index,
    cases::{Alike, Case, as_destination},
    classes::{Classes, Passages},
    end::{End, Wire},
    frame::{self, Frame, Gate, Side, Source},
    guards::{Asked, Guards},
    matrix::{Matrix, Party, parties},
    through,
};
use crate::{
    sets::{AddressSet, Family, Passage, Traffic},
    topology::{Direction, Topology},
};

/// Who may reach whom.
pub(super) struct Sketch<'a> {
    topology: &'a Topology,
    classes: Classes<'a>,
    pub(super) parties: Vec<Party>,
    /// What parties that are addresses are as something to be reached; nothing for others.
    destinations: Vec<Vec<End>>,
    /// The cases of each party, those of one class together.
    cases: Vec<Vec<Case>>,
    guards: Guards,
    /// What is all that counts of a party, as a hash.
    pub(super) faces: Vec<u64>,
    /// For each party those that its rules are for, in order.
    candidates: Vec<Vec<usize>>,
}

/// The part of a sketch that needs nothing of other ones.
struct Outline<'a> {
    classes: Classes<'a>,
    parties: Vec<Party>,
    candidates: Vec<Vec<usize>>,
}

impl<'a> Outline<'a> {
    fn of(topology: &'a Topology) -> Self {
        let parties = parties(topology);
        let index = Index::of(topology, &parties);
        let candidates = (0..parties.len()).map(|to| index.candidates(topology, &parties, to)).collect();
        Self { classes: Classes::of(topology), parties, candidates }
    }
}

impl<'a> Sketch<'a> {
    pub(super) fn of(topology: &'a Topology, known: &mut Passages) -> Self {
        Self::filled(topology, Outline::of(topology), known)
    }

    /// Two of them, made beside each other.
    pub(super) fn both(before: &'a Topology, after: &'a Topology, known: &mut Passages) -> (Self, Self) {
        let (first, second) = thread::scope(|scope| {
            let second = thread::Builder::new().spawn_scoped(scope, || Outline::of(after));
            (Outline::of(before), second.ok().and_then(|second| second.join().ok()))
        });
        // Where there is no second thread this one does it all.
        let second = second.unwrap_or_else(|| Outline::of(after));
        (Self::filled(before, first, known), Self::filled(after, second, known))
    }

    fn filled(topology: &'a Topology, outline: Outline<'a>, known: &mut Passages) -> Self {
        let Outline { classes, parties, candidates } = outline;
        let mut guards = Guards::default();
        let as_destinations = |party: &Party| -> Vec<End> {
            let addresses = party.ends.iter().filter(|end| end.wire == Wire::Anywhere);
            addresses.map(|end| as_destination(topology, end)).collect()
        };
        let destinations: Vec<Vec<End>> = parties.iter().map(as_destinations).collect();
        let all = parties.iter().zip(&destinations);
        let cases: Vec<Vec<Case>> = all.map(|(it, there)| Case::all(&classes, it, there, known, &mut guards)).collect();
        let faces = parties.iter().zip(&cases).map(|(party, cases)| face(party, cases)).collect();
        Self { topology, classes, parties, destinations, cases, guards, faces, candidates }
    }

    /// Pairs that say anything, by who begins and who answers.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.candidates.iter().enumerate().flat_map(|(to, all)| all.iter().map(move |from| (*from, to)))
    }

    pub(super) fn has_pair(&self, (from, to): (usize, usize)) -> bool {
        self.candidates[to].binary_search(&from).is_ok()
    }

    /// The matrix of some pairs.
    pub(super) fn walked(mut self, pairs: impl IntoIterator<Item = (usize, usize)>, known: &mut Passages) -> Matrix {
        let mut shared = Shared::default();
        let walk = |pair| Some((pair, self.passage(pair, known).filter(|it| !it.is_closed())?));
        let passages = pairs.into_iter().filter_map(walk);
        let passages = passages.map(|(pair, passage)| (pair, shared.passage(passage))).collect();
        let through = through::all(self.topology, &self.classes, known);
        Matrix { parties: self.parties, passages, through }
    }

    fn passage(&mut self, (from, to): (usize, usize), known: &mut Passages) -> Option<Passage> {
        let Self { topology, parties, destinations, cases, guards, .. } = self;
        let senders = &parties[from].ends;
        let receivers = if destinations[to].is_empty() { &parties[to].ends } else { &destinations[to] };
        let (mut all, mut to_itself): (Option<Passage>, Option<Passage>) = (None, None);
        for (one, other) in cases[from].iter().flat_map(|one| cases[to].iter().map(move |other| (one, other))) {
            let mut pair = Pair { topology, cases: (one, other), guards };
            let receiving = other.unlike(receivers, &one.named[1]);
            for sender in one.unlike(senders, &other.named[0]) {
                for receiver in &receiving {
                    match apart(&sender, receiver) {
                        Some((sender, receiver)) => {
                            let passage = pair.passage(sender, receiver, known);
                            all = Some(all.map_or_else(|| passage.clone(), |all| all.either(&passage)));
                        }
                        None => to_itself = Some(ask(topology, &frame::question(sender.one, receiver.one)).passage),
                    }
                }
            }
        }
        // What one sends to oneself says nothing of others.
        all.or(to_itself)
    }
}

/// Two cases, to be asked about ends of them.
struct Pair<'a> {
    topology: &'a Topology,
    cases: (&'a Case, &'a Case),
    guards: &'a mut Guards,
}

impl Pair<'_> {
    fn passage(&mut self, from: &End, to: &End, known: &mut Passages) -> Passage {
        let (one, other) = self.cases;
        let kinds = (one.sender.kind, other.receiver.kind);
        match known.frame(kinds, || Frame::of(self.topology, from, to)) {
            Some(frame) => frame.passage(|family, gate| self.judge(from, to, family, gate)),
            None => ask(self.topology, &frame::question(from, to)).passage,
        }
    }

    fn judge(&mut self, from: &End, to: &End, family: Family, gate: &Gate) -> Passage {
        let (one, other) = self.cases;
        let guard = |side: Side| match side {
            Side::Own => Some(one.sender.own),
            Side::Host => one.sender.host,
        };
        let none = AddressSet::none();
        let seen = |side: Side| match (side, &from.host) {
            (Side::Own, _) => &from.addresses,
            (Side::Host, Some(host)) => &host.addresses,
            (Side::Host, None) => &none,
        };
        match gate {
            Gate::Out { by, sees_interface } => {
                let there = sees_interface.then_some(other.receiver.own);
                let asked = Asked { direction: Direction::Egress, family, addresses: &to.addresses, there };
                guard(*by).map_or_else(Passage::unknown, |it| self.guards.ask(self.topology, it, &asked))
            }
            Gate::In { source, sender } => {
                let addresses = match source {
                    Source::Of(side) => seen(*side),
                    Source::Gateway(addresses) => addresses,
                };
                let there = sender.and_then(guard);
                let asked = Asked { direction: Direction::Ingress, family, addresses, there };
                self.guards.ask(self.topology, other.receiver.own, &asked)
            }
        }
    }
}

/// Two of these ends that are not one and the same.
fn apart<'p>(senders: &Alike<'p>, receivers: &Alike<'p>) -> Option<(&'p End, &'p End)> {
    let pairs = [
        Some((senders.one, receivers.one)),
        receivers.other.map(|other| (senders.one, other)),
        senders.other.map(|other| (other, receivers.one)),
    ];
    pairs.into_iter().flatten().find(|(from, to)| !from.has_address_of(to))
}

fn face(party: &Party, cases: &[Case]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for case in cases {
        case.class.hash(&mut hasher);
        case.ends.iter().for_each(|place| party.ends[*place].addresses.to_string().hash(&mut hasher));
    }
    hasher.finish()
}

/// Sets of traffic, each kept once.
#[derive(Default)]
struct Shared(HashSet<Traffic>);

impl Shared {
    fn passage(&mut self, passage: Passage) -> Passage {
        Passage { certain: self.traffic(passage.certain), possible: self.traffic(passage.possible) }
    }

    fn traffic(&mut self, traffic: Traffic) -> Traffic {
        if let Some(known) = self.0.get(&traffic) {
            return known.clone();
        }
        self.0.insert(traffic.clone());
        traffic
    }
}
