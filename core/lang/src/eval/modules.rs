//! Module instances and what stands in them beside objects: variables, local values, outputs.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{
    Diagnostic, InstanceKey, Kind, Marks, ModulePath, ResourceAddr, Type, Value, checks::Checkable, convert::convert,
};

use super::{
    CellKey, Env, Eval, Evaluator, Gather, Halt, Instances, ModuleInfo, Outer, Repetition, State, Stop, Stored, World,
    conditions::Conditions, resource_addr,
};
use crate::config::{Module, ModuleCall, Output};

impl<W: World> Evaluator<W> {
    /// All module instances, the root first, outer before inner.
    ///
    /// # Errors
    /// When the instances of some call cannot be told yet or at all; [`Self::resources`] leaves those out.
    pub fn module_instances(&mut self) -> Result<Vec<ModulePath>, Stop> {
        let (infos, stop) = self.expanded();
        match stop {
            None => Ok(infos.iter().map(|i| i.path.clone()).collect()),
            Some(stop) => Err(stop),
        }
    }

    /// All resources and data sources in all module instances that can be told, in source order.
    pub fn resources(&mut self) -> Vec<ResourceAddr> {
        let (infos, _) = self.expanded();
        infos.iter().flat_map(|i| i.config.resources.iter().map(|r| resource_addr(&i.path, r))).collect()
    }

    /// The module instances that can be told, and why there may be more.
    pub(super) fn expanded(&mut self) -> (Vec<Arc<ModuleInfo>>, Option<Stop>) {
        let root = self.modules[&ModulePath::root()].clone();
        let (mut found, mut open, mut stop) = (Vec::new(), vec![root], None);
        while let Some(info) = open.pop() {
            let mut inner = Vec::new();
            for call in info.config.calls.values() {
                if !self.interest.is_empty() && !self.interest.iter().any(|i| i.leads_into(&info.path, &call.name)) {
                    continue;
                }
                let children = self.children(&info, call);
                match self.settle(children) {
                    Ok(children) => inner.extend(children),
                    Err(Stop::Failed) => stop = Some(Stop::Failed),
                    Err(Stop::Blocked) => stop = stop.or(Some(Stop::Blocked)),
                }
            }
            open.extend(inner.into_iter().rev());
            found.push(info);
        }
        (found, stop)
    }

    /// The instances of a call.
    pub(super) fn children(&mut self, info: &Arc<ModuleInfo>, call: &Arc<ModuleCall>) -> Eval<Vec<Arc<ModuleInfo>>> {
        let instances = self.call_instances(info, call)?;
        Ok(instances.keys().iter().map(|key| self.child(info, call, &instances, key.as_ref())).collect())
    }

    fn child(
        &mut self,
        info: &Arc<ModuleInfo>,
        call: &Arc<ModuleCall>,
        instances: &Instances,
        key: Option<&InstanceKey>,
    ) -> Arc<ModuleInfo> {
        let path = info.path.child(call.name.clone(), key.cloned());
        let repetition = Repetition::of(instances, key);
        // What was not known when it was looked at first may be known by now.
        if let Some(known) = self.modules.get(&path)
            && let Some(outer) = &known.outer
            && Arc::ptr_eq(&outer.module, info)
            && outer.repetition.same(&repetition)
        {
            return known.clone();
        }
        let is_settled = info.is_settled() && repetition.is_wholly_known();
        let outer = Outer { module: info.clone(), call: call.clone(), repetition, is_settled };
        let child = Arc::new(ModuleInfo { path: path.clone(), config: call.module.clone(), outer: Some(outer) });
        self.modules.insert(path, child.clone());
        child
    }

    /// The module instance at a path.
    pub(super) fn module(&mut self, path: &ModulePath) -> Eval<Arc<ModuleInfo>> {
        if let Some(known) = self.modules.get(path).filter(|known| known.is_settled()) {
            return Ok(known.clone());
        }
        let missing = || {
            Halt::from(Diagnostic::error(
                "No such module instance",
                format!("There is no {path} in the configuration."),
            ))
        };
        let (Some(parent), Some(step)) = (path.parent(), path.0.last()) else { return Err(missing()) };
        let parent = self.module(&parent)?;
        let Some(call) = parent.config.calls.get(&step.name).cloned() else { return Err(missing()) };
        let instances = self.call_instances(&parent, &call)?;
        if !instances.has(step.key.as_ref()) {
            return Err(missing());
        }
        Ok(self.child(&parent, &call, &instances, step.key.as_ref()))
    }

