//! Conditions with messages: of variables, objects, outputs and `check` blocks, and what became of each.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{
    Diagnostic, InstanceAddr, InstanceKey, Marks, ModulePath, Severity, Type, Value,
    checks::{CheckResult, CheckStatus, Checkable, CheckedInstance},
    convert::convert,
};

use super::{Env, Eval, Evaluator, Gather, Halt, ModuleInfo, Repetition, World, resource_addr};
use crate::config::{Check, CheckBlock, ResourceBlock};

/// Which kind of block conditions stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Conditions {
    Validation,
    Precondition,
    Postcondition,
    OutputPrecondition,
    /// Not a condition: what a data source in a `check` block answered.
    ScopedData,
    Assertion,
}

impl Conditions {
    fn summary(self) -> &'static str {
        match self {
            Self::Validation => "Invalid value for variable",
            Self::Precondition => "Resource precondition failed",
            Self::Postcondition => "Resource postcondition failed",
            Self::OutputPrecondition => "Module output value precondition failed",
            Self::ScopedData | Self::Assertion => "Check block assertion failed",
        }
    }
}

/// Whose conditions they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    pub(super) object: Checkable,
    pub(super) key: Option<InstanceKey>,
}

impl From<Checkable> for Subject {
    fn from(object: Checkable) -> Self {
        Self { object, key: None }
    }
}

impl From<&InstanceAddr> for Subject {
    fn from(addr: &InstanceAddr) -> Self {
        Self { object: Checkable::Resource(addr.resource.clone()), key: addr.key.clone() }
    }
}

/// What became of each condition so far, by its kind and place.
pub(super) type Outcomes = BTreeMap<Subject, BTreeMap<(Conditions, usize), (CheckStatus, Option<String>)>>;

impl<W: World> Evaluator<W> {
    /// Evaluates conditions; those that fail are errors, those that are not known yet pass.
    pub(super) fn hold(&mut self, checks: &[Check], kind: Conditions, of: &Subject, env: &Env<'_>) -> Eval<()> {
        let mut gather = Gather::default();
        for (place, check) in checks.iter().enumerate() {
            let (status, told) = match self.judged(check, kind, env) {
                Ok(None) => (CheckStatus::Unknown, None),
                Ok(Some(None)) => (CheckStatus::Pass, None),
                Ok(Some(Some(failed))) => {
                    let told = failed.detail.clone();
                    gather.push(failed);
                    (CheckStatus::Fail, Some(told))
                }
                Err(Halt::Blocked) => {
                    gather.take::<()>(Err(Halt::Blocked));
                    continue;
                }
                Err(halt) => {
                    gather.take::<()>(Err(halt));
                    (CheckStatus::Error, None)
                }
            };
            self.note(of, (kind, place), status, told);
        }
        gather.finish(())
    }

    /// Evaluates the assertions of every `check` block. What fails is a warning. With `later` what is not known is one, too: it will be
    /// judged after an apply.
    pub fn judge_checks(&mut self, later: bool) {
        let (infos, _) = self.expanded();
        for info in infos {
            let config = info.config.clone();
            for block in config.checks.values() {
                for (place, check) in block.asserts.iter().enumerate() {
                    self.assertion(block, place, check, &info, later);
                }
            }
        }
    }

    fn assertion(&mut self, block: &CheckBlock, place: usize, check: &Check, info: &Arc<ModuleInfo>, later: bool) {
        let of = Subject::from(Checkable::Check(info.path.clone(), block.name.clone()));
        let env = Env::new(info, &Repetition::None);
        let (status, told) = match self.judged(check, Conditions::Assertion, &env) {
            Ok(None) => {
                if later {
                    let detail = "Whether this holds is known after apply, and is looked at then.";
                    let warning = Diagnostic::warning("Check block assertion known after apply", detail);
                    self.record(warning.at(check.condition.span.clone()).on(&of.object));
                }
                (CheckStatus::Unknown, None)
            }
            Ok(Some(None)) => (CheckStatus::Pass, None),
            Ok(Some(Some(failed))) => {
                let told = failed.detail.clone();
                self.record(warning(failed).on(&of.object));
                (CheckStatus::Fail, Some(told))
            }
            Err(Halt::Blocked) => (CheckStatus::Unknown, None),
            Err(Halt::Failed) => (CheckStatus::Error, None),
            Err(Halt::Errors(errors)) => {
                for error in errors {
                    self.record(warning(error).on(&of.object));
                }
                (CheckStatus::Error, None)
            }
        };
        self.note(&of, (Conditions::Assertion, place), status, told);
    }

    /// Asks for the data sources in `check` blocks, so that they are read.
    pub fn look_at_checks(&mut self) {
        let (infos, _) = self.expanded();
        for info in infos {
            let config = info.config.clone();
            for block in config.resources.iter().filter(|block| block.check.is_some()) {
                let value = self.resource_value(&info, block);
                let _ = self.settle(value);
            }
        }
    }

    /// Whether any module of the configuration that can be told has a `check` block.
    pub fn has_checks(&mut self) -> bool {
        self.expanded().0.iter().any(|info| !info.config.checks.is_empty())
    }

