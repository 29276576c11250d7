//! How much gets through a network of edges with capacities: pods to nodes, nodes to subnets.
//!
//! Pods that may go to several groups of nodes cannot be counted group by group. A maximum flow counts them exactly, and its
//! bottleneck is what runs out first.

use std::collections::VecDeque;

/// More than any capacity.
pub(super) const UNLIMITED: u64 = u64::MAX / 4;

/// A place in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

struct Edge<T> {
    to: usize,
    left: u64,
    tag: Option<T>,
}

/// The network. Edges lie in pairs, each with its reverse, which takes back what was sent.
pub(super) struct Network<T> {
    edges: Vec<Edge<T>>,
    /// Edges that leave a place.
    leaving: Vec<Vec<usize>>,
}

impl<T: Clone + PartialEq> Network<T> {
    /// A network without places.
    pub(super) fn new() -> Self {
        Self { edges: Vec::new(), leaving: Vec::new() }
    }

    /// Adds a place.
    pub(super) fn place(&mut self) -> Place {
        self.leaving.push(Vec::new());
        Place(self.leaving.len() - 1)
    }

    /// Adds an edge; its tag says what it means when it is the bottleneck.
    pub(super) fn join(&mut self, from: Place, to: Place, capacity: u64, tag: Option<T>) {
        self.leaving[from.0].push(self.edges.len());
        self.edges.push(Edge { to: to.0, left: capacity.min(UNLIMITED), tag });
        self.leaving[to.0].push(self.edges.len());
        self.edges.push(Edge { to: from.0, left: 0, tag: None });
    }

    /// Sends as much as gets through, at most `wanted`, beside what was sent before; what goes where may change for that.
    pub(super) fn send(&mut self, from: Place, to: Place, wanted: u64) -> u64 {
        let mut sent = 0;
        while sent < wanted {
            let way = self.way(from, to);
            let Some(most) = way.iter().map(|edge| self.edges[*edge].left).min() else { break };
            let part = most.min(wanted - sent);
            for edge in way {
                self.edges[edge].left -= part;
                self.edges[edge ^ 1].left += part;
            }
            sent += part;
        }
        sent
    }

    /// The shortest way with something left; empty when there is none.
    fn way(&self, from: Place, to: Place) -> Vec<usize> {
        let by = self.reach(from);
        let mut way = Vec::new();
        let mut at = to.0;
        while at != from.0 {
            let Some(edge) = by[at] else { return Vec::new() };
            way.push(edge);
            at = self.edges[edge ^ 1].to;
        }
        way
    }

    /// For each place that can be reached, the edge that leads there.
    fn reach(&self, from: Place) -> Vec<Option<usize>> {
        let mut by = vec![None; self.leaving.len()];
        let mut next = VecDeque::from([from.0]);
        while let Some(at) = next.pop_front() {
            for edge in &self.leaving[at] {
                let Edge { to, left, .. } = self.edges[*edge];
                if left > 0 && to != from.0 && by[to].is_none() {
                    by[to] = Some(*edge);
                    next.push_back(to);
                }
            }
        }
        by
    }

    /// What keeps more from getting through: the tags of the full edges at the border of what can be reached.
    pub(super) fn bottleneck(&self, from: Place) -> Vec<T> {
        let by = self.reach(from);
        let is_reached = |place: usize| place == from.0 || by[place].is_some();
        let mut tags: Vec<T> = Vec::new();
        for (edge, Edge { to, tag, .. }) in self.edges.iter().enumerate() {
            let is_border = is_reached(self.edges[edge ^ 1].to) && !is_reached(*to);
            if let Some(tag) = tag.as_ref().filter(|tag| is_border && !tags.contains(tag)) {
                tags.push(tag.clone());
            }
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_makes_way() {
        // One kind may go to both groups, the other only to the first: the first kind moves over.
        let mut network = Network::new();
        let [flexible, strict, one, other, end] = std::array::from_fn(|_| network.place());
        network.join(flexible, one, UNLIMITED, None);
        network.join(flexible, other, UNLIMITED, None);
        network.join(strict, one, UNLIMITED, None);
        network.join(one, end, 10, Some("one"));
        network.join(other, end, 5, Some("other"));
        assert_eq!(network.send(flexible, end, 8), 8);
        assert_eq!(network.send(strict, end, UNLIMITED), 7);
        assert_eq!(network.bottleneck(strict), ["one", "other"]);
    }

    #[test]
    fn only_what_is_full_is_a_bottleneck() {
        let mut network = Network::new();
        let [from, middle, end] = std::array::from_fn(|_| network.place());
        network.join(from, middle, 9, Some("branches"));
        network.join(middle, end, 27, Some("pods"));
        assert_eq!(network.send(from, end, UNLIMITED), 9);
        assert_eq!(network.bottleneck(from), ["branches"]);
    }
}
