//! Recorded objects under new addresses: what `moved` blocks say, and what follows when `count` comes or goes.
//!
//! Each object is followed on its own, through as many moves as lead on from where it is, the most specific first. An
//! object whose new place is taken stays where it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sgp_model::{
    InstanceAddr, InstanceKey, Mode, ModuleInstance, ModulePath, ResourceAddr, State, address::ParsedAddr,
    state::RecordKey,
};

/// One `moved` block.
#[derive(Clone, Debug)]
pub struct Move {
    /// The names of the module calls around it, from the root inwards.
    pub within: Vec<Arc<str>>,
    /// Where objects were, relative to the module.
    pub from: ParsedAddr,
    /// Where they are, relative to the module.
    pub to: ParsedAddr,
}

/// How a block of the configuration repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Not at all.
    No,
    /// By `count`.
    Count,
    /// By `for_each`.
    ForEach,
}

/// How blocks repeat; `None` where the configuration has no such block.
pub trait Shape {
    /// A `resource` block.
    fn resource(&self, addr: &ResourceAddr) -> Option<Repeats>;
    /// The `module` block that the last step of the path is an instance of.
    fn call(&self, path: &ModulePath) -> Option<Repeats>;
}

/// What became of the objects of a state.
#[derive(Debug, Default)]
pub struct Moved {
    /// For each object that has a new address, the old one.
    pub previous: BTreeMap<InstanceAddr, InstanceAddr>,
    /// Objects that stay where they are because there is another at their new address, with that address.
    pub blocked: Vec<(InstanceAddr, InstanceAddr)>,
    /// Objects that moves lead back to where they were.
    pub circular: Vec<InstanceAddr>,
}

/// Gives objects their new addresses, also where others depend on them.
pub fn move_objects(state: &mut State, moves: &[Move], shape: &dyn Shape) -> Moved {
    let mut moved = Moved::default();
    let mut wishes: Vec<(usize, InstanceAddr, InstanceAddr)> = Vec::new();
    let addrs: BTreeSet<InstanceAddr> = state.instances.keys().map(|key| key.addr.clone()).collect();
    for addr in &addrs {
        match destination(addr, moves, shape) {
            Some((0, _)) => {}
            Some((hops, to)) => wishes.push((hops, addr.clone(), to)),
            None => moved.circular.push(addr.clone()),
        }
    }
    // Of two objects that want one place, the one with the shorter way is the later one in the chain.
    wishes.sort_by_key(|(hops, ..)| *hops);
    let wishes = wishes.into_iter().map(|(_, from, to)| (from, to)).collect();
    let granted = grant(wishes, &addrs, &mut moved.blocked);
    if !granted.is_empty() {
        rename(state, &granted);
    }
    moved.previous = granted.into_iter().map(|(from, to)| (to, from)).collect();
    moved
}

/// The moves that lead an object from where they begin back to it, whether there is such an object or not.
pub fn circles(moves: &[Move], shape: &dyn Shape) -> Vec<usize> {
    let leads_back = |m: &Move| destination(&m.sample(), moves, shape).is_none();
    moves.iter().enumerate().filter(|(_, m)| leads_back(m)).map(|(i, _)| i).collect()
}

/// Where an object belongs and after how many moves; `None` when it would come back to a place where it was.
fn destination(addr: &InstanceAddr, moves: &[Move], shape: &dyn Shape) -> Option<(usize, InstanceAddr)> {
    let mut seen = vec![addr.clone()];
    // Every move once, and what follows from each.
    let most = 2 * moves.len() + addr.resource.module.0.len() + 1;
    loop {
        let at = seen.last().expect("there is always one");
        let said = moves.iter().filter_map(|m| Some((m.rank(), m.apply(at)?))).filter(|(_, to)| to != at);
        let next = said.max_by_key(|(rank, _)| *rank).map(|(_, to)| to).or_else(|| implied(at, moves, shape));
        match next {
            None => return Some((seen.len() - 1, at.clone())),
            Some(next) if seen.contains(&next) => return None,
            // A module that moves into itself would go on for ever.
            Some(_) if seen.len() > most => return None,
            Some(next) => seen.push(next),
        }
    }
}