    pub(super) fn call_instances(&mut self, info: &Arc<ModuleInfo>, call: &Arc<ModuleCall>) -> Eval<Arc<Instances>> {
        let key = CellKey::ModuleExpansion(info.path.clone(), call.name.clone());
        let (info, call) = (info.clone(), call.clone());
        let stored = self.cell(key, move |this, _| {
            // A module inside a module that repeats is there only when the outer one is.
            this.touch_expansion(&info);
            let instances = match &call.enabled {
                Some(enabled) => this.enabled(enabled, &info)?,
                None => this.repeats(call.count.as_ref(), call.for_each.as_ref(), &info)?,
            };
            Ok(Stored::Instances(Arc::new(instances)))
        })?;
        match stored {
            Stored::Instances(instances) => Ok(instances),
            Stored::Value(_) | Stored::Nothing => unreachable!("expansions hold instances"),
        }
    }

    /// Whatever is in a module instance exists because of the call around it.
    pub(super) fn touch_expansion(&mut self, info: &ModuleInfo) {
        if let Some(outer) = info.outer.as_ref().filter(|o| o.call.repeats() || o.call.enabled.is_some()) {
            let key = CellKey::ModuleExpansion(outer.module.path.clone(), outer.call.name.clone());
            if let Some(id) = self.graph.id(&key) {
                self.touch(id);
                if matches!(self.states.get(id.index()), Some(State::Provisional(..))) {
                    self.taint();
                }
            }
        }
    }

    /// One output of a module instance.
    ///
    /// # Errors
    /// When it cannot be told yet or at all.
    pub fn output(&mut self, module: &ModulePath, name: &str) -> Result<Value, Stop> {
        let name: Arc<str> = name.into();
        let result = self.module(module).and_then(|info| self.output_value(&info, &name));
        self.settle(result)
    }

    /// The names of the root module's outputs, sorted.
    pub fn root_outputs(&self) -> Vec<String> {
        self.config.root.outputs.keys().map(ToString::to_string).collect()
    }

    pub(super) fn output_value(&mut self, info: &Arc<ModuleInfo>, name: &Arc<str>) -> Eval {
        let key = CellKey::Output(info.path.clone(), name.clone());
        let info = info.clone();
        let name = name.clone();
        self.value_cell(key, move |this, _| {
            let config = info.config.clone();
            let Some(output) = config.outputs.get(&name) else {
                return Err(
                    Diagnostic::error("No such output", format!("There is no output named {:?}.", &*name)).into()
                );
            };
            this.compute_output(output, &info)
        })
    }

    fn compute_output(&mut self, output: &Output, info: &Arc<ModuleInfo>) -> Eval {
        let env = Env::new(info, &Repetition::None);
        let mut gather = Gather::default();
        gather.take(self.depend_on(&output.depends_on, info));
        let of = Checkable::OutputValue(info.path.clone(), output.name.clone()).into();
        let held = self.hold(&output.preconditions, Conditions::OutputPrecondition, &of, &env);
        gather.take(held);
        let value = gather.take(self.value(&output.value, &env));
        let value = value.and_then(|value| gather.take(self.fitting(output, value, &env)));
        let Some(value) = value else { return gather.finish(Value::dynamic_null()) };
        let value = match ephemeral_output(output, value, info.path.is_root()) {
            Ok(value) => value,
            Err(d) => {
                gather.push(d);
                return gather.finish(Value::dynamic_null());
            }
        };
        if output.sensitive {
            return gather.finish(value.sensitive());
        }
        if info.path.is_root() && value.deep_marks().contains(Marks::SENSITIVE) {
            gather.push(
                Diagnostic::error(
                    "Output refers to sensitive values",
                    "An output of the root module would be shown, but this value is derived from sensitive ones. If that is intended, mark it: sensitive = true.",
                )
                .at(output.span.clone()),
            );
        }
        gather.finish(value)
    }

    /// The value in the type that the output says.
    fn fitting(&mut self, output: &Output, value: Value, env: &Env<'_>) -> Eval {
        let Some(constraint) = &output.constraint else { return Ok(value) };
        convert(&constraint.defaults.apply(value), &constraint.ty).map_err(|e| {
            let detail = format!("The value of {:?} does not fit its type {}: {e}.", &*output.name, constraint.ty);
            let d = Diagnostic::error("Invalid output value", detail);
            self.error(d, output.value.part(&e.path.0), env)
        })
    }

    /// A module instance as an object of its outputs.
    pub(super) fn module_value(&mut self, path: &ModulePath) -> Eval {
        let path = path.clone();
        self.value_cell(CellKey::Module(path.clone()), move |this, _| {
            let info = this.module(&path)?;
            let mut gather = Gather::default();
            let mut fields = BTreeMap::new();
            for name in info.config.outputs.keys() {
                if let Some(value) = gather.take(this.output_value(&info, name)) {
                    fields.insert(name.clone(), value);
                }
            }
            gather.finish(Kind::Object(Arc::new(fields)).into())
        })
    }