    /// What a data source in a `check` block is: nothing that is wrong with it blocks anything.
    pub(super) fn scoped(&mut self, found: Eval, block: &ResourceBlock, addr: &InstanceAddr) -> Eval {
        let Some(check) = &block.check else { return found };
        let errors = match found {
            Err(Halt::Errors(errors)) => errors,
            other => return other,
        };
        let of = Subject::from(Checkable::Check(addr.resource.module.clone(), check.clone()));
        let told = errors.first().map(|e| e.detail.clone());
        for error in errors {
            self.record(warning(error));
        }
        self.note(&of, (Conditions::ScopedData, 0), CheckStatus::Fail, told);
        Ok(Value::unknown(self.schema_of(block)?.ty()))
    }

    /// `None` when it is not known yet; then the error when it does not hold.
    #[expect(clippy::option_option, reason = "the outer one is whether it is known, the inner one what is wrong")]
    fn judged(&mut self, check: &Check, kind: Conditions, env: &Env<'_>) -> Eval<Option<Option<Diagnostic>>> {
        let result = self.condition(&check.condition, env)?;
        match result.as_bool() {
            None => return Ok(None),
            Some(true) => return Ok(Some(None)),
            Some(false) => {}
        }
        let message = self.value(&check.message, env)?;
        let message = match convert(&message, &Type::String) {
            Ok(m) if m.is_sensitive() => {
                "The message of this check is not shown because it would disclose a sensitive value.".to_owned()
            }
            Ok(m) if m.marks().contains(Marks::EPHEMERAL) => {
                "The message of this check is not shown because it would disclose an ephemeral value.".to_owned()
            }
            Ok(m) => m.as_str().unwrap_or("The check failed; its message is not known yet.").trim().to_owned(),
            Err(_) => "The check failed, and its message is not a string.".to_owned(),
        };
        let detail = match env.own {
            Some((name, _)) => {
                format!("{message}\n\nThis was checked by the validation rule of the variable {name:?}.")
            }
            None => message,
        };
        let mut failed = Diagnostic::error(kind.summary(), detail).at(check.condition.span.clone());
        failed.values = self.explain(&check.condition, env);
        Ok(Some(Some(failed)))
    }

    fn note(&mut self, of: &Subject, rule: (Conditions, usize), status: CheckStatus, told: Option<String>) {
        if !self.inputs.validating {
            self.outcomes.entry(of.clone()).or_default().insert(rule, (status, told));
        }
    }

    /// What became of every condition of the configuration, in the order of addresses. What nobody evaluated is unknown.
    pub fn check_results(&mut self) -> Vec<CheckResult> {
        let mut blocks: BTreeMap<Checkable, Vec<CheckedInstance>> = BTreeMap::new();
        for (subject, count) in self.subjects() {
            let outcomes = self.outcomes.get(&subject);
            let noted = outcomes.map_or(0, BTreeMap::len);
            let all = || outcomes.into_iter().flat_map(BTreeMap::values);
            let worst = all().map(|(status, _)| *status).max().unwrap_or_default();
            let status = if noted < count { worst.max(CheckStatus::Unknown) } else { worst };
            let problems = all().filter_map(|(_, told)| told.clone()).collect();
            let Subject { object, key } = subject;
            blocks.entry(object.without_keys()).or_default().extend(
                // A resource without instances is there to say so.
                (count > 0).then_some(CheckedInstance { object, key, status, problems }),
            );
        }
        let results = blocks.into_iter().map(|(block, mut instances)| {
            instances.sort_by(|a, b| (&a.object, &a.key).cmp(&(&b.object, &b.key)));
            let status = instances.iter().map(|it| it.status).max().unwrap_or_default();
            CheckResult { block, status, instances }
        });
        results.collect()
    }

    /// Everything that has conditions, with how many; a resource without instances with none.
    fn subjects(&mut self) -> Vec<(Subject, usize)> {
        let (infos, _) = self.expanded();
        let mut found = Vec::new();
        for info in infos {
            let (config, path) = (info.config.clone(), &info.path);
            let named = |of: fn(ModulePath, Arc<str>) -> Checkable, name: &Arc<str>, count: usize| {
                (count > 0).then(|| (Subject::from(of(path.clone(), name.clone())), count))
            };
            found.extend(config.variables.values().filter_map(|v| named(Checkable::Var, &v.name, v.validations.len())));
            let outputs = config.outputs.values();
            found.extend(outputs.filter_map(|o| named(Checkable::OutputValue, &o.name, o.preconditions.len())));
            found.extend(config.checks.values().filter_map(|c| named(Checkable::Check, &c.name, c.asserts.len())));
            for block in &config.resources {
                let count = block.lifecycle.preconditions.len() + block.lifecycle.postconditions.len();
                if count == 0 {
                    continue;
                }
                let addr = resource_addr(path, block);
                let instances = self.resource_instances(&info, block);
                let keys = self.settle(instances).map(|it| it.keys()).unwrap_or_default();
                if keys.is_empty() {
                    found.push((Subject::from(Checkable::Resource(addr.clone())), 0));
                }
                found.extend(keys.into_iter().map(|key| (Subject::from(&addr.instance(key)), count)));
            }
        }
        found
    }
}

/// What is wrong in a `check` block blocks nothing.
fn warning(error: Diagnostic) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..error }
}
