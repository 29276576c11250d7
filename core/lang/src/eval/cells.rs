//! Cells: the units of evaluation, and which cells each one looked at.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use sgp_model::{InstanceAddr, ModulePath, ProviderAddr, ResourceAddr};

/// What is evaluated once and remembered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CellKey {
    /// One instance of a resource or data source.
    Instance(InstanceAddr),
    /// All instances of one: a reference without an index, or `depends_on`.
    Resource(ResourceAddr),
    /// Which instances there are: `count` or `for_each`.
    Expansion(ResourceAddr),
    /// A local value.
    Local(ModulePath, Arc<str>),
    /// An input variable.
    Variable(ModulePath, Arc<str>),
    /// An output value.
    Output(ModulePath, Arc<str>),
    /// Which instances of a `module` block there are.
    ModuleExpansion(ModulePath, Arc<str>),
    /// All outputs of one module instance.
    Module(ModulePath),
    /// All instances of a `module` block, with their outputs.
    ModuleCall(ModulePath, Arc<str>),
    /// Everything in all instances of a `module` block: what `depends_on` on a module waits for.
    ModuleContents(ModulePath, Arc<str>),
    /// What the `depends_on` of a `module` block names: everything inside waits for it.
    ModuleDependsOn(ModulePath, Arc<str>),
    /// A provider configuration.
    Provider(ProviderAddr),
    /// Which instances of a provider configuration with `for_each` there are.
    ProviderExpansion(ProviderAddr),
}

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |f: &mut fmt::Formatter<'_>, module: &ModulePath| {
            if module.is_root() { Ok(()) } else { write!(f, "{module}.") }
        };
        match self {
            Self::Instance(a) => write!(f, "{a}"),
            Self::Resource(a) => write!(f, "{a}"),
            Self::Expansion(a) => write!(f, "{a} (expand)"),
            Self::Local(m, n) => within(f, m).and_then(|()| write!(f, "local.{n}")),
            Self::Variable(m, n) => within(f, m).and_then(|()| write!(f, "var.{n}")),
            Self::Output(m, n) => within(f, m).and_then(|()| write!(f, "output.{n}")),
            Self::ModuleExpansion(m, n) => within(f, m).and_then(|()| write!(f, "module.{n} (expand)")),
            Self::Module(m) => write!(f, "{m}"),
            Self::ModuleCall(m, n) => within(f, m).and_then(|()| write!(f, "module.{n}")),
            Self::ModuleContents(m, n) => within(f, m).and_then(|()| write!(f, "module.{n} (everything in it)")),
            Self::ModuleDependsOn(m, n) => within(f, m).and_then(|()| write!(f, "module.{n} (depends_on)")),
            Self::Provider(p) => write!(f, "{p}"),
            Self::ProviderExpansion(p) => write!(f, "{p} (expand)"),
        }
    }
}

/// The number of a cell: cells are numbered as they are first asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(pub u32);

impl CellId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Debug)]
struct Node {
    key: CellKey,
    deps: Vec<CellId>,
    explicit: Vec<CellId>,
}

/// All cells so far and what each of them looked at directly. Edges are as many as references that were followed, so a
/// local value used by many instances is one edge for each of them plus its own edges once.
#[derive(Clone, Debug, Default)]
pub struct CellGraph {
    ids: HashMap<CellKey, CellId>,
    nodes: Vec<Node>,
}

impl CellGraph {
    /// The cell of a key, when it was asked for.
    pub fn id(&self, key: &CellKey) -> Option<CellId> {
        self.ids.get(key).copied()
    }

    /// What a cell is.
    pub fn key(&self, id: CellId) -> &CellKey {
        &self.nodes[id.index()].key
    }

    /// The cells that a cell looked at directly, `depends_on` included, in no particular order.
    pub fn deps(&self, id: CellId) -> &[CellId] {
        &self.nodes[id.index()].deps
    }

    /// The cells that the `depends_on` of an instance names (its own, and those of the modules around it).
    pub fn explicit(&self, id: CellId) -> &[CellId] {
        &self.nodes[id.index()].explicit
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing was asked for yet.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All cells in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (CellId, &CellKey)> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(i, n)| (CellId(u32::try_from(i).expect("cells are numbered with 32 bits")), &n.key))
    }

    /// The instances that are reached from these cells through cells that are not instances, each once.
    pub fn instances_behind(&self, from: &[CellId]) -> Vec<InstanceAddr> {
        let mut seen: HashSet<CellId> = from.iter().copied().collect();
        let mut open: Vec<CellId> = seen.iter().copied().collect();
        let mut found = Vec::new();
        while let Some(id) = open.pop() {
            if let CellKey::Instance(addr) = self.key(id) {
                found.push(addr.clone());
                continue;
            }
            open.extend(self.deps(id).iter().copied().filter(|d| seen.insert(*d)));
        }
        found.sort();
        found
    }

    pub(super) fn intern(&mut self, key: CellKey) -> CellId {
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        let id = CellId(u32::try_from(self.nodes.len()).expect("fewer than 2^32 cells fit into memory"));
        self.ids.insert(key.clone(), id);
        self.nodes.push(Node { key, deps: Vec::new(), explicit: Vec::new() });
        id
    }

    pub(super) fn set_deps(&mut self, id: CellId, deps: &[CellId]) {
        let mut deps = deps.to_vec();
        deps.sort_unstable();
        deps.dedup();
        self.nodes[id.index()].deps = deps;
    }

    pub(super) fn set_explicit(&mut self, id: CellId, explicit: Vec<CellId>) {
        self.nodes[id.index()].explicit = explicit;
    }
}

/// What the instance in question looked at, for [`super::World::object`]. Nothing is computed before it is asked for.
pub struct DepsView<'a> {
    pub(super) graph: &'a CellGraph,
    pub(super) cell: CellId,
}

impl DepsView<'_> {
    /// The cells of the whole evaluation.
    pub fn graph(&self) -> &CellGraph {
        self.graph
    }

    /// The cells that the configuration of this instance looked at directly.
    pub fn direct(&self) -> &[CellId] {
        self.graph.deps(self.cell)
    }

    /// The instances that this one refers to, through locals, variables, outputs and modules, `depends_on` included.
    pub fn instances(&self) -> Vec<InstanceAddr> {
        self.graph.instances_behind(self.graph.deps(self.cell))
    }

    /// The instances that `depends_on` names (of the block itself and of the modules around it).
    pub fn explicit(&self) -> Vec<InstanceAddr> {
        self.graph.instances_behind(self.graph.explicit(self.cell))
    }
}
