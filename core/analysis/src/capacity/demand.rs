//! What pods want: which kind of network, on which nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Amount,
    pools::{OS, Pool, WINDOWS},
};
use crate::{
    matching::{Attachment, membership},
    topology::{Cluster, Fact, Pod, PodKey, PodTemplate, Workload},
};

/// What a pod takes of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Needs {
    /// A branch interface.
    Branch,
    /// An address of its node's interfaces.
    Address,
    /// Nothing but its place: it uses its node's network.
    Nothing,
    /// An interface of Fargate's, and no node.
    Fargate,
    /// A branch interface or an address of its node's: it is not known yet.
    BranchOrAddress,
}

impl Needs {
    pub(super) fn of(attachment: &Attachment) -> Option<Self> {
        Some(match attachment {
            Attachment::Host => Self::Nothing,
            Attachment::Shared(_) => Self::Address,
            Attachment::Branch(_) | Attachment::BranchOfNode => Self::Branch,
            Attachment::Fargate(_) => Self::Fargate,
            Attachment::Denied(_) => return None,
            Attachment::Unknown(_) => Self::BranchOrAddress,
        })
    }
}

/// What makes pods, by namespace, kind and name.
pub type Maker = (String, String, String);

/// Pods of one making.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    pub(super) maker: Maker,
    pub(super) needs: Needs,
    /// How many it wants beside those that are bound to pools.
    pub(super) pods: Amount,
    /// How many more during an update.
    pub(super) surge: Amount,
    /// Where they may go.
    pub(super) places: Places,
    /// Pods that run, by the pool that they are in.
    pub(super) bound: BTreeMap<usize, u64>,
}

/// Pools by whether pods may go there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Places {
    pub(super) surely: BTreeSet<usize>,
    /// Not known: a node selector asks for a label that nodes may have.
    pub(super) perhaps: BTreeSet<usize>,
}

impl Places {
    pub(super) fn of(template: &PodTemplate, pools: &[Pool]) -> Self {
        let mut places = Self::default();
        for (index, pool) in pools.iter().enumerate() {
            match may_be_on(template, pool) {
                Fact::Known(true) => drop(places.surely.insert(index)),
                Fact::Unknown => drop(places.perhaps.insert(index)),
                Fact::Known(false) => {}
            }
        }
        places
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        self.surely.union(&self.perhaps).copied()
    }
}

/// Whether the labels of a pool's nodes are what pods ask for.
fn may_be_on(template: &PodTemplate, pool: &Pool) -> Fact<bool> {
    if template.is_windows && pool.labels.known.get(OS).is_some_and(|it| it != WINDOWS) {
        return Fact::Known(false);
    }
    pool.labels.have(&template.node_selector)
}

impl Demand {
    pub(super) fn class(&self) -> Class {
        (self.needs, self.places.clone())
    }

    /// Pods that it wants in all.
    pub(super) fn wanted(&self) -> Amount {
        self.pods.plus(&self.bound.values().sum::<u64>().into())
    }

    /// Pods that it wants in some pools: what is bound there, and the others when they can go nowhere else.
    pub(super) fn wanted_in(&self, ours: &BTreeSet<usize>) -> Amount {
        let bound: u64 = self.bound.iter().filter(|(pool, _)| ours.contains(pool)).map(|(_, pods)| pods).sum();
        self.share(ours, &self.pods).plus(&bound.into())
    }

    /// Its surge in some pools.
    pub(super) fn surge_in(&self, ours: &BTreeSet<usize>) -> Amount {
        self.share(ours, &self.surge)
    }

    fn share(&self, ours: &BTreeSet<usize>, pods: &Amount) -> Amount {
        let is_here = self.places.all().any(|it| ours.contains(&it));
        let is_elsewhere = self.places.surely.is_empty() || self.places.all().any(|it| !ours.contains(&it));
        match (is_here, is_elsewhere) {
            (false, _) => 0_u64.into(),
            (true, false) => pods.clone(),
            (true, true) => Amount::exactly(0).or(pods),
        }
    }

    /// Some of its pods, as far as they take what is asked for.
    pub(super) fn as_far(&self, what: Takes, pods: Amount) -> Amount {
        match (what, self.needs) {
            (_, Needs::Fargate) => 0_u64.into(),
            (Takes::Place, _) | (Takes::Branch, Needs::Branch) | (Takes::Address, Needs::Address) => pods,
            (Takes::Branch | Takes::Address, Needs::BranchOrAddress) => Amount::exactly(0).or(&pods),
            _ => 0_u64.into(),
        }
    }
}

/// What pods take of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// A branch interface.
    Branch,
    /// An address of the node's interfaces.
    Address,
    /// A place: all of them do.
    Place,
}

/// Pods that each node of a pool has: of DaemonSets.
#[derive(Clone, Debug, Default)]
pub(super) struct Daemons {
    pub(super) branches: u64,
    pub(super) addresses: u64,
    pub(super) pods: u64,
}

