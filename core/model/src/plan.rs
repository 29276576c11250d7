//! A plan: what will change and in which order, with nothing left to decide.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{AttrPath, DeposedKey, Diagnostics, InstanceAddr, ProviderAddr, ResourceAddr, Value, checks::CheckResult};

/// What kind of run made the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanMode {
    /// Make the world as the configuration says.
    #[default]
    Normal,
    /// Make everything go.
    Destroy,
    /// Record what really exists, change nothing.
    RefreshOnly,
}

/// What happens to one object, as a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It comes into being.
    Create,
    /// A data source is read during apply, because its arguments are not known yet.
    Read,
    /// It changes in place.
    Update,
    /// Deleted, then created anew.
    DeleteThenCreate,
    /// Created anew, then the old one deleted.
    CreateThenDelete,
    /// Let go, then created anew: the old object goes on existing.
    ForgetThenCreate,
    /// It goes.
    Delete,
    /// It leaves the state and goes on existing.
    Forget,
}

impl Action {
    /// Whether the object is replaced, in whatever order.
    pub fn is_replace(self) -> bool {
        matches!(self, Self::DeleteThenCreate | Self::CreateThenDelete | Self::ForgetThenCreate)
    }

    /// Whether an object that is there goes.
    pub fn destroys(self) -> bool {
        matches!(self, Self::Delete | Self::DeleteThenCreate | Self::CreateThenDelete)
    }
}

/// Why an action is planned, where the diff alone does not say it. Named as Terraform's plan JSON names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// An attribute cannot change in place: see `replace_paths`.
    ReplaceBecauseCannotUpdate,
    /// Its creation failed, or `taint` was run.
    ReplaceBecauseTainted,
    /// `-replace` names it.
    ReplaceByRequest,
    /// The cluster it lives in is replaced.
    ReplaceBecauseClusterIsReplaced {
        /// The cluster.
        cluster: InstanceAddr,
    },
    /// Something that its `replace_triggered_by` names changes.
    ReplaceByTriggers {
        /// The first of those that do: an instance, or an attribute of one.
        trigger: String,
    },
    /// No such block in the configuration any more.
    DeleteBecauseNoResourceConfig,
    /// The module call is gone.
    DeleteBecauseNoModule,
    /// `count` or `for_each` came or went.
    DeleteBecauseWrongRepetition,
    /// `count` is smaller now.
    DeleteBecauseCountIndex,
    /// The key is not in `for_each` any more.
    DeleteBecauseEachKey,
    /// `enabled` is false.
    DeleteBecauseEnabledFalse,
    /// Left over from a replacement.
    DeleteBecauseDeposed,
    /// The arguments of the data source are not known yet.
    ReadBecauseConfigUnknown,
    /// Something that the data source depends on changes.
    ReadBecauseDependencyPending,
}

/// What happens to one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceChange {
    /// The instance.
    pub addr: InstanceAddr,
    /// The deposed object that is meant, instead of the current one.
    pub deposed: Option<DeposedKey>,
    /// Where it was before a `moved` block or a repetition change.
    pub previous_addr: Option<InstanceAddr>,
    /// Which provider configuration does it.
    pub provider: ProviderAddr,
    /// What happens.
    pub action: Action,
    /// Why, beside the diff.
    pub reason: Option<Reason>,
    /// The object before, marks included; null when there is none.
    pub before: Value,
    /// The object after, marks included, unknown where apply will tell; null when there is none.
    pub after: Value,
    /// What the configuration says, after evaluation: what `after` was made from. Write-only arguments that are set are unknown in it.
    /// Null for deletions.
    pub config: Value,
    /// The attributes that force the replacement.
    pub replace_paths: Vec<AttrPath>,
    /// The import id, when the object is adopted by this plan.
    pub importing: Option<String>,
    /// Recorded with the object: what must outlive it.
    pub dependencies: Vec<ResourceAddr>,
    /// Recorded with the object: whether its replacement is made first.
    pub create_before_destroy: bool,
}

impl ResourceChange {
    /// Whether it changes nothing but which parts count as secrets.
    pub fn is_of_marks(&self) -> bool {
        self.before.same(&self.after) && self.before.sensitive_paths() != self.after.sensitive_paths()
    }
}

