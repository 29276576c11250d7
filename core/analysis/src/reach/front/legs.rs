//! The legs of a connection, and what they come to together.

use std::ops::RangeInclusive;

use super::{Backing, Balancer, Behind, Door, Entry, Targets, behind::port_of};
use crate::{
    reach::{
        Delivery, Placement, Public, Wire,
        ask::{Answer, Question, ask},
        end::{End, Relay},
        trail::{Hop, Outcome},
    },
    sets::{Passage, Traffic},
    topology::{Fact, Topology},
};

/// Asks for one leg: a question, the traffic in it, and the answer.
pub(crate) trait Judge {
    /// What passes of some traffic between two ends.
    fn ask(&mut self, from: &End, to: &End, wanted: &Traffic, delivery: Delivery, placement: Placement) -> Answer;
}

/// A judge that walks each leg and tells of it.
pub(crate) struct Told<'a> {
    pub(crate) topology: &'a Topology,
    /// The ports that clients answer at.
    pub(crate) client_ports: RangeInclusive<u16>,
}

impl Judge for Told<'_> {
    fn ask(&mut self, from: &End, to: &End, wanted: &Traffic, delivery: Delivery, placement: Placement) -> Answer {
        let client_ports = self.client_ports.clone();
        let question = Question { placement, client_ports, delivery, ..Question::new(from, to).told(wanted.clone()) };
        ask(self.topology, &question)
    }
}

/// What passes from an end through a door to the pods behind it (to `backing` alone where that is given), in the client's words:
/// the door's traffic, or nothing of it.
pub(crate) fn through(
    topology: &Topology,
    judge: &mut dyn Judge,
    from: &End,
    door: &Door,
    backing: Option<&[&Backing]>,
) -> Answer {
    let all: Vec<&Backing> = door.behind.pods.iter().collect();
    let mut way = Way { topology, judge, door, from };
    way.whole(backing.unwrap_or(&all))
}

pub(super) struct Way<'a> {
    pub(super) topology: &'a Topology,
    pub(super) judge: &'a mut dyn Judge,
    pub(super) door: &'a Door,
    pub(super) from: &'a End,
}

impl Way<'_> {
    fn whole(&mut self, pods: &[&Backing]) -> Answer {
        let behind: &Behind = &self.door.behind;
        let Fact::Known(target) = &self.door.target else {
            return self.lost("nobody told of the Service behind it");
        };
        if behind.is_unknown {
            return self.lost("the Service has no selector: what is behind it is not known");
        }
        let protocol = self.door.protocol.to_string();
        let pods: Vec<(&Backing, u16)> = pods
            .iter()
            .filter_map(|it| {
                let port = if self.door.is_headless { self.door.port } else { port_of(&it.end, target, &protocol) };
                Some((*it, port?))
            })
            .collect();
        if pods.is_empty() {
            return self.stopped("no pod is behind this port");
        }
        let pods = self.ready(pods);
        if pods.is_empty() {
            return self.stopped("no pod behind this port is ready: kube-proxy sends it nothing");
        }
        let answer = match self.door.entry.clone() {
            Entry::Cluster => self.by_cluster_address(&pods),
            Entry::Node => self.by_nodes(&pods),
            Entry::Balancer(balancer) => self.by_balancer(&balancer, &pods),
        };
        // Nobody behind it for sure is a case, too.
        let nobody = !pods.iter().any(|(it, _)| it.is_sure);
        let answer = if nobody {
            self.either(vec![answer, self.lost("whether a pod is behind it is not known")])
        } else {
            answer
        };
        if self.door.port.is_some() { answer } else { at_most(answer, "which port that is, is not known yet") }
    }

    // --- by a load balancer -----------------------------------------------------------------------------------------

    fn by_balancer(&mut self, balancer: &Balancer, pods: &[(&Backing, u16)]) -> Answer {
        if let Some(problem) = &balancer.problem {
            return self.lost_at(&balancer.name, problem);
        }
        let first = self.reach_balancer(balancer);
        let mut cases = Vec::new();
        for is_by_pods in cases_of(balancer.targets.map(|it| it == Targets::Pods)) {
            for keeps_clients in cases_of(balancer.keeps_clients_of(self.door.protocol)) {
                let sender = self.sender(balancer, keeps_clients);
                cases.push(if is_by_pods { self.reach_pods(&sender, pods) } else { self.reach_nodes(&sender, pods) });
            }
        }
        let further = self.either(cases);
        let answer = in_series(first, further);
        // What nobody told may differ in other ways, too.
        if balancer.kind.is_known() {
            answer
        } else {
            at_most(answer, "which controller makes the load balancer is not known")
        }
    }

    fn reach_pods(&mut self, sender: &End, pods: &[(&Backing, u16)]) -> Answer {
        let mut cases = Vec::new();
        for (pod, port) in pods {
            let told = pass(&sender.name, format!("sends {} to port {port} of a pod", self.door.traffic()));
            cases.push(preceded(told, self.leg(sender, &pod.end, *port, Delivery::None, Placement::Either)));
        }
        self.either(cases)
    }

    fn reach_nodes(&mut self, sender: &End, pods: &[(&Backing, u16)]) -> Answer {
        if !self.door.has_node_ports {
            return stopped_at(
                &sender.name,
                "target type instance needs a Service with node ports, and this one has none",
            );
        }
        let told = format!("sends {} to {} of a node", self.door.traffic(), self.door.node_traffic());
        let told = pass(&sender.name, told);
        preceded(told, self.over_nodes(sender, pods, true))
    }

    /// To the load balancer: its public addresses from outside, and from inside by the way out; its private ones from inside.
    fn reach_balancer(&mut self, balancer: &Balancer) -> Answer {
        let (end, wanted) = (balancer.end(self.topology), self.door.traffic());
        let mut cases = Vec::new();
        for is_public in cases_of(balancer.is_public) {
            let is_outside = matches!(self.from.wire, Wire::Outside | Wire::Anywhere);
            let public = if is_public { Public::Yes } else { Public::No };
            let end = End { public, ..end.clone() };
            let ways = if is_public && !is_outside {
                let internet = End::internet();
                let out = self.ask(self.from, &internet, &wanted);
                in_series(out, self.ask(&internet, &end, &wanted))
            } else if balancer.lets_in(self.from) {
                self.ask(self.from, &end, &wanted)
            } else {
                let blocks: Vec<String> = balancer.client_blocks.iter().map(ToString::to_string).collect();
                stopped_at(&balancer.name, &format!("its controller lets in {} only", blocks.join(", ")))
            };
            cases.push(ways);
        }
        self.either(cases)
    }

    fn ask(&mut self, from: &End, to: &End, wanted: &Traffic) -> Answer {
        let answer = self.judge.ask(from, to, wanted, Delivery::None, Placement::Either);
        self.in_clients_words(answer, wanted)
    }

    /// What a load balancer sends from.
    fn sender(&self, balancer: &Balancer, keeps_clients: bool) -> End {
        let end = balancer.end(self.topology);
        let relay = end.relay.map(|relay| Relay { keeps_clients, ..relay });
        let addresses = if keeps_clients { self.from.addresses.clone() } else { end.addresses.clone() };
        End { addresses, relay, ..end }
    }

    // --- answers ----------------------------------------------------------------------------------------------------

    /// One leg to a pod, by its port.
    pub(super) fn leg(&mut self, from: &End, pod: &End, port: u16, delivery: Delivery, placement: Placement) -> Answer {
        let wanted = Traffic::port(self.door.protocol, port);
        let answer = self.judge.ask(from, pod, &wanted, delivery, placement);
        self.in_clients_words(answer, &wanted)
    }

    /// All of the door's traffic, or nothing.
    pub(super) fn in_clients_words(&self, answer: Answer, wanted: &Traffic) -> Answer {
        let traffic = || self.door.traffic();
        let passage = match &answer.passage {
            it if it.certain.covers(wanted) => Passage::exactly(traffic()),
            it if it.possible.and(wanted).is_empty() => Passage::none(),
            _ => Passage::at_most(traffic()),
        };
        Answer { passage, ..answer }
    }

    pub(super) fn either(&self, cases: Vec<Answer>) -> Answer {
        cases.into_iter().reduce(Answer::either).unwrap_or_else(|| self.stopped("nothing is behind it"))
    }

    pub(super) fn stopped(&self, what: &str) -> Answer {
        stopped_at(&self.from.name, what)
    }

    fn lost(&self, what: &str) -> Answer {
        self.lost_at(&self.from.name, what)
    }

    fn lost_at(&self, at: &str, what: &str) -> Answer {
        hop(at, what.to_owned(), Outcome::Unknown, Passage::at_most(self.door.traffic()))
    }
}

