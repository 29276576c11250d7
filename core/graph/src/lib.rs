//! A directed graph of things that wait for each other: order, named cycles, and what something needs.
//!
//! Generic and without opinion: which node waits for which is the caller's business (`sgp-plan` for steps). Not a
//! store for anything but ids; keep the things themselves in a vector beside it.

use std::collections::BTreeSet;

use petgraph::{algo::kosaraju_scc, graph::DiGraph, graph::NodeIndex, visit::EdgeRef};

/// A place in a [`Graph`]: nodes are numbered from 0 in the order they were added.
pub type Node = u32;

/// An edge that may be left out when it would close a cycle, or one that may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// A wish: dropped within a cycle, before anything else.
    Soft,
    /// Kept as long as dropping the soft ones is enough.
    Firm,
    /// Never dropped: a cycle of these is an error.
    Hard,
}

/// Nodes that wait for each other.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    inner: DiGraph<(), Edge, u32>,
}

/// Nodes that wait for each other in a circle, in that order; the last waits for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<Node>);

impl Graph {
    /// A graph of so many nodes and no edges.
    pub fn with_nodes(count: usize) -> Self {
        let mut inner = DiGraph::with_capacity(count, count);
        for _ in 0..count {
            inner.add_node(());
        }
        Self { inner }
    }

    /// Adds a node and answers its number.
    pub fn add_node(&mut self) -> Node {
        index(self.inner.add_node(()))
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.inner.node_count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inner.node_count() == 0
    }

    /// Says that `node` waits for `before`. Saying it again, or of a node and itself, does no harm.
    pub fn wait(&mut self, node: Node, before: Node, edge: Edge) {
        if node != before {
            self.inner.add_edge(NodeIndex::new(before as usize), NodeIndex::new(node as usize), edge);
        }
    }

