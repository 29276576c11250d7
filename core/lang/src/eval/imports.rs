//! `import` blocks.

use std::sync::Arc;

use sgp_model::{Diagnostic, InstanceAddr, InstanceKey, Kind, Type, Value, address::ParsedAddr, convert::convert};

use super::{Env, Eval, Evaluator, Gather, Instances, ModuleInfo, Repetition, Stop, World};
use crate::{
    config::{Import, reference},
    syntax::{Expr, ExprKind},
};

impl<W: World> Evaluator<W> {
    /// What the `import` blocks of the root module adopt: instance and id. Blocks that cannot be told yet or at all are
    /// left out; errors are among the diagnostics.
    pub fn imports(&mut self) -> Vec<(InstanceAddr, String)> {
        let root = self.modules[&sgp_model::ModulePath::root()].clone();
        let mut found = Vec::new();
        for import in &root.config.imports {
            let result = self.import(import, &root);
            let settled: Result<_, Stop> = self.settle(result);
            found.extend(settled.unwrap_or_default());
        }
        found
    }

    fn import(&mut self, import: &Import, info: &Arc<ModuleInfo>) -> Eval<Vec<(InstanceAddr, String)>> {
        let env = Env::new(info, &Repetition::None);
        let instances = match &import.for_each {
            None => Instances::Single,
            Some(expr) => match self.for_each(expr, &env)? {
                Instances::Open { .. } if !self.inputs.validating => {
                    let d = Diagnostic::error(
                        "Invalid for_each argument",
                        "The keys of for_each depend on values that are known only after apply, but what is imported must be found while planning.",
                    );
                    return Err(self.error(d, expr, &env));
                }
                instances => instances,
            },
        };
        let mut gather = Gather::default();
        let mut found = Vec::new();
        for key in instances.keys() {
            let repetition = Repetition::of(&instances, key.as_ref());
            let env = Env::new(info, &repetition);
            let to = gather.take(self.import_target(&import.to, &env));
            let id = gather.take(self.import_id(&import.id, &env));
            found.extend(to.zip(id));
        }
        gather.finish(found)
    }

    fn import_id(&mut self, expr: &Expr, env: &Env<'_>) -> Eval<String> {
        let value = self.value(expr, env)?;
        let text = convert(&value.unmark_deep().0, &Type::String).ok();
        match text.as_ref().map(Value::kind) {
            Some(Kind::String(s)) if !s.is_empty() => Ok(s.to_string()),
            Some(Kind::Unknown(_)) => {
                let d = Diagnostic::error(
                    "Invalid import id argument",
                    "The id is known only after apply, but an object must be found while planning.",
                );
                Err(self.error(d, expr, env))
            }
            _ => {
                let d = Diagnostic::error(
                    "Invalid import id argument",
                    "The id of an import block is text that names an existing object; it cannot be null or empty.",
                );
                Err(self.error(d, expr, env))
            }
        }
    }

    fn import_target(&mut self, expr: &Expr, env: &Env<'_>) -> Eval<InstanceAddr> {
        if let Some(found) = reference::address(expr) {
            return match found {
                ParsedAddr::Instance(addr) => Ok(addr),
                ParsedAddr::Resource(addr) => Ok(addr.instance(None)),
                ParsedAddr::Module(_) => Err(invalid(expr)),
            };
        }
        let ExprKind::Index(base, key) = &*expr.kind else { return Err(invalid(expr)) };
        let Some(ParsedAddr::Resource(addr)) = reference::address(base) else { return Err(invalid(expr)) };
        let key = self.value(key, env)?;
        match key.kind() {
            Kind::String(s) => Ok(addr.instance(Some(InstanceKey::Str(s.clone())))),
            Kind::Number(n) => match n.to_i64().and_then(|n| u64::try_from(n).ok()) {
                Some(n) => Ok(addr.instance(Some(InstanceKey::Int(n)))),
                None => Err(invalid(expr)),
            },
            _ => Err(invalid(expr)),
        }
    }
}

fn invalid(expr: &Expr) -> super::Halt {
    Diagnostic::error(
        "Invalid import address",
        "The argument \"to\" names a resource instance: aws_iam_role.a or aws_iam_role.a[\"key\"].",
    )
    .at(expr.span.clone())
    .into()
}
