//! How reachability changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    classes::Passages,
    matrix::{ANYWHERE, Matrix, Party, PartyKind, matrix_with},
    sketch::Sketch,
    through::Through,
};
use crate::{
    sets::{AddressSet, Passage, Traffic},
    topology::{Fact, Topology},
};

/// What opens or closes between two parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who begins.
    pub from: String,
    /// Who answers.
    pub to: String,
    /// Whether the traffic passes after the change and not before, or the other way round.
    pub opens: bool,
    /// What.
    pub traffic: Traffic,
    /// Whether that holds in some cases only, or depends on what is known after apply.
    pub may: bool,
    /// What it passes by: `ingress app/web`.
    pub by: Option<String>,
    /// How much it deserves a look.
    pub interest: Interest,
}

/// How much a line deserves a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interest {
    /// From every address there is.
    FromAnywhere,
    /// Between pods, groups and addresses.
    Usual,
    /// Only nodes, control planes and the outside have a part in it: what comes with every cluster.
    Infrastructure,
}

impl Line {
    /// Whether it says what the other one says, of everybody.
    fn says(&self, other: &Self) -> bool {
        self.to == other.to && self.by == other.by && self.opens == other.opens && self.traffic.covers(&other.traffic)
    }
}

/// What changes, the interesting first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Lines: what opens to or from every address, what opens, what closes.
    pub lines: Vec<Line>,
}

/// Two topologies beside each other.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Who reaches whom before.
    pub before: Matrix,
    /// Who reaches whom after.
    pub after: Matrix,
    /// The difference.
    pub change: Change,
}

impl Comparison {
    /// What passes before and after, by the names of who begins and who answers, in the order of `after`.
    pub fn kept(&self) -> Vec<(&str, &str, Passage)> {
        let (before, after) = (Named::of(&self.before), Named::of(&self.after));
        let both = |((from, to), passage): (&(usize, usize), &Passage)| {
            let key = (after.name(*from), after.name(*to));
            let kept = before.passage(key, &after)?.then(passage);
            (!kept.is_closed()).then_some((key.0, key.1, kept))
        };
        self.after.passages.iter().filter_map(both).collect()
    }
}

/// Compares two topologies. What both have in common is not walked.
pub fn changes(before: &Topology, after: &Topology) -> Change {
    if !before.has_networks_of(after) {
        return compared(before, after).change;
    }
    let mut known = Passages::default();
    let (first, second) = Sketch::both(before, after, &mut known);
    let (of_first, of_second) = differing(&first, &second);
    compare(&first.walked(of_first, &mut known), &second.walked(of_second, &mut known))
}

type Pairs = BTreeSet<(usize, usize)>;

/// The pairs that are not the same in two sketches: of others, with other classes, or in one of them only. Each stands in both where
/// both have it.
fn differing(before: &Sketch<'_>, after: &Sketch<'_>) -> (Pairs, Pairs) {
    let (to_before, to_after) = (Places::of(after, before), Places::of(before, after));
    let mut of_before: Pairs = before.pairs().filter(|pair| !to_after.has_alike(*pair)).collect();
    let mut of_after: Pairs = after.pairs().filter(|pair| !to_before.has_alike(*pair)).collect();
    // What is walked here for the sake of what is there is compared in its turn.
    let mut count = 0;
    while count < of_before.len() + of_after.len() {
        count = of_before.len() + of_after.len();
        of_after.extend(of_before.iter().flat_map(|pair| to_after.same(*pair)));
        of_before.extend(of_after.iter().flat_map(|pair| to_before.same(*pair)));
    }
    (of_before, of_after)
}

/// Where parties of one sketch are in the other one.
struct Places<'a> {
    there: &'a Sketch<'a>,
    /// Those of their names. Addresses that no rule names there are like all that hold them.
    of_name: Vec<Vec<usize>>,
    /// Whether nothing that counts of them is different there.
    are_alike: Vec<bool>,
}

