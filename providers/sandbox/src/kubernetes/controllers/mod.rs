//! What works in the clusters: nodes, schedulers, workloads, the VPC CNI, AWS's VPC resource controller.
//!
//! Controllers follow the objects' history with a cursor for each cluster. Each change is shown to every controller
//! ([`Controller::observe`]), which says what it wants to look at, and each thing is looked at once however often it changed
//! ([`Controller::reconcile`]). So the work follows from what changed, not from what there is. What they remember between two looks
//! ([`Caches`]) follows from the stored objects: after a start all objects are shown once, and the work goes on.

mod cluster_roles;
mod context;
mod disruption;
mod endpoints;
mod events;
mod fargate;
mod kubelet;
mod nodes;
pub mod pod_eni;
mod queue;
mod scheduler;
mod service_accounts;
#[cfg(test)]
mod tests;
mod vpc_cni;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::objects::{Event, Kind};
use crate::world::World;
use context::Context;
use queue::{Item, Queue};

/// The controllers, in the order in which they see a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    Events,
    ServiceAccounts,
    ClusterRoles,
    Nodes,
    Deployments,
    ReplicaSets,
    StatefulSets,
    DaemonSets,
    Jobs,
    CronJobs,
    Disruption,
    Endpoints,
    Scheduler,
    VpcCni,
    PodEniNodes,
    PodEniPods,
    PodEniQueue,
    Fargate,
    Kubelet,
}

impl Name {
    const ALL: [Self; 19] = [
        Self::Events,
        Self::ServiceAccounts,
        Self::ClusterRoles,
        Self::Nodes,
        Self::Deployments,
        Self::ReplicaSets,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::Jobs,
        Self::CronJobs,
        Self::Disruption,
        Self::Endpoints,
        Self::Scheduler,
        Self::VpcCni,
        Self::PodEniNodes,
        Self::PodEniPods,
        Self::PodEniQueue,
        Self::Fargate,
        Self::Kubelet,
    ];

    fn controller(self) -> &'static Controller {
        match self {
            Self::Events => &events::CONTROLLER,
            Self::ServiceAccounts => &service_accounts::CONTROLLER,
            Self::ClusterRoles => &cluster_roles::CONTROLLER,
            Self::Nodes => &nodes::CONTROLLER,
            Self::Deployments => &workloads::deployment::CONTROLLER,
            Self::ReplicaSets => &workloads::replica_set::CONTROLLER,
            Self::StatefulSets => &workloads::stateful_set::CONTROLLER,
            Self::DaemonSets => &workloads::daemon_set::CONTROLLER,
            Self::Jobs => &workloads::job::CONTROLLER,
            Self::CronJobs => &workloads::cron_job::CONTROLLER,
            Self::Disruption => &disruption::CONTROLLER,
            Self::Endpoints => &endpoints::CONTROLLER,
            Self::Scheduler => &scheduler::CONTROLLER,
            Self::VpcCni => &vpc_cni::CONTROLLER,
            Self::PodEniNodes => &pod_eni::nodes::CONTROLLER,
            Self::PodEniPods => &pod_eni::pods::CONTROLLER,
            Self::PodEniQueue => &pod_eni::cool_down::CONTROLLER,
            Self::Fargate => &fargate::CONTROLLER,
            Self::Kubelet => &kubelet::CONTROLLER,
        }
    }
}

/// The names that [`crate::Settings::without`] may have.
pub fn switches() -> BTreeSet<&'static str> {
    Name::ALL.into_iter().flat_map(|name| name.controller().switches).copied().collect()
}

/// One controller.
pub(crate) struct Controller {
    /// Any of these names in [`crate::Settings::without`] switches it off.
    pub switches: &'static [&'static str],
    /// Sees a change, and says what to look at.
    pub observe: fn(&mut Context<'_>, &Event),
    /// Looks at one thing and does what there is to do.
    pub reconcile: fn(&mut Context<'_>, &Item),
}

/// What controllers remember of a cluster between two looks.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    events: events::Known,
    scheduler: scheduler::cache::Cache,
    pod_eni_failures: pod_eni::pods::Failures,
    cool_down_seconds: Option<i64>,
    leaked: BTreeSet<String>,
}

/// All clusters' controllers.
#[derive(Debug, Default)]
pub struct Controllers {
    clusters: BTreeMap<String, State>,
}

#[derive(Debug, Default)]
struct State {
    /// Changes up to this revision were shown; `None` before the first look.
    cursor: Option<u64>,
    /// What the tables outside of the cluster were at when they were last looked at.
    seen: Vec<u64>,
    queue: Queue,
    caches: Caches,
}

