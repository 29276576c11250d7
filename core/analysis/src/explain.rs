//! Why a pod has its groups, or has not; what a policy is for; whether a node can carry pods with groups.
//!
//! The steps are those of the way that a pod goes: policies, webhook, scheduler, node, branch interface
//! (github.com/aws/amazon-vpc-resource-controller-k8s, docs/sgp/workflow.md). The first that failed is the reason.

use std::collections::BTreeSet;

use crate::{
    limits,
    matching::{self, Attachment, Says},
    topology::{Cluster, Fact, Id, Pod, PodKey, Topology},
};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was looked at, in words.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What to do, where something is wrong.
    pub remedy: Option<String>,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Fine,
    /// Worth knowing.
    Told,
    /// Here it stops.
    Failed,
}

/// An explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What is explained.
    pub of: String,
    /// The steps, up to the one that failed.
    pub steps: Vec<Step>,
    /// The answer in a sentence.
    pub verdict: String,
}

impl Explanation {
    fn of(what: String) -> Self {
        Self { of: what, steps: Vec::new(), verdict: String::new() }
    }

    fn fine(&mut self, what: impl Into<String>) {
        self.steps.push(Step { what: what.into(), state: State::Fine, remedy: None });
    }

    fn told(&mut self, what: impl Into<String>) {
        self.steps.push(Step { what: what.into(), state: State::Told, remedy: None });
    }

    fn fails(mut self, what: impl Into<String>, remedy: impl Into<String>, verdict: impl Into<String>) -> Self {
        self.steps.push(Step { what: what.into(), state: State::Failed, remedy: Some(remedy.into()) });
        self.verdict = verdict.into();
        self
    }

    fn is(mut self, verdict: impl Into<String>) -> Self {
        self.verdict = verdict.into();
        self
    }

    /// Whether something failed.
    pub fn has_failed(&self) -> bool {
        self.steps.iter().any(|step| step.state == State::Failed)
    }
}

/// Explains what a name stands for: `NAMESPACE/POD`, `policy/NAMESPACE/NAME`, `node/NAME`. `None` when there is no such thing.
pub fn explain(topology: &Topology, name: &str) -> Option<Explanation> {
    let parts: Vec<&str> = name.split('/').collect();
    topology.clusters.values().find_map(|cluster| match parts.as_slice() {
        ["node", name] => cluster.nodes.contains_key(*name).then(|| node(cluster, name)),
        ["policy", namespace, name] => policy(cluster, namespace, name),
        ["pod", namespace, name] | [namespace, name] => {
            let key = PodKey { namespace: (*namespace).to_owned(), name: (*name).to_owned() };
            let found = cluster.pods.get(&key).map(|it| pod(topology, cluster, &key, it));
            found.or_else(|| policy(cluster, namespace, name).filter(|_| parts.len() == 2))
        }
        _ => None,
    })
}

// --- pods -------------------------------------------------------------------------------------------------------------

fn pod(topology: &Topology, cluster: &Cluster, key: &PodKey, pod: &Pod) -> Explanation {
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
    scheduled(told, topology, cluster, pod, &wanted)
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
    pod: &Pod,
    wanted: &Fact<Vec<Id>>,
) -> Explanation {
    let Some(node_name) = &pod.node else {
        let capable: Vec<&str> = cluster
            .nodes
            .iter()
            .filter(|(_, node)| node.pod_eni.is_some_and(|it| it > 0))
            .map(|(name, _)| name.as_str())
            .collect();
        let (what, remedy) = if capable.is_empty() {
            (
                "no node offers vpc.amazonaws.com/pod-eni".to_owned(),
                "Look at a node with sgp explain node/NAME: its type, pod ENI on the VPC CNI, the policies of the cluster's role.",
            )
        } else {
            (
                format!("{} nodes offer vpc.amazonaws.com/pod-eni, and none has room for it", capable.len()),
                "Add nodes, or look at sgp capacity -live.",
            )
        };
        return told.fails(what, remedy, "It waits for a node.");
    };
    told.fine(format!("it runs on node {node_name}"));
    let offers = cluster.nodes.get(node_name).and_then(|node| node.pod_eni).unwrap_or(0);
    if offers == 0 {
        return told.fails(
            format!("node {node_name} offers no vpc.amazonaws.com/pod-eni"),
            format!("See sgp explain node/{node_name}."),
            "Its node has no trunk.",
        );
    }
    let Some(id) = &pod.branch else {
        return told.fails(
            "it has no annotation vpc.amazonaws.com/pod-eni",
            "Look at its events (kubectl describe pod): BranchAllocationFailed says why. Addresses of the subnet, an unknown group, more groups than an interface may have, or a cool-down are the usual reasons.",
            "It waits for its branch interface.",
        );
    };
    told.fine(format!("it has branch interface {id}"));
    carried(told, topology, id, wanted)
}

