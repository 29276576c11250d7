//! The order of a plan: one pure function over what depends on what, what happens to each object, and which replacements
//! are made first.
//!
//! Every object has two places: where it comes into being or changes (*make*) and where it goes (*unmake*). The rules:
//!
//! - make waits for the make of everything it depends on;
//! - delete-then-create: make waits for its own unmake; create-then-delete: the other way round;
//! - unmake waits for the unmake of everything that was recorded as depending on the object;
//! - an unmake that is not part of a delete-then-create waits for dependents to be made (they let go of the old object);
//! - a deposed object goes after its successor is there.
//!
//! The last two are wishes: they give way where they would close a cycle. Dependencies of a create-before-destroy object
//! are created before destroyed as well, or the first two rules would contradict each other.

use std::collections::{BTreeMap, BTreeSet};

use sgp_graph::{Edge, Graph, Node as GraphNode};
use sgp_model::{
    ResourceAddr,
    plan::{Action, Op, ResourceChange, Step, StepId},
};

/// Something that a change or a join waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// The change at this place.
    Change(u32),
    /// The join at this place.
    Join(u32),
}

/// What each change depends on.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// By the configuration: direct references.
    pub needs: Vec<Dependency>,
    /// By the state: resources (without keys) that the existing object depends on.
    pub recorded: Vec<ResourceAddr>,
}

/// A circle of changes that wait for each other, as places in the list of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderCycle(pub Vec<u32>);

/// Marks every dependency of a create-before-destroy change as create-before-destroy and turns its replacement round.
///
/// `joins` are values that many changes refer to (a local, a whole resource), with what they refer to themselves.
pub fn force_create_before_destroy(changes: &mut [ResourceChange], nodes: &[Node], joins: &[Vec<Dependency>]) {
    let by_resource = instances_by_resource(changes);
    let mut open: Vec<Dependency> = (0u32..)
        .zip(changes.iter())
        .filter(|(_, c)| c.create_before_destroy)
        .map(|(i, _)| Dependency::Change(i))
        .collect();
    let (mut seen_changes, mut seen_joins) = (BTreeSet::new(), BTreeSet::new());
    while let Some(next) = open.pop() {
        match next {
            Dependency::Change(i) if seen_changes.insert(i) => {
                changes[i as usize].create_before_destroy = true;
                let node = &nodes[i as usize];
                open.extend(&node.needs);
                let recorded = node.recorded.iter().filter_map(|r| by_resource.get(r)).flatten();
                open.extend(recorded.map(|&i| Dependency::Change(i)));
            }
            Dependency::Join(j) if seen_joins.insert(j) => open.extend(&joins[j as usize]),
            Dependency::Change(_) | Dependency::Join(_) => {}
        }
    }
    for change in changes.iter_mut().filter(|c| c.create_before_destroy && c.action == Action::DeleteThenCreate) {
        change.action = Action::CreateThenDelete;
    }
}

fn instances_by_resource(changes: &[ResourceChange]) -> BTreeMap<ResourceAddr, Vec<u32>> {
    let mut map: BTreeMap<ResourceAddr, Vec<u32>> = BTreeMap::new();
    for (i, change) in (0u32..).zip(changes) {
        map.entry(change.addr.resource.without_keys()).or_default().push(i);
    }
    map
}

/// Puts the changes in order. The answer can be walked from front to back; steps that do not wait for each other may run at
/// the same time.
///
/// # Errors
/// A cycle among dependencies of the configuration.
pub fn steps(changes: &[ResourceChange], nodes: &[Node], joins: &[Vec<Dependency>]) -> Result<Vec<Step>, OrderCycle> {
    let mut layout = Layout::new(changes, joins.len());
    layout.make_edges(nodes, joins);
    layout.unmake_edges(nodes);
    let Layout { graph, .. } = &mut layout;
    graph.break_cycles().map_err(|cycle| layout_cycle(&cycle.0, changes.len()))?;
    let order = graph.order().map_err(|cycle| layout_cycle(&cycle.0, changes.len()))?;
    Ok(layout.emit(&order))
}