/// A call does not hold up requests for longer.
const LONGEST: Duration = Duration::from_millis(15);
/// So often collector and controllers take turns in one call.
const MOST_ROUNDS: usize = 32;
/// A call with time driven by hand ends after so many looks, whatever controllers want of each other.
const MOST_LOOKS: u64 = 200_000;

/// Lets every controller that is on do what there is to do; called after each change and as time passes. Answers whether there is
/// more to do now.
pub fn work(world: &mut World) -> bool {
    if world.settings.backing.is_some() {
        // Nodes and pods are those of the real API server; what is kept here is nobody's.
        return false;
    }
    let begin = Instant::now();
    let is_driven = world.settings.stopped_clock;
    let mut looks = 0;
    let is_over = |looks: &mut u64| {
        *looks += 1;
        if is_driven { *looks > MOST_LOOKS } else { begin.elapsed() > LONGEST }
    };
    for _ in 0..MOST_ROUNDS {
        let before = revisions(world);
        world.kubernetes.publish();
        // Garbage and ended namespaces are the API server's part.
        super::api::collect::work(world);
        world.kubernetes.publish();
        let clusters: Vec<String> = world.kubernetes.clusters.iter().map(|(name, _)| name.to_owned()).collect();
        for cluster in clusters {
            let mut state = world.kubernetes.controllers.clusters.remove(&cluster).unwrap_or_default();
            let has_more = work_in(world, &cluster, &mut state, || is_over(&mut looks));
            world.kubernetes.controllers.clusters.insert(cluster, state);
            if has_more {
                return true;
            }
        }
        if revisions(world) == before {
            return false;
        }
    }
    true
}

/// What all clusters are at.
fn revisions(world: &World) -> Vec<u64> {
    let clusters = world.kubernetes.clusters.iter();
    clusters.map(|(name, _)| world.kubernetes.objects.revision(name)).collect()
}

/// Works in one cluster until nothing is due, or it `is_over`; answers whether something is.
fn work_in(world: &mut World, cluster: &str, state: &mut State, mut is_over: impl FnMut() -> bool) -> bool {
    let on: Vec<Name> = Name::ALL
        .into_iter()
        .filter(|name| !name.controller().switches.iter().any(|switch| world.settings.without.contains(*switch)))
        .collect();
    loop {
        world.kubernetes.publish();
        show_changes(world, cluster, state, &on);
        if !state.queue.is_due(world.now) {
            return false;
        }
        // What these looks change is shown before the next ones: a controller never acts on a picture older than one batch.
        for _ in 0..64 {
            if is_over() {
                return true;
            }
            let State { queue, caches, .. } = state;
            let Some(item) = queue.next(world.now) else { break };
            if on.contains(&item.controller) {
                (item.controller.controller().reconcile)(&mut Context { world, cluster, queue, caches }, &item);
            }
        }
    }
}

/// Shows the controllers what changed since the last time: everything, the first time.
fn show_changes(world: &mut World, cluster: &str, state: &mut State, on: &[Name]) {
    let seen = vec![
        world.ec2.instances.version(),
        world.eks.nodegroups.version(),
        world.eks.access_entries.version(),
        world.eks.addons.version(),
    ];
    if seen != state.seen {
        state.seen = seen;
        state.queue.add(Item::new(Name::Nodes, "", ""));
        state.queue.add(Item::new(Name::VpcCni, "", ""));
    }
    let revision = world.kubernetes.objects.revision(cluster);
    if state.cursor == Some(revision) {
        return;
    }
    let objects = &world.kubernetes.objects;
    let news = state.cursor.and_then(|cursor| Some(objects.changes_after(cluster, cursor).ok()?.cloned().collect()));
    let changes: Vec<Event> = news.unwrap_or_else(|| {
        state.caches = Caches::default();
        let all = objects.all(cluster);
        all.map(|(key, object)| {
            let (object, kind) = (object.clone(), Kind::Added);
            Event { revision: 0, kind, key, object, before: None }
        })
        .collect()
    });
    state.cursor = Some(revision);
    let State { queue, caches, .. } = state;
    let mut context = Context { world, cluster, queue, caches };
    for change in &changes {
        for name in on {
            (name.controller().observe)(&mut context, change);
        }
    }
}

/// When the next thing is due that a controller wants to look at later.
pub fn next_due(world: &World) -> Option<Timestamp> {
    world.kubernetes.controllers.clusters.values().filter_map(|state| state.queue.next_due()).min()
}

/// Forgets what the controllers know of a cluster that goes.
pub(crate) fn forget(world: &mut World, cluster: &str) {
    world.kubernetes.controllers.clusters.remove(cluster);
    pod_eni::forget(world, cluster);
}