impl Daemons {
    pub(super) fn take(&self, what: Takes) -> u64 {
        match what {
            Takes::Branch => self.branches,
            Takes::Address => self.addresses,
            Takes::Place => self.pods,
        }
    }
}

/// Pods that are alike for what they take and where they may go.
pub(super) type Class = (Needs, Places);

/// Everything that pods of a cluster want.
pub(super) struct Wanted {
    pub(super) demands: Vec<Demand>,
    /// Pods without a place, by class.
    pub(super) free: BTreeMap<Class, Amount>,
    /// Pods that run, by what they take and their pool.
    pub(super) bound: BTreeMap<(Needs, usize), u64>,
    /// By pool.
    pub(super) daemons: Vec<Daemons>,
}

impl Wanted {
    /// What pods take of some pools, those of DaemonSets among them.
    pub(super) fn taken(&self, pools: &[Pool], ours: &BTreeSet<usize>, what: Takes) -> Amount {
        let daemons = ours.iter().map(|pool| pools[*pool].nodes.times(&self.daemons[*pool].take(what).into()));
        let others = self.demands.iter().map(|it| it.as_far(what, it.wanted_in(ours)));
        daemons.chain(others).sum()
    }

    /// What updates take of some pools beside that: of the workload with the largest surge, and of all at once.
    pub(super) fn surges(&self, ours: &BTreeSet<usize>, what: Takes) -> (Amount, Amount) {
        let each = || self.demands.iter().map(|it| it.as_far(what, it.surge_in(ours)));
        (largest(each()), each().sum())
    }
}

/// The largest of several; nothing when there is none.
pub(super) fn largest(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.reduce(|one, other| one.max(&other)).unwrap_or_else(|| 0_u64.into())
}

/// DaemonSets of `kube-system` that each cluster has on nodes that are not Auto Mode's, on the host's network.
const ALWAYS: [&str; 2] = ["aws-node", "kube-proxy"];

/// Gathers it. Pods that run count where they are; what their workload wants beyond them may go anywhere.
pub(super) fn wanted(cluster: &Cluster, pools: &[Pool]) -> Wanted {
    let mut bound = bound(cluster, pools);
    let mut demands = Vec::new();
    for (maker, workload) in &cluster.workloads {
        if workload.replicas != Fact::Known(None) && !is_made_by_another(cluster, maker, workload) {
            demands.extend(demand(cluster, maker, workload, pools, bound.remove(maker).unwrap_or_default()));
        }
    }
    demands.extend(pods_of_nobody(cluster, pools));
    let (mut free, mut in_place) = (BTreeMap::<Class, Amount>::new(), BTreeMap::new());
    for demand in &demands {
        let pods = free.entry(demand.class()).or_insert_with(|| 0_u64.into());
        *pods = pods.plus(&demand.pods);
        for (pool, pods) in &demand.bound {
            *in_place.entry((demand.needs, *pool)).or_insert(0) += pods;
        }
    }
    Wanted { demands, free, bound: in_place, daemons: pools.iter().map(|pool| daemons(cluster, pool)).collect() }
}

fn demand(
    cluster: &Cluster,
    maker: &Maker,
    workload: &Workload,
    pools: &[Pool],
    running: BTreeMap<usize, u64>,
) -> Option<Demand> {
    let (namespace, kind, name) = maker;
    let needs = Needs::of(&membership(cluster, namespace, &workload.template).attachment)?;
    let replicas = match &workload.replicas {
        Fact::Known(replicas) => Amount::exactly(replicas.unwrap_or(0).into()),
        Fact::Unknown => Amount::unknown(format!("how many pods {kind} {namespace}/{name} wants is not known")),
    };
    let have: u64 = running.values().sum();
    // A Job's pods end, and it makes no others: what runs is what it wants, when all pods are known.
    let is_done = cluster.is_complete && kind == "Job";
    let wanted = if is_done { have.into() } else { replicas };
    let bound = at_most(running, wanted.most());
    let surge = Amount::told(&workload.surge, &format!("the surge of {kind} {namespace}/{name} is not known"));
    Some(Demand {
        maker: maker.clone(),
        needs,
        pods: wanted.minus(&bound.values().sum::<u64>().into()),
        surge,
        places: Places::of(&workload.template, pools),
        bound,
    })
}

/// As many of the pods as are wanted: the others go.
fn at_most(mut pods: BTreeMap<usize, u64>, wanted: Option<u64>) -> BTreeMap<usize, u64> {
    let mut left = wanted.unwrap_or(u64::MAX);
    for count in pods.values_mut() {
        *count = (*count).min(left);
        left -= *count;
    }
    pods
}

/// Whether a pod takes its place: it has not ended.
fn is_alive(pod: &Pod) -> bool {
    pod.phase != "Succeeded" && pod.phase != "Failed"
}

/// Pods that run, by their workload and the pool that they are in.
fn bound(cluster: &Cluster, pools: &[Pool]) -> BTreeMap<Maker, BTreeMap<usize, u64>> {
    let mut bound: BTreeMap<Maker, BTreeMap<usize, u64>> = BTreeMap::new();
    for (key, pod) in &cluster.pods {
        if let (Some(maker), Some(pool)) = (maker(cluster, key, pod), pool_of(pod, pools)) {
            *bound.entry(maker).or_default().entry(pool).or_default() += u64::from(is_alive(pod));
        }
    }
    bound
}

