//! Why a pod has its groups, or has not; what a policy, a workload or a group is for; whether a node can carry pods with groups.
//!
//! The steps are those of the way that a pod goes: policies, webhook, scheduler, node (CNINode, trunk), branch interface
//! (github.com/aws/amazon-vpc-resource-controller-k8s, docs/sgp/workflow.md). The first that failed is the reason.

mod clusters;
mod events;
mod groups;
mod nodes;
mod pods;
mod policies;
#[cfg(test)]
mod tests;
mod workloads;

use sgp_model::InstanceAddr;

use crate::topology::{Cluster, Fact, Id, PodKey, Topology};

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
    fn of(what: impl Into<String>) -> Self {
        Self { of: what.into(), steps: Vec::new(), verdict: String::new() }
    }

    fn fine(&mut self, what: impl Into<String>) {
        self.steps.push(Step { what: what.into(), state: State::Fine, remedy: None });
    }

    fn told(&mut self, what: impl Into<String>) {
        self.steps.push(Step { what: what.into(), state: State::Told, remedy: None });
    }

    fn failed(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        self.steps.push(Step { what: what.into(), state: State::Failed, remedy: Some(remedy.into()) });
    }

    fn fails(mut self, what: impl Into<String>, remedy: impl Into<String>, verdict: impl Into<String>) -> Self {
        self.failed(what, remedy);
        self.is(verdict)
    }

    fn is(mut self, verdict: impl Into<String>) -> Self {
        self.verdict = verdict.into();
        self
    }

    /// Takes up what was found of a part, in a line.
    fn takes(&mut self, who: &str, part: &Self) {
        let what = format!("{who}: {}", part.verdict);
        match part.steps.iter().find(|step| step.state == State::Failed) {
            Some(step) => {
                self.failed(format!("{what} {}", capital(&step.what)), step.remedy.clone().unwrap_or_default());
            }
            None => self.fine(what),
        }
    }

    /// Whether something failed.
    pub fn has_failed(&self) -> bool {
        self.steps.iter().any(|step| step.state == State::Failed)
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>() + ".").unwrap_or_default()
}

/// Explains what a name stands for: `[pod/]NAMESPACE/NAME`, `policy/NAMESPACE/NAME`, a workload's `KIND/NAMESPACE/NAME`, `node/NAME`, a
/// security group (its id or name), or the address of an object of the configuration. `None` when there is no such thing.
pub fn explain(topology: &Topology, name: &str) -> Option<Explanation> {
    if let Some(told) = topology.clusters.iter().find_map(|(id, cluster)| of_address(topology, id, cluster, name)) {
        return Some(told);
    }
    if let Some(told) = groups::named(topology, name) {
        return Some(told);
    }
    let parts: Vec<&str> = name.split('/').collect();
    topology.clusters.values().find_map(|cluster| match parts.as_slice() {
        ["node", name] => nodes::node(topology, cluster, name),
        ["policy", namespace, name] => policies::policy(cluster, namespace, name),
        ["pod", namespace, name] => pods::named(topology, cluster, &key(namespace, name)),
        [kind, namespace, name] => workloads::of_kind(topology, cluster, kind, namespace, name),
        [namespace, name] => pods::named(topology, cluster, &key(namespace, name))
            .or_else(|| workloads::any(topology, cluster, namespace, name))
            .or_else(|| policies::policy(cluster, namespace, name)),
        _ => None,
    })
}

fn key(namespace: &str, name: &str) -> PodKey {
    PodKey { namespace: namespace.to_owned(), name: name.to_owned() }
}

/// What an object of the configuration makes in or of a cluster.
fn of_address(topology: &Topology, id: &Id, cluster: &Cluster, text: &str) -> Option<Explanation> {
    let is_it = |addr: &Option<InstanceAddr>| addr.as_ref().is_some_and(|it| it.to_string() == text);
    if is_it(&cluster.managed_by) || is_it(&cluster.cni.managed_by) {
        return Some(clusters::cluster(topology, id, cluster));
    }
    let policy = cluster.policies.iter().find(|(_, it)| is_it(&it.managed_by));
    if let Some(((namespace, name), _)) = policy {
        return policies::policy(cluster, namespace, name);
    }
    let workload = cluster.workloads.iter().find(|(_, it)| is_it(&it.managed_by));
    if let Some(((namespace, kind, name), it)) = workload {
        return Some(workloads::workload(topology, cluster, (namespace, kind, name), it));
    }
    let account = cluster.service_accounts.iter().find(|(_, it)| is_it(&it.managed_by));
    if let Some(((namespace, name), _)) = account {
        return Some(workloads::service_account(topology, cluster, namespace, name));
    }
    let node_group = cluster.node_groups.iter().find(|(_, it)| is_it(&it.managed_by));
    node_group.map(|(name, it)| nodes::node_group(topology, cluster, name, it))
}

/// Groups by name.
fn listed(topology: &Topology, groups: &Fact<Vec<Id>>) -> String {
    let Fact::Known(groups) = groups else { return "groups that are not known yet".to_owned() };
    let name =
        |id: &Id| topology.groups.get(id).map_or_else(|| id.to_string(), |group| format!("{} ({id})", group.name));
    let names: Vec<String> = groups.iter().map(name).collect();
    if names.len() == 1 { format!("group {}", names[0]) } else { format!("groups {}", names.join(", ")) }
}
