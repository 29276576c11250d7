//! Pods that run and keep their groups, because groups are given when a pod is made.
//!
//! What a pod carries is compared with what its maker's template would get now: a policy, labels of a service account or of a
//! template that change do not touch it (amazon-vpc-resource-controller-k8s#11).

use std::collections::{BTreeMap, BTreeSet};

use sgp_model::plan::Anew;

use crate::{
    matching::{Attachment, membership},
    topology::{Cluster, Fact, Id, Pod, PodKey, PodTemplate, Topology, Update},
};

/// What Fargate's pods are given (amazon-vpc-resource-controller-k8s, `webhooks/core/pod_webhook.go`).
const FARGATE_GROUPS: &str = "fargate.amazonaws.com/pod-sg";

/// Labels that controllers give to single pods, beside those of the template.
const OF_CONTROLLERS: [&str; 3] = ["apps.kubernetes.io/", "batch.kubernetes.io/", "statefulset.kubernetes.io/"];

/// How deep owners go: a pod, its Job, its CronJob.
const OWNERS_MOST: usize = 3;

/// Whose groups pods have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Groups {
    /// Groups of their own.
    Own(Vec<Id>),
    /// Those of their nodes.
    OfNodes,
    /// Nobody can say.
    Unknown,
}

/// A workload: cluster, namespace, kind, name.
pub type WorkloadKey = (Id, String, String, String);

/// Pods of one workload that keep groups which they would not get now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What made them; a pod without a maker is its own workload.
    pub workload: WorkloadKey,
    /// Their names.
    pub pods: Vec<String>,
    /// What they carry.
    pub now: Groups,
    /// What they would get.
    pub then: Groups,
    /// What makes them anew.
    pub anew: Anew,
}

/// Pods of `before` that stay in `after` and would get other groups there. `remade` are workloads whose template the plan changes.
/// Sorted by workload.
pub fn kept(before: &Topology, after: &Topology, remade: &BTreeSet<WorkloadKey>) -> Vec<Kept> {
    let mut all: BTreeMap<(WorkloadKey, Groups, Groups, Anew), Vec<String>> = BTreeMap::new();
    for (name, there) in &after.clusters {
        let Some(here) = before.clusters.get(name) else { continue };
        for (key, pod) in here.pods.iter().filter(|(key, pod)| runs(pod) && there.pods.contains_key(*key)) {
            let maker = maker(here, key, pod);
            // Whatever goes takes its pods along.
            if here.workloads.contains_key(&maker) && !there.workloads.contains_key(&maker) {
                continue;
            }
            let side = |cluster: &Cluster| membership(cluster, &key.namespace, &made_from(cluster, &maker, pod));
            let (was, will) = (side(here).attachment, side(there).attachment);
            let now = carried(before, here, pod);
            let Some(then) = given(&will, &was) else { continue };
            if differs(&now, &then, was != will) {
                let (namespace, kind, own) = maker;
                let workload = (name.clone(), namespace, kind, own);
                let anew = anew(there, &workload, remade);
                all.entry((workload, now, then, anew)).or_default().push(key.name.clone());
            }
        }
    }
    let line = |((workload, now, then, anew), pods)| Kept { workload, pods, now, then, anew };
    all.into_iter().map(line).collect()
}

/// Whether it has its groups by now, and will have them for a while. One that waits gets them when its interface is made.
fn runs(pod: &Pod) -> bool {
    !pod.is_leaving && (pod.phase == "Running" || pod.phase == "Pending" && pod.branch.is_some())
}

/// What made a pod in the end: namespace, kind and name.
fn maker(cluster: &Cluster, key: &PodKey, pod: &Pod) -> (String, String, String) {
    let place = |(kind, name): (String, String)| (key.namespace.clone(), kind, name);
    let Some(owner) = pod.owner.clone() else { return place(("Pod".to_owned(), key.name.clone())) };
    let mut at = place(owner);
    for _ in 1..OWNERS_MOST {
        let above = match cluster.workloads.get(&at) {
            Some(workload) => workload.owner.clone(),
            None => deployment_of(&at.1, &at.2, pod),
        };
        match above {
            Some(owner) => at = place(owner),
            None => break,
        }
    }
    at
}