fn carried(mut told: Explanation, topology: &Topology, id: &Id, wanted: &Fact<Vec<Id>>) -> Explanation {
    let Some(interface) = topology.interfaces.get(id) else {
        return told.is("Whether the interface has the groups was not looked at.");
    };
    let set = |groups: &[Id]| groups.iter().cloned().collect::<BTreeSet<_>>();
    if wanted.known().is_some_and(|wanted| set(wanted) != set(&interface.groups)) {
        let has = listed(topology, &Fact::Known(interface.groups.clone()));
        return told.fails(
            format!("the interface carries {has}"),
            "Make the pod anew (kubectl rollout restart): running pods keep the groups that they were made with.",
            "It has other groups than its policies say now.",
        );
    }
    told.fine("the interface carries just these groups");
    told.is("It has its groups.")
}

/// Groups by name.
fn listed(topology: &Topology, groups: &Fact<Vec<Id>>) -> String {
    let Fact::Known(groups) = groups else { return "groups that are not known yet".to_owned() };
    let name =
        |id: &Id| topology.groups.get(id).map_or_else(|| id.to_string(), |group| format!("{} ({id})", group.name));
    let names: Vec<String> = groups.iter().map(name).collect();
    if names.len() == 1 { format!("group {}", names[0]) } else { format!("groups {}", names.join(", ")) }
}

// --- policies ---------------------------------------------------------------------------------------------------------

fn policy(cluster: &Cluster, namespace: &str, name: &str) -> Option<Explanation> {
    let policy = cluster.policies.get(&(namespace.to_owned(), name.to_owned()))?;
    let mut told = Explanation::of(format!("policy {namespace}/{name}"));
    let nobody = Fact::Unknown;
    if let says @ (Says::NoSelector | Says::NoGroups | Says::Broken { .. }) = matching::says(policy, &nobody, &nobody) {
        return Some(told.fails(
            says.to_string(),
            "Say which pods it is for, and which groups they get.",
            "The controller ignores it.",
        ));
    }
    let workloads =
        cluster.workloads.iter().map(|((theirs, kind, its), it)| (theirs, format!("{kind} {its}"), &it.template));
    let pods = cluster.pods.iter().filter(|(_, it)| it.owner.is_none());
    let pods = pods.map(|(key, it)| (&key.namespace, format!("pod {}", key.name), &it.template));
    let mut matched = 0_usize;
    for (_, who, template) in workloads.chain(pods).filter(|(theirs, ..)| *theirs == namespace) {
        let opinions = matching::membership(cluster, namespace, template).opinions;
        let Some(opinion) = opinions.iter().find(|it| it.policy == name) else {
            told.told(format!("{who}: its pods use their node's network, so no policy counts"));
            continue;
        };
        match opinion.says {
            Says::Matches => {
                matched += 1;
                told.fine(format!("{who}: matches"));
            }
            ref says => told.told(format!("{who}: {says}")),
        }
    }
    Some(match matched {
        0 if cluster.is_complete => told.fails(
            "nothing in its namespace matches",
            "Compare its selector with the labels of the pod template (not of the Deployment) or of the service account.",
            "It gives no pod its groups.",
        ),
        0 => told.is("No workload that is known here matches it."),
        1 => told.is("One workload or pod matches it."),
        many => told.is(format!("{many} workloads and pods match it.")),
    })
}

// --- nodes ------------------------------------------------------------------------------------------------------------