/// Why something is planned only during apply. Named as Terraform's plan JSON names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeferredReason {
    /// The keys of `count` or `for_each`, of the block itself or of a module around it, are known only after apply.
    InstanceCountUnknown,
}

/// A block whose instances are planned during apply, once their keys are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeferredChange {
    /// Why.
    pub reason: DeferredReason,
    /// What decides the keys: references as they are written (`aws_iam_role.this.arn`), or the objects behind them. Sorted.
    pub waits_for: Vec<String>,
    /// What is known of each instance. The address stands for all of them ([`InstanceAddr::is_open`]); the action is
    /// [`Action::Create`], or [`Action::Read`] for a data source.
    pub change: ResourceChange,
    /// Recorded instances. Until the keys are known they stay as they are.
    pub existing: Vec<InstanceAddr>,
}

/// A preflight rule that somebody decided to live with on the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedCheck {
    /// The rule: `SGP104`.
    pub rule: String,
    /// The object it is skipped for; all when there is none.
    pub addr: Option<InstanceAddr>,
    /// Why.
    pub reason: String,
}

/// What one step does. A replacement is two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// Creates the object.
    Create,
    /// Changes it in place.
    Update,
    /// Deletes it.
    Delete,
    /// Reads a data source.
    Read,
    /// Records the object as it is (refresh-only, import without change, changed dependencies).
    Record,
    /// Takes the record out of the state, nothing else.
    Forget,
    /// Does nothing: stands for a value (a local, an output) that many steps wait for, so that edges stay few.
    Join,
}

/// The place of a step in [`Plan::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId(pub u32);

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The place of its change in [`Plan::changes`]; none for [`Op::Join`].
    pub change: Option<u32>,
    /// What to do.
    pub op: Op,
    /// Steps that must be done before.
    pub after: Vec<StepId>,
}

/// What happens to an output of the root module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputChange {
    /// What happens.
    pub action: Action,
    /// Before, null when there was none.
    pub before: Value,
    /// After, unknown where apply will tell.
    pub after: Value,
    /// Whether it is redacted.
    pub sensitive: bool,
}

/// What a preflight rule found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preflight {
    /// The rule: `SGP104`.
    pub rule: String,
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// The object it is about.
    pub addr: Option<InstanceAddr>,
    /// The attribute.
    pub attribute: Option<String>,
    /// What is wrong, in words that never vary.
    pub summary: String,
    /// What is wrong here, what happens, what to do.
    pub detail: String,
    /// Why it does not count, when somebody decided so; empty when no reason was given.
    pub skipped: Option<String>,
}

/// What runs, as far as it was looked at while a plan was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Whether AWS and the clusters were asked.
    pub asked: bool,
    /// What could not be looked at, in sentences.
    pub unseen: Vec<String>,
    /// Pods that keep groups which they would not get after the plan.
    pub kept: Vec<KeptPods>,
}

/// Running pods of one workload that keep their groups until they are made anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPods {
    /// The cluster's name.
    pub cluster: String,
    /// The namespace.
    pub namespace: String,
    /// What made them: `Deployment`; `Pod` for one that nothing made.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The pods' names.
    pub pods: Vec<String>,
    /// What they carry.
    pub now: PodGroups,
    /// What they would get.
    pub then: PodGroups,
    /// What makes them anew.
    pub anew: Anew,
}

/// Whose groups pods have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PodGroups {
    /// Groups of their own: ids (or the references that stand for them) with their names.
    Own(Vec<(String, String)>),
    /// Those of their nodes.
    OfNodes,
    /// Nobody can say.
    Unknown,
}