/// The Deployment of a ReplicaSet that nobody told of: its name ends in the hash that its pods have as a label.
fn deployment_of(kind: &str, name: &str, pod: &Pod) -> Option<(String, String)> {
    let hash = pod.template.labels.known()?.get("pod-template-hash").filter(|_| kind == "ReplicaSet")?;
    let name = name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
    Some(("Deployment".to_owned(), name.to_owned()))
}

/// What a pod is made from the next time.
fn made_from(cluster: &Cluster, maker: &(String, String, String), pod: &Pod) -> PodTemplate {
    let Some(workload) = cluster.workloads.get(maker) else {
        // The webhook put its request into the pod.
        let asks = pod.template.asks_for_pod_eni && pod.branch.is_none();
        return PodTemplate { asks_for_pod_eni: asks, ..pod.template.clone() };
    };
    let mut template = workload.template.clone();
    if let (Fact::Known(labels), Fact::Known(own)) = (&mut template.labels, &pod.template.labels) {
        let single = own.iter().filter(|(name, _)| OF_CONTROLLERS.iter().any(|it| name.starts_with(it)));
        labels.extend(single.map(|(name, value)| (name.clone(), value.clone())));
    }
    template
}

/// What a pod has.
fn carried(topology: &Topology, cluster: &Cluster, pod: &Pod) -> Groups {
    if pod.is_fargate {
        let stated = pod.template.annotations.get(FARGATE_GROUPS);
        let stated = stated.map(|text| text.split(',').map(str::trim).map(Id::from).collect());
        let own = || cluster.group.known().map(|group| vec![group.clone()]);
        return stated.or_else(own).map_or(Groups::Unknown, Groups::Own);
    }
    match &pod.branch {
        None => Groups::OfNodes,
        Some(id) => topology.interfaces.get(id).map_or(Groups::Unknown, |it| Groups::Own(it.groups.clone())),
    }
}

/// What a pod would get; `None` when it would have no groups to compare, or none at all.
fn given(will: &Attachment, was: &Attachment) -> Option<Groups> {
    match will {
        Attachment::Host | Attachment::Denied(_) => None,
        Attachment::Shared(_) => Some(Groups::OfNodes),
        // A branch interface with the groups of a node is told from one of a policy by what the policies said before.
        Attachment::BranchOfNode => (was != will).then_some(Groups::OfNodes),
        Attachment::Branch(Fact::Known(groups)) | Attachment::Fargate(Fact::Known(groups)) => {
            Some(Groups::Own(groups.clone()))
        }
        Attachment::Branch(Fact::Unknown) | Attachment::Fargate(Fact::Unknown) | Attachment::Unknown(_) => {
            Some(Groups::Unknown)
        }
    }
}

/// What nobody can say differs when the policies say something else than before.
fn differs(now: &Groups, then: &Groups, is_changed: bool) -> bool {
    match (now, then) {
        (Groups::Own(one), Groups::Own(other)) => {
            one.iter().collect::<BTreeSet<_>>() != other.iter().collect::<BTreeSet<_>>()
        }
        (Groups::Unknown, _) | (_, Groups::Unknown) => is_changed,
        (one, other) => one != other,
    }
}

fn anew(cluster: &Cluster, workload: &WorkloadKey, remade: &BTreeSet<WorkloadKey>) -> Anew {
    let (_, namespace, kind, name) = workload;
    let known = cluster.workloads.get(&(namespace.clone(), kind.clone(), name.clone()));
    match kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" => match known.map(|it| it.update).unwrap_or_default() {
            Update::OnDelete => Anew::Deletion,
            Update::Paused => Anew::Resume,
            Update::Rolling if remade.contains(workload) => Anew::Plan,
            Update::Rolling => Anew::Restart,
        },
        "ReplicaSet" | "ReplicationController" => Anew::Deletion,
        "Job" | "CronJob" => Anew::NextRun,
        "Pod" => Anew::Nothing,
        _ => Anew::Maker,
    }
}

#[cfg(test)]
mod tests;
