//! One question between two names, over all cases that the names stand for.

use std::{collections::BTreeSet, ops::RangeInclusive};

use super::{
    ask::{Answer, CLIENT_PORTS, Delivery, Placement, Verdict},
    end::End,
    ends::Found,
    front::{Front, Judge, Told, through},
    trail::{Fix, Hop, Outcome},
};
use crate::{
    sets::{Passage, Traffic},
    topology::Topology,
};

/// The way between two ends, and what decides.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Who begins.
    pub from: String,
    /// Who answers.
    pub to: String,
    /// What was asked for.
    pub wanted: Traffic,
    /// What passes of it.
    pub passage: Passage,
    /// In a word.
    pub verdict: Verdict,
    /// The way of the case that decides.
    pub hops: Vec<Hop>,
    /// What nobody told and is taken to be open.
    pub assumptions: Vec<String>,
    /// The smallest change that would open it, where it is closed.
    pub fixes: Vec<Fix>,
}

impl Trace {
    /// The hop that decided against it.
    pub fn decided_by(&self) -> Option<&Hop> {
        self.hops.iter().find(|hop| hop.outcome == Outcome::Stops)
    }
}

/// Asks for some traffic between all cases of two names. Of each side every case counts: all pods of a workload, wherever they run.
pub fn trace(topology: &Topology, from: &Found, to: &Found, wanted: &Traffic) -> Trace {
    trace_from_ports(topology, from, to, wanted, CLIENT_PORTS)
}

/// The same for clients that answer at these ports.
pub fn trace_from_ports(
    topology: &Topology,
    from: &Found,
    to: &Found,
    wanted: &Traffic,
    client_ports: RangeInclusive<u16>,
) -> Trace {
    let mut judge = Told { topology, client_ports };
    let (answer, asked) = match &to.front {
        Some(front) => by_front(&mut judge, from, to, front, wanted),
        None => (directly(&mut judge, from, to, wanted), wanted.clone()),
    };
    let verdict = if asked.is_empty() { Verdict::Unreachable } else { answer.verdict(&asked) };
    let is_open = verdict == Verdict::Reachable;
    Trace {
        from: from.name(),
        to: to.name(),
        wanted: wanted.clone(),
        passage: answer.passage,
        verdict,
        hops: answer.hops,
        assumptions: answer.assumptions.into_iter().collect(),
        fixes: if is_open { Vec::new() } else { answer.fixes },
    }
}

/// Each of the one side with each of the other one. Of several pods none is asked whether it reaches itself, which it always does.
fn cases<'a>(from: &'a Found, to: &'a Found) -> Vec<(&'a End, &'a End)> {
    let all: Vec<_> = from.ends.iter().flat_map(|one| to.ends.iter().map(move |other| (one, other))).collect();
    let (itself, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(one, other)| one.is_one_with(other));
    if others.is_empty() { itself } else { others }
}

fn directly(judge: &mut Told<'_>, from: &Found, to: &Found, wanted: &Traffic) -> Answer {
    let walk = |(one, other)| judge.ask(one, other, wanted, Delivery::None, Placement::Either);
    cases(from, to)
        .into_iter()
        .map(walk)
        .reduce(Answer::either)
        .unwrap_or_else(|| closed(&to.name(), "no pod is behind the name"))
}

/// By a Service or an Ingress: each port that it has of the traffic is a question, and who asks for one has all cases of it. Answers
/// with the traffic that it has ports for.
fn by_front(judge: &mut Told<'_>, from: &Found, to: &Found, front: &Front, wanted: &Traffic) -> (Answer, Traffic) {
    let mut by_port: Vec<(Traffic, Answer)> = Vec::new();
    for one in &from.ends {
        for door in front.doors_for(one).filter(|door| !door.traffic().and(wanted).is_empty()) {
            let traffic = door.traffic();
            let answer = through(judge.topology, judge, one, door, None);
            match by_port.iter_mut().find(|(known, _)| *known == traffic) {
                Some((_, known)) => *known = known.clone().either(answer),
                None => by_port.push((traffic, answer)),
            }
        }
    }
    let asked = by_port.iter().fold(Traffic::none(), |all, (traffic, _)| all.or(&traffic.and(wanted)));
    let is_worse = |one: &Passage, than: &Passage| one.certain.is_empty() && !than.certain.is_empty();
    let whole = by_port.into_iter().map(|(_, answer)| answer).reduce(|one, other| {
        let passage = one.passage.or(&other.passage);
        let assumptions = one.assumptions.union(&other.assumptions).cloned().collect();
        let shown = if is_worse(&other.passage, &one.passage) { other } else { one };
        Answer { passage, assumptions, ..shown }
    });
    let why = front.problem.clone().unwrap_or_else(|| "it has no such port for whoever asks here".to_owned());
    (whole.unwrap_or_else(|| closed(&to.name(), &why)), asked)
}

fn closed(at: &str, what: &str) -> Answer {
    let hop = Hop { at: at.to_owned(), what: what.to_owned(), by: None, outcome: Outcome::Stops, is_answer: false };
    Answer { passage: Passage::none(), hops: vec![hop], assumptions: BTreeSet::new(), fixes: Vec::new() }
}
