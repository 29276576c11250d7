//! Provider configurations: which one a resource belongs to, and its arguments.

use std::sync::Arc;

use sgp_model::{
    Diagnostic, InstanceAddr, InstanceKey, Marks, ProviderAddr, ResourceAddr, Span, Type, Value, convert::convert,
};

use super::{CellKey, Env, Eval, Evaluator, Instances, ModuleInfo, Repetition, Stop, Stored, World};
use crate::{
    config::{Module, ProviderBlock, ResourceBlock},
    suggest::{did_you_mean, list},
    syntax::{Body, Expr},
};

/// Where the block of a provider configuration is, and what chooses among the configurations that it makes.
struct Located {
    /// Without a key.
    addr: ProviderAddr,
    /// The block and the module that it stands in; none for a default configuration that nobody wrote.
    block: Option<(Arc<ModuleInfo>, Arc<ProviderBlock>)>,
    key: Option<(Expr, Chooser)>,
}

/// What the key of a provider reference is evaluated in.
enum Chooser {
    /// Where the resource itself stands.
    Resource,
    /// Where this module instance is called.
    CallOf(Arc<ModuleInfo>),
}

impl<W: World> Evaluator<W> {
    /// The provider configuration that an instance belongs to. For one that is not in the configuration, or names a provider
    /// that is not, the default one of its type in the root module.
    pub fn provider_of(&mut self, addr: &InstanceAddr) -> ProviderAddr {
        self.declared_provider_of(addr).unwrap_or_else(|| {
            let type_name = &addr.resource.type_name;
            let name = self.schemas.provider_for(type_name).map_or_else(|| prefix(type_name), Arc::from);
            ProviderAddr::root(name)
        })
    }

    /// The provider configuration that the block of an instance asks for; `None` when there is no such block, its module
    /// instance is not known yet, or it asks for one that does not exist or cannot be told yet.
    pub fn declared_provider_of(&mut self, addr: &InstanceAddr) -> Option<ProviderAddr> {
        let (info, block) = self.known_block(&addr.resource)?;
        let located = self.locate_provider(&info, &block).ok()?;
        if located.key.is_none() {
            return self.choose(located, &Env::new(&info, &Repetition::None)).ok();
        }
        let instances = self.resource_instances(&info, &block).ok().filter(|it| it.has(addr.key.as_ref()))?;
        let repetition = Repetition::of(&instances, addr.key.as_ref());
        self.choose(located, &Env::new(&info, &repetition)).ok()
    }

    /// The provider configurations that the instances of a resource belong to, as far as they can be told.
    pub fn providers_of(&mut self, resource: &ResourceAddr) -> Vec<ProviderAddr> {
        let located = self.known_block(resource).and_then(|(info, block)| self.locate_provider(&info, &block).ok());
        if located.is_none_or(|it| it.key.is_none()) {
            return vec![self.provider_of(&resource.instance(None))];
        }
        let keys = self.instances(resource).unwrap_or_default();
        keys.into_iter().filter_map(|key| self.declared_provider_of(&resource.instance(key))).collect()
    }

