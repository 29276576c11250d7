//! What makes pods, and service accounts: which groups their pods get, and how those are that run.

use super::{Explanation, listed, pods};
use crate::{
    matching::{self, Attachment},
    topology::{Cluster, PodTemplate, Topology, Workload},
};

/// How many pods are told one by one.
const NAMED_MAX: usize = 20;

/// The workload of this kind; upper and lower case are the same.
pub(super) fn of_kind(
    topology: &Topology,
    cluster: &Cluster,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Option<Explanation> {
    let is_it =
        |(ns, its, n): &(String, String, String)| ns == namespace && n == name && its.eq_ignore_ascii_case(kind);
    let (key, found) = cluster.workloads.iter().find(|(key, _)| is_it(key))?;
    Some(workload(topology, cluster, (&key.0, &key.1, &key.2), found))
}

/// A workload of this name, of whatever kind.
pub(super) fn any(topology: &Topology, cluster: &Cluster, namespace: &str, name: &str) -> Option<Explanation> {
    let (key, found) = cluster.workloads.iter().find(|((ns, _, n), _)| ns == namespace && n == name)?;
    Some(workload(topology, cluster, (&key.0, &key.1, &key.2), found))
}

/// Which groups its pods get when they are made now, and how those are that run.
pub(super) fn workload(
    topology: &Topology,
    cluster: &Cluster,
    (namespace, kind, name): (&str, &str, &str),
    workload: &Workload,
) -> Explanation {
    let mut told = Explanation::of(format!("{kind} {namespace}/{name}"));
    let verdict = new_pods(&mut told, topology, cluster, namespace, &workload.template);
    let mut count = 0;
    for (key, pod) in
        cluster.pods.iter().filter(|(key, pod)| key.namespace == namespace && is_of(pod.owner.as_ref(), kind, name))
    {
        count += 1;
        if count <= NAMED_MAX {
            told.takes(&format!("pod {}", key.name), &pods::pod(topology, cluster, key, pod));
        }
    }
    if let Some(more) = count.checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        told.told(format!("and {more} more pods"));
    }
    if told.has_failed() && count > 0 {
        told.is("Not all of its pods are as they should be.")
    } else {
        told.is(verdict)
    }
}

/// Whether a pod was made by this workload; a Deployment makes them through ReplicaSets, which are named after it.
fn is_of(owner: Option<&(String, String)>, kind: &str, name: &str) -> bool {
    owner.is_some_and(|(its, of)| {
        its == kind && of == name
            || kind == "Deployment"
                && its == "ReplicaSet"
                && of.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')).is_some_and(|hash| !hash.contains('-'))
    })
}

/// What pods of a template get, with what each policy says.
fn new_pods(
    told: &mut Explanation,
    topology: &Topology,
    cluster: &Cluster,
    namespace: &str,
    template: &PodTemplate,
) -> String {
    let membership = matching::membership(cluster, namespace, template);
    for opinion in &membership.opinions {
        told.told(format!("policy {} {}", opinion.policy, opinion.says));
    }
    match membership.attachment {
        Attachment::Host => "Its pods use their node's network, so they have the node's groups.".to_owned(),
        Attachment::Denied(why) => {
            told.failed(why, "Make the service account.");
            "Its pods are rejected.".to_owned()
        }
        Attachment::Unknown(why) => format!("Nobody can say which groups its pods get: {why}."),
        Attachment::Shared(_) => "No policy is for its pods, so they have their node's groups.".to_owned(),
        Attachment::BranchOfNode => "Its pods get a branch interface with their node's groups.".to_owned(),
        Attachment::Fargate(groups) => format!("Its pods run on Fargate with {}.", listed(topology, &groups)),
        Attachment::Branch(groups) => format!("Its pods get {}.", listed(topology, &groups)),
    }
}

/// Which workloads use it.
pub(super) fn service_account(topology: &Topology, cluster: &Cluster, namespace: &str, name: &str) -> Explanation {
    let mut told = Explanation::of(format!("service account {namespace}/{name}"));
    let account = &cluster.service_accounts[&(namespace.to_owned(), name.to_owned())];
    match account.annotations.get("eks.amazonaws.com/role-arn") {
        Some(role) => told.fine(format!("its pods take role {role}")),
        None => told.told("it names no IAM role"),
    }
    let mut users = 0;
    let of = cluster
        .workloads
        .iter()
        .filter(|((ns, ..), it)| ns == namespace && it.template.service_account.known().is_some_and(|it| it == name));
    for ((_, kind, its), workload) in of {
        users += 1;
        let mut part = Explanation::of("");
        let verdict = new_pods(&mut part, topology, cluster, namespace, &workload.template);
        told.takes(&format!("{kind} {its}"), &part.is(verdict));
    }
    match users {
        0 => told.is("No workload that is known here uses it."),
        1 => told.is("One workload uses it."),
        many => told.is(format!("{many} workloads use it.")),
    }
}
