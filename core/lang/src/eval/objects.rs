//! Resources and data sources: which instances there are, their configuration, and what they are.

use std::sync::Arc;

use sgp_model::{
    AttrPath, Block, Diagnostic, InstanceAddr, InstanceKey, Kind, Marks, Mode, PathStep, ProviderAddr, ResourceAddr,
    Schema, Value,
};

use super::{
    Answer, CellId, CellKey, Configured, DepsView, Env, Eval, Evaluator, Gather, Halt, Instances, ModuleInfo,
    Repetition, Stop, Stored, Triggered, World, conditions::Conditions, modules::collect, resource_addr,
};
use crate::{config::ResourceBlock, suggest::closest};

impl<W: World> Evaluator<W> {
    /// The keys of the instances of a resource.
    ///
    /// # Errors
    /// When `count` or `for_each` cannot be told yet or at all.
    pub fn instances(&mut self, resource: &ResourceAddr) -> Result<Vec<Option<InstanceKey>>, Stop> {
        let found = self.block(resource).and_then(|(info, block)| self.resource_instances(&info, &block));
        self.settle(found).map(|i| i.keys())
    }

    /// What an instance is: evaluates its configuration and asks the world.
    ///
    /// # Errors
    /// When it cannot be told yet or at all.
    pub fn object(&mut self, addr: &InstanceAddr) -> Result<Value, Stop> {
        let found =
            self.block(&addr.resource).and_then(|(info, block)| self.instance_of(&info, &block, addr.key.clone()));
        self.settle(found)
    }

    /// The configuration of an instance as it evaluates now, without asking the world what the instance is.
    ///
    /// # Errors
    /// When it cannot be told yet or at all.
    pub fn instance_config(&mut self, addr: &InstanceAddr) -> Result<Value, Stop> {
        let found = self.block(&addr.resource).and_then(|(info, block)| {
            let instances = self.resource_instances(&info, &block)?;
            if !instances.has(addr.key.as_ref()) {
                return Err(no_instance(addr));
            }
            let repetition = Repetition::of(&instances, addr.key.as_ref());
            let schema = self.schema_of(&block)?;
            self.decode(&block.body, schema, &block.span, &Env::new(&info, &repetition))
        });
        self.settle(found)
    }

    /// The configuration of an instance as [`Self::instance_config`] gives it, once its preconditions hold.
    ///
    /// # Errors
    /// When one of them fails, or when it cannot be told yet or at all.
    pub fn checked_config(&mut self, addr: &InstanceAddr) -> Result<Value, Stop> {
        let checked = self.block(&addr.resource).and_then(|(info, block)| {
            let instances = self.resource_instances(&info, &block)?;
            let repetition = Repetition::of(&instances, addr.key.as_ref());
            let env = Env::new(&info, &repetition);
            self.hold(&block.lifecycle.preconditions, Conditions::Precondition, &addr.into(), &env)
                .map_err(|halt| on(halt, addr))
        });
        self.settle(checked)?;
        self.instance_config(addr)
    }

    /// The block of a resource, and the module instance it stands in.
    pub(super) fn block(&mut self, addr: &ResourceAddr) -> Eval<(Arc<ModuleInfo>, Arc<ResourceBlock>)> {
        let info = self.module(&addr.module)?;
        match info.config.resource(addr.mode, &addr.type_name, &addr.name).cloned() {
            Some(block) => Ok((info, block)),
            None => {
                Err(Diagnostic::error("No such resource", format!("There is no {addr} in the configuration.")).into())
            }
        }
    }

    pub(super) fn resource_instances(
        &mut self,
        info: &Arc<ModuleInfo>,
        block: &Arc<ResourceBlock>,
    ) -> Eval<Arc<Instances>> {
        let key = CellKey::Expansion(resource_addr(&info.path, block));
        let (info, block) = (info.clone(), block.clone());
        let stored = self.cell(key, move |this, _| {
            this.touch_expansion(&info);
            let instances = match &block.lifecycle.enabled {
                Some(enabled) => this.enabled(enabled, &info)?,
                None => this.repeats(block.count.as_ref(), block.for_each.as_ref(), &info)?,
            };
            Ok(Stored::Instances(Arc::new(instances)))
        })?;
        match stored {
            Stored::Instances(instances) => Ok(instances),
            Stored::Value(_) | Stored::Nothing => unreachable!("expansions hold instances"),
        }
    }

