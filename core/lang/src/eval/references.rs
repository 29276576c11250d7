//! References as such, before any value: what they name must be declared, in every branch, in `try` and in blocks without
//! instances too. A mistyped name inside of `try(...)` would otherwise quietly mean the alternative.

use std::sync::Arc;

use sgp_model::{Kind, Mode, ModulePath, Type, Value};

use super::{
    Env, Eval, Evaluator, Halt, ModuleInfo, Repetition, World,
    expr::ambiguous_key,
    missing::{needs_index, out_of_scope, unexpected_key},
    names::{self, Place, Root},
    ops, resource_addr,
};
use crate::{
    config::{Check, Config, Module, ResourceBlock, TriggerStep},
    functions,
    syntax::{Body, Expr, ExprKind, Part},
};

/// Where an expression stands: its module and what repeats there; and the names that `for` and `dynamic` bind.
#[derive(Clone)]
struct Context<'a> {
    info: &'a Arc<ModuleInfo>,
    repetition: &'a Repetition,
    has_self: bool,
    /// The `check` block around it.
    check: Option<&'a Arc<str>>,
    bound: Vec<Arc<str>>,
}

impl<'a> Context<'a> {
    fn of(info: &'a Arc<ModuleInfo>) -> Self {
        Self { info, repetition: &Repetition::None, has_self: false, check: None, bound: Vec::new() }
    }

    fn repeating(self, repetition: &'a Repetition) -> Self {
        Self { repetition, ..self }
    }

    fn binding(&self, names: impl IntoIterator<Item = Arc<str>>) -> Self {
        let mut inner = self.clone();
        inner.bound.extend(names);
        inner
    }
}

/// What `each` or `count` is in a block, as far as it matters here: whether there is such a thing.
fn repetition(count: Option<&Expr>, for_each: Option<&Expr>) -> Repetition {
    match (count, for_each) {
        (Some(_), _) => Repetition::Count(Value::unknown(Type::Number)),
        (None, Some(_)) => Repetition::Each { key: Value::unknown(Type::String), value: Value::unknown(Type::Dynamic) },
        (None, None) => Repetition::None,
    }
}

/// The name that a step of a reference adds.
fn attr<'e>(step: Option<&&'e Expr>) -> Option<(Arc<str>, &'e Expr)> {
    match &*step?.kind {
        ExprKind::Attr(_, name) => Some((name.clone(), *step?)),
        _ => None,
    }
}

impl<W: World> Evaluator<W> {
    /// Reports every reference in the configuration that cannot lead anywhere, once.
    pub(super) fn check_references(&mut self) {
        if std::mem::replace(&mut self.references_checked, true) {
            return;
        }
        let config: Arc<Config> = self.config.clone();
        self.deprecated_inputs();
        let mut seen: Vec<*const Module> = Vec::new();
        let mut open = vec![(ModulePath::root(), config.root.clone())];
        while let Some((path, module)) = open.pop() {
            if seen.contains(&Arc::as_ptr(&module)) {
                continue;
            }
            seen.push(Arc::as_ptr(&module));
            open.extend(module.calls.values().rev().map(|c| (path.child(c.name.clone(), None), c.module.clone())));
            let info = Arc::new(ModuleInfo { path, config: module, outer: None });
            self.references_of_module(&info);
        }
    }

    /// Reports the references of one expression that stands in a module by itself, where more names mean something. Says whether
    /// all is well.
    pub(super) fn check_references_with(&mut self, expr: &Expr, info: &Arc<ModuleInfo>, names: Vec<Arc<str>>) -> bool {
        let before = self.diagnostics.len();
        self.references(expr, &Context::of(info).binding(names));
        self.diagnostics.len() == before
    }

    fn references_of_module(&mut self, info: &Arc<ModuleInfo>) {
        let config = info.config.clone();
        let plain = Context::of(info);
        for variable in config.variables.values() {
            self.references_of_checks(&variable.validations, &plain);
        }
        for local in config.locals.values() {
            self.references(&local.expr, &plain);
        }
        self.deprecated_variables(&config);
        self.check_constants(&config);
        for call in config.calls.values() {
            let repetition = repetition(call.count.as_ref(), call.for_each.as_ref());
            let inside = plain.clone().repeating(&repetition);
            call.count.iter().chain(&call.for_each).chain(&call.enabled).for_each(|e| self.references(e, &plain));
            call.args.values().for_each(|a| self.references(&a.expr, &inside));
            call.providers.iter().filter_map(|(_, p)| p.key.as_ref()).for_each(|e| self.references(e, &inside));
        }
        for provider in &config.providers {
            let repetition = repetition(None, provider.for_each.as_ref());
            provider.for_each.iter().for_each(|e| self.references(e, &plain));
            self.references_of_body(&provider.body, &plain.clone().repeating(&repetition));
        }
        for block in config.checks.values() {
            self.references_of_checks(&block.asserts, &Context { check: Some(&block.name), ..plain.clone() });
        }
        for block in &config.resources {
            self.references_of_resource(block, &plain);
        }
        for import in &config.imports {
            let repetition = repetition(None, import.for_each.as_ref());
            import.for_each.iter().for_each(|e| self.references(e, &plain));
            let inside = plain.clone().repeating(&repetition);
            self.references(&import.id, &inside);
            if let ExprKind::Index(_, key) = &*import.to.kind {
                self.references(key, &inside);
            }
        }
        for output in config.outputs.values() {
            self.references_of_checks(&output.preconditions, &plain);
            self.references(&output.value, &plain);
        }
    }

