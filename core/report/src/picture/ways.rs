//! Who takes part, and what passes: the same for a state and for a change.

use std::collections::BTreeMap;

use sgp_analysis::{
    reach::{ANYWHERE, Comparison, Interest, Matrix, Party},
    sets::{Passage, Traffic},
};
use sgp_model::symbol::readable;

/// What a plan does to something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It comes.
    Comes,
    /// It goes.
    Goes,
    /// It is there, before and after.
    #[default]
    Stays,
}

impl Fate {
    /// The fate of what is there now, or was before; without a before everything stays.
    pub fn of(is_there: bool, was_there: Option<bool>) -> Self {
        match (is_there, was_there) {
            (true, Some(false)) => Self::Comes,
            (false, Some(true)) => Self::Goes,
            _ => Self::Stays,
        }
    }

    /// What stands before a name or traffic, so that colour is not needed to tell.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Comes => "+ ",
            Self::Goes => "\u{2212} ",
            Self::Stays => "",
        }
    }
}

/// Who takes part.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The party.
    pub party: Party,
    /// Whether it is there before, after, or both.
    pub fate: Fate,
}

/// What passes from one to another one.
#[derive(Clone, Debug)]
pub struct Way {
    /// Who begins: a place in [`Ways::actors`].
    pub from: usize,
    /// Who answers.
    pub to: usize,
    /// What, in words.
    pub traffic: String,
    /// Whether it opens, closes or stays.
    pub fate: Fate,
    /// Whether that depends on something that is not known, or holds in some cases only.
    pub may: bool,
    /// Whether it opens to every address.
    pub is_loud: bool,
}

/// Everything that passes.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// Who takes part.
    pub actors: Vec<Actor>,
    /// What passes; what changes comes first, the interesting before the rest.
    pub ways: Vec<Way>,
    /// Whether it is about a change.
    pub is_change: bool,
}

impl Ways {
    /// Those of one topology.
    pub fn of_state(matrix: &Matrix) -> Self {
        let mut all = Self::default();
        all.actors.extend(matrix.parties.iter().map(|party| Actor { party: party.clone(), fate: Fate::Stays }));
        for ((from, to), passage) in &matrix.passages {
            all.stays(*from, *to, passage);
        }
        all
    }

    /// Those of a plan: what opens, what closes, what stays.
    pub fn of_change(comparison: &Comparison) -> Self {
        let mut all = Self { is_change: true, ..Self::default() };
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let was: BTreeMap<&str, &Party> = comparison.before.parties.iter().map(|it| (it.name.as_str(), it)).collect();
        for party in &comparison.after.parties {
            let fate = if was.contains_key(party.name.as_str()) { Fate::Stays } else { Fate::Comes };
            places.insert(&party.name, all.actors.len());
            all.actors.push(Actor { party: party.clone(), fate });
        }
        for (name, party) in was {
            if !places.contains_key(name) {
                places.insert(name, all.actors.len());
                all.actors.push(Actor { party: party.clone(), fate: Fate::Goes });
            }
        }
        for line in &comparison.change.lines {
            let (Some(from), Some(to)) = (places.get(line.from.as_str()), places.get(line.to.as_str())) else {
                continue;
            };
            let fate = if line.opens { Fate::Comes } else { Fate::Goes };
            let is_loud = line.opens && line.interest == Interest::FromAnywhere;
            let traffic = line.traffic.to_string();
            all.ways.push(Way { from: *from, to: *to, traffic, fate, may: line.may, is_loud });
        }
        for (from, to, passage) in comparison.kept() {
            if let (Some(from), Some(to)) = (places.get(from), places.get(to)) {
                all.stays(*from, *to, &passage);
            }
        }
        all
    }

    fn stays(&mut self, from: usize, to: usize, passage: &Passage) {
        let is_any = |place: usize| self.actors[place].party.name == ANYWHERE;
        // What holds for a part of all addresses is told of that part.
        let doubtful = if is_any(from) || is_any(to) { Traffic::none() } else { passage.doubtful() };
        for (traffic, may) in [(&passage.certain, false), (&doubtful, true)] {
            if !traffic.is_empty() {
                let traffic = traffic.to_string();
                self.ways.push(Way { from, to, traffic, fate: Fate::Stays, may, is_loud: false });
            }
        }
    }

    /// The name of an actor, for people.
    pub fn name(&self, place: usize) -> String {
        readable(&self.actors[place].party.name).into_owned()
    }
}