    fn known_block(&self, resource: &ResourceAddr) -> Option<(Arc<ModuleInfo>, Arc<ResourceBlock>)> {
        let info = self.modules.get(&resource.module)?;
        let block = info.config.resource(resource.mode, &resource.type_name, &resource.name)?;
        Some((info.clone(), block.clone()))
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
            let declared = info.config.provider(&wanted.name, wanted.alias_and_key().0).cloned();
            let Some(schema) = this.schemas.provider_config(&wanted.name) else {
                let at = declared.map(|block| block.span.clone());
                return Err(unknown_provider(&wanted.name, at, &this.schemas.provider_names()).into());
            };
            // Only the default configuration of the root module may go without a block.
            if declared.is_none() && (wanted.alias.is_some() || !wanted.module.is_root()) {
                return Err(gone(&wanted).into());
            }
            let repetition = match &declared {
                Some(block) => this.provider_repetition(&info, block, &wanted)?,
                None => Repetition::None,
            };
            let (body, header) = declared.map_or_else(absent, |block| (block.body.clone(), block.span.clone()));
            this.decode(&body, schema, &header, &Env::new(&info, &repetition))
        });
        self.settle(result)
    }

    /// `each` in the block of a provider configuration.
    fn provider_repetition(
        &mut self,
        info: &Arc<ModuleInfo>,
        block: &Arc<ProviderBlock>,
        wanted: &ProviderAddr,
    ) -> Eval<Repetition> {
        let (_, key) = wanted.alias_and_key();
        let Some(for_each) = &block.for_each else {
            return if key.is_none() { Ok(Repetition::None) } else { Err(gone(wanted).into()) };
        };
        let instances = self.provider_instances(info, block)?;
        match key {
            Some(key) if !instances.has(Some(&key)) => Err(key_gone(wanted, &key).at(for_each.span.clone()).into()),
            None if !self.inputs.validating => Err(gone(wanted).into()),
            key => Ok(Repetition::of(&instances, key.as_ref())),
        }
    }

    /// Which configurations a provider block with `for_each` makes.
    pub(super) fn provider_instances(
        &mut self,
        info: &Arc<ModuleInfo>,
        block: &Arc<ProviderBlock>,
    ) -> Eval<Arc<Instances>> {
        let Some(for_each) = block.for_each.clone() else { return Ok(Arc::new(Instances::Single)) };
        let key = CellKey::ProviderExpansion(address(info, block));
        let info = info.clone();
        let stored = self.cell(key, move |this, _| {
            this.touch_expansion(&info);
            let env = Env::new(&info, &Repetition::None);
            let instances = this.for_each(&for_each, &env)?;
            if matches!(instances, Instances::Open { .. }) && !this.inputs.validating {
                let detail = "The for_each of a provider block must be known before anything is planned, because every object is read and planned with one of its configurations; this one depends on something that is known only after apply. Use values that are set in the configuration or in variables.";
                return Err(this.error(Diagnostic::error("Invalid for_each argument", detail), &for_each, &env));
            }
            Ok(Stored::Instances(Arc::new(instances)))
        })?;
        match stored {
            Stored::Instances(instances) => Ok(instances),
            Stored::Value(_) | Stored::Nothing => unreachable!("expansions hold instances"),
        }
    }

    /// The provider configuration that an instance of a block belongs to.
    pub(super) fn resolve_provider(&mut self, block: &ResourceBlock, env: &Env<'_>) -> Eval<ProviderAddr> {
        let located = self.locate_provider(env.module, block)?;
        self.choose(located, env)
    }

    fn locate_provider(&self, info: &Arc<ModuleInfo>, block: &ResourceBlock) -> Eval<Located> {
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
        let key = block.provider.as_ref().and_then(|p| p.key.clone()).map(|key| (key, Chooser::Resource));
        Self::find_provider(info, &name, alias.as_ref(), key).unwrap_or_else(|| {
            let advice = if info.path.is_root() {
                DECLARE
            } else {
                "Declare it in the module, or pass it with the providers argument of the module block."
            };
            Err(no_provider(&info.config, &name, alias.as_deref(), advice).at(span).into())
        })
    }

    /// Looks for a configuration in the module, then for what the call passes, then (without an alias) outside.
    fn find_provider(
        info: &Arc<ModuleInfo>,
        name: &Arc<str>,
        alias: Option<&Arc<str>>,
        key: Option<(Expr, Chooser)>,
    ) -> Option<Eval<Located>> {
        if let Some(block) = info.config.provider(name, alias.map(|a| &**a)) {
            return Some(Ok(Located { addr: address(info, block), block: Some((info.clone(), block.clone())), key }));
        }
        let Some(outer) = &info.outer else {
            let default = || Ok(Located { addr: ProviderAddr::root(name.clone()), block: None, key });
            return alias.is_none().then(default);
        };
        let passed = outer
            .call
            .providers
            .iter()
            .find(|(inside, _)| info.config.provider_name(&inside.name) == *name && inside.alias.as_ref() == alias);
        match passed {
            Some((_, outside)) => {
                let name = outer.module.config.provider_name(&outside.name);
                let key = match (key, &outside.key) {
                    (Some((inner, _)), Some(_)) => {
                        let detail = "The module block passes one configuration already, so the module does not choose another one. Remove the key here, or pass the configurations to the module by names of their own.";
                        return Some(Err(Diagnostic::error("Invalid provider reference", detail)
                            .at(inner.span)
                            .into()));
                    }
                    (None, Some(chosen)) => Some((chosen.clone(), Chooser::CallOf(info.clone()))),
                    (key, None) => key,
                };
                Self::find_provider(&outer.module, &name, outside.alias.as_ref(), key)
            }
            None if alias.is_none() => Self::find_provider(&outer.module, name, None, key),
            None => None,
        }
    }

    /// One of the configurations that a block makes.
    fn choose(&mut self, located: Located, env: &Env<'_>) -> Eval<ProviderAddr> {
        let Located { addr, block, key } = located;
        let repeated = block.filter(|(_, block)| block.for_each.is_some());
        let refused = |detail: String| Diagnostic::error("Invalid provider reference", detail);
        let (info, block, expr, chooser) = match (repeated, key) {
            (None, None) => return Ok(addr),
            (None, Some((key, _))) => {
                let detail =
                    format!("{addr} is one configuration: its block has no for_each, so there is no key to choose by.");
                return Err(refused(detail).at(key.span).into());
            }
            (Some((_, block)), None) => {
                let detail = format!(
                    "The block of {addr} makes one configuration for each element of its for_each, so one of them must be chosen where it is used: provider = {}.{}[each.key].",
                    addr.name,
                    addr.alias.as_deref().unwrap_or_default()
                );
                return Err(refused(detail).at(block.span.clone()).into());
            }
            (Some((info, block)), Some((expr, chooser))) => (info, block, expr, chooser),
        };
        let value = match &chooser {
            Chooser::Resource => self.value(&expr, env),
            Chooser::CallOf(child) => {
                let outer = child.outer.as_ref().expect("what is passed is passed by a call");
                self.value(&expr, &Env::new(&outer.module, &outer.repetition))
            }
        }?;
        let instances = self.provider_instances(&info, &block)?;
        if self.inputs.validating {
            return Ok(addr);
        }
        match chosen(&value, &instances) {
            Ok(key) => Ok(addr.instance(&key)),
            Err(why) => Err(self.error(refused(why), &expr, env)),
        }
    }
}

