//! The way between two ends without what security groups say.
//!
//! Networks have few kinds of places, and accounts many groups. Each kind of way is walked once, and where groups judge it is left
//! open; what those of a pair say is put in afterwards.

use super::{
    ask::{self, Placement, Question},
    end::{End, Wire},
    walk::Walk,
};
use crate::{
    sets::{AddressSet, Family, Passage},
    topology::{Direction, Topology},
};

/// Which interface of whoever begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Its own.
    Own,
    /// Its node's, whose address stands for its own.
    Host,
}

/// Where groups judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// At the interface that a packet leaves by.
    Out {
        /// Which one.
        by: Side,
        /// Whether the receiver's interface is seen from there.
        sees_interface: bool,
    },
    /// At the receiver's.
    In {
        /// The addresses that are seen there.
        source: Source,
        /// The interface behind them, when nothing stands between.
        sender: Option<Side>,
    },
}

/// The addresses that a packet comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Of whoever begins.
    Of(Side),
    /// Of a gateway.
    Gateway(AddressSet),
}

/// A case of the way.
#[derive(Debug, PartialEq, Eq)]
struct Case {
    /// What everything else lets pass.
    passage: Passage,
    gates: Vec<Gate>,
}

/// The way, in each family that both ends speak.
#[derive(Debug)]
pub(super) struct Frame(Vec<(Family, Vec<Case>)>);

/// The question of a matrix.
pub(super) fn question<'a>(from: &'a End, to: &'a End) -> Question<'a> {
    Question { placement: Placement::OtherNode, counts_unknown_rules: false, ..Question::new(from, to) }
}

impl Frame {
    /// Walks from one end to the other. `None` when there are more cases than are walked.
    pub(super) fn of(topology: &Topology, from: &End, to: &End) -> Option<Self> {
        let question = question(from, to);
        let families = ask::families(from, to).map(|family| {
            let mut cases: Vec<Case> = Vec::new();
            let walked = ask::each_case(topology, &question, family, |mut walk| {
                walk.gates = Some(Vec::new());
                walk.whole();
                let passage = walk.trail.passage;
                // Nothing passes, whatever the groups say.
                let gates = walk.gates.take().filter(|_| !passage.is_closed()).unwrap_or_default();
                let case = Case { passage, gates };
                if !cases.contains(&case) {
                    cases.push(case);
                }
            });
            walked.then_some((family, cases))
        });
        families.collect::<Option<_>>().map(Self)
    }

    /// What passes, with what groups say.
    pub(super) fn passage(&self, mut judge: impl FnMut(Family, &Gate) -> Passage) -> Passage {
        let mut whole: Option<Passage> = None;
        for (family, cases) in &self.0 {
            let mut all: Option<Passage> = None;
            for case in cases {
                let mut passage = case.passage.clone();
                for gate in &case.gates {
                    if passage.is_closed() {
                        break;
                    }
                    passage = passage.then(&judge(*family, gate));
                }
                all = Some(all.map_or_else(|| passage.clone(), |all| all.either(&passage)));
            }
            let all = all.unwrap_or_else(Passage::none);
            whole = Some(whole.map_or_else(|| all.clone(), |whole| whole.or(&all)));
        }
        whole.unwrap_or_else(Passage::none)
    }
}

impl Walk<'_> {
    /// Leaves open what groups say, where that is wanted.
    pub(super) fn leave_open(
        &mut self,
        at: &End,
        direction: Direction,
        seen: &AddressSet,
        there: Option<&End>,
    ) -> bool {
        // The interface of a pod's node is of another kind than that of the pod.
        let own = self.from.wire;
        let side = |end: &End| if end.wire == own { Side::Own } else { Side::Host };
        let Some(gates) = &mut self.gates else { return false };
        gates.push(match (direction, there) {
            (Direction::Egress, there) => Gate::Out { by: side(at), sees_interface: there.is_some() },
            (Direction::Ingress, Some(there)) => {
                Gate::In { source: Source::Of(side(there)), sender: Some(side(there)) }
            }
            // What leaves no interface here comes with its own addresses, what has left one comes by a gateway.
            (Direction::Ingress, None) if matches!(own, Wire::Outside | Wire::Anywhere) => {
                Gate::In { source: Source::Of(Side::Own), sender: None }
            }
            (Direction::Ingress, None) => Gate::In { source: Source::Gateway(seen.clone()), sender: None },
        });
        true
    }
}
