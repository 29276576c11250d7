//! `const` variables: their values are known before anything is planned.

use std::{collections::BTreeSet, sync::Arc};

use sgp_model::{Diagnostic, Mode};

use super::{Evaluator, World};
use crate::{
    config::{Module, Target, reference},
    syntax::{Expr, ExprKind},
};

impl<W: World> Evaluator<W> {
    /// Refuses arguments for `const` variables that depend on more than fixed values and other such variables.
    pub(super) fn check_constants(&mut self, module: &Module) {
        for call in module.calls.values() {
            for arg in call.args.values() {
                if !call.module.variables.get(&arg.name).is_some_and(|v| v.constant) {
                    continue;
                }
                if let Some(what) = not_constant(&arg.expr, module, &mut BTreeSet::new()) {
                    let detail = format!(
                        "The variable {:?} of module.{} is const: its value is known before anything is planned. {what} is not. Use fixed values, const variables and local values made of them.",
                        &*arg.name, call.name
                    );
                    let problem = Diagnostic::error("Invalid value for const variable", detail);
                    self.record(problem.at(arg.expr.span.clone()));
                }
            }
        }
    }
}

/// What makes an expression depend on something that is not fixed.
fn not_constant(expr: &Expr, module: &Module, seen: &mut BTreeSet<Arc<str>>) -> Option<String> {
    let mut found = None;
    let mut locals = Vec::new();
    expr.walk(&mut |e| {
        if found.is_some() || !matches!(&*e.kind, ExprKind::Attr(..)) {
            return found.is_none();
        }
        let word = |base: &Expr, word: &str| base.as_name().is_some_and(|name| &**name == word);
        if let ExprKind::Attr(base, name) = &*e.kind
            && (word(base, "each") || word(base, "count"))
        {
            found = Some(format!("{}.{name}", if word(base, "each") { "each" } else { "count" }));
        }
        match reference::target(e) {
            Some(Target::Resource { mode, type_name, name, .. })
                if module.resource(mode, &type_name, &name).is_some() =>
            {
                let prefix = if mode == Mode::Managed { "" } else { mode.prefix() };
                found = Some(format!("{prefix}{type_name}.{name}"));
            }
            Some(Target::Module(name)) => found = Some(format!("module.{name}")),
            Some(Target::Variable(name)) if module.variables.get(&name).is_some_and(|v| !v.constant) => {
                found = Some(format!("var.{name}"));
            }
            Some(Target::Local(name)) => locals.push(name),
            _ => {}
        }
        found.is_none()
    });
    found.or_else(|| {
        locals.into_iter().find_map(|name| {
            let local = module.locals.get(&name).filter(|_| seen.insert(name.clone()))?;
            not_constant(&local.expr, module, seen)
        })
    })
}