impl<'a> Places<'a> {
    fn of(here: &Sketch<'_>, there: &'a Sketch<'a>) -> Self {
        let names: HashMap<&str, usize> =
            there.parties.iter().enumerate().map(|(place, party)| (party.name.as_str(), place)).collect();
        let addresses = |party: &'a Party| {
            let is_outside = matches!(party.kind, PartyKind::Anywhere | PartyKind::Block);
            party.ends.first().filter(|_| is_outside).map(|end| &end.addresses)
        };
        let outside: Vec<(usize, &AddressSet)> =
            there.parties.iter().enumerate().filter_map(|(place, it)| Some((place, addresses(it)?))).collect();
        let holding = |party: &Party| -> Vec<usize> {
            let own = party.ends.first().filter(|_| party.kind == PartyKind::Block).map(|end| &end.addresses);
            let holds = |it: &&(usize, &AddressSet)| own.is_some_and(|own| it.1.covers(own));
            outside.iter().filter(holds).map(|(place, _)| *place).collect()
        };
        let place = |party: &Party| names.get(party.name.as_str()).map_or_else(|| holding(party), |it| vec![*it]);
        let of_name: Vec<Vec<usize>> = here.parties.iter().map(place).collect();
        let is_alike = |(party, face): (&Party, &u64)| {
            names.get(party.name.as_str()).is_some_and(|place| there.faces[*place] == *face)
        };
        let are_alike = here.parties.iter().zip(&here.faces).map(is_alike).collect();
        Self { there, of_name, are_alike }
    }

    /// The pairs of the same names, as far as they are pairs there.
    fn same(&self, (from, to): (usize, usize)) -> impl Iterator<Item = (usize, usize)> + '_ {
        let pairs = self.of_name[from].iter().flat_map(move |from| self.of_name[to].iter().map(move |to| (*from, *to)));
        pairs.filter(|pair| self.there.has_pair(*pair))
    }

    /// Whether it is there, and nothing that counts of it is different.
    fn has_alike(&self, pair: (usize, usize)) -> bool {
        self.are_alike[pair.0] && self.are_alike[pair.1] && self.same(pair).next().is_some()
    }
}

/// Compares two topologies, and keeps what was compared.
pub fn compared(before: &Topology, after: &Topology) -> Comparison {
    let mut known = Passages::default();
    let first = matrix_with(before, &mut known);
    let second = following(&mut known, before, after);
    let change = compare(&first, &second);
    Comparison { before: first, after: second, change }
}

/// The matrix of what comes after. What was walked before counts for it, unless the way itself changes.
fn following(known: &mut Passages, before: &Topology, after: &Topology) -> Matrix {
    if !before.has_networks_of(after) {
        known.clear();
    }
    matrix_with(after, known)
}

/// Topologies one after the other, and what changes from each to the next.
#[derive(Default)]
pub struct Succession {
    known: Passages,
    first: Option<Matrix>,
    last: Option<(Topology, Matrix)>,
}

impl Succession {
    /// What changes with this one; nothing with the first.
    pub fn then(&mut self, topology: Topology) -> Change {
        let (matrix, change) = match &self.last {
            Some((before, of_before)) => {
                let matrix = following(&mut self.known, before, &topology);
                let change = compare(of_before, &matrix);
                (matrix, change)
            }
            None => {
                let matrix = matrix_with(&topology, &mut self.known);
                self.first = Some(matrix.clone());
                (matrix, Change::default())
            }
        };
        self.last = Some((topology, matrix));
        change
    }

    /// What the last one has otherwise than the first.
    pub fn altogether(&self) -> Change {
        match (&self.first, &self.last) {
            (Some(first), Some((_, last))) => compare(first, last),
            _ => Change::default(),
        }
    }
}

fn compare(before: &Matrix, after: &Matrix) -> Change {
    let (before, after) = (Named::of(before), Named::of(after));
    let mut lines = Vec::new();
    for (key, passage) in &after.passages {
        push(&mut lines, *key, (passage, before.passage(*key, &after)), true, after.interest(*key));
    }
    lines.extend(by_balancers(&before, &after, true));
    for (key, passage) in &before.passages {
        push(&mut lines, *key, (passage, after.passage(*key, &before)), false, before.interest(*key));
    }
    lines.extend(by_balancers(&after, &before, false));
    // Who is among all addresses needs no line of its own.
    let all: Vec<Line> = lines.iter().filter(|line| line.from == ANYWHERE).cloned().collect();
    lines.retain(|line| line.from == ANYWHERE || !all.iter().any(|it| it.says(line)));
    lines.sort_by_key(|line| {
        let is_loud = line.opens && line.interest == Interest::FromAnywhere;
        (!is_loud, line.interest == Interest::Infrastructure, !line.opens, line.may, line.from.clone(), line.to.clone())
    });
    Change { lines }
}

fn push(
    lines: &mut Vec<Line>,
    key: (&str, &str),
    (here, there): (&Passage, Option<Passage>),
    opens: bool,
    interest: Interest,
) {
    let is_anywhere = key.0 == ANYWHERE || key.1 == ANYWHERE;
    // What passed for a part of all addresses did not pass for all of them.
    let before = there.map_or_else(Traffic::none, |there| if is_anywhere { there.certain } else { there.possible });
    let certain = here.certain.without(&before);
    let doubtful = here.possible.without(&before).without(&certain);
    for (traffic, may) in [(certain, false), (doubtful, true)] {
        // What holds for a part of all addresses is told of that part.
        let is_told_elsewhere = may && is_anywhere;
        if !traffic.is_empty() && !is_told_elsewhere {
            let (from, to) = (key.0.to_owned(), key.1.to_owned());
            lines.push(Line { from, to, opens, traffic, may, by: None, interest });
        }
    }
}

