//! References: from names to what they stand for, demanding no more than is asked.
//!
//! `aws_x.a["k"].id` is followed step by step as a [`Place`], so that it forces one instance and not all of them, and
//! `module.m.out` one output and not the whole module.

use std::sync::Arc;

use sgp_model::{Diagnostic, InstanceKey, Mode, ModulePath, Type, Value, convert::convert};

use super::{
    Env, Eval, Evaluator, Halt, Instances, ModuleInfo, Repetition, World,
    missing::{invalid, needs_index, undeclared, unexpected_key, unknown_name, unknown_template_name},
    ops, resource_addr,
};
use crate::{
    config::{Module, ModuleCall, ResourceBlock},
    suggest::{did_you_mean, list},
    syntax::{Expr, ExprKind},
};

/// How far a reference was followed.
pub(super) enum Place {
    Value(Value),
    /// A word such as `var` or `each`.
    Root(Root),
    /// The part before a resource's name.
    Type(Mode, Arc<str>),
    /// A resource or data source that was not forced yet.
    Resource(Arc<ResourceBlock>),
    /// A module call that was not forced yet.
    Call(Arc<ModuleCall>),
    /// One instance of a module.
    Module(ModulePath),
}

/// The words that references to something other than managed resources begin with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Var,
    Local,
    Module,
    Data,
    Ephemeral,
    Resource,
    Each,
    Count,
    Path,
    Terraform,
}

/// What an index after something that repeats means.
enum Selected {
    /// One instance.
    One(Option<InstanceKey>),
    /// It cannot be said (an unknown or sensitive key), so all are needed.
    Open,
}

impl Root {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "var" => Self::Var,
            "local" => Self::Local,
            "module" => Self::Module,
            "data" => Self::Data,
            "ephemeral" => Self::Ephemeral,
            "resource" => Self::Resource,
            "each" => Self::Each,
            "count" => Self::Count,
            "path" => Self::Path,
            "terraform" => Self::Terraform,
            _ => return None,
        })
    }

    /// What must follow, for messages.
    fn follows(self) -> (&'static str, &'static str) {
        match self {
            Self::Var => ("var", "the name of a variable: var.region"),
            Self::Local => ("local", "the name of a local value: local.tags"),
            Self::Module => ("module", "the name of a module call: module.network"),
            Self::Data => ("data", "a data source's type and name: data.aws_vpc.main"),
            Self::Ephemeral => {
                ("ephemeral", "an ephemeral resource's type and name: ephemeral.aws_eks_cluster_auth.main")
            }
            Self::Resource => ("resource", "a resource's type and name: resource.aws_iam_role.node"),
            Self::Each => ("each", "key or value: each.key"),
            Self::Count => ("count", "index: count.index"),
            Self::Path => ("path", "module, root or cwd: path.module"),
            Self::Terraform => ("terraform", "workspace: terraform.workspace"),
        }
    }
}

impl<W: World> Evaluator<W> {
    /// The value of a name, attribute or index expression.
    pub(super) fn reference(&mut self, expr: &Expr, env: &Env<'_>) -> Eval {
        let place = self.place(expr, env)?;
        self.force(place, expr, env)
    }

    pub(super) fn place(&mut self, expr: &Expr, env: &Env<'_>) -> Eval<Place> {
        match &*expr.kind {
            ExprKind::Name(name) => self::name(name, expr, env),
            ExprKind::Paren(inner) => self.place(inner, env),
            ExprKind::Attr(base, name) => {
                let place = self.place(base, env)?;
                self.attr_of(place, base, name, expr, env)
            }
            ExprKind::Index(base, key) => {
                let place = self.place(base, env)?;
                let key_value = self.value(key, env)?;
                self.index_of(place, base, &key_value, expr, env)
            }
            _ => self.value(expr, env).map(Place::Value),
        }
    }