fn layout_cycle(nodes: &[GraphNode], changes: usize) -> OrderCycle {
    let changes = u32::try_from(changes).expect("changes are counted in u32");
    OrderCycle(nodes.iter().filter(|&&n| n < 2 * changes).map(|n| n / 2).collect())
}

/// The graph in which change `i` is made at node `2i` and unmade at node `2i + 1`; joins follow.
struct Layout<'a> {
    changes: &'a [ResourceChange],
    graph: Graph,
    first_join: u32,
}

impl<'a> Layout<'a> {
    fn new(changes: &'a [ResourceChange], joins: usize) -> Self {
        let first_join = u32::try_from(2 * changes.len()).expect("changes are counted in u32");
        Self { changes, graph: Graph::with_nodes(2 * changes.len() + joins), first_join }
    }

    fn node(&self, dependency: Dependency) -> GraphNode {
        match dependency {
            Dependency::Change(i) => make(i),
            Dependency::Join(j) => self.first_join + j,
        }
    }

    fn make_edges(&mut self, nodes: &[Node], joins: &[Vec<Dependency>]) {
        for (i, node) in (0u32..).zip(nodes) {
            for &need in &node.needs {
                self.graph.wait(make(i), self.node(need), Edge::Hard);
            }
        }
        for (j, needs) in (0u32..).zip(joins) {
            for &need in needs {
                self.graph.wait(self.first_join + j, self.node(need), Edge::Hard);
            }
        }
        for (i, change) in (0u32..).zip(self.changes) {
            match change.action {
                Action::DeleteThenCreate | Action::ForgetThenCreate => self.graph.wait(make(i), unmake(i), Edge::Hard),
                Action::CreateThenDelete => self.graph.wait(unmake(i), make(i), Edge::Hard),
                _ => {}
            }
        }
    }

    /// For each resource that something depends on there is one node that stands for "its dependents are gone" and one
    /// for "its dependents are made", so that edges stay linear in the number of instances.
    fn unmake_edges(&mut self, nodes: &[Node]) {
        let wanted: BTreeSet<ResourceAddr> =
            self.changes.iter().filter(|c| unmakes(c.action)).map(|c| c.addr.resource.without_keys()).collect();
        let mut gone: BTreeMap<&ResourceAddr, GraphNode> = BTreeMap::new();
        let mut made: BTreeMap<&ResourceAddr, GraphNode> = BTreeMap::new();
        for (i, (change, node)) in (0u32..).zip(self.changes.iter().zip(nodes)) {
            for resource in node.recorded.iter().filter(|r| wanted.contains(*r)) {
                if unmakes(change.action) {
                    let join = *gone.entry(resource).or_insert_with(|| self.graph.add_node());
                    self.graph.wait(join, unmake(i), Edge::Firm);
                }
            }
            let old_and_new: BTreeSet<_> = node.recorded.iter().chain(&change.dependencies).collect();
            for resource in old_and_new.into_iter().filter(|r| wanted.contains(*r)) {
                if makes(change.action) {
                    let join = *made.entry(resource).or_insert_with(|| self.graph.add_node());
                    self.graph.wait(join, make(i), Edge::Soft);
                }
            }
        }
        let current: BTreeMap<_, u32> =
            (0u32..).zip(self.changes).filter(|(_, c)| c.deposed.is_none()).map(|(i, c)| (&c.addr, i)).collect();
        for (i, change) in (0u32..).zip(self.changes).filter(|(_, c)| unmakes(c.action)) {
            let resource = change.addr.resource.without_keys();
            if let Some(&join) = gone.get(&resource) {
                self.graph.wait(unmake(i), join, Edge::Firm);
            }
            if let Some(&join) = made
                .get(&resource)
                .filter(|_| !matches!(change.action, Action::DeleteThenCreate | Action::ForgetThenCreate))
            {
                self.graph.wait(unmake(i), join, Edge::Soft);
            }
            if let Some(&successor) = current.get(&change.addr).filter(|_| change.deposed.is_some()) {
                self.graph.wait(unmake(i), make(successor), Edge::Soft);
            }
        }
    }