    /// All instances of a resource, as a reference without an index sees them.
    pub(super) fn resource_value(&mut self, info: &Arc<ModuleInfo>, block: &Arc<ResourceBlock>) -> Eval {
        let key = CellKey::Resource(resource_addr(&info.path, block));
        let (info, block) = (info.clone(), block.clone());
        self.value_cell(key, move |this, _| {
            let instances = this.resource_instances(&info, &block)?;
            if matches!(*instances, Instances::Disabled) {
                return Ok(Value::null(this.schema_of(&block)?.ty()));
            }
            let mut gather = Gather::default();
            let mut values = Vec::new();
            for key in instances.keys() {
                if let Some(value) = gather.take(this.instance_of(&info, &block, key.clone())) {
                    values.push((key, value));
                }
            }
            gather.finish(collect(&instances, values))
        })
    }

    pub(super) fn instance_of(
        &mut self,
        info: &Arc<ModuleInfo>,
        block: &Arc<ResourceBlock>,
        key: Option<InstanceKey>,
    ) -> Eval {
        let addr = resource_addr(&info.path, block).instance(key);
        if (self.inputs.validating && block.repeats() || addr.is_open()) && self.is_running(&addr) {
            // One stands for all, so this is another instance of the same block and no cycle.
            let ty = self.schema_of(block)?.ty();
            return Ok(Value::unknown_not_null(ty));
        }
        let (info, block) = (info.clone(), block.clone());
        self.value_cell(CellKey::Instance(addr.clone()), move |this, id| {
            let found = this.compute_instance(id, &info, &block, &addr);
            if this.inputs.validating { found } else { this.scoped(found, &block, &addr) }
        })
    }

    fn is_running(&self, addr: &InstanceAddr) -> bool {
        let key = CellKey::Instance(addr.clone());
        self.graph.id(&key).is_some_and(|id| self.frames.iter().any(|f| f.cell == id))
    }

    fn compute_instance(
        &mut self,
        id: CellId,
        info: &Arc<ModuleInfo>,
        block: &Arc<ResourceBlock>,
        addr: &InstanceAddr,
    ) -> Eval {
        let instances = self.resource_instances(info, block)?;
        if !instances.has(addr.key.as_ref()) {
            return Err(no_instance(addr));
        }
        let repetition = Repetition::of(&instances, addr.key.as_ref());
        let env = Env::new(info, &repetition);
        let mut gather = Gather::default();
        let explicit = gather.take(self.explicit(block, info)).unwrap_or_default();
        self.graph.set_explicit(id, explicit);
        let held = self.hold(&block.lifecycle.preconditions, Conditions::Precondition, &addr.into(), &env);
        gather.take(held);
        let triggers = gather.take(self.triggers(block, info, &env)).unwrap_or_default();
        let schema = self.schema_of(block)?;
        let config = gather.take(self.decode(&block.body, schema, &block.span, &env));
        let config = gather.finish(config).map_err(|halt| on(halt, addr))?;
        let config = config.expect("without errors there is a configuration");
        let stored =
            if block.mode == Mode::Ephemeral { Vec::new() } else { ephemeral_arguments(block, schema, &config) };
        if !stored.is_empty() {
            return Err(on(Halt::Errors(stored), addr));
        }
        let provider = self.resolve_provider(block, &env)?;
        let value = self.ask(id, provider, (block, &triggers), addr, config)?;
        let value = if block.mode == Mode::Ephemeral { value.mark(Marks::EPHEMERAL) } else { value };
        let env = Env { itself: Some(&value), ..env };
        self.hold(&block.lifecycle.postconditions, Conditions::Postcondition, &addr.into(), &env)
            .map_err(|halt| on(halt, addr))?;
        Ok(value)
    }

    /// What the world makes of a configured instance.
    fn ask(
        &mut self,
        id: CellId,
        provider: ProviderAddr,
        (block, triggers): (&ResourceBlock, &[Triggered]),
        addr: &InstanceAddr,
        config: Value,
    ) -> Eval {
        if let Some(frame) = self.frames.last() {
            self.graph.set_deps(id, &frame.deps);
        }
        let configured = Configured { addr, config, provider, block, triggers };
        let deps = DepsView { graph: &self.graph, cell: id };
        match self.world.object(configured, &deps) {
            Answer::Value(value) => Ok(value),
            Answer::Provisional(value) => {
                self.taint();
                Ok(value)
            }
            Answer::Blocked => Err(Halt::Blocked),
            Answer::Failed(diagnostics) if diagnostics.is_empty() => Err(Halt::Failed),
            Answer::Failed(diagnostics) => Err(Halt::Errors(diagnostics.0)),
        }
    }