    fn attr_of(&mut self, place: Place, base: &Expr, name: &Arc<str>, expr: &Expr, env: &Env<'_>) -> Eval<Place> {
        Ok(match place {
            Place::Value(value) => match ops::attr(&value, name) {
                Ok(found) => Place::Value(found),
                Err(d) => {
                    let d = self.named_type(d, base, name, env);
                    return Err(self.error(d, expr, env));
                }
            },
            Place::Root(root) => return self.rooted(root, name, expr, env),
            Place::Type(mode, type_name) => {
                let Some(block) = env.module.config.resource(mode, &type_name, name) else {
                    return Err(self.undeclared_resource(mode, &type_name, name, expr, env));
                };
                Place::Resource(block.clone())
            }
            Place::Resource(block) => {
                if block.repeats() {
                    return Err(needs_index(
                        &resource_addr(&ModulePath::root(), &block).to_string(),
                        block.for_each.as_ref(),
                        name,
                        expr,
                    ));
                }
                let object = self.single(env.module, &block)?;
                match ops::attr(&object, name) {
                    Ok(found) => Place::Value(found),
                    Err(d) => return Err(self.unsupported_attr(d, &block, name).at(expr.span.clone()).into()),
                }
            }
            Place::Call(call) => {
                if call.repeats() {
                    return Err(needs_index(&format!("module.{}", call.name), call.for_each.as_ref(), name, expr));
                }
                self.need_enabled(env.module, &call, expr)?;
                let path = env.module.path.child(call.name.clone(), None);
                Place::Value(self.module_output(&path, &call, name, expr)?)
            }
            Place::Module(path) => {
                let info = self.module(&path)?;
                let call = info.outer.as_ref().expect("places of modules are calls").call.clone();
                Place::Value(self.module_output(&path, &call, name, expr)?)
            }
        })
    }

    fn index_of(&mut self, place: Place, base: &Expr, key: &Value, expr: &Expr, env: &Env<'_>) -> Eval<Place> {
        match &place {
            Place::Resource(block) if block.repeats() => {
                let addr = resource_addr(&env.module.path, block);
                let instances = self.resource_instances(env.module, block)?;
                match self.instance_key(&instances, key, &addr.to_string(), expr, env)? {
                    Selected::One(key) => {
                        let object = self.instance_of(env.module, &block.clone(), key)?;
                        return Ok(Place::Value(object));
                    }
                    Selected::Open => return self.index_value(place, base, key, expr, env),
                }
            }
            // Attributes may be asked for in brackets too.
            Place::Resource(block) if key.as_str().is_none() && key.is_known() => {
                return Err(unexpected_key(block, expr));
            }
            Place::Call(call) if call.repeats() => {
                let instances = self.call_instances(env.module, call)?;
                let shown = format!("module.{}", call.name);
                if let Selected::One(key) = self.instance_key(&instances, key, &shown, expr, env)? {
                    return Ok(Place::Module(env.module.path.child(call.name.clone(), key)));
                }
            }
            _ => {}
        }
        self.index_value(place, base, key, expr, env)
    }

    fn index_value(&mut self, place: Place, base: &Expr, key: &Value, expr: &Expr, env: &Env<'_>) -> Eval<Place> {
        let value = self.force(place, base, env)?;
        ops::index(&value, key).map(Place::Value).map_err(|d| self.error(d, expr, env))
    }

    /// Which instance a key means.
    fn instance_key(
        &mut self,
        instances: &Instances,
        key: &Value,
        shown: &str,
        expr: &Expr,
        env: &Env<'_>,
    ) -> Eval<Selected> {
        if let Instances::Open { key, .. } = instances {
            return Ok(Selected::One(key.clone()));
        }
        if !key.is_known() || key.is_null() || !key.marks().is_empty() {
            return Ok(Selected::Open);
        }
        let wanted = match instances {
            Instances::Count(_) => {
                let number = convert(key, &Type::Number).ok().and_then(|n| n.as_i64());
                number.and_then(|n| u64::try_from(n).ok()).map(InstanceKey::Int)
            }
            _ => convert(key, &Type::String).ok().and_then(|s| s.as_str().map(|s| InstanceKey::Str(s.into()))),
        };
        if let Some(wanted) = wanted.filter(|k| instances.has(Some(k))) {
            return Ok(Selected::One(Some(wanted)));
        }
        let detail = match (instances, key.as_str()) {
            (Instances::Count(n), None) => format!(
                "{shown} has {n} instance{} (count), numbered from 0, and the given index is not one of them.",
                if *n == 1 { "" } else { "s" }
            ),
            (Instances::Count(_), Some(_)) => {
                format!("{shown} has count set, so its instances are numbered: the index must be a number.")
            }
            (Instances::ForEach(map), text) => {
                let keys = map.keys().map(|k| &**k);
                let hint = text.map(|t| did_you_mean(t, keys.clone())).unwrap_or_default();
                let all =
                    if map.len() <= 12 { format!(" The keys of for_each are: {}.", list(keys)) } else { String::new() };
                format!("{shown} has no instance with the given key.{hint}{all}")
            }
            _ => format!("{shown} does not repeat."),
        };
        let d = Diagnostic::error("Invalid index", detail);
        Err(self.error(d, expr, env))
    }

