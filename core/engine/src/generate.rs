//! Configuration for objects that `import` blocks name and that have no block yet.
//!
//! The text says what the object is, as far as a person would say it: nothing that only the provider sets, no defaults, nothing
//! that is deprecated, and of arguments that exclude each other one.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use sgp_contract::ResourceType;
use sgp_lang::{Evaluator, write};
use sgp_model::{
    Attribute, Block, Diagnostic, Diagnostics, InstanceAddr, NestedBlock, PathStep, ProviderAddr, Value,
    plan::Action,
    schema::{Nesting, Presence},
};
use sgp_plan::judge;

use crate::{
    Session,
    blocks::resource_block,
    clients::{self, ClientState, Clients},
    load_state, planner, reading, recover, typed,
    values::RecordedWorld,
    world::plan_object,
};

/// What was generated.
#[derive(Debug, Default)]
pub struct Generated {
    /// The blocks, in the order of their addresses; empty when every imported object has one.
    pub text: String,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// Reads the objects that `import` blocks of the root module name, that are not recorded and that have no `resource` block, and
/// writes their blocks.
pub async fn generate(session: &Session) -> Generated {
    match generated(session).await {
        Ok(found) => found,
        Err(diagnostics) => Generated { text: String::new(), diagnostics },
    }
}

async fn generated(session: &Session) -> Result<Generated, Diagnostics> {
    let mut diagnostics = recover::recover(session).await;
    let state = load_state(session).await?;
    let world = RecordedWorld::new(session.registry.clone(), &state);
    let inputs = session.inputs.clone();
    let (registry, files) = (session.registry.clone(), session.files.clone());
    let mut evaluator = Evaluator::new(session.config.clone(), inputs, registry, files, world);
    evaluator.variables();
    let imports = evaluator.imports();
    let missing = imports
        .into_iter()
        .filter(|(addr, _)| resource_block(&session.config, &addr.resource).is_none() && state.current(addr).is_none());
    let missing: BTreeMap<InstanceAddr, String> = missing.collect();
    let mut wanted = Vec::new();
    for (addr, id) in missing {
        match served_by(session, &addr) {
            Ok((ty, provider)) => wanted.push(Wanted { addr, id, ty, provider }),
            Err(problem) => diagnostics.push(problem.on(&addr)),
        }
    }
    let clients = configured(session, &mut evaluator, &wanted, &mut diagnostics).await;
    diagnostics.extend(evaluator.take_diagnostics());
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let mut interrupt = session.interrupt.clone();
    let read = wanted.iter().map(|it| async {
        let client = clients.0.get(&it.provider).cloned().unwrap_or(ClientState::Failed);
        let nothing = it.ty.schema().block.empty();
        let record = reading::read_one(session, &client, &it.addr, &it.provider, &it.id, &nothing).await?;
        Ok(it.text(&record.attributes, &client.config().unmark_deep().0))
    });
    let read: Vec<Result<String, Diagnostic>> = tokio::select! {
        read = join_all(read) => read,
        () = planner::interrupted(&mut interrupt) => {
            return Err(Diagnostic::error("Import interrupted", "Nothing was changed.").into());
        }
    };
    let mut texts = Vec::new();
    for text in read {
        match text {
            Ok(text) => texts.push(text),
            Err(problem) => diagnostics.push(problem),
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(Generated { text: texts.join("\n"), diagnostics })
}

/// The type of an object and the provider configuration that reads it.
fn served_by(session: &Session, addr: &InstanceAddr) -> Result<(&'static dyn ResourceType, ProviderAddr), Diagnostic> {
    let refused = |detail: String| Err(Diagnostic::error("Configuration cannot be generated", detail));
    if !addr.resource.module.is_root() {
        return refused(format!("{addr} is in a module, whose files are not sgp's to extend: write its block there."));
    }
    if addr.key.is_some() {
        return refused(format!(
            "{addr} has a key, and what repeats cannot be told from one object: write the block with count or for_each."
        ));
    }
    let name = &*addr.resource.type_name;
    let provider = sgp_lang::Schemas::provider_for(&*session.registry, name);
    match (session.registry.resource_type(name), provider) {
        (Some(ty), Some(provider)) => Ok((ty, ProviderAddr::root(provider))),
        _ => refused(format!("sgp has no resource type named {name:?}.")),
    }
}

async fn configured(
    session: &Session,
    evaluator: &mut Evaluator<RecordedWorld>,
    wanted: &[Wanted],
    diagnostics: &mut Diagnostics,
) -> Clients {
    let named: BTreeSet<ProviderAddr> = wanted.iter().map(|it| it.provider.clone()).collect();
    let mut all = clients::behind(&session.config, &session.registry, &named);
    all.extend(named);
    let evaluated =
        all.into_iter().filter_map(|addr| Some((addr.clone(), evaluator.provider_config(&addr).ok()?))).collect();
    let mut clients = Clients::default();
    clients.configure(&session.registry, evaluated, diagnostics).await;
    clients
}

struct Wanted {
    addr: InstanceAddr,
    id: String,
    ty: &'static dyn ResourceType,
    provider: ProviderAddr,
}

impl Wanted {
    fn text(&self, object: &Value, provider_config: &Value) -> String {
        let block = &self.ty.schema().block;
        let object = typed::known_part(object);
        let (config, notes) = arguments(self.ty, &object, provider_config);
        let resource = &self.addr.resource;
        let text = write::resource(&resource.type_name, &resource.name, block, &config, &notes);
        format!("# Generated by sgp from {:?}.\n{text}", self.id)
    }
}

/// The arguments that make the object what it is, and those that somebody has to look at.
fn arguments(
    ty: &dyn ResourceType,
    object: &Value,
    provider_config: &Value,
) -> (Value, BTreeMap<&'static str, String>) {
    let block = &ty.schema().block;
    let mut notes = BTreeMap::new();
    let mut config = block_arguments(block, object);
    for (name, attribute) in block.attributes.iter().filter(|(_, a)| a.is_settable()) {
        let is_set = object.get(name).is_some_and(|value| !value.is_null());
        if attribute.sensitive && is_set {
            config = config.with_attr(name, Value::null(attribute.ty.clone()));
            notes.insert(*name, "sensitive: sgp writes no secrets into files".to_owned());
        } else if attribute.presence == Presence::Required && !is_set {
            notes.insert(*name, "required, but AWS and Kubernetes do not tell it".to_owned());
        }
    }
    let config = without_conflicts(ty, config);
    (without_needless(ty, object, config, provider_config), notes)
}

fn block_arguments(block: &Block, object: &Value) -> Value {
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        let value = object.get(name).filter(|value| is_said(attribute, value)).cloned();
        (*name, value.unwrap_or_else(|| Value::null(attribute.ty.clone())))
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let value = object.get(name).filter(|value| !value.is_null() && !nested.computed);
        (*name, value.map_or_else(|| nested.empty(), |value| nested_arguments(nested, value)))
    });
    Value::object(attributes.chain(blocks))
}

/// Whether a person would say it.
fn is_said(attribute: &Attribute, value: &Value) -> bool {
    let must = attribute.presence == Presence::Required;
    attribute.is_settable()
        && !attribute.write_only
        && !value.is_null()
        && (must || attribute.deprecated.is_none())
        && (must || attribute.default.as_ref() != Some(value))
}

fn nested_arguments(nested: &NestedBlock, value: &Value) -> Value {
    let inner = nested.block.ty();
    let one = |content: &Value| block_arguments(&nested.block, content);
    let elements = || value.elements().into_iter().flatten().map(one);
    match nested.nesting {
        Nesting::Single => one(value),
        Nesting::List => Value::list(inner, elements().collect()),
        Nesting::Set => Value::set(inner, elements()),
        Nesting::Map => {
            let fields = value.as_fields().into_iter().flatten();
            Value::map(inner, fields.map(|(key, content)| (key.clone(), one(content))))
        }
    }
}

/// Leaves out arguments until the type has nothing against those that are left.
fn without_conflicts(ty: &dyn ResourceType, mut config: Value) -> Value {
    let errors = |config: &Value| ty.validate(config).into_iter().filter(Diagnostic::is_error).collect::<Vec<_>>();
    loop {
        let problems = errors(&config);
        if problems.is_empty() {
            return config;
        }
        let named = problems.iter().filter_map(|d| match d.attribute.as_ref()?.0.first()? {
            PathStep::Attr(name) => Some(name.to_string()),
            _ => None,
        });
        let named: Vec<String> = named.collect();
        // What the provider would set by itself goes first, then what the errors are about.
        let mut candidates = may_be_left_out(&ty.schema().block, &config);
        candidates.sort_by_key(|(name, computed)| (!computed, !named.iter().any(|n| n == name)));
        let fewer = candidates.into_iter().map(|(name, _)| without(&ty.schema().block, &config, name));
        match fewer.into_iter().find(|config| errors(config).len() < problems.len()) {
            Some(better) => config = better,
            None => return config,
        }
    }
}

/// Arguments that are set and need not be, and whether the provider decides them otherwise.
fn may_be_left_out(block: &Block, config: &Value) -> Vec<(&'static str, bool)> {
    let is_set = |name: &str| config.get(name).is_some_and(|value| !value.is_null());
    let optional = block.attributes.iter().filter(|(name, a)| a.presence != Presence::Required && is_set(name));
    optional.map(|(name, a)| (*name, a.is_computed())).collect()
}

fn without(block: &Block, config: &Value, name: &str) -> Value {
    config.with_attr(name, Value::null(block.attributes[name].ty.clone()))
}

/// Leaves out empty collections and texts that nothing depends on.
fn without_needless(ty: &dyn ResourceType, object: &Value, mut config: Value, provider_config: &Value) -> Value {
    let block = &ty.schema().block;
    let changes = |config: &Value| match plan_object(ty, object, config, provider_config, None) {
        Ok(planned) => judge(block, object, &planned.object, &planned.requires_replace).action != Action::NoOp,
        Err(_) => true,
    };
    if changes(&config) {
        return config;
    }
    for (name, _) in may_be_left_out(block, &config) {
        let empty = config.get(name).is_some_and(|value| {
            value.as_str().is_some_and(str::is_empty)
                || value.as_fields().is_some_and(BTreeMap::is_empty)
                || value.elements().is_some_and(|elements| elements.is_empty())
        });
        let fewer = without(block, &config, name);
        if empty && !changes(&fewer) {
            config = fewer;
        }
    }
    config
}