    fn references_of_resource(&mut self, block: &ResourceBlock, plain: &Context<'_>) {
        let repetition = repetition(block.count.as_ref(), block.for_each.as_ref());
        let inside = plain.clone().repeating(&repetition);
        block
            .count
            .iter()
            .chain(&block.for_each)
            .chain(&block.lifecycle.enabled)
            .for_each(|e| self.references(e, plain));
        self.references_of_body(&block.body, &inside);
        block.provider.iter().filter_map(|p| p.key.as_ref()).for_each(|e| self.references(e, &inside));
        for trigger in &block.lifecycle.replace_triggered_by {
            let indexes = trigger.path.iter().filter_map(|step| match step {
                TriggerStep::Index(key) => Some(key),
                TriggerStep::Attr(_) => None,
            });
            trigger.key.iter().chain(indexes).for_each(|e| self.references(e, &inside));
        }
        self.check_triggers(block, &plain.info.config);
        self.references_of_checks(&block.lifecycle.preconditions, &inside);
        self.references_of_checks(&block.lifecycle.postconditions, &Context { has_self: true, ..inside });
        if let Some(schema) = self.schemas.resource(block.mode, &block.type_name) {
            self.check_names(&block.body, schema, &block.span);
        }
    }

    fn references_of_checks(&mut self, checks: &[Check], context: &Context<'_>) {
        for check in checks {
            self.references(&check.condition, context);
            self.references(&check.message, context);
        }
    }

    fn references_of_body(&mut self, body: &Body, context: &Context<'_>) {
        body.attrs.iter().for_each(|a| self.references(&a.expr, context));
        for block in &body.blocks {
            let iterator = match (&*block.ty, block.labels.first()) {
                ("dynamic", Some(label)) => {
                    let named = block.body.attr("iterator").and_then(|a| a.expr.as_name());
                    named.unwrap_or(&label.text)
                }
                _ => {
                    self.references_of_body(&block.body, context);
                    continue;
                }
            };
            let inner = context.binding([iterator.clone()]);
            for attr in &block.body.attrs {
                match &*attr.name {
                    "for_each" => self.references(&attr.expr, context),
                    "labels" => self.references(&attr.expr, &inner),
                    _ => {}
                }
            }
            block.body.blocks.iter().for_each(|content| self.references_of_body(&content.body, &inner));
        }
    }

    fn references(&mut self, expr: &Expr, context: &Context<'_>) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.references_inner(expr, context));
    }

    fn references_inner(&mut self, expr: &Expr, context: &Context<'_>) {
        match &*expr.kind {
            ExprKind::Literal(_) | ExprKind::Item => {}
            ExprKind::Name(_) | ExprKind::Attr(..) | ExprKind::Index(..) => self.chain(expr, context),
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => self.references(inner, context),
            ExprKind::Template(parts) => self.references_of_parts(parts, context),
            ExprKind::Splat(source, each) => {
                self.deprecated_splat(source, each, &context.info.config);
                [source, each].into_iter().for_each(|e| self.references(e, context));
            }
            ExprKind::Binary(_, a, b) => [a, b].into_iter().for_each(|e| self.references(e, context)),
            ExprKind::Conditional(a, b, c) => [a, b, c].into_iter().for_each(|e| self.references(e, context)),
            ExprKind::Call { name, args, .. } => {
                // The second argument of convert is a type, whose words are no references.
                let count = if functions::bare(name) == "convert" { 1 } else { args.len() };
                args.iter().take(count).for_each(|e| self.references(e, context));
            }
            ExprKind::Tuple(args) => args.iter().for_each(|e| self.references(e, context)),
            ExprKind::Object(items) => items.iter().for_each(|(key, value)| {
                match ambiguous_key(key) {
                    Some(d) => self.record(d),
                    None => self.references(key, context),
                }
                self.references(value, context);
            }),
            ExprKind::For(f) => {
                self.references(&f.collection, context);
                let inner = context.binding(f.key_name.iter().chain([&f.value_name]).cloned());
                let inside = f.key.iter().chain([&f.value]).chain(&f.condition);
                inside.for_each(|e| self.references(e, &inner));
            }
        }
    }

    fn references_of_parts(&mut self, parts: &[Part], context: &Context<'_>) {
        for part in parts {
            match part {
                Part::Text(_) => {}
                Part::Interpolation(expr) => self.references(expr, context),
                Part::If { condition, then, otherwise } => {
                    self.references(condition, context);
                    self.references_of_parts(then, context);
                    self.references_of_parts(otherwise, context);
                }
                Part::For { key, value, collection, body } => {
                    self.references(collection, context);
                    self.references_of_parts(body, &context.binding(key.iter().chain([value]).cloned()));
                }
            }
        }
    }

