//! `moved` and `removed` blocks: recorded objects under the addresses that the configuration gives them, and objects that
//! it lets go.

use std::{collections::BTreeMap, sync::Arc};

use sgp_lang::{
    Schemas as _,
    config::{Config, Module},
};
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, ModulePath, ProviderAddr, ResourceAddr, Span, State, address::ParsedAddr,
};
use sgp_plan::moves::{Move, Repeats, Shape, circles, move_objects};

use crate::{
    Registry,
    blocks::{module_block, resource_block},
};

/// Gives the objects of the state their new addresses; answers the old one of each that has a new one.
pub(crate) fn moved(
    config: &Config,
    registry: &Registry,
    state: &mut State,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<InstanceAddr, InstanceAddr> {
    let (mut moves, mut spans) = (Vec::new(), Vec::new());
    each_module(&config.root, &mut Vec::new(), &mut |within, module| {
        for block in &module.moved {
            if let Some(what) = still_there(module, &block.from, Some(&block.to)) {
                diagnostics.push(still_exists("Moved object still exists", &what, "moved", &block.span));
            }
            if let Some(why) = of_another_type(registry, &block.from, &block.to) {
                diagnostics.push(Diagnostic::error("Invalid moved block", why).at(block.span.clone()));
            }
            spans.push(block.span.clone());
            moves.push(Move { within: within.to_vec(), from: block.from.clone(), to: block.to.clone() });
        }
    });
    for at in circles(&moves, &Blocks(config)) {
        let detail = "The moved blocks lead back to where this one begins, so that what was there has no place. Take one of them away.";
        diagnostics.push(Diagnostic::error("Moved blocks in a circle", detail).at(spans[at].clone()));
    }
    if diagnostics.has_errors() {
        return BTreeMap::new();
    }
    let moved = move_objects(state, &moves, &Blocks(config));
    for (at, wanted) in &moved.blocked {
        let detail = format!(
            "{at} should have moved to {wanted}, but the state holds an object there already. It is treated as one that is \
             not in the configuration any more. To keep it, give it another address with `sgp state mv`."
        );
        diagnostics.push(Diagnostic::warning("Object could not move", detail).on(at));
    }
    for at in &moved.circular {
        let detail =
            format!("The moved blocks lead {at} round in a circle, so it has no place. Take one of them away.");
        diagnostics.push(Diagnostic::error("Moved blocks in a circle", detail).on(at));
    }
    for (to, from) in moved.previous.iter().filter(|(to, from)| to.resource.type_name != from.resource.type_name) {
        take_over(registry, state, from, to);
    }
    moved.previous
}

/// Why an object cannot get another type by moving.
fn of_another_type(registry: &Registry, from: &ParsedAddr, to: &ParsedAddr) -> Option<String> {
    let type_of = |addr: &ParsedAddr| match addr {
        ParsedAddr::Module(_) => None,
        ParsedAddr::Resource(r) => Some(r.type_name.clone()),
        ParsedAddr::Instance(i) => Some(i.resource.type_name.clone()),
    };
    let (from, to) = (type_of(from)?, type_of(to)?);
    let takes_over = || registry.resource_type(&to).is_some_and(|ty| ty.takes_over().contains(&&*from));
    (from != to && !takes_over()).then(|| {
        format!("{to} cannot take over what {from} made, so that an object cannot move from the one type to the other.")
    })
}

/// Objects that were of one type, as objects of another.
fn take_over(registry: &Registry, state: &mut State, from: &InstanceAddr, to: &InstanceAddr) {
    let name = &*to.resource.type_name;
    let (Some(ty), Some(provider)) = (registry.resource_type(name), registry.provider_for(name)) else { return };
    for (_, record) in state.instances.iter_mut().filter(|(key, _)| key.addr == *to) {
        // What is a secret stays one, under whatever name the type has for it.
        let marked = record.attributes.clone().mark_paths(&record.sensitive_paths);
        let taken = ty.take_over(&from.resource.type_name, &marked);
        record.sensitive_paths = taken.sensitive_paths();
        record.attributes = taken.unmark_deep().0;
        record.schema_version = ty.schema().version;
        record.provider = ProviderAddr::root(provider);
    }
}

/// What the `removed` blocks of a configuration let go.
#[derive(Debug, Default)]
pub(crate) struct Forgotten(Vec<(Vec<Arc<str>>, ParsedAddr, bool)>);

impl Forgotten {
    /// Reads the blocks; one about something that is still in the configuration is an error.
    pub(crate) fn of(config: &Config, diagnostics: &mut Diagnostics) -> Self {
        let mut found = Vec::new();
        each_module(&config.root, &mut Vec::new(), &mut |within, module| {
            for block in &module.removed {
                if let Some(what) = still_there(module, &block.from, None) {
                    diagnostics.push(still_exists("Removed object still exists", &what, "removed", &block.span));
                }
                found.push((within.to_vec(), block.from.clone(), block.destroy));
            }
        });
        Self(found)
    }

    /// Whether an object that is not in the configuration is to stay in the world; `None` where no block speaks of it.
    pub(crate) fn holds(&self, addr: &InstanceAddr) -> Option<bool> {
        let speaks = |(within, from): (&Vec<Arc<str>>, &ParsedAddr)| {
            let (inner, resource) = match from {
                ParsedAddr::Module(path) => (path, None),
                ParsedAddr::Resource(r) => (&r.module, Some(r)),
                ParsedAddr::Instance(i) => (&i.resource.module, Some(&i.resource)),
            };
            let names: Vec<&Arc<str>> = within.iter().chain(inner.0.iter().map(|s| &s.name)).collect();
            let mine: Vec<&Arc<str>> = addr.resource.module.0.iter().map(|s| &s.name).collect();
            match resource {
                None => mine.starts_with(&names),
                Some(r) => mine == names && (&r.type_name, &r.name) == (&addr.resource.type_name, &addr.resource.name),
            }
        };
        let decided = self.0.iter().filter(|(within, from, _)| speaks((within, from)));
        decided.map(|(_, _, destroy)| !destroy).reduce(|a, b| a || b)
    }
}

/// Calls back with every module of the configuration and the names of the calls that lead to it.
fn each_module(module: &Module, within: &mut Vec<Arc<str>>, then: &mut dyn FnMut(&[Arc<str>], &Module)) {
    then(within, module);
    for call in module.calls.values() {
        within.push(call.name.clone());
        each_module(&call.module, within, then);
        within.pop();
    }
}

/// The address when the module still has the block that it names. A block that only gave its object a key may stay.
fn still_there(module: &Module, from: &ParsedAddr, to: Option<&ParsedAddr>) -> Option<String> {
    let there = match from {
        // Whether one key is still there is told by the plan, which then makes a new object at it.
        ParsedAddr::Instance(_) => false,
        ParsedAddr::Resource(r) => {
            let same = matches!(to, Some(ParsedAddr::Instance(to)) if to.resource == *r);
            let found = || resource_in(module, r).is_some_and(|repeats| repeats == Repeats::No || key_free(to));
            !same && found()
        }
        ParsedAddr::Module(path) => {
            let last = path.0.last()?;
            let same = matches!(to, Some(ParsedAddr::Module(to)) if to.without_keys() == path.without_keys());
            last.key.is_none()
                && !same
                && path
                    .parent()
                    .and_then(|o| module_block(module, &o))
                    .is_some_and(|m| m.calls.contains_key(&last.name))
        }
    };
    there.then(|| match from {
        ParsedAddr::Module(path) => path.to_string(),
        ParsedAddr::Resource(r) => r.to_string(),
        ParsedAddr::Instance(i) => i.to_string(),
    })
}

/// Whether a move is about whole resources, with all their keys.
fn key_free(to: Option<&ParsedAddr>) -> bool {
    !matches!(to, Some(ParsedAddr::Instance(_)))
}

fn resource_in(module: &Module, addr: &ResourceAddr) -> Option<Repeats> {
    let block = module_block(module, &addr.module)?.resource(addr.mode, &addr.type_name, &addr.name)?.clone();
    Some(repeats(block.count.is_some(), block.for_each.is_some()))
}

fn still_exists(summary: &str, what: &str, block: &str, span: &Span) -> Diagnostic {
    let detail = format!(
        "A {block} block says that {what} is not there any more, but the configuration still declares it. Take away the \
         declaration, or the {block} block."
    );
    Diagnostic::error(summary, detail).at(span.clone())
}

fn repeats(count: bool, for_each: bool) -> Repeats {
    match (count, for_each) {
        (true, _) => Repeats::Count,
        (_, true) => Repeats::ForEach,
        _ => Repeats::No,
    }
}

struct Blocks<'a>(&'a Config);