/// What makes running pods anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anew {
    /// A restart of their workload.
    Restart,
    /// The plan: it changes their template.
    Plan,
    /// Their maker, once somebody deletes them.
    Deletion,
    /// A restart of their workload, once it is resumed.
    Resume,
    /// They end by themselves, and those of the next run are made anew.
    NextRun,
    /// Whatever made them, which is nothing of Kubernetes' own.
    Maker,
    /// Nothing: nothing made them.
    Nothing,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The kind of run.
    pub mode: PlanMode,
    /// The state that it was made from.
    pub lineage: String,
    /// The serial of that state.
    pub serial: u64,
    /// SHA-256 over the configuration's files, hexadecimal.
    pub config_digest: String,
    /// Input variables of the root module, marks included.
    pub variables: BTreeMap<String, Value>,
    /// Ephemeral variables that were given a value: it is not here, and apply must be given one again.
    #[serde(default)]
    pub ephemeral_variables: Vec<String>,
    /// When it was made, seconds since the epoch.
    pub timestamp: i64,
    /// The version of the tool.
    pub version: String,
    /// `-target`, as given; a plan with targets may leave things undone.
    pub targets: Vec<String>,
    /// What happens to each object, in the order of addresses; objects without a change are here as no-ops.
    pub changes: Vec<ResourceChange>,
    /// What to do, in an order that can be walked.
    pub steps: Vec<Step>,
    /// Blocks whose instances are planned during apply, by address.
    #[serde(default)]
    pub deferred: Vec<DeferredChange>,
    /// Steps that wait for deferred instances: they are taken once those are planned, judged again by then. In order.
    #[serde(default)]
    pub held: Vec<StepId>,
    /// The steps that ephemeral resources have to be open for; one that is not here has to be open to the end of the apply.
    #[serde(with = "crate::pairs", default)]
    pub open_for: BTreeMap<InstanceAddr, Vec<StepId>>,
    /// What changed outside since the last run: recorded against refreshed.
    pub drift: Vec<ResourceChange>,
    /// Outputs of the root module.
    pub outputs: BTreeMap<String, OutputChange>,
    /// The state after refresh that the changes start from, by address, marks left out.
    pub refreshed: Arc<crate::State>,
    /// Data that was read during the plan, by address, marks included.
    #[serde(with = "crate::pairs")]
    pub data: BTreeMap<InstanceAddr, Value>,
    /// Planned objects that hold something unknown, with symbols (see [`crate::symbol`]) where ids will be, for whoever judges
    /// the plan.
    #[serde(with = "crate::pairs", default)]
    pub symbolic: BTreeMap<InstanceAddr, Value>,
    /// What the preflight rules found, what somebody decided to live with included.
    #[serde(default)]
    pub preflight: Vec<Preflight>,
    /// What became of the conditions of the configuration.
    #[serde(default)]
    pub checks: Vec<CheckResult>,
    /// Rules that the command line skipped; they are skipped for deferred instances, too.
    #[serde(default)]
    pub skipped_checks: Vec<SkippedCheck>,
    /// What runs, as far as it was looked at. Nothing of it is applied.
    #[serde(default)]
    pub running: Running,
    /// Warnings of the plan, to be shown again.
    pub diagnostics: Diagnostics,
    /// Whether it can be applied at all.
    pub errored: bool,
}

/// How many objects each action concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Adopted by import.
    pub import: usize,
    /// Created, replacements included.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Deleted, replacements included.
    pub destroy: usize,
}

impl Summary {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            import: self.import + other.import,
            add: self.add + other.add,
            change: self.change + other.change,
            destroy: self.destroy + other.destroy,
        }
    }
}

impl Plan {
    /// Counts the changes as the summary line does.
    pub fn summary(&self) -> Summary {
        self.changes.iter().fold(Summary::default(), |mut s, c| {
            s.import += usize::from(c.importing.is_some());
            s.add += usize::from(c.action == Action::Create || c.action.is_replace());
            s.change += usize::from(c.action == Action::Update);
            s.destroy += usize::from(c.action.destroys());
            s
        })
    }

    /// Whether a part of it is planned only during apply.
    pub fn is_deferring(&self) -> bool {
        !self.deferred.is_empty() || !self.held.is_empty()
    }

    /// Whether applying it would change an object, an output or the state.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|c| c.action == Action::NoOp && c.importing.is_none() && c.previous_addr.is_none())
            && self.outputs.values().all(|o| o.action == Action::NoOp)
            && self.deferred.is_empty()
            && (self.mode != PlanMode::RefreshOnly || self.drift.is_empty())
    }
}