    /// A name and what follows it: `aws_x.a["k"].id`, innermost first.
    fn chain(&mut self, expr: &Expr, context: &Context<'_>) {
        let mut steps = vec![expr];
        let mut at = expr;
        while let ExprKind::Attr(base, _) | ExprKind::Index(base, _) | ExprKind::Paren(base) = &*at.kind {
            if let ExprKind::Index(_, key) = &*at.kind {
                self.references(key, context);
            }
            at = base;
            steps.push(at);
        }
        steps.retain(|e| !matches!(&*e.kind, ExprKind::Paren(_)));
        steps.reverse();
        let ExprKind::Name(first) = &*at.kind else {
            if !std::ptr::eq(at, expr) {
                self.references(at, context);
            }
            return;
        };
        if context.bound.contains(first) {
            return;
        }
        let found = self.followed(first, &steps, context);
        let _ = self.settle(found);
    }

    /// Follows a reference as far as the configuration tells what is there.
    fn followed(&mut self, first: &Arc<str>, steps: &[&Expr], context: &Context<'_>) -> Eval<()> {
        let itself = Value::unknown(Type::Dynamic);
        let env = Env { itself: context.has_self.then_some(&itself), ..Env::new(context.info, context.repetition) };
        let place = names::name(first, steps[0], &env)?;
        let mut rest = steps[1..].iter();
        let (mode, type_name, said) = match place {
            Place::Type(mode, type_name) => (mode, type_name, steps[0]),
            Place::Root(root) => {
                let Some((name, step)) = attr(rest.next()) else { return Err(names::bare(root, steps[0])) };
                match root {
                    Root::Var => return names::declared_variable(&name, step, &env),
                    Root::Local => return names::declared_local(&name, step, &env),
                    Root::Module => {
                        let call = names::declared_call(&name, step, &env)?.clone();
                        let output = rest.find(|step| !matches!(&*step.kind, ExprKind::Index(..)));
                        if let Some((name, step)) = attr(output) {
                            self.deprecated_output(&call, &name, &step.span);
                        }
                        return Ok(());
                    }
                    Root::Each => return names::each(&name, step, &env).map(drop),
                    Root::Count => return names::count(&name, step, &env).map(drop),
                    Root::Path => return self.path(&name, step, &env).map(drop),
                    Root::Terraform => return self.terraform(&name, step).map(drop),
                    Root::Data => (Mode::Data, name, step),
                    Root::Ephemeral => (Mode::Ephemeral, name, step),
                    Root::Resource => (Mode::Managed, name, step),
                }
            }
            _ => return Ok(()),
        };
        let Some((name, step)) = attr(rest.next()) else {
            let bound = context.bound.iter().rev().map(|name| &**name);
            return Err(self.bare_type(mode, &type_name, said, bound, &context.info.config));
        };
        let Some(block) = env.module.config.resource(mode, &type_name, &name).cloned() else {
            return Err(self.undeclared_resource(mode, &type_name, &name, step, &env));
        };
        if block.check.is_some() && block.check.as_ref() != context.check {
            return Err(out_of_scope(&format!("data.{type_name}.{name}"), &block).at(step.span.clone()).into());
        }
        self.inside_resource(&block, rest.as_slice())
    }

    /// What follows the name of a resource: an index where it repeats, then an attribute of its schema.
    fn inside_resource(&mut self, block: &ResourceBlock, rest: &[&Expr]) -> Eval<()> {
        let (step, name) = match (rest, block.repeats()) {
            ([step, ..], true) if matches!(&*step.kind, ExprKind::Attr(..)) => {
                let ExprKind::Attr(_, name) = &*step.kind else { return Ok(()) };
                let shown = resource_addr(&ModulePath::root(), block).to_string();
                return Err(needs_index(&shown, block.for_each.as_ref(), name, step));
            }
            ([_, step, ..], true) | ([step, ..], false) => match &*step.kind {
                ExprKind::Attr(_, name) => (*step, name),
                ExprKind::Index(_, key) if !block.repeats() => {
                    let number = matches!(&*key.kind, ExprKind::Literal(v) if matches!(v.kind(), Kind::Number(_)));
                    return if number { Err(unexpected_key(block, step)) } else { Ok(()) };
                }
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        let Some(schema) = self.schemas.resource(block.mode, &block.type_name) else { return Ok(()) };
        // Asked for first, because the whole type of a large schema is made anew each time.
        if schema.block.attributes.contains_key(&**name) || schema.block.blocks.contains_key(&**name) {
            return Ok(());
        }
        match ops::attr(&Value::unknown(schema.ty()), name) {
            Ok(_) => Ok(()),
            Err(d) => Err(Halt::from(self.unsupported_attr(d, block, name).at(step.span.clone()))),
        }
    }
}
