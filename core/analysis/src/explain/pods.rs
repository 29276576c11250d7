//! Pods that run, or should.

use std::collections::BTreeSet;

use super::{Explanation, events, listed, nodes};
use crate::{
    matching::{self, Attachment},
    topology::{Cluster, Fact, Id, Pod, PodKey, Topology},
};

/// The pod of this name.
pub(super) fn named(topology: &Topology, cluster: &Cluster, key: &PodKey) -> Option<Explanation> {
    cluster.pods.get(key).map(|it| pod(topology, cluster, key, it))
}

/// The way of a pod.
pub(super) fn pod(topology: &Topology, cluster: &Cluster, key: &PodKey, pod: &Pod) -> Explanation {
    let mut told = Explanation::of(format!("pod {}/{}", key.namespace, key.name));
    let membership = matching::membership(cluster, &key.namespace, &pod.template);
    for opinion in &membership.opinions {
        told.told(format!("policy {} {}", opinion.policy, opinion.says));
    }
    let wanted = match membership.attachment {
        Attachment::Host => {
            return told.is("It uses its node's network, so it has the node's groups, whatever policies say.");
        }
        Attachment::Denied(why) => {
            return told.fails(why, "Make the service account.", "A pod like it would be rejected.");
        }
        Attachment::Unknown(why) => return told.is(format!("Nobody can say which groups it should have: {why}.")),
        Attachment::Shared(_) => return without_policy(told, topology, pod),
        Attachment::Fargate(groups) => {
            return told.is(format!("It runs on Fargate with {}.", listed(topology, &groups)));
        }
        Attachment::BranchOfNode => {
            told.fine("it asks for vpc.amazonaws.com/pod-eni itself, and no policy matches");
            return told.is("It gets a branch interface with its node's groups.");
        }
        Attachment::Branch(groups) => groups,
    };
    told.fine(format!("it should have {}", listed(topology, &wanted)));
    if !pod.template.asks_for_pod_eni {
        return told.fails(
            "its first container has no limit vpc.amazonaws.com/pod-eni",
            "Make it anew (kubectl rollout restart): policies count when a pod is made, and the webhook lets pods pass when it cannot be reached.",
            "It was made before the policy, or past the webhook: it has its node's groups.",
        );
    }
    told.fine("the webhook gave its first container a vpc.amazonaws.com/pod-eni");
    scheduled(told, topology, cluster, (key, pod), &wanted)
}

fn without_policy(mut told: Explanation, topology: &Topology, pod: &Pod) -> Explanation {
    match pod.branch.as_ref().and_then(|id| topology.interfaces.get(id)) {
        Some(interface) => {
            told.told("it has a branch interface although no policy matches now");
            let groups = listed(topology, &Fact::Known(interface.groups.clone()));
            told.is(format!("It keeps {groups} until it is made anew; then it has its node's groups."))
        }
        None => told.is("No policy is for it, so it has its node's groups."),
    }
}

fn scheduled(
    mut told: Explanation,
    topology: &Topology,
    cluster: &Cluster,
    (key, pod): (&PodKey, &Pod),
    wanted: &Fact<Vec<Id>>,
) -> Explanation {
    let Some(node_name) = &pod.node else { return unscheduled(told, cluster, key) };
    told.fine(format!("it runs on node {node_name}"));
    if let Some(failure) = nodes::failure(topology, cluster, node_name) {
        return told.fails(
            format!("node {node_name}: {}", failure.what),
            format!("{} (sgp explain node/{node_name})", failure.remedy),
            "Its node has no trunk.",
        );
    }
    let Some(id) = &pod.branch else {
        let event = events::of_pod(cluster, key, &events::ALLOCATION);
        let told_why = event.as_ref().map(|it| format!(": {}", it.told)).unwrap_or_default();
        return told.fails(
            format!("it has no annotation vpc.amazonaws.com/pod-eni{told_why}"),
            event.map_or_else(|| events::UNTOLD.to_owned(), |it| it.remedy.to_owned()),
            "It waits for its branch interface.",
        );
    };
    told.fine(format!("it has branch interface {id}"));
    carried(told, topology, cluster, (key, pod), (id, wanted))
}

/// It waits for the scheduler.
fn unscheduled(told: Explanation, cluster: &Cluster, key: &PodKey) -> Explanation {
    let event = events::of_pod(cluster, key, &["FailedScheduling"]);
    let told_why = event.as_ref().map(|it| format!(": {}", it.told)).unwrap_or_default();
    let capable = cluster.nodes.values().filter(|node| node.pod_eni.is_some_and(|it| it > 0)).count();
    let (what, remedy) = match (capable, event) {
        (0, _) => (
            "no node offers vpc.amazonaws.com/pod-eni".to_owned(),
            "Look at a node with sgp explain node/NAME: its type, pod ENI on the VPC CNI, the policies of the cluster's role.",
        ),
        (_, Some(event)) => (format!("no node has room for it{told_why}"), event.remedy),
        (many, None) => (
            format!("{many} nodes offer vpc.amazonaws.com/pod-eni, and none has room for it"),
            "Add nodes, or look at sgp capacity -live.",
        ),
    };
    told.fails(what, remedy, "It waits for a node.")
}

fn carried(
    mut told: Explanation,
    topology: &Topology,
    cluster: &Cluster,
    (key, pod): (&PodKey, &Pod),
    (id, wanted): (&Id, &Fact<Vec<Id>>),
) -> Explanation {
    let Some(interface) = topology.interfaces.get(id) else {
        return told.is("Whether the interface has the groups was not looked at.");
    };
    let set = |groups: &[Id]| groups.iter().cloned().collect::<BTreeSet<_>>();
    if wanted.known().is_some_and(|wanted| set(wanted) != set(&interface.groups)) {
        let has = listed(topology, &Fact::Known(interface.groups.clone()));
        let said = events::of_pod(cluster, key, &["SecurityGroupRequested"]).filter(|it| it.is_warning);
        let said = said.map(|it| format!(": {}", it.told)).unwrap_or_default();
        return told.fails(
            format!("the interface carries {has}{said}"),
            "Make the pod anew (kubectl rollout restart, sgp apply -rollout): running pods keep the groups that they were made with.",
            "It has other groups than its policies say now.",
        );
    }
    told.fine("the interface carries just these groups");
    if pod.phase == "Pending" {
        let event = events::of_pod(cluster, key, &events::START);
        let what = event.as_ref().map_or_else(|| "its containers have not started".to_owned(), |it| it.told.clone());
        let remedy = event.map_or("Look at its containers with kubectl describe pod.", |it| it.remedy);
        return told.fails(what, remedy, "It has its groups, and is Pending for another reason.");
    }
    told.is("It has its groups.")
}