    /// The schema of a block's type.
    pub(super) fn schema_of(&self, block: &ResourceBlock) -> Eval<&'static Schema> {
        match self.schemas.resource(block.mode, &block.type_name) {
            Some(schema) => Ok(schema),
            None => Err(unknown_type(block, &*self.schemas).into()),
        }
    }
}

/// Arguments with ephemeral values: all but write-only ones are written to the state, and ephemeral values must not be.
fn ephemeral_arguments(block: &ResourceBlock, schema: &Schema, config: &Value) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    stored_ephemerals(&schema.block, config, &AttrPath::root(), &mut found);
    let told = found.into_iter().map(|path| {
        let span = block.span_of(&path).unwrap_or_else(|| block.span.clone());
        let detail = format!(
            "The value of {:?} is derived from something ephemeral, but arguments are written to the state. Only write-only arguments, provider blocks and ephemeral blocks take it.",
            path.to_string()
        );
        Diagnostic::error("Invalid use of ephemeral value", detail).at(span).attribute(path)
    });
    told.collect()
}

/// The outermost attributes that would be stored and hold something ephemeral.
fn stored_ephemerals(block: &Block, config: &Value, path: &AttrPath, found: &mut Vec<AttrPath>) {
    let Kind::Object(fields) = config.kind() else { return };
    for (name, value) in fields.iter().filter(|(_, value)| value.deep_marks().contains(Marks::EPHEMERAL)) {
        let at = path.with(PathStep::Attr(name.clone()));
        match (block.attributes.get(&**name), block.blocks.get(&**name)) {
            (Some(attribute), _) if attribute.write_only => {}
            (None, Some(nested)) if !value.marks().contains(Marks::EPHEMERAL) => match value.kind() {
                Kind::Object(_) => stored_ephemerals(&nested.block, value, &at, found),
                Kind::List(_, elements) => {
                    for (i, element) in elements.iter().enumerate() {
                        stored_ephemerals(&nested.block, element, &at.with(PathStep::Index(i)), found);
                    }
                }
                Kind::Map(_, entries) => {
                    for (key, entry) in entries.iter() {
                        stored_ephemerals(&nested.block, entry, &at.with(PathStep::Key(key.clone())), found);
                    }
                }
                _ => found.push(at),
            },
            _ => found.push(at),
        }
    }
}

fn no_instance(addr: &InstanceAddr) -> Halt {
    Diagnostic::error("No such resource instance", format!("There is no {addr} in the configuration.")).into()
}

/// Names the object that errors are about.
fn on(halt: Halt, addr: &InstanceAddr) -> Halt {
    match halt {
        Halt::Errors(errors) => Halt::Errors(
            errors
                .into_iter()
                .map(|mut d| {
                    d.address.get_or_insert_with(|| addr.to_string());
                    d
                })
                .collect(),
        ),
        other => other,
    }
}

/// A type that does not exist: with the closest that does, or how many there are.
pub(super) fn unknown_type(block: &ResourceBlock, schemas: &dyn super::Schemas) -> Diagnostic {
    let names = schemas.resource_names(block.mode);
    let what = |mode: Mode| match mode {
        Mode::Managed => "resource type",
        Mode::Data => "data source",
        Mode::Ephemeral => "ephemeral resource",
    };
    let modes = [Mode::Managed, Mode::Data, Mode::Ephemeral];
    let other = modes.into_iter().find(|mode| schemas.resource(*mode, &block.type_name).is_some());
    let what_it_is = what(block.mode);
    let hint = if let Some(found) = closest(&block.type_name, names.iter().copied()) {
        format!(" Did you mean {found:?}?")
    } else if let Some(other) = other {
        let article = if other == Mode::Ephemeral { "an" } else { "a" };
        format!(" There is {article} {} of that name.", what(other))
    } else {
        let prefix = block.type_name.split('_').next().unwrap_or_default();
        let same: Vec<&str> = names.iter().copied().filter(|n| n.split('_').next() == Some(prefix)).collect();
        if same.is_empty() {
            format!(" Providers are: {}.", crate::suggest::list(schemas.provider_names()))
        } else {
            format!(" The {prefix} provider has: {}.", same.join(", "))
        }
    };
    Diagnostic::error(
        format!("Unknown {what_it_is}"),
        format!("sgp has no {what_it_is} named {:?}.{hint}", &*block.type_name),
    )
    .at(block.type_span.clone())
}