    /// What a node waits for, without repetitions, in ascending order.
    pub fn waits_for(&self, node: Node) -> Vec<Node> {
        let before = self.inner.edges_directed(NodeIndex::new(node as usize), petgraph::Incoming);
        before.map(|e| index(e.source())).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Drops soft edges, then firm ones, where they are part of a cycle; answers a cycle of hard edges when one is left.
    ///
    /// # Errors
    /// The shortest cycle through one of the nodes that wait for each other.
    pub fn break_cycles(&mut self) -> Result<(), Cycle> {
        for weakest in [Edge::Soft, Edge::Firm] {
            let component = self.components();
            self.inner.retain_edges(|graph, edge| {
                let (from, to) = graph.edge_endpoints(edge).expect("the edge is in the graph");
                graph[edge] > weakest || component[from.index()] != component[to.index()]
            });
        }
        self.find_cycle().map_or(Ok(()), Err)
    }

    /// Every node after everything it waits for; among the ready ones the lowest number first, so that the order is stable.
    ///
    /// # Errors
    /// A cycle.
    pub fn order(&self) -> Result<Vec<Node>, Cycle> {
        let mut missing: Vec<usize> =
            self.inner.node_indices().map(|n| self.inner.edges_directed(n, petgraph::Incoming).count()).collect();
        let mut ready: std::collections::BinaryHeap<_> =
            self.inner.node_indices().filter(|n| missing[n.index()] == 0).map(std::cmp::Reverse).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(std::cmp::Reverse(node)) = ready.pop() {
            order.push(index(node));
            for next in self.inner.neighbors(node) {
                missing[next.index()] -= 1;
                if missing[next.index()] == 0 {
                    ready.push(std::cmp::Reverse(next));
                }
            }
        }
        if order.len() == self.len() {
            return Ok(order);
        }
        Err(self.find_cycle().expect("what cannot be ordered has a cycle"))
    }

    /// The nodes and everything they wait for, directly or not.
    pub fn closure(&self, roots: impl IntoIterator<Item = Node>) -> BTreeSet<Node> {
        self.reach(roots, petgraph::Incoming)
    }

    /// The nodes and everything that waits for them, directly or not.
    pub fn dependents(&self, roots: impl IntoIterator<Item = Node>) -> BTreeSet<Node> {
        self.reach(roots, petgraph::Outgoing)
    }

    fn reach(&self, roots: impl IntoIterator<Item = Node>, direction: petgraph::Direction) -> BTreeSet<Node> {
        let mut found = BTreeSet::new();
        let mut open: Vec<Node> = roots.into_iter().collect();
        while let Some(node) = open.pop() {
            if found.insert(node) {
                open.extend(self.inner.neighbors_directed(NodeIndex::new(node as usize), direction).map(index));
            }
        }
        found
    }

    fn components(&self) -> Vec<usize> {
        let mut component = vec![0; self.len()];
        for (number, nodes) in kosaraju_scc(&self.inner).into_iter().enumerate() {
            for node in nodes {
                component[node.index()] = number;
            }
        }
        component
    }

    /// A shortest cycle through the lowest node that is on one.
    fn find_cycle(&self) -> Option<Cycle> {
        let components = kosaraju_scc(&self.inner);
        let members = components.into_iter().filter(|c| c.len() > 1).min_by_key(|c| c.iter().min().copied())?;
        let inside: BTreeSet<_> = members.iter().copied().collect();
        let start = *inside.first()?;
        let mut came_from = std::collections::BTreeMap::new();
        let mut open = std::collections::VecDeque::from([start]);
        while let Some(node) = open.pop_front() {
            for before in self.inner.neighbors_directed(node, petgraph::Incoming).filter(|n| inside.contains(n)) {
                if before == start {
                    let mut path = vec![index(node)];
                    let mut at = node;
                    while let Some(previous) = came_from.get(&at) {
                        path.push(index(*previous));
                        at = *previous;
                    }
                    path.reverse();
                    return Some(Cycle(path));
                }
                if before != start && !came_from.contains_key(&before) {
                    came_from.insert(before, node);
                    open.push_back(before);
                }
            }
        }
        None
    }
}

fn index(node: NodeIndex<u32>) -> Node {
    u32::try_from(node.index()).expect("node numbers are u32")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn graph(nodes: usize, waits: &[(Node, Node, Edge)]) -> Graph {
        let mut g = Graph::with_nodes(nodes);
        waits.iter().for_each(|&(a, b, e)| g.wait(a, b, e));
        g
    }

    #[test]
    fn a_cycle_is_named_in_the_order_of_waiting() {
        let g = graph(4, &[(0, 1, Edge::Hard), (1, 2, Edge::Hard), (2, 0, Edge::Hard), (3, 0, Edge::Hard)]);
        assert_eq!(g.order(), Err(Cycle(vec![0, 1, 2])));
    }

    #[test]
    fn soft_edges_give_way_only_where_they_close_a_cycle() {
        let mut g = graph(3, &[(0, 1, Edge::Hard), (1, 0, Edge::Soft), (2, 0, Edge::Soft)]);
        g.break_cycles().unwrap();
        assert_eq!(g.waits_for(1), Vec::<Node>::new());
        assert_eq!(g.waits_for(2), [0]);
    }

    #[test]
    fn closure_holds_what_is_needed_and_nothing_else() {
        let g = graph(4, &[(0, 1, Edge::Hard), (1, 2, Edge::Hard), (3, 0, Edge::Hard)]);
        assert_eq!(g.closure([0]), BTreeSet::from([0, 1, 2]));
        assert_eq!(g.dependents([0]), BTreeSet::from([0, 3]));
    }

    proptest! {
        #[test]
        fn order_puts_everything_after_what_it_waits_for(edges in prop::collection::vec((0u32..40, 0u32..40), 0..150)) {
            let acyclic: Vec<_> = edges.iter().filter(|(a, b)| a > b).map(|&(a, b)| (a, b, Edge::Hard)).collect();
            let g = graph(40, &acyclic);
            let order = g.order().unwrap();
            let place = |n: Node| order.iter().position(|&x| x == n).unwrap();
            for (node, before, _) in acyclic {
                prop_assert!(place(before) < place(node));
            }
        }

        #[test]
        fn cycles_break_when_hard_edges_have_none(
            hard in prop::collection::vec((0u32..30, 0u32..30), 0..60),
            soft in prop::collection::vec((0u32..30, 0u32..30), 0..60),
        ) {
            let mut waits: Vec<_> = hard.iter().filter(|(a, b)| a > b).map(|&(a, b)| (a, b, Edge::Hard)).collect();
            waits.extend(soft.iter().map(|&(a, b)| (a, b, Edge::Soft)));
            let mut g = graph(30, &waits);
            prop_assert!(g.break_cycles().is_ok());
            prop_assert!(g.order().is_ok());
        }
    }
}
