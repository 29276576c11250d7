//! `-rollout`: what makes running pods that keep their groups is restarted after an apply, one workload at a time.
//!
//! A restart is no object of the state and is not journaled: whoever interrupts it loses nothing, and the next run finds the pods that
//! are left.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sgp_analysis::{build::build, running::kept};
use sgp_contract::{Client, Context, ContextEvents, Provider, Rollout, Slot, StoreError, Workload};
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, Mode, ModulePath, Plan, ResourceAddr, State, Value,
    plan::{Anew, KeptPods, PlanMode},
};
use tokio::sync::watch;

use crate::{
    Event, Interrupt, Session,
    clients::Clients,
    foresight, planner,
    survey::{self, Around},
};

/// A rollout in which nothing moves for so long does not end.
const STANDSTILL: Duration = Duration::from_mins(10);

/// How often a person hears that something still goes on.
const STILL_GOING: Duration = Duration::from_secs(10);

/// How it went.
#[derive(Default)]
pub(crate) struct Rolled {
    /// Workloads that were restarted, and run.
    pub(crate) restarted: usize,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) interrupted: bool,
}

/// Restarts the workloads that a plan told of, those that still need it. Stops at the first that fails.
pub(crate) async fn roll_out(session: &Session, plan: &Plan) -> Rolled {
    let mut rolled = Rolled::default();
    let (own, others) = (of_kind(plan, Anew::Restart), of_kind(plan, Anew::Plan));
    if plan.mode != PlanMode::Normal || own.is_empty() && others.is_empty() {
        return rolled;
    }
    let Some(state) = planner::load(session, &mut rolled.diagnostics).await else { return rolled };
    let clients = match survey::clients(session, &state, &mut rolled.diagnostics).await {
        Ok(clients) => clients,
        Err(problems) => {
            rolled.diagnostics.extend(problems);
            return rolled;
        }
    };
    let run = Run { session, clients, state };
    // What the plan restarts by itself may have begun before its policy was there.
    if !run.walk(&others, Rollout::Await, &mut rolled).await {
        return rolled;
    }
    let all: BTreeSet<Workload> = own.union(&others).cloned().collect();
    let left = run.still_need_it(&all, &mut rolled.diagnostics).await;
    if !run.walk(&left, Rollout::Restart, &mut rolled).await {
        return rolled;
    }
    let bare = run.still_need_it(&left, &mut rolled.diagnostics).await;
    if !left.is_empty() && !bare.is_empty() {
        rolled.diagnostics.push(without_groups(&bare));
    }
    rolled
}

/// Workloads by namespace and name.
fn of_kind(plan: &Plan, anew: Anew) -> BTreeSet<Workload> {
    plan.running.kept.iter().filter(|it| it.anew == anew).map(workload).collect()
}

fn workload(kept: &KeptPods) -> Workload {
    Workload {
        cluster: kept.cluster.clone(),
        namespace: kept.namespace.clone(),
        kind: kept.kind.clone(),
        name: kept.name.clone(),
    }
}

fn listed<'a>(all: impl Iterator<Item = &'a Workload>) -> String {
    all.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn without_groups(bare: &BTreeSet<Workload>) -> Diagnostic {
    let detail = format!(
        "After their restart these run with other groups than their policies say: {}. sgp explain NAMESPACE/POD says at which step a pod \
         lost them.",
        listed(bare.iter())
    );
    Diagnostic::warning("Pods made anew without their groups", detail)
}

/// Restarts of one apply.
struct Run<'a> {
    session: &'a Session,
    clients: Clients,
    /// As it is after the apply.
    state: State,
}