/// The key that a value means among the configurations of a block, or why it means none.
fn chosen(value: &Value, instances: &Instances) -> Result<InstanceKey, String> {
    if value.marks().contains(Marks::SENSITIVE) {
        return Err("The key of a provider configuration is sensitive, but it stands in plans and in the state. Use nonsensitive(...) if it is no secret.".into());
    }
    if !value.is_known() {
        return Err("The key of a provider configuration must be known when the object is planned, and this one is known only after apply.".into());
    }
    let text =
        convert(&value.clone().unmark().0, &Type::String).ok().and_then(|text| text.as_str().map(Arc::<str>::from));
    let Some(text) = text else {
        return Err(format!(
            "The key of a provider configuration is text, as in the map or set of its for_each; this is {}.",
            value.ty().with_article()
        ));
    };
    let key = InstanceKey::Str(text.clone());
    if instances.has(Some(&key)) {
        return Ok(key);
    }
    let keys: Vec<String> = instances
        .keys()
        .into_iter()
        .flatten()
        .map(|key| match key {
            InstanceKey::Str(text) => text.to_string(),
            other => other.to_string(),
        })
        .collect();
    let hint = did_you_mean(&text, keys.iter().map(String::as_str));
    let all = match keys.len() {
        0 => " Its for_each is empty.".to_owned(),
        1..=12 => format!(" The keys of its for_each are: {}.", list(keys.iter().map(String::as_str))),
        _ => String::new(),
    };
    Err(format!("There is no provider configuration with the key {text:?}.{hint}{all}"))
}

/// The address of what a block makes, without a key.
pub(super) fn address(info: &ModuleInfo, block: &ProviderBlock) -> ProviderAddr {
    ProviderAddr { module: info.path.clone(), name: block.name.clone(), alias: block.alias.clone() }
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

/// The error about one of several configurations that only the state still knows.
fn key_gone(addr: &ProviderAddr, key: &InstanceKey) -> Diagnostic {
    Diagnostic::error(
        "Provider configuration not present",
        format!(
            "The state holds objects that were made with {addr}, which is needed to read and delete them, but its for_each has no \
             key {} any more. Put the key back and take it out of the for_each of the resources first; once an apply has deleted \
             the objects, it can leave the provider, too. Or take them out of the state with `sgp state rm`.",
            key.to_string().trim_start_matches('[').trim_end_matches(']')
        ),
    )
}
