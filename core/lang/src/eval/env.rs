//! What expressions are evaluated in, and how an evaluation ends.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{Diagnostic, InstanceKey, ModulePath, Value};

use crate::config::{Module, ModuleCall};

/// Why an expression has no value, inside of the evaluator.
pub(crate) enum Halt {
    /// The world has to read something first.
    Blocked,
    /// An error that is recorded already.
    Failed,
    /// Errors that are not recorded yet.
    Errors(Vec<Diagnostic>),
}

pub(crate) type Eval<T = Value> = Result<T, Halt>;

impl From<Diagnostic> for Halt {
    fn from(d: Diagnostic) -> Self {
        Self::Errors(vec![d])
    }
}

/// Collects the results of things that are evaluated side by side, so that one run reports all mistakes.
#[derive(Default)]
pub(crate) struct Gather {
    errors: Vec<Diagnostic>,
    blocked: bool,
    failed: bool,
}

impl Gather {
    /// The value, or `None` after taking note of why there is none.
    pub(crate) fn take<T>(&mut self, result: Eval<T>) -> Option<T> {
        match result {
            Ok(value) => return Some(value),
            Err(Halt::Blocked) => self.blocked = true,
            Err(Halt::Failed) => self.failed = true,
            Err(Halt::Errors(errors)) => self.errors.extend(errors),
        }
        None
    }

    pub(crate) fn push(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// The outcome; errors weigh more than what only has to wait.
    pub(crate) fn finish<T>(self, value: T) -> Eval<T> {
        if !self.errors.is_empty() {
            return Err(Halt::Errors(self.errors));
        }
        match (self.failed, self.blocked) {
            (true, _) => Err(Halt::Failed),
            (false, true) => Err(Halt::Blocked),
            (false, false) => Ok(value),
        }
    }
}

/// The instances of a block that may repeat.
#[derive(Clone, Debug)]
pub(crate) enum Instances {
    Single,
    /// None, where otherwise there would be a single one.
    Disabled,
    Count(u64),
    ForEach(BTreeMap<Arc<str>, Value>),
    /// Nobody knows yet: one stands for all. It has [`InstanceKey::Any`] for its key, or none while validating, when nothing is
    /// said about instances.
    Open {
        key: Option<InstanceKey>,
        repetition: Repetition,
    },
}

impl Instances {
    /// A `count` that is not known.
    pub(crate) fn any_count(validating: bool) -> Self {
        let index = Value::unknown_not_null(sgp_model::Type::Number);
        Self::Open { key: any_key(validating), repetition: Repetition::Count(index) }
    }

    /// A `for_each` whose keys are not known, with what is known of its values.
    pub(crate) fn any_of(value: Value, validating: bool) -> Self {
        let key = Value::unknown_not_null(sgp_model::Type::String);
        Self::Open { key: any_key(validating), repetition: Repetition::Each { key, value } }
    }

    pub(crate) fn keys(&self) -> Vec<Option<InstanceKey>> {
        match self {
            Self::Single => vec![None],
            Self::Disabled => Vec::new(),
            Self::Open { key, .. } => vec![key.clone()],
            Self::Count(n) => (0..*n).map(|i| Some(InstanceKey::Int(i))).collect(),
            Self::ForEach(map) => map.keys().map(|k| Some(InstanceKey::Str(k.clone()))).collect(),
        }
    }

    pub(crate) fn has(&self, key: Option<&InstanceKey>) -> bool {
        match (self, key) {
            (Self::Single, None) => true,
            (Self::Open { key: one, .. }, key) => one.as_ref() == key,
            (Self::Count(n), Some(InstanceKey::Int(i))) => i < n,
            (Self::ForEach(map), Some(InstanceKey::Str(k))) => map.contains_key(k),
            _ => false,
        }
    }
}

fn any_key(validating: bool) -> Option<InstanceKey> {
    (!validating).then_some(InstanceKey::Any {})
}

/// `each` or `count` of one instance.
#[derive(Clone, Debug)]
pub(crate) enum Repetition {
    None,
    Count(Value),
    Each { key: Value, value: Value },
}

impl Repetition {
    pub(crate) fn is_wholly_known(&self) -> bool {
        match self {
            Self::None => true,
            Self::Count(index) => index.is_known(),
            Self::Each { key, value } => key.is_known() && value.is_wholly_known(),
        }
    }

    /// Whether both say the same.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Count(a), Self::Count(b)) => a.same(b),
            (Self::Each { key: k, value: v }, Self::Each { key, value }) => k.same(key) && v.same(value),
            _ => false,
        }
    }

    pub(crate) fn of(instances: &Instances, key: Option<&InstanceKey>) -> Self {
        match (instances, key) {
            (Instances::Count(_), Some(InstanceKey::Int(i))) => {
                Self::Count(Value::int(i64::try_from(*i).unwrap_or(i64::MAX)))
            }
            (Instances::ForEach(map), Some(InstanceKey::Str(k))) => Self::Each {
                key: Value::string(k.clone()),
                value: map.get(k).cloned().unwrap_or_else(Value::dynamic_null),
            },
            (Instances::Open { repetition, .. }, _) => repetition.clone(),
            _ => Self::None,
        }
    }
}

/// One instance of a module.
pub(crate) struct ModuleInfo {
    pub(crate) path: ModulePath,
    pub(crate) config: Arc<Module>,
    /// Where it is called from, unless it is the root.
    pub(crate) outer: Option<Outer>,
}

impl ModuleInfo {
    /// Whether `each` and `count` of the calls around it are known, so that they stay what they are.
    pub(crate) fn is_settled(&self) -> bool {
        self.outer.as_ref().is_none_or(|outer| outer.is_settled)
    }
}

/// The call that made a module instance.
pub(crate) struct Outer {
    pub(crate) module: Arc<ModuleInfo>,
    pub(crate) call: Arc<ModuleCall>,
    pub(crate) repetition: Repetition,
    /// Whether the repetition, and that of every call around it, is known.
    pub(crate) is_settled: bool,
}

/// What an expression is evaluated in.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) module: &'a Arc<ModuleInfo>,
    pub(crate) repetition: &'a Repetition,
    /// `self` in postconditions.
    pub(crate) itself: Option<&'a Value>,
    /// The variable whose validation this is, with its value.
    pub(crate) own: Option<(&'a Arc<str>, &'a Value)>,
    /// Names of `for` expressions and `dynamic` blocks, innermost first.
    pub(crate) scope: Option<&'a Scope<'a>>,
    /// The element that the innermost splat is at.
    pub(crate) item: Option<&'a Value>,
    /// The only names there are, in template files.
    pub(crate) only: Option<&'a BTreeMap<Arc<str>, Value>>,
}

/// One name, and the names around it.
pub(crate) struct Scope<'a> {
    pub(crate) name: &'a Arc<str>,
    pub(crate) value: Value,
    pub(crate) outer: Option<&'a Scope<'a>>,
}

impl<'a> Env<'a> {
    pub(crate) fn new(module: &'a Arc<ModuleInfo>, repetition: &'a Repetition) -> Self {
        Self { module, repetition, itself: None, own: None, scope: None, item: None, only: None }
    }

    /// The same with one name more.
    pub(crate) fn with<'b>(&self, scope: &'b Scope<'b>) -> Env<'b>
    where
        'a: 'b,
    {
        Env { scope: Some(scope), ..*self }
    }
}
