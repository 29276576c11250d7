//! Module instances and what stands in them beside objects: variables, local values, outputs.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{
    Diagnostic, InstanceKey, Kind, Marks, ModulePath, ResourceAddr, Type, Value,
    convert::convert,
};

use super::{
    CellKey, Env, Eval, Evaluator, Gather, Given, Halt, Instances, ModuleInfo, Outer, Repetition, Stop, Stored, World,
    resource_addr,
};
use crate::{
    config::{Check, Module, ModuleCall, Output, Variable},
    syntax::{self, Expr},
};

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
        instances.keys().into_iter().map(|key| self.child(info, call, &instances, key)).collect()
    }

    fn child(
        &mut self,
        info: &Arc<ModuleInfo>,
        call: &Arc<ModuleCall>,
        instances: &Instances,
        key: Option<InstanceKey>,
    ) -> Eval<Arc<ModuleInfo>> {
        let path = info.path.child(call.name.clone(), key.clone());
        if let Some(known) = self.modules.get(&path) {
            return Ok(known.clone());
        }
        let repetition = Repetition::of(instances, key.as_ref());
        let outer = Outer { module: info.clone(), call: call.clone(), repetition };
        let child = Arc::new(ModuleInfo { path: path.clone(), config: call.module.clone(), outer: Some(outer) });
        self.modules.insert(path, child.clone());
        Ok(child)
    }

    /// The module instance at a path.
    pub(super) fn module(&mut self, path: &ModulePath) -> Eval<Arc<ModuleInfo>> {
        if let Some(known) = self.modules.get(path) {
            return Ok(known.clone());
        }
        let missing = || {
            Halt::from(Diagnostic::error("No such module instance", format!("There is no {path} in the configuration.")))
        };
        let (Some(parent), Some(step)) = (path.parent(), path.0.last()) else { return Err(missing()) };
        let parent = self.module(&parent)?;
        let Some(call) = parent.config.calls.get(&step.name).cloned() else { return Err(missing()) };
        let instances = self.call_instances(&parent, &call)?;
        if !instances.has(step.key.as_ref()) {
            return Err(missing());
        }
        self.child(&parent, &call, &instances, step.key.clone())
    }

    pub(super) fn call_instances(&mut self, info: &Arc<ModuleInfo>, call: &Arc<ModuleCall>) -> Eval<Arc<Instances>> {
        let key = CellKey::ModuleExpansion(info.path.clone(), call.name.clone());
        let (info, call) = (info.clone(), call.clone());
        let stored = self.cell(key, move |this, _| {
            // A module inside a module that repeats is there only when the outer one is.
            this.touch_expansion(&info);
            let instances = this.repeats(call.count.as_ref(), call.for_each.as_ref(), &info)?;
            Ok(Stored::Instances(Arc::new(instances)))
        })?;
        match stored {
            Stored::Instances(instances) => Ok(instances),
            Stored::Value(_) | Stored::Nothing => unreachable!("expansions hold instances"),
        }
    }

    /// Whatever is in a module instance exists because of the call around it.
    pub(super) fn touch_expansion(&mut self, info: &ModuleInfo) {
        if let Some(outer) = info.outer.as_ref().filter(|o| o.call.repeats()) {
            let key = CellKey::ModuleExpansion(outer.module.path.clone(), outer.call.name.clone());
            if let Some(id) = self.graph.id(&key) {
                self.touch(id);
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
                return Err(Diagnostic::error("No such output", format!("There is no output named {:?}.", &*name)).into());
            };
            this.compute_output(output, &info)
        })
    }

    fn compute_output(&mut self, output: &Output, info: &Arc<ModuleInfo>) -> Eval {
        let env = Env::new(info, &Repetition::None);
        let mut gather = Gather::default();
        gather.take(self.depend_on(&output.depends_on, info));
        for check in &output.preconditions {
            let checked = self.check(check, "Module output value precondition failed", &env, None);
            gather.take(checked);
        }
        let value = gather.take(self.value(&output.value, &env));
        let Some(value) = value else { return gather.finish(Value::dynamic_null()) };
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

    /// The variables of the root module: converted, validated and marked. What cannot be told is left out.
    pub fn variables(&mut self) -> BTreeMap<String, Value> {
        let root = self.modules[&ModulePath::root()].clone();
        let mut found = BTreeMap::new();
        for name in root.config.variables.keys() {
            let value = self.variable(&root, name);
            if let Ok(value) = self.settle(value) {
                found.insert(name.to_string(), value);
            }
        }
        found
    }

    pub(super) fn variable(&mut self, info: &Arc<ModuleInfo>, name: &Arc<str>) -> Eval {
        let key = CellKey::Variable(info.path.clone(), name.clone());
        let (info, name) = (info.clone(), name.clone());
        self.value_cell(key, move |this, _| {
            let config = info.config.clone();
            let variable = config.variables.get(&name).expect("the caller saw the variable");
            this.compute_variable(variable, &info)
        })
    }

    fn compute_variable(&mut self, variable: &Variable, info: &Arc<ModuleInfo>) -> Eval {
        let given = match &info.outer {
            Some(outer) => self.argument(variable, outer, info)?,
            None => self.input(variable)?,
        };
        let value = match given {
            Some(value) if !(value.is_null() && !variable.nullable) => Some(value),
            _ => self.default_of(variable)?,
        };
        let Some(mut value) = value else {
            if self.inputs.validating {
                return Ok(Value::unknown(sgp_model::convert::without_optional(&variable.constraint.ty)).mark(marks(variable)));
            }
            return Err(missing(variable, info).into());
        };
        if value.is_null() && !variable.nullable {
            return Err(Diagnostic::error(
                "Required variable not set",
                format!("The variable {:?} must not be null (nullable = false), and it has no default to fall back to.", &*variable.name),
            )
            .at(variable.span.clone())
            .into());
        }
        value = value.mark(marks(variable));
        self.validate(variable, &value, info)?;
        Ok(value)
    }

    fn validate(&mut self, variable: &Variable, value: &Value, info: &Arc<ModuleInfo>) -> Eval<()> {
        let mut gather = Gather::default();
        for check in &variable.validations {
            let env = Env { own: Some((&variable.name, value)), ..Env::new(info, &Repetition::None) };
            let checked = self.check(check, "Invalid value for variable", &env, Some(&variable.name));
            gather.take(checked);
        }
        gather.finish(())
    }

    fn default_of(&mut self, variable: &Variable) -> Eval<Option<Value>> {
        let Some(default) = &variable.default else { return Ok(None) };
        let value = super::constant(default)?;
        self.converted(variable, value, default).map(Some)
    }

    /// The value for a variable of a called module.
    fn argument(&mut self, variable: &Variable, outer: &Outer, info: &Arc<ModuleInfo>) -> Eval<Option<Value>> {
        self.touch_expansion(info);
        let Some(attr) = outer.call.args.get(&variable.name) else { return Ok(None) };
        let env = Env::new(&outer.module, &outer.repetition);
        let value = self.value(&attr.expr, &env)?;
        let applied = variable.constraint.defaults.apply(value);
        convert(&applied, &variable.constraint.ty).map(Some).map_err(|e| {
            let d = Diagnostic::error(
                "Invalid value for module argument",
                format!("The given value is not suitable for the variable {:?} of module.{}: {e}.", &*variable.name, outer.call.name),
            );
            self.error(d, &attr.expr, &env)
        })
    }

    fn converted(&mut self, variable: &Variable, value: Value, expr: &Expr) -> Eval {
        let applied = variable.constraint.defaults.apply(value);
        convert(&applied, &variable.constraint.ty).map_err(|e| {
            Diagnostic::error(
                "Invalid default value for variable",
                format!("The default of {:?} does not fit its type {}: {e}.", &*variable.name, variable.constraint.ty),
            )
            .at(expr.span.clone())
            .into()
        })
    }

    /// The value for a variable of the root module.
    fn input(&mut self, variable: &Variable) -> Eval<Option<Value>> {
        let Some(input) = self.inputs.variables.get(&*variable.name).cloned() else { return Ok(None) };
        let place = |d: Diagnostic| match &input.span {
            Some(span) => d.at(span.clone()),
            None => d.at(variable.span.clone()),
        };
        let value = match input.given {
            Given::Value(value) => value,
            Given::Text(text) if takes_text(&variable.constraint.ty) => Value::from(normalised(&text)),
            Given::Text(text) => parse_input(&text).map_err(|why| {
                place(Diagnostic::error(
                    "Invalid value for input variable",
                    format!("The value for {:?} from {} is not a valid expression: {why} A {} is needed.", &*variable.name, input.from, variable.constraint.ty),
                ))
            })?,
        };
        let applied = variable.constraint.defaults.apply(value);
        let converted = convert(&applied, &variable.constraint.ty).map_err(|e| {
            place(Diagnostic::error(
                "Invalid value for input variable",
                format!("The value for {:?} from {} does not fit its type {}: {e}.", &*variable.name, input.from, variable.constraint.ty),
            ))
        })?;
        Ok(Some(converted))
    }

    /// `count` and `for_each` of a resource or module.
    pub(super) fn repeats(&mut self, count: Option<&Expr>, for_each: Option<&Expr>, info: &Arc<ModuleInfo>) -> Eval<Instances> {
        let env = Env::new(info, &Repetition::None);
        match (count, for_each) {
            (Some(count), _) => self.count(count, &env),
            (None, Some(for_each)) => self.for_each(for_each, &env),
            (None, None) => Ok(Instances::Single),
        }
    }

    fn count(&mut self, expr: &Expr, env: &Env<'_>) -> Eval<Instances> {
        let value = self.value(expr, env)?;
        let invalid = |detail: &str| Diagnostic::error("Invalid count argument", detail);
        if value.deep_marks().contains(Marks::SENSITIVE) {
            let d = invalid("The count depends on a sensitive value, which the number of instances would disclose. Use nonsensitive(...) if the number is no secret.");
            return Err(self.error(d, expr, env));
        }
        let number = convert(&value.unmark().0, &Type::Number).map_err(|e| {
            let d = invalid(&format!("The count must be a whole number, zero or more: {e}."));
            self.error(d, expr, env)
        })?;
        if !number.is_known() {
            if self.inputs.validating {
                return Ok(Instances::AnyCount);
            }
            let d = invalid(
                "The count depends on values that are known only after apply, so the number of instances cannot be planned. Make it depend on variables or local values, or apply what it depends on first with -target.",
            );
            return Err(self.error(d, expr, env));
        }
        let Some(n) = number.as_i64().and_then(|n| u64::try_from(n).ok()) else {
            let d = invalid(if number.is_null() {
                "The count is null. A whole number, zero or more, is needed."
            } else {
                "The count must be a whole number, zero or more."
            });
            return Err(self.error(d, expr, env));
        };
        Ok(if self.inputs.validating { Instances::AnyCount } else { Instances::Count(n) })
    }

    pub(super) fn for_each(&mut self, expr: &Expr, env: &Env<'_>) -> Eval<Instances> {
        let value = self.value(expr, env)?;
        let unknown_advice = "so the instances cannot be planned. Use keys that the configuration itself fixes and put what is known later into the values, or apply what it depends on first with -target.";
        let (bare, marks) = value.unmark();
        let problem = if marks.contains(Marks::SENSITIVE) {
            Some("The for_each argument depends on a sensitive value, which the keys of the instances would disclose. Use nonsensitive(...) if the keys are no secret.".to_owned())
        } else if bare.is_null() {
            Some("The for_each argument is null. A map, or a set of strings, is needed; use an empty one for no instances.".to_owned())
        } else if !bare.is_known() {
            match &bare.ty() {
                Type::Dynamic | Type::Map(_) | Type::Object(_) if self.inputs.validating => {
                    let element = if let Type::Map(t) = bare.ty() { (*t).clone() } else { Type::Dynamic };
                    return Ok(Instances::AnyKey { value: Value::unknown(element) });
                }
                Type::Set(_) if self.inputs.validating => {
                    return Ok(Instances::AnyKey { value: Value::unknown_not_null(Type::String) });
                }
                Type::Dynamic | Type::Map(_) | Type::Object(_) | Type::Set(_) => {
                    Some(format!("The keys of for_each depend on values that are known only after apply, {unknown_advice}"))
                }
                ty => Some(wrong_for_each(ty)),
            }
        } else {
            match bare.kind() {
                Kind::Map(..) | Kind::Object(_) => None,
                Kind::Set(Type::String, _) => match bare.elements() {
                    Some(elements) if elements.iter().any(|e| !e.is_known()) => {
                        if self.inputs.validating {
                            return Ok(Instances::AnyKey { value: Value::unknown_not_null(Type::String) });
                        }
                        Some(format!("The set in for_each holds values that are known only after apply, {unknown_advice}"))
                    }
                    Some(elements) if elements.iter().any(|e| e.is_null()) => {
                        Some("The set in for_each holds a null value. Each element names an instance.".to_owned())
                    }
                    _ => None,
                },
                Kind::Set(_, elements) if elements.is_empty() => None,
                _ => Some(wrong_for_each(&bare.ty())),
            }
        };
        if let Some(detail) = problem {
            return Err(self.error(Diagnostic::error("Invalid for_each argument", detail), expr, env));
        }
        if self.inputs.validating {
            let value = match bare.as_fields() {
                Some(fields) => any_of(fields.values()),
                None => Value::unknown_not_null(Type::String),
            };
            return Ok(Instances::AnyKey { value });
        }
        let map = match bare.as_fields() {
            Some(fields) => fields.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            None => bare.str_elements().into_iter().map(|s| (Arc::from(s), Value::from(s))).collect(),
        };
        Ok(Instances::ForEach(map))
    }

    /// Evaluates a check; one that fails is an error, one that is not known yet passes.
    pub(super) fn check(&mut self, check: &Check, summary: &str, env: &Env<'_>, variable: Option<&str>) -> Eval<()> {
        let result = self.condition(&check.condition, env)?;
        if result.as_bool() != Some(false) {
            return Ok(());
        }
        let message = self.value(&check.message, env)?;
        let message = match convert(&message, &Type::String) {
            Ok(m) if m.is_sensitive() => "The message of this check is not shown because it would disclose a sensitive value.".to_owned(),
            Ok(m) => m.as_str().unwrap_or("The check failed; its message is not known yet.").trim().to_owned(),
            Err(_) => "The check failed, and its message is not a string.".to_owned(),
        };
        let detail = match variable {
            Some(name) => format!("{message}\n\nThis was checked by the validation rule of the variable {name:?}."),
            None => message,
        };
        Err(self.error(Diagnostic::error(summary, detail), &check.condition, env))
    }
}