    fn op(&self, node: GraphNode) -> Option<(u32, Op)> {
        let i = node / 2;
        let change = self.changes.get(i as usize).filter(|_| node < self.first_join)?;
        let op = if node.is_multiple_of(2) {
            match change.action {
                Action::Create | Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => {
                    Op::Create
                }
                // What differs is what counts as a secret.
                Action::Update if change.is_of_marks() => Op::Record,
                Action::Update => Op::Update,
                Action::Read => Op::Read,
                Action::NoOp if change.importing.is_some() || change.previous_addr.is_some() => Op::Record,
                Action::NoOp | Action::Delete | Action::Forget => return None,
            }
        } else {
            match change.action {
                Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete => Op::Delete,
                Action::Forget | Action::ForgetThenCreate => Op::Forget,
                _ => return None,
            }
        };
        Some((i, op))
    }

    /// The steps in order: nodes that do something, and those between two such nodes, as joins.
    fn emit(&self, order: &[GraphNode]) -> Vec<Step> {
        let doing: Vec<GraphNode> = order.iter().copied().filter(|&n| self.op(n).is_some()).collect();
        let below = self.graph.closure(doing.iter().copied());
        let above = self.graph.dependents(doing.iter().copied());
        let mut place: BTreeMap<GraphNode, StepId> = BTreeMap::new();
        let mut steps = Vec::new();
        for &node in order.iter().filter(|n| below.contains(n) && above.contains(n)) {
            let after = self.graph.waits_for(node).iter().filter_map(|n| place.get(n).copied()).collect();
            place.insert(node, StepId(u32::try_from(steps.len()).expect("steps are counted in u32")));
            steps.push(match self.op(node) {
                Some((change, op)) => Step { change: Some(change), op, after },
                None => Step { change: None, op: Op::Join, after },
            });
        }
        steps
    }
}

fn make(change: u32) -> GraphNode {
    2 * change
}

fn unmake(change: u32) -> GraphNode {
    2 * change + 1
}

fn makes(action: Action) -> bool {
    matches!(action, Action::Create | Action::Update) || action.is_replace()
}

