//! Whether conditions of the configuration hold: of `validation`, `precondition`, `postcondition` and `check` blocks.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{InstanceKey, ModulePath, ResourceAddr};

/// What became of a condition, or of all conditions of something. The worse one is the greater one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// It holds.
    #[default]
    Pass,
    /// That is known after apply.
    Unknown,
    /// It does not hold.
    Fail,
    /// It could not be evaluated.
    Error,
}

/// Something in the configuration that has conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checkable {
    /// A resource or data source: preconditions and postconditions.
    Resource(ResourceAddr),
    /// An output: preconditions.
    OutputValue(ModulePath, Arc<str>),
    /// A `check` block.
    Check(ModulePath, Arc<str>),
    /// A variable: validation rules.
    Var(ModulePath, Arc<str>),
}

impl Checkable {
    /// The module that it stands in.
    pub fn module(&self) -> &ModulePath {
        match self {
            Self::Resource(addr) => &addr.module,
            Self::OutputValue(module, _) | Self::Check(module, _) | Self::Var(module, _) => module,
        }
    }

    /// The same without the keys of its modules: the block in the configuration.
    #[must_use]
    pub fn without_keys(&self) -> Self {
        match self {
            Self::Resource(addr) => Self::Resource(addr.without_keys()),
            Self::OutputValue(module, name) => Self::OutputValue(module.without_keys(), name.clone()),
            Self::Check(module, name) => Self::Check(module.without_keys(), name.clone()),
            Self::Var(module, name) => Self::Var(module.without_keys(), name.clone()),
        }
    }
}

impl fmt::Display for Checkable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (module, word, name) = match self {
            Self::Resource(addr) => return write!(f, "{addr}"),
            Self::OutputValue(module, name) => (module, "output", name),
            Self::Check(module, name) => (module, "check", name),
            Self::Var(module, name) => (module, "var", name),
        };
        if !module.is_root() {
            write!(f, "{module}.")?;
        }
        write!(f, "{word}.{name}")
    }
}

/// The conditions of one block of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The block, its modules without keys.
    pub block: Checkable,
    /// The worst of its instances; what has none passes.
    pub status: CheckStatus,
    /// Each instance of it, in the order of addresses.
    pub instances: Vec<CheckedInstance>,
}

/// The conditions of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedInstance {
    /// With the keys of its modules.
    pub object: Checkable,
    /// The key of a resource instance.
    pub key: Option<InstanceKey>,
    /// The worst of its conditions.
    pub status: CheckStatus,
    /// The messages of those that do not hold.
    pub problems: Vec<String>,
}

impl fmt::Display for CheckedInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.object)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, "{key}"))
    }
}
