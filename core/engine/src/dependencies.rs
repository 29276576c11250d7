//! What depends on what, out of the cells that evaluation touched: for the order of the plan and for the state.

use std::collections::{BTreeMap, BTreeSet};

use sgp_contract::CommonGround;
use sgp_lang::{CellKey, Config, Evaluator, World};
use sgp_model::{
    InstanceAddr, InstanceRecord, Mode, ProviderAddr, ResourceAddr, Value,
    plan::{Action, ResourceChange, Step, StepId},
    state::RecordKey,
};
use sgp_plan::{Dependency, Node};

use crate::{
    Registry,
    blocks::resource_block,
    clients::{ClientState, Clients},
    world::cluster_in,
};

/// The cells of an evaluation, numbered.
pub(crate) struct Dependencies {
    keys: Vec<CellKey>,
    needs: Vec<Vec<u32>>,
    instances: BTreeMap<InstanceAddr, u32>,
    providers: BTreeMap<ProviderAddr, u32>,
    /// The provider configuration of each instance.
    served_by: BTreeMap<u32, ProviderAddr>,
    /// The managed resources behind each cell.
    memo: BTreeMap<u32, BTreeSet<ResourceAddr>>,
}

impl Dependencies {
    pub(crate) fn of<W: World>(evaluator: &mut Evaluator<W>) -> Self {
        let mut found = Self {
            keys: Vec::new(),
            needs: Vec::new(),
            instances: BTreeMap::new(),
            providers: BTreeMap::new(),
            served_by: BTreeMap::new(),
            memo: BTreeMap::new(),
        };
        let cells = evaluator.cells();
        for (id, key) in cells.iter() {
            match key {
                CellKey::Instance(addr) => {
                    found.instances.insert(addr.clone(), id.0);
                }
                CellKey::Provider(addr) => {
                    found.providers.insert(addr.clone(), id.0);
                }
                _ => {}
            }
            found.keys.push(key.clone());
            found.needs.push(cells.deps(id).iter().map(|d| d.0).collect());
        }
        for (addr, &id) in &found.instances {
            found.served_by.insert(id, evaluator.provider_of(addr));
        }
        found
    }