fn unmakes(action: Action) -> bool {
    matches!(action, Action::Delete | Action::Forget) || action.is_replace()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use sgp_model::{DeposedKey, Mode, ModulePath, ProviderAddr, Type, Value};

    use super::*;

    fn resource(name: &str) -> ResourceAddr {
        ResourceAddr { module: ModulePath::root(), mode: Mode::Managed, type_name: "t".into(), name: name.into() }
    }

    fn change(name: &str, action: Action) -> ResourceChange {
        ResourceChange {
            addr: resource(name).instance(None),
            deposed: None,
            previous_addr: None,
            provider: ProviderAddr::root("t"),
            action,
            reason: None,
            before: Value::null(Type::Dynamic),
            after: Value::null(Type::Dynamic),
            config: Value::null(Type::Dynamic),
            replace_paths: Vec::new(),
            importing: None,
            dependencies: Vec::new(),
            create_before_destroy: false,
        }
    }

    /// A stack from rows (name, action, what it depends on now, what it depended on).
    fn stack(rows: &[(&str, Action, &[&str], &[&str])]) -> (Vec<ResourceChange>, Vec<Node>) {
        let place = |n: &str| Dependency::Change(u32::try_from(rows.iter().position(|r| r.0 == n).unwrap()).unwrap());
        rows.iter()
            .map(|(name, action, now, then)| {
                let mut c = change(name, *action);
                c.dependencies = now.iter().map(|n| resource(n)).collect();
                let needs = now.iter().map(|n| place(n)).collect();
                (c, Node { needs, recorded: then.iter().map(|n| resource(n)).collect() })
            })
            .unzip()
    }

    fn shown(changes: &[ResourceChange], steps: &[Step]) -> String {
        let words = steps.iter().filter_map(|s| {
            let sign = match s.op {
                Op::Create => "+",
                Op::Update => "~",
                Op::Delete => "-",
                Op::Read => "<",
                Op::Record | Op::Forget | Op::Join => return None,
            };
            Some(format!("{sign}{}", changes[s.change? as usize].addr.resource.name))
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn orders_of_small_stacks() {
        use Action::{Create, CreateThenDelete, Delete, DeleteThenCreate, NoOp, Update};
        type Row<'a> = (&'a str, Action, &'a [&'a str], &'a [&'a str]);
        let rows: &[(&[Row<'_>], &str)] = &[
            (&[("b", Create, &["a"], &[]), ("a", Create, &[], &[])], "+a +b"),
            (&[("a", Delete, &[], &[]), ("b", Delete, &[], &["a"])], "-b -a"),
            // A dependent lets go before what it held goes.
            (&[("a", Delete, &[], &[]), ("b", Update, &[], &["a"])], "~b -a"),
            (&[("a", DeleteThenCreate, &[], &[]), ("b", Update, &["a"], &["a"])], "-a +a ~b"),
            (&[("a", CreateThenDelete, &[], &[]), ("b", Update, &["a"], &["a"])], "+a ~b -a"),
            (&[("a", DeleteThenCreate, &[], &[]), ("b", DeleteThenCreate, &["a"], &["a"])], "-b -a +a +b"),
            (&[("a", CreateThenDelete, &[], &[]), ("b", CreateThenDelete, &["a"], &["a"])], "+a +b -b -a"),
            // What does not change still carries order.
            (&[("c", Create, &["b"], &[]), ("b", NoOp, &["a"], &["a"]), ("a", Update, &[], &[])], "~a +c"),
        ];
        for (stack_rows, expected) in rows {
            let (changes, nodes) = stack(stack_rows);
            let steps = steps(&changes, &nodes, &[]).unwrap();
            assert_eq!(shown(&changes, &steps), *expected, "{stack_rows:?}");
        }
    }

    #[test]
    fn nothing_to_do_is_no_step() {
        let (changes, nodes) = stack(&[("a", Action::NoOp, &[], &[]), ("b", Action::NoOp, &["a"], &["a"])]);
        assert!(steps(&changes, &nodes, &[]).unwrap().is_empty());
    }

    #[test]
    fn a_deposed_object_goes_after_its_successor() {
        let mut old = change("a", Action::Delete);
        old.deposed = Some(DeposedKey("00000000".into()));
        let changes = vec![old, change("a", Action::Create)];
        let steps = steps(&changes, &[Node::default(), Node::default()], &[]).unwrap();
        assert_eq!(shown(&changes, &steps), "+a -a");
    }

    #[test]
    fn create_before_destroy_reaches_dependencies_and_not_dependents() {
        use Action::DeleteThenCreate;
        let (mut changes, nodes) = stack(&[
            ("a", DeleteThenCreate, &[], &[]),
            ("b", DeleteThenCreate, &["a"], &["a"]),
            ("c", DeleteThenCreate, &["b"], &["b"]),
        ]);
        changes[1].create_before_destroy = true;
        force_create_before_destroy(&mut changes, &nodes, &[]);
        let actions: Vec<_> = changes.iter().map(|c| c.action).collect();
        assert_eq!(actions, [Action::CreateThenDelete, Action::CreateThenDelete, DeleteThenCreate]);
        assert!(steps(&changes, &nodes, &[]).is_ok());
    }

    #[test]
    fn a_join_stands_between_many_and_many() {
        let changes = vec![change("a", Action::Create), change("b", Action::Create)];
        let nodes = vec![Node::default(), Node { needs: vec![Dependency::Join(0)], recorded: vec![] }];
        let steps = steps(&changes, &nodes, &[vec![Dependency::Change(0)]]).unwrap();
        let ops: Vec<_> = steps.iter().map(|s| s.op).collect();
        assert_eq!(ops, [Op::Create, Op::Join, Op::Create]);
        assert_eq!(steps[2].after, [StepId(1)]);
    }

    fn any_action() -> impl Strategy<Value = Action> {
        prop::sample::select(vec![
            Action::NoOp,
            Action::Create,
            Action::Update,
            Action::DeleteThenCreate,
            Action::CreateThenDelete,
            Action::Delete,
        ])
    }

    proptest! {
        #[test]
        fn random_graphs_have_an_order_that_keeps_the_rules(
            actions in prop::collection::vec(any_action(), 1..14),
            now in prop::collection::vec((0usize..14, 0usize..14), 0..30),
            then in prop::collection::vec((0usize..14, 0usize..14), 0..30),
            first in prop::collection::vec(any::<bool>(), 14),
        ) {
            let names: Vec<String> = (0..actions.len()).map(|i| format!("n{i}")).collect();
            let exists = |a: Action| !matches!(a, Action::Create);
            let wanted = |a: Action| !matches!(a, Action::Delete);
            let pick = |pairs: &[(usize, usize)], i: usize, ok: &dyn Fn(Action) -> bool| -> Vec<usize> {
                let mut out: Vec<usize> = pairs.iter().filter(|(x, y)| *x == i && *y < i && ok(actions[*y])).map(|p| p.1).collect();
                out.sort_unstable();
                out.dedup();
                out
            };
            let mut changes: Vec<ResourceChange> = Vec::new();
            let mut nodes: Vec<Node> = Vec::new();
            for (i, &action) in actions.iter().enumerate() {
                let needs = if wanted(action) { pick(&now, i, &wanted) } else { vec![] };
                let recorded = if exists(action) { pick(&then, i, &exists) } else { vec![] };
                let mut c = change(&names[i], if action.is_replace() { Action::DeleteThenCreate } else { action });
                c.create_before_destroy = first[i] && action.is_replace();
                c.dependencies = needs.iter().map(|&n| resource(&names[n])).collect();
                changes.push(c);
                nodes.push(Node {
                    needs: needs.iter().map(|&n| Dependency::Change(u32::try_from(n).unwrap())).collect(),
                    recorded: recorded.iter().map(|&n| resource(&names[n])).collect(),
                });
            }
            force_create_before_destroy(&mut changes, &nodes, &[]);
            let steps = steps(&changes, &nodes, &[]).unwrap();
            let at = |i: usize, ops: &[Op]| steps.iter().position(|s| s.change == Some(u32::try_from(i).unwrap()) && ops.contains(&s.op));
            let made = |i: usize| at(i, &[Op::Create, Op::Update]);
            let gone = |i: usize| at(i, &[Op::Delete]);
            for (i, step) in steps.iter().enumerate() {
                prop_assert!(step.after.iter().all(|s| (s.0 as usize) < i), "a step waits for a later one");
            }
            for i in 0..changes.len() {
                for need in &nodes[i].needs {
                    let Dependency::Change(d) = *need else { continue };
                    if let (Some(mine), Some(theirs)) = (made(i), made(d as usize)) {
                        prop_assert!(theirs < mine, "made before its dependency");
                    }
                }
                for r in &nodes[i].recorded {
                    let d = names.iter().position(|n| **n == *r.name).unwrap();
                    if let (Some(mine), Some(theirs)) = (gone(i), gone(d)) {
                        prop_assert!(mine < theirs, "destroyed before its dependent");
                    }
                }
                match changes[i].action {
                    Action::DeleteThenCreate => prop_assert!(gone(i) < made(i)),
                    Action::CreateThenDelete => prop_assert!(made(i) < gone(i)),
                    _ => {}
                }
            }
        }
    }
}
