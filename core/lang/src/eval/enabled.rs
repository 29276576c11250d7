//! `enabled` of a `lifecycle` block: one object without a key, or none.

use std::sync::Arc;

use sgp_model::{Diagnostic, Marks, Type, Value, convert::convert};

use super::{Env, Eval, Evaluator, Halt, Instances, ModuleInfo, Repetition, World};
use crate::{
    config::{ModuleCall, ResourceBlock},
    syntax::Expr,
};

impl<W: World> Evaluator<W> {
    /// Whether there is the one object of a block.
    pub(super) fn enabled(&mut self, expr: &Expr, info: &Arc<ModuleInfo>) -> Eval<Instances> {
        let env = Env::new(info, &Repetition::None);
        let value = self.value(expr, &env)?;
        let marks = value.deep_marks();
        let (bare, _) = value.unmark();
        let problem = if marks.contains(Marks::EPHEMERAL) {
            "Whether there is an object depends on something ephemeral, but objects are written to the state."
        } else if marks.contains(Marks::SENSITIVE) {
            "Whether there is an object depends on a sensitive value, which its existence would disclose. Use nonsensitive(...) if it is no secret."
        } else {
            match convert(&bare, &Type::Bool) {
                Err(_) => "enabled must be true or false.",
                Ok(value) if value.is_null() => "enabled is null, but it must be true or false.",
                // What refers to it is checked all the same.
                Ok(_) if self.inputs.validating => return Ok(Instances::Single),
                Ok(value) => match value.as_bool() {
                    Some(true) => return Ok(Instances::Single),
                    Some(false) => return Ok(Instances::Disabled),
                    None => {
                        "enabled depends on values that are known only after apply, so that it cannot be planned whether there is an object. Make it depend on variables or local values, or apply what it depends on first with -target."
                    }
                },
            }
        };
        Err(self.error(Diagnostic::error("Invalid enabled argument", problem), expr, &env))
    }

    /// The object of a block that does not repeat; null when it is not enabled.
    pub(super) fn single(&mut self, info: &Arc<ModuleInfo>, block: &Arc<ResourceBlock>) -> Eval {
        if block.lifecycle.enabled.is_some() && !self.resource_instances(info, block)?.has(None) {
            return Ok(Value::null(self.schema_of(block)?.ty()));
        }
        self.instance_of(info, block, None)
    }

    /// The error about an output of a module that is not enabled.
    pub(super) fn need_enabled(&mut self, info: &Arc<ModuleInfo>, call: &Arc<ModuleCall>, expr: &Expr) -> Eval<()> {
        if call.enabled.is_none() || self.call_instances(info, call)?.has(None) {
            return Ok(());
        }
        let detail = format!(
            "module.{0} is null, because its enabled is false. Write try(module.{0}.output, null), or ask for it only where it is enabled.",
            call.name
        );
        Err(Halt::from(Diagnostic::error("Attempt to get attribute from null value", detail).at(expr.span.clone())))
    }
}