    /// The value of a place, whole.
    fn force(&mut self, place: Place, expr: &Expr, env: &Env<'_>) -> Eval {
        match place {
            Place::Value(value) => Ok(value),
            Place::Resource(block) => self.resource_value(env.module, &block),
            Place::Call(call) => self.call_value(env.module, &call),
            Place::Module(path) => self.module_value(&path),
            Place::Root(root) => Err(bare(root, expr)),
            Place::Type(mode, type_name) => {
                let mut bound: Vec<&str> = Vec::new();
                let mut scope = env.scope;
                while let Some(s) = scope {
                    bound.push(s.name);
                    scope = s.outer;
                }
                Err(self.bare_type(mode, &type_name, expr, bound, &env.module.config))
            }
        }
    }

    /// A resource type that no name follows, or a word that means nothing.
    pub(super) fn bare_type<'b>(
        &self,
        mode: Mode,
        type_name: &str,
        expr: &Expr,
        bound: impl IntoIterator<Item = &'b str>,
        config: &Module,
    ) -> Halt {
        if self.schemas.resource(mode, type_name).is_none() {
            return unknown_name(type_name, expr, bound, config);
        }
        let prefix = mode.prefix();
        invalid(
            &format!(
                "A reference to a resource type must be followed by the resource's name: {prefix}{type_name}.name."
            ),
            expr,
        )
    }

    fn rooted(&mut self, root: Root, name: &Arc<str>, expr: &Expr, env: &Env<'_>) -> Eval<Place> {
        Ok(match root {
            Root::Var => return self.variable_ref(name, expr, env).map(Place::Value),
            Root::Local => {
                declared_local(name, expr, env)?;
                Place::Value(self.local(env.module, name)?)
            }
            Root::Module => Place::Call(declared_call(name, expr, env)?.clone()),
            Root::Data => Place::Type(Mode::Data, name.clone()),
            Root::Ephemeral => Place::Type(Mode::Ephemeral, name.clone()),
            Root::Resource => Place::Type(Mode::Managed, name.clone()),
            Root::Each => Place::Value(each(name, expr, env)?),
            Root::Count => Place::Value(count(name, expr, env)?),
            Root::Path => Place::Value(self.path(name, expr, env)?),
            Root::Terraform => Place::Value(self.terraform(name, expr)?),
        })
    }

    fn variable_ref(&mut self, name: &Arc<str>, expr: &Expr, env: &Env<'_>) -> Eval {
        if let Some((_, value)) = env.own.filter(|(own, _)| *own == name) {
            return Ok(value.clone());
        }
        declared_variable(name, expr, env)?;
        self.variable(env.module, name)
    }

    pub(super) fn terraform(&self, name: &str, expr: &Expr) -> Eval {
        if name != "workspace" {
            return Err(invalid("The \"terraform\" object has only one attribute: terraform.workspace.", expr));
        }
        Ok(Value::from(if self.inputs.workspace.is_empty() { "default" } else { &self.inputs.workspace }))
    }

    pub(super) fn path(&self, name: &str, expr: &Expr, env: &Env<'_>) -> Eval {
        let text = match name {
            "module" => env.module.config.dir.as_str(),
            "root" => self.config.root.dir.as_str(),
            "cwd" => self.inputs.cwd.as_str(),
            _ => {
                return Err(invalid(
                    &format!("The \"path\" object has no attribute {name:?}: it has module, root and cwd."),
                    expr,
                ));
            }
        };
        Ok(Value::from(text))
    }

    fn module_output(&mut self, path: &ModulePath, call: &ModuleCall, name: &Arc<str>, expr: &Expr) -> Eval {
        if !call.module.outputs.contains_key(name) {
            if call.module.may_declare(&format!("output.{name}")) {
                return Err(Halt::Failed);
            }
            let hint = did_you_mean(name, call.module.outputs.keys().map(|k| &**k));
            return Err(Diagnostic::error(
                "Unsupported attribute",
                format!("module.{} has no output named {:?}.{hint}", call.name, &**name),
            )
            .at(expr.span.clone())
            .into());
        }
        let info: Arc<ModuleInfo> = self.module(path)?;
        self.output_value(&info, name)
    }
}