/// Grants the wishes whose place is free. Whoever stays takes its own place, which may end the wish of another.
fn grant(
    mut wishes: Vec<(InstanceAddr, InstanceAddr)>,
    addrs: &BTreeSet<InstanceAddr>,
    blocked: &mut Vec<(InstanceAddr, InstanceAddr)>,
) -> BTreeMap<InstanceAddr, InstanceAddr> {
    loop {
        let leaving: BTreeSet<&InstanceAddr> = wishes.iter().map(|(from, _)| from).collect();
        let mut taken: BTreeSet<&InstanceAddr> = addrs.iter().filter(|a| !leaving.contains(a)).collect();
        let refused: BTreeSet<usize> =
            wishes.iter().enumerate().filter(|(_, (_, to))| !taken.insert(to)).map(|(i, _)| i).collect();
        if refused.is_empty() {
            return wishes.into_iter().collect();
        }
        let (stay, go): (Vec<_>, Vec<_>) = wishes.into_iter().enumerate().partition(|(i, _)| refused.contains(i));
        blocked.extend(stay.into_iter().map(|(_, wish)| wish));
        wishes = go.into_iter().map(|(_, wish)| wish).collect();
    }
}

fn rename(state: &mut State, granted: &BTreeMap<InstanceAddr, InstanceAddr>) {
    let mut renamed: BTreeMap<ResourceAddr, BTreeSet<ResourceAddr>> = BTreeMap::new();
    for (from, to) in granted {
        renamed.entry(from.resource.without_keys()).or_default().insert(to.resource.without_keys());
    }
    for key in state.instances.keys().filter(|key| !granted.contains_key(&key.addr)) {
        let stays = key.addr.resource.without_keys();
        if let Some(names) = renamed.get_mut(&stays) {
            names.insert(stays);
        }
    }
    state.instances = std::mem::take(&mut state.instances)
        .into_iter()
        .map(|(key, mut record)| {
            if record.dependencies.iter().any(|d| renamed.contains_key(&d.without_keys())) {
                let new = record.dependencies.iter().flat_map(|d| match renamed.get(&d.without_keys()) {
                    Some(names) => names.iter().cloned().collect(),
                    None => vec![d.clone()],
                });
                record.dependencies = new.collect::<BTreeSet<_>>().into_iter().collect();
            }
            let addr = granted.get(&key.addr).cloned().unwrap_or(key.addr);
            (RecordKey { addr, deposed: key.deposed }, record)
        })
        .collect();
}

/// The object without a key is the first of `count`, and the other way round, unless a `moved` block speaks of it.
fn implied(addr: &InstanceAddr, moves: &[Move], shape: &dyn Shape) -> Option<InstanceAddr> {
    let steps = &addr.resource.module.0;
    for i in 0..steps.len() {
        let path = ModulePath(steps[..=i].into());
        if let Some(key) = shape.call(&path).and_then(|repeats| first_key(repeats, steps[i].key.as_ref()))
            && !moves.iter().any(|m| m.speaks_of_call(&path))
        {
            let mut steps = steps.to_vec();
            steps[i].key = key;
            let resource = ResourceAddr { module: ModulePath(steps.into()), ..addr.resource.clone() };
            return Some(InstanceAddr { resource, key: addr.key.clone() });
        }
    }
    let key = shape.resource(&addr.resource).and_then(|repeats| first_key(repeats, addr.key.as_ref()))?;
    let spoken_of = moves.iter().any(|m| m.speaks_of_resource(&addr.resource));
    (!spoken_of).then(|| addr.resource.instance(key))
}

/// The key instead of the recorded one, when the block was given `count` or lost it.
#[expect(clippy::option_option, reason = "the outer one is whether, the inner one is what")]
fn first_key(repeats: Repeats, recorded: Option<&InstanceKey>) -> Option<Option<InstanceKey>> {
    match (repeats, recorded) {
        (Repeats::Count, None) => Some(Some(InstanceKey::Int(0))),
        (Repeats::No, Some(InstanceKey::Int(0))) => Some(None),
        _ => None,
    }
}

