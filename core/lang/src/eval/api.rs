//! What the evaluator is given and what it asks for.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{AttrPath, Diagnostics, InstanceAddr, Mode, ProviderAddr, Schema, Span, Value};

use super::DepsView;
use crate::config::ResourceBlock;

/// Which types and providers there are.
pub trait Schemas {
    /// The schema of a resource type or data source.
    fn resource(&self, mode: Mode, type_name: &str) -> Option<&'static Schema>;
    /// The provider that a type belongs to, when there is such a type.
    fn provider_for(&self, type_name: &str) -> Option<&'static str>;
    /// The schema of a `provider` block.
    fn provider_config(&self, provider: &str) -> Option<&'static Schema>;
    /// All resource types or data sources, sorted.
    fn resource_names(&self, mode: Mode) -> Vec<&'static str>;
    /// All providers, sorted.
    fn provider_names(&self) -> Vec<&'static str>;
}

/// One evaluated instance, as the evaluator hands it to the world.
pub struct Configured<'a> {
    /// Its address.
    pub addr: &'a InstanceAddr,
    /// Its configuration, in the type of its schema: null where nothing is said, unknown where it is not known yet.
    pub config: Value,
    /// The provider configuration it belongs to.
    pub provider: ProviderAddr,
    /// Its block: lifecycle and places.
    pub block: &'a ResourceBlock,
    /// What its `replace_triggered_by` names; each was evaluated before.
    pub triggers: &'a [Triggered],
}

/// Objects whose change replaces another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triggered {
    /// The instances.
    pub instances: Vec<InstanceAddr>,
    /// The attribute that must change; the root of the object for any change.
    pub path: AttrPath,
}

/// What an instance is.
pub enum Answer {
    /// The object; remembered.
    Value(Value),
    /// The object as far as is known; forgotten, with everything that used it, as soon as the world is touched.
    Provisional(Value),
    /// Something must be read first; ask again after the world was touched.
    Blocked,
    /// It cannot be. Empty when the reason was told elsewhere.
    Failed(Diagnostics),
}

/// Knows what instances are.
pub trait World {
    /// What the instance is, now that its configuration is known. Asked at most once between two accesses through
    /// [`world_mut`](super::Evaluator::world_mut).
    fn object(&mut self, configured: Configured<'_>, deps: &DepsView<'_>) -> Answer;
}

/// What the console answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// The value of the expression.
    Value(Value),
    /// The type that `type(...)` asked for.
    Type(sgp_model::Type),
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The world has to read something first.
    Blocked,
    /// There was an error; it is among the evaluator's diagnostics.
    Failed,
}

/// The value of a variable, as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableInput {
    /// What was given.
    pub given: Given,
    /// Where it comes from, for messages: `-var`, `the environment variable TF_VAR_x`, `prod.tfvars`.
    pub from: String,
    /// The place in a file, when it comes from one.
    pub span: Option<Span>,
}

/// A variable's value before it has its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A value, from a file of values.
    Value(Value),
    /// Text, from the command line or the environment: an HCL expression unless the variable is a string.
    Text(String),
}

/// Everything that an evaluation depends on beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Values for the variables of the root module.
    pub variables: BTreeMap<String, VariableInput>,
    /// The name of the workspace; `default` when empty.
    pub workspace: String,
    /// `path.cwd`: the working directory, absolute.
    pub cwd: String,
    /// When the run started, in seconds since the epoch.
    pub timestamp: i64,
    /// What only the apply phase has; without it `timestamp`, `uuid` and `bcrypt` are unknown.
    pub impure: Option<Impure>,
    /// Checks the configuration alone: variables without a default are unknown, and so are `each` and `count`.
    pub validating: bool,
}

/// Fills bytes with randomness.
pub type Random = dyn Fn(&mut [u8]) + Send + Sync;

/// Inputs of the functions whose results differ from call to call.
#[derive(Clone)]
pub struct Impure {
    /// The time now, in seconds since the epoch.
    pub timestamp: i64,
    /// Fills the bytes with randomness.
    pub random: Arc<Random>,
}

impl std::fmt::Debug for Impure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Impure").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}