/// A variable that is declared, or the error.
pub(super) fn declared_variable(name: &Arc<str>, expr: &Expr, env: &Env<'_>) -> Eval<()> {
    let known = &env.module.config.variables;
    if known.contains_key(name) {
        return Ok(());
    }
    let hint = did_you_mean(name, known.keys().map(|k| &**k));
    let advice = if hint.is_empty() { format!(" Declare it with variable {:?} {{}}.", &**name) } else { hint };
    let detail = format!("An input variable with the name {:?} has not been declared.{advice}", &**name);
    Err(undeclared("input variable", &format!("var.{name}"), &detail, expr, env))
}

/// A local value that is declared, or the error.
pub(super) fn declared_local(name: &Arc<str>, expr: &Expr, env: &Env<'_>) -> Eval<()> {
    let known = &env.module.config.locals;
    if known.contains_key(name) {
        return Ok(());
    }
    let hint = did_you_mean(name, known.keys().map(|k| &**k));
    let detail = format!("A local value with the name {:?} has not been declared.{hint}", &**name);
    Err(undeclared("local value", &format!("local.{name}"), &detail, expr, env))
}

/// A module call that is declared, or the error.
pub(super) fn declared_call<'a>(name: &Arc<str>, expr: &Expr, env: &Env<'a>) -> Eval<&'a Arc<ModuleCall>> {
    let known = &env.module.config.calls;
    known.get(name).ok_or_else(|| {
        let hint = did_you_mean(name, known.keys().map(|k| &**k));
        let detail = format!("No module call named {:?} is declared in this module.{hint}", &**name);
        undeclared("module", &format!("module.{name}"), &detail, expr, env)
    })
}

/// A word that nothing follows.
pub(super) fn bare(root: Root, expr: &Expr) -> Halt {
    let (word, follows) = root.follows();
    invalid(&format!("The word {word:?} must be followed by {follows}."), expr)
}

/// What a reference begins with.
pub(super) fn name(name: &Arc<str>, expr: &Expr, env: &Env<'_>) -> Eval<Place> {
    let mut scope = env.scope;
    while let Some(found) = scope {
        if found.name == name {
            return Ok(Place::Value(found.value.clone()));
        }
        scope = found.outer;
    }
    if let Some(only) = env.only {
        return match only.get(name) {
            Some(value) => Ok(Place::Value(value.clone())),
            None => Err(unknown_template_name(name, only.keys().map(|k| &**k)).at(expr.span.clone()).into()),
        };
    }
    if &**name == "self" {
        return match env.itself {
            Some(value) => Ok(Place::Value(value.clone())),
            None => Err(invalid("The \"self\" object stands only in the postconditions of a resource.", expr)),
        };
    }
    Ok(match Root::of(name) {
        Some(root) => Place::Root(root),
        None => Place::Type(Mode::Managed, name.clone()),
    })
}

pub(super) fn count(name: &str, expr: &Expr, env: &Env<'_>) -> Eval {
    match (env.repetition, name) {
        (Repetition::Count(index), "index") => Ok(index.clone()),
        (_, "index") => Err(Diagnostic::error(
            "Reference to \"count\" in non-counted context",
            "count.index stands only in blocks that have count set.",
        )
        .at(expr.span.clone())
        .into()),
        _ => Err(invalid("The \"count\" object has only one attribute: count.index.", expr)),
    }
}

pub(super) fn each(name: &str, expr: &Expr, env: &Env<'_>) -> Eval {
    match (env.repetition, name) {
        (Repetition::Each { key, .. }, "key") => Ok(key.clone()),
        (Repetition::Each { value, .. }, "value") => Ok(value.clone()),
        (_, "key" | "value") => Err(Diagnostic::error(
            "Reference to \"each\" in context without for_each",
            "each.key and each.value stand only in blocks that have for_each set.",
        )
        .at(expr.span.clone())
        .into()),
        _ => Err(invalid("The \"each\" object has two attributes: each.key and each.value.", expr)),
    }
}