/// What passes by load balancers here and not there.
fn by_balancers<'a>(there: &'a Named<'_>, here: &'a Named<'_>, opens: bool) -> impl Iterator<Item = Line> + 'a {
    here.through.iter().flat_map(move |(key, through)| {
        let known = there.through.get(key).map_or_else(Traffic::none, |it| it.passage.possible.clone());
        let certain = through.passage.certain.without(&known);
        let doubtful = through.passage.possible.without(&known).without(&certain);
        // An internal load balancer is open to whoever gets there.
        let is_loud = through.from == ANYWHERE && through.is_public != Fact::Known(false);
        let line = move |(traffic, may)| Line {
            from: through.from.clone(),
            to: through.to.clone(),
            opens,
            traffic,
            may,
            by: Some(through.by.clone()),
            interest: if is_loud { Interest::FromAnywhere } else { Interest::Usual },
        };
        [(certain, false), (doubtful, true)].into_iter().filter(|(traffic, _)| !traffic.is_empty()).map(line)
    })
}

/// A matrix by the names of its parties.
struct Named<'a> {
    parties: &'a [Party],
    passages: BTreeMap<(&'a str, &'a str), &'a Passage>,
    kinds: BTreeMap<&'a str, PartyKind>,
    through: BTreeMap<(&'a str, &'a str, &'a str), &'a Through>,
    /// What rules' addresses are.
    addresses: BTreeMap<&'a str, &'a AddressSet>,
    /// What passes from addresses, by who answers, and to addresses, by who begins.
    from_outside: BTreeMap<&'a str, Vec<(&'a AddressSet, &'a Passage)>>,
    to_outside: BTreeMap<&'a str, Vec<(&'a AddressSet, &'a Passage)>>,
}

impl<'a> Named<'a> {
    fn of(matrix: &'a Matrix) -> Self {
        let name = |place: usize| matrix.parties[place].name.as_str();
        let passages = matrix.passages.iter().map(|((from, to), passage)| ((name(*from), name(*to)), passage));
        let is_outside = |it: &&Party| matches!(it.kind, PartyKind::Anywhere | PartyKind::Block);
        let addresses = |it: &'a Party| Some((it.name.as_str(), &it.ends.first()?.addresses));
        let addresses: BTreeMap<&str, &AddressSet> =
            matrix.parties.iter().filter(is_outside).filter_map(addresses).collect();
        let (mut from_outside, mut to_outside) = (BTreeMap::new(), BTreeMap::new());
        for ((from, to), passage) in &matrix.passages {
            if let Some(addresses) = addresses.get(name(*from)) {
                from_outside.entry(name(*to)).or_insert_with(Vec::new).push((*addresses, passage));
            }
            if let Some(addresses) = addresses.get(name(*to)) {
                to_outside.entry(name(*from)).or_insert_with(Vec::new).push((*addresses, passage));
            }
        }
        Self {
            addresses,
            from_outside,
            to_outside,
            parties: &matrix.parties,
            passages: passages.collect(),
            kinds: matrix.parties.iter().map(|it| (it.name.as_str(), it.kind)).collect(),
            through: matrix.through.iter().map(|it| ((it.from.as_str(), it.to.as_str(), it.by.as_str()), it)).collect(),
        }
    }

    fn name(&self, place: usize) -> &'a str {
        &self.parties[place].name
    }

    fn interest(&self, (from, to): (&str, &str)) -> Interest {
        let is_infrastructure = |name| !matches!(self.kinds.get(name), Some(PartyKind::Pods | PartyKind::Group));
        match from {
            ANYWHERE => Interest::FromAnywhere,
            _ if is_infrastructure(from) && is_infrastructure(to) => Interest::Infrastructure,
            _ => Interest::Usual,
        }
    }

    /// What passes between two names of another matrix. Where no rule here is for just these addresses, what passes for all of them counts.
    fn passage(&self, (from, to): (&'a str, &'a str), theirs: &Named<'a>) -> Option<Passage> {
        if let Some(known) = self.passages.get(&(from, to)) {
            return Some((*known).clone());
        }
        let wider = match (theirs.addresses.get(from), theirs.addresses.get(to)) {
            (Some(addresses), None) => self.from_outside.get(to).map(|all| wider(all, addresses)),
            (None, Some(addresses)) => self.to_outside.get(from).map(|all| wider(all, addresses)),
            _ => None,
        };
        wider.flatten()
    }
}

/// What passes for addresses that hold all of these.
fn wider(all: &[(&AddressSet, &Passage)], addresses: &AddressSet) -> Option<Passage> {
    let whole = all.iter().filter(|(theirs, _)| theirs.covers(addresses));
    // Of all addresses there are, what is possible may be so for others only.
    let sure = |(theirs, passage): &(&AddressSet, &Passage)| {
        if **theirs == AddressSet::all() { Passage::exactly(passage.certain.clone()) } else { (*passage).clone() }
    };
    whole.map(sure).reduce(|one, other| one.or(&other))
}