pub(super) fn pool_of(pod: &Pod, pools: &[Pool]) -> Option<usize> {
    let node = pod.node.as_ref()?;
    pools.iter().position(|pool| pool.running.contains(node))
}

/// The workload that a pod is of: its owner, or what made its owner.
fn maker(cluster: &Cluster, key: &PodKey, pod: &Pod) -> Option<Maker> {
    let (kind, name) = pod.owner.as_ref()?;
    let above = name.rsplit_once('-').map(|(name, _)| name);
    let kinds = [(kind.as_str(), Some(name.as_str())), ("Deployment", above), ("CronJob", above)];
    let of = |(kind, name): (&str, Option<&str>)| Some((key.namespace.clone(), kind.to_owned(), name?.to_owned()));
    // What made the owner comes first: its own number of pods counts.
    let mut makers = kinds.into_iter().rev().filter_map(of).filter(|it| is_of(&it.1, kind));
    makers.find(|maker| cluster.workloads.contains_key(maker))
}

/// Whether an object of the one kind makes pods through one of the other.
fn is_of(maker: &str, owner: &str) -> bool {
    matches!((maker, owner), ("Deployment", "ReplicaSet") | ("CronJob", "Job")) || maker == owner
}

/// Whether a workload is another one's: a ReplicaSet of a Deployment, a Job of a CronJob.
fn is_made_by_another(cluster: &Cluster, maker: &Maker, workload: &Workload) -> bool {
    let (namespace, kind, name) = maker;
    let above = match kind.as_str() {
        "ReplicaSet" if workload.template.labels.known().is_some_and(|it| it.contains_key("pod-template-hash")) => {
            "Deployment"
        }
        "Job" => "CronJob",
        _ => return false,
    };
    let parent = name.rsplit_once('-').map(|(parent, _)| (namespace.clone(), above.to_owned(), parent.to_owned()));
    parent.is_some_and(|parent| cluster.workloads.contains_key(&parent))
}

/// Pods that no workload makes, as far as it was told: one demand for each that is alive.
fn pods_of_nobody(cluster: &Cluster, pools: &[Pool]) -> Vec<Demand> {
    let is_ours = |(key, pod): &(&PodKey, &Pod)| is_alive(pod) && maker(cluster, key, pod).is_none();
    let demand = |(key, pod): (&PodKey, &Pod)| {
        let pool = pool_of(pod, pools);
        Some(Demand {
            maker: (key.namespace.clone(), "Pod".to_owned(), key.name.clone()),
            needs: needs_of_running(cluster, key, pod)?,
            pods: u64::from(pool.is_none()).into(),
            surge: 0_u64.into(),
            places: Places::of(&pod.template, pools),
            bound: pool.map(|pool| (pool, 1)).into_iter().collect(),
        })
    };
    cluster.pods.iter().filter(is_ours).filter_map(demand).collect()
}

/// What a pod that runs takes: what it got when it was made, which policies of today do not change.
fn needs_of_running(cluster: &Cluster, key: &PodKey, pod: &Pod) -> Option<Needs> {
    match (pod.template.is_host_network, pod.is_fargate, &pod.branch, &pod.node) {
        (true, ..) => Some(Needs::Nothing),
        (_, true, ..) => Some(Needs::Fargate),
        (_, _, Some(_), _) => Some(Needs::Branch),
        (_, _, None, Some(_)) if pod.phase == "Running" => Some(Needs::Address),
        _ => Needs::of(&membership(cluster, &key.namespace, &pod.template).attachment),
    }
}

/// The pods of DaemonSets on a node of a pool.
fn daemons(cluster: &Cluster, pool: &Pool) -> Daemons {
    let mut daemons = Daemons::default();
    for ((namespace, _, _), workload) in cluster.workloads.iter().filter(|(_, it)| it.replicas == Fact::Known(None)) {
        if may_be_on(&workload.template, pool) == Fact::Known(false) {
            continue;
        }
        match Needs::of(&membership(cluster, namespace, &workload.template).attachment) {
            Some(Needs::Branch) => daemons.branches += 1,
            Some(Needs::Address | Needs::BranchOrAddress) => daemons.addresses += 1,
            Some(Needs::Nothing) => {}
            // Fargate has no DaemonSets.
            Some(Needs::Fargate) | None => continue,
        }
        daemons.pods += 1;
    }
    let is_told = |name: &&str| {
        let key = ("kube-system".to_owned(), "DaemonSet".to_owned(), (*name).to_owned());
        let owns = |pod: &Pod| pod.owner.as_ref().is_some_and(|(kind, owner)| kind == "DaemonSet" && owner == name);
        cluster.workloads.contains_key(&key) || cluster.pods.values().any(owns)
    };
    daemons.pods += ALWAYS.iter().filter(|name| !is_told(name)).count() as u64;
    daemons
}