    /// What a cell waits for: what its evaluation touched, and for an instance its provider configuration.
    fn all_needs(&self, id: u32) -> impl Iterator<Item = u32> + '_ {
        let provider = self.served_by.get(&id).and_then(|p| self.providers.get(p)).copied();
        self.needs[id as usize].iter().copied().chain(provider)
    }

    /// The managed resources (without keys) that an instance needs: what it refers to, directly or through values, data sources
    /// and its provider configuration, and what that needs in turn. The whole way is recorded, because something in the middle
    /// may be gone when the rest is destroyed.
    pub(crate) fn resources(&mut self, addr: &InstanceAddr) -> Vec<ResourceAddr> {
        let Some(&id) = self.instances.get(addr) else { return Vec::new() };
        let itself = addr.resource.without_keys();
        self.reached(id).iter().filter(|it| **it != itself).cloned().collect()
    }

    /// The managed resources behind a cell. Walks with a stack of its own, because chains of values may be long.
    fn reached(&mut self, root: u32) -> &BTreeSet<ResourceAddr> {
        let mut open = vec![(root, false)];
        // An instance may look at another one of its block that looks back, in a branch that is not taken.
        let mut entered = BTreeSet::new();
        while let Some((id, is_left)) = open.pop() {
            if self.memo.contains_key(&id) {
                continue;
            }
            let needs: Vec<u32> = self.all_needs(id).collect();
            if !is_left {
                if entered.insert(id) {
                    open.push((id, true));
                    open.extend(needs.into_iter().filter(|n| !self.memo.contains_key(n)).map(|n| (n, false)));
                }
                continue;
            }
            let mut set = BTreeSet::new();
            for need in needs {
                if let CellKey::Instance(addr) = &self.keys[need as usize]
                    && addr.resource.mode == Mode::Managed
                {
                    set.insert(addr.resource.without_keys());
                }
                set.extend(self.memo.get(&need).into_iter().flatten().cloned());
            }
            self.memo.insert(id, set);
        }
        &self.memo[&root]
    }

    /// The steps that each ephemeral resource has to be open for: those of whatever refers to it, directly or through values and
    /// other ephemeral resources. What a provider configuration or a data source in a `check` block needs is left out: those
    /// are used to the end.
    pub(crate) fn open_for(
        &self,
        config: &Config,
        changes: &[ResourceChange],
        steps: &[Step],
    ) -> BTreeMap<InstanceAddr, Vec<StepId>> {
        let ephemerals: Vec<_> = self.instances.iter().filter(|(addr, _)| is_ephemeral(addr)).collect();
        let mut open_for = BTreeMap::new();
        if ephemerals.is_empty() {
            return open_for;
        }
        let needed_by = self.needed_by();
        for (addr, &id) in ephemerals {
            let Some(users) = self.users(id, &needed_by, config) else { continue };
            let is_for = |step: &Step| step.change.is_some_and(|it| users.contains(&changes[it as usize].addr));
            let places = (0u32..).zip(steps).filter(|(_, step)| is_for(step)).map(|(place, _)| StepId(place));
            open_for.insert(addr.clone(), places.collect());
        }
        open_for
    }

    /// What refers to an ephemeral resource and can be told; `None` when it is used to the end.
    fn users(&self, id: u32, needed_by: &[Vec<u32>], config: &Config) -> Option<BTreeSet<&InstanceAddr>> {
        let is_scoped = |addr: &InstanceAddr| resource_block(config, &addr.resource).is_some_and(|b| b.check.is_some());
        let mut users: BTreeSet<&InstanceAddr> = BTreeSet::new();
        let (mut open, mut seen) = (vec![id], BTreeSet::from([id]));
        while let Some(next) = open.pop() {
            match &self.keys[next as usize] {
                CellKey::Provider(_) => return None,
                CellKey::Instance(user) if is_scoped(user) => return None,
                CellKey::Instance(user) if !is_ephemeral(user) => {
                    users.insert(user);
                }
                _ => open.extend(needed_by[next as usize].iter().copied().filter(|it| seen.insert(*it))),
            }
        }
        Some(users)
    }

    /// The cells that touched each cell.
    fn needed_by(&self) -> Vec<Vec<u32>> {
        let mut needed_by: Vec<Vec<u32>> = vec![Vec::new(); self.keys.len()];
        for (id, needs) in (0u32..).zip(&self.needs) {
            needs.iter().for_each(|need| needed_by[*need as usize].push(id));
        }
        needed_by
    }

    /// The changes as nodes, and every other cell as a join.
    pub(crate) fn graph(
        &self,
        changes: &[ResourceChange],
        existing: &BTreeMap<RecordKey, InstanceRecord>,
    ) -> OrderGraph {
        let places: BTreeMap<u32, u32> = (0u32..)
            .zip(changes)
            .filter(|(_, c)| c.deposed.is_none() && c.action != Action::Delete)
            .filter_map(|(i, c)| Some((*self.instances.get(&c.addr)?, i)))
            .collect();
        let mut joins_of: BTreeMap<u32, u32> = BTreeMap::new();
        let mut joined: Vec<u32> = Vec::new();
        for id in 0..u32::try_from(self.keys.len()).expect("cells are counted in u32") {
            if !places.contains_key(&id) {
                joins_of.insert(id, u32::try_from(joined.len()).expect("cells are counted in u32"));
                joined.push(id);
            }
        }
        let is_open = |id: u32| matches!(&self.keys[id as usize], CellKey::Instance(addr) if addr.is_open());
        let open = joins_of.iter().filter(|(id, _)| is_open(**id)).map(|(_, join)| *join).collect();
        let dependency = |id: u32| match places.get(&id) {
            Some(&change) => Dependency::Change(change),
            None => Dependency::Join(joins_of[&id]),
        };
        let joins = joined.iter().map(|&id| self.all_needs(id).map(dependency).collect()).collect();
        let nodes = changes.iter().map(|change| {
            let id = self.instances.get(&change.addr).filter(|id| places.contains_key(id) && change.deposed.is_none());
            let key = RecordKey { addr: change.addr.clone(), deposed: change.deposed.clone() };
            Node {
                needs: id.map(|&id| self.all_needs(id).map(dependency).collect()).unwrap_or_default(),
                recorded: existing.get(&key).map(|r| r.dependencies.clone()).unwrap_or_default(),
            }
        });
        let nodes = nodes.collect();
        OrderGraph { nodes, joins, open, joins_of }
    }
}

fn is_ephemeral(addr: &InstanceAddr) -> bool {
    addr.resource.mode == Mode::Ephemeral
}

/// What `sgp_plan::steps` orders.
pub(crate) struct OrderGraph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) joins: Vec<Vec<Dependency>>,
    /// The joins that stand for deferred instances.
    pub(crate) open: BTreeSet<u32>,
    /// The join of each cell that has one.
    joins_of: BTreeMap<u32, u32>,
}

impl OrderGraph {
    /// The changes that wait for deferred instances, directly or not.
    pub(crate) fn waiting(&self) -> BTreeSet<u32> {
        let mut by_need: BTreeMap<Dependency, Vec<Dependency>> = BTreeMap::new();
        for (i, node) in (0u32..).zip(&self.nodes) {
            node.needs.iter().for_each(|need| by_need.entry(*need).or_default().push(Dependency::Change(i)));
        }
        for (j, needs) in (0u32..).zip(&self.joins) {
            needs.iter().for_each(|need| by_need.entry(*need).or_default().push(Dependency::Join(j)));
        }
        let mut open: Vec<Dependency> = self.open.iter().map(|&join| Dependency::Join(join)).collect();
        let mut seen: BTreeSet<Dependency> = open.iter().copied().collect();
        while let Some(next) = open.pop() {
            open.extend(by_need.get(&next).into_iter().flatten().copied().filter(|it| seen.insert(*it)));
        }
        let changes = seen.into_iter().filter_map(|it| match it {
            Dependency::Change(i) => Some(i),
            Dependency::Join(_) => None,
        });
        changes.collect()
    }