fn marks(variable: &Variable) -> Marks {
    let sensitive = if variable.sensitive { Marks::SENSITIVE } else { Marks::NONE };
    sensitive.union(if variable.ephemeral { Marks::EPHEMERAL } else { Marks::NONE })
}

fn missing(variable: &Variable, info: &ModuleInfo) -> Diagnostic {
    match &info.outer {
        Some(outer) => Diagnostic::error(
            "Missing required argument",
            format!("The argument {:?} is required by module.{}, but it is not set.", &*variable.name, outer.call.name),
        )
        .at(outer.call.span.clone()),
        None => Diagnostic::error(
            "No value for required variable",
            format!(
                "The variable {0:?} has no default and no value was given. Set it with -var '{0}=...', in a .tfvars file, or in the environment variable TF_VAR_{0}.",
                &*variable.name
            ),
        )
        .at(variable.span.clone()),
    }
}

fn wrong_for_each(ty: &Type) -> String {
    let hint = match ty {
        Type::List(_) | Type::Tuple(_) => " A list has no keys: use toset(...) when its elements are distinct strings.",
        _ => "",
    };
    format!("The for_each argument must be a map, or a set of strings, but this is a {}.{hint}", ty.friendly_name())
}

/// While validating, what `each.value` may be: of the type that all values share.
fn any_of<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    let types: Vec<Type> = values.map(Value::ty).collect();
    match types.split_first() {
        Some((first, rest)) if rest.iter().all(|t| t == first) => Value::unknown(first.clone()),
        _ => Value::unknown(Type::Dynamic),
    }
}