    /// All instances of a module call.
    pub(super) fn call_value(&mut self, info: &Arc<ModuleInfo>, call: &Arc<ModuleCall>) -> Eval {
        let key = CellKey::ModuleCall(info.path.clone(), call.name.clone());
        let (info, call) = (info.clone(), call.clone());
        self.value_cell(key, move |this, _| {
            let instances = this.call_instances(&info, &call)?;
            let mut gather = Gather::default();
            let mut values = Vec::new();
            for key in instances.keys() {
                let path = info.path.child(call.name.clone(), key.clone());
                if let Some(value) = gather.take(this.module_value(&path)) {
                    values.push((key, value));
                }
            }
            gather.finish(collect(&instances, values))
        })
    }

    pub(super) fn local(&mut self, info: &Arc<ModuleInfo>, name: &Arc<str>) -> Eval {
        let key = CellKey::Local(info.path.clone(), name.clone());
        let (info, name) = (info.clone(), name.clone());
        self.value_cell(key, move |this, _| {
            let config = info.config.clone();
            let local = config.locals.get(&name).expect("the caller saw the local value");
            this.value(&local.expr, &Env::new(&info, &Repetition::None))
        })
    }
}

/// The value of an output with what `ephemeral` makes of it: ephemeral values leave a module only through outputs that say
/// so, and the root module not at all, since its outputs are written to the state.
fn ephemeral_output(output: &Output, value: Value, is_root: bool) -> Result<Value, Diagnostic> {
    let refused = |detail: &str| Err(Diagnostic::error("Ephemeral value not allowed", detail).at(output.span.clone()));
    match (output.ephemeral, is_root) {
        (true, true) => refused(
            "An output of the root module is written to the state and cannot be ephemeral. Remove ephemeral = true, or the output.",
        ),
        (true, false) => Ok(value.mark(Marks::EPHEMERAL)),
        (false, _) if !value.deep_marks().contains(Marks::EPHEMERAL) => Ok(value),
        (false, true) => refused(
            "This value is derived from something ephemeral, but an output of the root module is written to the state. Remove the output.",
        ),
        (false, false) => refused(
            "This value is derived from something ephemeral. If the output is to pass it on, mark it: ephemeral = true.",
        ),
    }
}

/// The value of something that repeats: one, a tuple or an object.
pub(super) fn collect(instances: &Instances, values: Vec<(Option<InstanceKey>, Value)>) -> Value {
    let single = |values: Vec<(Option<InstanceKey>, Value)>| {
        values.into_iter().next().map_or_else(|| Value::unknown(Type::Dynamic), |(_, v)| v)
    };
    match instances {
        Instances::Single => single(values),
        Instances::Disabled => Value::dynamic_null(),
        Instances::Count(_) => Value::tuple(values.into_iter().map(|(_, v)| v).collect()),
        Instances::ForEach(_) => Value::object(values.into_iter().filter_map(|(k, v)| match k {
            Some(InstanceKey::Str(k)) => Some((k, v)),
            _ => None,
        })),
        Instances::Open { repetition: Repetition::Count(_), .. } => {
            Value::unknown_not_null(Type::list(single(values).ty()))
        }
        Instances::Open { .. } => Value::unknown_not_null(Type::map(single(values).ty())),
    }
}

/// What is wrong with the arguments of a call: names that the module does not have, and required ones that are missing.
pub(super) fn check_arguments(call: &ModuleCall, module: &Module) -> Vec<Diagnostic> {
    let undeclared = |name: &str| !module.variables.contains_key(name) && !module.may_declare(&format!("var.{name}"));
    let unknown = call.args.values().filter(|a| undeclared(&a.name)).map(|a| {
        let hint = crate::suggest::did_you_mean(&a.name, module.variables.keys().map(|k| &**k));
        Diagnostic::error(
            "Unsupported argument",
            format!("module.{} has no variable named {:?}.{hint}", call.name, &*a.name),
        )
        .at(a.name_span.clone())
    });
    let missing =
        module.variables.values().filter(|v| v.default.is_none() && !call.args.contains_key(&v.name)).map(|v| {
            Diagnostic::error(
                "Missing required argument",
                format!("The argument {:?} is required by module.{}, but it is not set.", &*v.name, call.name),
            )
            .at(call.span.clone())
        });
    unknown.chain(missing).collect()
}
