//! What was met on the way.

use std::{collections::BTreeSet, fmt};

use crate::{
    sets::{Passage, Traffic},
    topology::{Direction, Id, Peer},
};

/// What became of the traffic at a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it goes on.
    Passes,
    /// Part of it goes on, or only in some of the cases.
    Partly,
    /// Nobody can say.
    Unknown,
    /// Nothing goes on.
    Stops,
}

/// One thing on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where: a pod, a group, a subnet, a gateway.
    pub at: String,
    /// What happens there.
    pub what: String,
    /// The rule, route or policy that decided.
    pub by: Option<String>,
    /// What became of the traffic.
    pub outcome: Outcome,
    /// Whether it is on the way of the answer.
    pub is_answer: bool,
}

/// A change that would open the way at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// A rule of a security group.
    Rule {
        /// The group that would get it; the first one of the interface.
        group: Id,
        /// Which way.
        direction: Direction,
        /// For whom.
        peer: Peer,
        /// For what: behind a Service or a load balancer it is not what was asked for.
        traffic: Traffic,
    },
    /// Anything else, in words.
    Other(String),
}

/// The way of one case.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    pub(crate) passage: Passage,
    pub(crate) hops: Vec<Hop>,
    pub(crate) assumptions: BTreeSet<String>,
    pub(crate) fixes: Vec<Fix>,
    /// Hops cost text; a matrix does without.
    is_told: bool,
    /// Whether the way back has begun.
    pub(crate) is_back: bool,
}

impl Trail {
    pub(crate) fn new(wanted: Traffic, is_told: bool) -> Self {
        Self {
            passage: Passage::exactly(wanted),
            hops: Vec::new(),
            assumptions: BTreeSet::new(),
            fixes: Vec::new(),
            is_told,
            is_back: false,
        }
    }

    /// Whether nothing can go on, so that the rest need not be looked at. A told trail goes on, for the sake of its fixes.
    pub(crate) fn is_over(&self) -> bool {
        !self.is_told && self.passage.is_closed()
    }

    /// Goes through something that lets `layer` pass.
    pub(crate) fn meet(&mut self, layer: &Passage, hop: impl FnOnce() -> (String, String, Option<String>)) {
        let before = std::mem::replace(&mut self.passage, Passage::none());
        self.passage = before.then(layer);
        // After the end of the way there is nothing to tell.
        if !self.is_told || before.is_closed() {
            return;
        }
        let outcome = match &self.passage {
            now if now.is_closed() => Outcome::Stops,
            now if *now == before => Outcome::Passes,
            now if now.certain.is_empty() && now.possible == before.possible => Outcome::Unknown,
            _ => Outcome::Partly,
        };
        let (at, what, by) = hop();
        self.hops.push(Hop { at, what, by, outcome, is_answer: self.is_back });
    }

    /// Something that lets everything pass.
    pub(crate) fn pass(&mut self, at: impl fmt::Display, what: impl fmt::Display, by: Option<String>) {
        if self.is_told && !self.passage.is_closed() {
            let (at, what) = (at.to_string(), what.to_string());
            self.hops.push(Hop { at, what, by, outcome: Outcome::Passes, is_answer: self.is_back });
        }
    }

    /// The end of the way.
    pub(crate) fn stop(&mut self, at: impl fmt::Display, what: impl fmt::Display, by: Option<String>) {
        self.meet(&Passage::none(), || (at.to_string(), what.to_string(), by));
    }

    /// What nobody can say.
    pub(crate) fn lose(&mut self, at: impl fmt::Display, what: impl fmt::Display) {
        self.meet(&Passage::unknown(), || (at.to_string(), what.to_string(), None));
    }

    /// Goes on under a condition that nobody told.
    pub(crate) fn assume(&mut self, what: impl fmt::Display) {
        if self.is_told && !self.passage.is_closed() {
            self.assumptions.insert(what.to_string());
        }
    }

    /// Remembers what would open the place.
    pub(crate) fn mend(&mut self, fix: impl FnOnce() -> Fix) {
        if self.is_told {
            let fix = fix();
            if !self.fixes.contains(&fix) {
                self.fixes.push(fix);
            }
        }
    }
}
