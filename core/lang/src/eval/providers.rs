//! Provider configurations: which one a resource belongs to, and its arguments.

use std::sync::Arc;

use sgp_model::{Diagnostic, ProviderAddr, ResourceAddr, Span, Value};

use super::{CellKey, Env, Eval, Evaluator, ModuleInfo, Repetition, Stop, World};
use crate::{
    config::{Module, ResourceBlock},
    suggest::{did_you_mean, list},
    syntax::Body,
};

impl<W: World> Evaluator<W> {
    /// The provider configuration that a resource belongs to. For a resource that is not in the configuration, or names a
    /// provider that is not, the default one of its type in the root module.
    pub fn provider_of(&self, resource: &ResourceAddr) -> ProviderAddr {
        let fallback = || {
            let name =
                self.schemas.provider_for(&resource.type_name).map_or_else(|| prefix(&resource.type_name), Arc::from);
            ProviderAddr::root(name)
        };
        self.declared_provider_of(resource).unwrap_or_else(fallback)
    }

    /// The provider configuration that the block of a resource asks for; `None` when there is no such block, its module
    /// instance is not known yet, or it asks for one that does not exist.
    pub fn declared_provider_of(&self, resource: &ResourceAddr) -> Option<ProviderAddr> {
        let info = self.modules.get(&resource.module)?;
        let block = info.config.resource(resource.mode, &resource.type_name, &resource.name)?;
        self.resolve_provider(info, block).ok()
    }

    /// The arguments of a provider configuration, in the type of its schema. Without a block everything is null.
    ///
    /// # Errors
    /// When they cannot be told yet or at all.
    pub fn provider_config(&mut self, addr: &ProviderAddr) -> Result<Value, Stop> {
        let wanted = addr.clone();
        let result = self.value_cell(CellKey::Provider(addr.clone()), move |this, _| {
            let called = |module: &Arc<Module>, name: &Arc<str>| module.calls.get(name).map(|call| call.module.clone());
            let root = this.config.root.clone();
            if wanted.module.0.iter().try_fold(root, |module, step| called(&module, &step.name)).is_none() {
                return Err(gone(&wanted).into());
            }
            let info = this.module(&wanted.module)?;
            let Some(schema) = this.schemas.provider_config(&wanted.name) else {
                let at = info.config.provider(&wanted.name, wanted.alias.as_deref()).map(|p| p.span.clone());
                return Err(unknown_provider(&wanted.name, at, &this.schemas.provider_names()).into());
            };
            let env = Env::new(&info, &Repetition::None);
            let declared = info.config.provider(&wanted.name, wanted.alias.as_deref()).cloned();
            // Only the default configuration of the root module may go without a block.
            if declared.is_none() && (wanted.alias.is_some() || !wanted.module.is_root()) {
                return Err(gone(&wanted).into());
            }
            let (body, header) = declared.map_or_else(absent, |block| (block.body.clone(), block.span.clone()));
            this.decode(&body, schema, &header, &env)
        });
        self.settle(result)
    }

    pub(super) fn resolve_provider(&self, info: &Arc<ModuleInfo>, block: &ResourceBlock) -> Eval<ProviderAddr> {
        let implied =
            || self.schemas.provider_for(&block.type_name).map_or_else(|| prefix(&block.type_name), Arc::from);
        let (name, alias, span) = block.provider.as_ref().map_or_else(
            || (implied(), None, block.type_span.clone()),
            |p| (info.config.provider_name(&p.name), p.alias.clone(), p.span.clone()),
        );
        if let Some(own) = self.schemas.provider_for(&block.type_name).filter(|own| **own != *name) {
            return Err(Diagnostic::error(
                "Invalid resource provider",
                format!("{} belongs to the provider {own:?}, not to {:?}.", block.type_name, &*name),
            )
            .at(span)
            .into());
        }
        Self::find_provider(info, &name, alias.as_ref()).ok_or_else(|| {
            let advice = if info.path.is_root() {
                DECLARE
            } else {
                "Declare it in the module, or pass it with the providers argument of the module block."
            };
            no_provider(&info.config, &name, alias.as_deref(), advice).at(span).into()
        })
    }

    /// Looks for a configuration in the module, then for what the call passes, then (without an alias) outside.
    fn find_provider(info: &Arc<ModuleInfo>, name: &Arc<str>, alias: Option<&Arc<str>>) -> Option<ProviderAddr> {
        if info.config.provider(name, alias.map(|a| &**a)).is_some() {
            return Some(ProviderAddr { module: info.path.clone(), name: name.clone(), alias: alias.cloned() });
        }
        let Some(outer) = &info.outer else { return alias.is_none().then(|| ProviderAddr::root(name.clone())) };
        let passed = outer
            .call
            .providers
            .iter()
            .find(|(inside, _)| info.config.provider_name(&inside.name) == *name && inside.alias.as_ref() == alias);
        match passed {
            Some((_, outside)) => {
                let name = outer.module.config.provider_name(&outside.name);
                Self::find_provider(&outer.module, &name, outside.alias.as_ref())
            }
            None if alias.is_none() => Self::find_provider(&outer.module, name, None),
            None => None,
        }
    }
}

/// What to do in the root module, where nothing is passed in.
pub(super) const DECLARE: &str = "Declare it with a provider block that has this alias.";

/// A provider configuration that is not there.
pub(super) fn no_provider(module: &Module, name: &str, alias: Option<&str>, advice: &str) -> Diagnostic {
    let shown = |name: &str, alias: Option<&str>| alias.map_or_else(|| name.to_owned(), |a| format!("{name}.{a}"));
    let wanted = shown(name, alias);
    let declared: Vec<String> = module.providers.iter().map(|p| shown(&p.name, p.alias.as_deref())).collect();
    let hint = did_you_mean(&wanted, declared.iter().map(String::as_str));
    Diagnostic::error(
        "Provider configuration not present",
        format!("There is no provider configuration {wanted}.{hint} {advice}"),
    )
}

/// The body of a block that is not there.
fn absent() -> (Body, Span) {
    let span = Span::new("", 0..0);
    (Body::empty(span.clone()), span)
}

fn prefix(type_name: &str) -> Arc<str> {
    type_name.split('_').next().unwrap_or(type_name).into()
}

/// A provider that sgp does not have: with those that it has.
pub(super) fn unknown_provider(name: &str, at: Option<Span>, known: &[&'static str]) -> Diagnostic {
    let hint = did_you_mean(name, known.iter().copied());
    let d = Diagnostic::error(
        "Unknown provider",
        format!(
            "sgp has no provider named {name:?}.{hint} Its providers are built in: {}.",
            list(known.iter().copied())
        ),
    );
    match at {
        Some(span) => d.at(span),
        None => d,
    }
}

/// The error about a configuration that only the state still knows.
fn gone(addr: &ProviderAddr) -> Diagnostic {
    Diagnostic::error(
        "Provider configuration not present",
        format!(
            "The state holds objects that were made with {addr}, which is needed to read and delete them, but its provider \
             block is not in the configuration any more. Put the block back until an apply has deleted the objects, or take \
             them out of the state with `sgp state rm`."
        ),
    )
}
