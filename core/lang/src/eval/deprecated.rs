//! Variables and outputs that a module's author would rather not have used any more.

use sgp_model::{Diagnostic, PathStep, Span};

use super::{Evaluator, World};
use crate::{
    config::{Module, ModuleCall, reference},
    syntax::{Expr, ExprKind},
};

impl<W: World> Evaluator<W> {
    /// Warns of deprecated variables that are given a value: those of called modules by their arguments, those of the root module by what
    /// came in from outside.
    pub(super) fn deprecated_variables(&mut self, module: &Module) {
        for call in module.calls.values() {
            for arg in call.args.values() {
                let text = call.module.variables.get(&arg.name).and_then(|v| v.deprecated.clone());
                if let Some(text) = text {
                    let what = format!("The variable {:?} of module.{}", &*arg.name, call.name);
                    self.warn("Deprecated variable", &what, &text, Some(arg.name_span.clone()));
                }
            }
        }
    }

    /// The same for the root module.
    pub(super) fn deprecated_inputs(&mut self) {
        let config = self.config.clone();
        for variable in config.root.variables.values() {
            let Some(text) = &variable.deprecated else { continue };
            let Some(input) = self.inputs.variables.get(&*variable.name) else { continue };
            let span = input.span.clone().unwrap_or_else(|| variable.span.clone());
            let what = format!("The variable {:?}, set by {},", &*variable.name, input.from);
            self.warn("Deprecated variable", &what, text, Some(span));
        }
    }

    /// Warns of a deprecated output where a caller reads it.
    pub(super) fn deprecated_output(&mut self, call: &ModuleCall, name: &str, span: &Span) {
        let text = call.module.outputs.get(name).and_then(|output| output.deprecated.clone());
        if let Some(text) = text {
            let what = format!("The output {name:?} of module.{}", call.name);
            self.warn("Deprecated output", &what, &text, Some(span.clone()));
        }
    }

    /// The same for `module.m[*].output`.
    pub(super) fn deprecated_splat(&mut self, source: &Expr, each: &Expr, module: &Module) {
        let Some((root, path)) = reference::steps(source) else { return };
        let ("module", [PathStep::Attr(call)]) = (&*root, path.as_slice()) else { return };
        let Some(call) = module.calls.get(call).cloned() else { return };
        let mut at = each;
        while let ExprKind::Attr(base, _) | ExprKind::Index(base, _) = &*at.kind {
            if let (ExprKind::Item, ExprKind::Attr(_, name)) = (&*base.kind, &*at.kind) {
                self.deprecated_output(&call, name, &at.span);
            }
            at = base;
        }
    }

    fn warn(&mut self, summary: &str, what: &str, text: &str, span: Option<Span>) {
        let mut warning = Diagnostic::warning(summary, format!("{what} is deprecated: {}", text.trim()));
        warning.span = span;
        self.record(warning);
    }
}