impl Move {
    /// An object that this move is about.
    fn sample(&self) -> InstanceAddr {
        let within = self.within.iter().map(|name| ModuleInstance { name: name.clone(), key: None });
        let inside = |module: &ModulePath| ModulePath(within.chain(module.0.iter().cloned()).collect());
        match &self.from {
            ParsedAddr::Module(path) => {
                let (type_name, name) = (Arc::from("any"), Arc::from("any"));
                let resource = ResourceAddr { module: inside(path), mode: Mode::Managed, type_name, name };
                resource.instance(None)
            }
            ParsedAddr::Resource(r) => ResourceAddr { module: inside(&r.module), ..r.clone() }.instance(None),
            ParsedAddr::Instance(i) => {
                let resource = ResourceAddr { module: inside(&i.resource.module), ..i.resource.clone() };
                resource.instance(i.key.clone())
            }
        }
    }

    /// The new address of an object that this move is about.
    fn apply(&self, addr: &InstanceAddr) -> Option<InstanceAddr> {
        let steps = &addr.resource.module.0;
        let (base, inner) = steps.split_at_checked(self.within.len())?;
        if !base.iter().zip(&self.within).all(|(step, name)| step.name == *name) {
            return None;
        }
        match (&self.from, &self.to) {
            (ParsedAddr::Module(from), ParsedAddr::Module(to)) => {
                let inner = moved_steps(from, to, inner)?;
                let module = ModulePath([base, &inner].concat().into());
                let resource = ResourceAddr { module, ..addr.resource.clone() };
                Some(InstanceAddr { resource, key: addr.key.clone() })
            }
            (from, to) => {
                let ((from, from_key), (to, to_key)) = (resource_of(from)?, resource_of(to)?);
                let same = from.module.0[..] == *inner
                    && (from.mode, &from.type_name, &from.name)
                        == (addr.resource.mode, &addr.resource.type_name, &addr.resource.name);
                let whole = from_key.is_none() && to_key.is_none();
                if !same || (!whole && from_key != addr.key.as_ref()) {
                    return None;
                }
                let module = ModulePath([base, &to.module.0[..]].concat().into());
                let key = if whole { addr.key.clone() } else { to_key.cloned() };
                Some(InstanceAddr { resource: ResourceAddr { module, ..to.clone() }, key })
            }
        }
    }

    /// The more specific of two moves comes first: what is said of a resource before what is said of its module.
    fn rank(&self) -> (usize, bool) {
        let (depth, is_resource) = match &self.from {
            ParsedAddr::Module(path) => (path.0.len(), false),
            ParsedAddr::Resource(r) => (r.module.0.len(), true),
            ParsedAddr::Instance(i) => (i.resource.module.0.len(), true),
        };
        (self.within.len() + depth, is_resource)
    }

    fn speaks_of_resource(&self, addr: &ResourceAddr) -> bool {
        [&self.from, &self.to].into_iter().filter_map(resource_of).any(|(r, _)| {
            (r.mode, &r.type_name, &r.name) == (addr.mode, &addr.type_name, &addr.name)
                && self.names(&r.module).eq(addr.module.0.iter().map(|s| &s.name))
        })
    }

    fn speaks_of_call(&self, path: &ModulePath) -> bool {
        [&self.from, &self.to].into_iter().any(|side| match side {
            ParsedAddr::Module(module) => self.names(module).eq(path.0.iter().map(|s| &s.name)),
            ParsedAddr::Resource(_) | ParsedAddr::Instance(_) => false,
        })
    }

    /// The names of the calls that lead to a module, from the root.
    fn names<'a>(&'a self, inner: &'a ModulePath) -> impl Iterator<Item = &'a Arc<str>> {
        self.within.iter().chain(inner.0.iter().map(|s| &s.name))
    }
}

/// The resource of an address, and the key that it names.
fn resource_of(addr: &ParsedAddr) -> Option<(&ResourceAddr, Option<&InstanceKey>)> {
    match addr {
        ParsedAddr::Module(_) => None,
        ParsedAddr::Resource(r) => Some((r, None)),
        ParsedAddr::Instance(i) => Some((&i.resource, i.key.as_ref())),
    }
}