/// Whether text from outside is taken literally.
fn takes_text(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Number | Type::Bool | Type::Dynamic)
}

fn normalised(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfc().collect()
}

fn parse_input(text: &str) -> Result<Value, String> {
    let expr = syntax::parse_expression(&Arc::from("<value>"), text).map_err(|d| d.detail)?;
    super::constant(&expr).map_err(|d| d.detail)
}

/// The value of something that repeats: one, a tuple or an object.
pub(super) fn collect(instances: &Instances, values: Vec<(Option<InstanceKey>, Value)>) -> Value {
    let single = |values: Vec<(Option<InstanceKey>, Value)>| {
        values.into_iter().next().map_or_else(|| Value::unknown(Type::Dynamic), |(_, v)| v)
    };
    match instances {
        Instances::Single => single(values),
        Instances::Count(_) => Value::tuple(values.into_iter().map(|(_, v)| v).collect()),
        Instances::ForEach(_) => Value::object(values.into_iter().filter_map(|(k, v)| match k {
            Some(InstanceKey::Str(k)) => Some((k, v)),
            _ => None,
        })),
        Instances::AnyCount => Value::unknown_not_null(Type::list(single(values).ty())),
        Instances::AnyKey { .. } => Value::unknown_not_null(Type::map(single(values).ty())),
    }
}

/// What is wrong with the arguments of a call: names that the module does not have, and required ones that are missing.
pub(super) fn check_arguments(call: &ModuleCall, module: &Module) -> Vec<Diagnostic> {
    let unknown = call.args.values().filter(|a| !module.variables.contains_key(&a.name)).map(|a| {
        let hint = crate::suggest::did_you_mean(&a.name, module.variables.keys().map(|k| &**k));
        Diagnostic::error("Unsupported argument", format!("module.{} has no variable named {:?}.{hint}", call.name, &*a.name))
            .at(a.name_span.clone())
    });
    let missing = module
        .variables
        .values()
        .filter(|v| v.default.is_none() && !call.args.contains_key(&v.name))
        .map(|v| {
            Diagnostic::error(
                "Missing required argument",
                format!("The argument {:?} is required by module.{}, but it is not set.", &*v.name, call.name),
            )
            .at(call.span.clone())
        });
    unknown.chain(missing).collect()
}