impl Run<'_> {
    /// One after the other. Answers whether all of them ended well.
    async fn walk(&self, workloads: &BTreeSet<Workload>, rollout: Rollout, rolled: &mut Rolled) -> bool {
        let mut left = workloads.iter();
        while let Some(workload) = left.next() {
            if *self.session.interrupt.borrow() >= Interrupt::Finish {
                rolled.interrupted = true;
                rolled.diagnostics.push(not_restarted(std::iter::once(workload).chain(left)));
                return false;
            }
            match self.one(workload, rollout).await {
                Ok(()) => rolled.restarted += usize::from(rollout == Rollout::Restart),
                Err(problem) => {
                    rolled.interrupted = *self.session.interrupt.borrow() >= Interrupt::Finish;
                    rolled.diagnostics.push(problem);
                    if left.len() > 0 {
                        rolled.diagnostics.push(not_restarted(left));
                    }
                    return false;
                }
            }
        }
        true
    }

    async fn one(&self, workload: &Workload, rollout: Rollout) -> Result<(), Diagnostic> {
        let Some((provider, client)) = survey::speaker(self.session, &self.clients, &self.state, &workload.cluster)
        else {
            let text = format!("No provider of the state speaks to cluster {}, so {workload} stays.", workload.cluster);
            return Err(Diagnostic::error("Not restarted", text));
        };
        let (name, start) = (workload.to_string(), self.session.clock.monotonic());
        self.session.events.emit(Event::RolloutStart { workload: name.clone(), rollout });
        let ended = self.watched(workload, rollout, provider, client, start).await;
        let elapsed = self.session.clock.monotonic().saturating_sub(start);
        self.session.events.emit(match &ended {
            Ok(()) => Event::RolloutComplete { workload: name, rollout, elapsed },
            Err(_) => Event::RolloutErrored { workload: name, rollout, elapsed },
        });
        ended
    }

    /// Ends at once at the second Ctrl-C.
    async fn watched(
        &self,
        workload: &Workload,
        rollout: Rollout,
        provider: &dyn Provider,
        client: &dyn Client,
        start: Duration,
    ) -> Result<(), Diagnostic> {
        let (_cancel, cancelled) = watch::channel(false);
        let reports =
            Reports { session: self.session.clone(), workload: workload.clone(), start, last: Mutex::default() };
        let cx = Context {
            addr: nobody(),
            token: String::new(),
            timeout: STANDSTILL,
            clock: self.session.clock.clone(),
            events: Arc::new(reports),
            slot: Arc::new(Slot::default()),
            cancelled,
        };
        let mut interrupt = self.session.interrupt.clone();
        let stopped = async {
            if interrupt.wait_for(|it| *it == Interrupt::Now).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = provider.roll_out(client, &cx, workload, rollout) => ended,
            () = stopped => {
                let text = format!("The rollout of {workload} goes on in the cluster; nobody waits for it any more.");
                Err(Diagnostic::error("Interrupted", text))
            }
        }
    }

    /// Those of the workloads some of whose pods have other groups than they would get now. All of them when nobody can say.
    async fn still_need_it(&self, all: &BTreeSet<Workload>, diagnostics: &mut Diagnostics) -> BTreeSet<Workload> {
        if all.is_empty() {
            return BTreeSet::new();
        }
        let meant: BTreeSet<&str> = all.iter().map(|it| it.cluster.as_str()).collect();
        let Around { sources, diagnostics: unseen } =
            survey::around(self.session, &self.clients, &self.state, |name| meant.contains(name)).await;
        let is_whole = meant.iter().all(|name| sources.complete_clusters.iter().any(|it| it == name));
        if !is_whole {
            diagnostics.extend(unseen);
            return all.clone();
        }
        let mut now = foresight::of_state(&self.state);
        now.objects.extend(sources.objects);
        (now.complete_clusters, now.complete_vpcs) = (sources.complete_clusters, sources.complete_vpcs);
        let topology = build(&now);
        let found = kept(&topology, &topology, &BTreeSet::new());
        let key = |it: &sgp_analysis::running::Kept| {
            let (cluster, namespace, kind, name) = it.workload.clone();
            Workload { cluster: cluster.as_str().to_owned(), namespace, kind, name }
        };
        let found: BTreeSet<Workload> = found.iter().map(key).collect();
        all.intersection(&found).cloned().collect()
    }
}

fn not_restarted<'a>(left: impl Iterator<Item = &'a Workload>) -> Diagnostic {
    let detail =
        format!("Their pods keep the groups that they have: {}. Run sgp apply -rollout again to go on.", listed(left));
    Diagnostic::warning("Workloads not restarted", detail)
}

/// A restart is of no object of the state.
fn nobody() -> InstanceAddr {
    ResourceAddr {
        module: ModulePath::root(),
        mode: Mode::Managed,
        type_name: "kubernetes_manifest".into(),
        name: "workload".into(),
    }
    .instance(None)
}

/// Tells a status when it is new, and any status again after a while.
struct Reports {
    session: Session,
    workload: Workload,
    start: Duration,
    last: Mutex<(String, Duration)>,
}

#[async_trait::async_trait]
impl ContextEvents for Reports {
    async fn checkpoint(&self, _: &InstanceAddr, _: &Value) -> Result<(), StoreError> {
        Ok(())
    }

    fn progress(&self, _: &InstanceAddr, status: &str) {
        let elapsed = self.session.clock.monotonic().saturating_sub(self.start);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 == status && elapsed.saturating_sub(last.1) < STILL_GOING {
            return;
        }
        *last = (status.to_owned(), elapsed);
        let workload = self.workload.to_string();
        self.session.events.emit(Event::RolloutProgress { workload, status: status.to_owned(), elapsed });
    }
}
