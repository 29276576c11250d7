//! Questions and answers.

use std::{collections::BTreeSet, ops::RangeInclusive};

use super::{
    end::End,
    oracle::Oracle,
    trail::{Fix, Hop, Trail},
    walk::Walk,
};
use crate::{
    sets::{Family, Passage, Traffic},
    topology::Topology,
};

/// Whether the two ends are on one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// That follows from their nodes; where one of these is not known both cases count.
    #[default]
    Either,
    /// On one node.
    SameNode,
    /// On two.
    OtherNode,
}

/// How a node hands on what comes to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// It does not: the packet begins at its sender.
    #[default]
    None,
    /// That of the sender's node chose the receiver: the sender's policies saw the Service.
    ByService,
    /// Its kube-proxy puts the node's address in place of the client's.
    Translated,
    /// Its kube-proxy hands it to a pod of its own, with the client's address.
    OnNode,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Who begins.
    pub from: &'a End,
    /// Who answers.
    pub to: &'a End,
    /// The traffic that is asked for.
    pub wanted: Traffic,
    /// Whether they are on one node.
    pub placement: Placement,
    /// The ports that clients answer at.
    pub client_ports: RangeInclusive<u16>,
    /// Whether hops and fixes are wanted.
    pub is_told: bool,
    /// What a node did with it before.
    pub delivery: Delivery,
    /// Whether rules that nobody told count as possible. A matrix is about those that are known.
    pub counts_unknown_rules: bool,
}

/// The ports that Linux takes for clients (`net.ipv4.ip_local_port_range`).
pub(super) const CLIENT_PORTS: RangeInclusive<u16> = 32_768..=60_999;

impl<'a> Question<'a> {
    /// Asks for everything, wherever both are.
    pub fn new(from: &'a End, to: &'a End) -> Self {
        Self {
            from,
            to,
            wanted: Traffic::all(),
            placement: Placement::Either,
            client_ports: CLIENT_PORTS,
            is_told: false,
            delivery: Delivery::None,
            counts_unknown_rules: true,
        }
    }

    /// The same, for some traffic, with the way.
    #[must_use]
    pub fn told(mut self, wanted: Traffic) -> Self {
        self.wanted = wanted;
        self.is_told = true;
        self
    }
}

/// What is so.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What passes, there and back.
    pub passage: Passage,
    /// The way of the case that decides: the most closed one.
    pub hops: Vec<Hop>,
    /// What nobody told and is taken to be open.
    pub assumptions: BTreeSet<String>,
    /// What would open the way, where it is closed.
    pub fixes: Vec<Fix>,
}

/// An answer in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of the traffic passes, in every case.
    Reachable,
    /// Some of it passes, or in some of the cases, or nobody can say.
    Depends,
    /// Nothing passes.
    Unreachable,
}

impl Answer {
    /// The verdict for the traffic that was asked for.
    pub fn verdict(&self, wanted: &Traffic) -> Verdict {
        match &self.passage {
            it if it.certain.covers(wanted) => Verdict::Reachable,
            it if it.is_closed() => Verdict::Unreachable,
            _ => Verdict::Depends,
        }
    }
}

/// Answers a question, over both families where both ends have both.
pub fn ask(topology: &Topology, question: &Question<'_>) -> Answer {
    let mut answer: Option<Answer> = None;
    for family in families(question.from, question.to) {
        let next = in_family(topology, question, family);
        answer = Some(match answer {
            None => next,
            Some(known) => known.or(next),
        });
    }
    answer.unwrap_or_else(|| Answer {
        passage: Passage::none(),
        hops: vec![Hop {
            at: question.from.name.clone(),
            what: format!("it and {} have no address of one family", question.to.name),
            by: None,
            outcome: super::Outcome::Stops,
            is_answer: false,
        }],
        assumptions: BTreeSet::new(),
        fixes: Vec::new(),
    })
}

/// The families that both ends speak.
pub(super) fn families(from: &End, to: &End) -> impl Iterator<Item = Family> {
    [Family::V4, Family::V6].into_iter().filter(|family| speaks(from, *family) && speaks(to, *family))
}

/// Whether an end has addresses of a family. Addresses that are not known are taken to be IPv4.
fn speaks(end: &End, family: Family) -> bool {
    if end.addresses.is_empty() { family == Family::V4 } else { end.addresses.has_family(family) }
}

impl Answer {
    /// Either way will do.
    pub(super) fn or(self, other: Self) -> Self {
        let passage = self.passage.or(&other.passage);
        let best = if self.passage == passage { self } else { other };
        Self { passage, ..best }
    }

    /// Both cases count; the more closed one is shown.
    pub(super) fn either(self, other: Self) -> Self {
        let passage = self.passage.either(&other.passage);
        let assumptions = self.assumptions.union(&other.assumptions).cloned().collect();
        let is_more_closed = |one: &Passage, than: &Passage| {
            than.certain.covers(&one.certain) && than.possible.covers(&one.possible) && one != than
        };
        let shown = if is_more_closed(&other.passage, &self.passage) { other } else { self };
        Self { passage, assumptions, ..shown }
    }
}

fn in_family(topology: &Topology, question: &Question<'_>, family: Family) -> Answer {
    let mut answer: Option<Answer> = None;
    let is_whole = each_case(topology, question, family, |mut walk| {
        walk.whole();
        let Trail { passage, hops, assumptions, fixes, .. } = walk.trail;
        let case = Answer { passage, hops, assumptions, fixes };
        answer = Some(match answer.take() {
            None => case,
            Some(known) => known.either(case),
        });
    });
    let nothing =
        || Answer { passage: Passage::none(), hops: Vec::new(), assumptions: BTreeSet::new(), fixes: Vec::new() };
    let answer = answer.unwrap_or_else(nothing);
    if is_whole { answer } else { Answer { passage: Passage::at_most(question.wanted.clone()), ..answer } }
}

/// Begins a walk for each case of what is not known. False when there are more than are walked.
pub(super) fn each_case(
    topology: &Topology,
    question: &Question<'_>,
    family: Family,
    mut visit: impl FnMut(Walk<'_>),
) -> bool {
    let mut oracle = Oracle::default();
    for _ in 1..Oracle::limit() {
        visit(Walk::new(topology, question, family, &mut oracle));
        if !oracle.next() {
            return true;
        }
    }
    visit(Walk::new(topology, question, family, &mut oracle));
    false
}