impl Shape for Blocks<'_> {
    fn resource(&self, addr: &ResourceAddr) -> Option<Repeats> {
        let block = resource_block(self.0, addr)?;
        Some(repeats(block.count.is_some(), block.for_each.is_some()))
    }

    fn call(&self, path: &ModulePath) -> Option<Repeats> {
        let outer = module_block(&self.0.root, &path.parent()?)?;
        let call = outer.calls.get(&path.0.last()?.name)?;
        Some(repeats(call.count.is_some(), call.for_each.is_some()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::{
        AttrPath, InstanceRecord, PathStep, Type, Value,
        address::parse_instance,
        state::{ObjectStatus, RecordKey},
    };

    use super::*;

    #[test]
    fn a_secret_of_what_is_taken_over_stays_one() {
        let triggers = Value::map(Type::String, [("password", Value::from("hunter2"))]);
        let record = InstanceRecord {
            provider: ProviderAddr::root("null"),
            schema_version: 0,
            attributes: Value::object([("id", "1".into()), ("triggers", triggers)]),
            sensitive_paths: vec![AttrPath::attr("triggers").with(PathStep::Key("password".into()))],
            status: ObjectStatus::Ready,
            dependencies: Vec::new(),
            create_before_destroy: false,
            skip_destroy: false,
            private: None,
        };
        let (from, to) = (parse_instance("null_resource.a").unwrap(), parse_instance("terraform_data.a").unwrap());
        let mut state = State::default();
        state.instances.insert(RecordKey::current(to.clone()), record);
        take_over(&Registry::new(Vec::new()), &mut state, &from, &to);
        let taken = state.current(&to).unwrap();
        assert_eq!(taken.provider, ProviderAddr::root("terraform"));
        let path = AttrPath::attr("triggers_replace").with(PathStep::Key("password".into()));
        assert_eq!(taken.sensitive_paths, [path]);
        assert!(taken.attributes.deep_marks().is_empty(), "the state has marks as paths");
    }
}
