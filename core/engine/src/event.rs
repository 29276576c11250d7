//! What happens during a run, as one closed set of events; terminal, JSON and test renderers are readers of it.

use std::{sync::Arc, time::Duration};

use sgp_contract::Rollout;
use sgp_model::{Diagnostic, InstanceAddr, plan::Action};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Recorded objects of one type are about to be read in bulk.
    RefreshStart {
        /// The type.
        type_name: Arc<str>,
        /// How many.
        count: usize,
    },
    /// They were read.
    RefreshComplete {
        /// The type.
        type_name: Arc<str>,
        /// How many.
        count: usize,
        /// How long it took.
        elapsed: Duration,
    },
    /// A data source is about to be read.
    ReadStart {
        /// The data source.
        addr: InstanceAddr,
    },
    /// It was read.
    ReadComplete {
        /// The data source.
        addr: InstanceAddr,
        /// Its `id`, where it has one.
        id: Option<String>,
        /// How long it took.
        elapsed: Duration,
    },
    /// An ephemeral resource is about to be opened, renewed or closed.
    EphemeralStart {
        /// The resource.
        addr: InstanceAddr,
        /// Which of the three.
        op: EphemeralOp,
    },
    /// It was, or could not be.
    EphemeralComplete {
        /// The resource.
        addr: InstanceAddr,
        /// Which of the three.
        op: EphemeralOp,
        /// How long it took.
        elapsed: Duration,
    },
    /// The outcome of an interrupted run was found out.
    Recovered {
        /// The object.
        addr: InstanceAddr,
        /// What was found: a short sentence.
        what: String,
    },
    /// A step begins.
    ApplyStart {
        /// The object.
        addr: InstanceAddr,
        /// Create, update, delete or read; a replacement is two steps.
        action: Action,
        /// The deposed key, when a deposed object is meant.
        deposed: Option<String>,
        /// Its id, when it is known.
        id: Option<String>,
    },
    /// A step goes on; sent when the status changes and every ten seconds.
    ApplyProgress {
        /// The object.
        addr: InstanceAddr,
        /// Create, update, delete or read.
        action: Action,
        /// What is being waited for, when the provider said so.
        status: Option<String>,
        /// Since the step began.
        elapsed: Duration,
    },
    /// A step is done.
    ApplyComplete {
        /// The object.
        addr: InstanceAddr,
        /// Create, update, delete or read.
        action: Action,
        /// Its id, when it is known.
        id: Option<String>,
        /// Since the step began.
        elapsed: Duration,
    },
    /// A step failed.
    ApplyErrored {
        /// The object.
        addr: InstanceAddr,
        /// Create, update, delete or read.
        action: Action,
        /// Since the step began.
        elapsed: Duration,
    },
    /// A step is not done because one that it needs failed or the run was interrupted.
    Skipped {
        /// The object.
        addr: InstanceAddr,
        /// Create, update, delete or read.
        action: Action,
    },
    /// The keys of a deferred block are known: its instances are planned, and applied in the same run.
    Expanded {
        /// The address that stood for all instances.
        addr: InstanceAddr,
        /// How many there are.
        instances: usize,
    },
    /// What runs around the plan is about to be asked.
    LookStart,
    /// It was asked.
    LookComplete,
    /// The pods of a workload are about to be made anew, or a rollout of theirs is waited for.
    RolloutStart {
        /// `Deployment app/backend`.
        workload: String,
        /// Which of the two.
        rollout: Rollout,
    },
    /// It goes on; sent when the status changes and every ten seconds.
    RolloutProgress {
        /// `Deployment app/backend`.
        workload: String,
        /// What is being waited for.
        status: String,
        /// Since it began.
        elapsed: Duration,
    },
    /// The new pods run, and no old ones do.
    RolloutComplete {
        /// `Deployment app/backend`.
        workload: String,
        /// Restarted, or waited for.
        rollout: Rollout,
        /// Since it began.
        elapsed: Duration,
    },
    /// It failed.
    RolloutErrored {
        /// `Deployment app/backend`.
        workload: String,
        /// Restarted, or waited for.
        rollout: Rollout,
        /// Since it began.
        elapsed: Duration,
    },
    /// Something to tell at once instead of at the end.
    Diagnostic(Diagnostic),
}

/// What is done with an ephemeral resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EphemeralOp {
    /// Opened.
    Open,
    /// Made to last longer.
    Renew,
    /// Closed.
    Close,
}

/// Receives events; called from many tasks, so it must not block for long.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> EventSink for F {
    fn emit(&self, event: Event) {
        self(event);
    }
}
