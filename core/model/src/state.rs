//! Recorded state: what was made, and what is known of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AttrPath, DeposedKey, InstanceAddr, ProviderAddr, ResourceAddr, Type, Value, checks::CheckResult};

/// Whether an object is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectStatus {
    /// Complete.
    #[default]
    Ready,
    /// Its creation failed half way, or a person said so: the next plan replaces it.
    Tainted,
}

/// Which object of an instance: the current one (`None`) or a deposed one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The instance.
    pub addr: InstanceAddr,
    /// The deposed key, for an object that waits for its deletion after create-before-destroy.
    pub deposed: Option<DeposedKey>,
}

impl RecordKey {
    /// The current object of an instance.
    pub fn current(addr: InstanceAddr) -> Self {
        Self { addr, deposed: None }
    }
}

/// One object in the state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// The provider configuration that made it and will delete it.
    pub provider: ProviderAddr,
    /// The version of the schema that `attributes` follow.
    pub schema_version: u64,
    /// An object; typed by the schema, or with implied types when it came out of JSON (the engine converts on load).
    /// Carries no marks: see `sensitive_paths`.
    pub attributes: Value,
    /// Which parts are sensitive because the configuration said so (the schema says the rest).
    pub sensitive_paths: Vec<AttrPath>,
    /// Whether it is trusted.
    pub status: ObjectStatus,
    /// Resources that must outlive this object, directly or not; keeps the order of destruction when the configuration is gone.
    pub dependencies: Vec<ResourceAddr>,
    /// Whether its replacement is made first.
    pub create_before_destroy: bool,
    /// Whether it is let go in place of being destroyed, also when the configuration is gone.
    pub skip_destroy: bool,
    /// Bytes of Terraform's provider that travel through `import-terraform` and back, untouched.
    pub private: Option<String>,
}

/// An output value of the root module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// The value, without marks.
    pub value: Value,
    /// Its type as the person declared or the expression gave it.
    pub ty: Type,
    /// Whether it is redacted.
    pub sensitive: bool,
}

/// A snapshot of the whole state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Grows by one for each run that changes anything.
    pub serial: u64,
    /// A UUID, given once; two states with different lineages are never the same thing.
    pub lineage: String,
    /// By address.
    #[serde(with = "crate::pairs")]
    pub instances: BTreeMap<RecordKey, InstanceRecord>,
    /// Outputs of the root module, by name.
    pub outputs: BTreeMap<String, OutputRecord>,
    /// What became of the conditions of the configuration in the last apply of all of it. They are of no older serial.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckResult>,
}

impl State {
    /// The current object of an instance.
    pub fn current(&self, addr: &InstanceAddr) -> Option<&InstanceRecord> {
        self.instances.get(&RecordKey::current(addr.clone()))
    }

    /// Every instance of a resource, current and deposed.
    pub fn of_resource<'a>(
        &'a self,
        resource: &'a ResourceAddr,
    ) -> impl Iterator<Item = (&'a RecordKey, &'a InstanceRecord)> {
        let first = RecordKey::current(resource.instance(None));
        self.instances.range(first..).take_while(move |(k, _)| k.addr.resource == *resource)
    }
}

/// What a journal entry says was about to happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Unique; given to the API as client token where there is one.
    pub token: String,
    /// The object.
    pub key: RecordKey,
    /// What was about to be done.
    pub operation: Operation,
    /// The provider configuration.
    pub provider: ProviderAddr,
    /// For a creation: every argument as it was about to be sent (generated names included), unknown parts left out.
    /// For an update or deletion: the prior attributes.
    pub attributes: Value,
    /// When, in seconds since the epoch, by the clock of the machine that wrote it.
    pub at: i64,
    /// For a creation: dependencies, to be recorded on adoption.
    pub dependencies: Vec<ResourceAddr>,
    /// For a creation: whether its replacement is made first.
    pub create_before_destroy: bool,
}

/// A mutation of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// It comes into being.
    Create,
    /// It changes in place.
    Update,
    /// It goes.
    Delete,
}