/// Both cases of what is not known.
fn cases_of(fact: Fact<bool>) -> Vec<bool> {
    fact.known().map_or_else(|| vec![true, false], |it| vec![*it])
}

pub(super) fn stopped_at(at: &str, what: &str) -> Answer {
    hop(at, what.to_owned(), Outcome::Stops, Passage::none())
}

pub(super) fn pass(at: &str, what: String) -> Hop {
    Hop { at: at.to_owned(), what, by: None, outcome: Outcome::Passes, is_answer: false }
}

pub(super) fn hop(at: &str, what: String, outcome: Outcome, passage: Passage) -> Answer {
    let hop = Hop { at: at.to_owned(), what, by: None, outcome, is_answer: false };
    Answer { passage, hops: vec![hop], assumptions: std::collections::BTreeSet::new(), fixes: Vec::new() }
}

pub(super) fn preceded(hop: Hop, mut answer: Answer) -> Answer {
    answer.hops.insert(0, hop);
    answer
}

/// One leg after the other.
pub(super) fn in_series(first: Answer, further: Answer) -> Answer {
    let passage = first.passage.then(&further.passage);
    let (mut hops, answers): (Vec<Hop>, Vec<Hop>) = first.hops.into_iter().partition(|hop| !hop.is_answer);
    // The answer takes the legs the other way round. Where the way ends there is nothing more to tell.
    if first.passage.is_closed() {
        hops.extend(answers);
    } else {
        hops.extend(further.hops);
        let has_ended = further.passage.is_closed();
        hops.extend(answers.into_iter().filter(|_| !has_ended));
    }
    let mut fixes = first.fixes;
    for fix in further.fixes {
        if !fixes.contains(&fix) {
            fixes.push(fix);
        }
    }
    let assumptions = first.assumptions.union(&further.assumptions).cloned().collect();
    Answer { passage, hops, assumptions, fixes }
}

/// Nothing of it is sure, for this reason.
pub(super) fn at_most(answer: Answer, why: &str) -> Answer {
    let mut answer = answer;
    if !answer.passage.certain.is_empty() {
        answer.hops.push(Hop {
            at: "the whole way".to_owned(),
            what: why.to_owned(),
            by: None,
            outcome: Outcome::Unknown,
            is_answer: false,
        });
    }
    answer.passage = Passage::at_most(answer.passage.possible);
    answer
}
