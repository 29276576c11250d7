//! What a command asks of the engine, and what it gets.

use std::{collections::BTreeMap, sync::Arc};

use sgp_contract::{Clock, StateStore};
use sgp_lang::{Config, Files, Inputs};
use sgp_model::{
    Diagnostics, InstanceAddr, Plan, Value,
    address::ParsedAddr,
    plan::{PlanMode, Summary},
    state::OutputRecord,
};
use tokio::sync::watch;

use crate::{EventSink, Registry};

/// Everything that a run needs; made by the composition root.
#[derive(Clone)]
pub struct Session {
    /// The providers.
    pub registry: Arc<Registry>,
    /// The configuration.
    pub config: Arc<Config>,
    /// Variables and paths.
    pub inputs: Inputs,
    /// For `file()` and its relatives.
    pub files: Arc<dyn Files + Send + Sync>,
    /// Where the state is.
    pub store: Arc<dyn StateStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub events: Arc<dyn EventSink>,
    /// How the person interrupts.
    pub interrupt: watch::Receiver<Interrupt>,
    /// The version of the tool, recorded in plans.
    pub version: String,
}

/// What the person asked for with Ctrl-C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interrupt {
    /// Nothing.
    #[default]
    None,
    /// Finish what is in flight, start nothing more, save.
    Finish,
    /// Stop at once.
    Now,
}

/// How to plan.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// Normal, destroy or refresh-only.
    pub mode: PlanMode,
    /// `-target`: only these and what they depend on.
    pub targets: Vec<ParsedAddr>,
    /// `-replace`.
    pub replace: Vec<InstanceAddr>,
    /// Whether to read what really exists first.
    pub refresh: bool,
    /// `-skip-check`: findings that do not count.
    pub skipped_checks: Vec<sgp_checks::Suppression>,
    /// `-live`: whether to ask what runs in the networks and clusters of the state. Without a word it is asked where the plan changes
    /// something that concerns pods of a cluster that is there, unless [`Self::refresh`] is off.
    pub live: Option<bool>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            mode: PlanMode::Normal,
            targets: Vec::new(),
            replace: Vec::new(),
            refresh: true,
            skipped_checks: Vec::new(),
            live: None,
        }
    }
}

/// A plan and what there is to say about it.
#[derive(Debug)]
pub struct Planned {
    /// The plan; absent when there are errors that leave nothing to show. One that preflight rules refuse is here, with their errors
    /// among the diagnostics.
    pub plan: Option<Plan>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// How to apply.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions {
    /// How many mutating steps may run at the same time against one endpoint.
    pub parallelism: usize,
    /// Whether workloads whose running pods keep other groups than they would get are restarted after the steps.
    pub rollout: bool,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self { parallelism: 10, rollout: false }
    }
}

/// How an apply ended.
#[derive(Debug)]
pub struct Outcome {
    /// What was really done.
    pub done: Summary,
    /// Workloads that were restarted, and run.
    pub restarted: usize,
    /// Outputs of the root module as recorded now.
    pub outputs: BTreeMap<String, OutputRecord>,
    /// What data sources answered that were read during the apply.
    pub read: BTreeMap<InstanceAddr, Value>,
    /// Objects that were let go in place of being destroyed: they exist, and the state does not have them any more. A destruction
    /// of everything that leaves some is done, and not what was asked for.
    pub forgotten: Vec<InstanceAddr>,
    /// Errors and warnings; with an error the exit code is 1.
    pub diagnostics: Diagnostics,
    /// Whether the person interrupted it.
    pub interrupted: bool,
}

/// What `sgp import` found and recorded.
#[derive(Debug)]
pub struct Imported {
    /// The object, absent when it failed.
    pub object: Option<Value>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}
