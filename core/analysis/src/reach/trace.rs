//! One question between two names, over all cases that the names stand for.

use std::collections::BTreeSet;

use super::{
    ask::{Answer, Question, Verdict, ask},
    end::End,
    ends::{Forward, Found},
    trail::{Fix, Hop, Outcome},
};
use crate::{
    sets::{Passage, Protocol, Traffic},
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
    let (behind, forwards) = behind_service(&to.ports, wanted);
    let mut answer = behind.is_empty().then(|| closed(&to.name(), "the Service has no such port"));
    for (one, other) in cases(from, to) {
        let next = ask(topology, &Question::new(one, other).told(behind.clone()));
        answer = Some(match answer {
            None => next,
            Some(known) => known.either(next),
        });
    }
    let answer = answer.unwrap_or_else(|| closed(&to.name(), "no pod is behind the name"));
    let verdict = if behind.is_empty() { Verdict::Unreachable } else { answer.verdict(&behind) };
    let is_told = forwards.iter().any(|it| it.to != Some(it.from));
    let mut hops: Vec<Hop> =
        if is_told { forwards.iter().map(|it| forwarded(&from.name(), it)).collect() } else { Vec::new() };
    hops.extend(answer.hops);
    let is_open = verdict == Verdict::Reachable;
    Trace {
        from: from.name(),
        to: to.name(),
        wanted: wanted.clone(),
        passage: answer.passage,
        verdict,
        hops,
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

fn closed(at: &str, what: &str) -> Answer {
    let hop = Hop { at: at.to_owned(), what: what.to_owned(), by: None, outcome: Outcome::Stops };
    Answer { passage: Passage::none(), hops: vec![hop], assumptions: BTreeSet::new(), fixes: Vec::new() }
}

/// The traffic as the pods behind a Service see it: kube-proxy on the sender's node puts their port in place of the Service's.
fn behind_service(ports: &[Forward], wanted: &Traffic) -> (Traffic, Vec<Forward>) {
    if ports.is_empty() {
        return (wanted.clone(), Vec::new());
    }
    let mut behind = Traffic::none();
    let mut used = Vec::new();
    for port in ports {
        let Some(protocol) = Protocol::named(&port.protocol) else { continue };
        if wanted.covers(&Traffic::port(protocol, port.from)) {
            used.push(port.clone());
            if let Some(to) = port.to {
                behind = behind.or(&Traffic::port(protocol, to));
            }
        }
    }
    (behind, used)
}

fn forwarded(at: &str, port: &Forward) -> Hop {
    let (what, outcome) = match port.to {
        Some(to) => (
            format!("kube-proxy sends {}/{} of the Service to port {to} of a pod", port.protocol, port.from),
            Outcome::Passes,
        ),
        None => (format!("the Service's port {} leads to a named port that no pod has", port.from), Outcome::Stops),
    };
    Hop { at: at.to_owned(), what, by: None, outcome }
}