/// The steps with their beginning replaced; a call that is named without a key on both sides keeps the keys of its instances.
fn moved_steps(from: &ModulePath, to: &ModulePath, steps: &[ModuleInstance]) -> Option<Vec<ModuleInstance>> {
    let (last, outer) = from.0.split_last()?;
    let (beginning, rest) = steps.split_at_checked(from.0.len())?;
    let (step, around) = beginning.split_last()?;
    let mut new = to.0.to_vec();
    let target = new.last_mut()?;
    let whole = last.key.is_none() && target.key.is_none();
    if around != outer || step.name != last.name || (!whole && step.key != last.key) {
        return None;
    }
    if whole {
        target.key.clone_from(&step.key);
    }
    new.extend_from_slice(rest);
    Some(new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::{
        InstanceRecord, ProviderAddr, Value,
        address::{parse_address, parse_instance},
        state::ObjectStatus,
    };

    use super::*;

    /// Blocks by address without keys; everything else does not repeat.
    struct Blocks<'a>(&'a [(&'a str, Repeats)]);

    impl Blocks<'_> {
        fn of(&self, name: &str) -> Repeats {
            self.0.iter().find(|(n, _)| *n == name).map_or(Repeats::No, |(_, r)| *r)
        }
    }

    impl Shape for Blocks<'_> {
        fn resource(&self, addr: &ResourceAddr) -> Option<Repeats> {
            Some(self.of(&addr.without_keys().to_string()))
        }

        fn call(&self, path: &ModulePath) -> Option<Repeats> {
            Some(self.of(&path.without_keys().to_string()))
        }
    }

    /// A state whose objects all depend on `t.a`.
    fn state(addrs: &[&str]) -> State {
        let record = InstanceRecord {
            provider: ProviderAddr::root("t"),
            schema_version: 0,
            attributes: Value::dynamic_null(),
            sensitive_paths: vec![],
            status: ObjectStatus::Ready,
            dependencies: vec![parse_instance("t.a").unwrap().resource],
            create_before_destroy: false,
            skip_destroy: false,
            private: None,
        };
        let instances = addrs.iter().map(|a| (RecordKey::current(parse_instance(a).unwrap()), record.clone()));
        State { instances: instances.collect(), ..State::default() }
    }

    /// `a -> b`, or `in m.n: a -> b` for a block in a module.
    fn parse(text: &str) -> Move {
        let (within, rest) = match text.strip_prefix("in ") {
            Some(rest) => rest.split_once(": ").unwrap(),
            None => ("", text),
        };
        let (from, to) = rest.split_once(" -> ").unwrap();
        Move {
            within: within.split('.').filter(|n| !n.is_empty()).map(Arc::from).collect(),
            from: parse_address(from).unwrap(),
            to: parse_address(to).unwrap(),
        }
    }

    fn check(addrs: &[&str], moves: &[&str], blocks: &[(&str, Repeats)]) -> String {
        let mut state = state(addrs);
        let moves: Vec<Move> = moves.iter().map(|m| parse(m)).collect();
        let moved = move_objects(&mut state, &moves, &Blocks(blocks));
        let mut shown: Vec<String> = state.instances.keys().map(|k| k.addr.to_string()).collect();
        shown.extend(moved.blocked.iter().map(|(at, to)| format!("{at} blocked from {to}")));
        shown.extend(moved.circular.iter().map(|at| format!("{at} in a circle")));
        shown.join(" ")
    }

    #[test]
    fn circles_are_seen_without_objects() {
        for (moves, expected) in [
            (&["t.a -> t.b", "t.b -> t.c"][..], &[][..]),
            (&["t.a -> t.b", "t.b -> t.a"], &[0, 1]),
            (&["t.a -> t.b", "t.b -> t.c", "t.c -> t.b"], &[0, 1, 2]),
            (&["t.a[0] -> t.a[1]", "t.a[1] -> t.a[0]"], &[0, 1]),
            (&["module.a -> module.b", "module.b -> module.a", "t.x -> t.y"], &[0, 1]),
            (&["in m: t.a -> t.b", "in m: t.b -> t.a"], &[0, 1]),
            (&["module.a -> module.b", "in b: t.a -> t.b"], &[]),
        ] {
            let parsed: Vec<Move> = moves.iter().map(|m| parse(m)).collect();
            assert_eq!(circles(&parsed, &Blocks(&[])), expected, "{moves:?}");
        }
    }

    #[test]
    fn objects_follow_what_is_said_of_them() {
        use Repeats::{Count, ForEach};
        type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a [(&'a str, Repeats)], &'a str);
        let rows: &[Row<'_>] = &[
            (&["t.a"], &["t.a -> t.b"], &[], "t.b"),
            (&["t.a"], &["t.x -> t.b"], &[], "t.a"),
            (&["t.a[0]", "t.a[1]"], &["t.a -> t.b"], &[("t.b", Count)], "t.b[0] t.b[1]"),
            (&["t.a", "t.a[1]"], &["t.a -> t.b[\"k\"]"], &[("t.b", ForEach)], "t.a[1] t.b[\"k\"]"),
            (&["t.a[0]"], &["t.a[0] -> t.a[\"k\"]"], &[("t.a", ForEach)], "t.a[\"k\"]"),
            (&["t.a"], &["t.a -> module.m.t.a"], &[], "module.m.t.a"),
            (&["module.m.t.a"], &["module.m.t.a -> t.a"], &[], "t.a"),
            // Chains, and of two objects in one the later one has its way.
            (&["t.a"], &["t.b -> t.c", "t.a -> t.b"], &[], "t.c"),
            (&["t.a", "t.b"], &["t.a -> t.b", "t.b -> t.c"], &[], "t.a t.c t.a blocked from t.c"),
            (&["t.a", "t.b"], &["t.a -> t.b"], &[], "t.a t.b t.a blocked from t.b"),
            (&["t.a"], &["t.a -> t.b", "t.b -> t.a"], &[], "t.a t.a in a circle"),
            // Modules, with what is in them, and what is said inside.
            (&["module.m[0].t.a"], &["module.m -> module.k"], &[("module.k", Count)], "module.k[0].t.a"),
            (
                &["module.m.module.i.t.a"],
                &["module.m -> module.k[\"x\"]"],
                &[("module.k", ForEach)],
                "module.k[\"x\"].module.i.t.a",
            ),
            (&["module.m.t.a"], &["module.m -> module.k", "in k: t.a -> t.b"], &[], "module.k.t.b"),
            (
                &["module.m.t.a", "module.m.t.c"],
                &["module.m -> module.k", "module.m.t.a -> t.a"],
                &[],
                "t.a module.k.t.c",
            ),
            (&["module.m[1].t.a"], &["in m: t.a -> t.b"], &[("module.m", Count)], "module.m[1].t.b"),
            (&["module.m.t.a"], &["module.m -> module.m.module.m"], &[], "module.m.t.a module.m.t.a in a circle"),
            // Nobody has to say that the one object is the first of several.
            (&["t.a"], &[], &[("t.a", Count)], "t.a[0]"),
            (&["t.a[0]", "t.a[1]"], &[], &[], "t.a t.a[1]"),
            (&["t.a[0]"], &[], &[("t.a", ForEach)], "t.a[0]"),
            (&["t.a"], &["t.a -> t.a[1]"], &[("t.a", Count)], "t.a[1]"),
            (&["module.m.t.a"], &[], &[("module.m", Count), ("module.m.t.a", Count)], "module.m[0].t.a[0]"),
            (&["module.m[0].t.a"], &[], &[], "module.m.t.a"),
        ];
        for (addrs, moves, blocks, expected) in rows {
            assert_eq!(check(addrs, moves, blocks), *expected, "{addrs:?} {moves:?}");
        }
    }

    #[test]
    fn dependencies_follow_and_old_addresses_are_known() {
        let mut state = state(&["t.a[0]", "t.a[1]", "t.z"]);
        let moves = [parse("t.a[0] -> t.b"), parse("t.a[1] -> t.c")];
        let moved = move_objects(&mut state, &moves, &Blocks(&[]));
        let z = state.current(&parse_instance("t.z").unwrap()).unwrap();
        assert_eq!(z.dependencies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["t.b", "t.c"]);
        assert_eq!(moved.previous[&parse_instance("t.b").unwrap()].to_string(), "t.a[0]");
    }
}
