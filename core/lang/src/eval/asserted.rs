//! Expressions of test files: evaluated in a module, with names that only tests have (`run`, `output`).

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{Diagnostic, Diagnostics, ModulePath, Type, Value, convert::convert};

use super::{Env, Evaluator, Halt, Repetition, Scope, World};
use crate::{config::Check, syntax::Expr};

/// Names with their values, beside those of the module.
pub type Names = BTreeMap<Arc<str>, Value>;

/// What became of an assertion.
#[derive(Clone, Debug, PartialEq)]
pub enum Asserted {
    /// It is true.
    Holds,
    /// It is false: the message with the values that the condition refers to.
    Fails(Diagnostic),
    /// It cannot be said.
    Undecided(Diagnostics),
}

impl<W: World> Evaluator<W> {
    /// The value of an expression in a module where these names mean something, too, and come first.
    ///
    /// # Errors
    /// Everything that is wrong with it; without any error, what it refers to has to be read first.
    pub fn eval_with(&mut self, module: &ModulePath, expr: &Expr, names: &Names) -> Result<Value, Diagnostics> {
        self.aside(|this| {
            let info = this.module(module)?;
            if !this.check_references_with(expr, &info, names.keys().cloned().collect()) {
                return Err(Halt::Failed);
            }
            let env = Env::new(&info, &Repetition::None);
            scoped(&env, &mut names.iter(), &mut |env| this.value(expr, env))
        })
    }

    /// Evaluates the `assert` block of a run.
    pub fn run_assertion(&mut self, module: &ModulePath, check: &Check, names: &Names) -> Asserted {
        let decided = self.aside(|this| {
            let info = this.module(module)?;
            let bound: Vec<Arc<str>> = names.keys().cloned().collect();
            let known = this.check_references_with(&check.condition, &info, bound.clone());
            if !(known & this.check_references_with(&check.message, &info, bound)) {
                return Err(Halt::Failed);
            }
            let env = Env::new(&info, &Repetition::None);
            scoped(&env, &mut names.iter(), &mut |env| this.decide(check, env))
        });
        match decided {
            Ok(None) => Asserted::Holds,
            Ok(Some(failed)) => Asserted::Fails(failed),
            Err(problems) => Asserted::Undecided(problems),
        }
    }

    /// `None` when the condition holds, else what to tell.
    fn decide(&mut self, check: &Check, env: &Env<'_>) -> Result<Option<Diagnostic>, Halt> {
        let condition = self.condition(&check.condition, env)?;
        match condition.as_bool() {
            Some(true) => return Ok(None),
            Some(false) => {}
            None => {
                let unknown = Diagnostic::error(
                    "Unknown condition value",
                    "The condition depends on something that is known only after apply. Let the run apply (command = apply), \
                     or give the value in an override or mock with override_during = plan.",
                );
                return Err(self.error(unknown, &check.condition, env));
            }
        }
        let message = self.value(&check.message, env)?;
        let message = match convert(&message, &Type::String) {
            Ok(m) if m.is_sensitive() => {
                "The message is not shown because it would disclose a sensitive value.".to_owned()
            }
            Ok(m) => m.as_str().unwrap_or("The message is not known yet.").trim().to_owned(),
            Err(_) => "The message of this assertion is not a string.".to_owned(),
        };
        let failed = Diagnostic::error("Test assertion failed", message);
        match self.error(failed, &check.condition, env) {
            Halt::Errors(mut errors) => Ok(errors.pop()),
            other => Err(other),
        }
    }

    /// Evaluates beside the configuration: what is wrong is answered, and not kept among its diagnostics.
    fn aside<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Halt>) -> Result<T, Diagnostics> {
        let before = (std::mem::take(&mut self.diagnostics), std::mem::take(&mut self.seen));
        let result = run(self);
        let value = self.settle(result);
        // The expression may go, and another one may come to stand at its address.
        self.splats.clear();
        let found = Diagnostics(std::mem::replace(&mut self.diagnostics, before.0));
        self.seen = before.1;
        value.map_err(|_| found)
    }
}

/// Runs with all the names in scope.
fn scoped<'n, T>(
    env: &Env<'_>,
    names: &mut impl Iterator<Item = (&'n Arc<str>, &'n Value)>,
    run: &mut dyn FnMut(&Env<'_>) -> T,
) -> T {
    match names.next() {
        None => run(env),
        Some((name, value)) => {
            let scope = Scope { name, value: value.clone(), outer: env.scope };
            scoped(&env.with(&scope), names, run)
        }
    }
}