fn node(cluster: &Cluster, name: &str) -> Explanation {
    let mut told = Explanation::of(format!("node {name}"));
    let node = &cluster.nodes[name];
    let Some(kind) = &node.instance_type else { return told.is("Its instance type is not known.") };
    match limits::of(kind) {
        None => told.told(format!("{kind} is in no table of instance types that sgp has")),
        Some(it) if !it.trunk_compatible => {
            return told.fails(
                format!("{kind} carries no trunk interface"),
                "Take a type that does: sgp explain SGP101.",
                "Pods with groups of their own cannot run there.",
            );
        }
        Some(it) => told.fine(format!("{kind} carries {} branch interfaces", it.branch_enis)),
    }
    if cluster.cni.pod_eni == Fact::Known(false) {
        return told.fails(
            "ENABLE_POD_ENI is not \"true\" on the VPC CNI",
            "Add a sgp_pod_eni; nodes that are full by then have to be made anew.",
            "Nothing asks for a trunk.",
        );
    }
    match node.pod_eni {
        Some(offers) if offers > 0 => {
            let used = cluster.pods.values().filter(|pod| pod.node.as_deref() == Some(name) && pod.branch.is_some()).count();
            told.fine(format!("it offers {offers} vpc.amazonaws.com/pod-eni"));
            told.is(format!("{used} of {offers} branch interfaces are in use there."))
        }
        _ => told.fails(
            "it offers no vpc.amazonaws.com/pod-eni",
            "Look at its events (kubectl describe node): TrunkENICreationFailed is the cluster role's policies (sgp explain SGP001), Unsupported the type, and a node whose interfaces are all in use has no slot for the trunk.",
            "It has no trunk.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::reach::tests::account;

    fn policy(name: &str, selector: &Json, groups: &[&str]) -> (&'static str, Json) {
        let spec = json!({ "podSelector": selector, "securityGroups": { "groupIds": groups } });
        let object =
            json!({ "kind": "SecurityGroupPolicy", "metadata": { "name": name, "namespace": "app" }, "spec": spec });
        ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": object }))
    }

    fn pod(name: &str, node: Option<&str>, app: &str, branch: Option<&str>, asks: bool) -> (&'static str, Json) {
        let mut metadata = json!({ "name": name, "namespace": "app", "labels": { "app": app } });
        if let Some(branch) = branch {
            metadata["annotations"] = json!({ "vpc.amazonaws.com/pod-eni": format!(r#"[{{"eniId":"{branch}"}}]"#) });
        }
        let resources = if asks { json!({ "limits": { "vpc.amazonaws.com/pod-eni": "1" } }) } else { json!({}) };
        let spec = json!({ "nodeName": node, "containers": [{ "name": "it", "resources": resources }] });
        let pod = json!({ "kind": "Pod", "metadata": metadata, "spec": spec, "status": { "phase": "Running" } });
        ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": pod }))
    }

    fn node(name: &str, kind: &str, offers: Option<&str>) -> (&'static str, Json) {
        let node = json!({ "kind": "Node", "metadata": { "name": name, "labels": { "node.kubernetes.io/instance-type": kind } },
            "status": { "allocatable": { "vpc.amazonaws.com/pod-eni": offers } } });
        ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": node }))
    }

    #[test]
    fn the_step_that_failed_is_the_reason() {
        let api = json!({ "matchLabels": { "app": "own" } });
        let topology = account(
            "strict",
            &[
                policy("own", &api, &["sg-api"]),
                policy("nobody", &json!({ "matchLabels": { "app": "nobody" } }), &["sg-api"]),
                node("good", "m5.large", Some("9")),
                node("small", "t3.medium", None),
                node("late", "m5.large", None),
                pod("fine", Some("good"), "own", Some("eni-api"), true),
                pod("other-groups", Some("good"), "own", Some("eni-other"), true),
                pod("past-the-webhook", Some("good"), "own", None, false),
                pod("waits-for-a-node", None, "own", None, true),
                pod("waits-for-an-interface", Some("good"), "own", None, true),
                pod("on-the-wrong-node", Some("late"), "own", None, true),
                pod("without", Some("good"), "else", None, false),
            ],
        );
        for (name, verdict, has_failed) in [
            ("app/fine", "It has its groups.", false),
            ("app/other-groups", "It has other groups than its policies say now.", true),
            (
                "app/past-the-webhook",
                "It was made before the policy, or past the webhook: it has its node's groups.",
                true,
            ),
            ("app/waits-for-a-node", "It waits for a node.", true),
            ("app/waits-for-an-interface", "It waits for its branch interface.", true),
            ("app/on-the-wrong-node", "Its node has no trunk.", true),
            ("pod/app/without", "No policy is for it, so it has its node's groups.", false),
            ("policy/app/nobody", "It gives no pod its groups.", true),
            ("app/own", "6 workloads and pods match it.", false),
            ("node/small", "Pods with groups of their own cannot run there.", true),
            ("node/late", "It has no trunk.", true),
            ("node/good", "2 of 9 branch interfaces are in use there.", false),
        ] {
            let told = explain(&topology, name).unwrap();
            assert_eq!((told.verdict.as_str(), told.has_failed()), (verdict, has_failed), "{name}: {told:#?}");
        }
        assert_eq!(explain(&topology, "app/nothing"), None);
    }
}