    /// The changes that cells lead to, directly or not.
    pub(crate) fn behind(&self, cells: impl IntoIterator<Item = u32>) -> BTreeSet<u32> {
        let joins = cells.into_iter().filter_map(|id| self.joins_of.get(&id)).map(|&join| Dependency::Join(join));
        self.closure_of(joins.collect())
    }

    /// Adds the order that the domain needs and nothing refers to: within one cluster, instances of a type wait for those
    /// of the types it is created after (see `ResourceType::created_after`).
    pub(crate) fn add_domain_order(&mut self, changes: &mut [ResourceChange], registry: &Registry, clients: &Clients) {
        let mut by_type: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (i, change) in (0u32..).zip(changes.iter()).filter(|(_, c)| c.action != Action::Delete) {
            by_type.entry(&change.addr.resource.type_name).or_default().push(i);
        }
        let mut added: Vec<(u32, u32)> = Vec::new();
        for (type_name, waiting) in &by_type {
            let Some(ty) = registry.resource_type(type_name) else { continue };
            for first in ty.created_after().iter().filter_map(|t| by_type.get(t)).flatten() {
                let needed = self.closure(*first);
                let cluster = cluster_of(&changes[*first as usize], registry, clients);
                let same = waiting.iter().filter(|&&w| {
                    let change = &changes[w as usize];
                    !needed.contains(&w)
                        && cluster.is_some()
                        && ty.waits_in_its_cluster(&change.after)
                        && cluster_of(change, registry, clients) == cluster
                });
                added.extend(same.map(|&w| (w, *first)));
            }
            for CommonGround { first, ground } in ty.created_after_on() {
                added.extend(self.on_common_ground(waiting, &by_type, first, ground));
            }
        }
        for (waiting, first) in added {
            self.nodes[waiting as usize].needs.push(Dependency::Change(first));
            let mut needed = changes[first as usize].dependencies.clone();
            needed.push(changes[first as usize].addr.resource.without_keys());
            let change = &mut changes[waiting as usize];
            for resource in needed.into_iter().filter(|it| *it != change.addr.resource.without_keys()) {
                if let Err(at) = change.dependencies.binary_search(&resource) {
                    change.dependencies.insert(at, resource);
                }
            }
        }
    }

    /// Pairs of a waiting change and one of the type `first` that depend on the same object of the type `ground`.
    fn on_common_ground(
        &self,
        waiting: &[u32],
        by_type: &BTreeMap<&str, Vec<u32>>,
        first: &str,
        ground: &str,
    ) -> Vec<(u32, u32)> {
        let (Some(firsts), Some(grounds)) = (by_type.get(first), by_type.get(ground)) else { return Vec::new() };
        let stands_on = |needed: &BTreeSet<u32>| -> BTreeSet<u32> {
            grounds.iter().copied().filter(|ground| needed.contains(ground)).collect()
        };
        let waiting: Vec<(u32, BTreeSet<u32>)> = waiting.iter().map(|&w| (w, stands_on(&self.closure(w)))).collect();
        let pairs = firsts.iter().flat_map(|&first| {
            let needed = self.closure(first);
            let common = stands_on(&needed);
            let waits = waiting.iter().filter(|(w, on)| !needed.contains(w) && !on.is_disjoint(&common));
            waits.map(|(w, _)| (*w, first)).collect::<Vec<_>>()
        });
        pairs.collect()
    }

    /// The changes that a change waits for, directly or not.
    fn closure(&self, root: u32) -> BTreeSet<u32> {
        self.closure_of(vec![Dependency::Change(root)])
    }

    fn closure_of(&self, mut open: Vec<Dependency>) -> BTreeSet<u32> {
        let mut changes = BTreeSet::new();
        let mut joins = BTreeSet::new();
        while let Some(next) = open.pop() {
            match next {
                Dependency::Change(i) if changes.insert(i) => open.extend(&self.nodes[i as usize].needs),
                Dependency::Join(j) if joins.insert(j) => open.extend(&self.joins[j as usize]),
                Dependency::Change(_) | Dependency::Join(_) => {}
            }
        }
        changes
    }
}

/// The name of the cluster that an object lives in.
fn cluster_of(change: &ResourceChange, registry: &Registry, clients: &Clients) -> Option<String> {
    let schema = registry.resource_type(&change.addr.resource.type_name)?.schema();
    let side = if change.after.is_null() { &change.before } else { &change.after };
    let config = clients.0.get(&change.provider).map_or_else(Value::dynamic_null, ClientState::config);
    cluster_in(schema, side, &config)
}
